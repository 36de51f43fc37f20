"""A ticket to enter by hand elsewhere: every field, amounts to the last digit."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from omnibot.blocks.layout.builders import shorten
from omnibot.blocks.layout.types import Block
from omnibot.blocks.markdown.escaping import neutralise
from omnibot.blocks.orders.status import utc
from omnibot.clearstreet.models.enums import (
    InstrumentType,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
    TrailingOffsetType,
    UnknownValue,
)
from omnibot.clearstreet.models.options import read_option
from omnibot.orders.model import Terms, Ticket
from omnibot.orders.wording import option_words
from omnibot.policy import money
from omnibot.policy.facts import OrderAction

ACTS: Final = {
    OrderAction.NEW: "New order",
    OrderAction.CANCEL: "Cancel an order",
    OrderAction.MODIFY: "Change an order",
}
SIDES: Final = {Side.BUY: "Buy", Side.SELL: "Sell", Side.SELL_SHORT: "Sell short", Side.OTHER: "Other"}
TYPES: Final = {
    OrderType.MARKET: "Market",
    OrderType.LIMIT: "Limit",
    OrderType.STOP: "Stop",
    OrderType.STOP_LIMIT: "Stop limit",
    OrderType.TRAILING_STOP: "Trailing stop",
    OrderType.TRAILING_STOP_LIMIT: "Trailing stop limit",
    OrderType.OTHER: "Other",
}
TIMES: Final = {
    TimeInForce.DAY: "Good for the day",
    TimeInForce.GOOD_TILL_CANCEL: "Good until canceled",
    TimeInForce.GOOD_TILL_DATE: "Good until a date",
    TimeInForce.IMMEDIATE_OR_CANCEL: "Immediate or cancel",
    TimeInForce.FILL_OR_KILL: "Fill or kill",
    TimeInForce.AT_THE_OPENING: "At the opening",
    TimeInForce.AT_THE_CLOSE: "At the close",
    TimeInForce.AT_OPEN: "At the opening",
    TimeInForce.AT_CLOSE: "At the close",
    TimeInForce.GOOD_TILL_CROSSING: "Good till crossing",
    TimeInForce.GOOD_THROUGH_CROSSING: "Good through crossing",
    TimeInForce.AT_CROSSING: "At crossing",
    TimeInForce.OTHER: "Other",
}
UNITS: Final = {TrailingOffsetType.PRICE: "dollars", TrailingOffsetType.BPS: "basis points"}
_INSTRUMENTS: Final = {
    InstrumentType.COMMON_STOCK: "Common stock",
    InstrumentType.PREFERRED_STOCK: "Preferred stock",
    InstrumentType.INDEX: "Index",
    InstrumentType.OPTION: "Option",
    InstrumentType.CASH: "Cash",
    InstrumentType.OTHER: "Other",
}
_EFFECTS: Final = {PositionEffect.OPEN: "Opens a position", PositionEffect.CLOSE: "Closes a position"}
_WORDS: Final[dict[Any, str]] = {**ACTS, **_INSTRUMENTS, **SIDES, **TYPES, **TIMES, **UNITS, **_EFFECTS}

#: What each field is called, in the order in which it is copied. The account comes first.
NAMES: Final = {
    "act": "Action",
    "order_id": "Order",
    "side": "Side",
    "quantity": "Quantity",
    "symbol": "Symbol",
    "instrument_type": "Instrument",
    "order_type": "Type",
    "limit_price": "Limit price",
    "stop_price": "Stop price",
    "limit_offset": "Limit offset",
    "trailing_offset": "Trailing offset",
    "trailing_offset_type": "Offset is in",
    "time_in_force": "Time in force",
    "expires_at": "Expires",
    "extended_hours": "Extended hours",
    "position_effect": "Position",
    "strategy": "Worked as",
    "not_understood": "Not understood",
}
_FIELD: Final = 200


def word(value: object) -> str:
    """A word of the API in plain words; one that nobody knows, quoted."""
    if isinstance(value, UnknownValue) or value not in _WORDS:
        return f"“{shorten(str(value), 60)}”"
    return _WORDS[value]


def copyable(ticket: Ticket) -> Block:
    """The ticket as preformatted lines, a field each."""
    account = f"{ticket.account_id or 'not said'}{_in_brackets(ticket.account_name)}"
    rows = [("Account", account), *fields(ticket.terms)]
    wide = max(len(name) for name, _ in rows)
    text = neutralise("\n".join(f"{name:<{wide}}  {value}" for name, value in rows))
    return {
        "type": "rich_text",
        "block_id": f"order_copy:{ticket.id}",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}],
    }


def fields(terms: Terms) -> list[tuple[str, str]]:
    """What terms say, field by field; what they do not say is left out."""
    said = ((name, label, getattr(terms, name)) for name, label in NAMES.items())
    return [(label, _text(name, value)) for name, label, value in said if value is not None and value != ()]


def _text(name: str, value: Any) -> str:
    if name == "symbol":
        option = read_option(value)
        return shorten(str(value), _FIELD) + ("" if option is None else f" ({option_words(option)})")
    match value:
        case bool():
            return "yes" if value else "no"
        case Decimal():
            # To be typed in: no sign of a currency, no thousands apart.
            return f"{value:f}" if money.known(value) is not None else str(value)
        case datetime():
            moment = utc(value)
            precise = "%H:%M:%S.%f" if moment.microsecond else "%H:%M:%S" if moment.second else "%H:%M"
            return f"{moment.date().isoformat()} {moment.strftime(precise)} UTC"
        case tuple():
            return shorten(", ".join(map(str, value)), _FIELD)
        case _:
            return shorten(str(value), _FIELD) if name in ("order_id", "strategy") else word(value)


def _in_brackets(name: str) -> str:
    shown = shorten(name, 60)
    return f" ({shown})" if shown else ""
