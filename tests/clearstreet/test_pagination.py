"""A list that was cut is never taken for a whole one: only an absent token is its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from omnibot.clearstreet.market import MarketData
from omnibot.clearstreet.models import OpenScreener
from omnibot.clearstreet.models.orders import Order
from omnibot.clearstreet.trading import MAX_ORDERS, Trading
from omnibot.clearstreet.transport import Transport
from omnibot.errors import Incomplete, Unavailable
from omnibot.market_data.service import Markets
from tests.clearstreet.conftest import ACCOUNT, KEY, Heard, Say, ScriptedApi, envelope

ORDERS = f"GET /v1/accounts/{ACCOUNT}/orders"
POSITIONS = f"GET /v1/accounts/{ACCOUNT}/positions"
ACCOUNTS = "GET /v1/accounts"
ROW = [{"field": {"name": "symbol"}, "value": "AAPL"}]


@pytest.fixture(params=["2026-04", "2026-08", "2026-10"])
async def trading(request: pytest.FixtureRequest, api: ScriptedApi) -> AsyncIterator[Trading]:
    transport = Transport(base_url=api.base_url, revision=request.param, timeout=20, rate=10_000)
    yield Trading(transport)
    await transport.close()


def open_order(number: int) -> dict[str, Any]:
    return {"id": str(number), "client_order_id": f"client-{number}", "status": "NEW"}


def pages(*lists: list[Any]) -> Callable[[Heard], Say]:
    """A list of these pages, whatever the call asks for."""

    def role(heard: Heard) -> Say:
        number = int(heard.query.get("page_token", "0"))
        more = {"next_page_token": str(number + 1)} if number + 1 < len(lists) else {}
        return Say(envelope(lists[number], **more))

    return role


def endless(size: int) -> Callable[[Heard], Say]:
    """A list whose every page has a token of its own."""

    def role(heard: Heard) -> Say:
        number = int(heard.query.get("page_token", "0"))
        some = [open_order(one) for one in range(number * size, (number + 1) * size)]
        return Say(envelope(some, next_page_token=str(number + 1)))

    return role


async def test_an_empty_page_with_a_token_goes_on(api: ScriptedApi, trading: Trading):
    api.play(ORDERS, pages([open_order(1)], [], [], [open_order(2)]))

    assert [one.id for one in await trading.open_orders(KEY, ACCOUNT)] == ["1", "2"]
    [ours] = await trading.list_orders(KEY, ACCOUNT, order_ids=["client-2"])
    assert ours.id == "2"


async def test_more_open_orders_than_a_page_holds_are_all_read(api: ScriptedApi, trading: Trading):
    everything = [open_order(number) for number in range(1001)]
    api.play(ORDERS, pages(everything[:1000], everything[1000:]))

    assert len(await trading.open_orders(KEY, ACCOUNT)) == 1001


async def test_a_server_that_filters_nothing_is_read_to_the_end(api: ScriptedApi, trading: Trading):
    older = [{**open_order(number), "status": "FILLED"} for number in range(2000)]
    api.play(ORDERS, pages(older[:1000], older[1000:], [open_order(2000)]))

    assert [one.id for one in await trading.open_orders(KEY, ACCOUNT)] == ["2000"]
    assert [one.id for one in await trading.list_orders(KEY, ACCOUNT, order_ids=["client-2000"])] == ["2000"]


Read = Callable[[Trading], Awaitable[list[Order]]]
READS: dict[str, Read] = {
    "open": lambda trading: trading.open_orders(KEY, ACCOUNT),
    "all": lambda trading: trading.list_orders(KEY, ACCOUNT),
    "one": lambda trading: trading.list_orders(KEY, ACCOUNT, order_ids=["ours"]),
}


# The bound on orders does not hang on how one asks for them.
@pytest.mark.parametrize(("read", "size"), [*((read, size) for read in READS for size in (0, 1)), ("open", 1000)])
async def test_a_list_without_an_end_is_not_known(api: ScriptedApi, trading: Trading, size: int, read: str):
    api.play(ORDERS, endless(size))

    with pytest.raises(Incomplete):
        await READS[read](trading)
    assert len(api.heard) == (MAX_ORDERS // 1000 if size == 1000 else 200)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("page", [[], [open_order(1)]], ids=["empty", "the same"])
async def test_a_token_that_comes_again_is_no_end(api: ScriptedApi, trading: Trading, page: list[Any], read: str):
    api.script(ORDERS, envelope([open_order(1)], next_page_token="x"), envelope(page, next_page_token="x"))

    with pytest.raises(Incomplete):
        await READS[read](trading)
    assert len(api.heard) == 2


@pytest.mark.parametrize("read", READS)
async def test_a_page_that_fails_makes_the_list_unknown(api: ScriptedApi, trading: Trading, read: str):
    def role(heard: Heard) -> Say:
        return Say(status=500) if "page_token" in heard.query else Say(envelope([], next_page_token="x"))

    api.play(ORDERS, role)
    with pytest.raises(Unavailable):
        await READS[read](trading)


async def test_a_list_that_moves_while_it_is_read_is_not_known(api: ScriptedApi, trading: Trading):
    """What shows twice is counted twice, and something else may have been passed over."""
    apple, tesla = ({"symbol": symbol, "quantity": "100"} for symbol in ("AAPL", "TSLA"))
    api.play(POSITIONS, pages([apple, tesla], [tesla]))

    with pytest.raises(Incomplete):
        await trading.positions(KEY, ACCOUNT)


async def test_a_holding_behind_an_empty_page_is_a_holding(api: ScriptedApi, trading: Trading):
    api.play(POSITIONS, pages([], [{"symbol": "AAPL", "quantity": "-50"}]))

    [position] = await trading.positions(KEY, ACCOUNT)
    assert position.symbol == "AAPL"


async def test_accounts_behind_an_empty_page_are_accounts(api: ScriptedApi, trading: Trading):
    api.play(ACCOUNTS, pages([], [{"id": ACCOUNT, "status": "ACTIVE"}]))

    assert [account.id for account in await trading.accounts(KEY)] == [ACCOUNT]

    api.script(ACCOUNTS, envelope([], next_page_token="x"))
    with pytest.raises(Incomplete):
        await trading.accounts(KEY)


@pytest.mark.parametrize(
    ("answers", "rows", "more"),
    [
        ([envelope([], next_page_token="x"), envelope([ROW])], 1, False),
        ([envelope([ROW], next_page_token="x")], 2, True),
        ([envelope([ROW])], 1, False),
    ],
    ids=["an empty page with a token", "a token that comes again", "the end"],
)
async def test_a_screen_says_when_there_may_be_more(
    api: ScriptedApi, transport: Transport, answers: list[dict[str, Any]], rows: int, more: bool
):
    api.script("POST /v1/screener", *answers)

    market_card = await Markets(MarketData(transport)).screen(KEY, OpenScreener(()), patience=20)
    assert (len(market_card["rows"]), market_card["more"]) == (rows, more)
