"""A PostgreSQL server with a full disk, or a read-only one: readiness says so, whatever language the server speaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from omnibot.db.engine import Database, DatabaseUnusable, open_database
from tests.postgres import Server

#: Refuses in the words of no version or language, as a server does whose disk is full: by its code.
REFUSES = """
CREATE FUNCTION {name}() RETURNS {returns} LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'kein Platz' USING ERRCODE = '{code}'; END $$
"""


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.new_database()


Operator = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def operator(url: str) -> Iterator[Operator]:
    """Somebody at the server itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = await open_database(url)
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE t (word TEXT)"))
    yield database
    await database.close()


async def put(database: Database, word: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("INSERT INTO t VALUES (:word)"), {"word": word})


async def refused(database: Database) -> str:
    """What readiness says."""
    with pytest.raises(DatabaseUnusable) as said:
        await database.require_writable()
    return str(said.value)


@pytest.mark.parametrize("code", ["53100", "58030"], ids=["no room", "a broken disk"])
async def test_a_server_without_space_is_noticed_by_its_code_and_so_is_space_that_comes_back(
    database: Database, operator: Operator, code: str
):
    for name, returns in (("no_row", "trigger"), ("no_table", "event_trigger")):
        operator.execute(REFUSES.format(name=name, returns=returns, code=code).encode())
    operator.execute("CREATE TRIGGER full_0 BEFORE INSERT ON t EXECUTE FUNCTION no_row()")
    operator.execute("CREATE EVENT TRIGGER full_1 ON ddl_command_start EXECUTE FUNCTION no_table()")
    await database.require_writable()  # nobody has tried yet
    with pytest.raises(DBAPIError, match="kein Platz"):
        await put(database, "lost")
    assert "the database cannot be written to: kein Platz" in await refused(database)
    assert "kein Platz" in await refused(database)

    operator.execute("DROP EVENT TRIGGER full_1")
    operator.execute("DROP TRIGGER full_0 ON t")
    await database.require_writable()
    await put(database, "kept")


async def test_a_server_that_only_reads_is_noticed_and_says_so(database: Database, operator: Operator):
    name = operator.info.dbname
    operator.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
    await database.engine.dispose()
    with pytest.raises(DBAPIError, match="read-only"):
        await put(database, "lost")
    assert "read-only" in await refused(database)

    operator.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'.encode())
    await database.engine.dispose()
    await database.require_writable()
    await put(database, "kept")


async def test_what_is_refused_for_itself_says_nothing_about_the_server(database: Database):
    for wrong in ("INSERT INTO t VALUES (1 / 0)", "INSERT INTO no_table VALUES ('disk is full, read-only')"):
        with pytest.raises(DBAPIError):
            async with database.transaction() as connection:
                await connection.execute(text(wrong))
    # It would be written to otherwise.
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE omnibot_probe (filler TEXT)"))
    await database.require_writable()
