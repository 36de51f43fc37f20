"""What is shown of a turn before its answer: a stream, or one message that grows, or several for a long text.

A draft streams where Slack's budget allows, and is drawn anew every few seconds where not. Whatever happens to a stream
(it dies of age, the reader stops it, Slack refuses an append, Omni takes back what it said), its message is the same
message still, drawn anew from then on. Only one write of a draft is under way at a time.

Where account data may not be read any more nothing more of it is written: the draft is drawn anew without a word of the
answer, as soon as there is something to draw.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from omnibot.blocks.answers.progress import STOPPING, Shown, View, chunks, progress_page, streamed, view
from omnibot.blocks.answers.reply import asked_page
from omnibot.blocks.layout.fallbacks import asked_line
from omnibot.slack.authorization.account_data import WITHHELD, AccountDataPlaces
from omnibot.slack.delivery.agent_status import AgentStatus
from omnibot.slack.delivery.messages import Messages
from omnibot.slack.delivery.metadata import Post, task_mark
from omnibot.slack.delivery.rate_limits import APPEND_PACE, UPDATE_PACE, WriteBudget
from omnibot.slack.errors import Refusal, SlackFailure
from omnibot.turns.model import Kind, ResponseSnapshot, Show, Surface, Turn

log = structlog.get_logger(__name__)

PROGRESS = "progress"
POST = "chat.postMessage"
#: Seconds a message streams: Slack ends a stream at about five minutes, whatever is appended.
STREAM_AGE = 210.0
#: From this age in seconds on the elapsed time is shown, and brought up to date so often.
SLOW, TICK = 30.0, 15.0


def slot_of(number: int) -> str:
    """The slot of a draft's message."""
    return f"{PROGRESS}:{number}" if number else PROGRESS


@dataclass(slots=True)
class _Message:
    slot: str
    #: It grows by appending; else it is drawn anew.
    streams: bool = False
    shown: Shown = field(default_factory=Shown)
    #: It has our Stop button.
    stoppable: bool = False
    opened: float = field(default_factory=time.monotonic)


