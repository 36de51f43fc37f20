"""Two `omnibot run` on one PostgreSQL: they share the work, and what one leaves the other finishes."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from omnibot.db.leases import LEASE, RENEW
from tests.journeys.conftest import Bot, Deployment, furnished
from tests.postgres import Server, copies

WORDS = "The answer that must arrive exactly once, whole."


@pytest.fixture
async def pair(
    tmp_path: Path, migrated: Path, new_migrated: Callable[[], str]
) -> AsyncIterator[tuple[Deployment, Bot]]:
    async with two_bots(tmp_path, migrated, new_migrated()) as pair:
        yield pair


@asynccontextmanager
async def two_bots(folder: Path, migrated: Path, url: str) -> AsyncIterator[tuple[Deployment, Bot]]:
    """A deployment's bot and a second one, both on this PostgreSQL."""
    async with furnished(folder, migrated) as deployment:
        deployment.bot.environment["DATABASE_URL"] = url
        other = Bot(deployment.bot.environment, folder / "other.log")
        try:
            await deployment.start()
            await other.start()
            await deployment.slack.wait_for(lambda: len(deployment.slack.socket_mode.sockets) == 4)
            yield deployment, other
        finally:
            if other.process is not None:
                await other.kill()


async def ask(deployment: Deployment, count: int) -> list[str]:
    return [await deployment.slack.say("ana", "trading", f"@Omni once please {n}") for n in range(count)]


async def settled(deployment: Deployment, asked: list[str], timeout: float = 60) -> None:
    """Every question has one whole answer and Omni heard it once."""
    for ts in asked:
        await deployment.answered("trading", ts, WORDS, timeout=timeout)
    await deployment.at_rest()
    for ts in asked:
        texts = deployment.shown("trading", ts)
        assert sum(WORDS in text for text in texts) == 1, texts
        assert not any("Working" in text for text in texts), texts
    assert sorted(deployment.asked()) == sorted(f"once please {n}" for n in range(len(asked)))


def begun(bot: Bot) -> set[str]:
    return set(re.findall(r"turn_running.*?turn=(\w+)", bot.logged()))


def taken_over(bot: Bot) -> set[str]:
    return set(re.findall(r"turn_taken_over.*?turn=(\w+)", bot.logged()))


async def test_both_work_and_no_turn_is_worked_on_by_both(pair):
    deployment, other = pair
    deployment.script("once", WORDS, seconds=1)
    await settled(deployment, await ask(deployment, 12))
    assert begun(deployment.bot)
    assert begun(other)
    assert not begun(deployment.bot) & begun(other)


async def test_stop_reaches_the_turns_of_both_whoever_takes_it(pair):
    deployment, other = pair
    deployment.script("once", WORDS, seconds=300)
    asked = await ask(deployment, 8)
    await deployment.slack.wait_for(lambda: len(begun(deployment.bot) | begun(other)) == 8)
    assert begun(deployment.bot)
    assert begun(other)
    await deployment.slack.command("ana", "trading", "/omni", "stop")
    for ts in asked:
        await deployment.answered("trading", ts, "Stopped by")
    await deployment.slack.wait_for(lambda: not deployment.omni.active())


async def test_what_a_killed_process_leaves_the_other_finishes(pair, postgres: Server):
    deployment, other = pair
    # A server younger than a lease trusts no missing lock.
    await asyncio.sleep(max(0.0, LEASE + 1 - postgres.age()))
    deployment.script("once", WORDS, seconds=4)
    asked = await ask(deployment, 8)
    await deployment.slack.wait_for(lambda: len(begun(deployment.bot) | begun(other)) == 8)
    assert begun(deployment.bot)
    await deployment.bot.kill()
    # Before the leases run out: the lock of the dead is gone with it.
    await deployment.slack.wait_for(lambda: begun(deployment.bot) <= taken_over(other), timeout=LEASE - RENEW)
    await settled(deployment, asked)


async def test_a_process_that_slept_past_its_lease_writes_nothing_when_it_wakes(pair):
    deployment, other = pair
    deployment.script("once", WORDS, seconds=4)
    asked = await ask(deployment, 6)
    await deployment.slack.wait_for(lambda: len(begun(deployment.bot) | begun(other)) == 6)
    assert begun(deployment.bot)
    assert deployment.bot.process is not None
    os.kill(deployment.bot.process.pid, signal.SIGSTOP)
    try:
        await deployment.slack.wait_for(lambda: begun(deployment.bot) <= taken_over(other))
        await asyncio.sleep(1)
    finally:
        os.kill(deployment.bot.process.pid, signal.SIGCONT)
    await settled(deployment, asked)


async def test_a_restart_of_the_database_loses_and_doubles_nothing(
    tmp_path: Path, migrated: Path, own_postgres: Server
):
    async with two_bots(tmp_path, migrated, copies(own_postgres)()) as (deployment, _):
        deployment.script("once", WORDS, seconds=12)
        asked = await ask(deployment, 6)
        await deployment.slack.wait_for(lambda: len(deployment.omni.active()) == 6)
        await asyncio.to_thread(own_postgres.restart)
        await settled(deployment, asked)


async def test_a_second_process_on_one_sqlite_file_is_refused(deployment: Deployment, tmp_path: Path):
    second = Bot(deployment.bot.environment, tmp_path / "second.log")
    await second.start()
    assert second.process is not None
    assert await asyncio.wait_for(second.process.wait(), 60) == 1
    assert "another omnibot" in second.logged()
    assert "Traceback" not in second.logged()
