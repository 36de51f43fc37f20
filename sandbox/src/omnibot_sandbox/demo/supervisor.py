"""Keeps the bot of a demo alive: starts it again when it dies, unless it dies too often."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, NoReturn

from omnibot_sandbox.demo.session import Bot, DemoError
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON

State = Literal["running", "restarting", "down"]

#: So many deaths of its own within so many seconds, and the bot is left dead until somebody starts it.
MOST_DEATHS = 4
WITHIN = 60.0


class Supervisor:
    """Watches over one bot."""

    def __init__(self, bot: Bot, slack: SlackEmulator) -> None:
        self.state: State = "running"
        #: What happened last, in words, with the end of the log where the bot could not be started.
        self.note = ""
        #: How often it was started again.
        self.restarts = 0
        #: Called when `state` changes.
        self.on_change: Callable[[], None] = lambda: None
        self._bot = bot
        self._slack = slack
        self._deaths: deque[float] = deque()
        self._wanted = False
        self._start = asyncio.Event()

    def describe(self) -> JSON:
        """The bot for the page."""
        return {"state": self.state, "note": self.note, "restarts": self.restarts, "pid": self._bot.pid}

    def kill(self) -> None:
        """kill -9. It is started again, and this death does not count."""
        self._wanted = True
        self._bot.kill()

    def restart(self) -> None:
        """Ask it to finish what it is writing and to go; it is started again."""
        self._wanted = True
        self._bot.terminate()

    def start(self) -> None:
        """Start it where it was left dead."""
        self._deaths.clear()
        self._start.set()

    async def keep(self) -> NoReturn:
        """Watch until cancelled."""
        while True:
            code = await self._bot.ended()
            self.note = "It was asked to." if self._wanted else f"It ended by itself, with exit code {code}."
            if not self._wanted:
                self._deaths.append(time.monotonic())
            self._wanted = False
            if self._too_often():
                self.note = f"It ended {len(self._deaths)} times within {WITHIN:.0f} s; the last exit code was {code}."
                await self._wait_for_somebody()
            await self._start_again()

    async def _start_again(self) -> None:
        while True:
            self.restarts += 1
            self._become("restarting")
            try:
                await self._bot.start(self._slack, upgrade=False)
            except DemoError as error:
                self.note = str(error)
                await self._bot.stop()  # it may live and only not have connected
                await self._wait_for_somebody()
            else:
                self._become("running")
                return

    def _too_often(self) -> bool:
        while self._deaths and self._deaths[0] < time.monotonic() - WITHIN:
            self._deaths.popleft()
        return len(self._deaths) >= MOST_DEATHS

    async def _wait_for_somebody(self) -> None:
        self._become("down")
        self._start.clear()
        await self._start.wait()

    def _become(self, state: State) -> None:
        self.state = state
        self.on_change()
