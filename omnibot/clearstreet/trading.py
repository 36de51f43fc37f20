"""Accounts, what they hold, and orders: one method an endpoint, as far as the bot uses them.

In every method `key` is the API key whose authority is used. Every method raises leaves of `ClearStreetError` and
nothing else. Reads are retried by the transport; POST, PATCH and DELETE of orders are sent at most once: whoever gets
`Unavailable` or `Conflict` from them looks the order up with `list_orders`.

Never called: GET /v1/accounts/{id} (a birth date and an address) and its PATCH (risk limits); the bulk cancel and the
closing of positions (orders that nobody has seen).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from omnibot.clearstreet import pagination
from omnibot.clearstreet.envelope import Answer
from omnibot.clearstreet.models import holdings, orders, resources
from omnibot.clearstreet.models.enums import AccountStatus, OrderStatus
from omnibot.clearstreet.models.holdings import Balances, Position
from omnibot.clearstreet.models.orders import OVER, Order
from omnibot.clearstreet.models.resources import Account
from omnibot.clearstreet.order_bodies import moment_text
from omnibot.clearstreet.revision import Revision
from omnibot.clearstreet.transport import Transport
from omnibot.errors import Conflict, Incomplete, Invalid, NotFound

MAX_ACCOUNTS = 10_000
MAX_POSITIONS = 10_000
MAX_ORDERS = 20_000
"""Orders read of one list; of a longer one it is not known what else it holds."""

ACCOUNT = "/v1/accounts/{account_id}"
ORDERS = f"{ACCOUNT}/orders"
ORDER = f"{ORDERS}/{{order_id}}"

_ONLY_NEWEST = frozenset({OrderStatus.QUEUED, OrderStatus.PENDING_TRIGGER})
"""Statuses that an earlier revision refuses to filter by."""


Note = Callable[[str | None], None]


def _unheard(_request_id: str | None) -> None:
    """Nobody wants to know."""


class Trading:
    """The trading API over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    # What there is

    async def accounts(self, key: str) -> list[Account]:
        """The accounts this key may see, closed ones left out (GET /v1/accounts, 2026-08 and later).

        Raises:
            Incomplete: there are more than can be read.
            ClearStreetError: another of its leaves.
        """
        everything = await pagination.whole(
            self._transport, "/v1/accounts", resources.accounts, key=key, query={}, limit=MAX_ACCOUNTS
        )
        return [account for account in everything if account.status != AccountStatus.CLOSED]

    async def balances(self, key: str, account_id: int) -> Balances:
        """What the account is worth and can spend (GET balances, all revisions)."""
        answer = await self._transport.call("GET", f"{ACCOUNT}/balances", key=key, ids=_ids(account_id))
        return answer.read(holdings.balances)

    async def positions(self, key: str, account_id: int) -> list[Position]:
        """Everything the account holds, long and short (GET positions, all revisions).

        Raises:
            Incomplete: there is more than can be read.
        """
        return await pagination.whole(
            self._transport,
            f"{ACCOUNT}/positions",
            holdings.positions,
            key=key,
            ids=_ids(account_id),
            query={},
            limit=MAX_POSITIONS,
            page_size=pagination.LARGE_PAGE_SIZE,
        )

    # Orders

    async def list_orders(
        self,
        key: str,
        account_id: int,
        *,
        order_ids: Sequence[str] = (),
        statuses: Collection[OrderStatus] = (),
        symbol: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Order]:
        """All such orders of the account, in the API's order (GET orders, all revisions).

        With `order_ids`, Clear Street's ids or client ids, this finds an order at any time, open or over: the call to
        reconcile with. An order may show up here some time after it was accepted. 2026-04 does not look at `order_ids`
        and lists everything, of which the rest is left out here: give `since` too, to keep that short.

        Args:
            order_ids: only orders with one of these ids.
            statuses: only orders in one of these; words an earlier revision does not know make it refuse the call.
            since: only orders created at or after this moment.
            until: only orders created at or before this moment.

        Raises:
            Incomplete: the list was not read to its end, so that it cannot be said which such orders there are.
            ValueError: an id has a comma in it.
        """
        if any("," in one for one in order_ids):
            raise ValueError("an order id has no comma")
        query = {
            "order_ids": ",".join(order_ids) or None,
            "status": ",".join(sorted(statuses)) or None,
            "symbol": symbol,
            "from": None if since is None else moment_text(since),
            "to": None if until is None else moment_text(until),
        }
        listed = await pagination.some(
            self._transport,
            ORDERS,
            orders.orders,
            key=key,
            ids=_ids(account_id),
            query=query,
            limit=MAX_ORDERS,
            page_size=pagination.LARGE_PAGE_SIZE,
        )
        wanted = set(order_ids)
        named = [order for order in listed.items if not wanted or wanted & {order.id, order.client_order_id}]
        if listed.more and not (wanted and _settled(wanted, named)):
            raise Incomplete
        return named

    async def open_orders(self, key: str, account_id: int) -> list[Order]:
        """The orders that are not over yet, of any day (GET orders, all revisions).

        Raises:
            Incomplete: there are more than can be read, or it is not known which revision answers (ask `Omni`
                first), and so not by which words it can be asked for them.
        """
        known = self._transport.revision.revision(asyncio.get_running_loop().time())
        if known is Revision.UNKNOWN:
            raise Incomplete("It is not known which revision of Clear Street's API answers.")
        newest = known is Revision.V2026_10
        statuses = [one for one in OrderStatus if one not in OVER and (newest or one not in _ONLY_NEWEST)]
        found = await self.list_orders(key, account_id, statuses=statuses)
        return [order for order in found if not order.over]

    async def get_order(self, key: str, account_id: int, order_id: str) -> Order:
        """One order (GET orders/{id}, all revisions).

        Args:
            order_id: Clear Street's id; or a client id, which works while the order is open only.

        Raises:
            NotFound: there is none, or the order of this client id is over: `list_orders` still finds it.
        """
        with _about_orders():
            answer = await self._transport.call("GET", ORDER, key=key, ids=_ids(account_id, order_id))
        return answer.read(orders.order)

    async def submit_orders(
        self, key: str, account_id: int, bodies: Sequence[Mapping[str, Any]], *, note: Note = _unheard
    ) -> list[Order]:
        """Place orders; accepted is not filled (POST orders, all revisions). Sent at most once.

        Args:
            bodies: from `order_bodies.order_body`, sent as they are, each with a client id.
            note: is told the answer's request id, as soon as there is an answer.

        Raises:
            Invalid: refused, nothing was placed; `reasons` of `models.refusals` reads why.
            Conflict: an order with this client id exists already: look it up.
            Unavailable: it is not known whether the orders were placed: look them up.
            ValueError: a body has no client id, without which it could not be looked up.
        """
        if not bodies or not all(body.get("id") for body in bodies):
            raise ValueError("an order without a client id cannot be looked up")
        with _about_orders():
            answer = await self._transport.call("POST", ORDERS, key=key, ids=_ids(account_id), body=list(bodies))
        note(answer.request_id)
        return answer.read(orders.orders)

    async def replace_order(
        self, key: str, account_id: int, order_id: str, body: Mapping[str, Any], *, note: Note = _unheard
    ) -> Order:
        """Change an open order; accepted is not replaced (PATCH orders/{id}, all revisions). Sent at most once.

        Afterwards the change may stand in another order, which then has the client id: read again with `list_orders`.

        Args:
            body: from `order_bodies.replace_body`, sent as it is.
            note: as of `submit_orders`.

        Raises:
            NotFound: no open order has this id.
            Invalid: refused, nothing was changed.
            Unavailable: it is not known whether it will be replaced: look it up.
        """
        answer = await self._change("PATCH", key, account_id, order_id, dict(body))
        note(answer.request_id)
        return answer.read(orders.order)

    async def cancel_order(self, key: str, account_id: int, order_id: str, *, note: Note = _unheard) -> Order:
        """Ask for an open order to be canceled; it may still fill (DELETE orders/{id}, all revisions).

        Sent at most once, though it would be safe to repeat.

        Args:
            note: as of `submit_orders`.

        Raises:
            NotFound: no open order has this id.
            Unavailable: it is not known whether it will be canceled: look it up.
        """
        answer = await self._change("DELETE", key, account_id, order_id, None)
        note(answer.request_id)
        return answer.read(orders.order)

    async def _change(self, method: str, key: str, account_id: int, order_id: str, body: Any) -> Answer:
        with _about_orders():
            return await self._transport.call(method, ORDER, key=key, ids=_ids(account_id, order_id), body=body)


def _ids(account_id: int, order_id: str | None = None) -> dict[str, str]:
    account = {"account_id": str(account_id)}
    return account if order_id is None else {**account, "order_id": order_id}


def _settled(wanted: Collection[str], named: Collection[Order]) -> bool:
    """Whether orders of a list that was cut are those wanted: of a replaced one the successor might be missing."""
    ids = {order.id for order in named}
    return all(
        one in ids or any(order.client_order_id == one and order.status != OrderStatus.REPLACED for order in named)
        for one in wanted
    )


_SENTENCES = {
    NotFound: "Clear Street knows no such order, or it is over.",
    Conflict: "Clear Street has an order with this id already.",
    Invalid: "Clear Street did not accept the order.",
}


@contextmanager
def _about_orders() -> Iterator[None]:
    """Errors of the calls inside say what they mean for an order; of a conversation they would say something else."""
    try:
        yield
    except (NotFound, Conflict, Invalid) as error:
        error.args = tuple(sentence for kind, sentence in _SENTENCES.items() if isinstance(error, kind))
        raise
