"""Tracking an order at Clear Street to its end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import and_

from omnibot.accounts.service import Keyring, NoAuthority
from omnibot.clearstreet.models.orders import Order
from omnibot.db.tables import tickets
from omnibot.errors import ClearStreetError, RateLimited, Unauthorised
from omnibot.orders.market_reader import MarketReader
from omnibot.orders.model import Notification, Ticket, TicketState, next_look
from omnibot.orders.order_state import kept, progress, waits
from omnibot.orders.store import TicketStore
from omnibot.policy.facts import OrderAction

log = structlog.get_logger(__name__)

LEFT = (
    "This order is followed no more, and it may still be open: the Clear Street key it was sent with is not linked "
    "any more. Look after it in Clear Street."
)


class Tracking:
    """Keeps submitted tickets up to what their orders do."""

    def __init__(
        self, store: TicketStore, keyring: Keyring, market: MarketReader, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._market = market
        self._clock = clock

    async def follow(self, ticket: Ticket) -> None:
        """Look at the order once. Raises OwnershipLost: somebody else has the ticket."""
        key = None
        try:
            key = await self._keyring.key_of(ticket.principal)
            order = await self._read(key, ticket)
        except NoAuthority:
            await self._store.move(ticket, TicketState.SUBMITTED, tell=Notification.LEFT, order_over=True, reason=LEFT)
            return
        except ClearStreetError as error:
            await self._failed(ticket, key, error)
            return
        now = self._clock()
        if order is None:
            # It was there: it is merely not listed right now.
            await self._store.rest(ticket, self._pace(ticket, now))
            return
        await self._note(ticket, order, now)

    async def _read(self, key: str, ticket: Ticket) -> Order | None:
        known = ticket.order or {}
        return await self._market.existing(
            key,
            ticket.account_id,
            ticket.order_id or "",
            client_order_id=known.get("client_order_id") or None,
            since=ticket.created_at.replace(tzinfo=UTC) if ticket.terms.act is OrderAction.NEW else None,
        )

    async def _note(self, ticket: Ticket, order: Order, now: datetime) -> None:
        been, seen = progress(ticket, order, now), kept(order)
        if not been.over and seen == ticket.order:
            await self._store.rest(ticket, self._pace(ticket, now))
            return
        told = been.told
        if (
            told is not None
            and ticket.terms.act is not OrderAction.NEW
            and order.over
            and await self._own_card(ticket, order)
        ):
            told = None
        await self._store.move(
            ticket,
            TicketState.SUBMITTED,
            tell=told,
            after=next_look(timedelta(0), waiting=waits(seen)),
            order=seen,
            order_id=order.id,
            order_over=been.over,
            changed_at=now,
            reason=been.reason,
            facts={"told": None if told is None else told.value},
        )
        log.info("order_changed", ticket=ticket.id, order=order.id, status=seen["status"], over=been.over)

    async def _own_card(self, ticket: Ticket, order: Order) -> bool:
        """Whether the order has a card of its own, which tells of its end: nobody needs to hear it twice."""
        own = and_(tickets.c.client_order_id == order.client_order_id, tickets.c.id != ticket.id)
        return bool(await self._store.find(own, limit=1))

    async def _failed(self, ticket: Ticket, key: str | None, error: ClearStreetError) -> None:
        log.info("order_look_failed", ticket=ticket.id, status=error.status, api=error.request_id)
        if isinstance(error, Unauthorised) and key is not None:
            # The next look finds the key broken.
            with contextlib.suppress(NoAuthority):
                await self._keyring.judge(ticket.principal, key, error)
        wait = error.retry_after if isinstance(error, RateLimited) else 5.0
        await self._store.rest(ticket, max(wait, self._pace(ticket, self._clock())))

    def _pace(self, ticket: Ticket, now: datetime) -> float:
        return next_look(now - (ticket.changed_at or now), waiting=waits(ticket.order or {}))
