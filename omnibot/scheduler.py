"""The alarm clock: `at` rings once, `every` rings again and again. It knows no domain word.

Alarms live in memory and are hints only: whoever owns the work finds it in the database without them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

Ring = Callable[..., Awaitable[None]]


class Scheduler:
    """APScheduler with the defaults an alarm clock must have.

    `misfire_grace_time=None`: a late alarm still rings (the library's default drops a one-shot job after a stall of
    one second). `coalesce=True`: a late repeating alarm rings once, not once for every time it missed.
    """

    def __init__(self) -> None:
        self._clock = AsyncIOScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": AsyncIOExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        """Start ringing; needs a running event loop."""
        self._clock.start()

    def stop(self) -> None:
        """Ring no more. Rings under way are the business of whoever handles them."""
        if self._clock.running:
            self._clock.shutdown(wait=False)

    def at(self, name: str, seconds: float, ring: Ring, *args: Any) -> None:
        """Call `ring(*args)` once, `seconds` from now; a second alarm of the same name replaces the first."""
        when = datetime.now(UTC) + timedelta(seconds=max(0.0, seconds))
        # The library would drop an alarm that rings while its namesake still runs: let them overlap instead. What
        # must not overlap guards itself.
        self._clock.add_job(
            ring, "date", run_date=when, args=args, id=name, replace_existing=True, max_instances=1_000_000
        )

    def every(self, name: str, seconds: float, ring: Ring, *args: Any) -> None:
        """Call `ring(*args)` every `seconds`, first after `seconds`; never twice at a time."""
        self._clock.add_job(ring, "interval", seconds=seconds, args=args, id=name, replace_existing=True)

    def forget(self, name: str) -> None:
        """Cancel an alarm; nothing happens if there is none."""
        try:
            self._clock.remove_job(name)
        except JobLookupError:
            return

    def __contains__(self, name: str) -> bool:
        return self._clock.get_job(name) is not None
