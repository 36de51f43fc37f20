"""The official SDK 0.11.0 drives every endpoint of the emulator's 2026-10, and knows every field of every answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from sandbox.tests.clearstreet.test_scripts import QUESTIONS, parts_in
from sandbox.tests.contracts.conftest import MAIN, Caller
from sandbox.tests.contracts.environments import Client, Sdk
from sandbox.tests.contracts.published import OPERATIONS

pytestmark = pytest.mark.timeout(300)  # the first run installs the SDK

THREADS, MESSAGES = "omni_ai.threads", "omni_ai.messages"
RESPONSES, ENTITLEMENTS = "omni_ai.responses", "omni_ai.entitlements"
CODE = "omni.account_data"
CONTEXT = {
    "items": [{"kind": "quote", "label": "AAPL", "data": {"last": "271.06"}, "captured_at": "2026-10-01T09:30:00Z"}]
}
ABSENT = "019dbae9-73b3-7fe0-bd14-25fe57e91475"


@pytest.fixture
def revision() -> str:
    return "2026-10"


@pytest.fixture(scope="session")
def running() -> Iterator[Sdk]:
    sdk = Sdk("0.11.0")
    yield sdk
    sdk.close()


@pytest.fixture
def sdk(running: Sdk, emulator: ClearStreetEmulator) -> Client:
    return Client(running, emulator)


async def answered(sdk: Client, call: Caller, text: str = "everything") -> dict[str, Any]:
    """A turn that is over."""
    return await call.finish(await call.ask(text))


async def test_create_thread_instant_with_all_it_can_carry(sdk):
    capabilities = ["PREFILL_ORDER", "OPEN_CHART", "OPEN_SCREENER", "OPEN_ENTITLEMENT_CONSENT"]
    asked = {"type": "instant", "text": "hello", "capabilities": capabilities, "context": CONTEXT}

    created = await sdk(f"{THREADS}.create_thread", account_id=MAIN, **asked)

    assert created.keys() == {"thread_id", "response_id", "user_message_id"}


async def test_create_thread_without_an_account(sdk):
    created = await sdk(f"{THREADS}.create_thread", type="instant", text="hello")
    listed = await sdk(f"{THREADS}.get_threads")

    assert [thread["id"] for thread in listed] == [created["thread_id"]]


async def test_create_thread_deep_insights(sdk):
    target = {"type": "ticker", "ticker": "NVDA"}

    created = await sdk(f"{THREADS}.create_thread", account_id=MAIN, type="deep_insights", target=target, thesis="Up")

    assert created["response_id"]


async def test_create_thread_with_an_idempotency_key(sdk):
    again = {"type": "instant", "text": "hello", "extra_headers": {"Idempotency-Key": "k"}}

    first, second = [await sdk(f"{THREADS}.create_thread", **again) for _ in range(2)]

    assert first == second


async def test_get_threads_page_by_page(sdk, call):
    ids = [(await call.ask(f"slow {number}"))["thread_id"] for number in range(3)]

    newest = await sdk(f"{THREADS}.get_threads", account_id=MAIN, page_size=2)
    _, page = await call("GET", "/omni-ai/threads", account_id=MAIN, page_size=2)
    oldest = await sdk(f"{THREADS}.get_threads", account_id=MAIN, page_token=page["metadata"]["next_page_token"])

    assert [thread["id"] for thread in newest + oldest] == ids[::-1]


async def test_get_thread_by_id(sdk, call):
    asked = await call.ask("hello")

    assert (await sdk(f"{THREADS}.get_thread_by_id", thread_id=asked["thread_id"]))["title"] == "hello"


async def test_get_thread_response_while_it_runs_and_when_the_thread_is_idle(sdk, call):
    asked = await call.ask("slow")
    running = await sdk(f"{THREADS}.get_thread_response", thread_id=asked["thread_id"], account_id=MAIN)
    await sdk(f"{RESPONSES}.cancel_response", response_id=asked["response_id"], account_id=MAIN)
    idle = await sdk(f"{THREADS}.get_thread_response", thread_id=asked["thread_id"], account_id=MAIN)

    assert (running["id"], idle) == (asked["response_id"], None)


async def test_create_message_and_get_messages_with_context(sdk, call):
    first = await answered(sdk, call)
    thread = first["thread_id"]
    asked = await sdk(f"{THREADS}.create_message", thread_id=thread, account_id=MAIN, text="slow", context=CONTEXT)
    messages = await sdk(f"{THREADS}.get_messages", thread_id=thread, page_size=1)

    assert [message["id"] for message in messages] == [asked["user_message_id"]]
    assert messages[0]["context"]["items"][0]["data"] == CONTEXT["items"][0]["data"]


async def test_get_message_by_id_and_submit_feedback(sdk, call):
    answer = (await answered(sdk, call))["output_message_id"]

    message = await sdk(f"{MESSAGES}.get_message_by_id", message_id=answer)
    rated = await sdk(f"{MESSAGES}.submit_feedback", message_id=answer, score=1, comment="good", metadata={"a": 1})

    assert (message["id"], message["outcome"], message["seq"]) == (answer, "completed", 2)
    assert rated["feedback_id"]


async def test_cancel_response(sdk, call):
    asked = await call.ask("slow")

    first, second = [
        await sdk(f"{RESPONSES}.cancel_response", response_id=asked["response_id"], account_id=MAIN) for _ in range(2)
    ]

    assert (first, second) == ({"canceled": True}, {"canceled": False})


async def test_entitlements_from_agreement_to_opt_out(sdk):
    [agreement] = await sdk(f"{ENTITLEMENTS}.get_entitlement_agreements")
    chosen = {"account_ids": [MAIN], "entitlement_codes": agreement["entitlement_codes"]}
    created = await sdk(f"{ENTITLEMENTS}.create_entitlements", agreement_id=agreement["agreement_id"], **chosen)
    listed = await sdk(f"{ENTITLEMENTS}.get_entitlements", account_id=MAIN)
    enabled = await sdk(f"{ENTITLEMENTS}.get_entitlement_status", account_id=MAIN)
    id = created[0]["entitlement_id"]
    revoked = await sdk(f"{ENTITLEMENTS}.delete_entitlement", entitlement_id=id)
    out = await sdk(f"{ENTITLEMENTS}.opt_out_entitlements", **chosen)

    assert created == listed
    assert revoked == {"entitlement_id": id, "revoked": True}
    assert [[status["enabled"] for status in answer] for answer in (enabled, out)] == [[True], [False]]


async def test_get_accounts(sdk):
    accounts = await sdk("accounts.get_accounts", account_id="1981", page_size=1000)

    assert [account["status"] for account in accounts] == ["ACTIVE", "CLOSED"]


@pytest.mark.parametrize(
    "question", [*[text for name, text in QUESTIONS.items() if name != "strange_parts"], "everything"]
)
async def test_every_scenario_is_known_to_the_sdk_from_its_first_snapshot_to_its_message(sdk, call, question):
    asked = await call.ask(question)
    await sdk(f"{RESPONSES}.get_response_by_id", response_id=asked["response_id"], account_id=MAIN)
    await call.finish(asked)
    response = await sdk(f"{RESPONSES}.get_response_by_id", response_id=asked["response_id"], account_id=MAIN)
    messages = await sdk(f"{THREADS}.get_messages", thread_id=asked["thread_id"], account_id=MAIN)

    assert response["output_message_id"] == messages[-1]["id"]


async def test_every_chart_table_and_action_is_known_to_the_sdk(sdk, call, emulator):
    emulator.pace = 0
    thread = (await call.ask("Good morning"))["thread_id"]
    *_, last = [await call.finish(await call.ask(question, thread)) for question in parts_in("2026-10").values()]
    messages = await sdk(f"{THREADS}.get_messages", thread_id=thread, account_id=MAIN, page_size=100)
    response = await sdk(f"{RESPONSES}.get_response_by_id", response_id=last["id"], account_id=MAIN)

    assert len(messages) == 2 + 2 * len(parts_in("2026-10"))
    assert response["output_message_id"] == messages[-1]["id"]


async def test_the_strange_parts_are_beyond_the_sdk(sdk, call):
    response = await answered(sdk, call, "strange parts")

    said = await sdk.say(f"{RESPONSES}.get_response_by_id", response_id=response["id"])

    assert said.error is not None
    assert said.error[0] == "APIResponseValidationError"


async def test_snapshots_of_all_sorts_in_every_condition(sdk, emulator):
    names = ["AAPL", "AAPL 280121C00300000", "SPX", "GME"]
    for condition in ("live", "null", "one_sided", "stale", "halted"):
        emulator.market.set(condition)
        rows = await sdk("instrument_data.market_data.get_snapshots", instrument_ids=names)

        assert [row["symbol"] for row in rows] == names
        assert (rows[0]["last_quote"] is None) == (condition in ("null", "halted"))


async def test_clock_and_hours_at_every_phase_of_the_day(sdk, emulator):
    assert (await sdk("calendar.get_clock"))["clock"]
    for phase in ("open", "overnight", "pre_market", "after_hours", "closed", "holiday"):
        emulator.market.phase = phase
        equities, options = await sdk("calendar.get_market_hours_calendar")

        assert equities["status"]["is_open"] == (phase not in ("closed", "holiday"))
        assert options["market"] == "us_options"


async def test_the_screener_and_its_catalog(sdk):
    catalog = await sdk("screener.get_screener_catalog")
    filters = [
        {"left": {"name": "sector"}, "op": {"name": "ONE_OF"}, "right": [{"value": "ENERGY"}, {"value": "UTILITIES"}]},
        {"left": {"name": "change_pct", "lookback": "ONE_YEAR"}, "op": {"name": "IS_NOT_NULL"}},
        {
            "left": {"name": "next_earnings_date"},
            "op": {"name": "GREATER_THAN"},
            "right": [{"variable": {"name": "today"}}],
        },
    ]
    columns = [{"name": name} for name in catalog["fields"]["name"]]
    sorts = [{"field": {"name": "market_cap"}, "direction": "ASC"}]

    rows = await sdk("screener.search_screener", filters=filters, columns=columns, sorts=sorts, page_size=2)

    assert [row[0]["value"] for row in rows] == ["NEE", "CVX"]
    assert len(rows[0]) == len(columns)


async def test_balances_and_positions(sdk):
    balances = await sdk("accounts.get_account_balances", account_id=MAIN, top_margin_contributors_limit=2)
    positions = await sdk("positions.get_positions", account_id=MAIN, sort_by="SYMBOL", sort_direction="ASC")

    assert len(balances["margin_details"]["top_contributors"]) == 2
    assert [position["quantity"] for position in positions] == ["120", "3", "-60", "40", "85.5"]


ORDERS: list[dict[str, Any]] = [
    {"order_type": "MARKET", "quantity": "1", "side": "BUY", "symbol": "AAPL"},
    {"order_type": "LIMIT", "quantity": "1", "side": "SELL", "symbol": "TSLA", "limit_price": "500.00"}
    | {"position_intent": "OPEN", "time_in_force": "AT_CLOSE"},
    {"order_type": "STOP", "quantity": "1", "side": "BUY", "symbol": "KO", "stop_price": "90.00"},
    {"order_type": "TRAILING_STOP_LIMIT", "quantity": "1", "side": "BUY", "symbol": "PG", "trailing_offset": "115"}
    | {"trailing_offset_type": "BPS", "limit_offset": "0.50"},
    {"order_type": "LIMIT", "quantity": "2", "side": "BUY", "symbol": "AAPL 280121C00300000", "limit_price": "0.01"},
    {"order_type": "LIMIT", "quantity": "1", "side": "BUY", "symbol": "V", "limit_price": "1.00"}
    | {"strategy": {"type": "DMA", "destination": "XNAS"}},
    {"order_type": "LIMIT", "quantity": "1", "side": "BUY", "symbol": "MA", "limit_price": "1.00"}
    | {"time_in_force": "GOOD_TILL_DATE", "expires_at": "2030-01-01T00:00:00Z", "extended_hours": True},
]


async def test_orders_of_every_kind_from_submission_to_their_end(sdk, emulator):
    sent = [{"time_in_force": "DAY", "id": f"ours-{number}", **order} for number, order in enumerate(ORDERS)]
    placed = await sdk("orders.submit_orders", account_id=MAIN, orders=sent)
    emulator.pace = 0
    listed = await sdk("orders.get_orders", account_id=MAIN, order_ids=[order["id"] for order in sent], page_size=100)
    alone = [await sdk("orders.get_order_by_id", account_id=MAIN, order_id=order["id"]) for order in listed]

    assert [order["status"] for order in placed] == ["PENDING_NEW"] * 7
    assert [order["client_order_id"] for order in listed] == [order["id"] for order in sent]
    assert [order["status"] for order in listed[:4]] == ["FILLED", "NEW", "PENDING_TRIGGER", "PENDING_TRIGGER"]
    assert [order["strategy"] for order in listed][5] == {"type": "DMA", "destination": "XNAS"} | {
        "start_at": None,
        "end_at": None,
    }
    assert [order["id"] for order in alone] == [order["id"] for order in listed]


async def test_an_order_is_replaced_canceled_and_queued(sdk, emulator):
    emulator.pace = 0
    order = {"time_in_force": "DAY", "id": "ours", **ORDERS[5]}
    [placed] = await sdk("orders.submit_orders", account_id=MAIN, orders=[order])
    replacing = await sdk("orders.replace_order", account_id=MAIN, order_id="ours", limit_price="2.00", quantity="3")
    ended, now = await sdk("orders.get_orders", account_id=MAIN, order_ids=["ours"], status=["REPLACED", "NEW"])
    canceling = await sdk("orders.cancel_open_order", account_id=MAIN, order_id="ours")
    emulator.market.phase = "closed"
    await sdk("orders.submit_orders", account_id=MAIN, orders=[{**order, "id": "later"}])
    [queued] = await sdk("orders.get_orders", account_id=MAIN, status=["QUEUED"])

    assert (replacing["status"], replacing["id"], ended["status"]) == ("PENDING_REPLACE", placed["id"], "REPLACED")
    assert (now["limit_price"], now["quantity"], canceling["status"]) == ("2.00", "3", "PENDING_CANCEL")
    assert queued["queue_state"] == "AWAITING_RELEASE"


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        (
            "orders.submit_orders",
            {"account_id": MAIN, "orders": [{**ORDERS[0], "time_in_force": "DAY", "quantity": "1000000"}]},
            ("BadRequestError", 400),
        ),
        ("orders.get_order_by_id", {"account_id": MAIN, "order_id": "nobody"}, ("NotFoundError", 404)),
        ("instrument_data.market_data.get_snapshots", {"instrument_ids": ["NOPE"]}, ("NotFoundError", 404)),
        ("screener.search_screener", {"columns": [{"name": "vibe"}]}, ("BadRequestError", 400)),
        (f"{THREADS}.get_thread_by_id", {"thread_id": ABSENT}, ("NotFoundError", 404)),
        (f"{THREADS}.get_threads", {"account_id": 20001}, ("PermissionDeniedError", 403)),
        (f"{THREADS}.create_thread", {"type": "instant"}, ("BadRequestError", 400)),
        (f"{THREADS}.create_thread", {"type": "chat"}, ("UnprocessableEntityError", 422)),
    ],
)
async def test_refusals_have_their_names_in_the_sdk_too(sdk, call, arguments, expected):
    said = await sdk.say(call, **arguments)

    assert said.error is not None
    assert said.error[:2] == expected


async def test_a_client_id_used_twice_is_a_conflict(sdk):
    order = {"time_in_force": "DAY", "id": "once", **ORDERS[0]}
    await sdk("orders.submit_orders", account_id=MAIN, orders=[order])

    said = await sdk.say("orders.submit_orders", account_id=MAIN, orders=[order])

    assert said.error is not None
    assert said.error[:2] == ("ConflictError", 409)


async def test_a_second_question_at_once_is_a_conflict(sdk, call):
    asked = await call.ask("slow")

    said = await sdk.say(f"{THREADS}.create_message", thread_id=asked["thread_id"], text="And now?")

    assert said.error is not None
    assert said.error[:2] == ("ConflictError", 409)


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({"output_mesage_id": ABSENT}, ("answer.data.output_mesage_id",)),
        ({"content": {"parts": [{"type": "text", "text": "", "txt": ""}]}}, ("answer.data.content.parts[0].txt",)),
    ],
)
async def test_a_misspelt_optional_field_would_not_slip_through(sdk, emulator, change, unknown):
    response = {"id": ABSENT, "status": "running", "thread_id": ABSENT, "user_message_id": ABSENT, **change}
    body = {"data": response, "metadata": {"request_id": "r"}}
    emulator.gate.refuse("GET /v1/omni-ai/responses/*", status=200, body=body)

    said = await sdk.say(f"{RESPONSES}.get_response_by_id", response_id=ABSENT)

    assert (said.error, said.unknown) == (None, unknown)


def test_the_emulator_has_the_published_endpoints_and_the_three_that_came_after_them():
    routes = ClearStreetEmulator(revision="2026-10").endpoints

    assert set(routes) == {
        *(f"{method} {path}" for method, path in OPERATIONS.values()),
        "GET /v1/omni-ai/entitlement-status",
        "POST /v1/omni-ai/entitlements/opt-out",
        "GET /v1/screener/catalog",
    }
