"""Encryption keys are exchanged while bots run, and whoever stops the exchange in between begins again."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import insert

from omnibot.accounts.model import Person
from omnibot.accounts.rotation import BATCH, NAMED, Rotation, describe, rotate
from omnibot.accounts.store import LinkStore, SealedLink
from omnibot.db.engine import Database, parse_url
from omnibot.db.tables import links
from omnibot.encryption import Encryption, Unreadable, new_key
from tests.accounts.conftest import ANA, ANAS, BENS, MakeKeyring
from tests.forking import Forked, done

OLD, NEW = new_key(), new_key()
MANY = 2 * BATCH + 50
#: In the last batch.
IN_THE_WAY = f"U{MANY - 20:04}"


def person(number: int) -> Person:
    return Person("T1", f"U{number:04}")


def secret(number: int) -> str:
    return f"key-of-somebody-{number:04}"


async def plant(database: Database, count: int, keys: list[str]) -> None:
    """So many people's links, all with one encryption."""
    seal = Encryption(keys)
    rows = [
        {
            "org": person(number).org,
            "user": person(number).user,
            "team": "T1",
            "sealed": seal.seal(secret(number)),
            "fingerprint": seal.fingerprint(secret(number)),
            "created_at": database.now(),
            "validated_at": database.now(),
        }
        for number in range(count)
    ]
    async with database.transaction() as connection:
        for row in rows:
            await connection.execute(insert(links).values(**row))


async def all_links(database: Database) -> list[SealedLink]:
    return await LinkStore(database).batch(None, 10_000)


async def read_with(database: Database, *keys: str) -> int:
    """How many of the planted keys these encryption keys read, all of them rightly."""
    encryption, read = Encryption(list(keys)), 0
    for number, link in enumerate(await all_links(database)):
        try:
            assert encryption.open(link.sealed) == secret(number)
        except Unreadable:
            continue
        read += 1
    return read


