"""How an answer appears: a placeholder at once, progress while Omni works, and the final that loses no word.

One writer per turn: its lock is held during every Slack call, so that progress and final never overlap. Progress is
coalesced (the latest wins) and paced; a final waits for nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.answer import answer_pages, progress_page
from omnibot.blocks.messages import one_line_page
from omnibot.blocks.values import Button, Page
from omnibot.blocks.variants import plain_page, with_question, words_only
from omnibot.clearstreet.models import (
    ChartPart,
    CustomPart,
    Part,
    StructuredActionPart,
    SuggestedActionsPart,
    TextPart,
    ThinkingPart,
    UnknownPart,
    read_parts,
)
from omnibot.slack.budget import MESSAGE_PACE, Budget
from omnibot.slack.failures import SLACK_ERRORS, Failure, judge
from omnibot.slack.posts import ROOT, SLACK_TIMEOUT, Post, Posts, Refusal
from omnibot.turns.model import Answer, OfferedButton, Outcome, Snapshot, Surface, Turn, Undeliverable
from omnibot.turns.rules import joined_text

log = structlog.get_logger(__name__)

PROGRESS = "progress"
#: Tries of one write within one call of `finish`, before the turn's alarm takes over.
TRIES = 6
#: Seconds between tries to take a placeholder away, whatever Slack asks for.
RETRACTION_PATIENCE = 2.0


@dataclass(slots=True)
class _Writer:
    """What this process knows of one turn's reply."""

    turn: Turn
    began: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: None: not yet read from the database.
    slots: dict[str, Post] | None = None
    latest: Page | None = None
    last_write: float = 0.0
    task: asyncio.Task[None] | None = None
    #: The asker's DM, once the channel turned out to be closed.
    moved_to: str | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    #: Seconds of pause Slack asked for.
    pause_until: float = 0.0


