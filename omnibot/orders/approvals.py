"""Approving in SQL: votes, exposure, halt and caps, under locks that serialise approvals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person
from omnibot.db.leases import LEASE
from omnibot.db.tables import halts, reservations, ticket_votes, tickets
from omnibot.orders.audit import Entry
from omnibot.orders.locks import lock_account, lock_day
from omnibot.orders.model import AMOUNTS, COUNTED, MarketView, Terms, Ticket, TicketState
from omnibot.orders.risk_facts import holding, market_facts, notional_and_quantity, sells
from omnibot.orders.sessions import exchange_date
from omnibot.orders.store import TicketStore, is_halted
from omnibot.policy import money
from omnibot.policy.facts import DayFacts, MarketFacts, OrderAction
from omnibot.policy.identities import Who
from omnibot.policy.order_rules import Decision, RuleVerdict, decide

#: What ended so long before the market was asked is in its answer.
_SETTLED = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """One ticket that somebody approves, as they saw it."""

    ticket_id: str
    account_id: int
    version: int
    attempts: int
    seen: MarketView


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of it."""

    ticket: Ticket
    decision: Decision | None
    """None: it was not judged, because it had been decided, edited or had expired."""
    verdicts: tuple[RuleVerdict, ...] = ()
    obstacle: str | None = None
    """What keeps it from being approved that is no rule of the policy."""


TWO_OF_ONE = "Two of these change or cancel the same order. Decide them one after the other."
UNPARSED_CHANGE = (
    "There is another change of this order that this version of omnibot cannot read, so it may not be changed again. "
    "It can be canceled. Tell whoever runs omnibot."
)
UNDER_WAY_ALREADY = (
    "Another change of this order is on its way to Clear Street. Wait until it is known what came of that, and approve "
    "this one again, or ask for a new change."
)
MAY_TAKE_EFFECT = (
    "An earlier change of this order was sent and may still take effect. Decline that one, or wait until it expires; "
    "then approve this one again."
)
NOT_SHOWN_YET = (
    "Another change of this order was sent less than a minute ago and does not show in the order yet. Approve this one "
    "again in a minute."
)

Worth = tuple[Decimal | None, Decimal | None]
"""Money and shares that a ticket moves; None: not known."""
_NOT_WEIGHED: Mapping[str, Worth] = {}

Judge = Callable[[Sequence[tuple[Ticket, MarketFacts]], DayFacts], list[list[RuleVerdict]]]
"""The rule book: tickets with the clicker's vote among their approvals, and the day, to every rule's verdict."""


