"""All of `turns` between a real database and Clear Street's emulator; Slack's side admits everybody and takes notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import select

from omnibot.accounts.service import Keyring
from omnibot.clearstreet.market import MarketData
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.db.engine import Database
from omnibot.db.presence import Presence
from omnibot.db.tables import turns
from omnibot.market_data.service import Markets
from omnibot.scheduler import Scheduler
from omnibot.turns.engine import Turns
from omnibot.turns.model import (
    Admitted,
    HeldFor,
    NewTurn,
    OfferedButton,
    ResponseSnapshot,
    Turn,
    TurnAnswer,
    TurnedAway,
)
from omnibot.turns.store import TurnStore

ACCOUNT = 19816


class Desk:
    """An admission that lets everybody ask what they said, once it has raised `breaks` times."""

    def __init__(self) -> None:
        self.breaks = 0
        self.asked = 0

    async def admit(self, turn: Turn) -> Admitted | TurnedAway:
        self.asked += 1
        if self.asked <= self.breaks:
            raise RuntimeError("a bug at the front desk")
        return Admitted(turn.event["text"], turn.channel, turn.thread_ts or turn.message_ts)

    async def direct(self, turn: Turn, admitted: Admitted, thread: tuple[str, str] | None) -> Admitted:
        raise AssertionError("everything may be shown everywhere here")


@dataclass
class Notebook:
    """A reply that stands in a notebook; a method raises as often as `breaks` says."""

    breaks: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    answers: dict[str, TurnAnswer] = field(default_factory=dict)
    ephemerals: list[str] = field(default_factory=list)

    def _note(self, method: str) -> None:
        self.calls.append(method)
        if self.calls.count(method) <= self.breaks.get(method, 0):
            raise RuntimeError("a bug in the reply")

    def begin(self, turn: Turn) -> None:
        self._note("begin")

    def progress(self, turn: Turn, snapshot: ResponseSnapshot, note: str | None = None) -> None:
        self._note("progress")

    def stopping(self, turn: Turn) -> None:
        self._note("stopping")

    async def finish(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> float | None:
        self._note("finish")
        self.answers[turn.id] = answer
        return None

    async def redraw(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> None:
        self._note("redraw")

    async def retract(self, turn: Turn) -> None:
        self._note("retract")

    async def tell_privately(self, turn: Turn, sentence: str, *, prompt: HeldFor | None = None) -> None:
        self._note("tell_privately")
        self.ephemerals.append(sentence)

    def drop(self, turn_id: str) -> None:
        """Nothing is kept beside what was written."""


@dataclass
class EngineHarness:
    """One instance, and Clear Street."""

    database: Database
    omni: ClearStreetEmulator
    client: Omni
    keyring: Keyring
    store: TurnStore
    service: Turns
    admission: Desk
    reply: Notebook

    async def ask(self, new: NewTurn) -> str:
        """Accept a question; returns the id of its turn."""
        assert await self.service.accept(new)
        async with self.database.transaction() as connection:
            query = select(turns.c.id).where(turns.c.source_key == new.source_key)
            return str((await connection.execute(query)).scalar_one())

    async def ended(self, turn_id: str) -> Turn:
        """The turn, once nothing can happen to it any more."""
        turn = None
        for _ in range(1500):
            turn = await self.store.get(turn_id)
            if turn is not None and turn.state.terminal:
                return turn
            await asyncio.sleep(0.02)
        raise AssertionError(f"not ended: {turn}")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until this is so."""
        for _ in range(1500):
            if condition():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"never so; Slack was shown {self.reply.calls}")

    def asked(self) -> list[str]:
        """Every question Omni has received, in order of the threads."""
        return [text for thread_id in self.omni.threads for text in self.omni.user_texts(thread_id)]

    def script(self, pattern: str, answer: str, seconds: float = 0.4) -> None:
        """Teach Omni to answer after so many (real) seconds."""
        parts = [{"type": "text", "text": answer}]
        final = {"at": seconds / self.omni.pace, "status": "succeeded", "parts": parts}
        self.omni.add_script({"name": f"test: {pattern}", "pattern": pattern, "snapshots": [], "final": final})


@asynccontextmanager
async def open_harness(database: Database) -> AsyncIterator[EngineHarness]:
    """Start an instance on this database."""
    omni = ClearStreetEmulator(pace=0.05)
    await omni.start()
    transport = Transport(base_url=omni.base_url, revision="2026-04")
    keyring = Keyring(Trading(transport), shared_key="demo-key", shared_account_id=ACCOUNT)
    scheduler = Scheduler()
    scheduler.start()
    presence = Presence(database)
    await presence.hold()
    store = TurnStore(database, presence.instance)
    admission, reply = Desk(), Notebook()
    client = Omni(transport)
    service = Turns(
        store,
        client,
        keyring,
        scheduler,
        presence,
        markets=Markets(MarketData(transport)),
        admission=admission,
        reply=reply,
        retention=timedelta(days=30),
    )
    service.start()
    try:
        yield EngineHarness(database, omni, client, keyring, store, service, admission, reply)
    finally:
        await service.drain()
        await scheduler.stop()
        await transport.close()
        await omni.close()
