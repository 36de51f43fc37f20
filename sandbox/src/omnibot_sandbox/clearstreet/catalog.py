"""The fields of the screener, where their values come from, and the catalog that lists them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from omnibot_sandbox.clearstreet.instruments import Instrument
from omnibot_sandbox.clearstreet.market import Market
from omnibot_sandbox.clearstreet.quotes import numbers
from omnibot_sandbox.clearstreet.revision import JSON

Value = float | int | str | None

LOOKBACKS = {
    "ONE_DAY": "1d",
    "ONE_WEEK": "1w",
    "ONE_MONTH": "1m",
    "THREE_MONTHS": "3m",
    "SIX_MONTHS": "6m",
    "YEAR_TO_DATE": "ytd",
    "ONE_YEAR": "1y",
}
PERIODS = {"QUARTER": "q", "TRAILING_TWELVE_MONTHS": "ttm", "ANNUAL": "fy"}
#: Best first: what is better is greater.
RATINGS = ("STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL")
OPERATORS = (
    "LESS_THAN",
    "LESS_OR_EQUAL",
    "GREATER_THAN",
    "GREATER_OR_EQUAL",
    "EQUAL",
    "BETWEEN",
    "NOT_BETWEEN",
    "ONE_OF",
    "REGEX",
    "BEGINS_WITH",
    "ENDS_WITH",
    "CONTAINS",
    "IS_NULL",
    "IS_NOT_NULL",
)
_ORDERED = [one for one in OPERATORS if one not in ("REGEX", "BEGINS_WITH", "ENDS_WITH", "CONTAINS")]
OPERATORS_BY_TYPE = {
    "DECIMAL": _ORDERED,
    "INTEGER": _ORDERED,
    "DATE": _ORDERED,
    "ANALYST_RATING": _ORDERED,
    "STRING": ["EQUAL", "ONE_OF", "REGEX", "BEGINS_WITH", "ENDS_WITH", "CONTAINS", "IS_NULL", "IS_NOT_NULL"],
}
VARIABLES = ("today", "start_of_year")
_WINDOWS = {"ONE_DAY": 1, "ONE_WEEK": 2.2, "ONE_MONTH": 4.5, "THREE_MONTHS": 8, "SIX_MONTHS": 12, "YEAR_TO_DATE": 16}


@dataclass(frozen=True, slots=True)
class ScreenerField:
    """One field; `read` gets the instrument and the window or period asked for, if any."""

    name: str
    title: str
    description: str
    category: str
    format: str
    value_type: str
    read: Callable[[Market, Instrument, str | None], Value]
    #: Windows or periods it can be had with.
    axes: tuple[str, ...] = ()
    #: Whether it can be had without any.
    bare: bool = True

    @property
    def default_axis(self) -> str | None:
        """What a bare reference means."""
        return None if self.bare else self.axes[0]

    def heading(self, axis: str | None) -> str:
        """The title of its column."""
        return self.title if axis is None else f"{self.title} ({suffix(axis).upper()})"


def suffix(axis: str) -> str:
    """The abbreviation of a window or period."""
    return {**LOOKBACKS, **PERIODS}[axis]


def _price(market: Market, instrument: Instrument, _: str | None) -> Value:
    return float(market.last(instrument))


def _change(market: Market, instrument: Instrument, window: str | None) -> Value:
    if window in (None, "ONE_DAY"):
        before = market.previous_close(instrument)
        return round(float((market.last(instrument) - before) / before * 100), 2)
    seed = zlib.crc32(f"{instrument.symbol} {window}".encode())
    return round((seed % 2001 - 900) / 1000 * _WINDOWS.get(window or "", 24), 2)


def _cap(market: Market, instrument: Instrument, _: str | None) -> Value:
    return round(float(market.last(instrument)) * instrument.shares_m * 1_000_000) if instrument.shares_m else None


def _earnings(market: Market, instrument: Instrument, period: str | None) -> Value:
    if instrument.sector is None:
        return None
    year = numbers(instrument.symbol).cents / 100 / numbers(instrument.symbol).price_to_earnings
    return round(year / 4 if period == "QUARTER" else year, 2)


def _revenue(market: Market, instrument: Instrument, period: str | None) -> Value:
    year = _earnings(market, instrument, None)
    if not isinstance(year, float):
        return None
    total = year * instrument.shares_m * 1_000_000 * (4 + zlib.crc32(instrument.symbol.encode()) % 7)
    return round(total / 4 if period == "QUARTER" else total)


def _ratio(market: Market, instrument: Instrument, _: str | None) -> Value:
    return numbers(instrument.symbol).price_to_earnings if instrument.sector is not None else None


def _report_date(market: Market, instrument: Instrument, _: str | None) -> Value:
    if instrument.sector is None:
        return None
    days = zlib.crc32(instrument.symbol.encode()) % 88
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def _fact(name: str) -> Callable[[Market, Instrument, str | None], Value]:
    def read(_: Market, instrument: Instrument, __: str | None) -> Value:
        value: Value = getattr(instrument, name)
        return value

    return read


FIELDS = {
    one.name: one
    for one in (
        ScreenerField("symbol", "Symbol", "Trading symbol", "PROFILE", "TEXT", "STRING", _fact("symbol")),
        ScreenerField("name", "Name", "Name of the issuer", "PROFILE", "TEXT", "STRING", _fact("name")),
        ScreenerField("sector", "Sector", "Market sector", "PROFILE", "TEXT", "STRING", _fact("sector")),
        ScreenerField("industry", "Industry", "Industry", "PROFILE", "TEXT", "STRING", _fact("industry")),
        ScreenerField("venue", "Venue", "Primary listing venue", "PROFILE", "TEXT", "STRING", _fact("venue")),
        ScreenerField("price", "Price", "Last price", "PRICE", "CURRENCY", "DECIMAL", _price),
        ScreenerField(
            "change_pct",
            "Change",
            "Change of the price over the window",
            "PRICE",
            "PERCENT",
            "DECIMAL",
            _change,
            tuple(LOOKBACKS),
            bare=False,
        ),
        ScreenerField(
            "volume",
            "Volume",
            "Shares traded today",
            "PRICE",
            "NUMBER",
            "INTEGER",
            lambda market, one, _: market.volume(one) if one.type != "INDEX" else None,
        ),
        ScreenerField("beta", "Beta", "Five-year beta", "PRICE", "NUMBER", "DECIMAL", _fact("beta")),
        ScreenerField("market_cap", "Market Cap", "Market capitalization", "VALUATION", "CURRENCY", "INTEGER", _cap),
        ScreenerField("pe_ratio", "P/E", "Price to earnings", "VALUATION", "NUMBER", "DECIMAL", _ratio),
        ScreenerField(
            "earnings_per_share",
            "EPS",
            "Diluted earnings per share",
            "FINANCIALS",
            "CURRENCY",
            "DECIMAL",
            _earnings,
            tuple(PERIODS),
            bare=False,
        ),
        ScreenerField(
            "revenue",
            "Revenue",
            "Total revenue",
            "FINANCIALS",
            "CURRENCY",
            "INTEGER",
            _revenue,
            tuple(PERIODS),
            bare=False,
        ),
        ScreenerField(
            "dividend_yield",
            "Dividend Yield",
            "Dividends of twelve months over the price",
            "DIVIDENDS",
            "PERCENT",
            "DECIMAL",
            _fact("dividend_yield"),
        ),
        ScreenerField(
            "consensus_rating",
            "Consensus Rating",
            "What analysts think",
            "ANALYSTS",
            "TEXT",
            "ANALYST_RATING",
            _fact("rating"),
        ),
        ScreenerField("next_earnings_date", "Next Earnings", "Next report", "CALENDAR", "DATE", "DATE", _report_date),
    )
}

#: The columns of a caller that asks for none: field and window or period.
DEFAULT_COLUMNS: tuple[tuple[str, str | None], ...] = (
    ("symbol", None),
    ("name", None),
    ("price", None),
    ("change_pct", "ONE_DAY"),
    ("volume", None),
    ("market_cap", None),
    ("sector", None),
)


def describe_catalog() -> JSON:
    """The catalog as the endpoint gives it: kinds once, and the rest of the fields in four lists side by side."""
    kinds: list[JSON] = []
    for one in FIELDS.values():
        kind = _kind(one)
        if kind not in kinds:
            kinds.append(kind)
    fields = list(FIELDS.values())
    return {
        "default_response_fields": [f"{name}_{suffix(axis)}" if axis else name for name, axis in DEFAULT_COLUMNS],
        "enums": {
            "builtin_variable": list(VARIABLES),
            "category": list(dict.fromkeys(one.category for one in fields)),
            "date_unit": ["DAY", "WEEK", "MONTH", "YEAR"],
            "format": list(dict.fromkeys(one.format for one in fields)),
            "lookback": list(LOOKBACKS),
            "modifier_op": ["ADD", "SUBTRACT"],
            "operator": list(OPERATORS),
            "operator_arg": [
                "LEFT_INCLUSIVE",
                "RIGHT_INCLUSIVE",
                "LEFT_EXCLUSIVE",
                "RIGHT_EXCLUSIVE",
                "CASE_INSENSITIVE",
            ],
            "period": list(PERIODS),
            "value_type": list(OPERATORS_BY_TYPE),
        },
        "fields": {
            "name": [one.name for one in fields],
            "display_name": [one.title for one in fields],
            "description": [one.description for one in fields],
            "kind": [kinds.index(_kind(one)) for one in fields],
        },
        "kinds": kinds,
        "modifiers": [_modifier("ADD"), _modifier("SUBTRACT")],
        "operators_by_value_type": {name: list(operators) for name, operators in OPERATORS_BY_TYPE.items()},
        "rules": {
            "api_name_composition": "name, or name_suffix with the suffix of one period or lookback",
            "axes": "at most one of period and lookback",
            "defaults": "without either: the present value where there is one, else the default combination",
            "modifiers": "on date variables with a date unit, on numeric fields without",
            "operators": "BETWEEN and NOT_BETWEEN take two values, ONE_OF one or more, IS_NULL and IS_NOT_NULL none",
            "variables": "a built-in variable, or the name of a field",
        },
        "suffixes": {**LOOKBACKS, **PERIODS},
        "variables": [
            {"name": "today", "description": "The present day", "resolves_to": "DATE"},
            {"name": "start_of_year", "description": "The first of January", "resolves_to": "DATE"},
        ],
    }


def _kind(one: ScreenerField) -> JSON:
    combinations: list[JSON] = [{}] if one.bare else []
    return {
        "category": one.category,
        "format": one.format,
        "value_type": one.value_type,
        "combinations": [*combinations, *(_combination(axis) for axis in one.axes)],
        "default_combination": _combination(one.default_axis),
    }


def _combination(axis: str | None) -> JSON:
    if axis is None:
        return {}
    return {"lookback" if axis in LOOKBACKS else "period": axis}


def _modifier(name: str) -> JSON:
    unit = {"kind": "ENUM", "note": "of dates", "position": 1, "required": False, "default": "DAY", "ref": "date_unit"}
    return {"name": name, "args": [{"kind": "NUMBER", "note": "how much", "position": 0, "required": True}, unit]}
