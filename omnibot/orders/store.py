"""Tickets in SQL (their approval: approvals.py). Each transition is one guarded UPDATE, its audit rows beside it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person
from omnibot.db.engine import Database
from omnibot.db.leases import LEASE, Leases
from omnibot.db.presence import is_dead
from omnibot.db.tables import halts, ticket_versions, ticket_votes, tickets
from omnibot.errors import OwnershipLost
from omnibot.orders.audit import Audit, Entry
from omnibot.orders.facts import holding, sells
from omnibot.orders.model import (
    APPROVAL_LASTS,
    DECIDABLE,
    Proposal,
    State,
    Terms,
    Ticket,
    client_order_id,
    content_hash,
    write_terms,
)
from omnibot.orders.rows import read_ticket, short
from omnibot.policy.facts import Act

LONGEST_ID = 80
_TO_DO = or_(
    tickets.c.state.in_([state.value for state in State if not state.terminal]),
    and_(tickets.c.state == State.SUBMITTED.value, tickets.c.order_over.is_(False)),
)
HALTED = "Trading was halted before this was sent. Nothing was sent."
TOO_LATE = "It was approved, but could not be sent at once, so nothing was sent. Ask Omni again for a fresh one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """One order to be made a ticket."""

    position: int
    terms: Terms
    proposed: Any
    before: Terms | None
    account_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A version's terms and bytes."""

    terms: Terms
    body: dict[str, Any] | None
    unsendable: str | None


