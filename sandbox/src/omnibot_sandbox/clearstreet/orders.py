"""The order endpoints, and orders as each revision writes them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from omnibot_sandbox.clearstreet.calendar import nanoseconds
from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.exchange import Exchange, Order
from omnibot_sandbox.clearstreet.instruments import Instrument
from omnibot_sandbox.clearstreet.order_bodies import AMOUNTS, Wanted, changed, read_orders, read_replacement
from omnibot_sandbox.clearstreet.order_checks import check_amounts, check_order
from omnibot_sandbox.clearstreet.order_search import read_search, write_status
from omnibot_sandbox.clearstreet.paging import cut
from omnibot_sandbox.clearstreet.revision import JSON, NEWER_TIMES, Revision
from omnibot_sandbox.clearstreet.visits import Answer, Handler, Visit

_PAGE_SIZE = 1000


class Orders:
    """What one can do with orders."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    @property
    def routes(self) -> dict[str, Handler]:
        """The endpoints by method and path."""
        orders = "/v1/accounts/{account_id}/orders"
        return {
            f"GET {orders}": self.list_orders,
            f"POST {orders}": self.submit_orders,
            f"GET {orders}/{{order_id}}": self.get_order,
            f"PATCH {orders}/{{order_id}}": self.replace_order,
            f"DELETE {orders}/{{order_id}}": self.cancel_order,
        }

    def list_orders(self, visit: Visit) -> Answer:
        """An account's orders, oldest first, of any day."""
        account_id = _account(visit)
        search = read_search(visit.query, visit.revision, self.exchange.market)
        found = [order for order in self.exchange.of(account_id, visible=True) if search.finds(order)]
        page, metadata = cut(found, visit.query, _PAGE_SIZE, newest_first=False, nulls=True, largest=_PAGE_SIZE)
        if not visit.revision.explicit_nulls:
            metadata = {name: value for name, value in metadata.items() if value is not None}
        return Answer([write_order(order, visit.revision) for order in page], metadata, explicit=True)

    def submit_orders(self, visit: Visit) -> Answer:
        """Accept new orders: all of them or none."""
        account = visit.open_account(_account(visit))
        wishes = read_orders(visit.raw, visit.revision)
        accepted: list[tuple[str, Wanted, Instrument]] = []
        for wish in wishes:
            instrument = self.exchange.market.instruments.find(wish.symbol)
            if instrument is None:
                raise ApiError(400, f"Instrument not found for symbol `{wish.symbol}`")
            if visit.revision.position_effect and instrument.underlying and wish.position_effect is None:
                raise ApiError(400, "position_effect is required for OPTION orders")
            id = self.exchange.draw_id()
            if wish.client_order_id and wish.client_order_id in {other.client_order_id for _, other, _ in accepted}:
                raise ApiError(409, f"Order {wish.client_order_id} already exists for account {account['id']}")
            check_order(self.exchange, account, id, wish, instrument)
            accepted.append((id, wish, instrument))
        placed = [self.exchange.place(id, account["id"], wish, instrument) for id, wish, instrument in accepted]
        return _answer([write_order(order, visit.revision) for order in placed])

    def get_order(self, visit: Visit) -> Answer:
        """One order, by its id or, while it is open, by its client id."""
        return _answer(write_order(self._order(visit, visible=True), visit.revision))

    def replace_order(self, visit: Visit) -> Answer:
        """Ask for an open order to be changed; the answer shows it as it shall be."""
        order = self._order(visit)
        changes = read_replacement(visit.raw)
        if order.over:
            raise ApiError(400, f"Order {order.id} is {order.status} and cannot be replaced")
        if order.status == "PENDING_CANCEL":
            raise ApiError(400, f"Order {order.id} is being canceled")
        amounts = {name: changes[name] for name in AMOUNTS if name in changes}
        check_amounts(amounts, order.instrument, order.id)
        if changes.get("quantity", order.wanted.quantity) < order.filled:
            raise ApiError(400, "Order quantity must not be less than the filled quantity")
        self.exchange.replace(order, changes)
        return _answer(write_order(replace(order, wanted=changed(order.wanted, changes)), visit.revision))

    def cancel_order(self, visit: Visit) -> Answer:
        """Ask for an open order to be canceled."""
        order = self._order(visit)
        if order.over:
            raise _not_found(visit, order.account_id)
        self.exchange.cancel(order)
        return _answer(write_order(order, visit.revision))

    def _order(self, visit: Visit, *, visible: bool = False) -> Order:
        account_id = _account(visit)
        order = self.exchange.find(account_id, visit.path["order_id"], visible=visible)
        if order is None:
            raise _not_found(visit, account_id)
        return order