class SlackReply:
    """The `Reply` of the turns, on Slack."""

    def __init__(self, client: AsyncWebClient, posts: Posts, budget: Budget) -> None:
        self._client = client
        self._posts = posts
        self._budget = budget
        self._writers: dict[str, _Writer] = {}
        #: Progress writes under way, of forgotten turns too.
        self._tasks: set[asyncio.Task[None]] = set()

    def _writer(self, turn: Turn) -> _Writer:
        writer = self._writers.get(turn.id)
        if writer is None:
            writer = self._writers[turn.id] = _Writer(turn, time.monotonic())
        writer.turn = turn
        return writer

    def drop(self, turn_id: str) -> None:
        """Forget a turn; a write under way ends by itself."""
        writer = self._writers.pop(turn_id, None)
        if writer is not None:
            writer.closed.set()

    async def close(self) -> None:
        """Let the progress writes under way end; those that only wait for their time do not begin."""
        for writer in self._writers.values():
            writer.closed.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=SLACK_TIMEOUT)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # Progress.

    def begin(self, turn: Turn) -> None:
        """Post the placeholder."""
        self.progress(turn, Snapshot("queued", "", ()))

    def progress(self, turn: Turn, snapshot: Snapshot, note: str | None = None) -> None:
        """Show the latest when its time has come."""
        writer = self._writer(turn)
        if writer.closed.is_set():
            return
        page = progress_page(thoughts=snapshot.thoughts, text=snapshot.text, waiting=note)
        writer.latest = _asked(page, turn)
        if writer.task is None or writer.task.done():
            writer.task = asyncio.ensure_future(self._keep_showing(writer))
            self._tasks.add(writer.task)
            writer.task.add_done_callback(self._tasks.discard)

    async def _keep_showing(self, writer: _Writer) -> None:
        try:
            while writer.latest is not None and not writer.closed.is_set():
                # Asked again after each wait: another turn may have taken the place meanwhile.
                while (wait := self._pace(writer)) > 0:
                    if await _within(writer.closed, wait):
                        return
                async with writer.lock:
                    page, writer.latest = writer.latest, None
                    if page is not None and not writer.closed.is_set():
                        await self._show(writer, page)
        except Exception:
            # Progress may be skipped; the final says everything.
            log.exception("progress_failed", turn=writer.turn.id)

    def _pace(self, writer: _Writer) -> float:
        """Seconds until this message may be updated."""
        now = time.monotonic()
        if writer.last_write == 0.0:
            return max(0.0, writer.pause_until - now)
        due = max(writer.last_write + MESSAGE_PACE, writer.pause_until)
        if due > now:
            return due - now
        return self._budget.wait(writer.turn.team, "chat.update", now)

    async def _show(self, writer: _Writer, page: Page) -> None:
        turn = writer.turn
        try:
            slots = await self._slots(writer)
            await self._posts.write(turn, slots, PROGRESS, page, channel=turn.channel, thread_ts=turn.thread_ts)
        except Refusal as refusal:
            verdict = refusal.verdict
            writer.pause_until = time.monotonic() + verdict.wait
            if verdict.failure is Failure.SLOW_DOWN:
                self._budget.close(turn.team, "chat.update", time.monotonic(), verdict.wait)
            if verdict.failure in (Failure.SLOW_DOWN, Failure.UNKNOWN) and writer.latest is None:
                writer.latest = page
        writer.last_write = time.monotonic()

    async def _slots(self, writer: _Writer) -> dict[str, Post]:
        if writer.slots is None:
            writer.slots = await self._posts.load(writer.turn.id)
        return writer.slots

    # The final.

    async def finish(self, turn: Turn, answer: Answer, buttons: Sequence[OfferedButton]) -> float | None:
        """Deliver every page of the answer. Seconds to the next try when Slack did not take one."""
        writer = self._writer(turn)
        writer.latest = None
        writer.closed.set()
        async with writer.lock:
            return await self._deliver(writer, pages_of(turn, answer, buttons), late=answer.late)

    async def _deliver(self, writer: _Writer, pages: Sequence[Page], *, late: bool) -> float | None:
        slots = await self._slots(writer)
        # The short answer grows into its placeholder; the long-awaited one is a new post, for edits notify nobody.
        into_progress = PROGRESS in slots and not late
        for number, page in enumerate(pages):
            slot = PROGRESS if into_progress and number == 0 else f"answer:{number}"
            try:
                wait = await self._write(writer, slots, slot, page)
            except Undeliverable:
                await self._posts.amend(writer.turn, slots, PROGRESS, one_line_page("Slack does not take this answer."))
                raise
            if wait is not None:
                return wait
        if writer.moved_to is not None:
            elsewhere = one_line_page("The answer is in your direct messages.")
            await self._posts.amend(writer.turn, slots, PROGRESS, elsewhere)
        elif late:
            await self._posts.amend(writer.turn, slots, PROGRESS, one_line_page("The answer is below."))
        return None

    async def _write(self, writer: _Writer, slots: dict[str, Post], slot: str, page: Page) -> float | None:
        """Write one page of the final, whatever it takes. Seconds to the next try, None when it stands."""
        turn = writer.turn
        simpler = iter((plain_page, words_only))
        wait = 1.0
        for _ in range(TRIES):
            post = slots.get(slot)
            channel = post.channel if post is not None else self._channel_of(writer, slots)
            thread_ts = turn.thread_ts if channel == turn.channel else None
            try:
                await self._posts.write(turn, slots, slot, page, channel=channel, thread_ts=thread_ts)
                return None
            except Refusal as refusal:
                verdict = refusal.verdict
            wait = verdict.wait
            match verdict.failure:
                case Failure.SLOW_DOWN | Failure.BROKEN_APP:
                    return wait
                case Failure.UNKNOWN:
                    await asyncio.sleep(0.3)
                case Failure.MESSAGE_GONE:
                    await self._posts.forget(turn.id, slots, slot, channel)
                case Failure.BAD_BLOCKS | Failure.REFUSED if (simplify := next(simpler, None)) is not None:
                    page = simplify(page)
                case Failure.CLOSED_DOOR | Failure.BAD_BLOCKS | Failure.REFUSED:
                    try:
                        slot = await self._move_to_dm(writer, slots, slot, channel, verdict.code)
                    except Refusal as refusal:
                        return refusal.verdict.wait
        return wait

    async def _move_to_dm(self, writer: _Writer, slots: dict[str, Post], slot: str, channel: str, code: str) -> str:
        """Where the page cannot be shown, the asker's own DM is the last resort. Returns the slot to write there.

        Raises:
            Undeliverable: that was the DM, or there is none.
            Refusal: Slack is busy.
        """
        turn = writer.turn
        try:
            own = await self._dm_of(turn)
        except Refusal as refusal:
            if refusal.verdict.failure in (Failure.SLOW_DOWN, Failure.UNKNOWN, Failure.BROKEN_APP):
                raise
            own = channel
        if own == channel:
            raise Undeliverable(code)
        if slot == PROGRESS:
            # The placeholder stays where it is, and will say where the answer went.
            slot = "answer:0"
        if slot in slots:
            await self._posts.forget(turn.id, slots, slot, own)
        writer.moved_to = own
        return slot

    def _channel_of(self, writer: _Writer, slots: dict[str, Post]) -> str:
        """Where the next page goes: beside the pages before it."""
        if writer.moved_to is not None:
            return writer.moved_to
        last = [post.channel for name, post in sorted(slots.items()) if name.startswith("answer:")]
        return last[-1] if last else writer.turn.channel

    async def _dm_of(self, turn: Turn) -> str:
        try:
            answer = await self._client.conversations_open(users=turn.person.user)
        except SLACK_ERRORS as error:
            raise Refusal(judge(error)) from error
        return str(answer["channel"]["id"])

    async def redraw(self, turn: Turn, answer: Answer, buttons: Sequence[OfferedButton]) -> None:
        """Show a delivered reply as it is now (who pressed which button)."""
        slots = await self._posts.load(turn.id)
        into_progress = PROGRESS in slots and not answer.late
        for number, page in enumerate(pages_of(turn, answer, buttons)):
            slot = PROGRESS if into_progress and number == 0 else f"answer:{number}"
            await self._posts.amend(turn, slots, slot, page)

    async def retract(self, turn: Turn) -> None:
        """Take the placeholder away; the question ends without an answer."""
        writer = self._writer(turn)
        writer.latest = None
        writer.closed.set()
        async with writer.lock:
            slots = await self._slots(writer)
            # A command's root is known before its turn is joined to a conversation.
            thread_ts = turn.thread_ts or (slots[ROOT].ts if ROOT in slots else None)
            for _ in range(TRIES):
                if PROGRESS not in slots:
                    return
                try:
                    await self._posts.remove(turn, slots, PROGRESS, thread_ts=thread_ts)
                except Refusal as refusal:
                    if refusal.verdict.failure not in (Failure.SLOW_DOWN, Failure.UNKNOWN):
                        await self._posts.amend(turn, slots, PROGRESS, one_line_page("This question was dropped."))
                        return
                    await asyncio.sleep(min(refusal.verdict.wait, RETRACTION_PATIENCE))

    async def whisper(self, turn: Turn, sentence: str) -> None:
        """Tell the asker alone; in a DM if the channel is closed to us."""
        in_thread: dict[str, Any] = {"thread_ts": turn.thread_ts} if turn.thread_ts != turn.message_ts else {}
        try:
            await self._client.chat_postEphemeral(
                channel=turn.channel, user=turn.person.user, text=sentence, **in_thread
            )
        except SLACK_ERRORS as error:
            log.info("whisper_refused", turn=turn.id, error=judge(error).code)
            await self._whisper_in_dm(turn, sentence)

    async def _whisper_in_dm(self, turn: Turn, sentence: str) -> None:
        try:
            channel = await self._dm_of(turn)
            await self._client.chat_postMessage(channel=channel, text=sentence, unfurl_links=False, unfurl_media=False)
        except (*SLACK_ERRORS, Refusal) as error:
            log.warning("whisper_lost", turn=turn.id, error=type(error).__name__)


