"""Hold, drop and release calls on their way through an emulator.

A call passes two points: `before` (it arrived, nothing has happened) and `after` (it took effect, the answer is not
yet sent). A test plants a rule, waits until a call reaches it, does its damage (kills the bot, say) and lets it go:

    hold = gate.hold("chat.update", "after")
    call = await hold.reached()
    bot.kill()
    hold.release()              # or hold.drop(): the connection closes without an answer

`gate.drop(…)` and `gate.refuse(…, status=500)` do without the waiting.
"""

from __future__ import annotations

import asyncio
import fnmatch
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Point = Literal["before", "after"]


@dataclass(slots=True)
class Call:
    """One call an emulator received, in the order of arrival."""

    #: "POST /v1/omni-ai/threads" (ids replaced by their placeholder, `{thread_id}`) or "chat.postMessage".
    name: str
    #: What was asked: the path's ids, the query and the body (or Slack's merged arguments), as sent.
    args: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    #: Seconds since the epoch, and of time.monotonic(), at arrival.
    at: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)
    #: HTTP status sent (None: not answered yet, or dropped), and the JSON sent.
    status: int | None = None
    answer: Any = None
    #: True once the call took effect (it passed its `before` point and was accepted).
    accepted: bool = False


class Dropped(Exception):
    """The emulator must close the connection without an answer."""


class Refused(Exception):
    """The emulator must answer this instead of its own answer."""

    def __init__(self, status: int, body: Any, headers: dict[str, str]) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        #: A str or bytes is sent as it is, anything else as JSON. None: the emulator's usual error envelope.
        self.body = body
        self.headers = headers


class Hold:
    """One planted rule; holds at most `count` calls, one after the other or together."""

    def __init__(self, pattern: str, point: Point, count: int, matches: Callable[[Call], bool] | None) -> None:
        self.pattern = pattern
        self.point = point
        self.remaining = count
        self.matches = matches
        self.calls: list[Call] = []
        self._arrived = asyncio.Event()
        self._verdict: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    async def reached(self, timeout: float = 20) -> Call:
        """Wait until a call stands at this point, and return it."""
        await asyncio.wait_for(self._arrived.wait(), timeout)
        return self.calls[-1]

    def release(self) -> None:
        """Let the held calls, and all that come later, go on."""
        self._decide(None)

    def drop(self) -> None:
        """Close the connections of the held calls (and of later ones, up to `count`) without an answer."""
        self._decide(Dropped())

    def refuse(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """Answer the held calls (and later ones, up to `count`) with this instead."""
        self._decide(Refused(status, body, headers or {}))

    def _decide(self, verdict: Exception | None) -> None:
        if not self._verdict.done():
            self._verdict.set_result(verdict)

    async def _stand(self, call: Call) -> None:
        self.remaining -= 1
        self.calls.append(call)
        self._arrived.set()
        verdict = await asyncio.shield(self._verdict)
        if verdict is not None:
            raise verdict


class Gate:
    """The rules of one emulator. Every call passes `await gate.at("before" | "after", call)`."""

    def __init__(self) -> None:
        self._holds: list[Hold] = []

    def hold(
        self, pattern: str, point: Point = "before", *, count: int = 1, matches: Callable[[Call], bool] | None = None
    ) -> Hold:
        """Hold the next `count` calls whose name fits the glob `pattern` (and `matches`) until the verdict."""
        hold = Hold(pattern, point, count, matches)
        self._holds.append(hold)
        return hold

    def drop(
        self, pattern: str, point: Point = "before", *, count: int = 1, matches: Callable[[Call], bool] | None = None
    ) -> Hold:
        """Drop the next `count` matching calls at once: `before` they never happened, `after` they did."""
        hold = self.hold(pattern, point, count=count, matches=matches)
        hold.drop()
        return hold

    def refuse(
        self,
        pattern: str,
        point: Point = "before",
        *,
        status: int,
        body: Any = None,
        headers: dict[str, str] | None = None,
        count: int = 1,
        matches: Callable[[Call], bool] | None = None,
    ) -> Hold:
        """Answer the next `count` matching calls with this: `before` they did nothing, `after` they took effect."""
        hold = self.hold(pattern, point, count=count, matches=matches)
        hold.refuse(status, body, headers)
        return hold

    def clear(self) -> None:
        """Release everything and forget all rules."""
        for hold in self._holds:
            hold.release()
        self._holds.clear()

    async def at(self, point: Point, call: Call) -> None:
        """Stand here if a rule says so.

        Raises:
            Dropped: the verdict is to close the connection without an answer.
            Refused: the verdict is to answer something else.
        """
        for hold in self._holds:
            if (
                hold.remaining > 0
                and hold.point == point
                and fnmatch.fnmatchcase(call.name, hold.pattern)
                and (hold.matches is None or hold.matches(call))
            ):
                await hold._stand(call)
                return
