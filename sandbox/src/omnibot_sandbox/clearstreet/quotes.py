"""Prices for the scripts' texts: invented, but the same every time and in keeping with one another."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from omnibot_sandbox.clearstreet.instruments import LISTED, Instrument
from omnibot_sandbox.clearstreet.options import call_near, premium


@dataclass(frozen=True, slots=True)
class Fundamentals:
    """What texts, snapshots and the screener agree on: how a day began, in cents and in shares."""

    cents: float
    change: float
    open: float
    high: float
    low: float
    volume: int
    price_to_earnings: float


def numbers(symbol: str) -> Fundamentals:
    """The fundamentals of a symbol. A symbol nobody knows gets a price made from its letters."""
    seed = zlib.crc32(symbol.encode())
    known = LISTED.get(symbol)
    cents = float(known.price * 100) if known else float(1_000 + seed % 40_000)
    basis_points = known.change_bp if known else seed // 7 % 500 - 250
    change = cents * basis_points / (10_000 + basis_points)
    return Fundamentals(
        cents=cents,
        change=change,
        open=cents - change * 0.6,
        high=cents * 1.007,
        low=cents * 0.988,
        volume=(12 + seed % 60) * 1_000_000 + seed % 10 * 100_000,
        price_to_earnings=18 + seed % 30 + seed // 10 % 10 / 10,
    )


def describe(variables: dict[str, Any]) -> dict[str, str]:
    """For each ticker among the variables, its `{ticker.price}`, `{ticker.name}` and so on."""
    out: dict[str, str] = {}
    for name in ("ticker", "other"):
        if variables.get(name):
            symbol = str(variables[name]).upper()
            out[name] = symbol
            out |= {f"{name}.{fact}": value for fact, value in quote(symbol).items()}
    if variables.get("timeframe"):
        out["timeframe"] = str(variables["timeframe"]).upper()
    if "ticker.limit" in out and not variables.get("limit"):
        out["limit"] = out["ticker.limit"]
    return out


def quote(symbol: str) -> dict[str, str]:
    """What a text can say about a symbol."""
    known, its = LISTED.get(symbol), numbers(symbol)
    shares = known.shares_m if known else 100 + zlib.crc32(symbol.encode()) % 3_000
    sign = "+" if its.change >= 0 else "−"
    return {
        "name": known.name if known else symbol,
        "price": f"${its.cents / 100:,.2f}",
        "change": f"{sign}${abs(its.change) / 100:,.2f}",
        "percent": f"{sign}{abs(its.change) / (its.cents - its.change) * 100:.2f}%",
        "open": f"${its.open / 100:,.2f}",
        "high": f"${its.high / 100:,.2f}",
        "low": f"${its.low / 100:,.2f}",
        "volume": f"{its.volume / 1_000_000:.1f} million",
        "cap": f"${its.cents * shares / 100 / 1_000:,.1f} billion",
        "pe": f"{its.price_to_earnings:.1f}",
        # For orders: limits at, a little below and a little above the price.
        "limit": f"{_cents(its.cents)}",
        "below": f"{_cents(its.cents * 0.99)}",
        "above": f"{_cents(its.cents * 1.01)}",
        **_call(known),
    }


def _call(underlying: Instrument | None) -> dict[str, str]:
    if underlying is None:
        return {}
    call = call_near(underlying)
    return {"call": call.symbol, "call_limit": str(premium(call, float(underlying.price)))}


def _cents(cents: float) -> Decimal:
    return (Decimal(round(cents)) / 100).quantize(Decimal("0.01"))
