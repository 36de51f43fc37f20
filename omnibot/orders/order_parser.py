"""Proposed actions as typed terms, edits of terms, and the bytes that are sent. Pure; hostile values never raise."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from omnibot.clearstreet.models.actions import (
    Action,
    CancelOrder,
    ModifyOrder,
    NewOrder,
    PrefillCancel,
    PrefillModify,
    PrefillNew,
    read_action,
)
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
from omnibot.clearstreet.models.orders import Order
from omnibot.clearstreet.models.scalars import Number
from omnibot.clearstreet.order_bodies import OrderFields, Replacement, order_body, replace_body
from omnibot.clearstreet.revision import Revision
from omnibot.orders.model import AMOUNTS, WORDS, Terms
from omnibot.policy import money
from omnibot.policy.facts import OrderAction

#: Orders of one action that become tickets; nobody reads more.
MOST = 20
LONGEST_ID = 64
LONGEST_SYMBOL = 40
STRATEGIES = ("SOR", "VWAP", "TWAP", "DMA")
NO_ACCOUNT = 0
"""Stands for an account that nobody named; no order goes on it."""
WHICH_ACCOUNT = "It is not known on which account: Omni was asked without one. Ask again in your messages with me."


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """One order of an action."""

    position: int
    terms: Terms
    raw: Any
    """As Omni proposed it, its own `id` included: recorded, never sent."""


def read_drafts(action: Any, account_id: int | None) -> list[ParsedOrder]:
    """The orders of a `prefill_order` action as the API wrote it; none for every other action.

    Args:
        action: the one-key object, `{"prefill_order": {…}}`, or what `read_action` made of it.
        account_id: the conversation's account.
    """
    read: Action = action if isinstance(action, PrefillNew | PrefillCancel | PrefillModify) else read_action(action)
    account = NO_ACCOUNT if account_id is None else account_id
    if not isinstance(read, PrefillNew | PrefillCancel | PrefillModify):
        return []
    orders: Sequence[NewOrder | CancelOrder | ModifyOrder] = read.orders
    return [ParsedOrder(place, _terms(one, account), exact(one.raw)) for place, one in enumerate(orders[:MOST])]


def exact(raw: Any, depth: int = 8) -> Any:
    """JSON as it came, but numbers as the text they were written as, and nothing nested deeper than a person reads."""
    if isinstance(raw, Number):
        return raw.text
    if depth == 0 and isinstance(raw, dict | list):
        return "…"
    if isinstance(raw, dict):
        return {str(name): exact(value, depth - 1) for name, value in raw.items()}
    if isinstance(raw, list):
        return [exact(value, depth - 1) for value in raw]
    return raw if raw is None or isinstance(raw, bool | str) else str(raw)


def _account(account: int) -> int:
    return account if 0 < account < 2**63 else NO_ACCOUNT


def _terms(order: NewOrder | CancelOrder | ModifyOrder, account: int) -> Terms:
    strange: list[str] = list(order.unknown_fields)
    match order:
        case NewOrder():
            return _new(order, account, strange)
        case CancelOrder():
            return Terms(
                act=OrderAction.CANCEL,
                account_id=_account(order.account_id),
                order_id=_id(order.order_id, strange),
                not_understood=tuple(dict.fromkeys(strange)),
            )
        case ModifyOrder():
            return Terms(
                act=OrderAction.MODIFY,
                account_id=account if order.account_id is None else _account(order.account_id),
                order_id=_id(order.order_id, strange),
                trailing_offset_type=order.trailing_offset_type,
                **_amounts(order, strange),
                not_understood=tuple(dict.fromkeys(strange)),
            )


def _new(order: NewOrder, account: int, strange: list[str]) -> Terms:
    expires = order.expires_at
    if isinstance(expires, str):
        strange.append("expires_at")
        expires = None
    terms = Terms(
        act=OrderAction.NEW,
        account_id=account,
        symbol=_symbol(order.symbol, strange),
        instrument_type=order.instrument_type,
        side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        trailing_offset_type=order.trailing_offset_type,
        position_effect=_position_effect(order, strange),
        expires_at=expires,
        extended_hours=order.extended_hours,
        strategy=_strategy(order.strategy, strange),
        **_amounts(order, strange),
        not_understood=tuple(dict.fromkeys(strange)),
    )
    return understood(terms)


def _symbol(said: str | None, strange: list[str]) -> str | None:
    """Only the symbols of options have blanks: other words in one would read as the order's."""
    symbol = said.strip() if said else ""
    good = symbol.isascii() and symbol.isprintable() and 0 < len(symbol) <= LONGEST_SYMBOL
    if good and (" " not in symbol or read_option(symbol) is not None):
        return symbol
    strange.append("symbol")
    return None


