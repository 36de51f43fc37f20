"""Market data, clock and calendar: prices that move as told, feeds that fail, and a day laid around its phase."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from omnibot_sandbox.clearstreet.market import Market

from sandbox.tests.clearstreet.conftest import new, old

PATH = "/market-data/snapshot"
any_one = pytest.mark.parametrize("revision", ["2026-08"])


async def snapshot(call, symbol="AAPL"):
    status, answer = await call("GET", PATH, instrument_ids=symbol)
    assert status == 200, answer
    [row] = answer["data"]
    return row


class TestSnapshots:
    async def test_a_snapshot_has_a_quote_around_its_trade_and_the_day_so_far(self, call, revision):
        row = await snapshot(call)
        quote, session = row["last_quote"], row["session"]
        bid, ask, last = Decimal(quote["bid"]), Decimal(quote["ask"]), Decimal(row["last_trade"]["price"])

        assert (row["symbol"], row["name"]) == ("AAPL", "Apple Inc.")
        assert bid < last < ask
        assert Decimal(session["change"]) == last - Decimal(session["previous_close"])
        assert ("bid_timestamp" in quote) == ("high" in session) == (revision == "2026-10")
        if revision == "2026-10":
            assert Decimal(session["low"]) <= last <= Decimal(session["high"])

    @any_one
    async def test_instruments_are_named_by_symbol_id_or_osi_symbol_and_come_once(self, call):
        apple = await snapshot(call)
        names = ["aapl", apple["instrument_id"], "AAPL  280121C00300000", "AAPL280121C00300000", "SPX"]

        _, answer = await call("GET", PATH, instrument_ids=",".join(names))

        assert [row["symbol"] for row in answer["data"]] == ["AAPL", "AAPL 280121C00300000", "SPX"]
        option, index = answer["data"][1:]
        assert 0 < float(option["greeks"]["delta"]) < 1
        assert (index["last_trade"]["size"], index.get("last_quote")) == (0, None)

    @any_one
    async def test_what_is_asked_wrongly_is_refused(self, call):
        status, answer = await call("GET", PATH)
        assert (status, answer["error"]["message"]) == (400, "At least one instrument_id is required")
        assert (await call("GET", PATH, instrument_ids=",".join(["AAPL"] * 101)))[0] == 400
        status, answer = await call("GET", PATH, instrument_ids="AAPL,NOPE")
        assert (status, answer["error"]["message"]) == (404, "Instrument not found for id `NOPE`")
        assert (await call("GET", PATH, instrument_ids="AAPL 289999C00300000"))[0] == 404

    async def test_the_feed_may_know_nothing(self, call, omni, revision):
        omni.market.set("null", "AAPL")
        row = await snapshot(call)

        assert [row.get(name) for name in ("last_quote", "last_trade", "cumulative_volume")] == [None, None, None]
        session = row.get("session")
        assert session is None or {value for name, value in session.items() if name != "ohlv_applicable"} == {None}
        assert (session is None) == (revision != "2026-10")
        assert (await snapshot(call, "AAPL 280121C00300000")).get("last_quote") is None
        assert (await snapshot(call, "MSFT"))["last_quote"]

    async def test_a_quote_may_lack_a_side(self, call, omni, revision):
        omni.market.set("one_sided")
        quote = (await snapshot(call)).get("last_quote")

        if revision == "2026-04":
            assert quote is None
        else:
            assert quote["bid"]
            assert (quote.get("ask"), quote.get("midpoint")) == (None, None)

    @new
    async def test_a_stale_quote_is_as_old_as_told_and_stands_still(self, call, omni):
        omni.market.set("stale", "AAPL", age=900)
        row = await snapshot(call)
        omni.market.move("AAPL", "1.00")

        assert datetime.now(UTC) - datetime.fromisoformat(row["last_quote"]["bid_timestamp"]) > timedelta(seconds=899)
        assert (await snapshot(call))["last_trade"]["price"] == row["last_trade"]["price"]
        omni.market.set("live", "AAPL")
        assert (await snapshot(call))["last_trade"]["price"] == "1.00"

    @new
    async def test_a_halted_symbol_has_an_old_trade_and_no_quote(self, call, omni):
        omni.market.set("halted", "GME")
        row = await snapshot(call, "GME")

        assert (row["last_quote"], row["short_sale_restricted"]) == (None, True)
        assert row["last_trade"]["price"]
        assert omni.market.conditions == {"GME": "halted"}

    @new
    async def test_nobody_knowing_about_short_sales_is_null(self, call):
        assert (await snapshot(call, "AAPL"))["short_sale_restricted"] is False
        assert (await snapshot(call, "KO"))["short_sale_restricted"] is None


class TestPrices:
    @pytest.fixture
    def clock(self):
        return Clock()

    @pytest.fixture
    def market(self, clock):
        return Market(clock)

    def test_a_price_goes_where_it_is_moved_and_its_options_with_it(self, market):
        apple, call = (market.instruments.find(name) for name in ("AAPL", "AAPL 280121C00300000"))
        before = market.last(call)
        market.move("AAPL", "400.00")

        assert market.last(apple) == Decimal("400.00")
        assert market.last(call) > before
        market.reset()
        assert abs(market.last(apple) / Decimal("271.06") - 1) < Decimal("0.003")

    def test_a_ramp_takes_its_time_and_stays_where_it_ends(self, market, clock):
        market.wandering = False
        apple = market.instruments.find("AAPL")
        market.move("AAPL", "291.06", over=20)

        assert [market.last(apple) for clock.now in (0, 5, 20, 1000)] == [
            Decimal(price) for price in ("271.06", "276.06", "291.06", "291.06")
        ]

    def test_prices_wander_but_not_far(self, market, clock):
        for instrument in market.instruments.listed:
            moved = [market.last(instrument) for clock.now in range(0, 200, 7)]

            assert max(moved) - min(moved) < instrument.price * Decimal("0.0051")
            assert len(set(moved)) > 1

    def test_a_frozen_market_stands_and_a_closed_one_does_too(self, market, clock):
        tesla = market.instruments.find("TSLA")
        clock.now = 20
        market.set("frozen")
        frozen = {market.last(tesla) for clock.now in range(20, 200, 7)}
        market.set("live")
        market.phase = "closed"
        closed = {market.last(tesla) for clock.now in range(20, 200, 7)}

        assert (len(frozen), closed) == (1, {tesla.price})

    def test_what_it_cannot_be_is_refused(self, market):
        with pytest.raises(ValueError, match="condition must be one of live"):
            market.set("melting")
        with pytest.raises(ValueError, match="phase must be one of open"):
            market.phase = "siesta"
        with pytest.raises(LookupError, match="NOPE"):
            market.move("NOPE", "1")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class TestCalendar:
    @any_one
    async def test_the_clock_is_right(self, call):
        _, answer = await call("GET", "/clock")

        assert answer["data"]["clock"].endswith("000Z")
        assert abs(datetime.fromisoformat(answer["data"]["clock"]) - datetime.now(UTC)) < timedelta(minutes=1)

    @pytest.mark.parametrize(
        ("phase", "part", "day_type"),
        [
            ("open", "regular", "TRADING_DAY"),
            ("early_close", "regular", "EARLY_CLOSE"),
            ("pre_market", "pre_market", "TRADING_DAY"),
            ("after_hours", "after_hours", "TRADING_DAY"),
            ("closed", None, "TRADING_DAY"),
            ("holiday", None, "HOLIDAY"),
            ("weekend", None, "WEEKEND"),
        ],
    )
    @any_one
    async def test_the_day_is_laid_around_its_phase(self, call, omni, phase, part, day_type):
        omni.market.phase = phase
        _, answer = await call("GET", "/calendars/market-hours", market="us_equities")
        [hours] = answer["data"]
        now, sessions = datetime.fromisoformat(hours["current_time"]), hours["today_sessions"]

        assert hours["status"] == {
            "is_open": part is not None,
            "day_type": day_type,
            **({"current_session": part} if part else {}),
        }
        around = [
            name
            for name, span in sessions.items()
            if datetime.fromisoformat(span["open"]) <= now < datetime.fromisoformat(span["close"])
        ]
        assert around == ([part] if part else [])
        assert ["time_until_close" in span for span in sessions.values()].count(True) == len(around)
        assert (sessions == {}) == (phase in ("holiday", "weekend"))

    async def test_the_night_is_a_session_in_the_newest_revision_only(self, call, omni, revision):
        omni.market.phase = "overnight"
        _, answer = await call("GET", "/calendars/market-hours")
        equities, options = answer["data"]

        assert equities["status"]["is_open"] == (revision == "2026-10")
        assert options["status"]["is_open"] is False
        assert ("overnight" in equities["today_sessions"]) == (revision == "2026-10")

    @any_one
    async def test_other_days_are_ordinary(self, call):
        _, weekend = await call("GET", "/calendars/market-hours", market="us_options", date="2025-10-18")
        _, weekday = await call("GET", "/calendars/market-hours", date="2025-10-15")

        assert weekend["data"][0]["status"] == {"is_open": False, "day_type": "WEEKEND"}
        assert weekend["data"][0]["next_sessions"]["regular"]["open"].startswith("2025-10-20T09:30:00")
        assert [one["market"] for one in weekday["data"]] == ["us_equities", "us_options"]
        assert weekday["data"][0]["today_sessions"]["regular"]["close"].startswith("2025-10-15T16:00:00")

    @old
    @pytest.mark.parametrize("query", [{"date": "tomorrow"}, {"market": "us_event_contracts"}])
    async def test_what_is_asked_wrongly_is_refused(self, call, query):
        assert (await call("GET", "/calendars/market-hours", **query))[0] == 400


@any_one
async def test_an_answer_agrees_with_itself_however_the_price_moves(call, omni):
    omni.market.move("SPY", "1000.00", over=2)
    for _ in range(20):
        row = await snapshot(call, "SPY")

        change, before = Decimal(row["session"]["change"]), Decimal(row["session"]["previous_close"])
        assert before + change == Decimal(row["last_trade"]["price"])
        assert Decimal(row["last_quote"]["bid"]) < before + change < Decimal(row["last_quote"]["ask"])
