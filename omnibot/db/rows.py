"""Rows that this version cannot parse: newer ones, damaged ones. Each is set aside alone."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

#: Seconds for which a row that cannot be read is left alone, doubling up to the second.
AGAIN, AGAIN_AT_MOST = 15.0, 300.0

T = TypeVar("T")


async def read_apart(
    ids: Sequence[str], read: Callable[[Sequence[str]], Awaitable[list[T]]]
) -> tuple[list[T], dict[str, Exception]]:
    """Read rows together, and one by one when that breaks.

    Returns:
        What could be read, and by id why the rest could not.
    """
    if not ids:
        return [], {}
    try:
        return await read(ids), {}
    except SQLAlchemyError:
        # The database's trouble, not a row's.
        raise
    except Exception as error:
        if len(ids) == 1:
            return [], {ids[0]: error}
    found: list[T] = []
    broken: dict[str, Exception] = {}
    for one in ids:
        some, why = await read_apart([one], read)
        found += some
        broken |= why
    return found, broken


class PutOff:
    """Rows that are left alone for a while, by this process: another one, perhaps of another version, may read them."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def add(self, row_id: str) -> bool:
        """Leave a row alone, each time for longer. Returns whether it is the first time."""
        times = self._times[row_id] = self._times.get(row_id, 0) + 1
        self._until[row_id] = time.monotonic() + min(AGAIN * 2.0 ** min(times - 1, 10), AGAIN_AT_MOST)
        return times == 1

    @property
    def ids(self) -> list[str]:
        """Rows that are to be left alone now."""
        now = time.monotonic()
        return [row_id for row_id, until in self._until.items() if until > now]