def _position_effect(order: NewOrder, strange: list[str]) -> PositionEffect | UnknownValue | None:
    sent = order.raw if isinstance(order.raw, dict) else {}
    said = {str(value) for name in _EFFECT_NAMES if (value := sent.get(name)) is not None}
    if len(said) <= 1:
        return order.position_effect
    strange.append("position_effect")
    return None


_EFFECT_NAMES = ("position_effect", "position_intent")


def _amounts(order: NewOrder | ModifyOrder, strange: list[str]) -> dict[str, Any]:
    amounts: dict[str, Any] = {}
    for name in AMOUNTS:
        value = getattr(order, name)
        amounts[name] = value if isinstance(value, Decimal) and _legible(value) else None
        if value is not None and amounts[name] is None:
            strange.append(name)
    return amounts


def _legible(amount: Decimal) -> bool:
    """Whether a sentence says the amount to its last digit."""
    return (
        money.known(amount) is not None
        and len(amount.as_tuple().digits) <= money.LONGEST
        and abs(amount.adjusted()) < money.LONGEST - 2  # as basis points it is a hundredth in percent
    )


def _strategy(strategy: Mapping[str, Any] | None, strange: list[str]) -> str | None:
    """Only a plain strategy is understood: settings of one would be sent without a human having read them."""
    if strategy is None:
        return None
    kind = strategy.get("type")
    said = {name for name, value in strategy.items() if value is not None}
    if isinstance(kind, str) and kind in STRATEGIES and said == {"type"}:
        return kind
    strange.append("strategy")
    return None


def _id(order_id: str | None, strange: list[str]) -> str | None:
    good = isinstance(order_id, str) and 0 < len(order_id) <= LONGEST_ID
    if good and order_id is not None and _PLAIN_ID.fullmatch(order_id):
        return order_id
    strange.append("order_id")
    return None


#: No blanks, which would let an id read as words of the sentence, no commas, of which lists are made, and more than
#: dots, which would lead elsewhere in the API's paths.
_PLAIN_ID = re.compile(r"(?=\.*[^.])[!-+\--~]+")


def terms_of(order: Order, account_id: int) -> Terms:
    """An order at Clear Street as terms, to be compared with and to be changed."""
    return Terms(
        act=OrderAction.NEW,
        account_id=account_id if order.account_id is None else order.account_id,
        order_id=order.id,
        symbol=order.symbol,
        instrument_type=order.instrument_type,
        side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        trailing_offset_type=order.trailing_offset_type,
        expires_at=order.expires_at,
        extended_hours=order.extended_hours,
        **{name: getattr(order, name) for name in AMOUNTS},
    )


def afterwards(before: Terms | None, change: Terms) -> Terms | None:
    """The order as it would be after a replacement; None: it is not known what it is now."""
    if before is None:
        return None
    given = {name: value for name in _CHANGEABLE if (value := getattr(change, name)) is not None}
    return replace(before, act=OrderAction.MODIFY, not_understood=change.not_understood, **given)


_CHANGEABLE = (*AMOUNTS, "trailing_offset_type")


# -- what an order of a kind has --------------------------------------------------------------------------------------

#: The prices that each type of order has.
PRICES: Mapping[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("stop_price", "limit_price"),
    OrderType.TRAILING_STOP: ("trailing_offset", "trailing_offset_type"),
    OrderType.TRAILING_STOP_LIMIT: ("trailing_offset", "trailing_offset_type", "limit_offset"),
}
ALL_PRICES = ("limit_price", "stop_price", "limit_offset", "trailing_offset", "trailing_offset_type")


