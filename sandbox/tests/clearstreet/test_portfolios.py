"""Balances and positions, and what fills do to them."""

from decimal import Decimal

import pytest

from sandbox.tests.clearstreet.conftest import MAIN, OTHER, middle
from sandbox.tests.clearstreet.ordering import place, until


@pytest.fixture
def omni(omni):
    omni.market.wandering = False
    return omni


async def balances(call, account=MAIN, **query):
    status, answer = await call("GET", f"/accounts/{account}/balances", **query)
    assert status == 200, answer
    return answer["data"]


async def positions(call, account=MAIN, **query):
    status, answer = await call("GET", f"/accounts/{account}/positions", **query)
    assert status == 200, answer
    return {row["symbol"]: row for row in answer["data"]}


async def test_equity_is_cash_and_what_positions_are_worth(call, revision):
    money = await balances(call)
    held = await positions(call)
    worth = sum(Decimal(row["market_value"]) for row in held.values())

    assert Decimal(money["equity"]) == Decimal(money["trade_cash"]) + worth
    assert Decimal(money["buying_power"]) > 0
    assert ("daily_total_pnl" in money, "daily_pnl" in money) == (revision == "2026-04", revision != "2026-04")
    assert money["margin_type"] == "REG_T"


async def test_positions_are_long_and_short_and_of_options_too(call, revision):
    held = await positions(call)

    assert (held["AMD"]["position_type"], held["AMD"]["quantity"]) == ("SHORT", "-60")
    assert (held["NVDA"]["quantity"], held["AAPL280121C00300000"]["instrument_type"]) == ("85.5", "OPTION")
    assert held["AAPL280121C00300000"]["underlying_instrument_id"] == held["AAPL"]["instrument_id"]
    assert ("underlying_instrument_type" in held["AAPL"]) == (revision == "2026-10")


@middle
async def test_positions_are_filtered_sorted_and_paged(call):
    by_value = await positions(call, sort_by="MARKET_VALUE", sort_direction="DESC")
    _, page = await call("GET", f"/accounts/{MAIN}/positions", page_size=2)

    assert list(by_value)[-1] == "AMD"
    assert list(await positions(call, instrument_ids=by_value["MSFT"]["instrument_id"])) == ["MSFT"]
    assert (len(page["data"]), page["metadata"]["total_items"]) == (2, 5)
    assert (await call("GET", f"/accounts/{MAIN}/positions", sort_by="MOOD"))[0] == 400


@middle
async def test_a_fill_moves_cash_and_positions(call, omni):
    before = Decimal((await balances(call, OTHER))["trade_cash"])
    placed = await place(call, OTHER, symbol="KO", limit_price="80.00", quantity="100")
    path = f"/accounts/{OTHER}/orders/{placed['id']}"
    while (await call("GET", path))[1]["data"]["status"] != "FILLED":
        pass
    held = (await positions(call, OTHER))["KO"]

    assert (held["quantity"], held["avg_price"]) == ("100", "71.35")
    assert Decimal((await balances(call, OTHER))["trade_cash"]) == before - Decimal("7135.00")


@middle
async def test_selling_more_than_one_has_turns_the_position_around(call, omni):
    placed = await place(call, symbol="MSFT", side="SELL", limit_price="400.00", quantity="50")
    await until(call, placed["id"], "FILLED")
    held = (await positions(call))["MSFT"]

    assert (held["quantity"], held["position_type"], held["avg_price"]) == ("-10", "SHORT", "487.31")
    assert Decimal(held["daily_realized_pnl"]) == 40 * (Decimal("487.31") - Decimal("431.15"))


@middle
async def test_open_orders_tie_up_buying_power(call, omni):
    omni.order_plans["*"] = "never"
    before = Decimal((await balances(call))["buying_power"])
    await place(call, limit_price="200.00", quantity="10")
    after = await balances(call)

    assert Decimal(after["buying_power"]) == before - 2000
    assert after["open_order_adjustment"] == "-2000.00"


@middle
async def test_a_cash_account_has_no_margin_and_spends_its_cash(call, omni):
    omni.keys["demo-key"][-1] = {**omni.keys["demo-key"][-1], "subtype": "CASH"}
    money = await balances(call, OTHER)

    assert (money["margin_type"], money["buying_power"], "margin_details" in money) == ("NONE", "100000.00", False)


@middle
async def test_margin_contributors_come_when_asked_for(call):
    assert "top_contributors" not in (await balances(call))["margin_details"]
    asked = await balances(call, top_margin_contributors_limit=2)

    assert len(asked["margin_details"]["top_contributors"]) == 2


@middle
async def test_an_account_that_nobody_has_is_not_found_and_somebody_elses_is_forbidden(call):
    assert (await call("GET", "/accounts/404404/balances"))[0] == 404
    assert (await call("GET", "/accounts/20001/balances"))[0] == 403
    assert (await call("GET", "/accounts/20001/positions"))[0] == 403
