"""A conversation in the terminal, as it happens: people, the bot's every change, and the calls at Clear Street."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rich.console import Console

from omnibot_sandbox.demo.checks import short
from omnibot_sandbox.demo.session import DemoSession
from omnibot_sandbox.faults import Call
from omnibot_sandbox.slack.workspace import JSON, Message

#: Seconds between two looks at the calls: the API's emulator tells nobody when one comes.
_LOOK = 0.02
_NAME = 6
_ROWS = ("actions", "context_actions")


class Transcript:
    """Prints what becomes visible."""

    def __init__(self, session: DemoSession, console: Console) -> None:
        self._session = session
        self._console = console
        self._began = time.monotonic()
        #: Lines of each message that were printed already, by ts.
        self._shown: dict[str, list[str]] = {}
        self._printed_calls = len(session.omni.calls)
        self._last_call = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Print until the block ends."""
        self._began = time.monotonic()
        unsubscribe = self._session.slack.subscribe(self._on_change)
        watched = asyncio.create_task(self._watch_calls())
        try:
            yield
        finally:
            unsubscribe()
            watched.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watched
            self._print_calls()

    def say(self, who: str, lines: Sequence[str], style: str = "") -> None:
        """Print lines under a name, the time beside the first."""
        for number, line in enumerate(lines):
            margin = f"{time.monotonic() - self._began:6.2f}  " if number == 0 else " " * 8
            name = who if number == 0 else ""
            self._console.print(
                f"{margin}{name:{_NAME}}{line}", style=style, markup=False, highlight=False, soft_wrap=True
            )

    def _on_change(self, change: JSON) -> None:
        self._print_calls()
        if change["type"] in ("message", "message_changed"):
            self._show(self._session.slack.workspace.message(change["channel"], change["ts"]))
        elif change["type"] == "ephemeral":
            who = self._session.slack.workspace.users[change["user"]].real_name
            self.say("Omni", [f"(only visible to {who}) {line}" for line in lines_of(self._session, change)])

    def _show(self, message: Message) -> None:
        user = self._session.slack.workspace.users[message.user]
        before = self._shown.get(message.ts)
        lines = lines_of(self._session, message)
        self._shown[message.ts] = lines
        if not user.is_bot:
            self.say(user.real_name, lines, "bold")
        elif fresh := grown(before or [], lines):
            self.say(user.real_name if before is None else "…", fresh)

    async def _watch_calls(self) -> None:
        while True:
            self._print_calls()
            await asyncio.sleep(_LOOK)

    def _print_calls(self) -> None:
        calls = self._session.omni.calls
        while self._printed_calls < len(calls):
            call = calls[self._printed_calls]
            if call.status is None and time.time() - call.at < 1:
                return  # its answer is on the way
            self._printed_calls += 1
            line = described(call)
            if line != self._last_call:  # a poll that saw nothing new is not worth a line
                self._last_call = line
                self.say("", [f"{'':40}{line}"], "dim")


def described(call: Call) -> str:
    """A call, its status, and the response's status where that is what it asked for."""
    data = call.answer.get("data") if isinstance(call.answer, dict) else None
    status = data.get("status", "") if isinstance(data, dict) else ""
    return f"{short(call.name)} {call.status or 'no answer'} {status}".rstrip()


def grown(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The lines that are new, and of those that only grew the part that came."""
    old = set(before)
    out = []
    for line in after:
        if line in old or not line.strip():
            continue
        begun = max((o for o in old if len(o) > _NAME and line.startswith(o)), key=len, default="")
        out.append(f"…{line[len(begun) :]}" if begun else line)
    return out


def lines_of(session: DemoSession, message: Message | JSON) -> list[str]:
    """What a person reads, line by line; buttons of one row as [Label] in one line."""
    slack = session.slack
    blocks = message.blocks if isinstance(message, Message) else message["blocks"]
    lines: list[str] = []
    for block in blocks:
        one: JSON = {"text": "", "blocks": [block]}
        row = [f"[{label}]" for label in labels_of(session, one)] if block["type"] in _ROWS else []
        lines += ["  ".join(row)] if row else slack.visible_text(one).splitlines()
    return lines if blocks else slack.visible_text(message).splitlines()


def labels_of(session: DemoSession, message: Message | JSON) -> list[str]:
    """The labels of a message's buttons, in order."""
    return [button["text"]["text"] for button in session.slack.buttons(message)]
