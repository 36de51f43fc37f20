"""The status of Slack's agent sessions: working, idle, or waiting for a person."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.slack.delivery.rate_limits import WriteBudget
from omnibot.slack.errors import SLACK_ERRORS, SlackFailure, classify
from omnibot.turns.model import Turn

log = structlog.get_logger(__name__)

METHOD = "agents.sessions.setStatus"
#: Tries to say so; that work is over is said until Slack hears it, or believes it by itself, which it does in an hour.
TRIES = {"processing": 1, "suspended": 4, "active": 4}
#: Seconds for which a workspace without agent sessions is not asked again.
WITHOUT = 3600.0
#: Turns that wait for a person, kept in memory.
SUSPENDED = 5_000

#: A channel, and the ts of a thread's root there.
Thread = tuple[str, str]


class AgentStatus:
    """Says `processing`, `suspended` and `active`; a stream's start and end say the same by themselves.

    One call at a time in each thread, and the latest wish wins: what was said last is what holds.
    """

    def __init__(self, client: AsyncWebClient, budget: WriteBudget) -> None:
        self._client = client
        self._budget = budget
        #: The turns at work, by thread.
        self._working: defaultdict[Thread, set[str]] = defaultdict(set)
        #: Threads at work of which Slack was told nothing.
        self._silent: set[Thread] = set()
        #: What is to be said next, and who says it.
        self._wanted: dict[Thread, str] = {}
        self._speakers: dict[Thread, asyncio.Task[None]] = {}
        #: Turns whose answer waits for a person, the latest last.
        self._suspended: dict[str, None] = {}
        self._without: dict[str, float] = {}

    def begin(self, turn: Turn, *, said: bool) -> None:
        """Work on a turn begins; `said`: its stream has told Slack already."""
        if turn.thread_ts is None:
            return
        thread = (turn.channel, turn.thread_ts)
        first = not self._working[thread]
        self._working[thread].add(turn.id)
        if said and thread not in self._speakers:
            self._silent.discard(thread)
        elif said or self._budget.wait(turn.team, METHOD, time.monotonic()) == 0:
            # Said once more, too, where a call is under way that may come after the stream's.
            self._silent.discard(thread)
            self._say(turn, thread, "processing")
        elif first and thread not in self._speakers:
            self._silent.add(thread)

    def after(self, turn: Turn) -> str:
        """The session's status once this turn is over: others may be at work in the same thread."""
        others = self._working.get((turn.channel, turn.thread_ts or ""), set()) - {turn.id}
        if others:
            return "processing"
        return "suspended" if turn.id in self._suspended else "active"

    def suspend(self, turn: Turn) -> None:
        """The answer to this turn waits for its person: once the work is over, that is said."""
        self._suspended[turn.id] = None
        if len(self._suspended) > SUSPENDED:
            del self._suspended[next(iter(self._suspended))]

    def resume(self, turn: Turn) -> None:
        """The person has come."""
        self._suspended.pop(turn.id, None)
        if turn.thread_ts is not None and (status := self.after(turn)) == "active":
            self._say(turn, (turn.channel, turn.thread_ts), status)

    def end(self, turn: Turn, *, said: bool) -> None:
        """Work on a turn is over; `said`: the end of its stream has told Slack already."""
        if turn.thread_ts is None:
            return
        thread = (turn.channel, turn.thread_ts)
        status, silent = self.after(turn), thread in self._silent and turn.id not in self._suspended
        self.forget(turn.id)
        if status != "processing" and (thread in self._speakers or not (said or silent)):
            self._say(turn, thread, status)

    def forget(self, turn_id: str) -> None:
        """A turn is somebody else's now, or is over without a word."""
        for thread in [thread for thread, working in self._working.items() if turn_id in working]:
            self._working[thread].discard(turn_id)
            if not self._working[thread]:
                del self._working[thread]
                self._silent.discard(thread)

    async def close(self, patience: float) -> None:
        """Let what is being said be said."""
        if self._speakers:
            _, late = await asyncio.wait(self._speakers.values(), timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _say(self, turn: Turn, thread: Thread, status: str) -> None:
        if self._without.get(turn.team, 0.0) > time.monotonic():
            return
        self._wanted[thread] = status
        if thread not in self._speakers:
            self._speakers[thread] = asyncio.ensure_future(self._keep_saying(turn, thread))

    async def _keep_saying(self, turn: Turn, thread: Thread) -> None:
        try:
            while (status := self._wanted.pop(thread, None)) is not None:
                await self._set(turn, thread, status)
        finally:
            self._wanted.pop(thread, None)
            del self._speakers[thread]

    async def _set(self, turn: Turn, thread: Thread, status: str) -> None:
        for _ in range(TRIES[status]):
            try:
                await self._client.agents_sessions_setStatus(channel_id=thread[0], thread_ts=thread[1], status=status)
            except SLACK_ERRORS as error:
                verdict = classify(error)
                if verdict.failure not in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN):
                    log.info("no_agent_session", turn=turn.id, error=verdict.code)
                    if verdict.code in ("unknown_method", "not_agent_app", "missing_scope", "feature_not_enabled"):
                        self._without[turn.team] = time.monotonic() + WITHOUT
                    return
                await asyncio.sleep(verdict.wait)
                if thread in self._wanted:
                    return  # something else is true by now
            else:
                return