def misfits(terms: Terms, before: Terms | None = None) -> tuple[str, ...]:
    """Names of fields that hold a value, and that what is asked for has not: nobody knows what they would do.

    Args:
        before: the order that is changed.
    """
    given = [one.name for one in fields(terms) if one.name not in _ABOUT and getattr(terms, one.name) is not None]
    match terms.act:
        case OrderAction.CANCEL:
            has: Collection[str] = ("order_id",)
        case OrderAction.MODIFY:
            has = {"order_id", *_CHANGEABLE} - _prices_not_of(None if before is None else before.order_type)
        case _:
            has = {*given} - {"order_id"} - _prices_not_of(terms.order_type) - _contradicting(terms)
    return tuple(name for name in given if name not in has)


_ABOUT = ("act", "account_id", "not_understood")


def _prices_not_of(kind: OrderType | UnknownValue | None) -> set[str]:
    if not isinstance(kind, OrderType) or kind not in PRICES:
        return set()
    return {*ALL_PRICES} - {*PRICES[kind]}


def _contradicting(terms: Terms) -> set[str]:
    """Fields of a new order that contradict its time in force, side or symbol."""
    wrong = set() if terms.time_in_force is TimeInForce.GOOD_TILL_DATE else {"expires_at"}
    if terms.side is Side.SELL_SHORT and terms.position_effect is PositionEffect.CLOSE:
        wrong.add("position_effect")
    if terms.instrument_type is not None and terms.symbol is not None:
        option = read_option(terms.symbol) is not None
        if terms.instrument_type not in ((InstrumentType.OPTION,) if option else _SHARES):
            wrong.add("instrument_type")
    return wrong


_SHARES = (InstrumentType.COMMON_STOCK, InstrumentType.PREFERRED_STOCK)


def understood(terms: Terms, before: Terms | None = None) -> Terms:
    """Terms without what does not fit, which is not understood: with it nothing is sent.

    Args:
        before: as of `misfits`.
    """
    wrong = misfits(terms, before)
    taken: dict[str, Any] = dict.fromkeys(wrong)
    return replace(terms, **taken, not_understood=tuple(dict.fromkeys((*terms.not_understood, *wrong))))


# -- the bytes --------------------------------------------------------------------------------------------------------


def body_of(terms: Terms, client_order_id: str, revision: Revision) -> tuple[dict[str, Any] | None, str | None]:
    """The exact body that is sent, and, where nothing can be sent, why. A cancel has no body."""
    if terms.account_id == NO_ACCOUNT:
        return None, WHICH_ACCOUNT
    strange = unsendable(terms)
    if strange is not None or terms.act is OrderAction.CANCEL:
        return None, strange
    try:
        return (
            _replacement(terms) if terms.act is OrderAction.MODIFY else _order(terms, client_order_id, revision)
        ), None
    except OverflowError:
        return None, "This order cannot be written: its date is out of bounds."
    except ValueError as error:
        return None, f"This order cannot be written: {error}."


def unsendable(terms: Terms) -> str | None:
    """Why terms cannot be sent at all; None: they can."""
    strange = (*terms.not_understood, *misfits(terms))
    if strange:
        return f"Omni proposed something omnibot does not understand: {', '.join(strange[:5])}."
    for name, kind in WORDS.items():
        value = getattr(terms, name)
        if value is not None and (not isinstance(value, kind) or value.value == "OTHER"):
            return f"omnibot does not know what {name.replace('_', ' ')} “{str(value)[:40]}” means."
    if terms.act is not OrderAction.NEW:
        return None if terms.order_id else "It is not said which order this is about."
    lacking = [name for name in _needed(terms) if not getattr(terms, name)]
    return f"The order's {lacking[0].replace('_', ' ')} is missing." if lacking else None


def _needed(terms: Terms) -> list[str]:
    needed = ["side", "order_type", "time_in_force", "quantity", "symbol"]
    if isinstance(terms.order_type, OrderType):
        # An offset of the limit may be nothing.
        needed += [
            one for one in PRICES.get(terms.order_type, ()) if one != "limit_offset" or terms.limit_offset is None
        ]
    if terms.time_in_force is TimeInForce.GOOD_TILL_DATE:
        needed.append("expires_at")
    return needed


def _order(terms: Terms, client_order_id: str, revision: Revision) -> dict[str, Any]:
    given = {one.name: getattr(terms, one.name) for one in fields(terms) if one.name in _SENT}
    strategy = None if terms.strategy is None else {"type": terms.strategy}
    order = OrderFields(client_order_id=client_order_id, strategy=strategy, **cast(Any, given))
    return order_body(order, revision)


