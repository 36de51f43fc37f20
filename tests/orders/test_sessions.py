"""Day caps are of the session in which an order would work, and a quote without a time needs an open market."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.faults import Refuse
from sqlalchemy import select, text

from omnibot.clearstreet.models.enums import DayType, MarketSession, MarketType
from omnibot.clearstreet.models.market import MarketHours, MarketStatus, SessionHours, TradingSessions
from omnibot.db.engine import Database, open_database
from omnibot.db.tables import reservations, trading_days
from omnibot.orders.model import ClickOutcome, ClickResult
from omnibot.orders.sessions import session_of
from omnibot.policy.order_rules import Rule
from tests.orders.harness import ANA, BUY, TEAM, Book, Safe, link, open_emulator, open_safe, rules

ONCE = {**BUY, "quantity": "200", "limit_price": "250.00"}
"""Worth 50,000: all that a session may be."""
EXTENDED = {**ONCE, "extended_hours": True}
MONDAY = "2025-11-24"
HOURS = "GET /v1/calendars/market-hours"


def new_york(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=ZoneInfo("America/New_York"))


@pytest.fixture
async def capped(database: Database, emulator: ClearStreetEmulator) -> AsyncIterator[Safe]:
    """An instance whose traders may do 50,000 a session."""
    book = Book(rules(max_day_notional='"50000"', sessions='["regular", "extended"]'))
    async with open_safe(database, emulator, working=False, book=book) as safe:
        yield safe


async def approve_at(safe: Safe, words: str, order: dict[str, object] = ONCE) -> ClickResult:
    """Propose and approve while the calendar says it is this moment."""
    safe.emulator.market.moment = new_york(words)
    [ticket] = await safe.propose(order)
    return await safe.approve(ticket)


def failed(click: ClickResult) -> list[Rule]:
    return [one.rule for one in click.verdicts if not one.passed]


def why(click: ClickResult, rule: Rule) -> str:
    return next(one.reason for one in click.verdicts if one.rule is rule)


async def days(safe: Safe) -> list[str]:
    async with safe.database.transaction() as connection:
        return sorted((await connection.execute(select(reservations.c.day))).scalars())


# -- which session ------------------------------------------------------------------------------------------------


async def test_what_is_approved_from_friday_evening_to_monday_morning_shares_mondays_cap(capped: Safe):
    first = await approve_at(capped, "2025-11-21 20:00")
    assert first.answer is ClickOutcome.APPROVED, first
    for moment in ("2025-11-22 12:00", "2025-11-23 21:00", "2025-11-24 07:00", "2025-11-24 15:59:59"):
        click = await approve_at(capped, moment)
        assert (click.answer, failed(click)) == (ClickOutcome.DENIED, [Rule.DAY_NOTIONAL]), moment
    assert await days(capped) == [MONDAY]
    assert (await approve_at(capped, "2025-11-24 16:00")).answer is ClickOutcome.APPROVED
    assert await days(capped) == [MONDAY, "2025-11-25"]


async def test_the_evening_belongs_to_the_next_session(capped: Safe):
    assert (await approve_at(capped, "2025-11-24 11:00")).answer is ClickOutcome.APPROVED
    assert (await approve_at(capped, "2025-11-24 16:30")).answer is ClickOutcome.APPROVED
    assert failed(await approve_at(capped, "2025-11-25 10:00")) == [Rule.DAY_NOTIONAL]


@pytest.mark.parametrize("words", ["2025-11-24 07:00", "2025-11-24 11:00", "2025-11-24 17:00", "2025-11-23 21:00"])
async def test_an_order_for_extended_hours_counts_for_the_day_in_whose_hours_it_works(capped: Safe, words: str):
    assert (await approve_at(capped, words, EXTENDED)).answer is ClickOutcome.APPROVED
    assert await days(capped) == [MONDAY]


async def test_after_extended_hours_it_counts_for_the_next(capped: Safe):
    assert (await approve_at(capped, "2025-11-24 20:00", EXTENDED)).answer is ClickOutcome.APPROVED
    assert await days(capped) == ["2025-11-25"]


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("2025-11-26 17:00", "2025-11-28"),  # the evening before Thanksgiving
        ("2025-11-27 11:00", "2025-11-28"),
        ("2025-11-28 12:59", "2025-11-28"),
        ("2025-11-28 13:00", "2025-12-01"),  # an early close
    ],
)
async def test_holidays_are_skipped_and_early_closes_end_a_session(capped: Safe, words: str, day: str):
    capped.emulator.market.holidays.add(date(2025, 11, 27))
    capped.emulator.market.early_closes.add(date(2025, 11, 28))
    assert (await approve_at(capped, words)).answer is ClickOutcome.APPROVED
    assert await days(capped) == [day]


async def test_a_preview_counts_the_session_too(capped: Safe):
    assert (await approve_at(capped, "2025-11-22 12:00")).answer is ClickOutcome.APPROVED
    capped.emulator.market.moment = new_york("2025-11-23 12:00")
    [ticket] = await capped.propose({**ONCE, "quantity": "1"})
    click = await capped.orders.preview(ticket.token, {"quantity": "2"}, ANA)
    assert failed(click) == [Rule.DAY_NOTIONAL]


async def test_orders_of_two_sessions_approved_together_are_held_against_the_fuller_one(capped: Safe):
    assert (await approve_at(capped, "2025-11-24 16:30", {**ONCE, "quantity": "150"})).answer is ClickOutcome.APPROVED
    small = {**ONCE, "quantity": "30"}
    tickets = await capped.propose(small, {**small, "extended_hours": True})
    clicks = await capped.orders.approve([one.token for one in tickets], ANA, TEAM)
    assert [click.answer for click in clicks] == [ClickOutcome.DENIED, ClickOutcome.DENIED]
    [alone] = await capped.propose({**small, "extended_hours": True})
    assert (await capped.approve(alone)).answer is ClickOutcome.APPROVED
    assert await days(capped) == ["2025-11-24", "2025-11-25"]


async def test_two_pressed_at_once_for_one_session_take_turns(capped: Safe):
    capped.emulator.market.moment = new_york("2025-11-22 12:00")
    tickets = [(await capped.propose(ONCE))[0] for _ in range(2)]
    clicks = await asyncio.gather(*(capped.approve(one) for one in tickets))
    assert sorted(click.answer for click in clicks) == [ClickOutcome.APPROVED, ClickOutcome.DENIED]


async def test_an_option_has_no_extended_hours(database: Database, emulator: ClearStreetEmulator):
    book = Book(rules(options="true", sessions='["regular", "extended"]'))
    option = {**BUY, "symbol": "AAPL  261218C00250000", "quantity": "1", "limit_price": "1", "extended_hours": True}
    async with open_safe(database, emulator, working=False, book=book) as safe:
        await approve_at(safe, "2025-11-24 16:30", option)
        assert await days(safe) == ["2025-11-25"]


@pytest.mark.parametrize("words", ["2025-11-21 20:00", "2025-11-23 12:00", "2025-11-24 07:00"])
async def test_an_approval_waits_for_another_one_of_the_same_session(
    new_migrated: Callable[[], str], emulator: ClearStreetEmulator, words: str
):
    database = await open_database(new_migrated())
    await link(database, ANA)
    async with open_safe(database, emulator, working=False) as safe:
        emulator.market.moment = new_york(words)
        [ticket] = await safe.propose()
        async with database.transaction() as connection:
            await connection.execute(trading_days.insert().values(org=ANA.org, user=ANA.user, day=MONDAY))
            approval = asyncio.create_task(safe.approve(ticket))
            async with asyncio.timeout(60):
                while not approval.done() and not await waiting(database):  # noqa: ASYNC110 -- nobody tells
                    await asyncio.sleep(0.02)
            assert not approval.done()
        assert (await approval).answer is ClickOutcome.APPROVED
        await safe.settled()
    await database.close()


async def waiting(database: Database) -> bool:
    """Whether somebody waits for a lock of somebody else's."""
    async with database.transaction() as connection:
        query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        found = await connection.execute(text(query))
        return bool(found.scalar_one())


