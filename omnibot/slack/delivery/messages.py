"""One Slack message for each (turn or ticket, slot): recorded before it is posted, found after a crash, never twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Column, Table, and_, delete, insert, select, update

from omnibot.blocks.layout.types import Page
from omnibot.db.engine import Database
from omnibot.db.tables import posts
from omnibot.slack.delivery.metadata import Owner, Post, find, fingerprint, metadata
from omnibot.slack.errors import SLACK_ERRORS, Classified, Refusal, SlackFailure, classify
from omnibot.turns.model import Turn
from omnibot.turns.rows import utcnow

log = structlog.get_logger(__name__)

#: Seconds one Slack call may take; the shared session enforces it, and the lease must cover it.
SLACK_TIMEOUT = 8.0
#: The slot of the message that shows a command's question.
ROOT = "root"
#: The slots of a question that is answered in the asker's DM: the question there, and word of it where it was asked.
DIRECT, STUB = "direct", "stub"

Chunk = dict[str, Any]


class Messages:
    """The messages of replies, or of tickets.

    Args:
        client: Slack.
        database: where they are written down.
        assure: makes sure, before a call, that nobody else writes for this owner so many seconds.
        table: of the kind's messages; its first column is the owner's id.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        *,
        assure: Callable[[str, float], Awaitable[None]],
        table: Table = posts,
    ) -> None:
        self._client = client
        self._database = database
        self._assure = assure
        self._table = table
        self._of: Column[str] = next(iter(table.primary_key.columns))

    @property
    def database(self) -> Database:
        """Where they are written down."""
        return self._database

    async def load(self, turn_id: str) -> dict[str, Post]:
        """All slots of a turn, as an earlier process left them."""
        query = select(self._table).where(self._of == turn_id)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return {
            row["slot"]: Post(row["channel"], row["ts"], row["written"], row["edition"], True, row["streaming"])
            for row in rows
        }

    async def addresses(self, ids: Collection[str], slot: str) -> dict[str, tuple[str, str]]:
        """By owner's id, the channel and ts of this slot's message, where there is one."""
        there = and_(self._of.in_(ids), self._table.c.slot == slot, self._table.c.ts.is_not(None))
        query = select(self._of, self._table.c.channel, self._table.c.ts).where(there)
        async with self._database.transaction() as connection:
            return {row[0]: (row[1], row[2]) for row in (await connection.execute(query)).all()}

    async def write(
        self,
        turn: Owner,
        slots: dict[str, Post],
        slot: str,
        page: Page,
        *,
        channel: str,
        thread_ts: str | None,
        session: str = "active",
    ) -> str:
        """See to it that this slot shows this page; return the message's ts.

        Where the message is a stream, that is ended first, and `session` is what the agent is said to do from then on.

        Raises:
            Refusal: Slack did not do it. Where the outcome is unknown, the next write looks for the message first.
        """
        post = slots.get(slot)
        mark = fingerprint(page)
        if post is None:
            await self._intend(turn.id, slot, channel)
            post = slots[slot] = Post(channel, None, None)
        await self._look_for(turn, slot, post, thread_ts)
        if post.ts is not None and post.streaming:
            await self.stop(turn, slots, slot, session=session)
        if post.ts is not None and post.written == mark:
            return post.ts
        await self._assure(turn.id, SLACK_TIMEOUT)
        if post.ts is None:
            post.ts = await self._post(turn, slot, post, page, thread_ts)
        else:
            await self._update(turn, slot, post, page)
        post.written = mark
        await self._written(turn.id, slot, post)
        return post.ts

    async def rewrite(self, turn: Turn, slots: dict[str, Post], slot: str, page: Page, *, session: str) -> None:
        """As `write`, but only where a message is: nothing is posted.

        Raises:
            Refusal: Slack did not do it.
        """
        post = slots[slot]
        await self._look_for(turn, slot, post, turn.thread_ts)
        if post.ts is not None:
            await self.write(turn, slots, slot, page, channel=post.channel, thread_ts=turn.thread_ts, session=session)

    async def _look_for(self, turn: Owner, slot: str, post: Post, thread_ts: str | None) -> None:
        if post.ts is None and post.inherited:
            post.ts = await self._find(turn, slot, post, thread_ts)
            # What was to be a stream and never came to be is an ordinary message from now on.
            post.streaming = post.streaming and post.ts is not None
            post.inherited = False

    # Streams: messages that grow until they are stopped; afterwards they are messages like any other.

    async def open_stream(
        self, turn: Turn, slots: dict[str, Post], slot: str, chunks: Sequence[Chunk], *, channel: str, thread_ts: str
    ) -> None:
        """Begin this slot's message as a stream; the slot must be new.

        Raises:
            Refusal: Slack did not do it; where the outcome is unknown, the next write looks for it first.
        """
        await self._intend(turn.id, slot, channel, streaming=True)
        post = slots[slot] = Post(channel, None, None, streaming=True)
        await self._assure(turn.id, SLACK_TIMEOUT)
        try:
            answer = await self._client.chat_startStream(
                channel=channel,
                thread_ts=thread_ts,
                chunks=list(chunks),
                task_display_mode="plan",
                **_recipient(turn, channel),
            )
        except SLACK_ERRORS as error:
            post.inherited = True
            verdict = classify(error)
            if verdict.failure is not SlackFailure.UNKNOWN:
                post.inherited = post.streaming = False
            raise self._refused("chat.startStream", turn, slot, verdict) from error
        post.ts = str(answer["ts"])
        await self._written(turn.id, slot, post)

    async def append(self, turn: Turn, slots: dict[str, Post], slot: str, chunks: Sequence[Chunk]) -> None:
        """Let a stream grow.

        Raises:
            Refusal: Slack did not do it, or did it and did not say so. A stream cannot be read, so after an unknown
                outcome nothing may be appended any more.
        """
        post = slots[slot]
        assert post.ts is not None
        await self._assure(turn.id, SLACK_TIMEOUT)
        try:
            await self._client.chat_appendStream(channel=post.channel, ts=post.ts, chunks=list(chunks))
        except SLACK_ERRORS as error:
            raise self._refused("chat.appendStream", turn, slot, classify(error)) from error

    async def stop(self, turn: Owner, slots: dict[str, Post], slot: str, *, session: str) -> None:
        """End a stream, if it has not ended by itself: from here on it is an ordinary message.

        Args:
            session: what the agent is said to be doing from now on.

        Raises:
            Refusal: Slack did not do it.
        """
        post = slots[slot]
        assert post.ts is not None
        await self._assure(turn.id, SLACK_TIMEOUT)
        try:
            await self._client.chat_stopStream(
                channel=post.channel, ts=post.ts, metadata=metadata(turn, slot, post), session_status=session
            )
        except SLACK_ERRORS as error:
            verdict = classify(error)
            if verdict.failure in (SlackFailure.BAD_BLOCKS, SlackFailure.REFUSED):
                # No other words would help: this message ends by itself within minutes, the answer goes to a new one.
                verdict = Classified(SlackFailure.MESSAGE_GONE, verdict.code, verdict.wait)
            if verdict.failure is not SlackFailure.STREAM_OVER:
                raise self._refused("chat.stopStream", turn, slot, verdict) from error
        else:
            post.rests = session != "processing"
        post.streaming = False
        await self._written(turn.id, slot, post)

    def _refused(self, method: str, turn: Owner, slot: str, verdict: Classified) -> Refusal:
        log.warning("slack_refused", method=method, turn=turn.id, slot=slot, error=verdict.code)
        return Refusal(verdict, method)

    async def forget(self, turn_id: str, slots: dict[str, Post], slot: str, channel: str) -> None:
        """The message is gone, or its channel closed to us: the slot is posted anew, perhaps elsewhere."""
        edition = slots[slot].edition + 1
        slots[slot] = Post(channel, None, None, edition)
        async with self._database.transaction() as connection:
            await connection.execute(
                update(self._table)
                .where(self._of == turn_id, self._table.c.slot == slot)
                .values(channel=channel, ts=None, written=None, edition=edition, streaming=False)
            )

    async def remove(
        self, turn: Owner, slots: dict[str, Post], slot: str, *, thread_ts: str | None, session: str
    ) -> None:
        """See to it that this slot shows nothing, and forget it; `session` as for `stop`.

        Raises:
            Refusal: Slack did not do it; it does no harm to say it again.
        """
        post = slots[slot]
        await self._look_for(turn, slot, post, thread_ts)
        if post.ts is not None:
            if post.streaming:
                await self.stop(turn, slots, slot, session=session)
            await self._assure(turn.id, SLACK_TIMEOUT)
            await self._delete(turn, slot, post)
        await self._erase(turn.id, slots, slot)

    async def drop(self, turn: Owner, slots: dict[str, Post], slot: str) -> None:
        """Delete a message that its reply has no page for any more; as `amend`, whatever Slack says to it."""
        try:
            if slots[slot].ts is not None:
                await self._delete(turn, slot, slots[slot])
        except Refusal:
            return
        await self._erase(turn.id, slots, slot)

    async def _erase(self, turn_id: str, slots: dict[str, Post], slot: str) -> None:
        del slots[slot]
        async with self._database.transaction() as connection:
            await connection.execute(delete(self._table).where(self._of == turn_id, self._table.c.slot == slot))

    async def amend(self, turn: Owner, slots: dict[str, Post], slot: str, page: Page, *, session: str) -> bool:
        """Change a message that is there, if it is; whatever Slack says to it, nothing is posted anew.

        For what is pleasant and not needed, after the turn has ended too; `session` as for `stop`.

        Returns:
            Whether the message shows the page.
        """
        post = slots.get(slot)
        if post is None or post.ts is None:
            return False
        if post.written == fingerprint(page):
            return True
        try:
            if post.streaming:
                await self.stop(turn, slots, slot, session=session)
            # Whatever becomes of the call, and of this process: from now on it is not known what the message shows.
            post.written = None
            await self._written(turn.id, slot, post)
            await self._update(turn, slot, post, page)
        except Refusal:
            return False
        post.written = fingerprint(page)
        await self._written(turn.id, slot, post)
        return True

    async def _intend(self, turn_id: str, slot: str, channel: str, *, streaming: bool = False) -> None:
        row = {self._of.name: turn_id, "slot": slot, "channel": channel, "edition": 0, "streaming": streaming}
        async with self._database.transaction() as connection:
            await connection.execute(insert(self._table).values(**row, created_at=utcnow()))

    async def _written(self, turn_id: str, slot: str, post: Post) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                update(self._table)
                .where(self._of == turn_id, self._table.c.slot == slot)
                .values(ts=post.ts, written=post.written, streaming=post.streaming)
            )

    async def _post(self, turn: Owner, slot: str, post: Post, page: Page, thread_ts: str | None) -> str:
        try:
            answer = await self._client.chat_postMessage(
                channel=post.channel,
                thread_ts=thread_ts,
                text=page.text,
                blocks=page.blocks,
                metadata=metadata(turn, slot, post),
                unfurl_links=False,
                unfurl_media=False,
            )
        except SLACK_ERRORS as error:
            verdict = classify(error)
            # A post that may exist must be looked for before it is made again.
            post.inherited = verdict.failure is SlackFailure.UNKNOWN
            raise self._refused("chat.postMessage", turn, slot, verdict) from error
        return str(answer["ts"])

    async def _update(self, turn: Owner, slot: str, post: Post, page: Page) -> None:
        assert post.ts is not None
        try:
            await self._client.chat_update(
                channel=post.channel,
                ts=post.ts,
                text=page.text,
                blocks=page.blocks,
                metadata=metadata(turn, slot, post),
            )
        except SLACK_ERRORS as error:
            verdict = classify(error)
            # A stream after all: the next try ends it first.
            post.streaming = verdict.failure is SlackFailure.STREAM_OPEN
            raise self._refused("chat.update", turn, slot, verdict) from error

    async def _delete(self, turn: Owner, slot: str, post: Post) -> None:
        assert post.ts is not None
        try:
            await self._client.chat_delete(channel=post.channel, ts=post.ts)
        except SLACK_ERRORS as error:
            verdict = classify(error)
            refusal = self._refused("chat.delete", turn, slot, verdict)
            if verdict.failure is not SlackFailure.MESSAGE_GONE:
                raise refusal from error

    async def _find(self, turn: Owner, slot: str, post: Post, thread_ts: str | None) -> str | None:
        """Look in Slack for the message that somebody before us may have posted."""
        try:
            return await find(self._client, turn, slot, post, thread_ts)
        except SLACK_ERRORS as error:
            verdict = classify(error)
            refusal = self._refused("conversations.replies", turn, slot, verdict)
            if verdict.failure is SlackFailure.CLOSED:
                return None
            raise refusal from error


def _recipient(turn: Turn, channel: str) -> dict[str, str]:
    """In channels Slack wants to know whom a stream answers."""
    if channel.startswith("D"):
        return {}
    return {"recipient_user_id": turn.person.user, "recipient_team_id": turn.team}