_SENT = {one.name for one in fields(OrderFields)} & {one.name for one in fields(Terms)} - {"strategy"}


def _replacement(terms: Terms) -> dict[str, Any]:
    return replace_body(Replacement(**{name: getattr(terms, name) for name in _CHANGEABLE}))


# -- edits ------------------------------------------------------------------------------------------------------------

#: What people may change, by kind of action.
EDITABLE: Mapping[OrderAction, tuple[str, ...]] = {
    OrderAction.NEW: (*AMOUNTS, "trailing_offset_type", "order_type", "time_in_force", "expires_at", "extended_hours"),
    OrderAction.MODIFY: _CHANGEABLE,
    OrderAction.CANCEL: (),
}


def edited(terms: Terms, entered: Mapping[str, Any], now: datetime) -> tuple[Terms, dict[str, str]]:
    """Terms with what a person entered in their place, and by field what is wrong with it.

    Args:
        entered: by field the text of a form (or a `datetime`, a `bool`); an empty text takes a price away. Prices that
            the order's type does not have are taken away by themselves.
        now: aware.
    """
    changes: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, value in entered.items():
        if name not in EDITABLE[terms.act]:
            problems[name] = "This cannot be changed."
            continue
        try:
            changes[name] = _entered(name, value)
        except ValueError as error:
            problems[name] = str(error)
    if changes.get("extended_hours") is False and terms.extended_hours is None:
        # A box that nobody ticked: nothing was said before, and nothing is now.
        changes["extended_hours"] = None
    # What is left empty in a change stays as it is, which says nothing about what Omni meant to make of it.
    said = {name for name, value in changes.items() if terms.act is not OrderAction.MODIFY or value is not None}
    left = tuple(name for name in terms.not_understood if name not in said)
    new = replace(terms, **changes, not_understood=left)
    if terms.act is OrderAction.NEW:
        new = _fitting(new, problems, now)
    for name in misfits(new):
        problems.setdefault(name, "This order has no such thing.")
    return new, problems


def _entered(name: str, value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip() or None
    if value is None or isinstance(value, datetime | bool):
        return value
    kinds = {"order_type": OrderType, "time_in_force": TimeInForce, "trailing_offset_type": TrailingOffsetType}
    if name in kinds:
        return kinds[name](value)
    if name not in AMOUNTS or not isinstance(value, str):
        raise ValueError("This makes no sense.")
    return _amount(name, value)


#: A comma is for thousands only: whoever writes 187,50 means no 18,750.
_NUMBER = re.compile(r"[+-]?\$?([0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,4})(\.[0-9]{1,12})?", re.ASCII)


def _amount(name: str, text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError("Write a number, such as 187.50.")
    amount = Decimal(text.replace(",", "").replace("$", ""))
    if amount <= 0 and name != "limit_offset":
        raise ValueError("This must be more than zero.")
    return amount


def _fitting(terms: Terms, problems: dict[str, str], now: datetime) -> Terms:
    """Terms whose prices and expiry fit their type; what is missing becomes a problem."""
    if not terms.quantity:
        problems.setdefault("quantity", "How much is this order for?")
    kind = terms.order_type
    if isinstance(kind, OrderType) and kind in PRICES:
        terms = _taken_away(terms, _prices_not_of(kind))
        for name in PRICES[kind]:
            if getattr(terms, name) is None:
                problems.setdefault(name, "This type of order needs it.")
    if terms.time_in_force is not TimeInForce.GOOD_TILL_DATE:
        return _taken_away(terms, {"expires_at"})
    expires = terms.expires_at
    if expires is None:
        problems.setdefault("expires_at", "A good-till-date order needs its date.")
    elif (expires if expires.tzinfo else expires.replace(tzinfo=UTC)) <= now:
        problems.setdefault("expires_at", "This is in the past.")
    return terms


def _taken_away(terms: Terms, names: Collection[str]) -> Terms:
    """Terms without the fields that a person's choice of type or time in force excludes, understood or not."""
    taken: dict[str, Any] = dict.fromkeys(names)
    return replace(terms, **taken, not_understood=tuple(one for one in terms.not_understood if one not in names))
