"""Market cards: what is shown below Omni's words and comes from the market, not from Omni. Pure.

A market card is plain JSON, because it is stored with the answer it belongs to: drawn again later it says what was said
then. Amounts are decimal strings, moments ISO 8601; what nobody knows is null, never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from omnibot.clearstreet.models import OpenScreener
from omnibot.clearstreet.models.market import MarketHours, Snapshot
from omnibot.clearstreet.models.screener import Catalog, Cell, FieldRef, Row
from omnibot.clearstreet.screener_requests import Filter, Screening

MarketCard = dict[str, Any]

#: Rows of a screen that are shown; the CSV has them too, and no more are asked for.
MAX_ROWS: Final = 200

_OPERATORS: Final = {
    "LESS_THAN": "below",
    "LESS_OR_EQUAL": "at most",
    "GREATER_THAN": "above",
    "GREATER_OR_EQUAL": "at least",
    "EQUAL": "is",
    "BETWEEN": "between",
    "NOT_BETWEEN": "not between",
    "ONE_OF": "one of",
    "REGEX": "matches",
    "BEGINS_WITH": "begins with",
    "ENDS_WITH": "ends with",
    "CONTAINS": "contains",
    "IS_NULL": "is unknown",
    "IS_NOT_NULL": "is known",
}
_AXES: Final = {
    "ONE_DAY": "1 day",
    "ONE_WEEK": "1 week",
    "ONE_MONTH": "1 month",
    "THREE_MONTHS": "3 months",
    "SIX_MONTHS": "6 months",
    "YEAR_TO_DATE": "year to date",
    "ONE_YEAR": "1 year",
    "QUARTER": "quarter",
    "TRAILING_TWELVE_MONTHS": "12 months",
    "ANNUAL": "year",
}


def symbol_card(
    snapshot: Snapshot, *, timeframe: str | None, hours: Sequence[MarketHours], now: datetime
) -> MarketCard:
    """What the market says about one instrument.

    Args:
        snapshot: as it came.
        timeframe: the chart's, in Omni's words, for the link to one.
        hours: of today; none when they are not known.
        now: the moment of asking, with its zone.
    """
    session, quote, trade = snapshot.session, snapshot.last_quote, snapshot.last_trade
    last = snapshot.last
    previous = session.previous_close if session else None
    change = session.change if session else None
    percent = session.change_percent if session else None
    if change is None and last is not None and previous is not None:
        change = last - previous
    if percent is None and change is not None and previous:
        percent = change / previous * 100
    quoted = (quote.timestamp if quote else None) or (trade.timestamp if trade else None)
    return {
        "kind": "symbol",
        "symbol": snapshot.symbol,
        "name": snapshot.name,
        "timeframe": timeframe,
        "last": _text(last),
        "change": _text(change),
        "change_percent": _text(percent),
        "previous_close": _text(previous),
        "open": _text(session.open if session else None),
        "high": _text(session.high if session else None),
        "low": _text(session.low if session else None),
        "day": session.ohlv_date.isoformat() if session and session.ohlv_date else None,
        "bid": _text(snapshot.bid),
        "ask": _text(snapshot.ask),
        "volume": snapshot.volume,
        "quoted_at": _moment(quoted),
        "asked_at": _moment(now),
        "market_open": next((h.status.is_open for h in hours if h.status), None),
        "session": next((str(h.status.current_session) for h in hours if h.status and h.status.current_session), None),
        "short_sale_restricted": snapshot.short_sale_restricted,
    }


def screen_card(
    action: OpenScreener,
    wanted: Screening,
    rows: Sequence[Row],
    *,
    more: bool,
    catalog: Catalog | None,
    now: datetime,
) -> MarketCard:
    """What a screener found, with the filters in words.

    Args:
        action: what Omni asked for.
        wanted: the same in the endpoint's words.
        rows: all that are shown.
        more: whether there are more than these.
        catalog: names of the fields, where there is one.
        now: the moment of asking, with its zone.
    """
    headings = list(dict.fromkeys(_heading(cell) for row in rows for cell in row))
    table = [[cells.get(heading, "") for heading in headings] for cells in map(_by_heading, rows)]
    sort = None
    if wanted.sort is not None:
        order = "largest first" if wanted.descending else "smallest first"
        sort = f"{_field_words(wanted.sort, catalog)}, {order}"
    left_out = [f"{one.field} {one.operator} {_value_words(one.value)}".strip() for one in wanted.left_out]
    return {
        "kind": "screen",
        "filters": [_filter_words(one, catalog) for one in wanted.filters],
        "left_out": left_out,
        "unknown_fields": list(wanted.unknown_fields),
        "sorted_by": sort,
        "columns": headings,
        "rows": table,
        "more": more,
        "asked_at": _moment(now),
        "asked_for": len(action.filters),
    }


def failed_card(what: str, reason: str, request_id: str | None) -> MarketCard:
    """What could not be had: "the chart of AAPL", why, and what Clear Street's support finds the call by."""
    return {"kind": "failed", "what": what, "reason": reason, "request_id": request_id}


def _by_heading(row: Row) -> dict[str, str]:
    return {_heading(cell): _cell_words(cell) for cell in row}


def _heading(cell: Cell) -> str:
    if cell.name:
        return cell.name
    return _field_words(cell.field, None)


def _cell_words(cell: Cell) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    kind = cell.type or ""
    if kind == "PERCENT":
        return f"{_short(value)}%"
    if kind.startswith("CURR"):
        return f"-${_short(-value)}" if value < 0 else f"${_short(value)}"
    return _short(value)


def _short(value: Decimal) -> str:
    """A number for a table's cell: of large ones the leading digits."""
    for exponent, sign in ((12, "T"), (9, "B"), (6, "M")):
        if abs(value) >= Decimal(10) ** exponent:
            return f"{value / Decimal(10) ** exponent:,.2f}{sign}"
    if value == value.to_integral_value():
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"


def _filter_words(one: Filter, catalog: Catalog | None) -> str:
    joint = " and " if "BETWEEN" in one.operator else ", "
    values = joint.join(_short(value) if isinstance(value, Decimal) else value for value in one.values)
    operator = _OPERATORS.get(one.operator, one.operator.lower().replace("_", " "))
    return f"{_field_words(one.field, catalog)} {operator} {values}".strip()


def _field_words(field: FieldRef, catalog: Catalog | None) -> str:
    described = catalog.find(field.name) if catalog else None
    name = described.display_name if described else field.name.replace("_", " ").capitalize()
    axis = field.lookback or field.period
    return f"{name} ({_AXES.get(axis, axis.lower().replace('_', ' '))})" if axis else name


def _value_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_value_words, value))
    return "" if value is None else str(value)


def _text(value: Decimal | str | None) -> str | None:
    return None if value is None else f"{value:f}" if isinstance(value, Decimal) else value


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
