"""Clock and market hours. The clock is right; the trading day is laid around it, so that the market's phase is true."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.market import EXTENDED, REGULAR, Market, Phase
from omnibot_sandbox.clearstreet.revision import JSON, Revision
from omnibot_sandbox.clearstreet.visits import Answer, Handler, Visit

_MARKETS = {"us_equities": "US Equities", "us_options": "US Options", "us_event_contracts": "US Event Contracts"}
_SESSIONS = {"open": "regular", "early_close": "regular"}
_DAYS = {"early_close": "EARLY_CLOSE", "holiday": "HOLIDAY", "weekend": "WEEKEND"}
#: Hours since the regular session began, in each phase that has a trading day around it.
_SINCE_OPEN: dict[Phase, float] = {
    "overnight": -7.0,
    "pre_market": -1.5,
    "open": 2.0,
    "early_close": 2.0,
    "after_hours": 7.0,
    "closed": 11.5,
}

Span = tuple[datetime, datetime]


class Calendar:
    """What one can ask about time."""

    def __init__(self, market: Market) -> None:
        self.market = market

    @property
    def routes(self) -> dict[str, Handler]:
        """The endpoints by method and path."""
        return {"GET /v1/clock": self.get_clock, "GET /v1/calendars/market-hours": self.get_hours}

    def get_clock(self, visit: Visit) -> Answer:
        """The time, with nine digits of a second."""
        return Answer({"clock": nanoseconds(datetime.now(UTC))}, {}, explicit=True)

    def get_hours(self, visit: Visit) -> Answer:
        """A market's sessions, of today or of another day."""
        markets = [name for name in _MARKETS if visit.revision.extended or name != "us_event_contracts"]
        wanted = visit.query.get("market")
        if wanted is not None and wanted not in markets:
            expected = ", ".join(f"`{name}`" for name in markets)
            raise ApiError(400, f"Failed to deserialize query string: unknown variant `{wanted}`, expected {expected}")
        chosen = ["us_equities", "us_options"] if wanted is None else [wanted]
        now = (self.market.moment or datetime.now(UTC)).astimezone(_zone())
        day = _read_day(visit.query.get("date"), now)
        return Answer([self._hours(name, day, now, visit.revision) for name in chosen], {}, explicit=True)

    def _hours(self, market: str, day: date, now: datetime, revision: Revision) -> JSON:
        phase = self.market.phase if self.market.moment is None else self._phase_of(now)
        if phase == "overnight" and not revision.extended:
            phase = "closed"
        today = day == now.date()
        sessions = _around(phase, now) if today and self.market.moment is None else self._usual(day)
        tomorrow = self._next_day(day)
        if market != "us_equities":
            sessions = {name: span for name, span in sessions.items() if name == "regular"}
        current = _SESSIONS.get(phase, phase) if today and phase in REGULAR + EXTENDED else None
        current = current if current in sessions else None
        status: JSON = {"is_open": current is not None, "day_type": _day_type(phase, day, today=today)}
        if current is not None or revision.explicit_nulls:
            status["current_session"] = current
        return {
            "current_time": now.isoformat(timespec="seconds"),
            "date": day.isoformat(),
            "market": market,
            "market_name": _MARKETS[market],
            "next_sessions": _write(self._usual(tomorrow), None, market, revision),
            "status": status,
            "timezone": "America/New_York",
            "today_sessions": _write(sessions, now if today else None, market, revision),
        }

    def _phase_of(self, now: datetime) -> Phase:
        day = now.date()
        if day.weekday() >= 5:
            return "weekend"
        if day in self.market.holidays:
            return "holiday"
        early = day in self.market.early_closes
        within = (name for name, (opens, closes) in self._usual(day).items() if opens <= now < closes)
        match next(within, None):
            case "regular":
                return "early_close" if early else "open"
            case "overnight":
                return "overnight"
            case "pre_market":
                return "pre_market"
            case "after_hours":
                return "after_hours"
            case _:
                return "closed"

    def _usual(self, day: date) -> dict[str, Span]:
        """The sessions of a day that is not laid around a phase."""
        if day.weekday() >= 5 or day in self.market.holidays:
            return {}
        return _sessions(datetime.combine(day, time(9, 30), _zone()), early=day in self.market.early_closes)

    def _next_day(self, day: date) -> date:
        following = day + timedelta(days=1)
        while following.weekday() >= 5 or following in self.market.holidays:
            following += timedelta(days=1)
        return following


def nanoseconds(moment: datetime) -> str:
    """A moment in UTC as the trading endpoints write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def _zone() -> tzinfo:
    try:
        return ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:  # a machine without time zones: an hour off in summer is near enough for a demo
        return timezone(timedelta(hours=-5))


def _read_day(text: str | None, now: datetime) -> date:
    if text is None:
        return now.date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ApiError(400, f"Failed to deserialize query string: date: invalid date `{text}`") from None


def _around(phase: Phase, now: datetime) -> dict[str, Span]:
    """Today's sessions, laid so that it is now this phase."""
    if phase not in _SINCE_OPEN:
        return {}
    opens = (now - timedelta(hours=_SINCE_OPEN[phase])).replace(second=0, microsecond=0)
    return _sessions(opens, early=phase == "early_close")


def _sessions(opens: datetime, *, early: bool) -> dict[str, Span]:
    closes = opens + timedelta(hours=3.5 if early else 6.5)
    found = {
        "overnight": (opens - timedelta(hours=13.5), opens - timedelta(hours=5.5)),
        "pre_market": (opens - timedelta(hours=5.5), opens),
        "regular": (opens, closes),
    }
    return found if early else {**found, "after_hours": (closes, closes + timedelta(hours=4))}


def _write(sessions: dict[str, Span], now: datetime | None, market: str, revision: Revision) -> JSON:
    names = [name for name in ("overnight", "pre_market", "regular", "after_hours") if name in sessions]
    if not revision.extended:
        names = [name for name in names if name != "overnight"]
    if market != "us_equities":
        names = [name for name in names if name == "regular"]
    written: JSON = {name: _schedule(sessions[name], now) for name in names}
    if revision.explicit_nulls:
        everything = ("overnight", "pre_market", "regular", "after_hours", "maintenance")
        return {**dict.fromkeys(everything), **written}
    return written


def _schedule(span: Span, now: datetime | None) -> JSON:
    opens, closes = span
    written: JSON = {"open": opens.isoformat(timespec="seconds"), "close": closes.isoformat(timespec="seconds")}
    if now is not None and now < opens:
        written["time_until_open"] = _duration(opens - now)
    if now is not None and opens <= now < closes:
        written["time_until_close"] = _duration(closes - now)
    return written


def _duration(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    pieces = [(hours, "H"), (minutes, "M"), (seconds, "S")]
    return "PT" + ("".join(f"{count}{unit}" for count, unit in pieces if count) or "0S")


def _day_type(phase: Phase, day: date, *, today: bool) -> str:
    if today:
        return _DAYS.get(phase, "TRADING_DAY")
    return "WEEKEND" if day.weekday() >= 5 else "TRADING_DAY"