# -- no calendar ----------------------------------------------------------------------------------------------------


async def test_without_a_calendar_a_cap_denies_and_says_so(capped: Safe):
    [ticket] = await capped.propose()
    capped.emulator.gate.every(HOURS, 1, Refuse(400))
    click = await capped.approve(ticket)
    assert (click.answer, failed(click)) == (ClickOutcome.DENIED, [Rule.DAY_NOTIONAL])
    assert "does not say in which exchange session" in why(click, Rule.DAY_NOTIONAL)
    assert await days(capped) == []


async def test_without_a_calendar_an_edit_is_shown_with_what_the_cap_will_say(capped: Safe):
    [ticket] = await capped.propose()
    capped.emulator.gate.every(HOURS, 1, Refuse(400))
    click = await capped.orders.preview(ticket.token, {"quantity": "5"}, ANA)
    assert (click.answer, failed(click)) == (ClickOutcome.EDITED, [Rule.DAY_NOTIONAL])


async def test_without_a_calendar_and_without_caps_it_goes(database: Database, emulator: ClearStreetEmulator):
    book = Book(rules(max_day_notional='"unlimited"'))
    async with open_safe(database, emulator, working=False, book=book) as safe:
        [ticket] = await safe.propose()
        emulator.gate.every(HOURS, 1, Refuse(400))
        assert (await safe.approve(ticket)).answer is ClickOutcome.APPROVED


