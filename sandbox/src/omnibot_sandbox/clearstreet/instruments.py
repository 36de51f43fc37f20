"""What can be traded: some fifty stocks, funds and an index, from a data file."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any

_NAMES = uuid.UUID("6f4ba7b8-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument, and what about it never changes."""

    symbol: str
    name: str
    #: Price of the last trade when the emulator starts, and its change on the day in basis points.
    price: Decimal = Decimal(0)
    change_bp: int = 0
    type: str = "COMMON_STOCK"
    venue: str = "XNMS"
    #: Millions of shares outstanding.
    shares_m: int = 0
    sector: str | None = None
    industry: str | None = None
    beta: float | None = None
    #: Percent a year.
    dividend_yield: float | None = None
    rating: str | None = None
    #: EASY_TO_BORROW, HARD_TO_BORROW or NOT_SHORTABLE.
    shortable: str = "EASY_TO_BORROW"
    #: Rule 201, as the snapshot says it; None: nobody knows.
    short_restricted: bool | None = None
    liquidation_only: bool = False
    fractionable: bool = True
    #: Of options.
    underlying: Instrument | None = None
    expiry: date | None = None
    right: str = ""
    strike: Decimal = Decimal(0)

    @property
    def id(self) -> str:
        """The same in every emulator."""
        return str(uuid.uuid5(_NAMES, self.symbol))

    @property
    def multiplier(self) -> int:
        """Shares a unit of quantity stands for."""
        return 1 if self.underlying is None else 100

    @property
    def tick(self) -> Decimal:
        """Smallest step of a price of one dollar or more, and of cheaper stocks."""
        cheap = self.underlying is None and self.price < 1
        return Decimal("0.0001") if cheap else Decimal("0.01")


def _load() -> dict[str, Instrument]:
    text = (files("omnibot_sandbox.clearstreet") / "payloads" / "instruments.json").read_text("utf-8")
    rows: list[dict[str, Any]] = json.loads(text)
    return {row["symbol"]: Instrument(**{**row, "price": Decimal(row["price"])}) for row in rows}


#: By symbol; read with the module, as if it were code.
LISTED = _load()
