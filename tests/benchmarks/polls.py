"""CPU of one poll: GET, parse, decide, re-arm, by the real turn engine; beside what others need for the bare GET."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, cast
from unittest.mock import patch

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from omnibot.accounts.service import Keyring
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.db.engine import open_database
from omnibot.db.migrate import upgrade
from omnibot.db.presence import Presence
from omnibot.market_data.service import Markets
from omnibot.scheduler import Scheduler
from omnibot.turns import polling
from omnibot.turns.engine import Turns
from omnibot.turns.model import (
    AdmissionPort,
    HeldFor,
    Kind,
    NewTurn,
    OfferedButton,
    Person,
    ResponseSnapshot,
    Surface,
    Turn,
    TurnAnswer,
)
from omnibot.turns.store import TurnStore
from tests.benchmarks.one_body import serving
from tests.benchmarks.table import Measurement, times

#: Rounds of each kind, one after the other, and polls of a round.
ROUNDS, POLLS = 7, 500
ACCOUNT = 19816
WORDS = "Apple closed at $231.44, up 1.2 % on the day, on volume a third above its average. "
RESPONSE = {
    "id": "0192d4c1-7c1e-7a58-9e5c-0b7de3b8a001",
    "thread_id": "0192d4c1-7c1e-7a58-9e5c-0b7de3b8a002",
    "user_message_id": "0192d4c1-7c1e-7a58-9e5c-0b7de3b8a003",
    "output_message_id": None,
    "status": "running",
    "content": {
        "parts": [
            {"type": "thinking", "thoughts": ["Looking up quotes…", "Reading the news…", "Comparing volumes…"]},
            {"type": "text", "text": WORDS * 20},
        ]
    },
    "error": None,
}
BODY = json.dumps({"data": RESPONSE, "error": None, "metadata": {"request_id": "0192d4c1-7c1e"}}).encode()
PATH = f"/v1/omni-ai/responses/{RESPONSE['id']}?account_id={ACCOUNT}"

Round = Callable[[int], Awaitable[None]]


class SilentReply:
    """Shows nothing: what Slack costs is not measured here."""

    def begin(self, turn: Turn) -> None: ...

    def stopping(self, turn: Turn) -> None: ...

    def progress(self, turn: Turn, snapshot: ResponseSnapshot, note: str | None = None) -> None: ...

    async def finish(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> float | None:
        return None

    async def redraw(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> None: ...

    async def retract(self, turn: Turn) -> None: ...

    async def tell_privately(self, turn: Turn, sentence: str, *, prompt: HeldFor | None = None) -> None: ...

    def drop(self, turn_id: str) -> None: ...


@asynccontextmanager
async def bare_aiohttp(url: str) -> AsyncIterator[Round]:
    async with aiohttp.ClientSession() as session:

        async def get(count: int) -> None:
            for _ in range(count):
                async with session.get(url + PATH, headers={"Authorization": "Bearer key"}) as answer:
                    await answer.read()

        yield get


@asynccontextmanager
async def bare_httpx_aiohttp(url: str) -> AsyncIterator[Round]:
    async with httpx.AsyncClient(transport=AiohttpTransport()) as client:

        async def get(count: int) -> None:
            for _ in range(count):
                answer = await client.get(url + PATH, headers={"Authorization": "Bearer key"})
                assert answer.content

        yield get


@asynccontextmanager
async def engine(url: str, folder: Path) -> AsyncIterator[Round]:
    """The turn engine with one running turn, which is polled again as soon as it was polled; paused between rounds."""
    database_url = f"sqlite:///{folder}/polls.sqlite3"
    await upgrade(database_url)
    database = await open_database(database_url)
    transport = Transport(base_url=url, rate=1e6, revision="2026-10")
    scheduler = Scheduler()
    scheduler.start()
    await one_running_turn(TurnStore(database, "somebody who died"))
    presence = Presence(database)
    turns = Turns(
        TurnStore(database, presence.instance),
        Omni(transport),
        Keyring(Trading(transport), shared_key="key", shared_account_id=ACCOUNT),
        scheduler,
        presence,
        markets=cast(Markets, None),
        admission=cast(AdmissionPort, None),
        reply=SilentReply(),
        retention=timedelta(days=30),
    )
    left, reached, go = 0, asyncio.Event(), asyncio.Event()

    async def poll_after_go(self: Any, *arguments: Any) -> Any:
        nonlocal left
        if left <= 0:
            reached.set()
            await go.wait()
        left -= 1
        return await look(self, *arguments)

    async def poll(count: int) -> None:
        nonlocal left
        left = count
        reached.clear()
        go.set()
        await asyncio.sleep(0)
        go.clear()
        await reached.wait()

    look = polling.Polling.poll
    with patch.object(polling, "poll_after", lambda *_: 0.0), patch.object(polling.Polling, "poll", poll_after_go):
        turns.start()
        await reached.wait()
        try:
            yield poll
        finally:
            left = 1_000_000
            go.set()
            await turns.drain()
            await scheduler.stop()
            await transport.close()
            await database.close()


async def one_running_turn(store: TurnStore) -> None:
    """A turn that its owner left running."""
    turn_id = await store.accept(
        NewTurn(
            source_key="message:C1:1",
            surface=Surface.MENTION,
            kind=Kind.DEEP_INSIGHTS,
            team="T1",
            person=Person("T1", "U1"),
            channel="C1",
            thread_ts="1",
            message_ts="1",
            event={},
        )
    )
    turn = await store.get(turn_id or "")
    assert turn is not None
    turn = await store.join(turn, question="?", channel="C1", thread_ts="1", principal="shared", account_id=ACCOUNT)
    submitted = await store.submit(turn, request={}, thread_id=None, deadline=timedelta(hours=1))
    assert submitted is not None
    ids = {name: str(RESPONSE[name]) for name in ("thread_id", "user_message_id")}
    await store.started(submitted, response_id=str(RESPONSE["id"]), **ids)


async def official_sdk(url: str, count: int) -> float | None:
    """Seconds of CPU of one poll by the official SDK, if the contract tests have made its environment."""
    homes = sorted(Path(__file__).parents[2].glob(".contracts/clearstreet-0.11*/complete"))
    if not homes:
        return None
    script = Path(__file__).with_name("sdk_polls.py")
    command = [
        str(homes[-1].parent / "bin" / "python"),
        str(script),
        url,
        str(RESPONSE["id"]),
        str(ACCOUNT),
        str(count),
    ]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    return float(done.stdout)


async def measure(*, rounds: int = ROUNDS, polls: int = POLLS, sdk: bool = True) -> list[Measurement]:
    """CPU of each kind of poll, and how they compare."""
    spent: dict[str, list[float]] = {"aiohttp": [], "httpx-aiohttp": [], "omnibot": []}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            serving(BODY) as url,
            bare_aiohttp(url) as one,
            bare_httpx_aiohttp(url) as two,
            engine(url, Path(folder)) as three,
        ):
            for number in range(rounds + 1):
                for name, work in zip(spent, (one, two, three), strict=True):
                    began = time.process_time()
                    await work(polls)
                    if number:  # the first round warms up
                        spent[name].append((time.process_time() - began) / polls)
            official = await official_sdk(url, polls) if sdk else None
    cpu = {name: median(values) for name, values in spent.items()}
    ours, bare, httpx_bare = cpu["omnibot"], cpu["aiohttp"], cpu["httpx-aiohttp"]
    measurements = [
        Measurement("CPU of a poll: GET, parse, re-arm", f"{ours * 1e6:.0f} µs"),
        Measurement("  against a bare aiohttp GET of the same body", times(ours, bare), "≤ 6×", ours <= 6 * bare),
        Measurement("  against a bare httpx-aiohttp GET", times(ours, httpx_bare), "≤ 1.5×", ours <= 1.5 * httpx_bare),
    ]
    if sdk:
        measured = times(official, bare) if official is not None else "no SDK here: tests/contracts installs it"
        measurements.append(Measurement("  the official SDK's GET and parse, against aiohttp", measured))
    return measurements
