"""Locks in SQL, held until the transaction ends.

They are taken in one order: the halt, the owner's days by date, the accounts, the tickets by id, the head of the audit.
"""

from __future__ import annotations

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.db.engine import Database
from omnibot.db.tables import trading_days
from omnibot.policy.identities import Who


async def lock_day(database: Database, connection: AsyncConnection, owner: Who, day: str) -> None:
    """What the day has used up stays as it is, whoever else approves the owner's orders."""
    await _lock(database, connection, owner.org, owner.user, day)


async def lock_account(database: Database, connection: AsyncConnection, account_id: int) -> None:
    """Nobody else approves orders of this account, or asks for its orders to be changed."""
    await _lock(database, connection, "account", str(account_id), "")


async def _lock(database: Database, connection: AsyncConnection, org: str, user: str, day: str) -> None:
    insert = sqlite_insert if database.single_process else postgresql_insert
    key = {"org": org, "user": user, "day": day}
    await connection.execute(insert(trading_days).values(**key).on_conflict_do_nothing())
    mine = and_(*[trading_days.c[name] == value for name, value in key.items()])
    await connection.execute(select(trading_days.c.day).where(mine).with_for_update())
