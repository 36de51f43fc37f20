"""Timers: `at` calls once, `every` calls again and again. It knows no domain word.

Timers live in memory and are hints only: whoever owns the work finds it in the database without them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger(__name__)

Callback = Callable[..., Awaitable[None]]

#: Seconds between looks at the clock, and of difference that count as a jump.
WATCH, JUMP = 0.5, 0.3
#: The argument that says when a timer is due by the monotonic clock, which nobody sets.
DUE = "due"


class Scheduler:
    """APScheduler with the defaults an scheduler must have.

    `misfire_grace_time=None`: a late timer still calls (the library's default drops a one-shot job after a stall of
    one second). `coalesce=True`: a late repeating timer calls once, not once for every time it missed.
    """

    def __init__(self) -> None:
        self._clock = AsyncIOScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": AsyncIOExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        self._offset = 0.0
        #: Callbacks that run right now, by name.
        self._callbacks: set[asyncio.Task[None]] = set()
        self._watch: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start ringing; needs a running event loop."""
        self._clock.start()
        self._offset = _offset()
        self._watch = asyncio.get_running_loop().call_later(WATCH, self._watch_clock)

    async def stop(self, grace: float = 10.0) -> None:
        """Call no more, and let running callbacks end: the library would cancel them in the middle of a statement."""
        if self._watch is not None:
            self._watch.cancel()
        if self._clock.running:
            self._clock.shutdown(wait=False)
        if self._callbacks:
            _, late = await asyncio.wait(self._callbacks, timeout=grace)
            for task in late:
                log.warning("callback_abandoned", callback=task.get_name())
                task.cancel()

    def _watch_clock(self) -> None:
        """When the machine's clock is set, move every timer with it: they mean "in so many seconds", not "at ten"."""
        offset = _offset()
        jump = offset - self._offset
        if abs(jump) > JUMP:
            log.warning("clock_jumped", seconds=round(jump, 1))
            self._offset = offset
            now = datetime.now(UTC)
            for job in self._clock.get_jobs():
                if job.next_run_time is not None:
                    job.modify(next_run_time=now + _left(job, now, timedelta(seconds=jump)))
            self._clock.wakeup()
        self._watch = asyncio.get_running_loop().call_later(WATCH, self._watch_clock)

    def at(self, name: str, seconds: float, callback: Callback, *args: Any) -> None:
        """Call `callback(*args)` once, `seconds` from now; a second timer of the same name replaces the first."""
        seconds = max(0.0, seconds)
        when, due = datetime.now(UTC) + timedelta(seconds=seconds), time.monotonic() + seconds
        job = (name, callback, args)
        self._clock.add_job(
            self._call, "date", run_date=when, args=job, kwargs={DUE: due}, id=name, replace_existing=True
        )

    def every(self, name: str, seconds: float, callback: Callback, *args: Any) -> None:
        """Call `ring(*args)` every `seconds`, first after `seconds`; never twice at a time."""
        self._clock.add_job(
            self._call_alone, "interval", seconds=seconds, args=(name, callback, args), id=name, replace_existing=True
        )

    async def _call(self, name: str, callback: Callback, args: tuple[Any, ...], *, due: float = 0.0) -> None:
        # Only begun here: a timer that is due while its namesake still runs would be dropped by the library. What must
        # not overlap guards itself.
        task = asyncio.create_task(_run(name, callback, args), name=name)
        self._callbacks.add(task)
        task.add_done_callback(self._callbacks.discard)

    async def _call_alone(self, name: str, callback: Callback, args: tuple[Any, ...]) -> None:
        if not self._ringing(name):
            await self._call(name, callback, args)

    def _ringing(self, name: str) -> list[asyncio.Task[None]]:
        return [task for task in self._callbacks if task.get_name() == name]

    async def finish(self, name: str) -> None:
        """Cancel a timer, and wait until its callback has ended."""
        self.forget(name)
        if ringing := self._ringing(name):
            await asyncio.wait(ringing)

    def forget(self, name: str) -> None:
        """Cancel a timer; nothing happens if there is none."""
        try:
            self._clock.remove_job(name)
        except JobLookupError:
            return

    def __contains__(self, name: str) -> bool:
        return self._clock.get_job(name) is not None


async def _run(name: str, callback: Callback, args: tuple[Any, ...]) -> None:
    try:
        await callback(*args)
    except Exception:
        log.exception("callback_failed", callback=name)


def _left(job: Job, now: datetime, jump: timedelta) -> timedelta:
    """Seconds until the call, although the clock was set; some timers were made after that, and some before."""
    if DUE in job.kwargs:
        left = timedelta(seconds=job.kwargs[DUE] - time.monotonic())
    else:
        # When it rang last, and by which clock, is not known: at most one round is shorter or longer.
        left = min(job.next_run_time + jump - now, job.trigger.interval)
    return max(left, timedelta())


def _offset() -> float:
    """How far the wall clock is ahead of the monotonic one: changes only when somebody sets the clock."""
    return time.time() - time.monotonic()
