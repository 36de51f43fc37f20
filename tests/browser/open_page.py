"""The emulators and their page in a thread of this process, without a bot: for what no bot can be made to do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.demo.page_server import PageServer
from omnibot_sandbox.demo.session import open_emulators
from omnibot_sandbox.slack.server import SlackEmulator

T = TypeVar("T")


class Stage:
    """A workspace to put things into; everything that touches it runs in its own loop."""

    slack: SlackEmulator
    omni: ClearStreetEmulator

    def __init__(self) -> None:
        self.address = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._live(),))

    def __enter__(self) -> Stage:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What came of it, once it is done."""
        return self.start(work).result(60)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """What will come of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def do(self, act: Callable[[], T]) -> T:
        """The same for what does not wait."""

        async def once() -> T:
            return act()

        return self.run(once())

    async def _live(self) -> None:
        async with (
            open_emulators(revision="2026-10", pace=0.1) as (self.slack, self.omni, lines),
            PageServer(self.slack, self.omni, lines=lines).serving(0) as self.address,
        ):
            self._ready.set()
            await self._end.wait()
