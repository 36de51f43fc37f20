"""Reading tickets from SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person
from omnibot.db.engine import Database
from omnibot.db.rows import read_apart
from omnibot.db.tables import ticket_versions, ticket_votes, tickets
from omnibot.orders.model import Proposal, Ticket, TicketState
from omnibot.orders.rows import read_ticket, short
from omnibot.policy.facts import OrderAction

log = structlog.get_logger(__name__)

LONGEST_ID = 80
MOST_LISTED = 200
"""Tickets of a person that are shown in a list."""
TO_DO = and_(
    tickets.c.state.in_([state.value for state in TicketState if not state.terminal or state is TicketState.SUBMITTED]),
    tickets.c.order_over.is_(False),
)
"""What something may still happen to: whoever claims it finds what."""


class TicketReader:
    """Looks at tickets."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def get(self, ticket_id: str) -> Ticket | None:
        """The ticket as the database has it now."""
        found = await self._all(tickets.c.id == ticket_id)
        return found[0] if found else None

    async def find(self, where: ColumnElement[bool], *, limit: int | None = None) -> list[Ticket]:
        """Tickets, the newest first, without those that cannot be read."""
        async with self.database.transaction() as connection:
            return await self.readable(connection, where, limit=limit)

    async def read_all(self, ids: Sequence[str]) -> list[Ticket]:
        """These tickets; raises when one of them cannot be read."""
        return await self._all(tickets.c.id.in_(ids))

    async def _all(self, where: ColumnElement[bool]) -> list[Ticket]:
        async with self.database.transaction() as connection:
            return await self.read(connection, where)

    async def by_token(self, token: str) -> tuple[Ticket, int] | None:
        """The ticket whose version this token is for, as it stands now, and that version."""
        query = select(ticket_versions.c.ticket_id, ticket_versions.c.version).where(ticket_versions.c.token == token)
        async with self.database.transaction() as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            [ticket] = await self.read(connection, tickets.c.id == row.ticket_id)
            return ticket, row.version

    async def of_person(self, person: Person, *, since: datetime) -> list[Ticket]:
        """This person's open tickets and orders, and those made since: the newest `MOST_LISTED`."""
        mine = and_(tickets.c.org == person.org, tickets.c.user == person.user)
        return await self.find(and_(mine, or_(TO_DO, tickets.c.created_at >= since)), limit=MOST_LISTED)

    async def of_message(self, message_id: str) -> list[Ticket]:
        """The tickets of one of Omni's messages, in order, without those that cannot be parsed."""
        found = await self.find(tickets.c.message_id == short(message_id, LONGEST_ID))
        return sorted(found, key=lambda ticket: (ticket.action_id, ticket.position))

    async def count_of_message(self, message_id: str, act: OrderAction) -> int:
        """How many tickets of this kind a message has, also those that cannot be parsed."""
        of_it = and_(tickets.c.message_id == short(message_id, LONGEST_ID), tickets.c.act == act.value)
        async with self.database.transaction() as connection:
            query = select(func.count()).select_from(tickets).where(of_it)
            return int((await connection.execute(query)).scalar_one())

    async def of_action(self, proposal: Proposal) -> list[Ticket]:
        """The tickets that were made of this action, without those that cannot be parsed."""
        return await self.find(_of_action(proposal))

    async def positions_of_action(self, proposal: Proposal) -> set[int]:
        """Which orders of this action have a ticket, also one that cannot be parsed."""
        query = select(tickets.c.position).where(_of_action(proposal))
        async with self.database.transaction() as connection:
            return set((await connection.execute(query)).scalars())

    async def readable(
        self, connection: AsyncConnection, where: ColumnElement[bool], *, limit: int | None = None, lock: bool = False
    ) -> list[Ticket]:
        """As `read`, without those that cannot be read: they stop nothing but themselves."""
        query = select(tickets.c.id).where(where)
        query = query.order_by(tickets.c.id if lock else tickets.c.created_at.desc()).limit(limit)
        ids = list((await connection.execute(query)).scalars())

        async def read(some: Sequence[str]) -> list[Ticket]:
            return await self.read(connection, and_(where, tickets.c.id.in_(some)), lock=lock)

        found, broken = await read_apart(ids, read)
        for ticket_id, error in broken.items():
            log.error("row_unreadable", ticket=ticket_id, error=f"{type(error).__name__}: {error}")
        return found

    async def read(
        self, connection: AsyncConnection, where: ColumnElement[bool], *, limit: int | None = None, lock: bool = False
    ) -> list[Ticket]:
        """Tickets inside a transaction; with `lock`, nobody else changes them until it ends (in the order of ids)."""
        query = select(tickets).where(where)
        query = query.order_by(tickets.c.id).with_for_update() if lock else query.order_by(tickets.c.created_at.desc())
        rows = (await connection.execute(query.limit(limit))).mappings().all()
        ids = [row["id"] for row in rows]
        if not ids:
            return []
        found = select(ticket_versions).where(ticket_versions.c.ticket_id.in_(ids)).order_by(ticket_versions.c.version)
        versions = (await connection.execute(found)).mappings().all()
        found_votes = select(ticket_votes).where(ticket_votes.c.ticket_id.in_(ids)).order_by(ticket_votes.c.created_at)
        votes = (await connection.execute(found_votes)).mappings().all()
        return [read_ticket(row, versions, votes) for row in rows]


def _of_action(proposal: Proposal) -> ColumnElement[bool]:
    message = tickets.c.message_id == short(proposal.message_id, LONGEST_ID)
    return and_(message, tickets.c.action_id == short(proposal.action_id, 2 * LONGEST_ID))
