"""A clock that the test owns: an event loop that leaps to its next timer when nothing else can happen."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from omnibot.scheduler import Callback, Scheduler
from omnibot.slack.listeners import commands
from omnibot.turns import active, admission, buttons, engine, polling, store, submission

#: The wall clock when the loop's clock shows zero.
BEGINNING = datetime(2026, 11, 21, 12, tzinfo=UTC)
#: Real seconds a thread (SQLite's) may take.
PATIENCE = 30.0
#: Rounds of the loop in which no time passes, before that counts as running in circles.
ROUNDS = 50_000


class Stuck(AssertionError):
    """Everybody waits for something that will not come, or runs in circles."""


class _Leaping(selectors.DefaultSelector):
    """Waits for threads in real time, for timers not at all."""

    loop: VirtualLoop
    rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.rounds += 1
        if self.rounds > ROUNDS:
            raise Stuck("everybody is busy, and no time passes")
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.loop.elsewhere:
            if not (ready := super().select(PATIENCE)):
                raise Stuck("a thread does not come back")
            return ready
        if timeout is None:
            raise Stuck("nobody has anything to do, and somebody waits")
        self.loop.leap(timeout)
        self.rounds = 0
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time begins at 0 and passes only in leaps; real threads are waited for without any passing."""

    def __init__(self) -> None:
        selector = _Leaping()
        selector.loop = self
        self._now = 0.0
        #: How far somebody has set the wall clock, seconds; the loop's own clock goes on evenly.
        self.set_ahead = 0.0
        #: How much work is under way in threads.
        self.elsewhere = 0
        super().__init__(selector)

    def time(self) -> float:
        return self._now

    def leap(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    @contextmanager
    def thread_at_work(self) -> Iterator[None]:
        """Around whatever a thread does for us."""
        self.elsewhere += 1
        try:
            yield
        finally:
            self.elsewhere -= 1

    def utcnow(self) -> datetime:
        """The wall clock, as the tables keep it."""
        return (BEGINNING + timedelta(seconds=self._now + self.set_ahead)).replace(tzinfo=None)

    def wall(self) -> float:
        """The wall clock, as `time.time()` has it."""
        return BEGINNING.timestamp() + self._now + self.set_ahead

    async def settle(self) -> None:
        """Return when nobody can do anything without time passing."""
        await asyncio.sleep(1e-6)

    @contextmanager
    def rules_the_engine(self) -> Iterator[None]:
        """Let the turn engine read this clock instead of the machine's."""
        clock = SimpleNamespace(monotonic=self.time, time=self.wall, perf_counter=time.perf_counter)
        with ExitStack() as stack:
            for module in (active, engine, polling, commands):
                stack.enter_context(patch.object(module, "time", clock))
            for other in (admission, buttons, engine, store, submission, polling):
                stack.enter_context(patch.object(other, "utcnow", self.utcnow))
            yield


class Alarms:
    """The scheduler on the loop's clock, for services that live in it."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._callbacks: dict[str, set[asyncio.Task[None]]] = {}
        self._silent = False

    def as_scheduler(self) -> Scheduler:
        """This, under the type it stands in for."""
        return cast(Scheduler, self)

    def at(self, name: str, seconds: float, callback: Callback, *args: Any) -> None:
        self.forget(name)
        if not self._silent:
            self._timers[name] = self._loop.call_later(max(0.0, seconds), self._call, name, callback, args)

    def every(self, name: str, seconds: float, callback: Callback, *args: Any) -> None:
        def again() -> None:
            self._timers[name] = self._loop.call_later(seconds, again)
            if not self._callbacks.get(name):
                self._begin(name, callback, args)

        self.forget(name)
        self._timers[name] = self._loop.call_later(seconds, again)

    def _call(self, name: str, callback: Callback, args: tuple[Any, ...]) -> None:
        self._timers.pop(name, None)
        self._begin(name, callback, args)

    def _begin(self, name: str, callback: Callback, args: tuple[Any, ...]) -> None:
        async def run() -> None:
            await callback(*args)

        task = self._loop.create_task(run())
        self._callbacks.setdefault(name, set()).add(task)
        task.add_done_callback(self._callbacks[name].discard)

    def forget(self, name: str) -> None:
        if timer := self._timers.pop(name, None):
            timer.cancel()

    async def finish(self, name: str) -> None:
        self.forget(name)
        if ringing := self._callbacks.get(name):
            await asyncio.wait(ringing)

    def silence(self) -> None:
        """The process is dead: no timer calls any more."""
        self._silent = True
        for name in list(self._timers):
            self.forget(name)
