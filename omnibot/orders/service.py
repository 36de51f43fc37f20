"""Order tickets: public operations, and the worker that advances each ticket to its end.

The ordinary sweep claims whatever is due or orphaned: after a crash nothing else is needed. Order work and card work
have leases of their own, so that a slow card never holds up an order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, assert_never

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person
from omnibot.accounts.service import Keyring
from omnibot.clearstreet.market import MarketData
from omnibot.clearstreet.models.orders import Order
from omnibot.clearstreet.trading import Trading
from omnibot.db.leases import RENEW, Leases
from omnibot.errors import OwnershipLost
from omnibot.orders import click_results
from omnibot.orders.approvals import Approvals
from omnibot.orders.audit_heads import STOPPED
from omnibot.orders.card_sync import Cards, CardSync
from omnibot.orders.decisions import OrderDecisions, Rules, WhoIs, lasting
from omnibot.orders.market_reader import ApiRevision, MarketReader
from omnibot.orders.model import (
    MARKED,
    ClickOutcome,
    ClickResult,
    MarketView,
    Notification,
    Proposal,
    Ticket,
    TicketState,
    utcnow,
)
from omnibot.orders.store import TicketStore
from omnibot.orders.submission import OrderSubmission
from omnibot.orders.ticket_factory import TicketFactory
from omnibot.orders.tracking import Tracking
from omnibot.orders.wording import exchange_zone
from omnibot.policy import roles as rules_of_trading
from omnibot.policy.identities import Who
from omnibot.scheduler import Scheduler

log = structlog.get_logger(__name__)

#: Seconds between sweeps.
SWEEP = 1.0
#: Seconds between looks at the audit's head.
WATCH = 5.0
#: Tickets, and cards, that one sweep takes; and that are worked on at a time.
CLAIM, AT_A_TIME = 50, 200
#: Seconds after which a step that broke is tried again, doubling up to the second.
RETRY_AFTER, RETRY_AFTER_AT_MOST = 1.0, 60.0
UNDECIDED = "Nobody decided in time, and nothing was sent. Ask again for a fresh one."
HALTED, RESUMED = "Trading is halted. Only cancels go through until somebody resumes it.", "Trading goes on."
UNREADABLE = (
    "This omnibot cannot read what it wrote down about an order, so nobody follows it: {named}. Look after it at Clear "
    "Street. If a newer omnibot wrote it, run that one; it is tried again now and then."
)
HEAD = "The audit of orders stands at row {seq}, head {hash}. Keep this: `omnibot audit verify --head` compares it."
ALREADY = {True: "Trading is halted already.", False: "Trading is not halted."}


class Orders:
    """All tickets, and what this instance does for them.

    Args:
        store: over the database, in this instance's name (on PostgreSQL the one that `Presence` holds a lock for).
        trading: places, changes and cancels orders, and reads them.
        markets: quotes and hours.
        keyring: the owner's key for each call, asked for afresh.
        scheduler: calls the sweep.
        rules: the policy of the moment.
        who: tells who somebody is, as Slack says now, seen from a workspace; may raise, and then they are nobody.
        cards: what Slack does for tickets.
        revision: which revision of the API answers (`Omni.supports`).
        live: OMNIBOT_TRADING is `live`. Otherwise no order is placed, changed or canceled, ever: approving ends in a
            copyable ticket.
        clock: the time, UTC without zone.
    """

    def __init__(
        self,
        store: TicketStore,
        trading: Trading,
        markets: MarketData,
        keyring: Keyring,
        scheduler: Scheduler,
        *,
        rules: Rules,
        who: WhoIs,
        cards: Cards,
        revision: ApiRevision,
        live: bool,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._store = store
        self._trading = trading
        self._keyring = keyring
        self._scheduler = scheduler
        self._rules = rules
        self._alert = cards.alert
        self._clock = clock
        self._approvals = Approvals(store)
        self._market = MarketReader(trading, markets, keyring, revision=revision, clock=clock)
        self._proposing = TicketFactory(store, keyring, self._market, lasts=self._lasts, clock=clock)
        self._decisions = OrderDecisions(
            store,
            self._approvals,
            keyring,
            self._market,
            self._proposing,
            rules=rules,
            who=who,
            live=live,
            clock=clock,
        )
        self._submission = OrderSubmission(
            store, trading, keyring, self._market, live=live, alert=cards.alert, waits_for=self._lasts, clock=clock
        )
        self._following = Tracking(store, keyring, self._market, clock=clock)
        self._cards = CardSync(store, cards, self._market.look)
        self._steps: set[asyncio.Task[None]] = set()
        #: Ids of the rows that are worked on, by their leases.
        self._held: dict[Leases, list[str]] = {store.leases: [], self._cards.leases: []}
        self._failures: dict[str, int] = {}
        self._draining = False
        #: What the operators have heard about the audit, and the day on which they were told its head.
        self._audit_told: set[str] = set()
        self._head_told = clock().date()

    def _lasts(self) -> timedelta:
        return lasting(self._rules)

    # What Omni and people ask.

    async def propose(self, action: Any, proposal: Proposal) -> list[Ticket]:
        """Make tickets of a `prefill_order` action of a finalised message; the same ones however often it is proposed.

        Args:
            action: as the API wrote it, `{"prefill_order": {…}}`, or what `read_action` made of it.
        """
        made = await self._proposing.propose(action, proposal)
        self._wake()
        return made

    async def look(self, tickets: Sequence[Ticket]) -> dict[str, MarketView]:
        """What the market and the accounts say about these tickets now, by id; never raises for want of an answer."""
        return await self._market.look(tickets)

    async def approve(self, tokens: Sequence[str], clicker: Who, team: str) -> list[ClickResult]:
        """Approve the versions that these tokens are of; several of one owner are checked as a sum, all or none.

        Args:
            clicker: as Slack says now.
            team: the workspace in which they clicked.
        """
        await self.watch_audit()
        if self._store.audit.heads.trouble is not None:
            return [ClickResult(answer=ClickOutcome.NOT_ALLOWED, message=STOPPED) for _ in tokens]
        clicks = await self._decisions.approve(tokens, clicker, team)
        for click in clicks:
            if click.ticket is None:
                continue
            if click.answer is ClickOutcome.APPROVED:
                self._begin(click.ticket)
            elif click.answer is ClickOutcome.DENIED:
                # What it was denied for may stand there only once it is drawn anew: how the market is now.
                await self._cards.redraw(click.ticket.id)
        self._wake()
        return clicks

    async def preview(self, token: str, entered: Mapping[str, Any], clicker: Who) -> ClickResult:
        """What an edit would come to, and what the rules would say of it; writes nothing (see `Desk.preview`)."""
        return await self._decisions.preview(token, entered, clicker)

    async def edit(self, token: str, entered: Mapping[str, Any], clicker: Who) -> ClickResult:
        """Make a new version of a ticket, with a token of its own; approvals of the one before fall.

        Args:
            entered: by field the text of a form (or a `datetime`, a `bool`); see `drafts.edited`.
        """
        return await self._hurried(self._decisions.edit(token, entered, clicker))

    async def decline(self, token: str, clicker: Who, reason: str | None) -> ClickResult:
        """Say no to a ticket."""
        return await self._hurried(self._decisions.decline(token, clicker, reason))

    async def editable(self, token: str, clicker: Who) -> tuple[Ticket | None, ClickResult | None]:
        """The ticket of a token, and why this person cannot edit it; None: they can."""
        return await self._decisions.editable(token, clicker)

    async def declinable(self, token: str, clicker: Who) -> tuple[Ticket | None, ClickResult | None]:
        """The ticket of a token, and why this person cannot decline it; None: they can."""
        return await self._decisions.declinable(token, clicker)

    async def touchable(self, ticket_id: str, clicker: Who) -> tuple[Ticket | None, ClickResult | None]:
        """A ticket, and why this person cannot ask for its order to be canceled or changed; None: they can.

        Args:
            ticket_id: its id; `id~mark` names what was on the screen too.
            clicker: who asks.
        """
        ticket_id, _, mark = ticket_id.partition(MARKED)
        ticket = await self._store.get(ticket_id)
        if ticket is None:
            return None, None
        return ticket, await self._decisions.may_touch(ticket, clicker) or click_results.not_as_shown(ticket, mark)

    async def check(self, ticket: Ticket) -> bool:
        """Say on a card that somebody's approval is being looked at; see `CardDesk.check`."""
        return await self._cards.check(ticket)

    async def redraw(self, ticket_id: str) -> None:
        """Draw a card anew, as its ticket is."""
        await self._cards.redraw(ticket_id)
        self._wake()

    async def propose_cancel(self, ticket_id: str, clicker: Who, team: str) -> ClickResult:
        """Make a ticket that cancels this ticket's order, and waits for approval like any. DONE: `ticket` is it."""
        ticket, refused = await self.touchable(ticket_id, clicker)
        if ticket is None or refused is not None:
            return refused or click_results.no_such()
        return await self._hurried(self._proposing.cancel(ticket, Person(clicker.org, clicker.user), team))

    async def propose_replace(self, ticket_id: str, entered: Mapping[str, Any], clicker: Who, team: str) -> ClickResult:
        """Make a ticket that changes this ticket's order to what was entered. DONE: `ticket` is it."""
        ticket, refused = await self.touchable(ticket_id, clicker)
        if ticket is None or refused is not None:
            return refused or click_results.no_such()
        person = Person(clicker.org, clicker.user)
        return await self._hurried(self._proposing.change(ticket, entered, person, team))

    async def get(self, ticket_id: str) -> Ticket | None:
        """A ticket as it stands."""
        return await self._store.get(ticket_id)

    async def by_token(self, token: str) -> tuple[Ticket, int] | None:
        """The ticket whose version this token is of, as it stands now, and that version."""
        return await self._store.by_token(token)

    async def of_message(self, message_id: str) -> list[Ticket]:
        """The tickets of one of Omni's messages, in order: what approve-all is about."""
        return await self._store.of_message(message_id)

    async def mine(self, person: Person) -> list[Ticket]:
        """A person's open tickets, and those of today (the exchange's), the newest first."""
        return await self._store.of_person(person, since=self._day_began())

    async def todays_orders(self, person: Person) -> list[Order]:
        """Today's orders, and older open ones, of the account this person asks about; the newest first.

        Raises:
            NoAuthority, AccountUnclear: there is no key to look with, or no account is chosen.
            ClearStreetError: they could not be read.
        """
        principal = await self._keyring.principal_of(person)
        account_id = await self._keyring.account_of(principal, person)
        key = await self._keyring.key_of(principal)
        today, still = await asyncio.gather(
            self._trading.list_orders(key, account_id, since=self._day_began().replace(tzinfo=UTC)),
            self._market.open_orders(key, account_id),
        )
        everything = {order.id: order for order in (*still, *today)}
        began = datetime.fromtimestamp(0, UTC)
        return sorted(everything.values(), key=lambda order: order.created_at or began, reverse=True)

    def _day_began(self) -> datetime:
        zone = exchange_zone() or UTC
        there = self._clock().replace(tzinfo=UTC).astimezone(zone)
        return datetime.combine(there.date(), time(), zone).astimezone(UTC).replace(tzinfo=None)

    async def halt(self, clicker: Who, reason: str | None) -> ClickResult:
        """Stop all trading: from now on nothing that is not sent yet is sent, but for cancels."""
        return await self._halt(clicker, reason, halted=True)

    async def resume(self, clicker: Who, reason: str | None = None) -> ClickResult:
        """Let trading go on."""
        return await self._halt(clicker, reason, halted=False)

    async def _halt(self, clicker: Who, reason: str | None, *, halted: bool) -> ClickResult:
        verdict = rules_of_trading.may_halt(self._rules.current, clicker)
        if not verdict:
            return ClickResult(answer=ClickOutcome.NOT_ALLOWED, message=verdict.reason, ask=verdict.ask)
        person = Person(clicker.org, clicker.user)
        if not await self._approvals.halt(person, halted=halted, reason=reason, now=self._clock()):
            return ClickResult(answer=ClickOutcome.DECIDED, message=ALREADY[halted])
        said = f"Trading was {'halted' if halted else 'resumed'}" + (f": {reason}" if reason else ".")
        self._in_background(self._say(said, by=clicker.user))
        return ClickResult(answer=ClickOutcome.DONE, message=HALTED if halted else RESUMED)

    async def halted_by(self) -> tuple[Person, str | None] | None:
        """Who halted trading, and why; None: it is not halted."""
        return await self._approvals.halted_by()

    async def _say(self, sentence: str, *, by: str | None = None) -> None:
        try:
            await self._alert(sentence, by=by)
        except Exception:
            log.exception("alert_failed")

    async def forget(self, connection: AsyncConnection, principals: Collection[str]) -> Mapping[str, int]:
        """A hook of the keyring: links are forgotten in this transaction (see `TicketStore.forget`)."""
        return await self._store.forget(connection, principals)

    # The timer.

    def start(self) -> None:
        """Begin to sweep and to renew leases."""
        self._scheduler.every("orders:sweep", SWEEP, self.sweep)
        self._scheduler.every("orders:renew", RENEW, self._renew)
        self._scheduler.every("orders:audit", WATCH, self.watch_audit)
        self._scheduler.at("orders:first-sweep", 0, self.sweep)

    async def stop(self, grace: float = 15.0) -> None:
        """Stop claiming, let what is under way end, give every lease back."""
        self._draining = True
        for name in ("orders:sweep", "orders:first-sweep", "orders:hurry", "orders:audit"):
            await self._scheduler.finish(name)
        if self._steps:
            _, late = await asyncio.wait(self._steps, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._store.audit.heads.write_down()
        await self._scheduler.finish("orders:renew")
        for leases, ids in self._held.items():
            with contextlib.suppress(SQLAlchemyError):  # they run out by themselves
                await leases.release(ids)

    async def sweep(self) -> None:
        """Claim what is due and nobody's, orders first."""
        try:
            if self._draining or len(self._steps) >= AT_A_TIME:
                return
            found, broken = await self._store.claim(limit=CLAIM)
            for ticket in found:
                self._begin(ticket)
            for broken_id, error in broken.items():
                self._in_background(self._put_off(broken_id, error))
            for ticket_id in await self._cards.claim(limit=CLAIM):
                self._in_background(self._show(ticket_id))
        except SQLAlchemyError as error:
            log.warning("orders_sweep_failed", error=type(error).__name__)

    def _wake(self) -> None:
        """Something has changed: do not wait for the next sweep."""
        if not self._draining and "orders:sweep" in self._scheduler:
            self._scheduler.at("orders:hurry", 0, self.sweep)

    async def _hurried(self, work: Awaitable[ClickResult]) -> ClickResult:
        click = await work
        self._wake()
        return click

    async def _renew(self) -> None:
        for leases, ids in self._held.items():
            try:
                await leases.renew(ids)
            except SQLAlchemyError as error:
                log.warning("orders_renewal_failed", error=type(error).__name__)

    @contextlib.asynccontextmanager
    async def _holding(self, leases: Leases, row_id: str) -> AsyncIterator[None]:
        self._held[leases].append(row_id)
        try:
            yield
        finally:
            self._held[leases].remove(row_id)

    def _begin(self, ticket: Ticket) -> None:
        if not self._draining:
            self._in_background(self._run(ticket))

    async def _show(self, ticket_id: str) -> None:
        async with self._holding(self._cards.leases, ticket_id):
            try:
                await self._cards.work(ticket_id)
            except SQLAlchemyError as error:
                log.warning("card_unwritten", ticket=ticket_id, error=type(error).__name__)

    async def _run(self, ticket: Ticket) -> None:
        async with self._holding(self._store.leases, ticket.id):
            try:
                await self.step(ticket)
                self._failures.pop(ticket.id, None)
            except OwnershipLost:
                # Another instance has it, or somebody decided it meanwhile: the row knows.
                log.info("ticket_given_up", ticket=ticket.id, state=ticket.state.value)
            except Exception:
                await self._retry_later(ticket)
        self._wake()

    async def _retry_later(self, ticket: Ticket) -> None:
        """A step broke, which must not lose the ticket: the row is still there, and is tried again later."""
        count = self._failures[ticket.id] = self._failures.get(ticket.id, 0) + 1
        wait = min(RETRY_AFTER * 2 ** (count - 1), RETRY_AFTER_AT_MOST)
        log.exception("ticket_step_failed", ticket=ticket.id, state=ticket.state.value, again_in=wait)
        with contextlib.suppress(SQLAlchemyError):  # then its lease runs out
            await self._store.rest(ticket, wait)

    async def step(self, ticket: Ticket) -> None:
        """Do the next thing for a ticket that this instance has claimed.

        Raises:
            OwnershipLost: somebody else has it, or it was decided meanwhile.
        """
        match ticket.state:
            case TicketState.PROPOSED:
                heard = Notification.EXPIRED if ticket.approved_by else None
                await self._store.move(ticket, TicketState.EXPIRED, tell=heard, reason=UNDECIDED)
            case TicketState.APPROVED:
                await self._submission.send(ticket)
            case TicketState.SUBMITTING:
                await self._submission.recover(ticket)
            case TicketState.UNKNOWN | TicketState.NOT_PLACED:
                await self._submission.look_up(ticket)
            case TicketState.SUBMITTED:
                await self._following.follow(ticket)
            case TicketState.REJECTED | TicketState.COPYABLE | TicketState.DECLINED | TicketState.EXPIRED:
                return
            case _:
                assert_never(ticket.state)

    async def _put_off(self, ticket_id: str, error: Exception) -> None:
        """A ticket cannot be read: the others go on, and somebody hears of it if an order hangs on it."""
        log.error("row_unreadable", ticket=ticket_id, error=f"{type(error).__name__}: {error}")
        try:
            named = await self._store.put_off(ticket_id)
        except SQLAlchemyError as trouble:  # its lease runs out
            log.warning("ticket_not_put_off", ticket=ticket_id, error=type(trouble).__name__)
            return
        if named is not None:
            await self._say(UNREADABLE.format(named=named))

    async def watch_audit(self) -> None:
        """Stop trading, and tell the operators once, when the audit is not what it was; keep its head otherwise."""
        try:
            trouble = await self._store.audit_trouble()
        except SQLAlchemyError as error:
            log.warning("audit_not_looked_at", error=type(error).__name__)
            return
        heads = self._store.audit.heads
        unwritten = await heads.write_down()
        for said in (trouble, unwritten):
            if said is not None and said not in self._audit_told:
                self._audit_told.add(said)
                await self._say(said)
        today = self._clock().date()
        if self._head_told != today and heads.known is not None and trouble is None:
            self._head_told = today
            await self._say(HEAD.format(seq=heads.known.seq, hash=heads.known.hash))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)
