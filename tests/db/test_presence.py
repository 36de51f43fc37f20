"""Who is alive, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import update

from omnibot.db.engine import Database, open_database
from omnibot.db.presence import Presence
from omnibot.db.tables import OPEN_STATES, turns
from omnibot.turns.store import TurnStore
from tests.postgres import Server, copies
from tests.turns.conftest import new_turn

OPEN = turns.c.state.in_(OPEN_STATES)


@pytest.fixture
async def database(new_migrated: Callable[[], str]) -> AsyncIterator[Database]:
    database = await open_database(new_migrated())
    yield database
    await database.close()


@pytest.fixture
async def instances(database: Database) -> AsyncIterator[list[Presence]]:
    """Eight living instances; whatever the test does to them, their sessions are closed."""
    presences = [Presence(database) for _ in range(8)]
    for presence in presences:
        await presence.hold()
    yield presences
    for presence in presences:
        await presence.drop()


async def claimed(database: Database, instance: str) -> list[str]:
    return await TurnStore(database, instance).leases.claim(OPEN, limit=100)


async def long_up(database: Database) -> None:
    """Wait until the server has been up for longer than a lease: only then does a missing lock count."""
    async with database.engine.connect() as connection:
        age = "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())"
        up = float((await connection.exec_driver_sql(age)).scalar_one())
    await asyncio.sleep(max(0.0, 15.2 - up))


async def test_the_turns_of_an_instance_without_a_lock_are_taken_at_once(database: Database, instances: list[Presence]):
    await long_up(database)
    dead, living, heir, *_ = instances
    turn_id = await TurnStore(database, dead.instance).accept(new_turn())
    await TurnStore(database, living.instance).accept(new_turn("1700000002.000100"))
    assert await claimed(database, heir.instance) == []
    await dead.drop()
    # The server lets go of a lock when it has ended the session, which may be a moment after we hung up.
    found: list[str] = []
    for _ in range(400):
        if found := await claimed(database, heir.instance):
            break
        await asyncio.sleep(0.05)
    assert found == [turn_id]


async def test_eight_claims_at_once_share_the_turns_and_none_is_taken_twice(
    database: Database, instances: list[Presence]
):
    store = TurnStore(database, "gone")
    ids = [await store.accept(new_turn(f"17000000{n:02d}.000100")) for n in range(40)]
    async with database.transaction() as connection:
        await connection.execute(update(turns).values(owner=None, lease_until=None))

    async def claim(instance: str) -> list[str]:
        return await TurnStore(database, instance).leases.claim(OPEN, limit=7)

    shares = await asyncio.gather(*(claim(presence.instance) for presence in instances))
    taken = [turn_id for share in shares for turn_id in share]
    assert len(taken) == len(set(taken))
    assert set(taken) <= set(ids)


async def test_after_a_restart_of_the_server_nobody_takes_the_living_for_dead(own_postgres: Server):
    database = await open_database(copies(own_postgres)())
    try:
        presence, other = Presence(database), Presence(database)
        await presence.hold()
        await TurnStore(database, presence.instance).accept(new_turn())
        own_postgres.restart()
        assert await claimed(database, other.instance) == []
        assert await presence.hold() is False
        assert await presence.hold() is True
    finally:
        await presence.drop()
        await database.close()
