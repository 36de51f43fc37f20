"""The official SDK 0.4.0, the last that reads 2026-04, against the emulator's 2026-04 and, where it fits, 2026-08."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from sandbox.tests.clearstreet.test_scripts import QUESTIONS, parts_in
from sandbox.tests.contracts.conftest import MAIN, actions_of, everything
from sandbox.tests.contracts.environments import Client, Sdk

pytestmark = pytest.mark.timeout(300)  # the first run installs the SDK

THREADS, MESSAGES = "omni_ai.threads", "omni_ai.messages"
RESPONSES, ENTITLEMENTS = "omni_ai.responses", "omni_ai.entitlements"
GRANT = {
    "agreement_id": "01JZ0000000000000000000000",
    "requested_entitlement_codes": ["omni.account_data"],
    "trading_account_ids": [MAIN],
}
#: Scripts whose parts 2026-04 documents in fields that no SDK has: consent by its longer names, orders with the type of
#: their instrument, charts of a symbol.
BEYOND = {
    *("positions", "symbol_chart", "prefill_every_type"),
    *(f"prefill_{name}" for name in ("buy", "market", "sell", "short", "two", "option")),
}
oldest = pytest.mark.parametrize("revision", ["2026-04"])
middle = pytest.mark.parametrize("revision", ["2026-08"])


@pytest.fixture(params=["2026-04", "2026-08"])
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def running() -> Iterator[Sdk]:
    sdk = Sdk("0.4.0")
    yield sdk
    sdk.close()


@pytest.fixture
def sdk(running: Sdk, emulator: ClearStreetEmulator) -> Client:
    return Client(running, emulator)


async def test_get_threads_and_get_thread_by_id(sdk, call):
    thread = (await call.ask("slow"))["thread_id"]

    [listed] = await sdk(f"{THREADS}.get_threads", account_id=MAIN, page_size=100)

    assert listed == await sdk(f"{THREADS}.get_thread_by_id", thread_id=thread, account_id=MAIN)


async def test_get_thread_response_while_it_runs(sdk, call):
    asked = await call.ask("slow")

    response = await sdk(f"{THREADS}.get_thread_response", thread_id=asked["thread_id"], account_id=MAIN)

    assert response["id"] == asked["response_id"]


@oldest
async def test_get_thread_response_of_an_idle_thread_is_not_found(sdk, call):
    asked = await call.ask("slow")
    await sdk(f"{RESPONSES}.cancel_response", response_id=asked["response_id"], account_id=MAIN)

    said = await sdk.say(f"{THREADS}.get_thread_response", thread_id=asked["thread_id"], account_id=MAIN)

    assert said.error is not None
    assert said.error[:2] == ("NotFoundError", 404)


async def test_create_thread_create_message_and_cancel_response(sdk):
    created = await sdk(f"{THREADS}.create_thread", account_id=MAIN, type="instant", text="slow", capabilities=[])
    canceled = await sdk(f"{RESPONSES}.cancel_response", response_id=created["response_id"], account_id=MAIN)
    again = await sdk(f"{THREADS}.create_message", thread_id=created["thread_id"], account_id=MAIN, text="slow")

    assert canceled == {"canceled": True}
    assert again["thread_id"] == created["thread_id"]


@pytest.mark.parametrize("question", [text for name, text in QUESTIONS.items() if name != "strange_parts"])
@oldest
async def test_every_scenario_is_known_to_the_sdk(sdk, call, question):
    await turn(sdk, call, question)


@oldest
async def test_every_chart_table_and_action_is_known_to_the_sdk_but_for_some(sdk, call, emulator):
    emulator.pace = 0
    thread = (await call.ask("Good morning"))["thread_id"]
    for question in [text for name, text in parts_in("2026-04").items() if name not in BEYOND]:
        await call.finish(await call.ask(question, thread))
    messages = await sdk(f"{THREADS}.get_messages", thread_id=thread, account_id=MAIN, page_size=100)

    assert len(messages) == 2 + 2 * len(parts_in("2026-04").keys() - BEYOND)


async def test_every_kind_of_part_and_action_is_known_to_the_sdk_but_for_one(sdk, call, emulator):
    """The consent action is the one: 2026-04 documents it with longer names than any SDK ever had."""
    *others, _ = actions_of("2026-04")
    screener = others.pop()  # its `columns` came in 2026-08
    emulator.add_script(everything(others if emulator.revision == "2026-08" else [*others, screener]))

    await turn(sdk, call, "everything")


@pytest.mark.parametrize("question", ["compare AAPL to AMD", "fail this", "many buttons"])
@middle
async def test_scenarios_of_2026_08_are_known_to_the_sdk_where_nothing_new_is_in_them(sdk, call, question):
    await turn(sdk, call, question)


async def turn(sdk, call, question):
    asked = await call.ask(question)
    await sdk(f"{RESPONSES}.get_response_by_id", response_id=asked["response_id"], account_id=MAIN)
    await call.finish(asked)
    response = await sdk(f"{RESPONSES}.get_response_by_id", response_id=asked["response_id"], account_id=MAIN)
    messages = await sdk(f"{THREADS}.get_messages", thread_id=asked["thread_id"], account_id=MAIN)
    answer = await sdk(f"{MESSAGES}.get_message_by_id", message_id=response["output_message_id"], account_id=MAIN)
    rated = await sdk(f"{MESSAGES}.submit_feedback", message_id=answer["id"], account_id=MAIN, score=0)

    assert answer == messages[-1]
    assert rated["feedback_id"]


@oldest
async def test_entitlements_as_2026_04_names_them(sdk, call):
    """Written by hand: the SDK writes the newer names already."""
    await call("POST", "/omni-ai/entitlements", json=GRANT)

    [grant] = await sdk(f"{ENTITLEMENTS}.get_entitlements", trading_account_id=MAIN)
    revoked = await sdk(f"{ENTITLEMENTS}.delete_entitlement", entitlement_id=grant["entitlement_id"])

    assert grant["trading_account_id"] == MAIN
    assert revoked == {"entitlement_id": grant["entitlement_id"], "revoked": True}


@middle
async def test_the_sdk_writes_entitlements_as_2026_08_wants_them(sdk, call):
    newer = {"account_ids": [MAIN], "entitlement_codes": ["omni.account_data"]}

    said = await sdk.say(f"{ENTITLEMENTS}.create_entitlements", agreement_id=GRANT["agreement_id"], **newer)
    _, listed = await call("GET", "/omni-ai/entitlements", account_id=MAIN)

    # Accepted; but the answer says `account_id`, where this SDK waits for `trading_account_id`.
    assert said.error is not None
    assert said.error[0] == "APIResponseValidationError"
    assert [grant["account_id"] for grant in listed["data"]] == [MAIN]


async def test_agreements_and_accounts(sdk):
    [agreement] = await sdk(f"{ENTITLEMENTS}.get_entitlement_agreements")
    accounts = await sdk("accounts.get_accounts")

    assert agreement["entitlement_codes"] == ["omni.account_data"]
    assert [account["id"] for account in accounts] == [MAIN, 19817]


@oldest
async def test_market_data_and_holdings_as_2026_04_knows_them(sdk, emulator):
    names = ["AAPL", "AAPL 280121C00300000", "SPX"]
    for condition in ("live", "null", "one_sided"):
        emulator.market.set(condition)
        rows = await sdk("instrument_data.market_data.get_snapshots", instrument_ids=names)

        assert (rows[0]["last_quote"] is None) == (condition != "live")
    hours = await sdk("calendar.get_market_hours_calendar", date="2026-11-20")
    balances = await sdk("accounts.get_account_balances", account_id=MAIN, top_margin_contributors_limit=1)
    positions = await sdk("positions.get_positions", account_id=MAIN)

    assert [one["market"] for one in hours] == ["us_equities", "us_options"]
    assert balances["margin_details"]["pattern_day_trader"] is False
    assert len(positions) == 5


@oldest
async def test_orders_as_2026_04_knows_them(sdk, emulator):
    emulator.pace = 0
    order = {"order_type": "LIMIT", "limit_price": "1.00", "side": "BUY", "symbol": "AAPL 280121C00300000"}
    order |= {"quantity": "1", "time_in_force": "GOOD_TILL_CROSSING", "position_effect": "OPEN", "id": "ours"}
    [placed] = await sdk("orders.submit_orders", account_id=MAIN, orders=[order])
    await sdk("orders.replace_order", account_id=MAIN, order_id="ours", limit_price="2.00")
    ended, now = await sdk("orders.get_orders", account_id=MAIN)
    canceling = await sdk("orders.cancel_open_order", account_id=MAIN, order_id="ours")

    assert (ended["id"], ended["status"], now["limit_price"]) == (placed["id"], "REPLACED", "2.00")
    assert (now["time_in_force"], canceling["status"]) == ("GOOD_TILL_CROSSING", "PENDING_CANCEL")
