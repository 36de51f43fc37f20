"""Bringing a database to the tables this version needs; the migrations ship inside the package."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from omnibot.db.engine import Database, open_database, unreachable_in_words
from omnibot.errors import SettingsError


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


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
    head = await asyncio.to_thread(lambda: ScriptDirectory.from_config(_config()).get_current_head())
    with unreachable_in_words():
        async with database.engine.connect() as connection:
            current = await connection.run_sync(_current)
    if current != head:
        state = "is empty" if current is None else f"is at {current}, this version needs {head}"
        raise SettingsError(f"the database {state}: run `omnibot db upgrade` first")


def _upgrade(connection: Connection) -> str | None:
    command.upgrade(_config(connection), "head")
    return _current(connection)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
