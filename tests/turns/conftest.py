"""A real database for the store and the services."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from omnibot.db.engine import Database, open_database
from omnibot.turns.model import Kind, NewTurn, Person, Surface
from omnibot.turns.store import TurnStore
from tests.turns.harness import EngineHarness, open_harness

ANA = Person("T1", "U_ANA")
BEN = Person("T1", "U_BEN")


def new_turn(ts: str = "1700000001.000100", **over: object) -> NewTurn:
    """A mention in #trading at `ts`."""
    fields: dict[str, object] = {
        "source_key": f"message:C1:{ts}",
        "surface": Surface.MENTION,
        "kind": Kind.INSTANT,
        "team": "T1",
        "person": ANA,
        "channel": "C1",
        "thread_ts": "1700000001.000100",
        "message_ts": ts,
        "event": {"text": "price of AAPL?"},
    }
    return NewTurn(**{**fields, **over})  # type: ignore[arg-type]  # a factory with defaults


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(tmp_path: Path, migrated: Path, request: pytest.FixtureRequest) -> str:
    """Every rule of the store holds on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copyfile(migrated, tmp_path / 'turns.sqlite3')}"
    url: str = request.getfixturevalue("new_migrated")()
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> TurnStore:
    return TurnStore(database, "this")


@pytest.fixture
async def harness(tmp_path: Path, migrated: Path) -> AsyncIterator[EngineHarness]:
    """An instance at work, on SQLite."""
    database = await open_database(f"sqlite:///{shutil.copyfile(migrated, tmp_path / 'hall.sqlite3')}")
    async with open_harness(database) as harness:
        yield harness
    await database.close()
