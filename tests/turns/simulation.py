"""The turn engine between an Omni and a Slack in memory, on a real SQLite file, in a time that the test owns.

A bot may die at any point where it speaks to anybody (Omni, Slack, the database); its successor finds only the file.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from unittest.mock import patch

import structlog
from sqlalchemy.event import listens_for
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.service import Keyring
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.trading import Trading
from omnibot.db.engine import Database, open_database
from omnibot.db.migrate import upgrade
from omnibot.db.presence import Presence
from omnibot.market_data.service import Markets
from omnibot.policy.model import Policy
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.delivery.background import Background
from omnibot.slack.listeners import buttons, commands, messages
from omnibot.turns import engine
from omnibot.turns.engine import Turns
from omnibot.turns.store import TurnStore
from tests.turns.omni_model import ACCOUNT, OmniLine, OmniModel
from tests.turns.slack_model import BOT, TEAM, SlackLine, SlackModel
from tests.turns.virtual_time import Alarms, VirtualLoop

T = TypeVar("T")

#: What the database itself writes down, whoever changes a turn: every step, and every request's key.
WITNESS = """
CREATE TABLE seen (turn_id TEXT, old TEXT, new TEXT, canceled INTEGER, at INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TRIGGER see_state AFTER UPDATE OF state ON turns WHEN OLD.state IS NOT NEW.state BEGIN
  INSERT INTO seen (turn_id, old, new, canceled)
  VALUES (NEW.id, OLD.state, NEW.state, OLD.cancel_requested_at IS NOT NULL);
END;
CREATE TABLE keys (key TEXT PRIMARY KEY, turn_id TEXT);
CREATE TRIGGER see_key AFTER UPDATE OF idempotency_key ON turns WHEN NEW.idempotency_key IS NOT NULL BEGIN
  INSERT OR IGNORE INTO keys VALUES (NEW.idempotency_key, NEW.id);
END;
"""

Handler = Callable[..., Coroutine[Any, Any, None]]


@dataclass
class Envelope:
    """Something Slack tells the bot until it says yes; commands and clicks are told once."""

    listener: str
    payload: dict[str, Any]
    held: bool = False
    acked: bool = False
    tries: int = 0

    @property
    def repeated(self) -> bool:
        return self.listener == "message"


class _Database(Database):
    """A process's own way to the file."""

    def __init__(self, shared: Database, life: Life) -> None:
        super().__init__(shared.engine, None)
        self._life = life

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        await self._life.point()
        world = self._life.world
        if world.database_troubles > 0:
            world.database_troubles -= 1
            world.database_failures += 1
            raise OperationalError("…", {}, sqlite3.OperationalError("database is locked"))
        with world.loop.thread_at_work():
            async with super().transaction() as connection:
                yield connection
        await self._life.point()


class _Listeners:
    """Keeps what slack/ registers with Bolt."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}

    def _keep(self, name: str) -> Callable[[Handler], Handler]:
        def keep(handler: Handler) -> Handler:
            self.handlers[name] = handler
            return handler

        return keep

    def event(self, name: str) -> Callable[[Handler], Handler]:
        return self._keep(name)

    def command(self, _name: str) -> Callable[[Handler], Handler]:
        return self._keep("command")

    def action(self, _pattern: object) -> Callable[[Handler], Handler]:
        return self._keep("action")


class Life:
    """One process, from its start to its death."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.died = asyncio.Event()
        #: So many points on, it dies.
        self.dies_after: int | None = None
        self.alarms = Alarms(world.loop)
        self.background = Background()
        database = _Database(world.database, self)
        presence = Presence(database)
        line = SlackLine(world.slack, lambda: not self.died.is_set(), self.point)
        omni = OmniLine(world.omni, self.point)
        account = ACCOUNT if world.account_known else None
        self.turns = Turns(
            TurnStore(database, presence.instance),
            cast(Omni, omni),
            Keyring(cast(Trading, omni), shared_key="key", shared_account_id=account),
            self.alarms.as_scheduler(),
            presence,
            markets=cast(Markets, None),
            admission=line,
            reply=line,
            retention=timedelta(days=30),
        )
        self._listeners = _Listeners()
        app = cast(Any, self._listeners)
        access = cast(Authorization, SimpleNamespace(policy=Policy()))
        messages.register(app, self.turns, self.background, access, bot_user_id=BOT)
        commands.register(app, self.turns, {}, self.background, bot_user_id=BOT)
        buttons.register(
            app, self.turns, self.background, access, open_consent=cast(Any, None), open_order=cast(Any, None)
        )
        self.turns.start()

    async def point(self) -> None:
        """Between any two things that a process does, it may have died."""
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                self.died.set()
        if self.died.is_set():
            await asyncio.get_running_loop().create_future()

    async def hear(self, envelope: Envelope) -> None:
        """As Bolt does it: the ack follows when the listener returns."""
        acks: list[str] = []

        async def ack(text: str = "", **_: Any) -> None:
            acks.append(text)

        async def tell(**_: Any) -> None:
            return

        handler, payload = self._listeners.handlers[envelope.listener], envelope.payload
        if envelope.listener == "message":
            context = SimpleNamespace(team_id=TEAM, enterprise_id=None, actor_enterprise_id=None, actor_team_id=TEAM)
            await handler(payload, context)
        elif envelope.listener == "command":
            await handler(ack, payload, None, None)
            assert acks
        else:
            await handler(ack, payload, payload["actions"][0], SimpleNamespace(chat_postEphemeral=tell))
            assert acks
        await self.point()

    async def bury(self) -> None:
        """What was in the middle of something ends there; the file keeps what was committed."""
        self.died.set()
        self.alarms.silence()
        await self.world.loop.settle()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def terminate(self) -> None:
        """SIGTERM."""
        await self.background.close()
        await self.turns.drain()


@dataclass
class World:
    """Everything, and its time."""

    loop: VirtualLoop
    omni: OmniModel
    slack: SlackModel
    database: Database
    #: The account is in the settings; else the keyring asks for it.
    account_known: bool
    life: Life | None = None
    #: When a dead bot is started again.
    back_at: float = 0.0
    envelopes: list[Envelope] = field(default_factory=list)
    #: So many transactions fail from now on; so many did.
    database_troubles: int = 0
    database_failures: int = 0
    deaths: int = 0
    down: float = 0.0

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run this in the world's time."""
        return self.loop.run_until_complete(work)

    async def start(self) -> None:
        """As `boot`, for those outside the loop."""
        self.boot()

    def boot(self) -> None:
        """A new process on the same database."""
        self.life = Life(self)

    async def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.loop.time() + seconds
        while True:
            if self.life is None:
                pause = min(end, self.back_at) - self.loop.time()
                self.down += max(0.0, pause)
                await asyncio.sleep(max(0.0, pause))
                if self.loop.time() >= self.back_at:
                    self.boot()
            if self.life is not None:
                await self._deliver()
            if self.life is None:
                if self.loop.time() >= end:
                    return
                continue
            try:
                await asyncio.wait_for(self.life.died.wait(), max(0.0, end - self.loop.time()) + 1e-6)
            except TimeoutError:
                return
            await self.fall()

    async def fall(self, down: float = 1.0) -> None:
        """The bot is dead, or dies now."""
        assert self.life is not None
        await self.life.bury()
        self.deaths += 1
        self.life = None
        self.back_at = max(self.back_at, self.loop.time() + down)

    async def restart(self) -> None:
        """SIGTERM, and another one."""
        if self.life is None:
            return
        ending = asyncio.ensure_future(self.life.terminate())
        dying = asyncio.ensure_future(self.life.died.wait())
        await asyncio.wait({ending, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if not self.life.died.is_set():
            ending.result()
        await self.fall(0.0)

    async def _deliver(self) -> None:
        """Slack tells again what it has had no answer to."""
        for envelope in self.envelopes:
            if self.life is None:
                return
            if not envelope.held and not envelope.acked and (envelope.repeated or not envelope.tries):
                await self.tell(envelope)

    async def tell(self, envelope: Envelope) -> bool:
        """Deliver an envelope (again). Whether the bot said yes."""
        assert self.life is not None
        envelope.tries += 1
        hearing = asyncio.ensure_future(self.life.hear(envelope))
        dying = asyncio.ensure_future(self.life.died.wait())
        await asyncio.wait({hearing, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if hearing.done():
            if hearing.exception() is None:
                envelope.acked = True
                return True
        else:
            await self.fall()
        return False

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        """What stands in the database."""
        with self.loop.thread_at_work():
            async with self.database.transaction() as connection:
                return [dict(row) for row in (await connection.exec_driver_sql(sql)).mappings()]

    async def close(self) -> None:
        """Leave nothing behind."""
        if self.life is not None:
            await self.fall()
        with self.loop.thread_at_work():
            await self.database.close()


@cache
def _witnessed() -> bytes:
    """A migrated database that watches every turn's steps."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite3"
        asyncio.run(upgrade(f"sqlite:///{path}"))
        connection = sqlite3.connect(path)
        connection.executescript(WITNESS)
        connection.close()
        return path.read_bytes()


@contextmanager
def playing(*, repeatable: bool = False, account_known: bool = True) -> Iterator[World]:
    """A world of its own, whose bot runs.

    Args:
        repeatable: Omni is of the newest revision: the same create under the same key is done once.
        account_known: the account is in the bot's settings; else it has to ask for it.
    """
    with ExitStack() as stack:
        stack.callback(structlog.configure, **structlog.get_config())
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "turns.sqlite3"
        path.write_bytes(_witnessed())
        loop = stack.enter_context(closing(VirtualLoop()))
        stack.enter_context(loop.rules_the_engine())
        # Most of the cost is looking at nothing; sweeps find orphans, and those are there from the start.
        stack.enter_context(patch.object(engine, "SWEEP", 5.0))
        database = loop.run_until_complete(open_database(f"sqlite:///{path}", exclusive=False))

        @listens_for(database.engine.sync_engine, "connect")
        def no_power_cuts(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA synchronous=OFF")

        world = World(loop, OmniModel(loop, repeatable=repeatable), SlackModel(loop), database, account_known)
        world.do(world.start())
        try:
            yield world
        finally:
            world.do(world.close())
