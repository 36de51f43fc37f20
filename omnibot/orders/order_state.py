"""Orders at Clear Street as tickets see them: matching, progress and meaning. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from omnibot.clearstreet.models.enums import OrderStatus
from omnibot.clearstreet.models.orders import Order
from omnibot.orders.model import LOOKS_OVER, Notification, Ticket
from omnibot.orders.rejections import details
from omnibot.policy.facts import OrderAction

_TOLD = {
    OrderStatus.FILLED: Notification.FILLED,
    OrderStatus.CANCELED: Notification.CANCELED,
    OrderStatus.REJECTED: Notification.REJECTED,
    OrderStatus.EXPIRED: Notification.EXPIRED,
    OrderStatus.REPLACED: Notification.CHANGED,
}
_WAITING = frozenset({OrderStatus.QUEUED, OrderStatus.DONE_FOR_DAY})
LOST = "Another order took its place, and omnibot cannot find which. Look at the account's orders in Clear Street."


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """What an order says about the ticket that placed, cancels or changes it."""

    over: bool
    """There is nothing more to wait for."""
    told: Notification | None = None
    reason: str | None = None
    """In words, where the status alone does not say it."""


def kept(order: Order) -> dict[str, Any]:
    """What is written down of an order: JSON, amounts as text."""
    status = order.status.value if isinstance(order.status, StrEnum) else str(order.status)
    amounts = {
        "quantity": order.quantity,
        "filled": order.filled_quantity,
        "left": order.leaves_quantity,
        "average": order.average_fill_price,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
    }
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "status": status,
        **{name: None if amount is None else f"{amount:f}" for name, amount in amounts.items()},
        "details": [str(one)[:500] for one in order.details[:10]],
        "created_at": None if order.created_at is None else order.created_at.isoformat(),
    }


def newest(orders: Iterable[Order]) -> Order | None:
    """Of orders under one client id the one that counts: after a replacement that is the one which was not replaced."""
    ranked = sorted(orders, key=lambda one: (one.status != OrderStatus.REPLACED, one.created_at or _EPOCH))
    return ranked[-1] if ranked else None


_EPOCH = datetime.fromtimestamp(0, UTC)


def waits(order: Mapping[str, Any]) -> bool:
    """Whether a kept order waits for the market to open."""
    return order.get("status") in _WAITING


def took_effect(ticket: Ticket, order: Order) -> bool:
    """Whether a cancel or a change, of which nobody knows whether it arrived, shows in the order."""
    if order.over:
        return True
    if ticket.terms.act is OrderAction.CANCEL:
        return order.status == OrderStatus.PENDING_CANCEL
    return order.status == OrderStatus.PENDING_REPLACE or is_changed(ticket, order)


def is_changed(ticket: Ticket, order: Order) -> bool:
    """Whether the order is what the replacement wants it to be."""
    return all(_same(wanted, getattr(order, name, None)) for name, wanted in (ticket.body or {}).items())


def _same(wanted: str, value: object) -> bool:
    if isinstance(value, Decimal):
        try:
            return Decimal(wanted) == value
        except InvalidOperation:
            return False
    return value is not None and str(value) == wanted


def progress(ticket: Ticket, order: Order, now: datetime) -> OrderProgress:
    """Where the ticket stands now that its order looks like this.

    Args:
        now: UTC without zone.
    """
    match ticket.terms.act:
        case OrderAction.NEW:
            return _of_new(order)
        case OrderAction.CANCEL:
            return _of_cancel(ticket, order, now)
        case OrderAction.MODIFY:
            return _of_change(ticket, order, now)


def _of_new(order: Order) -> OrderProgress:
    if not order.over or not isinstance(order.status, OrderStatus):
        return OrderProgress(over=False)
    reason = LOST if order.status is OrderStatus.REPLACED else details(order.details) or None
    return OrderProgress(over=True, told=_TOLD[order.status], reason=reason)


def _of_cancel(ticket: Ticket, order: Order, now: datetime) -> OrderProgress:
    if order.over:
        ended = _of_new(order)
        late = "It was filled before it could be canceled." if order.status == OrderStatus.FILLED else ended.reason
        return OrderProgress(over=True, told=ended.told, reason=late)
    if order.status == OrderStatus.PENDING_CANCEL or not _long_since(ticket, now):
        return OrderProgress(over=False)
    return OrderProgress(over=True, told=Notification.REJECTED, reason=_not_done("The order was not canceled", order))


def _of_change(ticket: Ticket, order: Order, now: datetime) -> OrderProgress:
    if order.over:
        ended = _of_new(order)
        if order.status == OrderStatus.REPLACED or is_changed(ticket, order):
            return ended
        return OrderProgress(over=True, told=ended.told, reason=ended.reason or "It ended before it could be changed.")
    if order.status == OrderStatus.PENDING_REPLACE:
        return OrderProgress(over=False)
    if is_changed(ticket, order):
        return OrderProgress(over=True, told=Notification.CHANGED)
    if not _long_since(ticket, now):
        return OrderProgress(over=False)
    return OrderProgress(over=True, told=Notification.REJECTED, reason=_not_done("The order was not changed", order))


def _long_since(ticket: Ticket, now: datetime) -> bool:
    return ticket.submitted_at is not None and now - ticket.submitted_at >= LOOKS_OVER


def _not_done(sentence: str, order: Order) -> str:
    said = details(order.details[-1:])
    return f"{sentence}, and goes on as it was." + (f" Clear Street says: {said}." if said else "")
