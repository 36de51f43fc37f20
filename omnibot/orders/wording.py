"""Terms in plain words: the one sentence of a ticket, and what an edit changed. Pure, from typed fields only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omnibot.clearstreet.models.enums import (
    InstrumentType,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
    TrailingOffsetType,
)
from omnibot.clearstreet.models.options import Option, OptionRight, read_option
from omnibot.orders.model import Terms
from omnibot.orders.order_parser import afterwards
from omnibot.policy.facts import OrderAction
from omnibot.policy.money import dollars, plain
from omnibot.policy.rule_context import ticker

_TIMES = {
    TimeInForce.DAY: "good for the day",
    TimeInForce.GOOD_TILL_CANCEL: "good until canceled",
    TimeInForce.IMMEDIATE_OR_CANCEL: "immediate or cancel",
    TimeInForce.FILL_OR_KILL: "fill or kill",
    TimeInForce.AT_THE_OPENING: "at the opening",
    TimeInForce.AT_THE_CLOSE: "at the close",
    TimeInForce.AT_OPEN: "at the opening",
    TimeInForce.AT_CLOSE: "at the close",
    TimeInForce.GOOD_TILL_CROSSING: "good till crossing",
    TimeInForce.GOOD_THROUGH_CROSSING: "good through crossing",
    TimeInForce.AT_CROSSING: "at crossing",
}
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def exchange_zone() -> ZoneInfo | None:
    """The exchange's time zone; None on a machine without time zones."""
    try:
        return ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        return None


def sentence(terms: Terms, *, account_name: str = "", before: Terms | None = None) -> str:
    """What approving the ticket does, in one sentence without a full stop."""
    where = _account(terms.account_id, account_name)
    match terms.act:
        case OrderAction.CANCEL:
            return f"Cancel {_existing(terms, before)}, {where}"
        case OrderAction.MODIFY:
            return f"Change {_existing(terms, before)} to {_changed(terms, before)}, {where}"
        case _:
            return f"{order_words(terms)}, {where}"


def order_words(terms: Terms) -> str:
    """“Buy 100 AAPL at a limit of $187.50, good for the day”."""
    said = f"{_verb(terms)} {_amount_of(terms)} {_price(terms)}, {_time(terms)}"
    if terms.extended_hours is not None:
        said += ", extended hours too" if terms.extended_hours else ", regular hours only"
    if terms.strategy:
        said += f", worked as {terms.strategy}"
    return said


def _verb(terms: Terms) -> str:
    opening = {PositionEffect.OPEN: " to open", PositionEffect.CLOSE: " to close"}
    match terms.side:
        case Side.BUY:
            verb = "Buy"
        case Side.SELL:
            if terms.position_effect is PositionEffect.OPEN and read_option(terms.symbol) is None:
                return "Sell short"
            verb = "Sell"
        case Side.SELL_SHORT:
            return "Sell short"
        case _:
            return f"[unknown side{_quoted(terms.side)}]"
    effect = terms.position_effect
    return verb + (opening.get(effect, "") if isinstance(effect, PositionEffect) else "")


def _amount_of(terms: Terms) -> str:
    quantity = "[unknown quantity]" if terms.quantity is None else plain(terms.quantity)
    option = read_option(terms.symbol)
    if option is None:
        preferred = " preferred stock" if terms.instrument_type is InstrumentType.PREFERRED_STOCK else ""
        return f"{quantity} {terms.symbol or '[unknown symbol]'}{preferred}"
    return f"{quantity} {'contract' if terms.quantity == 1 else 'contracts'} of the {option_words(option)}"


def option_words(option: Option) -> str:
    """“AAPL $190 call expiring January 15, 2027”."""
    right = "call" if option.right is OptionRight.CALL else "put"
    adjusted = " (adjusted contract)" if option.adjusted else ""
    return f"{option.root} {dollars(option.strike)} {right} expiring {day_words(option.expiry)}{adjusted}"


