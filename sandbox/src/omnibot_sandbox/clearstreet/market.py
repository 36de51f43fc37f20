"""The market: prices that move by themselves or as told, what can go wrong with them, and whether it is open.

    market.move("AAPL", "265.00", over=30)      a ramp from wherever the price is
    market.set("null", "TSLA")                  no quote, no trade, no day
    market.phase = "closed"

Conditions, of one symbol or of all ("*"; a symbol's own goes before):

    live        the default
    frozen      the price stands still, quotes stay fresh
    stale       the price stands still, and its quote and trade are as old as when this was set (or older: `age`)
    null        the feed knows nothing about it
    one_sided   nobody offers: no ask
    halted      trading is halted: no bid, no ask, an old trade; orders rest
"""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, get_args

from omnibot_sandbox.clearstreet.instruments import LISTED, Instrument
from omnibot_sandbox.clearstreet.options import premium, read_option
from omnibot_sandbox.clearstreet.quotes import numbers

Condition = Literal["live", "frozen", "stale", "null", "one_sided", "halted"]
Phase = Literal["open", "pre_market", "after_hours", "overnight", "closed", "early_close", "holiday", "weekend"]

#: Phases in which everything trades, and in which only orders for extended hours do.
REGULAR = ("open", "early_close")
EXTENDED = ("pre_market", "after_hours", "overnight")

