"""OMNIBOT_RETENTION_DAYS: what was asked and answered longer ago is forgotten, by the running bot and by itself."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from omnibot.app import running
from omnibot.settings import Settings
from omnibot.turns import engine
from tests.journeys.conftest import Deployment, settle_in

OLD, YOUNG = ("The secret of the old.", "old zebra"), ("The secret of the young.", "young zebra")


def ages(database: Path, words: str, days: float) -> None:
    """The turn with this question ended so long ago."""
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        query = "UPDATE turns SET ended_at = strftime('%Y-%m-%d %H:%M:%f000', 'now', ?) WHERE question = ?"
        assert connection.execute(query, (f"-{days} days", words)).rowcount == 1


def pruned(database: Path) -> list[bool]:
    with closing(sqlite3.connect(database, timeout=20)) as connection:
        return [row[0] is not None for row in connection.execute("SELECT pruned_at FROM turns ORDER BY message_ts")]


async def test_after_the_retention_no_word_is_left_in_the_database_and_before_it_every_word_is(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    await deployment.bot.terminate()
    database = tmp_path / "omnibot.sqlite3"
    deployment.bot.environment["OMNIBOT_RETENTION_DAYS"] = "3"
    settle_in(deployment, monkeypatch)
    monkeypatch.setattr(engine, "PRUNE", 0.2)
    deployment.script("old", OLD[0])
    deployment.script("young", YOUNG[0])
    async with running(Settings.read()):
        await deployment.connected()
        for answer, question in (OLD, YOUNG):
            ts = await deployment.slack.say("ana", "trading", f"@Omni {question}")
            await deployment.answered("trading", ts, answer)
        await deployment.slack.wait_for(lambda: len(ended(database)) == 2)
        assert pruned(database) == [False, False]
        # On a thread: the bot runs on this loop, and may hold the lock that is waited for.
        await asyncio.to_thread(ages, database, YOUNG[1], 2.9)
        await asyncio.to_thread(ages, database, OLD[1], 3.1)
        await deployment.slack.wait_for(lambda: any(pruned(database)))
        assert pruned(database) == [True, False]
    # What it had open is closed: all of it stands in one file.
    kept = written(tmp_path)
    for words in OLD:
        assert words.encode() not in kept
    for words in YOUNG:
        assert words.encode() in kept


def written(folder: Path) -> bytes:
    """Every byte of the database."""
    return b"".join(path.read_bytes() for path in folder.glob("omnibot.sqlite3*"))


def ended(database: Path) -> list[str]:
    with closing(sqlite3.connect(database, timeout=20)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM turns WHERE ended_at IS NOT NULL")]
