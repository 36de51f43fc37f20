"""Prices for the scripts' texts: invented, but the same every time and in keeping with one another."""

from __future__ import annotations

import zlib
from typing import Any

#: Name, price in cents, change on the day in basis points, and shares outstanding in millions.
_KNOWN = {
    "AAPL": ("Apple Inc.", 27_106, 84, 14_840),
    "AMD": ("Advanced Micro Devices, Inc.", 25_312, -131, 1_628),
    "AMZN": ("Amazon.com, Inc.", 22_984, 42, 10_660),
    "GOOGL": ("Alphabet Inc.", 31_847, 117, 12_110),
    "META": ("Meta Platforms, Inc.", 63_420, -36, 2_520),
    "MSFT": ("Microsoft Corporation", 48_733, 61, 7_430),
    "NVDA": ("NVIDIA Corporation", 18_852, 205, 24_300),
    "TSLA": ("Tesla, Inc.", 40_118, -274, 3_325),
}


def describe(variables: dict[str, Any]) -> dict[str, str]:
    """For each ticker among the variables, its `{ticker.price}`, `{ticker.name}` and so on."""
    out: dict[str, str] = {}
    for name in ("ticker", "other"):
        if variables.get(name):
            symbol = str(variables[name]).upper()
            out[name] = symbol
            out |= {f"{name}.{fact}": value for fact, value in quote(symbol).items()}
    return out


def quote(symbol: str) -> dict[str, str]:
    """What a text can say about a symbol. A symbol nobody knows gets a price made from its letters."""
    seed = zlib.crc32(symbol.encode())
    name, cents, basis_points, shares = _KNOWN.get(
        symbol, (symbol, 1_000 + seed % 40_000, seed // 7 % 500 - 250, 100 + seed % 3_000)
    )
    change = cents * basis_points / (10_000 + basis_points)
    return {
        "name": name,
        "price": f"${cents / 100:,.2f}",
        "change": f"{'+' if change >= 0 else '−'}${abs(change) / 100:,.2f}",
        "percent": f"{'+' if change >= 0 else '−'}{abs(basis_points) / 100:.2f}%",
        "open": f"${(cents - change * 0.6) / 100:,.2f}",
        "high": f"${cents * 1.007 / 100:,.2f}",
        "low": f"${cents * 0.988 / 100:,.2f}",
        "volume": f"{12 + seed % 60}.{seed % 10} million",
        "cap": f"${cents * shares / 100 / 1_000:,.1f} billion",
        "pe": f"{18 + seed % 30}.{seed // 10 % 10}",
    }