#: How far prices wander from where they began, and in how many seconds there and back.
_WANDER = 0.0025
_PERIOD = 90.0
#: How long ago the market closed, in phases in which it has.
_SINCE_CLOSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and offer, either of which may be missing."""

    bid: Decimal | None
    ask: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _Ramp:
    start: Decimal
    target: Decimal
    begun: float
    over: float

    def at(self, now: float) -> Decimal:
        if now < self.begun:
            return self.start
        share = 1.0 if self.over <= 0 else min(1.0, (now - self.begun) / self.over)
        return self.start + (self.target - self.start) * Decimal(str(share))


@dataclass(frozen=True, slots=True)
class _Switched:
    condition: Condition
    at: float
    age: float


class Instruments:
    """Finds instruments by whatever names them. Options exist from the moment somebody asks for one."""

    def __init__(self) -> None:
        self._by_id = {one.id: one for one in LISTED.values()}

    @property
    def listed(self) -> list[Instrument]:
        """Everything but options."""
        return list(LISTED.values())

    def find(self, name: str) -> Instrument | None:
        """The instrument of this id, ticker or OSI symbol (with blanks in it or without)."""
        wanted = name.strip()
        known = self._by_id.get(wanted.lower()) or LISTED.get(wanted.upper())
        if known is not None:
            return known
        option = read_option(wanted.upper())
        return None if option is None else self._by_id.setdefault(option.id, option)


class Market:
    """Prices of all instruments, at one phase of the trading day.

    Args:
        clock: seconds that do not go back; prices wander with it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.instruments = Instruments()
        self._phase: Phase = "open"
        self._clock = clock
        self._status: float | None = None
        self._began = clock()
        self._ramps: dict[str, _Ramp] = {}
        self._switched: dict[str, _Switched] = {}
        #: The moment that the calendar tells of, aware, with the usual hours of its day; None: now, in this phase.
        self.moment: datetime | None = None
        #: Days of that calendar without trading, and with an early close.
        self.holidays: set[date] = set()
        self.early_closes: set[date] = set()
        #: Symbols whose price wanders; with False, all stand where they began until they are moved.
        self.wandering = True

    # -- switches -----------------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """Where the trading day is."""
        return self._phase

    @phase.setter
    def phase(self, phase: Phase) -> None:
        if phase not in get_args(Phase):
            raise ValueError(f"phase must be one of {', '.join(get_args(Phase))}")
        self._phase = phase

    def set(self, condition: Condition, symbol: str = "*", *, age: float = 0.0) -> None:
        """Put a symbol, or all, into a condition.

        Args:
            age: of "stale" and "halted", seconds since the last quote and trade when this is set.
        """
        if condition not in get_args(Condition):
            raise ValueError(f"condition must be one of {', '.join(get_args(Condition))}")
        if condition == "live":
            self._switched.pop(symbol.upper(), None)
        else:
            self._switched[symbol.upper()] = _Switched(condition, self._time(), age)

    def move(self, symbol: str, to: Decimal | str, over: float = 0.0) -> None:
        """Let the price go there evenly in so many seconds; there it stays, without wandering."""
        instrument = self._listed(symbol)
        start = self.last(instrument)
        self._ramps[instrument.symbol] = _Ramp(start, Decimal(to), self._time(), over)

    def reset(self) -> None:
        """Everything as it began."""
        self._phase, self.wandering = "open", True
        self.moment, self.holidays, self.early_closes = None, set(), set()
        self._ramps.clear()
        self._switched.clear()

    @property
    def conditions(self) -> dict[str, Condition]:
        """What is not live, by symbol."""
        return {symbol: one.condition for symbol, one in self._switched.items()}

    def condition(self, instrument: Instrument) -> Condition:
        """The condition an instrument is in; an option is in its underlying's."""
        switched = self._switch(instrument)
        return "live" if switched is None else switched.condition

    @contextmanager
    def status(self) -> Iterator[None]:
        """Let no time pass: all that is looked at inside agrees with itself."""
        self._status = self._clock()
        try:
            yield
        finally:
            self._status = None

    # -- prices -------------------------------------------------------------------------------------------------------

    def last(self, instrument: Instrument) -> Decimal:
        """Price of the last trade, whether or not the feed says it."""
        moment = self._moment(instrument)
        if instrument.symbol in self._ramps:
            return _round(self._ramps[instrument.symbol].at(moment), instrument)
        if instrument.underlying is not None:
            return _round(self._premium(instrument), instrument)
        share = _wave(instrument.symbol, moment - self._began) if self.wandering and self._moving else 0.0
        return _round(instrument.price * Decimal(str(1 + _WANDER * share)), instrument)

    def quote(self, instrument: Instrument) -> Quote:
        """What is bid and offered."""
        last, condition, at = self.last(instrument), self.condition(instrument), self.quoted_at(instrument)
        half = max(instrument.tick, _round(last * Decimal("0.00004"), instrument))
        bid, ask = max(last - half, instrument.tick), last + half
        match condition:
            case "null" | "halted":
                return Quote(None, None, at)
            case "one_sided":
                return Quote(bid, None, at)
            case _:
                return Quote(bid, ask, at)

    def quoted_at(self, instrument: Instrument) -> datetime:
        """When the quote was last said to be so."""
        now, switched = datetime.now(UTC), self._switch(instrument)
        if switched is not None and switched.condition in ("stale", "halted"):
            return now - timedelta(seconds=self._time() - switched.at + switched.age)
        return now if self._moving else now - _SINCE_CLOSE

    def previous_close(self, instrument: Instrument) -> Decimal:
        """Where the price ended the day before."""
        if instrument.underlying is not None:
            return _round(self._premium(instrument) * Decimal("0.96"), instrument)
        return _round(instrument.price / (1 + Decimal(instrument.change_bp) / 10_000), instrument)

    def volume(self, instrument: Instrument) -> int:
        """Shares or contracts traded today."""
        if instrument.underlying is not None:
            return 100 + zlib.crc32(instrument.symbol.encode()) % 9_000
        grown = int(self._time() - self._began) * 137 if self._moving else 0
        return numbers(instrument.symbol).volume + grown

    def trading(self, *, extended: bool) -> bool:
        """Whether an order works now."""
        return self._phase in REGULAR or (extended and self._phase in EXTENDED)

    def _time(self) -> float:
        return self._clock() if self._status is None else self._status

    @property
    def _moving(self) -> bool:
        return self._phase in REGULAR + EXTENDED

    def _listed(self, symbol: str) -> Instrument:
        instrument = self.instruments.find(symbol)
        if instrument is None:
            raise LookupError(f"no instrument {symbol}")
        return instrument

    def _switch(self, instrument: Instrument) -> _Switched | None:
        own = self._switched.get(instrument.symbol)
        if own is None and instrument.underlying is not None:
            return self._switch(instrument.underlying)
        return own or self._switched.get("*")

    def _moment(self, instrument: Instrument) -> float:
        switched = self._switch(instrument)
        status = switched is not None and switched.condition in ("frozen", "stale", "halted")
        return switched.at if switched is not None and status else self._time()

    def _premium(self, option: Instrument) -> Decimal:
        assert option.underlying is not None
        return premium(option, float(self.last(option.underlying)))


def _wave(symbol: str, seconds: float) -> float:
    """Between -1 and 1, and 0 at the start."""
    seed = zlib.crc32(symbol.encode())
    slow = math.sin(2 * math.pi * seconds / (_PERIOD + seed % 60))
    quick = math.sin(2 * math.pi * seconds / (7 + seed % 11))
    return 0.75 * slow + 0.25 * quick


def _round(price: Decimal, instrument: Instrument) -> Decimal:
    return price.quantize(instrument.tick, ROUND_HALF_EVEN)
