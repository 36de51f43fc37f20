"""Our client against the emulator: markets, holdings and orders in every revision."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.faults import Point

from omnibot.clearstreet.bodies import thread_body
from omnibot.clearstreet.market import MarketData
from omnibot.clearstreet.models import (
    InstrumentType,
    MarketSession,
    ModifyOrder,
    NewOrder,
    OpenScreener,
    Order,
    OrderStatus,
    OrderType,
    PositionEffect,
    PrefillCancel,
    PrefillModify,
    PrefillNew,
    Side,
    StructuredActionPart,
    TimeInForce,
    read_option,
    read_reasons,
)
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.order_bodies import OrderFields, Replacement, order_body, replace_body
from omnibot.clearstreet.revision import Revision
from omnibot.clearstreet.screener_requests import screener_body, screening
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.errors import Conflict, Invalid, NotFound, Unavailable

KEY, ACCOUNT = "demo-key", 19816
ORDER = OrderFields(
    client_order_id="ours",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Decimal(10),
    time_in_force=TimeInForce.DAY,
    symbol="AAPL",
    limit_price=Decimal("250.00"),
)


@pytest.fixture(params=["2026-04", "2026-08", "2026-10"])
async def emulator(request: pytest.FixtureRequest) -> AsyncIterator[ClearStreetEmulator]:
    one = ClearStreetEmulator(revision=request.param, pace=0)
    one.market.wandering = False
    await one.start()
    yield one
    await one.close()


@pytest.fixture
async def transport(emulator: ClearStreetEmulator) -> AsyncIterator[Transport]:
    one = Transport(base_url=emulator.base_url, revision=emulator.revision, rate=1000)
    yield one
    await one.close()


@pytest.fixture
def trading(transport: Transport) -> Trading:
    return Trading(transport)


@pytest.fixture
def markets(transport: Transport) -> MarketData:
    return MarketData(transport)


@pytest.fixture
def place(emulator: ClearStreetEmulator, trading: Trading) -> Callable[..., Awaitable[Order]]:
    async def submit(order: OrderFields = ORDER) -> Order:
        [placed] = await trading.submit_orders(KEY, ACCOUNT, [order_body(order, Revision(emulator.revision))])
        return placed

    return submit


async def actions(transport: Transport, question: str) -> list[object]:
    """The structured actions of the answer."""
    omni = Omni(transport)
    created = await omni.create_thread(KEY, ACCOUNT, thread_body(ACCOUNT, text=question), idempotency_key=None)
    response = await omni.get_response(KEY, ACCOUNT, created.response_id)
    assert response.terminal
    return [part.action for part in response.parts if isinstance(part, StructuredActionPart)]


async def test_market_data(emulator: ClearStreetEmulator, markets: MarketData):
    apple, call = await markets.snapshots(KEY, ["AAPL", "AAPL  280121C00300000"])
    newest = emulator.revision == "2026-10"

    assert (apple.last, apple.bid, apple.ask) == (Decimal("271.06"), Decimal("271.05"), Decimal("271.07"))
    assert apple.last_quote is not None
    assert (apple.last_quote.timestamp is not None) == newest
    assert apple.short_sale_restricted is (False if newest else None)
    assert call.greeks is not None
    assert read_option(call.symbol) == read_option("AAPL280121C00300000")
    emulator.market.set("null")
    [nothing] = await markets.snapshots(KEY, ["AAPL"])
    assert (nothing.last, nothing.bid, nothing.volume) == (None, None, None)


async def test_clock_and_hours(emulator: ClearStreetEmulator, markets: MarketData):
    emulator.market.phase = "after_hours"
    clock = await markets.clock(KEY)
    equities, options = await markets.market_hours(KEY)

    assert clock.clock is not None
    assert equities.status is not None
    assert equities.status.current_session is MarketSession.AFTER_HOURS
    assert options.status is not None
    assert options.status.is_open is False


async def test_holdings(trading: Trading):
    balances = await trading.balances(KEY, ACCOUNT)
    positions = {position.symbol: position for position in await trading.positions(KEY, ACCOUNT)}

    assert balances.buying_power is not None
    assert balances.daily_pnl is not None
    assert positions["AMD"].quantity == -60
    assert positions["AAPL280121C00300000"].instrument_type is InstrumentType.OPTION
    with pytest.raises(NotFound):
        await trading.balances(KEY, 404404)


async def test_an_order_from_submission_to_its_fill(emulator: ClearStreetEmulator, trading: Trading, place):
    emulator.order_plans["AAPL"] = "partial_then_fill"
    placed = await place()
    order = await trading.get_order(KEY, ACCOUNT, placed.id)

    assert (placed.status, placed.client_order_id) == (OrderStatus.PENDING_NEW, "ours")
    assert (order.status, order.filled, order.over) == (OrderStatus.FILLED, Decimal(10), True)
    with pytest.raises(NotFound) as caught:
        await trading.get_order(KEY, ACCOUNT, "ours")
    assert caught.value.request_id
    assert await trading.list_orders(KEY, ACCOUNT, order_ids=["ours"]) == [order]
    assert await trading.open_orders(KEY, ACCOUNT) == []


async def test_an_unknown_outcome_is_looked_up(emulator: ClearStreetEmulator, trading: Trading, place):
    gate, endpoint = emulator.gate, "POST /v1/accounts/{account_id}/orders"
    outcomes: list[tuple[Point, list[str]]] = [("before", []), ("after", ["ours"])]
    for point, found in outcomes:
        gate.drop(endpoint, point)
        with pytest.raises(Unavailable):
            await place()

        orders = await trading.list_orders(KEY, ACCOUNT, order_ids=["ours"])
        assert [order.client_order_id for order in orders] == found
    with pytest.raises(Conflict) as caught:
        await place()
    assert caught.value.request_id
    assert [call.name for call in emulator.calls].count(endpoint) == 3


async def test_an_order_is_replaced_and_then_canceled(emulator: ClearStreetEmulator, trading: Trading, place):
    placed = await place()
    await trading.get_order(KEY, ACCOUNT, placed.id)
    change = replace_body(Replacement(limit_price=Decimal("251.00")))

    replacing = await trading.replace_order(KEY, ACCOUNT, placed.id, change)
    before, now = await trading.list_orders(KEY, ACCOUNT, order_ids=["ours"])
    canceling = await trading.cancel_order(KEY, ACCOUNT, now.id)
    gone = await trading.get_order(KEY, ACCOUNT, now.id)

    assert (replacing.status, replacing.id) == (OrderStatus.PENDING_REPLACE, placed.id)
    assert (before.status, now.limit_price) == (OrderStatus.REPLACED, Decimal("251.00"))
    assert (canceling.status, gone.status) == (OrderStatus.PENDING_CANCEL, OrderStatus.CANCELED)
    for call in (trading.cancel_order(KEY, ACCOUNT, now.id), trading.replace_order(KEY, ACCOUNT, "nobody", change)):
        with pytest.raises(NotFound):
            await call


async def test_a_refusal_names_its_reason(place):
    with pytest.raises(Invalid) as caught:
        await place(replace(ORDER, quantity=Decimal(100_000)))

    [reason] = read_reasons(caught.value.details)
    assert (reason.code, reason.metadata["symbol"]) == ("BUYING_POWER", "AAPL")


@pytest.mark.parametrize(
    "question", ["Buy 2 AAPL calls", "Short 20 TSLA at $420", "Buy 10 MSFT and sell 5 AAPL", "every order type"]
)
async def test_what_omni_proposes_can_be_placed(
    emulator: ClearStreetEmulator, transport: Transport, trading: Trading, question
):
    emulator.order_plans["*"] = "never"
    [proposal] = await actions(transport, question)
    assert isinstance(proposal, PrefillNew)
    revision = Revision(emulator.revision)

    for number, order in enumerate(proposal.orders):
        assert order.unknown_fields == ()
        body = order_body(wanted(order, f"ticket-{number}"), revision)
        [placed] = await trading.submit_orders(KEY, ACCOUNT, [body])
        assert placed.symbol == order.symbol


async def test_what_omni_proposes_about_open_orders_names_them(
    emulator: ClearStreetEmulator, transport: Transport, place
):
    emulator.order_plans["*"] = "never"
    placed = await place()
    [cancel] = await actions(transport, "cancel my AAPL order")
    [change] = await actions(transport, "change my AAPL order")

    assert isinstance(cancel, PrefillCancel)
    assert [(one.account_id, one.order_id) for one in cancel.orders] == [(ACCOUNT, placed.id)]
    if emulator.revision == "2026-04":
        assert isinstance(change, PrefillCancel)
    else:
        assert isinstance(change, PrefillModify)
        assert change.orders == (ModifyOrder(ACCOUNT, placed.id, limit_price=Decimal("251.25")),)


@pytest.mark.parametrize(("question", "left_out"), [("Screen for large tech stocks", 0), ("Screen for good vibes", 2)])
async def test_the_screener_omni_asks_for_can_be_run(
    emulator: ClearStreetEmulator, transport: Transport, markets: MarketData, question, left_out
):
    [action] = await actions(transport, question)
    assert isinstance(action, OpenScreener)
    if emulator.revision != "2026-10":
        with pytest.raises(NotFound):
            await markets.screener_catalog(KEY)
        without = screener_body(screening(action, None))
        if emulator.revision == "2026-04":
            with pytest.raises(NotFound):
                await markets.run_screener(KEY, without)
        elif left_out:  # nobody could know that before asking
            with pytest.raises(Invalid):
                await markets.run_screener(KEY, without)
        else:
            assert (await markets.run_screener(KEY, without)).rows
        return
    wanted = screening(action, await markets.screener_catalog(KEY))
    body = screener_body(wanted, page_size=3)
    first = await markets.run_screener(KEY, body)
    second = await markets.run_screener(KEY, body, page_token=first.next_page_token)

    assert len(wanted.left_out) == left_out
    symbols = [row[0].value for row in first.rows + second.rows]
    assert (len(first.rows), len(set(symbols))) == (3, len(symbols))
    assert first.rows[0][-1].field.name in ("consensus_rating", "price")


def wanted(order: NewOrder, client_order_id: str) -> OrderFields:
    """A proposal as a trading desk would place it; everything in these proposals is understood."""
    names = ("symbol", "limit_price", "stop_price", "limit_offset", "trailing_offset", "trailing_offset_type")
    more = ("expires_at", "extended_hours", "instrument_type", "position_effect", "strategy")
    given: dict[str, Any] = {
        name: getattr(order, name) for name in (*names, *more, "order_type", "quantity", "time_in_force")
    }
    short = order.side is Side.SELL and order.position_effect is PositionEffect.OPEN
    return OrderFields(client_order_id=client_order_id, side=Side.SELL_SHORT if short else Side(order.side), **given)