class Approvals:
    """The approve transaction, and the halt."""

    def __init__(self, store: TicketStore) -> None:
        self._store = store
        self._database = store.database

    async def approve(
        self,
        asks: Sequence[ApprovalRequest],
        *,
        clicker: Who,
        owner: Who,
        team: str,
        digest: str,
        now: datetime,
        judge: Judge,
        live: bool,
    ) -> list[Judgement]:
        """Judge tickets of one owner together, and write down what came of it: all of them may, or none does.

        Args:
            digest: of the policy.
            now: this machine's, UTC without zone.
            live: whether approved orders are sent; otherwise they end as copyable.
        """
        person = Person(clicker.org, clicker.user)
        by_id = {ask.ticket_id: ask for ask in asks}
        async with self._database.transaction() as connection:
            halted = await is_halted(connection)
            # Whichever clock is ahead: neither a machine's that is behind nor one that was set back keeps a card alive.
            now = max(now, await self._database.time(connection))
            days = {ask.ticket_id: _day_of(ask.seen, now) for ask in asks}
            for day in sorted(set(days.values())):
                await lock_day(self._database, connection, owner, day)
            for account in sorted({ask.account_id for ask in asks}):
                # What it holds may be sold once, whoever of its traders sells it.
                await lock_account(self._database, connection, account)
            found = await self._store.read(connection, tickets.c.id.in_(by_id), lock=True)
            fit = [one for one in found if _fits(one, by_id[one.id], owner, now)]
            voted = {one.id: _with_vote(one, person) for one in fit}
            facts = [(voted[one.id], await self._market(connection, one, by_id[one.id].seen, by_id)) for one in fit]
            exposure = {one.id: notional_and_quantity(one, owner, by_id[one.id].seen) for one in fit}
            used = await self._used(
                connection, owner, [(one, by_id[one.id].seen) for one in fit], now, halted, exposure
            )
            verdicts = judge(facts, used) if fit else []
            decisions = {one.id: decide(said) for one, said in zip(fit, verdicts, strict=True)}
            obstacles = {
                one.id: why for one in fit if (why := await self._obstacle(connection, one, by_id)) is not None
            }
            # All or none: one that was decided or edited meanwhile keeps the others from going without it.
            together = len(fit) == len(asks) or len(asks) == 1
            denied = Decision.DENY in decisions.values() or bool(obstacles) or not together
            judged: list[Judgement] = []
            entries: list[Entry] = []
            said_of = dict(zip(voted, verdicts, strict=True))
            for one in found:
                decision = decisions.get(one.id)
                after = one
                seen, said = by_id[one.id].seen, tuple(said_of.get(one.id, ()))
                if decision is not None and not denied:
                    await self._vote(connection, one, person, team, seen, digest, now)
                    after = await self._advance(connection, one, decision, person, now, live=live)
                    if decision is Decision.GO and live:
                        await self._reserve(connection, after, owner, seen, days[one.id])
                obstacle = obstacles.get(one.id)
                if decision is not None:
                    entries.append(_entry(after, decision, person, seen, said, digest, obstacle, denied=denied))
                    decision = Decision.DENY if denied else decision
                judged.append(Judgement(ticket=after, decision=decision, verdicts=said, obstacle=obstacle))
            await self._store.note_approvals(connection, *entries)
        order = list(by_id)
        return sorted(judged, key=lambda one: order.index(one.ticket.id))

    async def _obstacle(
        self, connection: AsyncConnection, ticket: Ticket, asks: Mapping[str, ApprovalRequest]
    ) -> str | None:
        """Why this change or cancel has to wait for another one of the same order; None: it need not.

        Each is judged by the order as it is: two that take effect together make an order that nobody judged. A cancel
        waits for another cancel alone, since it adds nothing to whatever the order becomes.
        """
        if ticket.terms.act is OrderAction.NEW:
            return None
        others, more = await self._store.other_changes(
            connection, ticket, since=_before(asks[ticket.id].seen), among=asks.keys()
        )
        if more and ticket.terms.act is OrderAction.MODIFY:
            return UNPARSED_CHANGE
        for other in others:
            if other.id in asks:
                return TWO_OF_ONE
            if ticket.terms.act is OrderAction.CANCEL and other.terms.act is not OrderAction.CANCEL:
                continue
            if other.state is TicketState.NOT_PLACED:
                return MAY_TAKE_EFFECT
            if other.state is not TicketState.SUBMITTED:
                return UNDER_WAY_ALREADY
            if ticket.before is not None and not _shows(ticket.before, other.terms):
                return NOT_SHOWN_YET
        return None

    async def _market(
        self, connection: AsyncConnection, ticket: Ticket, seen: MarketView, checked: Collection[str]
    ) -> MarketFacts:
        """The market, less what tickets sell that are not among the open orders it lists yet."""
        if not sells(ticket.terms, ticket.before):
            return market_facts(seen)
        about = ticket.before if ticket.terms.act is OrderAction.MODIFY and ticket.before is not None else ticket.terms
        query = select(tickets.c.sells).where(
            tickets.c.id.not_in(list(checked)),
            tickets.c.account_id == ticket.account_id,
            tickets.c.holding == holding(about)[:64],
            tickets.c.sells.is_not(None),
            tickets.c.state.in_([state.value for state in COUNTED]),
            or_(
                and_(
                    tickets.c.act == OrderAction.NEW.value,
                    tickets.c.client_order_id.not_in(seen.open_client_ids),
                    or_(tickets.c.order_over.is_(False), tickets.c.changed_at > _before(seen)),
                ),
                # A change that is under way, or so fresh that the listing may show the order as it was.
                and_(
                    tickets.c.act == OrderAction.MODIFY.value,
                    tickets.c.order_id.is_distinct_from(ticket.terms.order_id),
                    or_(tickets.c.state != TicketState.SUBMITTED.value, tickets.c.submitted_at > _before(seen)),
                ),
            ),
        )
        selling = [Decimal(sold) for sold in (await connection.execute(query)).scalars()]
        return market_facts(seen, money.total(selling))

    async def _used(
        self,
        connection: AsyncConnection,
        owner: Who,
        checked: Sequence[tuple[Ticket, MarketView]],
        now: datetime,
        halted: bool | None,
        exposure: Mapping[str, Worth] = _NOT_WEIGHED,
    ) -> DayFacts:
        """What the session has used up in which what is checked would work, without what is checked.

        Of several sessions, the most that one of them has: everything checked is then held against each.

        Args:
            moves: by id, what each ticket that is checked comes to. An order that is changed to less goes on counting
                as the most it was: what that is more than `exposure` is used up already. Of what is not said here, the
                orders that are changed do not count.
        """
        moving = [seen for one, seen in checked if one.terms.act is not OrderAction.CANCEL]
        own: dict[str, list[Worth | None]] = {}
        for one, _ in checked:
            own.setdefault(chain_of(one), []).append(exposure.get(one.id))
        ids = [one.id for one, _ in checked]
        days = sorted({_day_of(seen, now) for seen in moving})
        sums = [await self._used_of(connection, owner, day, ids, own) for day in days]
        return DayFacts(
            halted,
            _most(notional for notional, _ in sums),
            _most(quantity for _, quantity in sums),
            session_known=all(seen.session_day is not None for seen in moving),
        )

    async def _used_of(
        self,
        connection: AsyncConnection,
        owner: Who,
        day: str,
        checked: Sequence[str],
        own: Mapping[str, Sequence[Worth | None]],
    ) -> Worth:
        """What one session has used up."""
        mine = and_(reservations.c.org == owner.org, reservations.c.user == owner.user, reservations.c.day == day)
        query = select(reservations.c.chain, reservations.c.notional, reservations.c.quantity).where(
            mine, reservations.c.ticket_id.not_in(checked), reservations.c.ticket_id.in_(_counted())
        )
        rows = (await connection.execute(query)).all()
        notionals, quantities = [], []
        for chain in dict.fromkeys(row.chain for row in rows):
            reserved = [row for row in rows if row.chain == chain]
            notionals.append(_beyond([row.notional for row in reserved], own.get(chain, []), 0))
            quantities.append(_beyond([row.quantity for row in reserved], own.get(chain, []), 1))
        return money.total(notionals), money.total(quantities)

    async def _reserve(
        self, connection: AsyncConnection, ticket: Ticket, owner: Who, seen: MarketView, day: str
    ) -> None:
        """What this ticket uses up of the day; all that is done to one order counts once, as the largest of it."""
        notional, quantity = notional_and_quantity(ticket, owner, seen)
        await connection.execute(delete(reservations).where(reservations.c.ticket_id == ticket.id))
        await connection.execute(
            reservations.insert().values(
                ticket_id=ticket.id,
                org=owner.org,
                user=owner.user,
                day=day,
                chain=chain_of(ticket),
                notional=_written(notional),
                quantity=_written(quantity),
            )
        )

    async def _vote(
        self,
        connection: AsyncConnection,
        ticket: Ticket,
        person: Person,
        team: str,
        seen: MarketView,
        digest: str,
        now: datetime,
    ) -> None:
        insert = sqlite_insert if self._database.single_process else postgresql_insert
        row = {
            "ticket_id": ticket.id,
            "version": ticket.version,
            "attempt": ticket.attempts,
            "org": person.org,
            "user": person.user,
            "team": team,
            "content_hash": ticket.content_hash,
            "quote": seen.quote(),
            "policy_digest": digest,
            "created_at": now,
        }
        await connection.execute(insert(ticket_votes).values(**row).on_conflict_do_nothing())

    async def _advance(
        self,
        connection: AsyncConnection,
        ticket: Ticket,
        decision: Decision,
        person: Person,
        now: datetime,
        *,
        live: bool,
    ) -> Ticket:
        anybodys = tickets.c.expires_at > now
        if decision is not Decision.GO:
            return await self._store.change(connection, ticket, ticket.state, anybodys, False)
        decided: dict[str, Any] = {"decided_org": person.org, "decided_user": person.user, "reason": None}
        if not live:
            return await self._store.change(connection, ticket, TicketState.COPYABLE, anybodys, True, **decided)
        return await self._store.change(
            connection,
            ticket,
            TicketState.APPROVED,
            anybodys,
            False,
            **decided,
            # By the clock that every instance reads: how long it counts is measured by it too.
            approved_at=self._database.now(),
            looks=0,
            first_look_at=None,
            unknown_since=None,
            ops_told=False,
            owner=self._store.instance,
            lease_until=self._database.after(LEASE),
            due_at=self._database.now(),
        )

    # The halt.

    async def halt(self, person: Person, *, halted: bool, reason: str | None, now: datetime) -> bool:
        """Halt all trading, or let it go on; False: it is so already."""
        statement = (
            update(halts)
            .where(halts.c.id == 1, halts.c.halted.is_(not halted))
            .values(halted=halted, org=person.org, user=person.user, reason=reason, changed_at=now)
            .returning(halts.c.id)
        )
        async with self._database.transaction() as connection:
            if (await connection.execute(statement)).first() is None:
                return False
            kind = "halted" if halted else "resumed"
            await self._store.audit.append(connection, Entry(kind=kind, actor=person, facts={"reason": reason}))
            return True

    async def halted_by(self) -> tuple[Person, str | None] | None:
        """Who halted trading, and why; None: it is not halted."""
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(halts).where(halts.c.id == 1))).mappings().first()
        if row is None or not row["halted"]:
            return None
        return Person(row["org"] or "", row["user"] or ""), row["reason"]

    async def day_of(self, owner: Who, now: datetime, ticket: Ticket, seen: MarketView) -> DayFacts:
        """What its owner's session has used up in which this ticket would work; the ticket does not count."""
        async with self._database.transaction() as connection:
            halted = await is_halted(connection)
            return await self._used(connection, owner, [(ticket, seen)], now, halted)

    async def market_of(self, ticket: Ticket, seen: MarketView) -> MarketFacts:
        """The market for one ticket, less what other tickets sell."""
        async with self._database.transaction() as connection:
            return await self._market(connection, ticket, seen, [ticket.id])

    async def count_reserved(self) -> int:
        """How many tickets count in any day."""
        async with self._database.transaction() as connection:
            query = select(func.count()).select_from(reservations).where(reservations.c.ticket_id.in_(_counted()))
            return int((await connection.execute(query)).scalar_one())


