"""All of `orders` between a real database and the emulated exchange; Slack's side takes notes."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from omnibot_sandbox.clearstreet.exchange import Order as Placed
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import select, update

from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.model import Person, link_principal
from omnibot.accounts.service import Keyring
from omnibot.accounts.store import LinkStore
from omnibot.clearstreet.market import MarketData
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.trading import Trading
from omnibot.db.engine import Database
from omnibot.db.presence import Presence
from omnibot.db.tables import audit, ticket_cards, tickets
from omnibot.encryption import Encryption
from omnibot.orders.audit import Audit, Signer, Verified, verify
from omnibot.orders.model import (
    ClickOutcome,
    ClickResult,
    MarketView,
    Notification,
    Proposal,
    Ticket,
    TicketState,
    utcnow,
)
from omnibot.orders.service import Orders
from omnibot.orders.store import TicketStore
from omnibot.policy.identities import PersonKind, Who
from omnibot.policy.model import Policy
from omnibot.policy.parser import read_policy
from omnibot.scheduler import Scheduler
from tests.orders.crashing import Life, MortalDatabase, MortalTransport

ACCOUNT, KEY, TEAM, CHANNEL = 19816, "demo-key", "T0HOME", "C0DESK"
ANA = Who(TEAM, "U0ANA", PersonKind.MEMBER)
BEN = Who(TEAM, "U0BEN", PersonKind.MEMBER)
EVE = Who(TEAM, "U0EVE", PersonKind.MEMBER)
CLEO = Who(TEAM, "U0CLEO", PersonKind.GUEST)
DAN = Who("T0PARTNER", "U0DAN", PersonKind.EXTERNAL)
COLLEAGUE = Who(TEAM, "U0FAY", PersonKind.MEMBER)
EVERYBODY = {one.user: one for one in (ANA, BEN, EVE, CLEO, DAN, COLLEAGUE)}
SIGNER = Signer(["a key of the audit that is long enough"])
#: The same in every process.
ENCRYPTION_KEY = base64.urlsafe_b64encode(b"k" * 32).decode()

POLICY = """version = 1
[trading]
traders = ["U0ANA", "U0BEN"]
approvers = ["U0BEN", "U0EVE"]
halters = ["U0EVE"]
accounts = [19816]
max_order_notional = "50000"
max_day_notional = "100000"
order_types = ["LIMIT", "MARKET", "STOP"]
times_in_force = ["DAY", "GOOD_TILL_CANCEL"]
price_collar = "none"
max_quote_age_seconds = 3600
four_eyes_above = "never"
"""


def rules(**changes: str) -> Policy:
    """`POLICY` with other values, as TOML."""
    lines = [line for line in POLICY.splitlines() if line.partition(" =")[0] not in changes]
    return read_policy("\n".join([*lines, *(f"{key} = {value}" for key, value in changes.items())]).encode(), "test")


@dataclass
class Book:
    """A policy in force, to be changed."""

    current: Policy
    digest: str = "d" * 64


@dataclass
class Notebook:
    """Cards that stand in a notebook; `breaks` says how often each method still raises."""

    shown: list[tuple[Ticket, MarketView | None]] = field(default_factory=list)
    told: list[tuple[str, Notification]] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    breaks: dict[str, int] = field(default_factory=dict)

    def _may_break(self, method: str) -> None:
        if self.breaks.get(method, 0) > 0:
            self.breaks[method] -= 1
            raise RuntimeError("Slack is down")

    async def show(self, ticket: Ticket, seen: MarketView | None) -> None:
        self._may_break("show")
        self.shown.append((ticket, seen))

    async def tell(self, ticket: Ticket, what: Notification) -> None:
        self._may_break("tell")
        self.told.append((ticket.id, what))

    async def checking(self, ticket: Ticket) -> None:
        """Nothing is drawn here."""

    async def alert(self, sentence: str, *, by: str | None = None) -> None:
        self._may_break("alert")
        self.alerts.append(sentence)

    def of(self, ticket_id: str) -> Ticket | None:
        """What the card says; None: nothing yet."""
        return next((ticket for ticket, _ in reversed(self.shown) if ticket.id == ticket_id), None)


class Clock:
    """The time, which can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return utcnow() + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


