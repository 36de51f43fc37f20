"""What this process remembers of a turn beside its row: hints that may be lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from omnibot.clearstreet.models import Part
from omnibot.turns.model import Conversation, ResponseSnapshot, Turn
from omnibot.turns.rules import DEADLINE


class StopPressed(Exception):
    """Somebody wants the turn stopped, and does not want to wait for a call that is under way."""


@dataclass(slots=True)
class Active:
    """A turn this instance works on."""

    turn: Turn
    #: On time.monotonic(), conservatively: the lease lasts at least until then.
    lease_until: float
    conversation: Conversation | None = None
    #: A step is under way; `again` asks for another one right after it.
    stepping: bool = False
    #: When the next step was planned to begin, on time.monotonic().
    due: float = 0.0
    again: bool = False
    #: Somebody changed the row: read it before the next step.
    stale: bool = False

    #: This process sent the create call: it comes to its last look by itself, whoever sets the clock meanwhile.
    sent_here: bool = False
    looks: int = 0
    #: Omni was looked at since the create call's outcome became unknown.
    looked: bool = False
    #: Looks into the thread's history for an answer that has no response to poll.
    history_looks: int = 0
    idle_reads: int = 0
    failures: int = 0
    deliveries: int = 0

    parts: tuple[Part, ...] = ()
    status: str = ""
    snapshot: ResponseSnapshot | None = None
    request_id: str | None = None
    #: What Omni says may hold account data. None: nobody has looked yet.
    about_account: bool | None = None
    #: On time.monotonic().
    running_since: float = field(default_factory=lambda: time.monotonic())
    changed_at: float = field(default_factory=lambda: time.monotonic())
    #: Omni is being told to stop; set once it has heard it, or knows nothing to stop.
    heard: asyncio.Event | None = None
    #: The message that Omni means to put its answer into, as far as it has said so.
    output_message_id: str | None = None
    #: Stop was pressed: what `until_stopped` surrounds is not waited for any longer.
    stop_pressed: bool = False
    _limits: list[tuple[asyncio.Timeout, float]] = field(default_factory=list)
    #: On time.monotonic(): when Slack was first asked to take the answer.
    delivering_since: float | None = None
    #: On time.monotonic(): the row's deadline, as far away as it was when first seen, whoever sets the clock since.
    deadline: float | None = None

    def began(self, turn: Turn) -> None:
        """Omni works on it from now on."""
        self.turn = turn
        self.running_since = self.changed_at = time.monotonic()
        # At once: the clock may be set before the first look.
        self.deadline = time.monotonic() + DEADLINE[turn.kind].total_seconds()
        self.failures = 0

    def time_left(self, now: datetime) -> float:
        """Seconds until Omni has had its time; also bounds what anybody else may make us wait."""
        self.overdue(now)
        return float("inf") if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def overdue(self, now: datetime) -> bool:
        """Whether Omni has had its time."""
        if self.deadline is None:
            if self.turn.deadline_at is None:
                return False
            self.deadline = time.monotonic() + (self.turn.deadline_at - now).total_seconds()
        return time.monotonic() >= self.deadline

    @asynccontextmanager
    async def until_stopped(self, grace: float = 0.0) -> AsyncIterator[None]:
        """Around a call that is not worth more than `grace` seconds to somebody who has pressed Stop.

        Raises:
            StopPressed: it was, and the call did not come back in time. It was abandoned.
        """
        limit = asyncio.timeout(grace if self.stop_pressed else None)
        try:
            async with limit:
                self._limits.append((limit, grace))
                try:
                    yield
                finally:
                    self._limits.remove((limit, grace))
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise StopPressed from error

    def click_stop(self) -> None:
        """End whatever `until_stopped` surrounds; the row says already that the turn is to stop."""
        if self.stop_pressed:
            return
        self.stop_pressed = True
        for limit, grace in self._limits:
            limit.reschedule(asyncio.get_running_loop().time() + grace)
