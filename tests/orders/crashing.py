"""Instances that die between any two steps: at a transaction's begin or end, before a call or after its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.clearstreet.transport import Transport
from omnibot.db.engine import Database


class Killed(BaseException):
    """Nothing of this instance happens any more."""


class Life:
    """Counts steps. Once `left` of them are done, none is any more."""

    def __init__(self, left: int | None = None) -> None:
        self.left = left

    @property
    def over(self) -> bool:
        return self.left == 0

    def tick(self) -> None:
        if self.left is not None:
            self.left = max(0, self.left - 1)
            if self.left == 0:
                raise Killed


class MortalDatabase(Database):
    """A database as a mortal instance has it."""

    def __init__(self, database: Database, life: Life) -> None:
        super().__init__(database.engine, None)
        self._life = life

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self._life.tick()
        async with super().transaction() as connection:
            yield connection
        self._life.tick()


class MortalTransport(Transport):
    """Calls as a mortal instance makes them."""

    def __init__(self, life: Life, **settings: Any) -> None:
        super().__init__(**settings)
        self._life = life

    async def _once(self, *arguments: Any) -> Any:
        self._life.tick()
        answer = await super()._once(*arguments)
        self._life.tick()
        return answer
