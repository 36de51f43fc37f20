"""Market cards below an answer: a symbol as a card, a screen as a table, and what could not be fetched.

A market card is JSON that was stored with its answer; every field may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import quote

from omnibot.blocks.answers.charts import number
from omnibot.blocks.layout.builders import context, escaped_parts, one_line, section, shorten
from omnibot.blocks.layout.tables import Grid, table_units
from omnibot.blocks.layout.types import Block
from omnibot.blocks.markdown.escaping import break_tokens, escape

MarketCard = Mapping[str, Any]
_TITLE: Final = 140
_BODY: Final = 190


def market_card_units(market_card: MarketCard, *, chart_url: str | None = None, position: int = 0) -> list[list[Block]]:
    """The blocks of a market card, each list to be kept together.

    Args:
        market_card: the JSON.
        chart_url: the operator's address of a chart, with `{symbol}` and `{timeframe}` in it.
        position: makes the ids of its buttons different from those of other market cards in the message.
    """
    match market_card.get("kind"):
        case "symbol":
            return [_symbol(market_card, chart_url, position)]
        case "screen":
            return _screen(market_card)
        case _:
            return [_failed(market_card)]


def market_card_words(market_card: MarketCard) -> str:
    """The market card in one line, for screen readers and notifications."""
    match market_card.get("kind"):
        case "symbol":
            return " · ".join(filter(None, [_heading(market_card), _price(market_card), *_details(market_card)]))
        case "screen":
            return f"Screen: {_found(market_card)}"
        case _:
            return f"Could not get {market_card.get('what')}: {market_card.get('reason')}"


def _symbol(market_card: MarketCard, chart_url: str | None, position: int) -> list[Block]:
    details = _details(market_card)
    card: Block = {
        "type": "card",
        "title": _mrkdwn(f"*{escape(shorten(_heading(market_card), _TITLE - 20))}*"),
        "subtitle": _mrkdwn(escape(shorten(_price(market_card) or "No price is known.", _TITLE - 20))),
    }
    if details:
        card["body"] = _mrkdwn(escape(shorten(" · ".join(details), _BODY - 40)))
    address = _chart_address(chart_url, market_card)
    if address:
        timeframe = market_card.get("timeframe")
        label = f"Open the {timeframe} chart" if timeframe else "Open the chart"
        text = {"type": "plain_text", "text": shorten(label, 70), "emoji": False}
        card["actions"] = [{"type": "button", "action_id": f"omni_link:{position}", "text": text, "url": address}]
    asked = market_card.get("timeframe")
    history = "" if address or not asked else f" The {one_line(str(asked))} history is not in Clear Street's API."
    return [card, context(escape(f"Market data from Clear Street, {_age(market_card)}.{history}"))]


def _heading(market_card: MarketCard) -> str:
    symbol, name = one_line(str(market_card.get("symbol") or "")), one_line(str(market_card.get("name") or ""))
    return f"{symbol} · {name}" if name and name != symbol else symbol


def _price(market_card: MarketCard) -> str:
    last, change, percent = (_decimal(market_card.get(name)) for name in ("last", "change", "change_percent"))
    if last is None:
        return ""
    words = f"${number(last)}"
    if change is not None:
        sign = "▲ +" if change > 0 else "▼ -" if change < 0 else "± "
        words += f" {sign}{number(abs(change))}"
        if percent is not None:
            words += f" ({'+' if percent > 0 else ''}{percent:.2f}%)"
    return words


def _details(market_card: MarketCard) -> list[str]:
    low, high, volume = (_decimal(market_card.get(name)) for name in ("low", "high", "volume"))
    bid, ask = _decimal(market_card.get("bid")), _decimal(market_card.get("ask"))
    out: list[str] = []
    if low is not None and high is not None:
        out.append(f"Day {number(low)}–{number(high)}")
    if volume is not None:
        out.append(f"Volume {_amount(volume)}")
    if bid is not None or ask is not None:
        out.append(f"Bid {number(bid) if bid is not None else '–'} / Ask {number(ask) if ask is not None else '–'}")
    if market_card.get("market_open") is False:
        out.append("Market closed")
    elif str(market_card.get("session") or "REGULAR").upper() != "REGULAR":
        out.append(one_line(str(market_card["session"])).replace("_", " ").capitalize())
    return out


def _age(market_card: MarketCard) -> str:
    quoted, asked = _moment(market_card.get("quoted_at")), _moment(market_card.get("asked_at"))
    if asked is None:
        return "at an unknown time"
    at = f"asked at {asked:%H:%M:%S} UTC"
    if quoted is None:
        return f"{at}; it does not say how old the quote is"
    seconds = max(0, int((asked - quoted).total_seconds()))
    if seconds < 90:
        return f"{at}, quote {seconds} s old"
    if seconds < 5_400:
        return f"{at}, quote {seconds // 60} min old"
    return f"{at}, quote of {quoted:%Y-%m-%d %H:%M} UTC"


def _chart_address(template: str | None, market_card: MarketCard) -> str:
    symbol = str(market_card.get("symbol") or "")
    if not template or not symbol:
        return ""
    address = template.replace("{symbol}", quote(symbol, safe=""))
    return address.replace("{timeframe}", quote(str(market_card.get("timeframe") or ""), safe=""))


def _screen(market_card: MarketCard) -> list[list[Block]]:
    filters = [said for words in _list(market_card.get("filters")) if (said := one_line(str(words)))]
    said = f"*Screen:* {escaped_parts('; '.join(filters) or 'no filters', limit=2_400)[0]}"
    if market_card.get("sorted_by"):
        said += f"\nSorted by {escaped_parts(one_line(str(market_card['sorted_by'])) or '–', limit=300)[0]}"
    head: list[Block] = [section(said)]
    for name, words in (("left_out", "Not applied, for lack of a counterpart"), ("unknown_fields", "Unknown columns")):
        left = [said for one in _list(market_card.get(name)) if (said := one_line(str(one)))]
        if left:
            head.append(context(f":warning: {words}: {escaped_parts('; '.join(left), limit=2_400)[0]}"))
    columns, rows = market_card.get("columns") or [], market_card.get("rows") or []
    units: list[list[Block]] = [head]
    if rows and columns:
        cells = tuple(tuple(break_tokens(one_line(str(cell))) for cell in row) for row in rows)
        grid = Grid(tuple(break_tokens(one_line(str(name))) for name in columns), cells, "Screen")
        units.extend(table_units(grid, short=False))
    units.append([context(escape(_found(market_card)))])
    return units


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _found(market_card: MarketCard) -> str:
    count = len(market_card.get("rows") or [])
    if not count:
        return "Nothing passes these filters. Ask Omni to loosen one."
    more = " and more; the first are shown" if market_card.get("more") else ""
    return f"{count} found{more}. Data from Clear Street."


def _failed(market_card: MarketCard) -> list[Block]:
    what, reason = (one_line(str(market_card.get(name) or "")) for name in ("what", "reason"))
    request = f" (request {one_line(str(market_card['request_id']))[:100]})" if market_card.get("request_id") else ""
    parts = escaped_parts(f"Could not get {what or 'this'}. {reason}{request}")[:1]
    return [context(f":warning: {part}") for part in parts]


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def _amount(value: Decimal) -> str:
    for exponent, sign in ((9, " B"), (6, " M")):
        if value >= Decimal(10) ** exponent:
            return f"{value / Decimal(10) ** exponent:.1f}{sign}"
    return number(value)


def _decimal(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None
    return found if found is None or found.is_finite() else None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
