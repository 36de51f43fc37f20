"""Leases on rows, by the database's clock: taken and renewed in one statement each.

PostgreSQL: rows that are free, expired or a dead instance's are claimed with SKIP LOCKED. SQLite: this process holds
the file, so every row that is not marked as its own was left behind by a dead one.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Table, and_, or_, select, update

from omnibot.db.engine import Database
from omnibot.db.presence import is_dead
from omnibot.db.rows import PutOff

#: Seconds a claim lasts without renewal.
LEASE = 15.0
#: Seconds between renewals.
RENEW = 5.0


class Leases:
    """Leases on the rows of one table with `id`, `owner`, `lease_until` and `due_at`."""

    def __init__(self, database: Database, table: Table, instance: str) -> None:
        self._database = database
        self._table = table
        self._instance = instance
        self._unreadable = PutOff()

    async def claim(
        self, open_rows: ColumnElement[bool], *, limit: int, always_due: ColumnElement[bool] | None = None
    ) -> list[str]:
        """Take up to `limit` rows that are open, due, and nobody's (any more); return their ids.

        Not the rows themselves: one that cannot be read would keep all of them from being taken.

        Args:
            open_rows: which rows are open.
            limit: how many rows at most.
            always_due: which rows never wait: their `due_at` is in the future only if the clock was set back since.
        """
        table, now = self._table.c, self._database.now()
        due = table.due_at <= now if always_due is None else or_(table.due_at <= now, always_due)
        nobodys = or_(table.owner.is_(None), table.lease_until < now)
        if self._database.single_process:
            nobodys = or_(nobodys, table.owner != self._instance)
        else:
            nobodys = or_(nobodys, is_dead(table.owner, lease_seconds=LEASE))
        if left_alone := self._unreadable.ids:
            nobodys = and_(nobodys, table.id.not_in(left_alone))
        free = select(table.id).where(open_rows, due, nobodys).order_by(table.due_at).limit(limit)
        if not self._database.single_process:
            free = free.with_for_update(skip_locked=True)
        # A common table expression with locks is evaluated once; a plain subquery might be again, past its limit.
        chosen = free.cte("free")
        statement = (
            update(self._table)
            .where(table.id.in_(select(chosen.c.id)))
            .values(owner=self._instance, lease_until=self._database.after(LEASE))
            .returning(table.id)
        )
        async with self._database.transaction() as connection:
            return list((await connection.execute(statement)).scalars())

    async def put_off(self, row_id: str) -> bool:
        """Let go of a row that cannot be read, and leave it alone for a while. Returns whether it is the first time."""
        first = self._unreadable.add(row_id)
        await self.release([row_id])
        return first

    async def renew(self, ids: Collection[str]) -> set[str]:
        """Renew our leases on these rows in one statement; return those that are still ours."""
        if not ids:
            return set()
        statement = (
            update(self._table)
            .where(self._table.c.owner == self._instance, self._table.c.id.in_(ids))
            .values(lease_until=self._database.after(LEASE))
            .returning(self._table.c.id)
        )
        async with self._database.transaction() as connection:
            return set((await connection.execute(statement)).scalars())

    async def release(self, ids: Collection[str]) -> None:
        """Give rows back, so that another instance need not wait for the lease to run out."""
        if not ids:
            return
        statement = (
            update(self._table)
            .where(self._table.c.owner == self._instance, self._table.c.id.in_(ids))
            .values(owner=None, lease_until=None)
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement)
