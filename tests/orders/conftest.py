"""An exchange on a socket, a database, and an instance between them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from omnibot.db.engine import Database, open_database
from tests.orders.harness import ANA, BEN, Safe, link, open_emulator, open_safe


@pytest.fixture
async def emulator() -> AsyncIterator[ClearStreetEmulator]:
    async with open_emulator() as emulator:
        yield emulator


@pytest.fixture
async def database(tmp_path: Path, migrated: Path) -> AsyncIterator[Database]:
    database = await open_database(f"sqlite:///{shutil.copyfile(migrated, tmp_path / 'orders.sqlite3')}")
    await link(database, ANA, BEN)
    yield database
    await database.close()


@pytest.fixture
async def safe(database: Database, emulator: ClearStreetEmulator) -> AsyncIterator[Safe]:
    """An instance at work."""
    async with open_safe(database, emulator) as safe:
        yield safe


@pytest.fixture
async def still(database: Database, emulator: ClearStreetEmulator) -> AsyncIterator[Safe]:
    """An instance whose timer does not run: a test takes each step."""
    async with open_safe(database, emulator, working=False) as safe:
        yield safe
