"""The emulator in 2026-08 answers as the published OpenAPI says: every operation, every status, every scenario."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from sandbox.tests.clearstreet.test_scripts import QUESTIONS, parts_in
from sandbox.tests.contracts.conftest import MAIN, Caller
from sandbox.tests.contracts.published import OPERATIONS, STATUSES, answer_schema, literal, literals

BY_CALL = {f"{method} {path}": operation for operation, (method, path) in OPERATIONS.items()}
VALIDATORS = {
    (operation, status): Draft202012Validator(answer_schema(operation, status), format_checker=FormatChecker())
    for operation, statuses in STATUSES.items()
    for status in statuses
}
ABSENT = "019dbae9-73b3-7fe0-bd14-25fe57e91475"
OMNI, CODE = "/omni-ai", "omni.account_data"
GRANT = {"agreement_id": "01JZ0000000000000000000000", "entitlement_codes": [CODE], "account_ids": [MAIN]}
FOREIGN = 20001


@pytest.fixture
def revision() -> str:
    return "2026-08"


def faults(seen: list[tuple[str, int, Any]]) -> Iterator[str]:
    """What the document would not have said."""
    for name, status, body in seen:
        validator = VALIDATORS.get((BY_CALL[name], status))
        if validator is None:
            yield f"{name} does not document {status}: {body}"
            continue
        for error in validator.iter_errors(body):
            yield f"{name} {status} {error.json_path}: {error.message}"


async def take_a_turn(call: Caller, asked: dict[str, str]) -> None:
    """Look at a turn in every way from beginning to end."""
    thread = f"{OMNI}/threads/{asked['thread_id']}"
    await call("GET", f"{thread}/response", account_id=MAIN)
    response = await call.finish(asked)
    await call("GET", f"{thread}/response", account_id=MAIN)
    await call("GET", thread, account_id=MAIN)
    await call("GET", f"{thread}/messages", account_id=MAIN)
    await call("GET", f"{OMNI}/messages/{response['output_message_id']}", account_id=MAIN)
    await call("GET", f"{OMNI}/messages/{asked['user_message_id']}", account_id=MAIN)


@pytest.mark.parametrize(
    "question", [*[text for name, text in QUESTIONS.items() if name != "strange_parts"], "everything"]
)
async def test_every_scenario_answers_as_published(call, question):
    await take_a_turn(call, await call.ask(question))

    assert list(faults(call.seen)) == []


async def test_every_chart_table_and_action_is_as_published(call, emulator):
    emulator.pace = 0
    asked = await call.ask("Good morning")
    for question in parts_in("2026-08").values():
        await call.finish(await call.ask(question, asked["thread_id"]))
    await call("GET", f"{OMNI}/threads/{asked['thread_id']}/messages", account_id=MAIN)

    assert list(faults(call.seen)) == []


@pytest.mark.parametrize("ticker", ["NVDA", "???"])
async def test_deep_insights_and_a_second_question_answer_as_published(call, ticker):
    target = {"type": "ticker", "ticker": ticker}
    _, answer = await call(
        "POST", f"{OMNI}/threads", json={"account_id": MAIN, "type": "deep_insights", "target": target, "thesis": "Up"}
    )
    await take_a_turn(call, answer["data"])
    await take_a_turn(call, await call.ask("Compare that to AMD.", answer["data"]["thread_id"]))

    assert list(faults(call.seen)) == []


async def test_the_strange_parts_and_they_alone_are_strange_to_the_document(call):
    asked = await call.ask("strange parts")
    await call.finish(asked)
    call.seen.clear()
    _, answer = await call("GET", f"{OMNI}/threads/{asked['thread_id']}/messages", account_id=MAIN)
    question, message = answer["data"]
    strange = {id(part) for part in message["content"]["parts"] if list(faults(seen_with(call, question, [part])))}
    kinds = [part["type"] for part in message["content"]["parts"] if id(part) in strange]
    plain = [part for part in message["content"]["parts"] if id(part) not in strange]

    # An unknown type, an unknown action, nulls in place of lists, a chart of a symbol, a button with a mood.
    assert kinds == ["hologram", "structured_action", "chart", "chart", "suggested_actions"]
    assert list(faults(seen_with(call, {**message, "content": {"parts": plain}}, plain))) == []


def seen_with(call: Caller, message: Any, parts: list[Any]) -> list[tuple[str, int, Any]]:
    name, status, answer = call.seen[-1]
    return [(name, status, {**answer, "data": [{**message, "content": {"parts": parts}}]})]


async def test_lists_and_their_pages_answer_as_published(call):
    first = await call.ask("price of AAPL")
    await call.finish(first)
    await call.finish(await call.ask("price of MSFT", first["thread_id"]))
    await call.ask("price of AMD")
    for path in (f"{OMNI}/threads", f"{OMNI}/threads/{first['thread_id']}/messages"):
        _, page = await call("GET", path, account_id=MAIN, page_size=1)
        _, second = await call("GET", path, account_id=MAIN, page_token=page["metadata"]["next_page_token"])
        await call("GET", path, account_id=MAIN, page_token=second["metadata"]["previous_page_token"])
    await call("GET", "/accounts")
    await call("GET", "/accounts", page_size=1)

    assert list(faults(call.seen)) == []


async def test_what_only_2026_10_has_is_not_there(call):
    assert (await call("GET", "/screener/catalog"))[0] == 404
    assert (await call("GET", f"{OMNI}/entitlement-status"))[0] == 404
    assert (await call("POST", f"{OMNI}/entitlements/opt-out", json={}))[0] == 404


async def test_every_documented_status_of_every_operation_can_be_had(call, emulator):
    pace, emulator.pace = emulator.pace, 1000.0
    asked = await call.ask("everything")
    await call("GET", f"{OMNI}/threads/{asked['thread_id']}/response", account_id=MAIN)
    await call("POST", f"{OMNI}/threads/{asked['thread_id']}/messages", json={"account_id": MAIN, "text": "busy"})
    emulator.pace = pace
    await conversations(call, asked)
    await refusals(call, asked)
    await entitlements(call, emulator)
    await trading(call, emulator)

    assert list(faults(call.seen)) == []
    had: dict[str, set[int]] = {}
    for name, status, _ in call.seen:
        had.setdefault(BY_CALL[name], set()).add(status)
    # Accounts are the caller's own: there is nothing to forbid.
    assert had == {**STATUSES, "get_accounts": {200}}


async def conversations(call: Caller, asked: dict[str, str]) -> None:
    thread = f"{OMNI}/threads/{asked['thread_id']}"
    answered = (await call.finish(asked))["output_message_id"]
    await call("POST", f"{OMNI}/messages/{answered}/feedback", json={"account_id": MAIN, "score": 1, "metadata": {}})
    await call("DELETE", f"{OMNI}/responses/{asked['response_id']}", account_id=MAIN)
    again = await call.ask("slow", asked["thread_id"])
    await call("DELETE", f"{OMNI}/responses/{again['response_id']}", account_id=MAIN)
    await call("GET", f"{OMNI}/responses/{again['response_id']}", account_id=MAIN)
    for path in (f"{OMNI}/threads", thread, f"{thread}/messages", f"{OMNI}/messages/{answered}"):
        await call("GET", path, account_id=MAIN)
    await call("GET", "/accounts")


async def refusals(call: Caller, asked: dict[str, str]) -> None:
    reads = [f"{OMNI}/threads/{ABSENT}", f"{OMNI}/messages/{ABSENT}", f"{OMNI}/responses/{ABSENT}"]
    for method, path in [*(("GET", path) for path in reads), ("DELETE", reads[-1])]:
        await call(method, path)
        await call(method, path, account_id=FOREIGN)
        await call(method, path, account_id=MAIN)
    await call("GET", f"{OMNI}/threads")
    for path in (f"{reads[0]}/response", f"{reads[0]}/messages"):
        await call("GET", path, account_id=FOREIGN)
        await call("GET", path, account_id=MAIN)
    await call("POST", f"{OMNI}/threads", json={"account_id": MAIN, "type": "instant"})
    for path in (f"{OMNI}/threads", f"{OMNI}/threads/{asked['thread_id']}/messages"):
        await call("POST", path, json={})
    await call("POST", f"{OMNI}/threads/{asked['thread_id']}/messages", data="{")
    rating = f"{OMNI}/messages/{asked['user_message_id']}/feedback"
    for body in ({"account_id": MAIN, "score": 1}, {"account_id": FOREIGN, "score": 1}, {"account_id": MAIN}):
        await call("POST", rating, json=body)


async def trading(call: Caller, emulator: ClearStreetEmulator) -> None:
    """Everything about money and markets, but for what the document leaves out: a 409 for a client id used twice."""
    accounts = [f"/accounts/{id}" for id in (MAIN, FOREIGN)]
    emulator.order_plans.update({"*": "never", "MSFT": "partial"})
    await call("GET", f"{accounts[0]}/balances", top_margin_contributors_limit=3)
    await call("GET", "/accounts/404404/balances")
    for account in accounts:
        for path in ("balances", "positions", "orders", "orders/nobody"):
            await call("GET", f"{account}/{path}")
        await call("DELETE", f"{account}/orders/nobody")
        await call("PATCH", f"{account}/orders/nobody", json={"quantity": "1"})
        placed = [await call("POST", f"{account}/orders", json=[order]) for order in orders()]
        ids = [answer["data"][0]["id"] for status, answer in placed if status == 200]
        for change in ("{", '{"limit_price": "301.00"}'):
            await call("PATCH", f"{account}/orders/{ids[0] if ids else ABSENT}", data=change)
        for id in ids:
            await call("GET", f"{account}/orders/{id}")
            await call("DELETE", f"{account}/orders/{id}")
        await call("GET", f"{account}/orders", page_size=2)
    await call("POST", f"{accounts[0]}/orders", data="[{")
    await call("POST", f"{accounts[0]}/orders", json=[{}])
    await call("POST", f"{accounts[0]}/orders", json=[{**orders()[0], "quantity": "1000000"}])
    await markets(call, emulator)


def orders() -> list[dict[str, Any]]:
    """One of each type, and one of an option."""
    base = {"side": "BUY", "quantity": "1", "time_in_force": "DAY", "symbol": "AAPL"}
    published = [
        literal("openapi", name)[0] for name in literals("openapi") if name.startswith("submit_orders.request.")
    ]
    option = {**base, "symbol": "AAPL 280121C00300000", "order_type": "LIMIT", "limit_price": "1.00"}
    dated = {**base, "order_type": "STOP", "stop_price": "300.00", "time_in_force": "GOOD_TILL_DATE"}
    dated["expires_at"] = "2030-01-01T00:00:00Z"
    partial = {**base, "symbol": "MSFT", "order_type": "MARKET", "quantity": "10"}
    return [{**base, "order_type": "LIMIT", "limit_price": "300.00"}, option, dated, partial, *published]


async def markets(call: Caller, emulator: ClearStreetEmulator) -> None:
    everything = "AAPL,AAPL 280121C00300000,SPX,PENY"
    for condition in ("live", "null", "one_sided", "halted"):
        emulator.market.set(condition)
        await call("GET", "/market-data/snapshot", instrument_ids=everything)
    await call("GET", "/market-data/snapshot")
    await call("GET", "/market-data/snapshot", instrument_ids="NOPE")
    await call("GET", "/clock")
    for phase in ("open", "closed", "early_close", "holiday"):
        emulator.market.phase = phase
        await call("GET", "/calendars/market-hours")
        await call("GET", "/market-data/snapshot", instrument_ids=everything)
    await call("POST", "/screener", json={"page_size": 5})
    await call("POST", "/screener", json=literal("openapi", "component.ScreenerSearchRequest"))
    await call("POST", "/screener", json={"filters": [{"left": {"name": "vibe"}}]})
    await call("POST", "/screener", json={"sort_by": "price"})


async def entitlements(call: Caller, emulator: ClearStreetEmulator) -> None:
    path = f"{OMNI}/entitlements"
    _, answer = await call("POST", path, json=GRANT)
    await call("GET", path)
    await call("GET", path, account_id=FOREIGN)
    await call("POST", path, json={**GRANT, "agreement_id": "x"})
    await call("POST", path, json={**GRANT, "account_ids": [FOREIGN]})
    for id in [answer["data"][0]["entitlement_id"]] * 2 + [ABSENT]:
        await call("DELETE", f"{path}/{id}")
    await call("GET", f"{OMNI}/entitlement-agreements")
    emulator.entitlements.agreements.clear()
    await call("GET", f"{OMNI}/entitlement-agreements")


@pytest.mark.parametrize(
    ("example", "method", "path", "sent"),
    [
        ("get_threads.400.MissingAccountId", "GET", "/threads", {}),
        ("get_thread_by_id.400.MissingAccountId", "GET", f"/threads/{ABSENT}", {}),
        ("get_thread_by_id.403.Forbidden", "GET", f"/threads/{ABSENT}", {"account_id": FOREIGN}),
        ("get_thread_by_id.404.ThreadNotFound", "GET", f"/threads/{ABSENT}", {"account_id": MAIN}),
        ("get_thread_response.403.Forbidden", "GET", f"/threads/{ABSENT}/response", {"account_id": FOREIGN}),
        ("get_thread_response.404.ThreadNotFound", "GET", f"/threads/{ABSENT}/response", {"account_id": MAIN}),
        ("get_messages.403.Forbidden", "GET", f"/threads/{ABSENT}/messages", {"account_id": FOREIGN}),
        ("get_messages.404.ThreadNotFound", "GET", f"/threads/{ABSENT}/messages", {"account_id": MAIN}),
        ("get_message_by_id.400.MissingAccountId", "GET", f"/messages/{ABSENT}", {}),
        ("get_message_by_id.403.Forbidden", "GET", f"/messages/{ABSENT}", {"account_id": FOREIGN}),
        ("get_message_by_id.404.MessageNotFound", "GET", f"/messages/{ABSENT}", {"account_id": MAIN}),
        ("get_response_by_id.400.MissingAccountId", "GET", f"/responses/{ABSENT}", {}),
        ("get_response_by_id.403.Forbidden", "GET", f"/responses/{ABSENT}", {"account_id": FOREIGN}),
        ("get_response_by_id.404.ResponseNotFound", "GET", f"/responses/{ABSENT}", {"account_id": MAIN}),
        ("cancel_response.400.MissingAccountId", "DELETE", f"/responses/{ABSENT}", {}),
        ("cancel_response.403.Forbidden", "DELETE", f"/responses/{ABSENT}", {"account_id": FOREIGN}),
        ("cancel_response.404.ResponseNotFound", "DELETE", f"/responses/{ABSENT}", {"account_id": MAIN}),
        ("create_thread.400.MissingInstantText", "POST", "/threads", {"data": '{"account_id":19816,"type":"instant"}'}),
        ("create_thread.422.PayloadMissingType", "POST", "/threads", {"data": '{\n  "account_id": 19816\n}'}),
        (
            "create_message.400.MalformedJsonSyntax",
            "POST",
            f"/threads/{ABSENT}/messages",
            {"data": '{\n  "text": ""\n'},
        ),
        (
            "create_message.422.PayloadMissingAccountId",
            "POST",
            f"/threads/{ABSENT}/messages",
            {"data": '{\n  "text": "Compare that to AMD."\n  }'},
        ),
        (
            "submit_feedback.400.MalformedJsonSyntax",
            "POST",
            f"/messages/{ABSENT}/feedback",
            {"data": '{\n  "account_id": 19816,\n}'},
        ),
        (
            "submit_feedback.403.Forbidden",
            "POST",
            f"/messages/{ABSENT}/feedback",
            {"data": '{"account_id":20001,"score":1}'},
        ),
        (
            "submit_feedback.422.PayloadMissingScore",
            "POST",
            f"/messages/{ABSENT}/feedback",
            {"data": '{\n  "account_id": 19816\n}'},
        ),
    ],
)
async def test_a_refusal_is_the_published_one_word_for_word(call, example, method, path, sent):
    published = literal("openapi", example)

    status, answer = await call(method, f"{OMNI}{path}", **sent)

    assert (status, answer["error"]) == (published["error"]["code"], published["error"])
    assert answer.keys() == published.keys()
    assert answer["metadata"].keys() == published["metadata"].keys()


ACCOUNTS = f"/accounts/{MAIN}"


@pytest.mark.parametrize(
    ("example", "method", "path", "sent"),
    [
        ("get_account_balances.403.Forbidden", "GET", f"/accounts/{FOREIGN}/balances", {}),
        ("get_account_balances.404.AccountNotFound", "GET", "/accounts/404404/balances", {}),
        ("get_positions.403.Forbidden", "GET", f"/accounts/{FOREIGN}/positions", {}),
        ("get_orders.403.Forbidden", "GET", f"/accounts/{FOREIGN}/orders", {}),
        ("submit_orders.403.Forbidden", "POST", f"/accounts/{FOREIGN}/orders", {"json": []}),
        (
            "submit_orders.422.PayloadMissingRequiredField",
            "POST",
            f"{ACCOUNTS}/orders",
            {"data": '[{"side": "BUY", "quantity": "1"}' + "\n" * 25 + "]"},
        ),
        ("get_snapshots.400.MissingRequiredQueryParams", "GET", "/market-data/snapshot", {}),
        (
            "get_snapshots.404.InstrumentNotFoundById",
            "GET",
            "/market-data/snapshot",
            {"instrument_ids": "a1a2a3a4-b1b2-c1c2-d1d2-d3d4d5d6d7d8"},
        ),
        (
            "search_screener.422.PayloadUnknownField",
            "POST",
            "/screener",
            {"data": '{\n  "filters": [],\n  "sort_by": null}'},
        ),
    ],
)
async def test_a_refusal_about_money_or_markets_is_the_published_one_word_for_word(call, example, method, path, sent):
    published = literal("openapi", example)

    status, answer = await call(method, path, **sent)

    assert (status, answer["error"]) == (published["error"]["code"], published["error"])


@pytest.mark.parametrize(
    "example", ["get_order_by_id.404.OrderNotFoundById", "replace_order.404.OrderNotFoundForReplacement"]
)
async def test_an_order_that_is_not_there_is_not_found_in_the_published_words(call, example):
    said = literal("openapi", example)["error"]["message"]
    [id] = re.findall(r"Order (\S+) not found for account 100001", said)
    method, body = ("PATCH", {"quantity": "1"}) if example.startswith("replace") else ("GET", None)

    _, answer = await call(method, f"{ACCOUNTS}/orders/{id}", json=body)

    assert answer["error"]["message"] == said.replace("100001", str(MAIN))


@pytest.mark.parametrize(
    ("example", "first", "second"),
    [
        (
            "submit_orders.400.NoBuyingPower",
            None,
            {"side": "BUY", "order_type": "LIMIT", "limit_price": "300.00", "quantity": "1000"},
        ),
        (
            "submit_orders.400.RiskCheckSelfMatch",
            {"side": "BUY", "order_type": "LIMIT", "limit_price": "200.00", "quantity": "1"},
            {"side": "SELL", "order_type": "LIMIT", "limit_price": "200.00", "quantity": "1"},
        ),
    ],
)
async def test_a_risk_refusal_has_the_published_shape_and_code(call, example, first, second):
    published = literal("openapi", example)["error"]
    bodies = [[{"symbol": "AAPL", "time_in_force": "DAY", **order}] for order in (first, second) if order]
    *_, (_, answer) = [await call("POST", f"{ACCOUNTS}/orders", json=body) for body in bodies]
    violation, info = answer["error"]["details"]
    published_violation, published_info = published["details"]

    assert answer["error"]["message"] == published["message"]
    assert {**violation, "subject": ""} == {**published_violation, "subject": ""}
    assert info["metadata"].keys() == published_info["metadata"].keys()
    assert (info["reason"], info["domain"]) == (published_info["reason"], published_info["domain"])
    assert info["metadata"]["side"] == published_info["metadata"]["side"]