class TicketStore:
    """What orders remembers."""

    def __init__(self, database: Database, instance: str, audit: Audit) -> None:
        self.database = database
        self.instance = instance
        self.audit = audit
        self.leases = Leases(database, tickets, instance)

    # Minting.

    async def mint(
        self,
        proposal: Proposal,
        minted: Minted,
        content: Content,
        *,
        ticket_id: str,
        now: datetime,
        expires_at: datetime,
    ) -> tuple[Ticket, bool]:
        """Make a ticket of an order, or find the one it already is.

        Returns:
            The ticket, and whether it is new.
        """
        terms = minted.terms
        place = {
            "message_id": short(proposal.message_id, LONGEST_ID),
            "action_id": short(proposal.action_id, 2 * LONGEST_ID),
            "position": minted.position,
        }
        row: dict[str, Any] = {
            **place,
            "id": ticket_id,
            "org": proposal.owner.org,
            "user": proposal.owner.user,
            "team": proposal.team,
            "channel": proposal.channel,
            "thread_ts": proposal.thread_ts,
            "turn_id": proposal.turn_id,
            "principal": proposal.principal,
            "account_id": terms.account_id,
            "account_name": minted.account_name,
            "proposed": minted.proposed,
            "state": State.PROPOSED.value,
            "version": 1,
            "act": terms.act.value,
            "before": None if minted.before is None else write_terms(minted.before),
            "client_order_id": client_order_id(ticket_id),
            "order_id": terms.order_id,
            **_held(terms, minted.before),
            **_FRESH,
            "due_at": self.database.after((expires_at - now).total_seconds()),
            "created_at": now,
            "expires_at": expires_at,
        }
        async with self.database.transaction() as connection:
            insert = sqlite_insert if self.database.single_process else postgresql_insert
            made = await connection.execute(
                insert(tickets).values(**row).on_conflict_do_nothing().returning(tickets.c.id)
            )
            new = made.first() is not None
            if new:
                await self._add_version(connection, ticket_id, 1, content, (), None, now)
            [ticket] = await self.read(connection, and_(*[tickets.c[name] == value for name, value in place.items()]))
            if new:
                facts = {"terms": write_terms(terms), "body": content.body, "proposed": minted.proposed}
                await self.audit.append(connection, Entry(kind="proposed", ticket=ticket, facts=facts))
        return ticket, new

    async def _add_version(
        self,
        connection: AsyncConnection,
        ticket_id: str,
        version: int,
        content: Content,
        changes: Sequence[str],
        editor: Person | None,
        now: datetime,
    ) -> None:
        row = {
            "ticket_id": ticket_id,
            "version": version,
            "token": secrets.token_urlsafe(24),
            "terms": write_terms(content.terms),
            "body": content.body,
            "unsendable": content.unsendable,
            "content_hash": content_hash(content.terms, content.body),
            "changes": list(changes),
            "org": editor.org if editor else None,
            "user": editor.user if editor else None,
            "created_at": now,
        }
        await connection.execute(ticket_versions.insert().values(**row))

    # Reading.

    async def get(self, ticket_id: str) -> Ticket | None:
        """The ticket as the database has it now."""
        found = await self.find(tickets.c.id == ticket_id)
        return found[0] if found else None

    async def find(self, where: ColumnElement[bool], *, limit: int | None = None) -> list[Ticket]:
        """Tickets, the newest first."""
        async with self.database.transaction() as connection:
            return await self.read(connection, where, limit=limit)

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
        """This person's open tickets and orders, and those made since."""
        mine = and_(tickets.c.org == person.org, tickets.c.user == person.user)
        return await self.find(and_(mine, or_(_TO_DO, tickets.c.created_at >= since)), limit=200)

    async def of_message(self, message_id: str) -> list[Ticket]:
        """The tickets of one of Omni's messages, in order."""
        found = await self.find(tickets.c.message_id == short(message_id, LONGEST_ID))
        return sorted(found, key=lambda ticket: (ticket.action_id, ticket.position))

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

    # Transitions.

    async def move(self, ticket: Ticket, to: State, *entries: Entry, release: bool = False, **changes: Any) -> Ticket:
        """Go from the state `ticket` is in to another (or the same), changing columns on the way.

        Args:
            entries: what the audit is told of it.
            release: it is nobody's afterwards.

        Raises:
            OwnershipLost: it is not in that state any more, or not ours.
        """
        async with self.database.transaction() as connection:
            moved = await self.change(connection, ticket, to, tickets.c.owner == self.instance, release, **changes)
            await self.audit.append(connection, *entries)
            return moved

    async def change(
        self,
        connection: AsyncConnection,
        ticket: Ticket,
        to: State,
        guard: ColumnElement[bool],
        release: bool,
        /,
        **changes: Any,
    ) -> Ticket:
        """One guarded UPDATE. Raises OwnershipLost as `move`."""
        if release or to.terminal:
            changes |= {"owner": None, "lease_until": None}
        if to.terminal and not ticket.state.terminal:
            changes |= {"ended_at": changes.get("ended_at") or datetime.now(UTC).replace(tzinfo=None)}
        statement = (
            update(tickets)
            .where(
                tickets.c.id == ticket.id,
                tickets.c.state == ticket.state.value,
                tickets.c.version == ticket.version,
                tickets.c.attempts == ticket.attempts,
                guard,
            )
            .values(state=to.value, serial=tickets.c.serial + 1, **changes)
            .returning(tickets.c.id)
        )
        if (await connection.execute(statement)).first() is None:
            raise OwnershipLost
        [moved] = await self.read(connection, tickets.c.id == ticket.id)
        return moved

    async def edit(
        self, ticket: Ticket, content: Content, changes: Sequence[str], editor: Person, now: datetime
    ) -> Ticket:
        """A new version with its own token; approvals of the one before count no more.

        Raises:
            OwnershipLost: it was decided or edited meanwhile.
        """
        async with self.database.transaction() as connection:
            await self._add_version(connection, ticket.id, ticket.version + 1, content, changes, editor, now)
            moved = await self.change(
                connection,
                ticket,
                State.PROPOSED,
                tickets.c.expires_at > now,
                True,
                version=ticket.version + 1,
                **_held(content.terms, ticket.before),
            )
            facts = {"changes": list(changes), "terms": write_terms(content.terms), "body": content.body}
            await self.audit.append(connection, Entry(kind="edited", actor=editor, ticket=moved, facts=facts))
            return moved

    async def decline(self, ticket: Ticket, who: Person, reason: str | None) -> Ticket:
        """Somebody said no. Raises OwnershipLost: it was decided or edited meanwhile."""
        async with self.database.transaction() as connection:
            decided = {"decided_org": who.org, "decided_user": who.user, "reason": reason}
            moved = await self.change(connection, ticket, State.DECLINED, tickets.c.state.is_not(None), True, **decided)
            entry = Entry(kind="declined", actor=who, ticket=moved, facts={"reason": reason})
            await self.audit.append(connection, entry)
            return moved

    async def begin(self, ticket: Ticket, now: datetime) -> Ticket:
        """Write down that a call is about to be made; from here on its outcome is unknown until it is known.

        Returns:
            The ticket, submitting; or declined, because trading was halted meanwhile; or expired, because its approval
            is too old.

        Raises:
            OwnershipLost: somebody else has it.
        """
        mine = tickets.c.owner == self.instance
        async with self.database.transaction() as connection:
            halted = await is_halted(connection)
            if halted is not False and ticket.terms.act is not Act.CANCEL:
                moved = await self.change(connection, ticket, State.DECLINED, mine, True, reason=HALTED)
            elif ticket.approved_at is None or now - ticket.approved_at > APPROVAL_LASTS:
                moved = await self.change(connection, ticket, State.EXPIRED, mine, True, reason=TOO_LATE)
            else:
                moved = await self.change(
                    connection,
                    ticket,
                    State.SUBMITTING,
                    mine,
                    False,
                    attempts=ticket.attempts + 1,
                    submitted_at=now,
                    lease_until=self.database.after(LEASE),
                    due_at=self.database.after(LEASE),
                )
            await self.audit.append(connection, Entry(kind=moved.state.value, ticket=moved))
            return moved

    # Whose turn it is.

    async def claim(self, *, limit: int) -> list[Ticket]:
        """Take tickets with something to do."""
        rows = await self.leases.claim(_TO_DO, limit=limit)
        ids = [row["id"] for row in rows]
        return await self.find(tickets.c.id.in_(ids)) if ids else []

    async def take(self, ticket_id: str) -> Ticket | None:
        """Take one ticket, due or not; None: there is nothing to do, or somebody else has it."""
        free = or_(tickets.c.owner.is_(None), tickets.c.lease_until < self.database.now())
        if self.database.single_process:
            free = or_(free, tickets.c.owner != self.instance)
        else:
            free = or_(free, is_dead(tickets.c.owner, lease_seconds=LEASE))
        statement = (
            update(tickets)
            .where(tickets.c.id == ticket_id, _TO_DO, free)
            .values(owner=self.instance, lease_until=self.database.after(LEASE))
            .returning(tickets.c.id)
        )
        async with self.database.transaction() as connection:
            if (await connection.execute(statement)).first() is None:
                return None
            [ticket] = await self.read(connection, tickets.c.id == ticket_id)
            return ticket

    # Cards.

    async def unshown(self, *, limit: int) -> list[Ticket]:
        """Tickets that changed since their card was last written."""
        return await self.find(tickets.c.shown < tickets.c.serial, limit=limit)

    async def mark_shown(self, ticket: Ticket) -> None:
        """Its card shows this change."""
        statement = (
            update(tickets)
            .where(tickets.c.id == ticket.id, tickets.c.shown < ticket.serial)
            .values(shown=ticket.serial)
        )
        async with self.database.transaction() as connection:
            await connection.execute(statement)

    async def mark_seen(self, ticket: Ticket, quote: Mapping[str, Any]) -> None:
        """What the card shows of the market."""
        async with self.database.transaction() as connection:
            await connection.execute(update(tickets).where(tickets.c.id == ticket.id).values(seen=dict(quote)))

    # The link is gone.

    async def forget(self, connection: AsyncConnection, principals: Collection[str]) -> Mapping[str, int]:
        """A link was forgotten: its waiting tickets expire, in the same transaction; what works is only counted."""
        waiting = and_(tickets.c.principal.in_(principals), tickets.c.state.in_([one.value for one in DECIDABLE]))
        expired = await self.read(connection, waiting, lock=True)
        for ticket in expired:
            reason = "The Clear Street key it would have been sent with was unlinked."
            moved = await self.change(connection, ticket, State.EXPIRED, tickets.c.id.is_not(None), True, reason=reason)
            await self.audit.append(connection, Entry(kind="expired", ticket=moved, facts={"reason": reason}))
        query = select(tickets.c.id).where(tickets.c.principal.in_(principals), _TO_DO)
        working = (await connection.execute(query)).all()
        return {"waiting tickets": len(expired), "open orders": len(working)}


async def is_halted(connection: AsyncConnection) -> bool | None:
    """Whether trading is halted; nobody halts until this transaction ends. None: it is not known."""
    query = select(halts.c.halted).where(halts.c.id == 1).with_for_update(read=True)
    halted: bool | None = (await connection.execute(query)).scalar_one_or_none()
    return halted


_FRESH: Mapping[str, Any] = {
    "attempts": 0,
    "looks": 0,
    "ops_told": False,
    "order_over": False,
    "serial": 1,
    "shown": 0,
    "seen": None,
}


def _held(terms: Terms, before: Terms | None) -> dict[str, Any]:
    """What a ticket takes from a position, for those that are checked after it."""
    about = before if terms.act is Act.MODIFY and before is not None else terms
    quantity = terms.quantity or about.quantity
    return {
        "holding": holding(about)[:64],
        "sells": f"{quantity:f}" if sells(terms, before) and quantity is not None else None,
    }
