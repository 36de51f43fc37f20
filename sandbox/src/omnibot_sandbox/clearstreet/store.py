"""Everything the emulator remembers: threads, their messages and their responses, in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import getrandbits
from typing import Any

from omnibot_sandbox.clearstreet.scripts import Frame, Plan, ScriptBook, Situation, without_thinking

JSON = dict[str, Any]


class Identifiers:
    """UUIDv7 strings, each greater than the one before, however fast they are drawn."""

    def __init__(self) -> None:
        self._last = 0

    def draw(self) -> str:
        """The next id."""
        # 48 bits of milliseconds and 12 that count within one: together the part that must grow.
        self._last = max(time.time_ns() // 1_000_000 << 12, self._last + 1)
        millis, counter = self._last >> 12, self._last & 0xFFF
        digits = f"{millis << 80 | 7 << 76 | counter << 64 | 2 << 62 | getrandbits(62):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@dataclass(slots=True)
class Thread:
    """One conversation."""

    id: str
    #: The API key that made it.
    owner: str
    #: The trading account it is linked to for good; None: not linked yet.
    account_id: int | None
    title: str
    created_at: str
    updated_at: str
    #: Finalised messages as literal JSON, oldest first.
    messages: list[JSON] = field(default_factory=list)
    active_response_id: str | None = None
    #: Names of the scripts its turns used, and what their patterns found ("ticker": "AAPL").
    scripts: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def metadata(self) -> JSON:
        """The thread as the API lists it."""
        return {name: getattr(self, name) for name in ("created_at", "id", "title", "updated_at")}


@dataclass(slots=True)
class Response:
    """One assistant turn on its way through its plan."""

    id: str
    thread_id: str
    user_message_id: str
    output_message_id: str
    plan: Plan
    started: float
    asked_at: datetime
    #: Set once the turn is over; until then the plan and the clock say where it stands.
    ended: Frame | None = None

    def frame(self, pace: float) -> Frame:
        """Where the turn stands now."""
        if self.ended is not None:
            return self.ended
        elapsed = (time.monotonic() - self.started) / pace if pace > 0 else float("inf")
        return self.plan.at(elapsed)

    def snapshot(self, pace: float) -> JSON:
        """The response as a poll sees it now."""
        frame = self.frame(pace)
        out: JSON = {
            "id": self.id,
            "status": frame.status,
            "thread_id": self.thread_id,
            "user_message_id": self.user_message_id,
        }
        if frame.parts or frame.status != "queued":
            # The id of the message to come is known as soon as there is something to show.
            out |= {"content": {"parts": frame.parts}, "output_message_id": self.output_message_id}
        if frame.error is not None:
            out["error"] = frame.error
        return out


class Store:
    """The emulator's memory. Turns end when somebody looks: there is no clockwork behind them."""

    def __init__(self, book: ScriptBook, pace: float) -> None:
        self.book = book
        self.pace = pace
        self.ids = Identifiers()
        self.threads: dict[str, Thread] = {}
        self.responses: dict[str, Response] = {}
        #: Finalised messages by id.
        self.messages: dict[str, JSON] = {}
        self.feedback: list[JSON] = []
        #: What Omni can know about a thread's account when it is asked.
        self.situation: Callable[[Thread], Situation] = lambda _: Situation()
        #: Running responses by thread, and the threads of the messages they will leave behind.
        self._running: dict[str, Response] = {}
        self._promised: dict[str, str] = {}

    def open_thread(self, owner: str, account_id: int | None, title: str) -> Thread:
        """A new, empty thread."""
        now = timestamp(datetime.now(UTC))
        thread = Thread(self.ids.draw(), owner, account_id, title, now, now)
        self.threads[thread.id] = thread
        return thread

    def ask(
        self,
        thread: Thread,
        kind: str,
        question: str,
        context: JSON | None = None,
        capabilities: Collection[str] | None = None,
    ) -> Response:
        """Add a question and start the turn that answers it, with what the caller can carry out."""
        situation = replace(self.situation(thread), consent="OPEN_ENTITLEMENT_CONSENT" in (capabilities or ()))
        plan = self.book.plan(kind, question, thread.scripts, thread.variables, thread.account_id, situation)
        now = datetime.now(UTC)
        response_id, user_message_id = self.ids.draw(), self.ids.draw()
        parts: list[Any] = [{"text": question, "type": "text"}]
        self._append(thread, user_message_id, "USER", "completed", parts, now, {"context": context})
        response = Response(
            response_id, thread.id, user_message_id, self.ids.draw(), plan, started=time.monotonic(), asked_at=now
        )
        thread.updated_at = timestamp(now)
        thread.scripts.append(plan.script)
        thread.variables.update(plan.variables)
        self.begin(thread, response)
        return response

    def begin(self, thread: Thread, response: Response) -> None:
        """Let the response run."""
        thread.active_response_id = response.id
        self.responses[response.id] = self._running[thread.id] = response
        self._promised[response.output_message_id] = thread.id

    def settle(self, thread_id: str | None = None) -> None:
        """End the thread's turn (or, without a thread, every turn) whose time has come."""
        running = list(self._running.values()) if thread_id is None else [self._running.get(thread_id)]
        for response in filter(None, running):
            now = response.frame(self.pace)
            if now.outcome is not None:
                self.end(response, now)

    def find_message(self, message_id: str) -> JSON | None:
        """A finalised message; one whose turn has just ended becomes one by this look."""
        if message_id in self._promised:
            self.settle(self._promised[message_id])
        return self.messages.get(message_id)

    def active(self) -> list[Response]:
        """The responses still queued or running."""
        self.settle()
        return list(self._running.values())

    def cancel(self, response: Response) -> bool:
        """Stop the turn here and keep its text so far; False when it was over already."""
        now = response.frame(self.pace)
        if response.ended is not None:
            return False
        over = now.outcome is not None
        self.end(response, now if over else Frame(now.at, "canceled", now.parts, outcome="canceled"))
        return not over

    def end(self, response: Response, frame: Frame) -> None:
        """End the response like this, and finalise its message."""
        response.ended = frame
        del self._running[response.thread_id], self._promised[response.output_message_id]
        thread = self.threads[response.thread_id]
        thread.active_response_id = None
        thread.updated_at = timestamp(response.asked_at + timedelta(seconds=min(frame.at, 1e6) * self.pace))
        parts = frame.message_parts if frame.message_parts is not None else without_thinking(frame.parts)
        # The message's row is as old as its turn; only its content came later.
        created = response.asked_at + timedelta(milliseconds=35)
        extras = {"error": frame.error}
        self._append(
            thread, response.output_message_id, "ASSISTANT", frame.outcome or "completed", parts, created, extras
        )

    def _append(
        self, thread: Thread, id: str, role: str, outcome: str, parts: list[Any], at: datetime, extras: JSON
    ) -> None:
        message: JSON = {
            "content": {"parts": parts},
            "created_at": timestamp(at),
            "id": id,
            "outcome": outcome,
            "role": role,
            "seq": len(thread.messages) + 1,
            "thread_id": thread.id,
            **{name: value for name, value in extras.items() if value is not None},
        }
        self.keep(thread, message)

    def keep(self, thread: Thread, message: JSON) -> None:
        """Add a finalised message."""
        thread.messages.append(message)
        self.messages[message["id"]] = message


def timestamp(at: datetime) -> str:
    """A time as the API writes it, always with microseconds."""
    return at.isoformat(timespec="microseconds")
