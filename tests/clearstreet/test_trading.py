"""Accounts, holdings and orders over a raw socket: what is sent, what is read, and what is never sent twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from omnibot.clearstreet.models import InstrumentType, OrderStatus, PositionType, Side, UnknownValue, read_reasons
from omnibot.clearstreet.revision import Revision
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.errors import Conflict, Incomplete, Invalid, Malformed, NotFound, RateLimited, Unavailable
from sandbox.tests.contracts.published import literal
from tests.clearstreet.conftest import ACCOUNT, KEY, REQUEST_ID, Say, ScriptedApi, envelope, refusal

ORDERS = f"/v1/accounts/{ACCOUNT}/orders"
BODY = {"id": "ours", "symbol": "TSLA", "side": "BUY", "order_type": "MARKET", "quantity": "1", "time_in_force": "DAY"}


def published(name: str) -> Say:
    return Say(literal("openapi", name))


@pytest.fixture
def trading(transport: Transport) -> Trading:
    return Trading(transport)


async def test_balances_are_exact(api: ScriptedApi, trading: Trading):
    api.script(f"GET /v1/accounts/{ACCOUNT}/balances", published("get_account_balances.200.MarginAccountBalances"))

    balances = await trading.balances(KEY, ACCOUNT)

    assert (balances.buying_power, str(balances.settled_cash)) == (Decimal("90000.00"), "99775.05")
    assert balances.margin_details is not None
    assert balances.margin_details.intraday_details is not None
    assert balances.margin_details.intraday_details.multiplier == 2
    assert balances.sod is not None
    assert balances.sod.equity == 100_000


async def test_the_days_result_of_2026_04_goes_by_its_older_name(api: ScriptedApi, trading: Trading):
    data = {"account_id": str(ACCOUNT), "daily_total_pnl": "1250.00", "buying_power": "1e9", "sod": "rubbish"}
    api.script(f"GET /v1/accounts/{ACCOUNT}/balances", envelope(data))

    balances = await trading.balances(KEY, ACCOUNT)

    assert (balances.account_id, balances.daily_pnl) == (ACCOUNT, Decimal("1250.00"))
    # What is no plain decimal number is not known.
    assert (balances.buying_power, balances.equity, balances.sod) == (None, None, None)


async def test_positions_are_read_to_the_last_page(api: ScriptedApi, trading: Trading):
    data = literal("openapi", "get_positions.200.LongAndShortPositions")["data"]
    path = f"/v1/accounts/{ACCOUNT}/positions"
    api.script(f"GET {path}", envelope(data[:2], next_page_token="dG9rZW4="), envelope(data[2:]))

    apple, tesla, option = await trading.positions(KEY, ACCOUNT)

    assert (apple.quantity, tesla.quantity) == (Decimal(100), Decimal(-50))
    assert tesla.position_type is PositionType.SHORT
    assert (option.instrument_type, option.avg_price) == (InstrumentType.OPTION, Decimal("2.50"))
    assert [heard.query for heard in api.heard] == [{"page_size": "1000"}, {"page_token": "dG9rZW4="}]


async def test_orders_are_looked_up_by_either_id(api: ScriptedApi, trading: Trading):
    data = literal("openapi", "get_orders.200.ListOfOrders")["data"]
    api.script(f"GET {ORDERS}", envelope(data))
    ids = [data[0]["client_order_id"], data[1]["id"]]

    partial, filled = await trading.list_orders(KEY, ACCOUNT, order_ids=ids)

    assert api.heard[0].query == {"order_ids": ",".join(ids), "page_size": "1000"}
    assert (partial.filled, partial.leaves_quantity) == (Decimal(5), Decimal(5))
    assert partial.status is OrderStatus.PARTIALLY_FILLED
    assert (partial.over, filled.over) == (False, True)
    assert (filled.side, filled.average_fill_price, filled.limit_price) == (Side.SELL, Decimal("50.03"), None)
    assert filled.created_at == datetime(2025, 10, 31, 14, tzinfo=UTC)
    with pytest.raises(ValueError, match="comma"):
        await trading.list_orders(KEY, ACCOUNT, order_ids=["a,b"])


async def test_orders_that_nobody_asked_for_are_not_taken_for_those_looked_up(
    api: ScriptedApi, trading: Trading, monkeypatch: pytest.MonkeyPatch
):
    """2026-04 does not know `order_ids`: an order in its answer need not be ours."""
    others = [{"id": str(number), "status": "NEW", "client_order_id": f"theirs-{number}"} for number in range(3)]
    api.script(f"GET {ORDERS}", envelope(others))

    assert await trading.list_orders(KEY, ACCOUNT, order_ids=["ours"]) == []
    assert [order.id for order in await trading.list_orders(KEY, ACCOUNT, order_ids=["theirs-1", "2"])] == ["1", "2"]

    # Where the list was cut, an order that is not in it may exist all the same.
    monkeypatch.setattr("omnibot.clearstreet.trading.MAX_ORDERS", 2)
    with pytest.raises(Incomplete):
        await trading.list_orders(KEY, ACCOUNT, order_ids=["ours"])
    assert await trading.list_orders(KEY, ACCOUNT, order_ids=["1"])

    # And what took the place of a replaced one may stand behind the cut.
    api.script(f"GET {ORDERS}", envelope([{**others[0], "status": "REPLACED"}, *others[1:]]))
    with pytest.raises(Incomplete):
        await trading.list_orders(KEY, ACCOUNT, order_ids=["theirs-0"])


async def test_a_days_orders_are_asked_for_in_utc(api: ScriptedApi, trading: Trading):
    api.script(f"GET {ORDERS}", envelope([]))
    morning = datetime(2026, 11, 20, 9, 30, tzinfo=timezone(timedelta(hours=-5)))

    await trading.list_orders(KEY, ACCOUNT, since=morning, until=morning, symbol="BRK.B")

    moment = "2026-11-20T14:30:00.000000Z"
    assert api.heard[0].query == {"from": moment, "to": moment, "symbol": "BRK.B", "page_size": "1000"}
    with pytest.raises(ValueError, match="time zone"):
        await trading.list_orders(KEY, ACCOUNT, since=datetime(2026, 11, 20))  # noqa: DTZ001  # that is the mistake


@pytest.mark.parametrize(
    ("revision", "asked"),
    [
        ("2026-04", {"NEW", "PENDING_NEW", "PARTIALLY_FILLED"}),
        ("2026-08", {"NEW", "PENDING_NEW", "PARTIALLY_FILLED"}),
        ("2026-10", {"NEW", "QUEUED", "PENDING_TRIGGER"}),
    ],
)
async def test_open_orders_are_filtered_by_words_the_revision_knows(api: ScriptedApi, revision, asked):
    api.script(f"GET {ORDERS}", envelope([{"id": "1", "status": "NEW"}, {"id": "2", "status": "FILLED"}]))
    transport = Transport(base_url=api.base_url, revision=revision)

    found = await Trading(transport).open_orders(KEY, ACCOUNT)
    await transport.close()

    assert [order.id for order in found] == ["1"]
    status = api.heard[0].query.get("status")
    assert status is not None
    assert asked <= set(status.split(","))
    assert not {"FILLED", "REPLACED"} & set(status.split(","))
    assert ("QUEUED" in status) == (revision == "2026-10")


async def test_which_orders_are_open_is_not_known_while_the_revision_is_not(api: ScriptedApi, trading: Trading):
    with pytest.raises(Incomplete, match="revision"):
        await trading.open_orders(KEY, ACCOUNT)
    assert api.heard == []


async def test_an_order_of_another_age_is_still_an_order(api: ScriptedApi, trading: Trading):
    data = {"id": "1", "status": "TELEPORTED", "quantity": "1e3", "side": 5, "order_type": "OTHER", "details": None}
    api.script(f"GET {ORDERS}/1", envelope({**data, "wormhole": True}))

    order = await trading.get_order(KEY, ACCOUNT, "1")

    assert isinstance(order.status, UnknownValue)
    assert (order.over, order.quantity, order.side, order.details) == (False, None, None, ())
    assert order.filled == 0
    assert order.raw["wormhole"] is True


@pytest.mark.parametrize("data", [None, {"id": "1"}, {"status": "NEW"}, [], {"id": 1, "status": "NEW"}])
async def test_an_order_without_id_or_status_is_malformed(api: ScriptedApi, trading: Trading, data):
    api.script(f"GET {ORDERS}/1", envelope(data))

    with pytest.raises(Malformed):
        await trading.get_order(KEY, ACCOUNT, "1")


async def test_an_order_is_submitted_as_it_was_stored(api: ScriptedApi, trading: Trading):
    api.script(f"POST {ORDERS}", published("submit_orders.200.FullSuccess"))

    [order] = await trading.submit_orders(KEY, ACCOUNT, [BODY])

    assert (order.status, order.client_order_id) == (OrderStatus.PENDING_NEW, "my-ref-id-20251003-001")
    assert api.heard[0].body == [BODY]
    for wrong in ([], [{**BODY, "id": None}], [{name: value for name, value in BODY.items() if name != "id"}]):
        with pytest.raises(ValueError, match="client id"):
            await trading.submit_orders(KEY, ACCOUNT, wrong)
    assert len(api.heard) == 1


async def test_an_order_is_replaced_and_canceled_by_its_id(api: ScriptedApi, trading: Trading):
    id, odd = "0195f6c7-4f64-7e3c-8b0a-1d8e4f5e6a7b", "a/b"
    api.script(f"PATCH {ORDERS}/{id}", published("replace_order.200.ReplacePending"))
    api.script(f"DELETE {ORDERS}/{odd}", published("cancel_open_order.200.CancelPending"))

    replacing = await trading.replace_order(KEY, ACCOUNT, id, {"limit_price": "49.00"})
    canceling = await trading.cancel_order(KEY, ACCOUNT, odd)

    assert (replacing.status, replacing.limit_price) == (OrderStatus.PENDING_REPLACE, Decimal("49.00"))
    assert canceling.status is OrderStatus.PENDING_CANCEL
    assert [heard.body for heard in api.heard] == [{"limit_price": "49.00"}, None]


@pytest.mark.parametrize("trouble", [Say(drop=True), Say(status=503), refusal(429, retry_after="0"), Say(silence=1)])
async def test_no_order_call_is_ever_sent_twice(api: ScriptedApi, trading: Trading, trouble):
    for endpoint in (f"POST {ORDERS}", f"PATCH {ORDERS}/1", f"DELETE {ORDERS}/1"):
        api.script(endpoint, trouble)

    outcomes = await asyncio.gather(
        trading.submit_orders(KEY, ACCOUNT, [BODY]),
        trading.replace_order(KEY, ACCOUNT, "1", {"quantity": "2"}),
        trading.cancel_order(KEY, ACCOUNT, "1"),
        return_exceptions=True,
    )

    assert [isinstance(outcome, Unavailable | RateLimited) for outcome in outcomes] == [True] * 3
    assert sorted(heard.method for heard in api.heard) == ["DELETE", "PATCH", "POST"]


async def test_reads_are_tried_again(api: ScriptedApi, trading: Trading):
    api.script(f"GET {ORDERS}", Say(drop=True), Say(status=502), envelope([]))

    assert await trading.list_orders(KEY, ACCOUNT, order_ids=["ours"]) == []
    assert len(api.heard) == 3


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (400, Invalid, "Clear Street did not accept the order."),
        (422, Invalid, "Clear Street did not accept the order."),
        (404, NotFound, "Clear Street knows no such order, or it is over."),
        (409, Conflict, "Clear Street has an order with this id already."),
        (500, Unavailable, "Clear Street is not answering right now."),
    ],
)
async def test_errors_speak_of_orders_and_carry_the_request_id(
    api: ScriptedApi, trading: Trading, status, kind, sentence
):
    api.script(f"POST {ORDERS}", refusal(status, "said by the API"))

    with pytest.raises(kind) as caught:
        await trading.submit_orders(KEY, ACCOUNT, [BODY])

    assert str(caught.value) == sentence
    assert (caught.value.request_id, caught.value.api_message) == (REQUEST_ID, "said by the API")


async def test_a_refused_order_says_why_in_codes(api: ScriptedApi, trading: Trading):
    api.script(f"POST {ORDERS}", Say(literal("openapi", "submit_orders.400.NoBuyingPower"), 400))

    with pytest.raises(Invalid) as caught:
        await trading.submit_orders(KEY, ACCOUNT, [BODY])

    [reason] = read_reasons(caught.value.details)
    assert (reason.code, reason.metadata["available"]) == ("BUYING_POWER", "11004.5000")


@pytest.mark.parametrize(
    ("details", "codes"),
    [
        (None, []),
        ("words", []),
        ([None, 5, {}, {"type": 5}, {"type": "A", "metadata": [], "description": None}], ["A"]),
        ({"reason": "B", "metadata": {"n": 1}}, ["B"]),
        ([{"reason": "B"}, {"type": "A"}, {"type": "B", "description": "words"}], ["B", "A"]),
    ],
)
def test_reasons_are_read_from_whatever_comes(details, codes):
    assert [reason.code for reason in read_reasons(details)] == codes


async def test_the_revision_of_a_base_url_is_shared_with_omni(api: ScriptedApi, trading: Trading, transport: Transport):
    api.script(f"GET {ORDERS}", envelope([]))
    transport.revision.saw_entitlement_status(200, 0.0)

    await trading.open_orders(KEY, ACCOUNT)

    assert transport.revision.revision(0.0) is Revision.V2026_10
    assert "QUEUED" in api.heard[0].query["status"]