def day_words(day: date) -> str:
    """“January 15, 2027”, whatever the machine's language is."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def _price(terms: Terms) -> str:
    limit, stop = _money(terms.limit_price), _money(terms.stop_price)
    reached = "rises to" if terms.side is Side.BUY else "falls to"
    match terms.order_type:
        case OrderType.MARKET:
            return "at the market price"
        case OrderType.LIMIT:
            return f"at a limit of {limit}"
        case OrderType.STOP:
            return f"at the market price once it {reached} {stop}"
        case OrderType.STOP_LIMIT:
            return f"at a limit of {limit} once it {reached} {stop}"
        case OrderType.TRAILING_STOP:
            return f"at the market price once it turns by {_trail(terms)}"
        case OrderType.TRAILING_STOP_LIMIT:
            offset = _money(terms.limit_offset)
            return f"once it turns by {_trail(terms)}, at a limit {offset} from there"
        case _:
            return f"[unknown order type{_quoted(terms.order_type)}]"


def _trail(terms: Terms) -> str:
    match terms.trailing_offset_type, terms.trailing_offset:
        case TrailingOffsetType.PRICE, Decimal() as offset:
            return _money(offset)
        case TrailingOffsetType.BPS, Decimal() as offset:
            return f"{plain(_hundredth(offset))} %"
        case _:
            return "[unknown distance]"


def _hundredth(amount: Decimal) -> Decimal:
    """Exact, however many digits it has."""
    sign, digits, exponent = amount.as_tuple()
    return Decimal((sign, digits, exponent - 2)) if isinstance(exponent, int) else amount


def _time(terms: Terms) -> str:
    if terms.time_in_force is TimeInForce.GOOD_TILL_DATE:
        return "good until " + ("[unknown date]" if terms.expires_at is None else moment_words(terms.expires_at))
    if isinstance(terms.time_in_force, TimeInForce) and terms.time_in_force in _TIMES:
        return _TIMES[terms.time_in_force]
    return f"[unknown time in force{_quoted(terms.time_in_force)}]"


def moment_words(moment: datetime) -> str:
    """A moment in the exchange's time, as exact as it is: “January 15, 2027, 16:00 New York time”."""
    there, name = moment, "UTC"
    if moment.tzinfo is not None:
        # The first and the last day there is have no other zone.
        with suppress(OverflowError):
            there = moment.astimezone(UTC)
        zone = exchange_zone()
        with suppress(OverflowError):
            if zone is not None and not _twice(moment.astimezone(zone)):
                there, name = moment.astimezone(zone), "New York time"
    precise = "%H:%M:%S.%f" if there.microsecond else "%H:%M:%S" if there.second else "%H:%M"
    return f"{day_words(there.date())}, {there.strftime(precise)} {name}"


def _twice(there: datetime) -> bool:
    """Whether clocks show this time twice on that day: they are set back."""
    return there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()


def _existing(terms: Terms, before: Terms | None) -> str:
    name = f"order {terms.order_id or '[unknown order]'}"
    if before is None:
        return name
    words = order_words(before)
    return f"the order to {words[:1].lower()}{words[1:]} ({name})"


def _changed(terms: Terms, before: Terms | None) -> str:
    after = afterwards(before, terms)
    told = [f"{_NAMES[name]} {_SAY[name](value)}" for name in _NAMES if (value := getattr(terms, name)) is not None]
    if after is not None and before is not None:
        told = [
            f"{_NAMES[name]} {_SAY[name](getattr(after, name))} (was {_said(name, getattr(before, name))})"
            for name in _NAMES
            if name in _CHANGEABLE and getattr(terms, name) is not None
        ]
    return " and ".join(told) or "[nothing]"


def changes(old: Terms, new: Terms) -> tuple[str, ...]:
    """What is different, a phrase for each field: “limit price $187.50 → $186.00”."""
    return tuple(
        f"{_NAMES[name]} {_said(name, getattr(old, name))} → {_said(name, getattr(new, name))}"
        for name in _NAMES
        if getattr(old, name) != getattr(new, name)
    )


def _said(name: str, value: Any) -> str:
    return "none" if value is None else _SAY[name](value)


def _word(value: Any) -> str:
    return str(value).replace("_", " ").lower()[:40]


_CHANGEABLE = frozenset(
    {"quantity", "limit_price", "stop_price", "limit_offset", "trailing_offset", "trailing_offset_type"}
)
_NAMES = {
    "quantity": "quantity",
    "order_type": "type",
    "limit_price": "limit price",
    "stop_price": "stop price",
    "limit_offset": "limit offset",
    "trailing_offset": "trailing offset",
    "trailing_offset_type": "unit of the trailing offset",
    "time_in_force": "time in force",
    "expires_at": "expiry",
    "extended_hours": "extended hours",
}
_SAY: dict[str, Callable[[Any], str]] = {
    "quantity": plain,
    "order_type": _word,
    "limit_price": lambda amount: dollars(amount),
    "stop_price": lambda amount: dollars(amount),
    "limit_offset": lambda amount: _money(amount),
    "trailing_offset": plain,
    "trailing_offset_type": _word,
    "time_in_force": _word,
    "expires_at": moment_words,
    "extended_hours": lambda flag: "yes" if flag else "no",
}


def _money(amount: Decimal | None) -> str:
    if amount is None:
        return "[unknown price]"
    return f"−{dollars(amount.copy_negate())}" if amount < 0 else dollars(amount)


def _account(account_id: int, name: str) -> str:
    return f"account {account_id}{f' ({name})' if name else ''}" if account_id else "[unknown account]"


def _quoted(value: object) -> str:
    return "" if value is None else f" “{str(value)[:40]}”"


def underlying(terms: Terms) -> str | None:
    """The ticker that rules about symbols go by."""
    option = read_option(terms.symbol)
    return ticker(option.root if option else terms.symbol)