async def test_without_a_calendar_a_cancel_goes(capped: Safe):
    [ticket] = await capped.propose()
    await capped.approve(ticket)
    order = (await capped.until(ticket, lambda now: now.order_id is not None)).order_id
    [cancel] = await capped.propose_about("CANCEL", {"account_id": 19816, "order_id": order})
    capped.emulator.gate.every(HOURS, 1, Refuse(400))
    assert (await capped.approve(cancel)).answer is ClickOutcome.APPROVED


REGULAR = SessionHours(open=new_york("2025-11-24 09:30"), close=new_york("2025-11-24 16:00"))
NEXT = TradingSessions(
    regular=SessionHours(open=new_york("2025-11-25 09:30"), close=new_york("2025-11-25 16:00")),
)
NOON = new_york("2025-11-24 12:00")


def hours(
    today: TradingSessions | None, following: TradingSessions | None = NEXT, kind: DayType | None = DayType.TRADING_DAY
) -> MarketHours:
    status = MarketStatus(is_open=True, current_session=MarketSession.REGULAR, day_type=kind)
    return MarketHours(
        market=MarketType.US_EQUITIES,
        status=status,
        current_time=NOON,
        today_sessions=today,
        next_sessions=following,
    )


@pytest.mark.parametrize(
    "answer",
    [
        None,
        hours(None),
        hours(TradingSessions()),  # a trading day without its hours is no holiday
        hours(TradingSessions(regular=SessionHours(open=REGULAR.open))),
        hours(TradingSessions(), None, DayType.WEEKEND),
        hours(TradingSessions(), TradingSessions(), DayType.HOLIDAY),
        hours(TradingSessions(), TradingSessions(regular=REGULAR), DayType.WEEKEND),  # a next session that has begun
    ],
)
def test_what_the_calendar_leaves_out_is_not_guessed(answer: MarketHours | None):
    assert session_of(answer, NOON, extended=False) is None


def test_a_calendar_without_its_own_time_is_read_at_the_time_of_the_question():
    answer = hours(TradingSessions(regular=REGULAR))
    answer = MarketHours(
        market=answer.market, status=answer.status, today_sessions=answer.today_sessions, next_sessions=NEXT
    )
    found = session_of(answer, new_york("2025-11-24 16:00"), extended=False)
    assert found is not None
    assert found.day == date(2025, 11, 25)


# -- quotes without a time ------------------------------------------------------------------------------------------


@pytest.fixture(params=["2026-04", "2026-08"])
async def undated(database: Database, request: pytest.FixtureRequest) -> AsyncIterator[Safe]:
    """An instance at a revision whose quotes carry no time."""
    book = Book(rules(sessions='["regular", "extended"]'))
    async with (
        open_emulator(revision=request.param) as emulator,
        open_safe(database, emulator, working=False, book=book) as safe,
    ):
        yield safe


@pytest.mark.parametrize(
    ("words", "opens"),
    [
        ("2025-11-21 20:00", "November 24, 2025, 09:30 New York time"),
        ("2025-11-22 12:00", "November 24, 2025, 09:30 New York time"),
        ("2025-11-24 07:00", "November 24, 2025, 09:30 New York time"),
        ("2025-11-24 16:30", "November 25, 2025, 09:30 New York time"),
    ],
)
async def test_a_closed_market_denies_a_quote_without_a_time_and_says_when_to_come_back(
    undated: Safe, words: str, opens: str
):
    click = await approve_at(undated, words)
    assert (click.answer, failed(click)) == (ClickOutcome.DENIED, [Rule.QUOTE])
    assert why(click, Rule.QUOTE).endswith(f"Come back when regular trading begins: {opens}.")


async def test_an_open_market_lets_a_quote_without_a_time_count(undated: Safe):
    assert (await approve_at(undated, "2025-11-24 10:00")).answer is ClickOutcome.APPROVED


@pytest.mark.parametrize("words", ["2025-11-24 07:00", "2025-11-24 17:00"])
async def test_extended_hours_are_open_to_an_order_for_them(undated: Safe, words: str):
    assert (await approve_at(undated, words, EXTENDED)).answer is ClickOutcome.APPROVED


async def test_a_market_that_may_be_closed_denies_a_quote_without_a_time(undated: Safe):
    undated.book.current = rules(max_day_notional='"unlimited"')
    [ticket] = await undated.propose()
    undated.emulator.gate.every(HOURS, 1, Refuse(400))
    click = await undated.approve(ticket)
    assert (click.answer, failed(click)) == (ClickOutcome.DENIED, [Rule.QUOTE])
    assert "not known whether the market is open" in why(click, Rule.QUOTE)
