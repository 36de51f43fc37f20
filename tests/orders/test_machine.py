"""Anything that may happen to tickets, in any order: several people at once, faults, crashes, halts, time.

What must hold is written here a second time, from what the exchange has accepted: one order a ticket at most, none that
the policy or an approver forbids, no cap exceeded, an audit that verifies, and no ticket that is stuck.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from omnibot.db.engine import Database, open_database
from omnibot.db.tables import ticket_votes
from omnibot.emulator.clearstreet.server import ClearStreetEmulator
from omnibot.orders.model import Answered, State, Ticket
from omnibot.policy.people import Who
from tests.examples import examples
from tests.orders.mortal import Killed, Life
from tests.orders.safe import (
    ANA,
    BEN,
    BUY,
    CLEO,
    COLLEAGUE,
    DAN,
    EVE,
    TEAM,
    Book,
    Clock,
    Notebook,
    Safe,
    link,
    open_emulator,
    open_safe,
    rules,
)

SUBMIT = "POST /v1/accounts/{account_id}/orders"
ORDER_CAP, DAY_CAP, TWO_ABOVE, HELD = Decimal(16_000), Decimal(22_000), Decimal(6_000), Decimal(120)
LIMITS = {
    "max_order_notional": f'"{ORDER_CAP}"',
    "max_day_notional": f'"{DAY_CAP}"',
    "four_eyes_above": f'"{TWO_ABOVE}"',
    "deny_symbols": '["TSLA"]',
    "ticket_expiry_minutes": "10",
}
PEOPLE = (ANA, BEN, EVE, CLEO, DAN, COLLEAGUE)
#: What policy lets approve an order of Ana's.
APPROVERS = {ANA.user, BEN.user, EVE.user}
DECIDED_BY_NOBODY = (State.APPROVED, State.SUBMITTING, State.UNKNOWN, State.PROPOSED, State.NOT_PLACED)

orders_of_omni = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["AAPL"] * 7 + ["TSLA"]),
        "side": st.sampled_from(["BUY", "BUY", "BUY", "SELL"]),
        "quantity": st.sampled_from(["10", "35", "60", "100"]),
        "limit_price": st.sampled_from(["200.00", "250.00", "300.00"]),
    }
)
faults = st.sampled_from(["drop before", "drop after", "500", "400", "409", "429", "late"])
someone = st.sampled_from(PEOPLE)
crowd = st.lists(st.sampled_from((ANA, ANA, BEN, EVE, *PEOPLE)), min_size=1, max_size=4)
which = st.integers(min_value=0, max_value=3)


class Tickets(RuleBasedStateMachine):
    """One account, one exchange, one instance at a time that may die at any step."""

    template: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = contextlib.AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory(prefix="omnibot-tickets-")
        self.tickets: list[Ticket] = []
        self.before_halt = 0
        self.book, self.clock, self.cards = Book(rules(**LIMITS)), Clock(), Notebook()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize(orders=st.lists(orders_of_omni, min_size=3, max_size=5))
    def begin(self, orders: list[dict[str, str]]) -> None:
        self.run(self._begin())
        for order in orders:
            self.propose(order)

    async def _begin(self) -> None:
        file = shutil.copyfile(self.template, Path(self.folder.name) / "orders.sqlite3")
        self.emulator: ClearStreetEmulator = await self.stack.enter_async_context(open_emulator(pace=0))
        # Orders rest, so that what may be sold is what is held less what is on sale.
        self.emulator.order_plans["*"] = "never"
        self.database: Database = await open_database(f"sqlite:///{file}")
        self.stack.push_async_callback(self.database.close)
        await link(self.database, ANA)
        await self._born()

    async def _born(self) -> None:
        self.life = Life()
        self.instance = contextlib.AsyncExitStack()
        self.safe: Safe = await self.instance.enter_async_context(
            open_safe(
                self.database,
                self.emulator,
                working=False,
                cards=self.cards,
                book=self.book,
                clock=self.clock,
                life=self.life,
            )
        )

    async def _die(self) -> None:
        for task in self.safe.orders._steps:
            task.cancel()
        await self.safe.settled()
        self.life.left = 0
        await self.instance.aclose()
        await self._born()

    async def _live(self, work: Coroutine[Any, Any, Any], dies_after: int | None = None) -> Any:
        """Do something; the instance may die of it, and another one is born."""
        self.life.left = dies_after
        try:
            done = await work
            await self.safe.settled()
        except Killed:
            done = None
        await self.safe.settled()
        if self.life.over:
            await self._die()
        self.life.left = None
        return done

    def _ticket(self, index: int) -> Ticket:
        return self.tickets[-1 - index % len(self.tickets)]

    async def _now(self, index: int) -> Ticket:
        return await self.safe.get(self._ticket(index))

    # What happens.

    def propose(self, order: dict[str, str]) -> None:
        self.tickets += self.run(self.safe.propose({**BUY, **order}))

    @rule(order=orders_of_omni)
    def omni_proposes(self, order: dict[str, str]) -> None:
        self.propose(order)

    @precondition(lambda self: self.tickets)
    @rule(index=which, clickers=crowd, dies_after=st.none() | st.integers(1, 25))
    def approve(self, index: int, clickers: list[Who], dies_after: int | None) -> None:
        self.run(self._approve([index], clickers, dies_after))

    @precondition(lambda self: len(self.tickets) > 1)
    @rule(clickers=crowd)
    def approve_all(self, clickers: list[Who]) -> None:
        self.run(self._approve([0, 1, 2], clickers, None))

    async def _approve(self, indexes: list[int], clickers: list[Who], dies_after: int | None) -> None:
        tokens = list(dict.fromkeys([(await self._now(index)).token for index in indexes]))
        clicks = asyncio.gather(*(self.safe.orders.approve(tokens, who, TEAM) for who in clickers))
        said = await self._live(_awaited(clicks), dies_after)
        for who, answers in zip(clickers, said or (), strict=False):
            if who.user not in APPROVERS:
                assert not {click.answer for click in answers} & {Answered.APPROVED, Answered.SECOND_NEEDED}

    @precondition(lambda self: self.tickets)
    @rule(index=which, who=someone, quantity=st.sampled_from(["5", "20", "90"]))
    def edit(self, index: int, who: Who, quantity: str) -> None:
        self.run(self._edit(index, who, quantity))

    async def _edit(self, index: int, who: Who, quantity: str) -> None:
        token = (await self._now(index)).token
        await self._live(self.safe.orders.edit(token, {"quantity": quantity}, who))

    @precondition(lambda self: self.tickets)
    @rule(index=which, who=someone, dies_after=st.none() | st.integers(1, 4))
    def decline(self, index: int, who: Who, dies_after: int | None) -> None:
        token = self.run(self._now(index)).token
        self.run(self._live(self.safe.orders.decline(token, who, "no"), dies_after))

    @precondition(lambda self: self.tickets)
    @rule(index=which, dies_after=st.none() | st.integers(8, 25))
    def the_owner_and_an_approver_approve(self, index: int, dies_after: int | None) -> None:
        self.run(self._approve([index], [ANA, EVE], dies_after))

    @precondition(lambda self: self.tickets)
    @rule(index=which, who=st.sampled_from([CLEO, DAN, COLLEAGUE]))
    def somebody_tries_what_they_may_not(self, index: int, who: Who) -> None:
        [click] = self.run(self._live(self.safe.orders.approve([self._ticket(index).token], who, TEAM)))
        assert click.answer is not Answered.APPROVED
        assert self.run(self._live(self.safe.orders.halt(who, None))).answer is Answered.NOT_ALLOWED

    @precondition(lambda self: self.tickets)
    @rule(index=which, editor=st.sampled_from([ANA, BEN]), quantity=st.sampled_from(["30", "50", "55"]))
    def an_edit_comes_between_two_approvals(self, index: int, editor: Who, quantity: str) -> None:
        self.run(self._approve([index], [EVE], None))
        self.run(self._edit(index, editor, quantity))
        self.run(self._approve([index], [ANA], None))

    @precondition(lambda self: self.tickets)
    @rule(index=which, dies_after=st.none() | st.integers(1, 8))
    def time_comes(self, index: int, dies_after: int | None) -> None:
        self.run(self._step(self._ticket(index), dies_after))

    async def _step(self, ticket: Ticket, dies_after: int | None = None) -> None:
        now = await self.safe.get(ticket)
        if now.state is State.PROPOSED and now.expires_at > self.clock():
            return  # it is not due
        await self._live(self.safe.step(ticket), dies_after)

    @rule(seconds=st.sampled_from([3, 15, 40] * 4 + [700]))
    def time_passes(self, seconds: int) -> None:
        self.clock.forward(seconds)

    @rule(fault=faults)
    def clear_street_has_trouble(self, fault: str) -> None:
        self.emulator.gate.clear()
        self.emulator.exchange.list_lag = 0
        if fault.startswith("drop"):
            self.emulator.gate.drop(SUBMIT, "before" if "before" in fault else "after")
        elif fault == "late":
            self.emulator.exchange.list_lag = 10**6
            self.emulator.gate.drop(SUBMIT, "after")
        else:
            self.emulator.gate.refuse(SUBMIT, status=int(fault))

    @precondition(lambda self: self.tickets)
    @rule(index=which, died=st.booleans())
    def a_halt_comes_between(self, index: int, died: bool) -> None:
        """Before an approval, or between it and the call."""
        self.run(self._halt_between(index, died=died))

    async def _halt_between(self, index: int, *, died: bool) -> None:
        ticket = await self._now(index)
        if died:
            self.safe.orders._draining = True  # it never comes to its first step
            await self._live(self.safe.orders.approve([ticket.token], ANA, TEAM))
            await self._die()
        assert (await self._live(self.safe.orders.halt(EVE, None))).answer is Answered.DONE
        self.before_halt = len(self.safe.at_exchange)
        await self._approve([index], [ANA, EVE], None)
        await self._step(ticket)
        self.the_exchange_has_nothing_new()
        assert (await self._live(self.safe.orders.resume(EVE))).answer is Answered.DONE

    def the_exchange_has_nothing_new(self) -> None:
        assert len(self.safe.at_exchange) == self.before_halt, "an order while trading was halted"

    # What must hold.

    @invariant()
    def the_exchange_has_nothing_that_it_should_not_have(self) -> None:
        if not hasattr(self, "safe"):
            return
        placed = self.safe.at_exchange
        ids = [order.client_order_id for order in placed]
        assert len(ids) == len(set(ids)), "two orders of one ticket"
        by_id = {ticket.client_order_id: ticket for ticket in self.tickets}
        assert set(ids) <= set(by_id), "an order of no ticket"
        worth = {order.client_order_id: _worth(order) for order in placed}
        assert sum(worth.values(), Decimal(0)) <= DAY_CAP
        assert all(one <= ORDER_CAP for one in worth.values())
        assert all(order.instrument.symbol == "AAPL" for order in placed)
        sold = [order.wanted.quantity for order in placed if order.wanted.side != "BUY"]
        assert sum(sold, Decimal(0)) <= HELD, "a short sale"
        for order in placed:
            self.run(self._was_approved(by_id[order.client_order_id], order, worth[order.client_order_id]))

    async def _was_approved(self, ticket: Ticket, order: Any, worth: Decimal) -> None:
        now = await self.safe.get(ticket)
        assert now.state not in (State.PROPOSED, State.DECLINED, State.COPYABLE, State.REJECTED) or (
            # A human said no to what was not placed, and it turned up nevertheless.
            now.state is State.DECLINED and now.attempts
        )
        assert (now.terms.quantity, now.terms.limit_price) == (
            order.wanted.quantity,
            order.wanted.amount("limit_price"),
        )
        query = select(ticket_votes.c.user).where(
            ticket_votes.c.ticket_id == ticket.id, ticket_votes.c.content_hash == now.content_hash
        )
        async with self.database.transaction() as connection:
            voters = set((await connection.execute(query)).scalars())
        assert voters
        assert voters <= APPROVERS
        if worth > TWO_ABOVE:
            editors = {person.user for person in now.edited_by}
            assert len(voters) >= 2
            assert voters - editors - {ANA.user}

    def teardown(self) -> None:
        try:
            if hasattr(self, "safe"):
                self.run(self._end())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()
            self.folder.cleanup()

    async def _end(self) -> None:
        """Clear Street recovers, and time passes: every ticket comes to its end, and every card tells it."""
        self.emulator.gate.clear()
        self.emulator.exchange.list_lag = 0
        for seconds in (0, 20, 20, 20, 700, 20, 20, 700, 20):
            self.clock.forward(seconds)
            for ticket in self.tickets:
                await self._step(ticket)
        await self.safe.show_all()
        for ticket in self.tickets:
            now = await self.safe.get(ticket)
            assert now.state not in DECIDED_BY_NOBODY, f"{ticket.id} is stuck: {now.state}"
            shown = self.cards.of(ticket.id)
            assert shown is not None
            assert shown.state is now.state
        verified = await self.safe.verified()
        assert verified.sound, verified.problems
        await self.instance.aclose()


async def _awaited(future: asyncio.Future[Any]) -> Any:
    return await future


def _worth(order: Any) -> Decimal:
    """As the policy reckons: a sale gets its limit at least, and otherwise about the bid."""
    limit, quantity = order.wanted.amount("limit_price"), order.wanted.quantity
    price = limit if order.wanted.side == "BUY" else max(limit, Decimal("271.05"))
    return Decimal(price * quantity)


def test_whatever_happens_to_tickets_the_rules_hold(migrated: Path):
    Tickets.template = migrated
    run_state_machine_as_test(Tickets, settings=settings(examples(7), stateful_step_count=20))