class Safe:
    """One instance at work."""

    def __init__(
        self,
        orders: Orders,
        store: TicketStore,
        emulator: ClearStreetEmulator,
        cards: Notebook,
        book: Book,
        clock: Clock,
        links: LinkCache,
    ) -> None:
        self.orders = orders
        self.store = store
        self.database = store.database
        self.emulator = emulator
        self.cards = cards
        self.book = book
        self.clock = clock
        self.links = links
        self._actions = 0

    # What happens.

    def proposal(self, owner: Who = ANA, **changes: Any) -> Proposal:
        """Where the next order comes from."""
        self._actions += 1
        person = Person(owner.org, owner.user)
        plain: dict[str, Any] = {
            "message_id": f"message-{secrets.token_hex(4)}-{self._actions}",
            "action_id": "action",
            "owner": person,
            "team": TEAM,
            "channel": CHANNEL,
            "thread_ts": "1700000001.000100",
            "principal": link_principal(person),
            "account_id": ACCOUNT,
        }
        return Proposal(**{**plain, **changes})

    async def propose(self, *orders: Mapping[str, Any], owner: Who = ANA, **changes: Any) -> list[Ticket]:
        """Tickets of orders Omni proposes."""
        action = {"prefill_order": {"action_type": "NEW", "orders": list(orders) or [BUY]}}
        return await self.orders.propose(action, self.proposal(owner, **changes))

    async def propose_about(self, kind: str, *orders: Mapping[str, Any], owner: Who = ANA) -> list[Ticket]:
        """Tickets of Omni's cancels and changes."""
        action = {"prefill_order": {"action_type": kind, "orders": list(orders)}}
        return await self.orders.propose(action, self.proposal(owner))

    async def approve(self, ticket: Ticket, clicker: Who = ANA) -> ClickResult:
        """A click on Approve."""
        [click] = await self.orders.approve([ticket.token], clicker, TEAM)
        return click

    async def placed(self, *, clicker: Who = ANA, **changes: Any) -> Ticket:
        """A ticket whose order Clear Street has."""
        [ticket] = await self.propose({**BUY, **changes})
        click = await self.approve(ticket, clicker)
        assert click.answer is ClickOutcome.APPROVED, click
        return await self.until(ticket, lambda now: now.state is TicketState.SUBMITTED)

    # What is seen.

    async def get(self, ticket: Ticket) -> Ticket:
        found = await self.orders.get(ticket.id)
        assert found is not None
        return found

    async def until(self, ticket: Ticket, wanted: Callable[[Ticket], bool] | TicketState) -> Ticket:
        """The ticket, once it is in this state or looks as wanted."""
        async with asyncio.timeout(60):
            while True:
                now = await self.get(ticket)
                if now.state is wanted if isinstance(wanted, TicketState) else wanted(now):
                    return now
                await asyncio.sleep(0.02)

    async def when(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 -- what is waited for knows of no event
                await asyncio.sleep(0.02)

    async def told(self, ticket: Ticket, what: Notification) -> None:
        """Wait until the requester has heard this."""
        await self.when(lambda: (ticket.id, what) in self.cards.told)

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self.orders._steps:
            await asyncio.gather(*self.orders._steps, return_exceptions=True)

    async def show_all(self) -> None:
        """Have every card brought up to date, and everybody told."""
        async with asyncio.timeout(60):
            while await self.cards_due():
                await self.orders.sweep()
                await self.settled()
                await asyncio.sleep(0)

    async def shows(self, ticket: Ticket, wanted: Callable[[Ticket], bool]) -> Ticket:
        """What the ticket's card says, once it looks as wanted."""
        await self.when(lambda: (now := self.cards.of(ticket.id)) is not None and wanted(now))
        now = self.cards.of(ticket.id)
        assert now is not None
        return now

    async def approve_and_die(self, ticket: Ticket, clicker: Who = ANA) -> None:
        """An approval, written down by an instance that dies before its first step."""
        self.orders._draining = True
        assert (await self.approve(ticket, clicker)).answer is ClickOutcome.APPROVED
        self.orders._draining = False
        await self.store.leases.release([ticket.id])

    def forget_keys(self) -> None:
        """What another instance changed of links counts here now, and not in a few seconds."""
        self.links.changed()

    async def step(self, ticket: Ticket) -> Ticket:
        """Have the next thing done now, whenever it is due."""
        taken = await self.store.take(ticket.id)
        if taken is not None:
            await self.orders.step(taken)
        return await self.get(ticket)

    async def due(self, ticket: Ticket) -> None:
        """Whatever is next for a ticket is due now."""
        async with self.database.transaction() as connection:
            await connection.execute(
                update(tickets).where(tickets.c.id == ticket.id).values(due_at=self.database.now())
            )

    @property
    def at_exchange(self) -> list[Placed]:
        """Every order the exchange has accepted."""
        return list(self.emulator.exchange.orders.values())

    def calls(self, *methods: str) -> list[str]:
        """The order calls that were made, of these methods."""
        return [call.name for call in self.emulator.calls if "/orders" in call.name and call.name.split()[0] in methods]

    async def verified(self) -> Verified:
        return await verify(self.database, SIGNER)

    async def audited(self, ticket: Ticket) -> list[str]:
        """The kinds of the audit's rows about a ticket, in order."""
        query = select(audit.c.record).where(audit.c.ticket_id == ticket.id).order_by(audit.c.seq)
        async with self.database.transaction() as connection:
            return [json.loads(one)["kind"] for one in (await connection.execute(query)).scalars()]

    async def cards_due(self) -> int:
        query = select(ticket_cards.c.id).where(
            (ticket_cards.c.shown < ticket_cards.c.wanted) | ticket_cards.c.telling.is_not(None)
        )
        async with self.database.transaction() as connection:
            return len((await connection.execute(query)).all())


BUY: dict[str, Any] = {
    "symbol": "AAPL",
    "side": "BUY",
    "order_type": "LIMIT",
    "quantity": "10",
    "limit_price": "250.00",
    "time_in_force": "DAY",
}


@asynccontextmanager
async def open_emulator(*, revision: str = "2026-10", pace: float = 0.01) -> AsyncIterator[ClearStreetEmulator]:
    """The exchange; prices stand still."""
    emulator = ClearStreetEmulator(revision=revision, pace=pace)
    emulator.market.wandering = False
    await emulator.start()
    try:
        yield emulator
    finally:
        await emulator.close()


async def link(database: Database, *people: Who, key: str = KEY) -> None:
    """Let people have linked a key."""
    links = LinkCache(LinkStore(database), Encryption([ENCRYPTION_KEY]))
    for who in people:
        await links.save(Person(who.org, who.user), key, team=TEAM, accounts=[ACCOUNT], page=None)


@asynccontextmanager
async def open_safe(
    database: Database,
    emulator: ClearStreetEmulator,
    *,
    live: bool = True,
    working: bool = True,
    cards: Notebook | None = None,
    book: Book | None = None,
    clock: Clock | None = None,
    life: Life | None = None,
    revision: str | None = None,
) -> AsyncIterator[Safe]:
    """One instance. `working`: its timer runs; otherwise a test takes each step.

    `revision`: what it is told about the API; None: what is true.
    """
    life = life or Life()
    cards, book, clock = cards or Notebook(), book or Book(rules()), clock or Clock()
    told = revision or emulator.revision
    transport = MortalTransport(life, base_url=emulator.base_url, rate=10_000, revision=told, timeout=5.0)
    presence = Presence(database)
    await presence.hold()
    store = TicketStore(MortalDatabase(database, life), presence.instance, Audit(SIGNER))
    trading = Trading(transport)
    links = LinkCache(LinkStore(database), Encryption([ENCRYPTION_KEY]))
    keyring = Keyring(trading, shared_key=None, shared_account_id=None, links=links)
    scheduler = Scheduler()
    scheduler.start()

    async def who(person: Person, _team: str) -> Who:
        return EVERYBODY[person.user]

    orders = Orders(
        store,
        trading,
        MarketData(transport),
        keyring,
        scheduler,
        rules=book,
        who=who,
        cards=cards,
        revision=Omni(transport).supports,
        live=live,
        clock=clock,
    )
    if working:
        orders.start()
    try:
        yield Safe(orders, store, emulator, cards, book, clock, links)
    finally:
        if not life.over:
            await orders.stop()
        await scheduler.stop()
        await presence.drop()
        await transport.close()
