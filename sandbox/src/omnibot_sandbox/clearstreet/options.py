"""Options: how their symbols are read, and what they might cost. The model is no model: prices that look right."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal

from omnibot_sandbox.clearstreet.instruments import LISTED, Instrument

_OSI = re.compile(r"([A-Z][A-Z.]{0,5}) *(\d{6})([CP])(\d{8})", re.ASCII)
#: The expiry of options in texts.
LEAP = date(2028, 1, 21)


def read_option(symbol: str) -> Instrument | None:
    """The option of an OSI symbol, with blanks in it or without; None if there is no such underlying or day."""
    found = _OSI.fullmatch(symbol)
    underlying = LISTED.get(found[1]) if found else None
    if found is None or underlying is None:
        return None
    _, day, right, thousandths = found.groups()
    try:
        expiry = date(2000 + int(day[:2]), int(day[2:4]), int(day[4:]))
    except ValueError:
        return None
    strike, words = Decimal(thousandths) / 1000, "Call" if right == "C" else "Put"
    return Instrument(
        symbol=f"{underlying.symbol} {day}{right}{thousandths}",
        name=f"{underlying.symbol} {expiry:%b %d %Y} ${strike:.2f} {words}",
        type="OPTION",
        venue="BATO",
        fractionable=False,
        underlying=underlying,
        expiry=expiry,
        right=right,
        strike=strike,
    )


def call_near(underlying: Instrument) -> Instrument:
    """A call whose strike is near the price."""
    step = 5 if underlying.price >= 25 else 1
    strike = max(step, round(int(underlying.price) / step) * step)
    option = read_option(f"{underlying.symbol} {LEAP:%y%m%d}C{strike * 1000:08d}")
    assert option is not None
    return option


def premium(option: Instrument, spot: float) -> Decimal:
    """What it is worth at once, and a hump of time value around its strike."""
    strike = float(option.strike)
    inner = max(0.0, spot - strike if option.right == "C" else strike - spot)
    hump = 0.4 * volatility(option) * spot * math.sqrt(years_left(option))
    time_value = hump * math.exp(-((math.log(spot / strike) / 0.35) ** 2)) if strike > 0 else 0.0
    return max(Decimal("0.01"), Decimal(str(round(inner + time_value, 2))))


def volatility(option: Instrument) -> float:
    """Implied, a year."""
    beta = option.underlying.beta if option.underlying is not None else None
    return 0.18 + 0.12 * abs(beta if beta is not None else 0.5)


def years_left(option: Instrument) -> float:
    """Until the option expires; never quite nothing."""
    assert option.expiry is not None
    return max((option.expiry - datetime.now(UTC).date()).days, 0.5) / 365