@asynccontextmanager
async def something_in_the_way(database_url: str) -> AsyncIterator[None]:
    """Whoever writes the row `IN_THE_WAY` is held up there."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(parse_url(database_url).database or "", timeout=30)) as connection:
            endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
            connection.execute(
                f"CREATE TRIGGER hold BEFORE UPDATE ON links WHEN NEW.user = '{IN_THE_WAY}' BEGIN {endless}; END"
            )
            connection.commit()
            yield
            connection.execute("DROP TRIGGER hold")
            connection.commit()
    else:
        with psycopg.connect(database_url) as connection:
            connection.execute('SELECT 1 FROM links WHERE "user" = %s FOR UPDATE', [IN_THE_WAY])
            yield
            connection.rollback()


async def until(condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(90):
        while not await condition():  # noqa: ASYNC110  # another process works on it
            await asyncio.sleep(0.02)


async def test_after_a_rotation_the_first_key_reads_everything_and_the_others_can_go(database: Database):
    await plant(database, MANY, [OLD])
    report = await rotate(LinkStore(database), Encryption([NEW, OLD]))
    assert (report.rotated, report.current, report.complete) == (MANY, 0, True)
    assert await read_with(database, NEW) == MANY
    assert await read_with(database, OLD) == 0
    again = await rotate(LinkStore(database), Encryption([NEW, OLD]))
    assert (again.rotated, again.current) == (0, MANY)


async def test_a_rotated_key_is_still_recognised_as_the_same(make_keyring: MakeKeyring, database: Database):
    await make_keyring(seal=Encryption([OLD])).link()
    await rotate(LinkStore(database), Encryption([NEW, OLD]))
    assert (await make_keyring(seal=Encryption([NEW])).link()).same_key


async def test_links_that_no_key_reads_are_counted_and_left_as_they_are(database: Database):
    await plant(database, 3, [new_key()])
    before = await all_links(database)
    report = await rotate(LinkStore(database), Encryption([NEW, OLD]))
    assert report.unreadable == [person(0), person(1), person(2)]
    assert not report.complete
    assert await all_links(database) == before
    assert "U0001 of T1" in describe(report)


def test_a_report_names_a_few_people_and_counts_the_others():
    text = describe(Rotation(unreadable=[person(number) for number in range(NAMED + 3)]))
    assert f"{NAMED + 3} cannot be read" in text
    assert "and 3 more" in text
    assert " more" not in describe(Rotation(unreadable=[person(number) for number in range(NAMED)]))


def test_a_report_says_who_has_to_do_what():
    assert describe(Rotation(rotated=2, current=1, unreadable=[person(0), person(1)], restless=[person(2)])) == (
        "2 encrypted with the first key now, 1 were before.\n"
        "2 cannot be read with any of the keys: U0000 of T1, U0001 of T1. Add the key they were encrypted with and "
        "rotate again, or let these people link again.\n"
        "1 kept changing: U0002 of T1. Rotate again."
    )


async def test_a_rotation_that_is_killed_in_the_middle_is_simply_begun_again(
    database: Database, database_url: str, tmp_path: Path
):
    await plant(database, MANY, [OLD])
    environment = {**os.environ, "DATABASE_URL": database_url, "OMNIBOT_ENCRYPTION_KEYS": f"{NEW},{OLD}"}
    async with something_in_the_way(database_url):
        process = Forked("keys", "rotate", environment=environment, log=tmp_path / "killed.log")
        await process.start()
        await until(lambda: _some(database))
        process.kill()
        await process.wait()
    rotated = await read_with(database, NEW)
    assert BATCH < rotated < MANY
    assert await read_with(database, NEW, OLD) == MANY

    ended = await asyncio.to_thread(done, "keys", "rotate", environment=environment, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout
    assert f"{MANY - rotated} encrypted with the first key now, {rotated} were before" in said
    assert await read_with(database, NEW) == MANY
    assert OLD not in said + ended.stderr + (tmp_path / "killed.log").read_text()


async def _some(database: Database) -> bool:
    return await read_with(database, NEW) > BATCH


class _Racing(LinkStore):
    """A store in which somebody links anew just before each row is written."""

    def __init__(self, database: Database, relink: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        super().__init__(database)
        self._relink = relink

    async def reseal(self, link: SealedLink, *, sealed: str, fingerprint: str) -> bool:
        await self._relink()
        return await super().reseal(link, sealed=sealed, fingerprint=fingerprint)


async def test_a_key_that_is_linked_during_a_rotation_is_not_overwritten(make_keyring: MakeKeyring, database: Database):
    bot = make_keyring(seal=Encryption([OLD]))
    linked = await bot.link()
    times = iter(range(10))

    async def relink_once() -> None:
        if next(times) == 0:
            await bot.link(ANA, BENS)

    report = await rotate(_Racing(database, relink_once), Encryption([NEW, OLD]))
    assert report.rotated == 1
    assert await make_keyring(seal=Encryption([NEW])).keyring.key_of(linked.principal) == BENS


async def test_a_key_that_is_unlinked_during_a_rotation_stays_unlinked(make_keyring: MakeKeyring, database: Database):
    bot = make_keyring(seal=Encryption([OLD]))
    await bot.link()
    report = await rotate(_Racing(database, lambda: bot.linking.unlink(ANA)), Encryption([NEW, OLD]))
    assert (report.rotated, report.complete) == (0, True)
    assert await all_links(database) == []


async def test_a_link_that_never_rests_is_reported(make_keyring: MakeKeyring, database: Database):
    bot = make_keyring(seal=Encryption([OLD]))
    await bot.link()
    report = await rotate(_Racing(database, bot.link), Encryption([NEW, OLD]))
    assert report.restless == [ANA]
    assert "Rotate again" in describe(report)


async def test_bots_go_on_during_a_rotation(make_keyring: MakeKeyring, database: Database):
    """A bot that knows both keys reads every link at every moment."""
    bot = make_keyring(seal=Encryption([OLD, NEW]))
    linked = await bot.link()
    await plant(database, BATCH, [OLD])
    rotating = asyncio.ensure_future(rotate(LinkStore(database), Encryption([NEW, OLD])))
    while not rotating.done():
        bot.links.changed()
        assert await bot.keyring.key_of(linked.principal) == ANAS
        await asyncio.sleep(0)
    assert (await rotating).rotated == BATCH + 1
