"""What tests of several packages share."""

import asyncio
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy.ext.asyncio
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncEngine

from omnibot.db.migrate import upgrade
from tests.examples import SAME
from tests.postgres import Server, copies, running_server, shared_folder

# How long an example takes says something about the machine, nothing about the code.
settings.register_profile("any machine", deadline=None, derandomize=SAME, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

#: The tests that take longest, in that order: who begins with one of the others ends with one of these.
SLOW = (
    "orders/test_state_machine",
    "turns/test_state_machine",
    "test_every_story_ends_well",
    "orders/test_crashes",
    "test_every_scenario_is_answered",
    "test_a_story_that_goes_wrong",
    "test_two_processes",
    "test_it_stays_unknown",
    "half_open",
    "test_soak",
    "thirty_seconds",
    "test_presence",
    "orders/test_same_words",
    "sandbox/tests/demo",
    "journeys/",
    "test_secrets",
)
#: Tests that share what takes long to start: they go to one worker.
TOGETHER = ("contracts/test_sdk_newest", "contracts/test_sdk_oldest")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Nothing that all modules make at import is garbage: looking for it would double the time."""
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

    def rank(names: tuple[str, ...], item: pytest.Item) -> int:
        return next((rank for rank, name in enumerate(names) if name in item.nodeid), len(names))

    hands: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for item in sorted(items, key=lambda item: rank(SLOW, item)):
        together = rank(TOGETHER, item)
        hand = min(hands, key=len) if together == len(TOGETHER) else hands[-1 - together % workers]
        hand.append(item)
    items[:] = [item for hand in hands for item in hand]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what the workers have shared."""
    if (workers := session.config.pluginmanager.getplugin("dsession")) is not None:
        shutil.rmtree(shared_folder(workers.nodemanager.testrunuid), ignore_errors=True)


class Statements(dict[Any, Any]):
    """What SQLAlchemy keeps of compiled statements: by the kind of the database, not by the database."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), value)


@pytest.fixture(scope="session", autouse=True)
def statements() -> Iterator[None]:
    """Each statement is compiled once in a test process, not once for each test's database: a fifth of their work."""
    kept, make = Statements(), sqlalchemy.ext.asyncio.create_async_engine

    def create(*where: Any, **settings: Any) -> AsyncEngine:
        made = make(*where, **settings)
        made.sync_engine._compiled_cache = kept
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("omnibot.db.engine.create_async_engine", create)
        yield


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upgraded SQLite file to copy: the upgrade itself is tested elsewhere, and takes its time."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite3"
    asyncio.run(upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL for all workers of this run."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    with running_server(shared_folder(run) if run else None) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Server]:
    """One for this test alone: it may be restarted."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def new_migrated(postgres: Server) -> Callable[[], str]:
    """Makes upgraded PostgreSQL databases, copies of one; returns the URL of each."""
    return copies(postgres)
