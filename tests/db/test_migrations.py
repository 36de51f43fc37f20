"""The migrations and the tables in code are the same thing."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from omnibot.db import migrate
from omnibot.db.engine import open_database, parse_url
from omnibot.db.migrate import SchemaStatus, require_current, schema_status, upgrade
from omnibot.db.tables import metadata
from omnibot.errors import SettingsError
from tests.postgres import Server

MIGRATIONS = Path(migrate.__file__).parent / "migrations"


async def test_migrating_an_empty_database_gives_exactly_the_tables_in_code(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/new.sqlite3"
    await upgrade(url)
    database = await open_database(url)
    try:
        async with database.engine.connect() as connection:
            differences = await connection.run_sync(
                lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
            )
        assert differences == []
    finally:
        await database.close()


async def test_the_tables_are_the_same_on_postgresql(postgres: Server):
    url = postgres.new_database()
    await upgrade(url)
    database = await open_database(url)
    try:
        async with database.engine.connect() as connection:
            differences = await connection.run_sync(
                lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
            )
        assert differences == []
    finally:
        await database.close()


def test_the_names_of_the_files_say_the_same_revisions_as_alembic():
    """A start reads them from the names."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    names = sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert names == sorted(each.revision for each in script.walk_revisions())
    assert [names[-1]] == script.get_heads()


async def test_an_upgraded_database_is_at_the_newest_revision(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/new.sqlite3"
    head = await upgrade(url)
    database = await open_database(url)
    try:
        assert await schema_status(database) == SchemaStatus(head, head, known=True)
    finally:
        await database.close()


async def test_upgrading_twice_changes_nothing(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/twice.sqlite3"
    assert await upgrade(url) == await upgrade(url)


async def test_a_database_that_was_never_migrated_is_refused_with_what_to_run(tmp_path: Path):
    database = await open_database(f"sqlite:///{tmp_path}/empty.sqlite3")
    try:
        with pytest.raises(SettingsError, match="omnibot db upgrade"):
            await require_current(database)
    finally:
        await database.close()


async def test_a_sqlite_file_is_for_one_process(tmp_path: Path):
    """The lock is the system's: it holds between processes and falls with the process."""
    url = f"sqlite:///{tmp_path}/one.sqlite3"
    database = await open_database(url)
    script = (
        "import asyncio, sys\n"
        "from omnibot.db.engine import open_database\n"
        "from omnibot.errors import SettingsError\n"
        "try:\n    asyncio.run(open_database(sys.argv[1]))\n"
        "except SettingsError as error:\n    print(error)\n"
    )

    async def another_process() -> str:
        import sys

        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, url, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        return out.decode()

    try:
        refusal = await another_process()
        assert "another omnibot" in refusal
        assert "PostgreSQL" in refusal
    finally:
        await database.close()
    assert await another_process() == ""


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite"),
        ("postgres://u:p@h/db", "postgresql+psycopg"),
        ("postgresql://u:p@h/db", "postgresql+psycopg"),
        ("postgresql+asyncpg://u:p@h/db", "postgresql+psycopg"),
    ],
)
def test_every_usual_spelling_of_a_database_url_is_understood(given: str, driver: str):
    assert parse_url(given).drivername == driver


@pytest.mark.parametrize("given", ["postgresql://u:p@ss@h/db", "postgres://u:p@ss/word@h/db"])
def test_a_password_that_would_be_taken_for_the_host_is_refused_without_a_piece_of_it(given: str):
    with pytest.raises(SettingsError, match="%40") as refused:
        parse_url(given)
    assert "ss" not in str(refused.value).replace("password", "")


@pytest.mark.parametrize("given", ["mysql://u@h/db", "postgresql://u@h:port/db", "not a url", ""])
def test_other_databases_are_refused_in_words(given: str):
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        parse_url(given)
