"""What tests of several rooms share."""

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from psycopg.conninfo import conninfo_to_dict

from omnibot.db.migrate import upgrade
from tests.examples import SAME
from tests.postgres import Server, running_server

# How long an example takes says something about the machine, nothing about the code.
settings.register_profile("any machine", deadline=None, derandomize=SAME, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

#: Where tests mostly wait (for processes, leases, deadlines), the longest first.
SLOW = (
    "test_two_processes",
    "test_soak",
    "thirty_seconds",
    "test_presence",
    "journeys/",
    "emulator/demo",
    "contracts/",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Nothing that the modules of all rooms make at import is garbage: looking for it would double the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal the tests to the workers like cards, the slow ones first: each gets its share of waiting."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return

    def slowness(item: pytest.Item) -> int:
        return next((rank for rank, name in enumerate(SLOW) if name in item.nodeid), len(SLOW))

    ranked = sorted(items, key=slowness)
    items[:] = [item for worker in range(workers) for item in ranked[worker::workers]]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upgraded SQLite file to copy: the upgrade itself is tested elsewhere, and takes its time."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite3"
    asyncio.run(upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL for this worker's tests."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def new_migrated(postgres: Server) -> Callable[[], str]:
    """Makes upgraded PostgreSQL databases, copies of one; returns the URL of each."""
    url = postgres.new_database()
    with ThreadPoolExecutor(1) as apart:  # a test that needs it may have its loop running already
        apart.submit(asyncio.run, upgrade(url)).result()
    template = str(conninfo_to_dict(url)["dbname"])
    return lambda: postgres.new_database(template)
