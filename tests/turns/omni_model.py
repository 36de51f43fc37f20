"""Omni AI in memory: what it was asked, what it answers, and every way in which a network lies about that."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from omnibot.clearstreet.models import (
    Account,
    ErrorStatus,
    Message,
    Part,
    Response,
    TextPart,
    ThinkingPart,
    Thread,
    read_parts,
)
from omnibot.clearstreet.models.enums import AccountStatus, MessageOutcome, MessageRole, ResponseStatus
from omnibot.clearstreet.models.resources import Created
from omnibot.clearstreet.revision import Revision
from omnibot.errors import (
    ClearStreetError,
    Conflict,
    Invalid,
    Malformed,
    NotFound,
    RateLimited,
    Unauthorised,
    Unavailable,
)
from tests.turns.virtual_time import BEGINNING, VirtualLoop

T = TypeVar("T")

ACCOUNT = 19816
#: Seconds from the bot to the API, one way; and until the bot gives up on an answer.
TRIP, TIMEOUT = 0.05, 10.0


class Trouble(StrEnum):
    """What goes wrong with one call."""

    #: Answered, and nothing was done.
    RATE_LIMITED = "429"
    CONFLICT = "409"
    UNAUTHORISED = "401"
    INVALID = "422"
    BROKEN = "500"
    #: No answer, and nothing was done.
    DROPPED = "dropped on the way there"
    #: Done, but the bot does not hear of it.
    UNHEARD = "dropped on the way back"
    GARBAGE = "garbage for an answer"
    BROKEN_AFTER = "500 for an answer"
    #: Done while the bot has long given up on it.
    LATE = "accepted after the time limit"
    #: Done and answered, after a while.
    SLOW = "slow"


BEFORE: Mapping[Trouble, Callable[[], ClearStreetError]] = {
    Trouble.RATE_LIMITED: lambda: RateLimited(retry_after=3.0, status=429),
    Trouble.CONFLICT: lambda: Conflict(status=409),
    Trouble.UNAUTHORISED: lambda: Unauthorised(status=401),
    Trouble.INVALID: lambda: Invalid(status=422, api_message="no"),
    Trouble.BROKEN: lambda: Unavailable(status=500),
    Trouble.DROPPED: lambda: Unavailable(),
}
AFTER: Mapping[Trouble, Callable[[], ClearStreetError]] = {
    Trouble.UNHEARD: lambda: Unavailable(),
    Trouble.GARBAGE: lambda: Malformed(status=200),
    Trouble.BROKEN_AFTER: lambda: Unavailable(status=500),
}


@dataclass(frozen=True)
class Script:
    """How Omni deals with a question."""

    seconds: float = 2.0
    status: ResponseStatus = ResponseStatus.SUCCEEDED
    #: Seconds between the response's end and its message's appearance.
    message_after: float = 0.0


@dataclass
class Asked:
    """One USER message, and the response to it."""

    thread: OmniThread
    seq: int
    text: str
    #: Who asked: the bot's Idempotency-Key, None for somebody else.
    key: str | None
    at: float
    script: Script
    canceled_at: float | None = None

    @property
    def id(self) -> str:
        return f"{self.thread.id}-m{self.seq}"

    @property
    def response_id(self) -> str:
        return f"{self.thread.id}-r{self.seq}"

    @property
    def ends_at(self) -> float:
        end = self.at + self.script.seconds
        return end if self.canceled_at is None else min(end, self.canceled_at)

    @property
    def status_at_end(self) -> ResponseStatus:
        canceled = self.canceled_at is not None and self.canceled_at < self.at + self.script.seconds
        return ResponseStatus.CANCELED if canceled else self.script.status

    @property
    def answer(self) -> str:
        """All that Omni says when it is let."""
        return f"What is known about {self.text!r} as {self.id}."

    def said(self, now: float) -> str:
        """What it has said so far."""
        if self.canceled_at is None and now >= self.ends_at:
            return self.answer
        return self.answer[: int(len(self.answer) * (min(now, self.ends_at) - self.at) / self.script.seconds)]


@dataclass
class OmniThread:
    """A conversation at Omni."""

    id: str
    at: float
    asked: list[Asked] = field(default_factory=list)
    gone: bool = False
    #: Every create-message is refused although nobody is at work.
    scope_changed: bool = False


class OmniModel:
    """What the API knows. Its lines (`OmniLine`) are how a bot reaches it."""

    def __init__(self, loop: VirtualLoop, *, repeatable: bool) -> None:
        self.loop = loop
        #: The newest revision: the same create under the same key is done once.
        self.repeatable = repeatable
        self.threads: dict[str, OmniThread] = {}
        self.scripts: dict[str, Script] = {}
        self.forgotten: set[str] = set()
        self.troubles: dict[str, deque[Trouble]] = defaultdict(deque)
        #: What has gone wrong so far.
        self.suffered: list[tuple[str, Trouble]] = []
        self._done: dict[str, Created] = {}

    def every_question(self) -> list[Asked]:
        """In the order in which Omni took them."""
        return sorted((a for thread in self.threads.values() for a in thread.asked), key=lambda a: a.at)

    def find(self, response_id: str) -> Asked:
        for asked in self.every_question():
            if asked.response_id == response_id and response_id not in self.forgotten and not asked.thread.gone:
                return asked
        raise NotFound(status=404)

    def active(self, thread: OmniThread) -> Asked | None:
        last = thread.asked[-1] if thread.asked else None
        return last if last is not None and self.loop.time() < last.ends_at else None

    # What calls do.

    def create_thread(self, body: Mapping[str, Any], key: str | None) -> Created:
        if self.repeatable and key is not None and key in self._done:
            return self._done[key]
        thread = OmniThread(f"t{len(self.threads) + 1}", self.loop.time())
        self.threads[thread.id] = thread
        return self._ask(thread, body, key)

    def create_message(self, thread_id: str, body: Mapping[str, Any], key: str | None) -> Created:
        thread = self.thread(thread_id)
        if thread.scope_changed or self.active(thread) is not None:
            raise Conflict(status=409)
        return self._ask(thread, body, key)

    def _ask(self, thread: OmniThread, body: Mapping[str, Any], key: str | None) -> Created:
        assert body.get("account_id") == ACCOUNT
        text = body["text"] if "text" in body else f"Deep insights on {body['target']['ticker']}"
        seq = thread.asked[-1].seq + 2 if thread.asked else 1
        asked = Asked(thread, seq, text, key, self.loop.time(), self.scripts.get(text, Script()))
        thread.asked.append(asked)
        created = Created(thread.id, asked.response_id, asked.id)
        if key is not None:
            self._done[key] = created
        return created

    def thread(self, thread_id: str) -> OmniThread:
        thread = self.threads.get(thread_id)
        if thread is None or thread.gone:
            raise NotFound(status=404)
        return thread

    def response(self, asked: Asked) -> Response:
        now = self.loop.time()
        over = now >= asked.ends_at
        said: list[Part] = [ThinkingPart(("Looking it up…",))]
        if over or now - asked.at > 1:
            said.append(TextPart(asked.said(now)))
        failed = over and asked.status_at_end is ResponseStatus.FAILED
        return Response(
            id=asked.response_id,
            status=asked.status_at_end if over else ResponseStatus.RUNNING,
            thread_id=asked.thread.id,
            user_message_id=asked.id,
            parts=tuple(said),
            error=ErrorStatus("overloaded", "too much") if failed else None,
            output_message_id=f"{asked.id}-answer",
        )

    def messages(self, thread: OmniThread) -> list[Message]:
        """The finalised ones."""
        found: list[Message] = []
        for asked in thread.asked:
            found.append(Message(id=asked.id, role=MessageRole.USER, seq=asked.seq, parts=(TextPart(asked.text),)))
            if self.loop.time() >= asked.ends_at + asked.script.message_after:
                found.append(self._answer(asked))
        return found

    def _answer(self, asked: Asked) -> Message:
        outcome = {
            ResponseStatus.SUCCEEDED: MessageOutcome.COMPLETED,
            ResponseStatus.CANCELED: MessageOutcome.CANCELED,
        }.get(asked.status_at_end, MessageOutcome.ERRORED)
        button = {"buttonId": "more", "label": "More", "prompt": {"prompt": f"More about {asked.id}"}}
        content = [
            {"type": "text", "text": asked.answer},
            {"type": "suggested_actions", "payload": {"actionButtons": [button]}},
        ]
        return Message(
            id=f"{asked.id}-answer",
            role=MessageRole.ASSISTANT,
            seq=asked.seq + 1,
            outcome=outcome,
            parts=read_parts(content if outcome is MessageOutcome.COMPLETED else []),
        )

    def message(self, message_id: str) -> Message:
        for thread in self.threads.values():
            for message in self.messages(thread):
                if message.id == message_id and not thread.gone:
                    return message
        raise NotFound(status=404)

    def cancel(self, asked: Asked) -> bool:
        if self.loop.time() >= asked.ends_at:
            return False
        asked.canceled_at = self.loop.time()
        return True


class OmniLine:
    """One process's way to the API: the same methods as `omnibot.clearstreet.omni.Omni`, as far as turns call them.

    Args:
        point: awaited before and after each call; a process may die there.
    """

    def __init__(self, omni: OmniModel, point: Callable[[], Awaitable[None]]) -> None:
        self._omni = omni
        self._point = point

    async def _call(self, name: str, do: Callable[[], T]) -> T:
        await self._point()
        troubles = self._omni.troubles[name]
        trouble = troubles.popleft() if troubles else None
        if trouble is not None:
            self._omni.suffered.append((name, trouble))
        if trouble is not None and trouble in BEFORE:
            await asyncio.sleep(2 * TRIP)
            raise BEFORE[trouble]()
        if trouble is Trouble.LATE:
            self._omni.loop.call_later(TIMEOUT + 4.0, _quietly, do)
            await asyncio.sleep(TIMEOUT)
            raise Unavailable
        # What was sent arrives, whatever becomes of the sender.
        result = await self._later(TIMEOUT * 0.7 if trouble is Trouble.SLOW else 0.0, do)
        await asyncio.sleep(TRIP)
        if trouble is not None and trouble in AFTER:
            raise AFTER[trouble]()
        await self._point()
        return result

    def _later(self, seconds: float, do: Callable[[], T]) -> asyncio.Future[T]:
        answer: asyncio.Future[T] = self._omni.loop.create_future()

        def arrive() -> None:
            try:
                result = do()
            except ClearStreetError as error:
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(result)

        self._omni.loop.call_later(TRIP + seconds, arrive)
        return answer

    async def create_thread(
        self, key: str, account_id: int | None, body: Mapping[str, Any], *, idempotency_key: str | None
    ) -> Created:
        return await self._call("create_thread", lambda: self._omni.create_thread(body, idempotency_key))

    async def create_message(
        self, key: str, account_id: int | None, thread_id: str, body: Mapping[str, Any], *, idempotency_key: str | None
    ) -> Created:
        return await self._call("create_message", lambda: self._omni.create_message(thread_id, body, idempotency_key))

    async def active_response(self, key: str, account_id: int | None, thread_id: str) -> Response | None:
        def do() -> Response | None:
            active = self._omni.active(self._omni.thread(thread_id))
            return self._omni.response(active) if active is not None else None

        return await self._call("active_response", do)

    async def get_response(
        self, key: str, account_id: int | None, response_id: str, *, retries: bool = True
    ) -> Response:
        return await self._call("get_response", lambda: self._omni.response(self._omni.find(response_id)))

    async def cancel_response(self, key: str, account_id: int | None, response_id: str) -> bool:
        return await self._call("cancel_response", lambda: self._omni.cancel(self._omni.find(response_id)))

    async def get_message(self, key: str, account_id: int | None, message_id: str) -> Message:
        return await self._call("get_message", lambda: self._omni.message(message_id))

    async def latest_messages(
        self, key: str, account_id: int | None, thread_id: str, *, count: int = 20
    ) -> list[Message]:
        return await self._call("latest_messages", lambda: self._omni.messages(self._omni.thread(thread_id))[-count:])

    async def list_threads(
        self, key: str, account_id: int | None, *, active_since: datetime | None = None
    ) -> list[Thread]:
        def do() -> list[Thread]:
            threads = [t for t in self._omni.threads.values() if not t.gone]
            return [Thread(t.id, created_at=BEGINNING + timedelta(seconds=t.at)) for t in reversed(threads)]

        return await self._call("list_threads", do)

    async def supports(self, key: str) -> Revision:
        try:
            return await self._call(
                "supports", lambda: Revision.V2026_10 if self._omni.repeatable else Revision.EARLIER
            )
        except ClearStreetError:
            return Revision.UNKNOWN

    async def accounts(self, key: str) -> list[Account]:
        """Of the trading API: all that the keyring asks."""
        return await self._call("accounts", lambda: [Account(id=ACCOUNT, status=AccountStatus.ACTIVE)])


CALLS = (
    "create_thread",
    "create_message",
    "active_response",
    "get_response",
    "cancel_response",
    "get_message",
    "latest_messages",
    "list_threads",
    "supports",
    "accounts",
)


def _quietly(do: Callable[[], object]) -> None:
    try:
        do()
    except ClearStreetError:
        return
