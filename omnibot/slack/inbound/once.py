"""Work that Slack asks for twice at once, such as a submitted modal, is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Work that several ask for at once is done once, and all of them get what came of it."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Future[T]] = {}

    def begin(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> tuple[asyncio.Future[T], bool]:
        """The work under this key, and whether it begins now."""
        if (there := self._under_way.get(key)) is not None:
            return there, False
        begun = asyncio.ensure_future(work())
        self._under_way[key] = begun
        begun.add_done_callback(lambda _: self._under_way.pop(key, None))
        return begun, True
