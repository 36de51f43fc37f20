"""Anything that may happen to tickets, in any order: several people at once, faults, crashes, halts, time; orders that
are placed, changed and canceled, at exchanges that keep and that change the id of an order that is changed.

What must hold is written here a second time, from what the exchange has accepted and was asked to make of it: one order
a ticket at most, none that the policy or an approver forbids, no cap exceeded, an audit that verifies, and no ticket
that is stuck.
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
from omnibot_sandbox.clearstreet.exchange import Order as Placed
from omnibot_sandbox.clearstreet.order_bodies import changed
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import select

from omnibot.db.engine import Database, open_database
from omnibot.db.tables import ticket_votes
from omnibot.orders.model import ClickOutcome, Ticket, TicketState
from omnibot.policy.facts import OrderAction
from omnibot.policy.identities import Who
from tests.examples import examples
from tests.orders.crashing import Killed, Life
from tests.orders.harness import (
    ACCOUNT,
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
PATCH = "PATCH /v1/accounts/{account_id}/orders/{order_id}"
Amounts = tuple[Decimal | None, Decimal | None]
"""Quantity and limit."""
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
DECIDED_BY_NOBODY = (
    TicketState.APPROVED,
    TicketState.SUBMITTING,
    TicketState.UNKNOWN,
    TicketState.PROPOSED,
    TicketState.NOT_PLACED,
)

orders_of_omni = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["AAPL"] * 7 + ["TSLA"]),
        "side": st.sampled_from(["BUY", "BUY", "BUY", "SELL"]),
        "quantity": st.sampled_from(["10", "35", "60", "100"]),
        "limit_price": st.sampled_from(["200.00", "250.00", "300.00"]),
    }
)
faults = st.sampled_from(["drop before", "drop after", "500", "400", "409", "429", "late"])
#: Each is allowed of most orders, and two of them of few.
changes = st.sampled_from(
    [{"quantity": "20"}, {"quantity": "60"}, {"quantity": "100"}, {"limit_price": "200.00"}, {"limit_price": "300.00"}]
)
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
        #: The most that each order was ever worth.
        self.most: dict[str, Decimal] = {}
        self.before_halt = 0
        self.book, self.clock, self.cards = Book(rules(**LIMITS)), Clock(), Notebook()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize(
        orders=st.lists(orders_of_omni, min_size=2, max_size=4),
        keeps_id=st.booleans(),
        entered=changes,
        others=changes,
        canceled=st.booleans(),
    )
    def begin(
        self,
        orders: list[dict[str, str]],
        keeps_id: bool,
        entered: dict[str, str],
        others: dict[str, str],
        canceled: bool,
    ) -> None:
        self.run(self._begin())
        self.emulator.exchange.replace_keeps_id = keeps_id
        # There is an order to be changed, and it was changed once.
        self.propose({"symbol": "AAPL", "side": "BUY", "quantity": "35", "limit_price": "250.00"})
        self.run(self._approve([self.tickets[:1]], [ANA, EVE]))
        self.omni_changes_an_order(0, entered, None, together=False)
        self.omni_changes_an_order(0, entered, others, together=True)
        if canceled:
            asked = self.run(self.safe.orders.propose_cancel(self.tickets[0].id, ANA, TEAM))
            self._take_up(asked.ticket, approved=True, dies_after=None)
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

    @precondition(lambda self: self._working)
    @rule(index=which, entered=changes, others=st.none() | changes, together=st.booleans())
    def omni_proposes_changes_of_one_order(
        self, index: int, entered: dict[str, str], others: dict[str, str] | None, together: bool
    ) -> None:
        self.omni_changes_an_order(index, entered, others, together=together)

    def omni_changes_an_order(
        self, index: int, entered: dict[str, str], others: dict[str, str] | None, *, together: bool
    ) -> None:
        """Two of them, perhaps; they are approved at once, or one after the other."""
        about = {"account_id": ACCOUNT, "order_id": self._working[index % len(self._working)].id}
        wanted = [{**about, **one} for one in (entered, others) if one is not None]
        made = self.run(self.safe.propose_about("MODIFY", *wanted))
        self.tickets += made
        self.run(self._approve([made] if together else [[one] for one in made], [ANA, EVE]))

    @precondition(lambda self: self._placed)
    @rule(
        index=which,
        entered=st.none() | changes,
        who=st.sampled_from([ANA, BEN, *PEOPLE]),
        approved=st.booleans(),
        dies_after=st.none() | st.integers(8, 25),
    )
    def somebody_changes_or_cancels_an_order(
        self, index: int, entered: dict[str, str] | None, who: Who, approved: bool, dies_after: int | None
    ) -> None:
        orders, ticket = self.safe.orders, self._placed[index % len(self._placed)]
        asking = (
            orders.propose_cancel(ticket.id, who, TEAM)
            if entered is None
            else orders.propose_replace(ticket.id, entered, who, TEAM)
        )
        asked = self.run(self._live(asking))
        self._take_up(asked.ticket, approved=approved, dies_after=dies_after)

    def _take_up(self, made: Ticket | None, *, approved: bool, dies_after: int | None) -> None:
        if made is None:
            return
        if made.id not in {one.id for one in self.tickets}:
            self.tickets.append(made)
        if approved:
            self.run(self._approve([[made]], [ANA, EVE], dies_after))

    @precondition(lambda self: len(self.tickets) > 1)
    @rule(
        indexes=st.lists(which, min_size=1, max_size=3, unique=True),
        act=st.sampled_from(["approves", "edits", "declines", "asks for a change", "has one approved"]),
        colleague=st.sampled_from([ANA, BEN, EVE]),
        entered=changes,
    )
    def a_colleague_acts_between_the_look_and_the_transaction(
        self, indexes: list[int], act: str, colleague: Who, entered: dict[str, str]
    ) -> None:
        self.run(self._meanwhile([self._ticket(index) for index in indexes], act, colleague, entered))

    async def _meanwhile(self, pressed: list[Ticket], act: str, colleague: Who, entered: dict[str, str]) -> None:
        checking: Any = self.safe.orders._market
        acted = False
        look = checking.look

        async def look_while_a_colleague_acts(*arguments: Any) -> Any:
            nonlocal acted
            seen = await look(*arguments)
            if not acted:
                acted = True
                await self._act(pressed[-1], act, colleague, entered)
            return seen

        checking.look = look_while_a_colleague_acts
        try:
            await self._approve([pressed], [ANA])
        finally:
            checking.look = look

    async def _act(self, ticket: Ticket, act: str, colleague: Who, entered: dict[str, str]) -> None:
        orders, token = self.safe.orders, (await self.safe.get(ticket)).token
        if act == "approves":
            await orders.approve([token], colleague, TEAM)
        elif act == "edits":
            await orders.edit(token, entered, colleague)
        elif act == "declines":
            await orders.decline(token, colleague, None)
        elif self._working:
            about = {"account_id": ACCOUNT, "order_id": ticket.terms.order_id or self._working[-1].id}
            made = await self.safe.propose_about("MODIFY", {**about, **entered})
            self.tickets += made
            if act == "has one approved":
                await orders.approve([one.token for one in made], colleague, TEAM)

    @precondition(lambda self: self.tickets)
    @rule(index=which, clickers=crowd, dies_after=st.none() | st.integers(1, 25))
    def approve(self, index: int, clickers: list[Who], dies_after: int | None) -> None:
        self.run(self._approve([[self._ticket(index)]], clickers, dies_after))

    @precondition(lambda self: len(self.tickets) > 1)
    @rule(clickers=crowd)
    def approve_all(self, clickers: list[Who]) -> None:
        self.run(self._approve([[self._ticket(index) for index in range(3)]], clickers))

    async def _approve(self, presses: list[list[Ticket]], clickers: list[Who], dies_after: int | None = None) -> None:
        """Each of these people presses each of these buttons, all at once; a button is about one ticket or several."""
        pressed = [(who, await self._tokens(about)) for about in presses for who in clickers]
        clicks = asyncio.gather(*(self.safe.orders.approve(tokens, who, TEAM) for who, tokens in pressed))
        said = await self._live(_awaited(clicks), dies_after)
        for (who, _), answers in zip(pressed, said or (), strict=False):
            came = {click.answer for click in answers}
            assert ClickOutcome.APPROVED not in came or came == {ClickOutcome.APPROVED}, (
                "some of them went, and some did not"
            )
            if who.user not in APPROVERS:
                assert not came & {ClickOutcome.APPROVED, ClickOutcome.SECOND_NEEDED}

    async def _tokens(self, about: list[Ticket]) -> list[str]:
        return list(dict.fromkeys([(await self.safe.get(ticket)).token for ticket in about]))

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
        self.run(self._approve([[self._ticket(index)]], [ANA, EVE], dies_after))

    @precondition(lambda self: self.tickets)
    @rule(index=which, who=st.sampled_from([CLEO, DAN, COLLEAGUE]))
    def somebody_tries_what_they_may_not(self, index: int, who: Who) -> None:
        [click] = self.run(self._live(self.safe.orders.approve([self._ticket(index).token], who, TEAM)))
        assert click.answer is not ClickOutcome.APPROVED
        assert self.run(self._live(self.safe.orders.halt(who, None))).answer is ClickOutcome.NOT_ALLOWED

    @precondition(lambda self: self.tickets)
    @rule(index=which, editor=st.sampled_from([ANA, BEN]), quantity=st.sampled_from(["30", "50", "55"]))
    def an_edit_comes_between_two_approvals(self, index: int, editor: Who, quantity: str) -> None:
        self.run(self._approve([[self._ticket(index)]], [EVE]))
        self.run(self._edit(index, editor, quantity))
        self.run(self._approve([[self._ticket(index)]], [ANA]))

    @precondition(lambda self: self.tickets)
    @rule(index=which, dies_after=st.none() | st.integers(1, 8))
    def time_comes(self, index: int, dies_after: int | None) -> None:
        self.run(self._step(self._ticket(index), dies_after))

    async def _step(self, ticket: Ticket, dies_after: int | None = None) -> None:
        now = await self.safe.get(ticket)
        if now.state is TicketState.PROPOSED and now.expires_at > self.clock():
            return  # it is not due
        await self._live(self.safe.step(ticket), dies_after)

    @rule(seconds=st.sampled_from([3, 15, 40] * 4 + [700]))
    def time_passes(self, seconds: int) -> None:
        self.clock.forward(seconds)

    @rule(fault=faults, call=st.sampled_from([SUBMIT, SUBMIT, PATCH]))
    def clear_street_has_trouble(self, fault: str, call: str) -> None:
        self.emulator.gate.clear()
        self.emulator.exchange.list_lag = 0
        if fault.startswith("drop"):
            self.emulator.gate.drop(call, "before" if "before" in fault else "after")
        elif fault == "late":
            self.emulator.exchange.list_lag = 10**6
            self.emulator.gate.drop(call, "after")
        else:
            self.emulator.gate.refuse(call, status=int(fault))

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
        assert (await self._live(self.safe.orders.halt(EVE, None))).answer is ClickOutcome.DONE
        self.before_halt = self._sent()
        await self._approve([[ticket]], [ANA, EVE])
        await self._step(ticket)
        self.the_exchange_has_nothing_new()
        assert (await self._live(self.safe.orders.resume(EVE))).answer is ClickOutcome.DONE

    def the_exchange_has_nothing_new(self) -> None:
        assert self._sent() == self.before_halt, "an order, or a change of one, while trading was halted"

    def _sent(self) -> int:
        return len(self.safe.calls("POST", "PATCH"))

    @property
    def _working(self) -> list[Placed]:
        """What may still be filled."""
        return [order for order in self.safe.at_exchange if not order.over]

    @property
    def _placed(self) -> list[Ticket]:
        """The tickets of these."""
        ids = {order.client_order_id for order in self._working}
        return [ticket for ticket in self.tickets if ticket.client_order_id in ids]

    # What must hold.

    @invariant()
    def the_exchange_has_nothing_that_it_should_not_have(self) -> None:
        if hasattr(self, "safe"):
            self.run(self._check())

    async def _check(self) -> None:
        working = self._working
        ids = [order.client_order_id for order in working]
        assert len(ids) == len(set(ids)), "two orders of one ticket"
        by_id = {ticket.client_order_id: ticket for ticket in self.tickets if ticket.terms.act is OrderAction.NEW}
        assert {order.client_order_id for order in self.safe.at_exchange} <= set(by_id), "an order of no ticket"
        assert all(order.instrument.symbol == "AAPL" for order in self.safe.at_exchange)
        allowed = await self._allowed() if working else {}
        sold = Decimal(0)
        for order in working:
            # As it is, and as it becomes when what was asked about it is done.
            asked = order.asked[0] if order.asked is not None else None
            wanted = [order.wanted] if asked is None else [order.wanted, changed(order.wanted, asked)]
            for one in wanted:
                notional_and_quantity = _worth(one)
                assert notional_and_quantity <= ORDER_CAP
                self.most[order.client_order_id] = max(
                    notional_and_quantity, self.most.get(order.client_order_id, Decimal(0))
                )
                amounts = (one.quantity, one.amount("limit_price"))
                approved = await self._approved(allowed[order.client_order_id], amounts, notional_and_quantity)
                assert approved, f"nobody approved that it is {amounts}"
            if order.wanted.side != "BUY":
                sold += max(one.quantity for one in wanted)
        assert sold <= HELD, "a short sale"
        assert sum(self.most.values(), Decimal(0)) <= DAY_CAP

    async def _allowed(self) -> dict[str, list[tuple[Ticket, Amounts]]]:
        """Of each order, the tickets that were sent about it, and what each was to make of it."""
        chains = {order.id: order.client_order_id for order in self.safe.at_exchange}
        allowed: dict[str, list[tuple[Ticket, Amounts]]] = {}
        for ticket in self.tickets:
            now = await self.safe.get(ticket)
            if now.attempts and now.terms.act is not OrderAction.CANCEL:
                before = now.before or now.terms
                amounts = (now.terms.quantity or before.quantity, now.terms.limit_price or before.limit_price)
                # A ticket that was sent may be known by the id that its order has since.
                chain = chains.get(ticket.terms.order_id or "", now.client_order_id)
                allowed.setdefault(chain, []).append((now, amounts))
        return allowed

    async def _approved(
        self, tickets: list[tuple[Ticket, Amounts]], amounts: Amounts, notional_and_quantity: Decimal
    ) -> bool:
        """Whether one of these tickets was to make the order this, and everybody who has to has approved it."""
        for now, wanted in tickets:
            # A human said no to what was not placed, and it turned up nevertheless; or nobody said anything any more.
            if wanted != amounts or now.state in (TicketState.PROPOSED, TicketState.COPYABLE, TicketState.REJECTED):
                continue
            query = select(ticket_votes.c.user).where(
                ticket_votes.c.ticket_id == now.id, ticket_votes.c.content_hash == now.content_hash
            )
            async with self.database.transaction() as connection:
                voters = set((await connection.execute(query)).scalars())
            editors = {person.user for person in now.edited_by}
            two = len(voters) >= 2 and bool(voters - editors - {ANA.user})
            if voters and voters <= APPROVERS and (two or notional_and_quantity <= TWO_ABOVE):
                return True
        return False

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


def _worth(wanted: Any) -> Decimal:
    """As the policy reckons: a sale gets its limit at least, and otherwise about the bid."""
    limit, quantity = wanted.amount("limit_price"), wanted.quantity
    price = limit if wanted.side == "BUY" else max(limit, Decimal("271.05"))
    return Decimal(price * quantity)


def test_whatever_happens_to_tickets_the_rules_hold(migrated: Path):
    Tickets.template = migrated
    run_state_machine_as_test(Tickets, settings=settings(examples(4), stateful_step_count=16))
