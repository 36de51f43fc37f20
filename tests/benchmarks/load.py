"""Many turns at once: what each costs in memory, how late their polls are, and how soon a restart has them all again.

The turns are put into the database as a process that died would have left them, with their threads at Omni and their
messages in Slack: so nothing but the watching is measured.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from omnibot_sandbox.clearstreet.accounts import account
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import insert

from omnibot.accounts.model import link_principal
from omnibot.db.engine import Database, open_database
from omnibot.db.tables import links
from omnibot.encryption import Encryption, new_key
from omnibot.turns.model import Kind, NewTurn, Person, Surface
from omnibot.turns.rules import DEADLINE
from omnibot.turns.store import TurnStore
from tests.benchmarks.deployment import furnished, many_people, metrics, ready
from tests.benchmarks.table import Measurement
from tests.journeys.conftest import FINISHED, Deployment

#: So many people with a key and an account of their own ask all the questions, each as many.
KEYS = 200
IN_FLIGHT, CLAIMED = 1_000, 5.0
ACTIVE, LAG, MEMORY = 2_000, 0.25, 40_000
#: Seconds for which the crowd is watched.
WATCHED = 20.0
SECRET = new_key()
SETTINGS = {"OMNIBOT_ENCRYPTION_KEYS": SECRET, "CLEAR_STREET_ACCOUNT_ID": "19816"}


@dataclass(frozen=True)
class Asker:
    """Somebody with a key of their own."""

    person: Person
    key: str
    account: int


async def linked(deployment: Deployment, database: Database, count: int) -> list[Asker]:
    """So many people, their keys known to Clear Street and in the database."""
    askers = [
        Asker(Person(deployment.slack.team_id, user), f"key-number-{number:04}", 500_000 + number)
        for number, user in enumerate(many_people(deployment.slack, count))
    ]
    seal = Encryption([SECRET])
    async with database.transaction() as connection:
        for asker in askers:
            deployment.omni.keys[asker.key] = [account(asker.account, "Main")]
            await connection.execute(
                insert(links).values(
                    org=asker.person.org,
                    user=asker.person.user,
                    team=deployment.slack.team_id,
                    sealed=seal.seal(asker.key),
                    fingerprint=seal.fingerprint(asker.key),
                    created_at=database.now(),
                    validated_at=database.now(),
                )
            )
    return askers


async def gather(deployment: Deployment, count: int, *, seconds: float) -> list[tuple[str, str]]:
    """So many running turns without an owner, whose answers take so long; channel and ts of each question."""
    deployment.slack.hold_events()
    asked: list[tuple[str, str]] = []
    database = await open_database(deployment.bot.environment["DATABASE_URL"], exclusive=False)
    store = TurnStore(database, "somebody who died")
    askers = await linked(deployment, database, min(KEYS, count))
    async with aiohttp.ClientSession() as session:
        for number, asker in zip(range(count), itertools.cycle(askers)):
            person, text = asker.person, f"crowd {number:05}"
            channel = deployment.slack.dm(person.user)
            ts = await deployment.slack.say(person.user, channel, text)
            asked.append((channel, ts))
            created = await ask_omni(session, deployment.omni, asker, text, seconds=seconds)
            turn_id = await store.accept(
                NewTurn(
                    source_key=f"message:{channel}:{ts}",
                    surface=Surface.DM,
                    kind=Kind.INSTANT,
                    team=deployment.slack.team_id,
                    person=person,
                    channel=channel,
                    thread_ts=ts,
                    message_ts=ts,
                    event={"text": "crowd"},
                )
            )
            turn = await store.get(turn_id or "")
            assert turn is not None
            turn = await store.join(
                turn,
                question=text,
                channel=channel,
                thread_ts=ts,
                principal=link_principal(person),
                account_id=asker.account,
            )
            submitted = await store.submit(turn, request={}, thread_id=None, deadline=DEADLINE[turn.kind])
            assert submitted is not None
            await store.started(submitted, **created)
    await database.close()
    return asked


async def ask_omni(
    session: aiohttp.ClientSession, omni: ClearStreetEmulator, asker: Asker, text: str, *, seconds: float
) -> dict[str, str]:
    """A thread whose answer takes so long."""
    omni.add_script(
        {
            "name": text,
            "pattern": f"{text}$",
            "snapshots": [{"from": 0.5, "to": seconds, "steps": 20}],
            "final": {
                "at": seconds,
                "status": "succeeded",
                "parts": [{"type": "text", "text": "All of it, at last. " * 40}],
            },
        }
    )
    body = {"account_id": asker.account, "type": "instant", "text": text}
    headers = {"Authorization": f"Bearer {asker.key}"}
    async with session.post(f"{omni.base_url}/v1/omni-ai/threads", json=body, headers=headers) as answer:
        data: dict[str, str] = (await answer.json())["data"]
    return data


def owned(deployment: Deployment, *, by_others_than: str) -> int:
    """How many running turns belong to somebody else."""
    return int(look(deployment, "SELECT count(*) FROM turns WHERE state = 'running' AND owner != ?", by_others_than))


def look(deployment: Deployment, query: str, *arguments: str) -> str:
    """The first value of the first row."""
    connection = sqlite3.connect(deployment.bot.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    try:
        return str(connection.execute(query, arguments).fetchone()[0])
    finally:
        connection.close()


def memory(deployment: Deployment) -> int:
    """Bytes the bot has in memory."""
    assert deployment.bot.process is not None
    pages = Path(f"/proc/{deployment.bot.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


async def until_claimed(deployment: Deployment, count: int, *, before: str) -> float:
    """Start the bot; seconds until it has taken so many turns over."""
    began = time.perf_counter()
    await deployment.bot.start()
    while owned(deployment, by_others_than=before) < count:
        assert time.perf_counter() - began < 120, deployment.bot.logged()[-2000:]
        await asyncio.sleep(0.02)
    return time.perf_counter() - began


async def killed(count: int, *, seconds: float) -> list[Measurement]:
    """kill -9 with so many turns in flight."""
    async with furnished(settings=SETTINGS) as deployment:
        asked = await gather(deployment, count, seconds=seconds)
        await until_claimed(deployment, count, before="somebody who died")
        before = look(deployment, "SELECT owner FROM turns WHERE state = 'running' LIMIT 1")
        await deployment.bot.kill()
        took = await until_claimed(deployment, count, before=before)

        def finished() -> list[int]:
            return [
                sum(FINISHED in deployment.slack.visible_text(m) for m in deployment.replies(*each)) for each in asked
            ]

        answers = await settled(finished)
    lost, doubled = sum(n == 0 for n in answers), sum(n > 1 for n in answers)
    return [
        Measurement(
            f"{count:,} turns in flight, kill -9, restart: all claimed",
            f"{took:.1f} s",
            f"≤ {CLAIMED:g} s",
            took <= CLAIMED,
        ),
        Measurement("  answers lost, doubled", f"{lost}, {doubled}", "0, 0", lost == doubled == 0),
    ]


async def settled(finished: Callable[[], list[int]]) -> list[int]:
    """The answers of each turn, once all have one (or none has come for a while)."""
    for _ in range(600):
        if 0 not in finished():
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(1)
    return finished()


async def watched(count: int, *, seconds: float) -> list[Measurement]:
    """So many active turns, watched for a while."""
    async with furnished(settings=SETTINGS) as deployment:
        await deployment.bot.start()
        await ready(deployment)
        await asyncio.sleep(1)
        idle = memory(deployment)
        await deployment.bot.terminate()
        await gather(deployment, count, seconds=600)
        await until_claimed(deployment, count, before="somebody who died")
        # Everybody is polled at once now; that is not how it goes on.
        await asyncio.sleep(min(5.0, seconds))
        before = await metrics(deployment)
        await asyncio.sleep(seconds)
        after = await metrics(deployment)
        each = (memory(deployment) - idle) / count
    lag = {name: after[name] - before.get(name, 0.0) for name in after if name.startswith("omnibot_timer_lag")}
    polls = lag["omnibot_timer_lag_seconds_count"]
    in_time = lag[f'omnibot_timer_lag_seconds_bucket{{le="{LAG}"}}'] / polls if polls else 0.0
    crowd = f"{count:,} active turns of {min(KEYS, count)} keys"
    return [
        Measurement(
            f"{crowd}, {polls / seconds:.0f} polls/s: begun within {LAG * 1000:.0f} ms",
            f"{100 * in_time:.1f} %",
            "≥ 99 %",
            in_time >= 0.99,
        ),
        Measurement("  memory of each", f"{each / 1000:.1f} kB", f"≤ {MEMORY // 1000} kB", each <= MEMORY),
    ]


async def measure(
    *, in_flight: int = IN_FLIGHT, active: int = ACTIVE, answers: float = 60.0, seconds: float = WATCHED
) -> list[Measurement]:
    """Both crowds."""
    return [*await killed(in_flight, seconds=answers), *await watched(active, seconds=seconds)]
