"""Option symbols as the industry writes them: root, expiry, right, strike (OSI)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

STANDARD_MULTIPLIER = 100
"""Shares a contract of a standard option. Adjusted ones differ, and their roots end in a digit."""

_OSI = re.compile(r"(?P<root>[A-Z][A-Z0-9.]{0,5}) *(?P<expiry>[0-9]{6})(?P<right>[CP])(?P<strike>[0-9]{8})", re.ASCII)


class OptionRight(StrEnum):
    """What the option entitles to."""

    CALL = "CALL"
    PUT = "PUT"


@dataclass(frozen=True, slots=True)
class Option:
    """A listed option."""

    root: str
    """Ticker of the underlying, with a digit at the end for adjusted contracts."""
    expiry: date
    right: OptionRight
    strike: Decimal

    @property
    def adjusted(self) -> bool:
        """What a contract delivers was changed by a corporate action: its multiplier is not known from its name."""
        return self.root[-1].isdigit()

    @property
    def symbol(self) -> str:
        """The 21 characters of the standard, the root padded with blanks."""
        day, thousandths = self.expiry.strftime("%y%m%d"), int(self.strike * 1000)
        return f"{self.root:<6}{day}{self.right[0]}{thousandths:08d}"


def read_option(symbol: str | None) -> Option | None:
    """The option a symbol names, however many blanks stand in it (the API writes none, one, and padded roots)."""
    found = _OSI.fullmatch((symbol or "").strip().upper())
    if found is None:
        return None
    digits = found["expiry"]
    try:
        expiry = date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None
    right = OptionRight.CALL if found["right"] == "C" else OptionRight.PUT
    return Option(found["root"], expiry, right, Decimal(found["strike"]) / 1000)
