"""Market data and market hours. Every price may be None: that means nobody knows, never zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import TypeAdapter

from omnibot.clearstreet.models.enums import MaybeDayType, MaybeMarketSession, MaybeMarketType
from omnibot.clearstreet.models.scalars import (
    MaybeAmount,
    MaybeDay,
    MaybeFlag,
    MaybeInteger,
    MaybeText,
    Moment,
    Text,
    or_none,
)


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and offer (SnapshotQuote). One-sided from 2026-08; timestamps and venues from 2026-10."""

    bid: MaybeAmount = None
    bid_size: MaybeInteger = None
    """In shares."""
    bid_timestamp: Moment = None
    bid_venue: MaybeText = None
    ask: MaybeAmount = None
    ask_size: MaybeInteger = None
    ask_timestamp: Moment = None
    ask_venue: MaybeText = None
    midpoint: MaybeAmount = None

    @property
    def timestamp(self) -> datetime | None:
        """How old the quote is at least as a whole: the older side's moment; None when a side tells none."""
        sides = [
            moment
            for price, moment in ((self.bid, self.bid_timestamp), (self.ask, self.ask_timestamp))
            if price is not None
        ]
        known = [moment for moment in sides if moment is not None]
        return min(known) if known and len(known) == len(sides) else None


@dataclass(frozen=True, slots=True)
class LastTrade:
    """The last sale, or an index's level with size 0 (SnapshotLastTrade). Timestamp and venue from 2026-10."""

    price: MaybeAmount = None
    size: MaybeInteger = None
    timestamp: Moment = None
    venue: MaybeText = None


@dataclass(frozen=True, slots=True)
class DaySession:
    """The trading day so far (SnapshotSession). Open, high, low and volume from 2026-10."""

    change: MaybeAmount = None
    """From the previous close to the last trade."""
    change_percent: MaybeAmount = None
    previous_close: MaybeAmount = None
    """Adjusted for corporate actions, where there were any."""
    previous_close_unadjusted: MaybeAmount = None
    open: MaybeAmount = None
    high: MaybeAmount = None
    low: MaybeAmount = None
    cumulative_volume: MaybeInteger = None
    ohlv_date: MaybeDay = None
    """The day that open, high and low are of; may be the day before."""
    ohlv_applicable: MaybeFlag = None
    """False for indices, which have no open, high, low and volume."""


@dataclass(frozen=True, slots=True)
class Greeks:
    """Theoretical price and sensitivities of an option, per share (SnapshotGreeks, all revisions)."""

    theo_price: MaybeAmount = None
    iv: MaybeAmount = None
    """Implied volatility a year; 0.20 is 20 %."""
    delta: MaybeAmount = None
    gamma: MaybeAmount = None
    vega: MaybeAmount = None
    theta: MaybeAmount = None
    rho: MaybeAmount = None
    timestamp: Moment = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the market says about one instrument (GET market-data/snapshot, all revisions)."""

    instrument_id: str
    symbol: str
    name: MaybeText = None
    last_quote: Annotated[Quote | None, or_none(Quote)] = None
    last_trade: Annotated[LastTrade | None, or_none(LastTrade)] = None
    session: Annotated[DaySession | None, or_none(DaySession)] = None
    cumulative_volume: MaybeInteger = None
    greeks: Annotated[Greeks | None, or_none(Greeks)] = None
    open_interest: MaybeInteger = None
    """Contracts; options only (2026-10)."""
    short_sale_restricted: MaybeFlag = None
    """True: Rule 201 restricts short sales now. None means nobody knows, not that it is clear to short (2026-10)."""

    @property
    def last(self) -> Decimal | None:
        """Price of the last trade."""
        return self.last_trade.price if self.last_trade else None

    @property
    def bid(self) -> Decimal | None:
        """Best bid."""
        return self.last_quote.bid if self.last_quote else None

    @property
    def ask(self) -> Decimal | None:
        """Best offer."""
        return self.last_quote.ask if self.last_quote else None

    @property
    def volume(self) -> int | None:
        """Shares or contracts traded in the session, wherever the revision says it."""
        in_session = self.session.cumulative_volume if self.session else None
        return self.cumulative_volume if in_session is None else in_session


@dataclass(frozen=True, slots=True)
class Clock:
    """The server's time (GET clock, all revisions)."""

    clock: Moment = None


@dataclass(frozen=True, slots=True)
class SessionHours:
    """When a session opens and closes (SessionSchedule). Durations are ISO 8601 (`PT1H29M15S`), as of the answer."""

    open: Moment = None
    close: Moment = None
    time_until_open: MaybeText = None
    time_until_close: MaybeText = None


MaybeHours = Annotated[SessionHours | None, or_none(SessionHours)]


@dataclass(frozen=True, slots=True)
class TradingSessions:
    """A day's sessions; None where there is none (TradingSessions). Overnight and maintenance from 2026-10."""

    overnight: MaybeHours = None
    pre_market: MaybeHours = None
    regular: MaybeHours = None
    after_hours: MaybeHours = None
    maintenance: MaybeHours = None
    """The market is closed inside it, whatever else is open."""


@dataclass(frozen=True, slots=True)
class MarketStatus:
    """Whether a market is open now (MarketStatus)."""

    is_open: MaybeFlag = None
    """In any session, not only the regular one."""
    current_session: MaybeMarketSession = None
    day_type: MaybeDayType = None


@dataclass(frozen=True, slots=True)
class MarketHours:
    """A market's day (GET calendars/market-hours, all revisions)."""

    market: MaybeMarketType
    status: Annotated[MarketStatus | None, or_none(MarketStatus)] = None
    date: MaybeDay = None
    """The exchange's date."""
    current_time: Moment = None
    timezone: Text = ""
    """IANA name."""
    market_name: Text = ""
    today_sessions: Annotated[TradingSessions | None, or_none(TradingSessions)] = None
    next_sessions: Annotated[TradingSessions | None, or_none(TradingSessions)] = None


snapshots = TypeAdapter(list[Snapshot])
clock = TypeAdapter(Clock)
market_hours = TypeAdapter(list[MarketHours])
