"""Keeps order cards in step with their tickets; and the port to Slack for it.

Each ticket has a row that is due while its card lacks the newest change, or somebody is still to be told of it. One
instance at a time works on a card, so that nothing is posted twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog
from sqlalchemy import and_, or_, select, update

from omnibot.db.engine import Database
from omnibot.db.leases import LEASE, Leases
from omnibot.db.tables import ticket_cards
from omnibot.orders.model import MarketView, Notification, Ticket
from omnibot.orders.store import TicketStore

log = structlog.get_logger(__name__)

#: What no card shows.
NEVER = -1
#: Seconds after which a card that could not be shown is tried again, doubling up to the second.
AGAIN, AGAIN_AT_MOST = 2.0, 300.0
#: Seconds after which a card that says that it is being looked at is drawn anew, whatever came of that.
CHECKED = 10.0
#: Seconds that one card may take.
PATIENCE = 60.0


class Cards(Protocol):
    """What Slack does for tickets. Every method may raise; it is then called again later."""

    async def show(self, ticket: Ticket, seen: MarketView | None) -> None:
        """Bring the ticket's card up to what is said here: post it, or change what was posted.

        Args:
            seen: what the market says; None: it is no longer to be decided.
        """

    async def tell(self, ticket: Ticket, what: Notification) -> None:
        """Tell the requester what came of it, in the thread, and directly when they did not approve it themselves.

        Once, but for a crash between telling and writing that down.
        """

    async def checking(self, ticket: Ticket) -> None:
        """Say on the ticket's card, where it is, that somebody's approval is being looked at."""

    async def alert(self, sentence: str, *, by: str | None = None) -> None:
        """Say something to those who run omnibot; `by` is the Slack user id of the person it is about."""


class CardSync:
    """Keeps cards up to date.

    Args:
        look: what the market says about tickets.
    """

    def __init__(
        self, store: TicketStore, cards: Cards, look: Callable[[Sequence[Ticket]], Awaitable[dict[str, MarketView]]]
    ) -> None:
        self._store = store
        self._database: Database = store.database
        self._cards = cards
        self._look = look
        self.leases = Leases(store.database, ticket_cards, store.instance)

    async def claim(self, *, limit: int) -> list[str]:
        """Take cards with something to do; returns the ids of their tickets."""
        stale = or_(ticket_cards.c.shown < ticket_cards.c.wanted, ticket_cards.c.telling.is_not(None))
        return await self.leases.claim(stale, limit=limit)

    async def check(self, ticket: Ticket) -> bool:
        """Say on a card that it is being looked at, unless somebody works on it.

        Returns:
            Whether it may say so now, and `redraw` is needed. Without that it is drawn anew by itself, a little later.
        """
        taken = {"owner": self._store.instance, "lease_until": self._database.after(LEASE)}
        statement = (
            update(ticket_cards)
            .where(ticket_cards.c.id == ticket.id, ticket_cards.c.owner.is_(None))
            .values(shown=NEVER, due_at=self._database.after(CHECKED), **taken)
            .returning(ticket_cards.c.id)
        )
        async with self._database.transaction() as connection:
            if (await connection.execute(statement)).first() is None:
                return False
        try:
            async with asyncio.timeout(PATIENCE):
                await self._cards.checking(ticket)
        except Exception as error:
            log.info("card_not_checking", ticket=ticket.id, error=type(error).__name__)
        mine = and_(ticket_cards.c.id == ticket.id, ticket_cards.c.owner == self._store.instance)
        async with self._database.transaction() as connection:
            # When it is due, somebody may have said meanwhile.
            await connection.execute(update(ticket_cards).where(mine).values(owner=None, lease_until=None))
        return True

    async def redraw(self, ticket_id: str) -> None:
        """Draw a card anew, as its ticket is."""
        statement = update(ticket_cards).where(ticket_cards.c.id == ticket_id)
        async with self._database.transaction() as connection:
            await connection.execute(statement.values(shown=NEVER, due_at=self._database.now()))

    async def work(self, ticket_id: str) -> None:
        """Show what is new, and tell whom it concerns."""
        failures = 0
        try:
            async with asyncio.timeout(PATIENCE):
                await self._work(ticket_id)
        except Exception as error:
            failures = await self._failed(ticket_id)
            log.warning("card_failed", ticket=ticket_id, failures=failures, error=f"{type(error).__name__}: {error}")
        wait = min(AGAIN * 2 ** (failures - 1), AGAIN_AT_MOST) if failures else 0.0
        released = {"owner": None, "lease_until": None, "due_at": self._database.after(wait)}
        async with self._database.transaction() as connection:
            await connection.execute(
                update(ticket_cards)
                .where(ticket_cards.c.id == ticket_id, ticket_cards.c.owner == self._store.instance)
                .values(**released)
            )

    async def _work(self, ticket_id: str) -> None:
        ticket = await self._store.get(ticket_id)
        if ticket is None:
            return
        query = select(ticket_cards).where(ticket_cards.c.id == ticket_id)
        async with self._database.transaction() as connection:
            card = (await connection.execute(query)).mappings().one()
        if card["shown"] < ticket.serial:
            seen = (await self._look([ticket]))[ticket.id] if ticket.decidable else None
            await self._cards.show(ticket, seen)
            if seen is not None:
                await self._store.record_seen(ticket, seen.quote())
            await self._note(ticket_id, shown=ticket.serial)
        if card["telling"] is not None:
            await self._cards.tell(ticket, Notification(card["telling"]))
            await self._note(ticket_id, told=card["telling"])

    async def _note(self, ticket_id: str, *, shown: int | None = None, told: str | None = None) -> None:
        statement = update(ticket_cards).where(ticket_cards.c.id == ticket_id)
        if shown is not None:
            statement = statement.where(ticket_cards.c.shown < shown).values(shown=shown, failures=0)
        else:
            # Something newer is to be told by now: that stays.
            statement = statement.where(ticket_cards.c.telling == told).values(telling=None, failures=0)
        async with self._database.transaction() as connection:
            await connection.execute(statement)

    async def _failed(self, ticket_id: str) -> int:
        statement = (
            update(ticket_cards)
            .where(ticket_cards.c.id == ticket_id)
            .values(failures=ticket_cards.c.failures + 1)
            .returning(ticket_cards.c.failures)
        )
        async with self._database.transaction() as connection:
            return int((await connection.execute(statement)).scalar_one())
