"""Slack in memory: what people say there, and what the bot shows them."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from omnibot.turns.model import (
    Admitted,
    HeldFor,
    NotNow,
    OfferedButton,
    ResponseSnapshot,
    Surface,
    Turn,
    TurnAnswer,
    TurnedAway,
    Undeliverable,
)
from tests.turns.virtual_time import BEGINNING, VirtualLoop

TEAM, BOT, GUEST = "T1", "UBOT", "UGUS"
#: Seconds from the bot to Slack, one way.
TRIP = 0.05


class Refusal(StrEnum):
    """What goes wrong with one call of the reply or the admission."""

    #: Not done, come again.
    LATER = "later"
    #: Done, but the bot does not hear of it, and comes again.
    UNHEARD = "unheard"
    #: Slack takes it nowhere.
    NEVER = "never"
    #: Something nobody thought of.
    BROKEN = "broken"


@dataclass
class Post:
    """Something a person said, in all its versions."""

    user: str
    channel: str
    ts: str
    thread_ts: str | None
    versions: list[str]
    deleted: bool = False

    @property
    def source_key(self) -> str:
        return f"message:{self.channel}:{self.ts}"


@dataclass
class Final:
    """The finished reply of a turn."""

    answer: TurnAnswer
    buttons: list[OfferedButton]


@dataclass
class SlackModel:
    """The workspace. Its lines (`SlackLine`) are how a bot reaches it."""

    loop: VirtualLoop
    posts: list[Post] = field(default_factory=list)
    #: By turn: where work is being shown, and what stands there in the end.
    working: set[str] = field(default_factory=set)
    finals: dict[str, Final] = field(default_factory=dict)
    nowhere: set[str] = field(default_factory=set)
    ephemerals: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    #: By turn: the root messages of commands.
    roots: dict[str, tuple[str, str]] = field(default_factory=dict)
    troubles: dict[str, deque[Refusal]] = field(default_factory=lambda: defaultdict(deque))
    suffered: list[tuple[str, Refusal]] = field(default_factory=list)
    #: What must never happen, and did.
    wrongs: list[str] = field(default_factory=list)
    _last_ts: float = 0.0

    def ts(self) -> str:
        """A new message's."""
        self._last_ts = max(self._last_ts + 0.001, BEGINNING.timestamp() + self.loop.time())
        return f"{self._last_ts:.6f}"

    # What people do, as the events Slack sends about it.

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> tuple[Post, dict[str, Any]]:
        post = Post(user, channel, self.ts(), thread_ts, [text])
        self.posts.append(post)
        return post, self._envelope(post, {"ts": post.ts, **self._said(post, text)})

    def edit(self, post: Post, text: str) -> dict[str, Any]:
        before, now = self._said(post, post.versions[-1]), self._said(post, text)
        post.versions.append(text)
        event_ts = self.ts()
        edited = {"edited": {"user": post.user, "ts": event_ts}}
        event = {
            "subtype": "message_changed",
            "ts": event_ts,
            "message": {"ts": post.ts, **now, **edited},
            "previous_message": {"ts": post.ts, **before},
        }
        return self._envelope(post, event)

    def delete(self, post: Post) -> dict[str, Any]:
        post.deleted = True
        said = {"ts": post.ts, **self._said(post, post.versions[-1])}
        event = {"subtype": "message_deleted", "ts": self.ts(), "deleted_ts": post.ts, "previous_message": said}
        return self._envelope(post, event)

    @staticmethod
    def _said(post: Post, text: str) -> dict[str, Any]:
        thread = {"thread_ts": post.thread_ts} if post.thread_ts else {}
        return {"type": "message", "user": post.user, "team": TEAM, "text": text, **thread}

    @staticmethod
    def _envelope(post: Post, event: dict[str, Any]) -> dict[str, Any]:
        kind = "im" if post.channel.startswith("D") else "channel"
        return {"type": "message", "channel": post.channel, "channel_type": kind, **event}

    # What the bot does.

    def finish(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> None:
        before = self.finals.get(turn.id)
        if before is None:
            self.finals[turn.id] = Final(answer, list(buttons))
        elif asdict(before.answer) != asdict(answer) or [b.token for b in before.buttons] != [b.token for b in buttons]:
            self.wrongs.append(f"turn {turn.id} was answered twice: {before} and {answer} {buttons}")
        self.working.discard(turn.id)


class SlackLine:
    """One process's admission and reply.

    Args:
        alive: whether the process still does anything.
        point: awaited before and after each call; the process may die there.
    """

    def __init__(self, slack: SlackModel, alive: Callable[[], bool], point: Callable[[], Awaitable[None]]) -> None:
        self._slack = slack
        self._alive = alive
        self._point = point

    async def _trouble(self, name: str) -> Refusal | None:
        await self._point()
        await asyncio.sleep(TRIP)
        await self._point()
        waiting = self._slack.troubles[name]
        if not waiting:
            return None
        trouble = waiting.popleft()
        self._slack.suffered.append((name, trouble))
        if trouble is Refusal.BROKEN:
            raise RuntimeError("nobody thought of this")
        return trouble

    # FrontDesk.

    async def direct(self, turn: Turn, admitted: Admitted, thread: tuple[str, str] | None) -> Admitted:
        raise AssertionError("everything may be shown everywhere here")

    async def admit(self, turn: Turn) -> Admitted | TurnedAway:
        if await self._trouble("admit") in (Refusal.LATER, Refusal.UNHEARD):
            raise NotNow(2.0)
        if turn.person.user == GUEST:
            return TurnedAway("members only")
        text = turn.question if turn.question is not None else str(turn.event.get("text", ""))
        question = text.replace(f"<@{BOT}>", "").strip()
        if not question:
            return TurnedAway("nothing asked")
        if turn.thread_ts is not None:
            return Admitted(question, turn.channel, turn.thread_ts)
        channel = f"D{turn.person.user}" if turn.surface is Surface.PRIVATE else turn.channel
        root = self._slack.roots.setdefault(turn.id, (channel, self._slack.ts()))
        await self._point()
        return Admitted(question, *root)

    # Reply.

    def begin(self, turn: Turn) -> None:
        self.progress(turn, ResponseSnapshot("queued", "", ()))

    def progress(self, turn: Turn, snapshot: ResponseSnapshot, note: str | None = None) -> None:
        if not self._alive():
            return
        if turn.id in self._slack.finals:
            self._slack.wrongs.append(f"turn {turn.id} is shown at work again after its end")
        self._slack.working.add(turn.id)

    def stopping(self, turn: Turn) -> None:
        return

    async def finish(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> float | None:
        trouble = await self._trouble("finish")
        if trouble is Refusal.NEVER:
            self._slack.nowhere.add(turn.id)
            self._slack.working.discard(turn.id)
            raise Undeliverable("is_archived")
        if trouble is Refusal.LATER:
            return 1.5
        self._slack.finish(turn, answer, buttons)
        await self._point()
        return 1.0 if trouble is Refusal.UNHEARD else None

    async def redraw(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> None:
        await self._trouble("redraw")
        final = self._slack.finals.get(turn.id)
        if final is None or asdict(final.answer) != asdict(answer):
            self._slack.wrongs.append(f"turn {turn.id} was redrawn as something else")

    async def retract(self, turn: Turn) -> None:
        await self._trouble("retract")
        self._slack.working.discard(turn.id)
        await self._point()

    async def tell_privately(self, turn: Turn, sentence: str, *, prompt: HeldFor | None = None) -> None:
        await self._trouble("tell_privately")
        self._slack.ephemerals[turn.id].append(sentence)

    def drop(self, turn_id: str) -> None:
        return


SLACK_CALLS = ("admit", "finish", "redraw", "retract", "tell_privately")