def chain_of(ticket: Ticket) -> str:
    """Names the order a ticket places or changes, so that its changes count together with it."""
    if ticket.terms.act is OrderAction.NEW:
        return ticket.client_order_id
    known = (ticket.order or {}).get("client_order_id")
    return str(known or ticket.terms.order_id or ticket.client_order_id)[:80]


def _fits(ticket: Ticket, ask: ApprovalRequest, owner: Who, now: datetime) -> bool:
    return (
        ticket.decidable
        and (ticket.version, ticket.attempts) == (ask.version, ask.attempts)
        and ticket.expires_at > now
        and ticket.owner == Person(owner.org, owner.user)
    )


def _with_vote(ticket: Ticket, person: Person) -> Ticket:
    return replace(ticket, approved_by=tuple(dict.fromkeys((*ticket.approved_by, person))))


def _entry(
    ticket: Ticket,
    decision: Decision,
    person: Person,
    seen: MarketView,
    verdicts: Sequence[RuleVerdict],
    digest: str,
    obstacle: str | None,
    *,
    denied: bool,
) -> Entry:
    kind = "denied" if denied else "voted" if decision is Decision.SECOND_APPROVAL else ticket.state.value
    facts = {
        "policy": digest,
        "shown": ticket.seen,
        "quote": seen.quote(),
        "verdicts": [{"rule": said.rule.value, "passed": said.passed, "reason": said.reason} for said in verdicts],
        "approved_by": [f"{one.org}/{one.user}" for one in ticket.approved_by],
        **({"reason": obstacle} if obstacle is not None else {}),
    }
    return Entry(kind=kind, actor=person, ticket=ticket, facts=facts)