class Draft:
    """One turn's, in this process."""

    def __init__(
        self,
        turn: Turn,
        posts: Messages,
        budget: WriteBudget,
        sessions: AgentStatus,
        *,
        places: AccountDataPlaces | None = None,
    ) -> None:
        self.turn = turn
        #: Held during every Slack call, so that progress and final never overlap.
        self.lock = asyncio.Lock()
        #: Set once nothing may be shown any more.
        self.closed = asyncio.Event()
        self._posts = posts
        self._budget = budget
        self._sessions = sessions
        self._places = places
        self._slots: dict[str, Post] | None = None
        self._messages: list[_Message] = []
        self._latest: tuple[ResponseSnapshot, str | None] | None = None
        self._news = asyncio.Event()
        #: Whoever pressed Stop sees it now, whatever the pace.
        self._stopping = False
        self._wake = asyncio.Event()
        self._last_write: float | None = None
        self._pause_until = 0.0
        self._task: asyncio.Task[None] | None = None

    def offer(self, snapshot: ResponseSnapshot, note: str | None) -> asyncio.Task[None] | None:
        """Show this when its time has come; the latest wins. Gives the task that will, if it is new."""
        if self.closed.is_set():
            return None
        self._latest = (snapshot, note)
        return self._begin_showing()

    def stop(self) -> asyncio.Task[None] | None:
        """Say at once that the answer is being stopped, where anything is shown of it. Gives a task as `offer` does."""
        if self._stopping or self.closed.is_set():
            return None
        self._stopping = True
        if self._latest is None:
            return None
        self._wake.set()
        return self._begin_showing()

    def _begin_showing(self) -> asyncio.Task[None] | None:
        self._news.set()
        if self._task is not None and not self._task.done():
            return None
        self._task = asyncio.ensure_future(self._keep_showing())
        return self._task

    def close(self) -> None:
        """Show nothing more; a write under way ends by itself."""
        self.closed.set()
        self._news.set()
        self._wake.set()
        for message in self._messages:
            self._end_streaming(message)

    async def slots(self) -> dict[str, Post]:
        """The turn's messages, read from the database the first time."""
        if self._slots is None:
            self._slots = await self._posts.load(self.turn.id)
        return self._slots

    async def _keep_showing(self) -> None:
        try:
            while not self.closed.is_set():
                await self._wait_for_news()
                # Asked again after each wait: another turn may have taken the place meanwhile.
                while not self._wake.is_set() and (wait := self._pace()) > 0:
                    await _within(self._wake, wait)
                async with self.lock:
                    if not self.closed.is_set():
                        self._news.clear()
                        self._wake.clear()
                        await self._draw()
        except Exception:
            # Progress may be skipped; the final says everything.
            log.exception("progress_failed", turn=self.turn.id)

    async def _wait_for_news(self) -> None:
        age = self._age()
        await _within(self._news, TICK if age > SLOW else SLOW - age + 1)

    def _age(self) -> float:
        since = self.turn.submitted_at or self.turn.created_at
        return (datetime.now(UTC).replace(tzinfo=None) - since).total_seconds()

    def _pace(self) -> float:
        """Seconds until this draft may be written."""
        now = time.monotonic()
        if self._last_write is None or not self._messages:
            return max(0.0, self._pause_until - now)
        streams = self._messages[-1].streams
        due = max(self._last_write + (APPEND_PACE if streams else UPDATE_PACE), self._pause_until)
        if due > now:
            return due - now
        return self._budget.wait(self.turn.team, "chat.appendStream" if streams else "chat.update", now)

    async def _draw(self) -> None:
        assert self._latest is not None
        snapshot, note = self._latest
        if self._stopping or self.turn.cancel_requested_at is not None:
            note, self._stopping = STOPPING, True
        age = self._age()
        elapsed = age if age > SLOW else None
        try:
            if withheld := not await self._may_show(snapshot):
                moment = view(thoughts=(), text="", waiting=note or WITHHELD, elapsed=elapsed)
                await self._take_back(len(moment.pieces))
            else:
                moment = view(thoughts=snapshot.thoughts, text=snapshot.text, waiting=note, elapsed=elapsed)
            for number in range(len(moment.pieces)):
                if not await self._draw_message(moment, number, waiting=withheld or note is not None):
                    break
        except Refusal as refusal:
            self._refused(refusal)
        self._last_write = time.monotonic()

    async def _may_show(self, snapshot: ResponseSnapshot) -> bool:
        """Whether what there is to show may be read where it would stand. Raises Refusal when Slack does not say."""
        if self._places is None or not snapshot.about_account or not (snapshot.text or snapshot.thoughts):
            return True
        shown = await self._places.growing(self.turn.person, self.turn.channel)
        return shown.show is Show.HERE

    async def _take_back(self, kept: int) -> None:
        """What streams is drawn anew from now on, and messages beyond the first ones go."""
        slots = await self.slots()
        for message in self._messages:
            self._end_streaming(message)
        while len(self._messages) > kept:
            slot = self._messages[-1].slot
            if slot in slots:
                thread_ts = self.turn.thread_ts
                await self._posts.remove(self.turn, slots, slot, thread_ts=thread_ts, session="processing")
            self._messages.pop()

    async def _draw_message(self, moment: View, number: int, *, waiting: bool) -> bool:
        """False: it was not its time."""
        if number >= len(self._messages):
            return await self._begin_message(moment, number, waiting=waiting)
        if self._messages[number].streams:
            await self._grow(self._messages[number], moment, number)
        else:
            await self._write(self._messages[number], moment, number)
        return True

    async def _begin_message(self, moment: View, number: int, *, waiting: bool) -> bool:
        slots = await self.slots()
        message = _Message(slot_of(number))
        if message.slot not in slots and not waiting:
            await self._begin_stream(message, moment, number)
        if not message.streams:
            post, now = slots.get(message.slot), time.monotonic()
            is_new = post is None or post.ts is None
            if is_new and (wait := self._budget.wait(self.turn.channel, POST, now)) > 0:
                self._pause_until = now + wait
                self._news.set()
                return False
            await self._write(message, moment, number)
        if number == 0:
            self._sessions.begin(self.turn, said=message.streams)
        self._messages.append(message)
        return True

    async def _begin_stream(self, message: _Message, moment: View, number: int) -> None:
        """Begin to stream, if the budget has a place; where Slack says no, the message is posted instead.

        Raises:
            Refusal: nobody knows whether the stream has begun.
        """
        turn = self.turn
        if turn.thread_ts is None or not self._budget.take_stream(turn.team, time.monotonic()):
            return
        slots = await self.slots()
        now = streamed(moment, number, heading=self._heading())
        mark = task_mark(turn, message.slot, Post(turn.channel, None, None))
        first = chunks(mark, Shown(), now) or []
        try:
            await self._posts.open_stream(
                turn, slots, message.slot, first, channel=turn.channel, thread_ts=turn.thread_ts
            )
        except Refusal as refusal:
            self._budget.give_stream(turn.team)
            if refusal.verdict.failure is SlackFailure.SLOW_DOWN:
                self._budget.close(turn.team, "chat.startStream", time.monotonic(), refusal.verdict.wait)
            elif refusal.verdict.failure is SlackFailure.UNKNOWN:
                raise
            return
        except BaseException:
            self._budget.give_stream(turn.team)
            raise
        message.streams, message.shown = True, now

    async def _grow(self, message: _Message, moment: View, number: int) -> None:
        slots = await self.slots()
        now = streamed(moment, number, heading=self._heading())
        more = chunks(task_mark(self.turn, message.slot, slots[message.slot]), message.shown, now)
        if more is None or time.monotonic() - message.opened > STREAM_AGE:
            self._end_streaming(message)
            await self._write(message, moment, number)
            return
        try:
            if more:
                await self._posts.append(self.turn, slots, message.slot, more)
                message.shown = now
            if number < len(moment.pieces) - 1:
                # Its text is complete, and goes on in the next message.
                self._end_streaming(message)
                await self._posts.stop(self.turn, slots, message.slot, session="processing")
        except Refusal as refusal:
            if refusal.verdict.failure is not SlackFailure.SLOW_DOWN:
                # Drawn anew from now on, and soon: what was to be appended is shown nowhere yet.
                self._end_streaming(message)
                message.shown = Shown()
                self._news.set()
            raise

    async def _write(self, message: _Message, moment: View, number: int) -> None:
        turn = self.turn
        last = number == len(moment.pieces) - 1
        # An action is over before anybody has read its button, and nothing at Omni could be stopped.
        stoppable = last and not self._stopping and turn.kind is not Kind.ACTION
        if not last and not message.stoppable and message.shown.text.endswith(moment.pieces[number]):
            return
        page = progress_page(moment, number, stop=turn.id if stoppable else None)
        if number == 0:
            page = asked_page(page, turn)
        slots = await self.slots()
        await self._posts.write(
            turn, slots, message.slot, page, channel=turn.channel, thread_ts=turn.thread_ts, session="processing"
        )
        message.shown, message.stoppable = Shown(text=moment.pieces[number]), stoppable

    def _end_streaming(self, message: _Message) -> None:
        if message.streams:
            message.streams = False
            self._budget.give_stream(self.turn.team)

    def _refused(self, refusal: Refusal) -> None:
        verdict = refusal.verdict
        now = time.monotonic()
        self._pause_until = now + verdict.wait
        if verdict.failure is SlackFailure.SLOW_DOWN and refusal.method in self._budget.per_minute:
            place = self.turn.channel if refusal.method == POST else self.turn.team
            self._budget.close(place, refusal.method, now, verdict.wait)
        if verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.STREAM_OPEN):
            self._news.set()
        if self._stopping and verdict.failure is SlackFailure.STREAM_OVER:
            self._wake.set()

    def _heading(self) -> str:
        turn = self.turn
        return asked_line(turn.question or "") if turn.surface is Surface.PRESS else ""


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event comes within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