def pages_of(turn: Turn, answer: Answer, buttons: Sequence[OfferedButton]) -> list[Page]:
    """The pages of a final reply: the same answer and buttons give the same pages."""
    parts = read_parts(answer.parts)
    shown = [_button(b) for b in buttons if b.kind != "retry"]
    retry = next((_button(b) for b in buttons if b.kind == "retry"), None)
    text = joined_text(parts)
    pages = answer_pages(
        texts=[text] if text else [],
        buttons=shown,
        notices=[*answer.notices, *_unseen(parts)],
        mention=turn.person.user if answer.late else None,
        outcome_line=_outcome_line(answer),
        outcome_by=answer.stopped_by,
        retry=retry,
    )
    return [_asked(pages[0], turn), *pages[1:]]


def _asked(page: Page, turn: Turn) -> Page:
    """A pressed button asks without a message in Slack: the reply says what was asked, and by whom."""
    if turn.surface is not Surface.PRESS or not turn.question:
        return page
    return with_question(page, asker=turn.person.user, question=turn.question)


def _unseen(parts: Sequence[Part]) -> list[str]:
    """Say which parts of the answer are not shown."""
    hidden = [part for part in parts if not isinstance(part, TextPart | SuggestedActionsPart | ThinkingPart)]
    if not hidden:
        return []
    count = "a part" if len(hidden) == 1 else f"{len(hidden)} parts"
    return [f"This answer has {count} that omnibot cannot show yet ({', '.join(sorted({_kind(p) for p in hidden}))})."]


def _kind(part: Part) -> str:
    match part:
        case ChartPart():
            return "chart"
        case StructuredActionPart():
            return "action"
        case CustomPart():
            return "custom"
        case UnknownPart(kind):
            return kind[:40] or "unknown"
        case _:
            return "unknown"


def _button(button: OfferedButton) -> Button:
    return Button(
        token=button.token, label=button.label, pressed_by=button.pressed_by, runs=button.kind in ("prompt", "retry")
    )


def _outcome_line(answer: Answer) -> str | None:
    if answer.reason is None:
        return None
    sign = ":black_square_for_stop:" if answer.outcome is Outcome.CANCELED else ":warning:"
    request = f" (request {answer.request_id})" if answer.request_id else ""
    return f"{sign} {answer.reason}{request}"


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event comes within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
