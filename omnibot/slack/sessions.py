"""What Slack's agent session says of a thread: that omnibot works there, rests, or waits for a person."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.slack.failures import SLACK_ERRORS, Failure, judge
from omnibot.turns.model import Turn

log = structlog.get_logger(__name__)

#: Tries to say that the work is over; Slack itself stops believing in it after an hour.
TRIES = 4
#: Seconds for which a workspace without agent sessions is not asked again.
WITHOUT = 3600.0


class Sessions:
    """Says `processing`, `suspended` and `active`; a stream's start and end say the same by themselves."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._working: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        #: Turns whose answer waits for a person.
        self._suspended: set[str] = set()
        self._without: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, turn: Turn, *, said: bool) -> None:
        """Work on a turn begins; `said`: its stream has told Slack already."""
        if turn.thread_ts is None:
            return
        self._working[turn.channel, turn.thread_ts].add(turn.id)
        if not said:
            self._say(turn, "processing", tries=1)

    def after(self, turn: Turn) -> str:
        """The session's status once this turn is over: others may be at work in the same thread."""
        others = self._working.get((turn.channel, turn.thread_ts or ""), set()) - {turn.id}
        if others:
            return "processing"
        return "suspended" if turn.id in self._suspended else "active"

    def suspend(self, turn: Turn) -> None:
        """The answer to this turn waits for its person: once the work is over, that is said."""
        self._suspended.add(turn.id)

    def resume(self, turn: Turn) -> None:
        """The person has come."""
        self._suspended.discard(turn.id)
        if turn.thread_ts is not None and (status := self.after(turn)) == "active":
            self._say(turn, status, tries=TRIES)

    def end(self, turn: Turn, *, said: bool) -> None:
        """Work on a turn is over; `said`: the end of its stream has told Slack already."""
        if turn.thread_ts is None:
            return
        status = self.after(turn)
        working = self._working.get((turn.channel, turn.thread_ts))
        if working is not None:
            working.discard(turn.id)
            if not working:
                del self._working[turn.channel, turn.thread_ts]
        if not said and status != "processing":
            self._say(turn, status, tries=TRIES)

    def forget(self, turn_id: str) -> None:
        """A turn is somebody else's now, or is over without a word."""
        for thread in [thread for thread, working in self._working.items() if turn_id in working]:
            self._working[thread].discard(turn_id)
            if not self._working[thread]:
                del self._working[thread]

    async def close(self, patience: float) -> None:
        """Let what is being said be said."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _say(self, turn: Turn, status: str, *, tries: int) -> None:
        if self._without.get(turn.team, 0.0) > time.monotonic():
            return
        task = asyncio.ensure_future(self._set(turn, status, tries))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _set(self, turn: Turn, status: str, tries: int) -> None:
        for _ in range(tries):
            if status != "processing" and self.after(turn) != status:
                return  # the next turn has begun meanwhile, or the person has come
            try:
                await self._client.agents_sessions_setStatus(
                    channel_id=turn.channel, thread_ts=turn.thread_ts, status=status
                )
            except SLACK_ERRORS as error:
                verdict = judge(error)
                if verdict.failure not in (Failure.SLOW_DOWN, Failure.UNKNOWN):
                    log.info("no_agent_session", turn=turn.id, error=verdict.code)
                    if verdict.code in ("unknown_method", "not_agent_app", "missing_scope", "feature_not_enabled"):
                        self._without[turn.team] = time.monotonic() + WITHOUT
                    return
                await asyncio.sleep(verdict.wait)
            else:
                return
