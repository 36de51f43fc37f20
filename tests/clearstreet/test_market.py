"""Market data over a raw socket: every price may be missing, and a search is a question however it is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from omnibot.clearstreet.market import MAX_SNAPSHOTS, MarketData
from omnibot.clearstreet.models import (
    DayType,
    FieldRef,
    LastTrade,
    MarketSession,
    MarketType,
    OptionRight,
    Quote,
    read_option,
)
from omnibot.clearstreet.transport import Transport
from omnibot.errors import Malformed, NotFound, Unavailable
from sandbox.tests.contracts.published import literal
from tests.clearstreet.conftest import KEY, Say, ScriptedApi, envelope, refusal

SNAPSHOT, SCREENER = "GET /v1/market-data/snapshot", "POST /v1/screener"
CATALOG = {
    "default_response_fields": ["symbol", "change_pct_1w", 5],
    "enums": {},
    "fields": {
        "name": ["symbol", "change_pct", "odd"],
        "display_name": ["Symbol", "Change", None],
        "description": ["", "over a window", ""],
        "kind": [1, 0, 9],
    },
    "kinds": [
        {
            "category": "PRICE",
            "format": "PERCENT",
            "value_type": "DECIMAL",
            "combinations": [{"lookback": "ONE_DAY"}, {"lookback": "ONE_WEEK"}],
            "default_combination": {"lookback": "ONE_DAY"},
        },
        {
            "category": "PROFILE",
            "format": "TEXT",
            "value_type": "STRING",
            "combinations": [{}],
            "default_combination": {},
        },
    ],
    "modifiers": [],
    "operators_by_value_type": {"DECIMAL": ["EQUAL", "BETWEEN"], "STRING": ["EQUAL"], "DATE": "rubbish"},
    "rules": {},
    "suffixes": {"ONE_DAY": "1d", "ONE_WEEK": "1w"},
    "variables": [{"name": "today"}, "rubbish"],
}


@pytest.fixture
def markets(transport: Transport) -> MarketData:
    return MarketData(transport)


class TestSnapshots:
    async def test_prices_are_exact_and_may_be_of_options(self, api: ScriptedApi, markets: MarketData):
        api.script(SNAPSHOT, Say(literal("openapi", "get_snapshots.200.Snapshots")))

        [apple] = await markets.snapshots(KEY, ["AAPL", "AAPL 250117C00190000"])

        assert api.heard[0].query == {"instrument_ids": "AAPL,AAPL 250117C00190000"}
        assert (apple.bid, apple.ask, apple.last) == (Decimal("210.10"), Decimal("210.14"), Decimal("210.12"))
        assert (apple.volume, apple.short_sale_restricted) == (12345678, None)

    @pytest.mark.parametrize(
        "nothing",
        [
            {},
            {"last_quote": None, "last_trade": None, "session": None, "cumulative_volume": None},
            {"last_quote": "rubbish", "last_trade": [], "session": 5, "short_sale_restricted": "maybe"},
            {
                "last_quote": {"bid": None, "ask": "n/a", "bid_size": "5"},
                "last_trade": {"price": None},
                "session": {"previous_close": None, "cumulative_volume": 1.5},
            },
        ],
    )
    async def test_everything_may_be_missing(self, api: ScriptedApi, markets: MarketData, nothing):
        api.script(SNAPSHOT, envelope([{"instrument_id": "i", "symbol": "AAPL", **nothing}]))

        [row] = await markets.snapshots(KEY, ["AAPL"])

        assert (row.bid, row.ask, row.last, row.volume, row.short_sale_restricted) == (None,) * 5

    async def test_the_newest_revision_says_when(self, api: ScriptedApi, markets: MarketData):
        quote = {"bid": "1.00", "ask": "1.02", "bid_timestamp": "2026-11-20T15:00:05Z"}
        session = {"ohlv_applicable": True, "high": "1.10", "low": "0.90", "cumulative_volume": 7}
        row = {"instrument_id": "i", "symbol": "X", "session": session, "cumulative_volume": 6}
        later = {**quote, "ask_timestamp": "2026-11-20T15:00:09Z"}
        api.script(
            SNAPSHOT,
            envelope([{**row, "last_quote": later, "short_sale_restricted": False}, {**row, "last_quote": quote}]),
        )

        known, half = await markets.snapshots(KEY, ["X", "Y"])

        assert known.last_quote is not None
        assert known.last_quote.timestamp == datetime(2026, 11, 20, 15, 0, 5, tzinfo=UTC)
        assert (known.volume, known.short_sale_restricted) == (7, False)
        assert known.session is not None
        assert (known.session.high, known.session.low) == (Decimal("1.10"), Decimal("0.90"))
        # A quote is as old as its older side, and of unknown age when one side does not say.
        assert half.last_quote is not None
        assert half.last_quote.timestamp is None

    def test_the_age_of_a_one_sided_quote_is_that_of_its_side(self):
        moment = datetime(2026, 11, 20, tzinfo=UTC)

        assert Quote(bid=Decimal(1), bid_timestamp=moment).timestamp == moment
        assert Quote(bid_timestamp=moment).timestamp is None
        assert LastTrade().price is None

    async def test_asking_for_nothing_calls_nobody_and_for_too_much_is_a_mistake(
        self, api: ScriptedApi, markets: MarketData
    ):
        assert await markets.snapshots(KEY, []) == []
        for wrong in (["AAPL"] * (MAX_SNAPSHOTS + 1), ["AAPL,TSLA"]):
            with pytest.raises(ValueError, match="at most 100"):
                await markets.snapshots(KEY, wrong)
        assert not api.heard

    async def test_an_instrument_that_does_not_exist_is_not_found(self, api: ScriptedApi, markets: MarketData):
        api.script(SNAPSHOT, Say(literal("openapi", "get_snapshots.404.InstrumentNotFoundById"), 404))

        with pytest.raises(NotFound) as caught:
            await markets.snapshots(KEY, ["NOPE"])
        assert caught.value.request_id


class TestScreener:
    async def test_rows_are_exact_and_pages_follow_one_another(self, api: ScriptedApi, markets: MarketData):
        api.script(SCREENER, Say(literal("openapi", "search_screener.200.TwoResults")), envelope([]))
        body = {"filters": [], "page_size": 2}

        first = await markets.run_screener(KEY, body)
        last = await markets.run_screener(KEY, body, page_token=first.next_page_token)

        price, change = first.rows[0][1], first.rows[1][4]
        assert (price.value, price.type) == (Decimal("175.05"), "CURR_USD")
        assert (change.field, change.value) == (FieldRef("change_pct", "ONE_WEEK"), Decimal("-0.85"))
        assert (last.rows, last.next_page_token) == ((), None)
        assert [heard.body for heard in api.heard] == [
            body,
            {"filters": [], "page_token": "AAAAAAAAAAoAAAAAAAAAAg"},
        ]

    async def test_odd_cells_are_gaps(self, api: ScriptedApi, markets: MarketData):
        odd: list[Any] = [None, True, [], {}, 1e300, "text"]
        cells = [{"field": {"name": "x"}, "name": "X", "value": value} for value in odd]
        api.script(SCREENER, envelope([cells]))

        page = await markets.run_screener(KEY, {})

        assert [cell.value for cell in page.rows[0]] == [None, None, None, None, Decimal("1e+300"), "text"]

    async def test_a_search_is_a_question_and_is_asked_again(self, api: ScriptedApi, markets: MarketData):
        api.script(SCREENER, Say(drop=True), Say(status=503), envelope([]))

        assert (await markets.run_screener(KEY, {})).rows == ()
        assert len(api.heard) == 3

    async def test_only_a_post_can_be_a_question(self, api: ScriptedApi, transport: Transport):
        for method in ("PATCH", "DELETE"):
            api.script(f"{method} /v1/screener", Say(status=503))
            with pytest.raises(Unavailable):
                await transport.call(method, "/v1/screener", key=KEY, only_asks=True)
        assert len(api.heard) == 2

    async def test_the_catalog_is_a_list_of_fields(self, api: ScriptedApi, markets: MarketData):
        api.script("GET /v1/screener/catalog", envelope(CATALOG))

        catalog = await markets.screener_catalog(KEY)
        change, odd = catalog.find("change_pct"), catalog.find("odd")

        assert change is not None
        assert (change.display_name, change.format, change.value_type) == ("Change", "PERCENT", "DECIMAL")
        assert [one.lookback for one in change.combinations] == ["ONE_DAY", "ONE_WEEK"]
        assert change.default_combination.lookback == "ONE_DAY"
        assert (catalog.operators("change_pct"), catalog.operators("nothing")) == (("EQUAL", "BETWEEN"), ())
        assert odd is not None
        assert (odd.display_name, odd.value_type, catalog.operators("odd")) == ("odd", "", ())
        assert (catalog.default_response_fields, catalog.variables) == (("symbol", "change_pct_1w"), ("today",))

    @pytest.mark.parametrize(
        "data", [None, {}, {**CATALOG, "fields": []}, {**CATALOG, "kinds": [5]}, {**CATALOG, "fields": {}}]
    )
    async def test_what_is_no_catalog_is_malformed(self, api: ScriptedApi, markets: MarketData, data: Any):
        api.script("GET /v1/screener/catalog", envelope(data))

        with pytest.raises(Malformed):
            await markets.screener_catalog(KEY)

    async def test_before_2026_10_there_is_no_catalog(self, api: ScriptedApi, markets: MarketData):
        api.script("GET /v1/screener/catalog", refusal(404))

        with pytest.raises(NotFound):
            await markets.screener_catalog(KEY)


class TestCalendar:
    async def test_the_servers_time(self, api: ScriptedApi, markets: MarketData):
        api.script("GET /v1/clock", Say(literal("openapi", "get_clock.200.CurrentTime")), envelope({"clock": "noon"}))

        assert (await markets.clock(KEY)).clock == datetime(2025, 3, 1, 3, 35, tzinfo=UTC)
        assert (await markets.clock(KEY)).clock is None

    @pytest.mark.parametrize(
        ("name", "is_open", "session", "day"),
        [
            ("RegularTradingDay", True, MarketSession.REGULAR, DayType.TRADING_DAY),
            ("EarlyClose", True, MarketSession.REGULAR, DayType.EARLY_CLOSE),
            ("Holiday", False, None, DayType.HOLIDAY),
            ("Weekend", False, None, DayType.WEEKEND),
        ],
    )
    async def test_market_hours(self, api: ScriptedApi, markets: MarketData, name, is_open, session, day):
        api.script("GET /v1/calendars/market-hours", Say(literal("openapi", f"get_market_hours_calendar.200.{name}")))

        [hours] = await markets.market_hours(KEY, day=date(2025, 10, 15), market_type=MarketType.US_EQUITIES)

        assert api.heard[0].query == {"date": "2025-10-15", "market": "us_equities"}
        assert hours.status is not None
        assert (hours.status.is_open, hours.status.current_session, hours.status.day_type) == (is_open, session, day)
        assert hours.today_sessions is not None
        assert (hours.today_sessions.regular is not None) == is_open
        assert hours.next_sessions is not None
        assert hours.next_sessions.regular is not None
        assert hours.next_sessions.regular.open is not None
        assert hours.next_sessions.regular.open.utcoffset() is not None

    async def test_unreadable_hours_are_not_taken_for_open(self, api: ScriptedApi, markets: MarketData):
        odd = {"market": "mars", "status": {"is_open": "yes", "current_session": "siesta"}, "today_sessions": None}
        api.script("GET /v1/calendars/market-hours", envelope([odd]))

        [hours] = await markets.market_hours(KEY)

        assert hours.status is not None
        assert (hours.status.is_open, hours.status.current_session, hours.today_sessions) == (None, "siesta", None)
        assert api.heard[0].query == {}


@pytest.mark.parametrize(
    "symbol", ["AAPL250117C00190500", "AAPL 250117C00190500", "AAPL  250117C00190500", "aapl250117c00190500"]
)
def test_an_option_symbol_is_read_however_it_is_spaced(symbol):
    option = read_option(symbol)

    assert option is not None
    assert (option.root, option.expiry, option.right) == ("AAPL", date(2025, 1, 17), OptionRight.CALL)
    assert (option.strike, option.symbol, option.adjusted) == (Decimal("190.5"), "AAPL  250117C00190500", False)


@pytest.mark.parametrize(
    "symbol", [None, "", "AAPL", "AAPL 251399C00190000", "AAPL 250117X00190000", "TOOLONGX250117C00190000"]
)
def test_what_is_no_option_symbol_is_none(symbol):
    assert read_option(symbol) is None


def test_an_adjusted_option_is_known_by_the_digit_at_the_end_of_its_root():
    option = read_option("AAPL1 250117P00190000")

    assert option is not None
    assert (option.root, option.right, option.adjusted) == ("AAPL1", OptionRight.PUT, True)
