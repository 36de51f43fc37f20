"""Tickets in SQL (approval: approvals.py). Each transition is one guarded UPDATE with its audit rows."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person
from omnibot.db.engine import Database
from omnibot.db.leases import LEASE, Leases
from omnibot.db.presence import is_dead
from omnibot.db.rows import read_apart
from omnibot.db.tables import halts, ticket_cards, ticket_versions, tickets
from omnibot.errors import OwnershipLost
from omnibot.orders.audit import Audit, Entry, identity_of
from omnibot.orders.audit_heads import AuditDiffers
from omnibot.orders.authority import authorise, require_authority
from omnibot.orders.locks import lock_account
from omnibot.orders.model import (
    APPROVAL_LASTS,
    CLOCK_STEP,
    DECIDABLE,
    UNDER_WAY,
    Notification,
    Proposal,
    Terms,
    Ticket,
    TicketState,
    client_order_id,
    content_hash,
    write_terms,
)
from omnibot.orders.queries import LONGEST_ID, TO_DO, TicketReader
from omnibot.orders.risk_facts import holding, sells
from omnibot.orders.rows import short
from omnibot.policy.facts import OrderAction

log = structlog.get_logger(__name__)

_NO_FACTS: Mapping[str, Any] = {}
NEWER_CHANGE = "A newer change of the same order took its place."
HALTED = "Trading was halted before this was sent. Nothing was sent."
TOO_LATE = "It was approved, but could not be sent at once, so nothing was sent. Ask Omni again for a fresh one."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicket:
    """One order to be made a ticket."""

    position: int
    terms: Terms
    proposed: Any
    before: Terms | None
    account_name: str
    order: dict[str, Any] | None = None
    """What is known of the order that is canceled or changed."""
    author: Person | None = None
    """Who entered these terms, or asked for the cancel; None: they are Omni's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A version's terms and bytes."""

    terms: Terms
    body: dict[str, Any] | None
    unsendable: str | None


class TicketStore(TicketReader):
    """What orders remembers."""

    def __init__(self, database: Database, instance: str, audit: Audit) -> None:
        super().__init__(database)
        self.instance = instance
        self.audit = audit
        self.leases = Leases(database, tickets, instance)

    # Minting.

    async def mint(
        self,
        proposal: Proposal,
        minted: NewTicket,
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
            "state": TicketState.PROPOSED.value,
            "version": 1,
            "act": terms.act.value,
            "before": None if minted.before is None else write_terms(minted.before),
            "client_order_id": client_order_id(ticket_id),
            "order": minted.order,
            "order_id": terms.order_id,
            **_held(terms, minted.before),
            **_FRESH,
            "due_at": self.database.after((expires_at - now).total_seconds()),
            "created_at": now,
            "expires_at": expires_at,
        }
        there = and_(*[tickets.c[name] == value for name, value in place.items()])
        async with self.database.transaction() as connection:
            insert = sqlite_insert if self.database.single_process else postgresql_insert
            if terms.act is not OrderAction.NEW:
                # Two changes of one order that are asked for at once take turns, and the later one finds the earlier.
                await lock_account(self.database, connection, terms.account_id)
            if (found := await self.read(connection, there)) != []:
                return found[0], False
            await self._replace_undecided(connection, terms)
            made = await connection.execute(
                insert(tickets).values(**row).on_conflict_do_nothing(index_elements=list(place)).returning(tickets.c.id)
            )
            new = made.first() is not None
            if new:
                await self._add_version(connection, ticket_id, 1, content, (), minted.author, now)
                card = {"id": ticket_id, "wanted": 1, "shown": 0, "failures": 0, "due_at": self.database.now()}
                await connection.execute(ticket_cards.insert().values(**card))
            [ticket] = await self.read(connection, there)
            if new:
                facts = {"terms": write_terms(terms), "body": content.body, "proposed": minted.proposed}
                entry = Entry(kind="proposed", actor=minted.author, ticket=ticket, facts=facts)
                await self.audit.append(connection, entry)
        return ticket, new

    async def _replace_undecided(self, connection: AsyncConnection, terms: Terms) -> None:
        """Of the changes and cancels of one order the newest waits for people; one before it that still waits expires.

        Each would be judged by the order as it is, and together they would make an order that nobody judged.
        """
        if terms.act is OrderAction.NEW or terms.order_id is None:
            return
        undecided = and_(_changes_of(terms.account_id, terms.order_id), tickets.c.state == TicketState.PROPOSED.value)
        for older in await self.readable(connection, undecided, lock=True):
            moved = await self.change(
                connection, older, TicketState.EXPIRED, tickets.c.id.is_not(None), True, reason=NEWER_CHANGE
            )
            await self.audit.append(connection, Entry(kind="expired", ticket=moved, facts={"reason": NEWER_CHANGE}))
        await self._expire_unparsed(connection, undecided, NEWER_CHANGE)

    async def _expire_unparsed(self, connection: AsyncConnection, which: ColumnElement[bool], reason: str) -> None:
        """Expire tickets by their columns alone: one that cannot be parsed must not keep its order from a cancel."""
        current = and_(ticket_versions.c.ticket_id == tickets.c.id, ticket_versions.c.version == tickets.c.version)
        query = select(tickets, ticket_versions.c.content_hash).outerjoin(ticket_versions, current).where(which)
        for row in (await connection.execute(query.with_for_update(of=tickets))).all():
            ended = datetime.now(UTC).replace(tzinfo=None)
            changes = {"state": TicketState.EXPIRED.value, "reason": reason, "owner": None, "lease_until": None}
            await connection.execute(
                update(tickets).where(tickets.c.id == row.id).values(serial=row.serial + 1, ended_at=ended, **changes)
            )
            await connection.execute(
                update(ticket_cards).where(ticket_cards.c.id == row.id).values(wanted=row.serial + 1)
            )
            log.error("ticket_expired_unparsed", ticket=row.id)
            await self.audit.append(
                connection, Entry(kind="expired", facts={"reason": reason}, unparsed=identity_of(row))
            )

    async def other_changes(
        self, connection: AsyncConnection, ticket: Ticket, *, since: datetime, among: Collection[str]
    ) -> tuple[list[Ticket], bool]:
        """Other changes and cancels of the same order that an approval has to take into account.

        Args:
            ticket: a change or cancel.
            since: those that went out after this moment, UTC without zone, may not show in the order yet.
            among: ids of tickets that are approved together with it.

        Returns:
            Those that can be parsed, and whether there are others.
        """
        matters = or_(
            tickets.c.state.in_([state.value for state in UNDER_WAY]),
            and_(tickets.c.state == TicketState.SUBMITTED.value, tickets.c.submitted_at > since),
            tickets.c.id.in_(list(among)),
        )
        same = _changes_of(ticket.account_id, ticket.terms.order_id or "")
        others = and_(same, tickets.c.id != ticket.id, matters)
        found = await self.readable(connection, others)
        count: int = (await connection.execute(select(func.count()).select_from(tickets).where(others))).scalar_one()
        return found, count > len(found)

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

    # Transitions.

    async def move(
        self,
        ticket: Ticket,
        to: TicketState,
        *,
        facts: Mapping[str, Any] = _NO_FACTS,
        tell: Notification | None = None,
        after: float | None = None,
        **changes: Any,
    ) -> Ticket:
        """Go from the state `ticket` is in to another (or the same), changing columns on the way; then it is nobody's.

        Args:
            facts: what the audit is told of it.
            tell: what the requester is to hear.
            after: seconds until there is something to do about it.

        Raises:
            OwnershipLost: it is not in that state any more, or not ours.
        """
        if after is not None:
            changes["due_at"] = self.database.after(after)
        mine = tickets.c.owner == self.instance
        async with self.database.transaction() as connection:
            moved = await self.change(connection, ticket, to, mine, True, tell=tell, **changes)
            kind = "order" if to is ticket.state else to.value
            said = {"reason": moved.reason, "request_id": moved.request_id, "order": moved.order, **facts}
            await self.audit.append(connection, Entry(kind=kind, ticket=moved, facts=said))
            return moved

    async def rest(self, ticket: Ticket, seconds: float, **changes: Any) -> None:
        """Let go of a ticket of which nothing is to be said, and look at it again after so many seconds."""
        released = {"owner": None, "lease_until": None, "due_at": self.database.after(seconds)}
        statement = (
            update(tickets).where(_as_it_was(ticket), tickets.c.owner == self.instance).values(**released, **changes)
        )
        async with self.database.transaction() as connection:
            await connection.execute(statement)

    async def change(
        self,
        connection: AsyncConnection,
        ticket: Ticket,
        to: TicketState,
        guard: ColumnElement[bool],
        release: bool,
        /,
        tell: Notification | None = None,
        **changes: Any,
    ) -> Ticket:
        """One guarded UPDATE. Raises OwnershipLost as `move`."""
        if release or to.terminal:
            changes |= {"owner": None, "lease_until": None}
        if to.terminal and not ticket.state.terminal:
            changes |= {"ended_at": changes.get("ended_at") or datetime.now(UTC).replace(tzinfo=None)}
        statement = (
            update(tickets)
            .where(_as_it_was(ticket), guard)
            .values(state=to.value, serial=tickets.c.serial + 1, **changes)
            .returning(tickets.c.id)
        )
        if (await connection.execute(statement)).first() is None:
            raise OwnershipLost
        [moved] = await self.read(connection, tickets.c.id == ticket.id)
        card: dict[str, Any] = {"wanted": moved.serial, "failures": 0, "due_at": self.database.now()}
        if tell is not None or moved.state is not ticket.state:
            # What was not told yet is overtaken.
            card["telling"] = tell
        await connection.execute(update(ticket_cards).where(ticket_cards.c.id == ticket.id).values(**card))
        return moved

    async def edit(
        self, ticket: Ticket, content: Content, changes: Sequence[str], editor: Person, now: datetime
    ) -> Ticket:
        """A new version with its own token; approvals of the one before count no more.

        Raises:
            OwnershipLost: it was decided or edited meanwhile.
        """
        async with self.database.transaction() as connection:
            # Whoever loses a race on a version waits here for the winner, and then finds another version.
            if not await self.read(connection, _as_it_was(ticket), lock=True):
                raise OwnershipLost
            await self._add_version(connection, ticket.id, ticket.version + 1, content, changes, editor, now)
            moved = await self.change(
                connection,
                ticket,
                TicketState.PROPOSED,
                and_(tickets.c.expires_at > now, tickets.c.expires_at > self.database.now()),
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
            tell = None if who == ticket.owner else Notification.DECLINED
            waits = tickets.c.state.in_([one.value for one in DECIDABLE])
            moved = await self.change(connection, ticket, TicketState.DECLINED, waits, True, tell=tell, **decided)
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
            NotAuthorised: what it says is not what people approved.
            AuditDiffers: the audit is not what it was.
        """
        async with self.database.transaction() as connection:
            if await self.audit.heads.check(connection) is not None:
                raise AuditDiffers
            halted = await is_halted(connection)
            if halted is not False and ticket.terms.act is not OrderAction.CANCEL:
                moved = await self._back(connection, ticket, TicketState.DECLINED, HALTED)
            elif not await self._freshly_approved(connection, ticket):
                moved = await self._back(connection, ticket, TicketState.EXPIRED, TOO_LATE)
            else:
                lease = self.database.after(LEASE)
                begun: dict[str, Any] = {"attempts": ticket.attempts + 1, "submitted_at": now, "due_at": lease}
                mine = tickets.c.owner == self.instance
                moved = await self.change(
                    connection, ticket, TicketState.SUBMITTING, mine, False, lease_until=lease, **begun
                )
                # As it is now, which is what the call is made of.
                await require_authority(connection, self.audit.signer, moved)
            await self.audit.append(
                connection, Entry(kind=moved.state.value, ticket=moved, facts={"reason": moved.reason})
            )
            return moved

    async def _freshly_approved(self, connection: AsyncConnection, ticket: Ticket) -> bool:
        """Whether its approval still counts, by the clock that wrote it. One of the future: that clock was set back."""
        if ticket.approved_at is None:
            return False
        age = await self.database.time(connection) - ticket.approved_at
        return -CLOCK_STEP <= age <= APPROVAL_LASTS

    async def give_up(self, ticket: Ticket, reason: str) -> Ticket:
        """An approved ticket cannot be sent, and nothing was sent. Raises OwnershipLost as `move`."""
        async with self.database.transaction() as connection:
            moved = await self._back(connection, ticket, TicketState.EXPIRED, reason)
            await self.audit.append(connection, Entry(kind=moved.state.value, ticket=moved, facts={"reason": reason}))
            return moved

    async def _back(self, connection: AsyncConnection, ticket: Ticket, to: TicketState, reason: str) -> Ticket:
        """Approved, but not sent. What an earlier attempt sent might still turn up: that goes on being looked for."""
        mine = tickets.c.owner == self.instance
        told, due = (Notification.DECLINED if to is TicketState.DECLINED else Notification.EXPIRED), self.database.now()
        # Not by whoever approved it.
        undone: dict[str, Any] = {"decided_org": None, "decided_user": None, "reason": reason, "due_at": due}
        if ticket.attempts:
            to, told = TicketState.NOT_PLACED, Notification.NOT_PLACED
            # As if it had been made: who approved this attempt has not approved the next.
            undone["attempts"] = ticket.attempts + 1
        return await self.change(connection, ticket, to, mine, True, tell=told, **undone)

    # Whose turn it is.

    async def claim(self, *, limit: int) -> tuple[list[Ticket], dict[str, Exception]]:
        """Take tickets with something to do; returns them, and by id why others could not be read."""
        return await read_apart(await self.leases.claim(TO_DO, limit=limit), self.read_all)

    async def put_off(self, ticket_id: str) -> str | None:
        """Leave a ticket alone that cannot be read.

        Returns:
            What operators need to find its order, unless none can hang on it, or this was returned before.
        """
        if not await self.leases.put_off(ticket_id):
            return None
        query = select(tickets.c.state, tickets.c.act, tickets.c.client_order_id, tickets.c.account_id)
        async with self.database.transaction() as connection:
            row = (await connection.execute(query.where(tickets.c.id == ticket_id))).first()
        # Behind a proposed change or cancel there is an order at work.
        if row is None or (row.state == TicketState.PROPOSED.value and row.act == OrderAction.NEW.value):
            return None
        return f"ticket {ticket_id}, client order id {row.client_order_id}, account {row.account_id}"

    async def take(self, ticket_id: str) -> Ticket | None:
        """Take one ticket, due or not; None: there is nothing to do, or somebody else has it."""
        free = or_(tickets.c.owner.is_(None), tickets.c.lease_until < self.database.now())
        if self.database.single_process:
            free = or_(free, tickets.c.owner != self.instance)
        else:
            free = or_(free, is_dead(tickets.c.owner, lease_seconds=LEASE))
        statement = (
            update(tickets)
            .where(tickets.c.id == ticket_id, TO_DO, free)
            .values(owner=self.instance, lease_until=self.database.after(LEASE))
            .returning(tickets.c.id)
        )
        async with self.database.transaction() as connection:
            if (await connection.execute(statement)).first() is None:
                return None
            [ticket] = await self.read(connection, tickets.c.id == ticket_id)
            return ticket

    async def audit_trouble(self) -> str | None:
        """Why nothing may be approved or sent: the audit is not what it was. None: it is."""
        async with self.database.transaction() as connection:
            return await self.audit.heads.check(connection)

    async def note_approvals(self, connection: AsyncConnection, *entries: Entry) -> None:
        """Tell the audit what came of approving, and let what was approved be sent."""
        await self.audit.append(connection, *await authorise(connection, self.audit.signer, entries))

    async def note(self, *entries: Entry) -> None:
        """Tell the audit of something that changed no ticket."""
        async with self.database.transaction() as connection:
            await self.audit.append(connection, *entries)

    async def record_ops_told(self, ticket: Ticket) -> None:
        """The operators know of it."""
        async with self.database.transaction() as connection:
            await connection.execute(update(tickets).where(tickets.c.id == ticket.id).values(ops_told=True))

    async def record_seen(self, ticket: Ticket, quote: Mapping[str, Any]) -> None:
        """What the card shows of the market."""
        async with self.database.transaction() as connection:
            await connection.execute(update(tickets).where(tickets.c.id == ticket.id).values(seen=dict(quote)))

    # The link is gone.

    async def forget(self, connection: AsyncConnection, principals: Collection[str]) -> Mapping[str, int]:
        """A link was forgotten: its waiting tickets expire, in the same transaction; what works is only counted."""
        waiting = and_(tickets.c.principal.in_(principals), tickets.c.state.in_([one.value for one in DECIDABLE]))
        expired = await self.readable(connection, waiting, lock=True)
        for ticket in expired:
            reason = "The Clear Street key it would have been sent with was unlinked."
            moved = await self.change(
                connection, ticket, TicketState.EXPIRED, tickets.c.id.is_not(None), True, reason=reason
            )
            await self.audit.append(connection, Entry(kind="expired", ticket=moved, facts={"reason": reason}))
        # Whoever looks at them next finds no key, and says so.
        left = update(tickets).where(tickets.c.principal.in_(principals), TO_DO).values(due_at=self.database.now())
        working = (await connection.execute(left.returning(tickets.c.id))).all()
        return {"waiting tickets": len(expired), "open orders": len(working)}


def _changes_of(account_id: int, order_id: str) -> ColumnElement[bool]:
    """Tickets that change or cancel this order, or have made it what it is under this id."""
    return and_(
        tickets.c.account_id == account_id,
        tickets.c.order_id == order_id,
        tickets.c.act.in_([OrderAction.MODIFY.value, OrderAction.CANCEL.value]),
    )


def _as_it_was(ticket: Ticket) -> ColumnElement[bool]:
    return and_(
        tickets.c.id == ticket.id,
        tickets.c.state == ticket.state.value,
        tickets.c.version == ticket.version,
        tickets.c.attempts == ticket.attempts,
    )


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
    "seen": None,
}


def _held(terms: Terms, before: Terms | None) -> dict[str, Any]:
    """What a ticket takes from a position, for those that are checked after it."""
    about = before if terms.act is OrderAction.MODIFY and before is not None else terms
    quantity = terms.quantity or about.quantity
    return {
        "holding": holding(about)[:64],
        "sells": f"{quantity:f}" if sells(terms, before) and quantity is not None else None,
    }
