"""In which exchange session an order would work first, by Clear Street's calendar. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from omnibot.clearstreet.models.enums import DayType
from omnibot.clearstreet.models.market import MarketHours, SessionHours, TradingSessions
from omnibot.orders.wording import exchange_zone
from omnibot.policy.rule_context import utc


@dataclass(frozen=True, slots=True)
class ExchangeSession:
    """One day on which the exchange trades."""

    day: date
    """The exchange's date of its regular hours: all that works in it counts for this date."""
    opens_at: datetime | None
    """When its regular hours begin; None: they have begun."""


def session_of(hours: MarketHours | None, at: datetime, *, extended: bool) -> ExchangeSession | None:
    """The session in which an order would work first; None: the calendar does not say.

    An order for regular hours waits for the next session once they are over; one for extended hours still works in the
    hours after them.

    Args:
        at: when the calendar was asked, for an answer without its own time.
        extended: the order works in extended hours too.
    """
    if hours is None:
        return None
    now = utc(hours.current_time or at)
    if hours.status is None or hours.status.day_type not in (DayType.HOLIDAY, DayType.WEEKEND):
        today = _span(hours.today_sessions, extended=extended)
        if today is None:
            return None
        opens, ends = today
        if now < ends:
            return ExchangeSession(exchange_date(opens), opens if now < opens else None)
    following = _span(hours.next_sessions, extended=extended)
    if following is None or following[0] <= now:
        return None
    return ExchangeSession(exchange_date(following[0]), following[0])


def exchange_date(moment: datetime) -> date:
    """The exchange's date of an aware moment."""
    return moment.astimezone(exchange_zone() or timezone(timedelta(hours=-5))).date()


def _span(sessions: TradingSessions | None, *, extended: bool) -> tuple[datetime, datetime] | None:
    """When the regular hours begin, and when the last order that works on this day stops working."""
    if sessions is None:
        return None
    regular = _both(sessions.regular)
    if regular is None or not extended or sessions.after_hours is None:
        return regular
    after = _both(sessions.after_hours)
    return None if after is None else (regular[0], max(regular[1], after[1]))


def _both(span: SessionHours | None) -> tuple[datetime, datetime] | None:
    if span is None or span.open is None or span.close is None:
        return None
    return utc(span.open), utc(span.close)
