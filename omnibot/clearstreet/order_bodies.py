"""The exact bodies of orders and replacements, in each revision's words: pure, so that a body can be stored first.

Source: NewOrderRequest and ReplaceOrderRequest of all revisions. Amounts are written as the decimals they are, never
through a float and never with an exponent. What a revision cannot say is refused here, not left out; but for the
type of the instrument, which only 2026-04 asks for, where the symbol says it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from omnibot.clearstreet.models.enums import (
    InstrumentType,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
    TrailingOffsetType,
)
from omnibot.clearstreet.revision import Revision

MAX_CLIENT_ID = 64
"""Characters of a client order id."""

#: Words of 2026-10 for what was called otherwise before.
_NEWER_TIMES = {TimeInForce.AT_THE_OPENING: TimeInForce.AT_OPEN, TimeInForce.AT_THE_CLOSE: TimeInForce.AT_CLOSE}
_OLDER_TIMES = {new: old for old, new in _NEWER_TIMES.items()}
_CROSSINGS = {TimeInForce.GOOD_TILL_CROSSING, TimeInForce.GOOD_THROUGH_CROSSING, TimeInForce.AT_CROSSING}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFields:
    """An order to be placed, in words that are the same in all revisions."""

    client_order_id: str
    """Ours; unique per account for ever."""
    side: Side
    order_type: OrderType
    quantity: Decimal
    time_in_force: TimeInForce
    symbol: str | None = None
    instrument_id: str | None = None
    """Instead of `symbol`."""
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    limit_offset: Decimal | None = None
    trailing_offset: Decimal | None = None
    trailing_offset_type: TrailingOffsetType | None = None
    expires_at: datetime | None = None
    extended_hours: bool | None = None
    position_effect: PositionEffect | None = None
    """In 2026-08 only a short sale says it, by its side."""
    instrument_type: InstrumentType | None = None
    """Written in 2026-04 only; preferred stock cannot be said later."""
    strategy: Mapping[str, Any] | None = None
    """2026-10 only."""


def order_body(order: OrderFields, revision: Revision) -> dict[str, Any]:
    """One element of POST orders.

    `unknown` is written as 2026-10 and `earlier` as 2026-04: where they differ from the revision that answers, it
    refuses the body with a 422 and nothing is placed.

    Raises:
        ValueError: the revision cannot say this, or a field makes no sense; the text says which.
    """
    newest = revision in (Revision.V2026_10, Revision.UNKNOWN)
    if order.instrument_type is InstrumentType.PREFERRED_STOCK and revision is not Revision.V2026_04:
        raise ValueError("only 2026-04 tells preferred stock apart")
    if not 0 < len(order.client_order_id) <= MAX_CLIENT_ID:
        raise ValueError(f"a client order id has 1 to {MAX_CLIENT_ID} characters")
    if (order.symbol is None) == (order.instrument_id is None):
        raise ValueError("an order names either a symbol or an instrument")
    body: dict[str, Any] = {
        "id": order.client_order_id,
        "symbol": order.symbol,
        "instrument_id": order.instrument_id,
        "order_type": order.order_type.value,
        "quantity": decimal_text(order.quantity),
        "time_in_force": _time_in_force(order.time_in_force, revision, newest=newest),
        "expires_at": None if order.expires_at is None else moment_text(order.expires_at),
        "extended_hours": order.extended_hours,
        **_prices(order),
        **(_newest_words(order) if newest else _older_words(order, revision)),
    }
    return {name: value for name, value in body.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What is to change about an open order; None stays as it is."""

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    limit_offset: Decimal | None = None
    trailing_offset: Decimal | None = None
    trailing_offset_type: TrailingOffsetType | None = None


def replace_body(change: Replacement) -> dict[str, Any]:
    """The body of PATCH orders/{id}, the same in all revisions.

    Raises:
        ValueError: nothing changes.
    """
    given = {one.name: getattr(change, one.name) for one in fields(change)}
    body = {
        name: decimal_text(value) if isinstance(value, Decimal) else value.value
        for name, value in given.items()
        if value is not None
    }
    if not body:
        raise ValueError("nothing is to change")
    return body


def decimal_text(amount: Decimal) -> str:
    """An amount as the API writes amounts: digits and a point, as many of them as the amount has.

    Raises:
        ValueError: it is not finite.
    """
    if not amount.is_finite():
        raise ValueError("not an amount")
    return f"{amount:f}"


def moment_text(moment: datetime) -> str:
    """A moment as the API writes moments, in UTC.

    Raises:
        ValueError: it has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _prices(order: OrderFields) -> dict[str, Any]:
    names = ("limit_price", "stop_price", "limit_offset", "trailing_offset")
    amounts: dict[str, Decimal | None] = {name: getattr(order, name) for name in names}
    written: dict[str, Any] = {name: decimal_text(one) for name, one in amounts.items() if one is not None}
    if order.trailing_offset_type is not None:
        written["trailing_offset_type"] = order.trailing_offset_type.value
    return written


def _time_in_force(time: TimeInForce, revision: Revision, *, newest: bool) -> str:
    if time is TimeInForce.OTHER or (time in _CROSSINGS and revision in (Revision.V2026_08, Revision.V2026_10)):
        raise ValueError(f"{time} cannot be sent to this revision")
    return str((_NEWER_TIMES if newest else _OLDER_TIMES).get(time, time))


def _newest_words(order: OrderFields) -> dict[str, Any]:
    """2026-10 has no SELL_SHORT: a sale that opens a position is one."""
    effect = order.position_effect
    if order.side is Side.SELL_SHORT:
        if effect is PositionEffect.CLOSE:
            raise ValueError("a short sale closes nothing")
        return _words(Side.SELL, "position_intent", PositionEffect.OPEN) | {"strategy": order.strategy}
    return _words(order.side, "position_intent", effect) | {"strategy": order.strategy}


def _older_words(order: OrderFields, revision: Revision) -> dict[str, Any]:
    if order.strategy is not None:
        raise ValueError("only 2026-10 has execution strategies")
    if revision is Revision.V2026_08:
        if order.position_effect not in (None, _said_by(order.side)):
            raise ValueError("2026-08 cannot say whether an order opens or closes a position")
        return _words(order.side, "position_effect", None)
    kind = order.instrument_type
    written = {"instrument_type": kind.value} if kind is not None and revision is Revision.V2026_04 else {}
    return _words(order.side, "position_effect", order.position_effect) | written


def _said_by(side: Side) -> PositionEffect | None:
    return PositionEffect.OPEN if side is Side.SELL_SHORT else None


def _words(side: Side, name: str, effect: PositionEffect | None) -> dict[str, Any]:
    if side is Side.OTHER:
        raise ValueError("OTHER is no side an order can have")
    return {"side": side.value, name: None if effect is None else effect.value}
