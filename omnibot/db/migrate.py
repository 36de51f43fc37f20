"""Bringing a database to the tables this version needs; the migrations ship inside the package."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from omnibot.db.engine import Database, open_database, unreachable_in_words
from omnibot.errors import SettingsError

_MIGRATIONS = Path(__file__).parent / "migrations"
#: Where Alembic keeps the revision.
_VERSIONS = table("alembic_version", column("version_num"))


async def upgrade(database_url: str) -> str:
    """Run every migration that is missing, in one transaction each; return the revision reached.

    Raises:
        SettingsError: the URL is unusable.
    """
    database = await open_database(database_url, exclusive=False)
    try:
        with unreachable_in_words():
            async with database.transaction() as connection:
                return await connection.run_sync(_upgrade) or "empty"
    finally:
        await database.close()


async def require_current(database: Database) -> None:
    """Check that the tables are those this version expects.

    Raises:
        SettingsError: says what to run.
    """
    found = await schema_status(database)
    if found.current != found.head:
        state = "is empty" if found.current is None else f"is at {found.current}, this version needs {found.head}"
        raise SettingsError(f"the database {state}: run `omnibot db upgrade` first")


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """Where a database stands among the migrations."""

    #: Its revision; None: it has no tables.
    current: str | None
    #: The revision this version needs.
    head: str | None
    #: False: its revision is none of ours, so a later version has migrated it.
    known: bool


async def schema_status(database: Database) -> SchemaStatus:
    """Look up the revision.

    Raises:
        SettingsError: the database cannot be opened.
    """
    head, ours = await asyncio.to_thread(_revisions)
    with unreachable_in_words():
        async with database.engine.connect() as connection:
            current = await connection.run_sync(_current)
    return SchemaStatus(current, head, known=current is None or current in ours)


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """The newest migration, and all of them, by the names of their files: a bot that starts need not load Alembic."""
    numbers = sorted(path.stem.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    return (numbers[-1] if numbers else None), frozenset(numbers)


def _upgrade(connection: Connection) -> str | None:
    # Here, because nothing but an upgrade needs it, and it takes as long to load as half of the bot.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return _current(connection)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    return connection.execute(select(_VERSIONS.c.version_num)).scalar_one_or_none()
