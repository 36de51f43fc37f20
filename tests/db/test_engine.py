"""The SQLite file: for its owner's eyes, and still the one that was opened; and what is said when it takes no more."""

import os
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from omnibot.db import engine
from omnibot.db.engine import Database, DatabaseUnusable, open_database

MORE = text("INSERT INTO t VALUES (:word)")


@pytest.fixture
def open_to_all() -> Iterator[None]:
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database(f"sqlite:///{tmp_path}/file.sqlite3")
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE t (word TEXT)"))
    yield database
    await database.close()


async def put(database: Database, word: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(MORE, {"word": word})


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def permissions(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def words(database: Database) -> list[str]:
    async with database.transaction() as connection:
        return list((await connection.execute(text("SELECT word FROM t"))).scalars())


@pytest.mark.usefixtures("open_to_all")
async def test_every_file_of_a_database_is_its_owners_whatever_the_umask(tmp_path: Path):
    database = await open_database(f"sqlite:///{tmp_path}/file.sqlite3")
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE t (word TEXT)"))
    try:
        modes = permissions(tmp_path)
        assert modes.keys() == {f"file.sqlite3{end}" for end in ("", "-wal", "-shm", ".lock")}
        assert set(modes.values()) == {0o600}
    finally:
        await database.close()


@pytest.mark.parametrize("how", ["moved", "deleted", "replaced"])
async def test_nothing_is_taken_into_a_file_that_is_gone(database: Database, tmp_path: Path, how: str):
    path = tmp_path / "file.sqlite3"
    match how:
        case "moved":
            path.rename(tmp_path / "elsewhere.sqlite3")
        case "deleted":
            path.unlink()
        case "replaced":
            (tmp_path / "other").write_bytes(path.read_bytes())
            (tmp_path / "other").replace(path)

    with pytest.raises(DatabaseUnusable, match="was moved, deleted or replaced"):
        await put(database, "accepted")
    with pytest.raises(DatabaseUnusable, match="was moved, deleted or replaced"):
        await database.require_writable()


async def test_a_file_that_is_gone_when_a_connection_is_opened_anew_is_not_made_again(
    database: Database, tmp_path: Path
):
    (tmp_path / "file.sqlite3").rename(tmp_path / "elsewhere.sqlite3")
    await database.engine.dispose()

    with pytest.raises(DatabaseUnusable):
        await put(database, "accepted")
    assert not (tmp_path / "file.sqlite3").exists()


async def test_a_file_that_was_put_back_holds_what_was_accepted_and_nothing_else(database: Database, tmp_path: Path):
    path = tmp_path / "file.sqlite3"
    await put(database, "before")
    path.rename(tmp_path / "elsewhere.sqlite3")
    with pytest.raises(DatabaseUnusable):
        await put(database, "meanwhile")
    (tmp_path / "elsewhere.sqlite3").rename(path)

    await put(database, "after")
    await database.require_writable()
    assert await words(database) == ["before", "after"]


async def test_a_full_database_is_noticed_and_so_is_space_that_comes_back(database: Database):
    async def limit(pages: int) -> None:
        async with database.engine.connect() as connection:
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))

    await database.require_writable()
    await limit(1)  # SQLite makes it as many as there are
    with pytest.raises(DBAPIError, match="disk is full"):
        await put(database, "x" * 100_000)

    with pytest.raises(DatabaseUnusable, match="disk is full"):
        await database.require_writable()
    await limit(1_000_000)
    await database.require_writable()
    await put(database, "x" * 100_000)


async def test_looking_for_space_leaves_nothing_behind(database: Database, tmp_path: Path):
    before = sizes(tmp_path)
    await database.require_writable()
    assert sizes(tmp_path) == before


async def test_a_disk_that_takes_no_more_is_noticed_before_anything_is_written(database: Database):
    """The process may write no file beyond a few bytes: the system refuses as it does where the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (engine.PROBE // 2, before[1]))
    try:
        with pytest.raises(DatabaseUnusable, match="nothing can be written beside"):
            await database.require_writable()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    await database.require_writable()