def _shows(order: Terms, change: Terms) -> bool:
    """Whether an order as it was read has what a change asked for."""
    return all(getattr(change, name) in (None, getattr(order, name)) for name in AMOUNTS)


def _counted() -> Select[tuple[str]]:
    return select(tickets.c.id).where(tickets.c.state.in_([state.value for state in COUNTED]))


def _before(seen: MarketView) -> datetime:
    return seen.at.astimezone(UTC).replace(tzinfo=None) - _SETTLED


def _largest(amounts: Sequence[str]) -> Decimal | None:
    """An amount that was not known makes all of it unknown."""
    return None if "" in amounts else max(map(Decimal, amounts))


def _beyond(reserved: Sequence[str], exposure: Sequence[Worth | None], which: int) -> Decimal | None:
    """What an order has used up beyond what the changes that are checked come to; with none of them, all of it."""
    known = [None if one is None else one[which] for one in exposure]
    if exposure and None in known:
        return Decimal(0)  # what is checked is not known then, and nothing is let through
    largest, moved = _largest(reserved), money.total(known)
    return None if largest is None or moved is None else max(largest - moved, Decimal(0))


def _most(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The largest; None when one of them is not known."""
    known = list(amounts)
    return None if None in known else max((one for one in known if one is not None), default=Decimal(0))


def _day_of(seen: MarketView, now: datetime) -> str:
    """The session that an order counts for; today's date, where the calendar does not say and no cap needs it."""
    return (seen.session_day or exchange_date(now.replace(tzinfo=UTC))).isoformat()


def _written(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"