def write_order(order: Order, revision: Revision) -> JSON:
    """An order as a revision writes it."""
    wanted, instrument = order.wanted, order.instrument
    amounts = {name: _text(wanted.amount(name)) for name in AMOUNTS}
    out: JSON = {
        "account_id": order.account_id,
        "average_fill_price": None if order.average is None else _price(order.average),
        "client_order_id": order.client_order_id,
        "created_at": nanoseconds(order.created_at),
        "filled_quantity": f"{order.filled:f}",
        "id": order.id,
        "instrument_id": instrument.id,
        "instrument_type": instrument.type,
        "leaves_quantity": f"{order.left:f}",
        "limit_price": amounts["limit_price"],
        "order_type": wanted.order_type,
        "quantity": f"{wanted.quantity:f}",
        "side": "SELL" if revision.intents and wanted.side == "SELL_SHORT" else wanted.side,
        "status": write_status(order.status, revision),
        "stop_price": amounts["stop_price"],
        "symbol": instrument.symbol,
        "time_in_force": NEWER_TIMES.get(wanted.time_in_force, wanted.time_in_force)
        if revision.intents
        else wanted.time_in_force,
        "updated_at": nanoseconds(order.updated_at),
        "venue": instrument.venue,
    }
    if order.details:
        out["details"] = list(order.details)
    extras = _extras(order, amounts)
    if revision.intents:
        underlying = instrument.underlying
        extras |= {
            "strategy": wanted.strategy,
            "underlying_instrument_type": None if underlying is None else underlying.type,
        }
    return {**out, **(extras if revision.explicit_nulls else {n: v for n, v in extras.items() if v is not None})}


def _extras(order: Order, amounts: dict[str, str | None]) -> JSON:
    wanted, queued = order.wanted, order.status == "QUEUED"
    trailing = wanted.order_type.startswith("TRAILING")
    underlying = order.instrument.underlying
    return {
        "expires_at": None if wanted.expires_at is None else nanoseconds(wanted.expires_at),
        "extended_hours": wanted.extended_hours,
        "limit_offset": amounts["limit_offset"],
        "queue_state": "AWAITING_RELEASE" if queued else None,
        "trailing_limit_px": None if not trailing or order.limit is None else _price(order.limit),
        "trailing_offset": amounts["trailing_offset"],
        "trailing_offset_type": wanted.trailing_offset_type,
        "trailing_stop_px": None if order.trailing_stop is None else _price(order.trailing_stop),
        "trailing_watermark_px": _text(order.watermark),
        "trailing_watermark_ts": None if order.watermark_at is None else nanoseconds(order.watermark_at),
        "underlying_instrument_id": None if underlying is None else underlying.id,
    }


def _answer(data: Any) -> Answer:
    return Answer(data, {}, explicit=True)


def _account(visit: Visit) -> int:
    account_id = visit.account_in_path()
    visit.allow(account_id)
    return account_id


def _not_found(visit: Visit, account_id: int) -> ApiError:
    return ApiError(404, f"Order {visit.path['order_id']} not found for account {account_id}")


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _price(amount: Decimal) -> str:
    """At most four digits after the point, at least two."""
    text = f"{amount:.4f}"
    return text[:-2] if text.endswith("00") else text
