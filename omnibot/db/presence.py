"""Which instances are alive: on PostgreSQL each holds a session advisory lock, which falls with its process.

A lock falls with its session, and a session falls with its process. But it also falls when the server restarts or the
network breaks, while the process lives and may be in the middle of a write. So a missing lock counts only once the
server has been up for longer than any lease, and an instance that cannot see its own lock trusts its leases no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets

import structlog
from sqlalchemy import ColumnElement, String, and_, cast, column, exists, func, literal, not_, select, table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.db.engine import Database

log = structlog.get_logger(__name__)

#: Tells our locks from other programs' in the same database: "omni".
LOCK_CLASS = 0x6F6D6E69
#: Seconds the lock's session may take to answer before it counts as lost.
PATIENCE = 3.0

_LOCKS = table("pg_locks", column("locktype"), column("classid"), column("objid"), column("granted"))


class Presence:
    """This instance's name, and its lock where the database has such."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key = secrets.randbelow(2**31)
        self._session: AsyncConnection | None = None

    @property
    def instance(self) -> str:
        """The owner's name in leases."""
        return str(self._key)

    async def hold(self) -> bool:
        """Take the lock, or see that it is still held; call every second. False: it had been lost."""
        if self._database.single_process:
            return True
        if self._session is not None:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._session.execute(select(literal(1)))
            except (SQLAlchemyError, TimeoutError):
                await self.drop()
            else:
                return True
        first = self._session is None
        engine = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
        session = await engine.connect()
        try:
            async with asyncio.timeout(PATIENCE):
                await session.execute(select(func.pg_advisory_lock(LOCK_CLASS, self._key)))
        except BaseException:
            await session.close()
            raise
        self._session = session
        if first:
            log.info("presence_held", instance=self.instance)
        return False

    async def drop(self) -> None:
        """Let the lock go."""
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(SQLAlchemyError, TimeoutError):
                # Closed for real: a session given back to the pool would keep the lock.
                await session.invalidate()
                await session.close()


def is_dead(owner: ColumnElement[str], *, lease_seconds: float) -> ColumnElement[bool]:
    """PostgreSQL: the instance of this name holds no lock, and the server has been up for longer than a lease."""
    held = select(literal(1)).where(
        _LOCKS.c.locktype == "advisory",
        _LOCKS.c.granted,
        _LOCKS.c.classid == LOCK_CLASS,
        cast(_LOCKS.c.objid, String) == owner,
    )
    uptime = func.extract("epoch", func.clock_timestamp() - func.pg_postmaster_start_time())
    return and_(not_(exists(held)), uptime > lease_seconds)
