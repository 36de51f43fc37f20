"""One Slack message per (turn, slot): written down before it is posted, found again after a crash, never twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import delete, insert, select, update

from omnibot.blocks.values import Page
from omnibot.db.engine import Database
from omnibot.db.tables import posts
from omnibot.slack.failures import SLACK_ERRORS, Failure, Verdict, judge
from omnibot.turns.model import Turn
from omnibot.turns.store import utcnow

log = structlog.get_logger(__name__)

#: Seconds one Slack call may take; the shared session enforces it, and the lease must cover it.
SLACK_TIMEOUT = 8.0
METADATA_TYPE = "omnibot_reply"
#: The slot of the message that shows a command's question.
ROOT = "root"


class Refusal(Exception):
    """A Slack call failed and cannot simply be repeated here."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.code)
        self.verdict = verdict


@dataclass(slots=True)
class Post:
    """What we know of one slot."""

    channel: str
    ts: str | None
    written: str | None
    #: How often the slot was given up and begun anew.
    generation: int = 0
    #: We did not make this entry in this process: the message may exist although `ts` is unknown.
    inherited: bool = False


class Posts:
    """The messages of replies."""

    def __init__(
        self, client: AsyncWebClient, database: Database, *, assure: Callable[[str, float], Awaitable[None]]
    ) -> None:
        self._client = client
        self._database = database
        self._assure = assure

    async def load(self, turn_id: str) -> dict[str, Post]:
        """All slots of a turn, as an earlier process left them."""
        query = select(posts).where(posts.c.turn_id == turn_id)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return {
            row["slot"]: Post(row["channel"], row["ts"], row["written"], row["generation"], inherited=True)
            for row in rows
        }

    async def write(
        self, turn: Turn, slots: dict[str, Post], slot: str, page: Page, *, channel: str, thread_ts: str | None
    ) -> str:
        """See to it that this slot shows this page; return the message's ts.

        Raises:
            Refusal: Slack did not do it. Where the outcome is unknown, the next write looks for the message first.
        """
        post = slots.get(slot)
        mark = fingerprint(page)
        if post is None:
            await self._intend(turn.id, slot, channel)
            post = slots[slot] = Post(channel, None, None)
        if post.ts is None and post.inherited:
            post.ts = await self._find(turn, slot, post, thread_ts)
            post.inherited = False
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

    async def forget(self, turn_id: str, slots: dict[str, Post], slot: str, channel: str) -> None:
        """The message is gone, or its channel closed to us: the slot is posted anew, perhaps elsewhere."""
        generation = slots[slot].generation + 1
        slots[slot] = Post(channel, None, None, generation)
        async with self._database.transaction() as connection:
            await connection.execute(
                update(posts)
                .where(posts.c.turn_id == turn_id, posts.c.slot == slot)
                .values(channel=channel, ts=None, written=None, generation=generation)
            )

    async def remove(self, turn: Turn, slots: dict[str, Post], slot: str, *, thread_ts: str | None) -> None:
        """See to it that this slot shows nothing, and forget it.

        Raises:
            Refusal: Slack did not do it; it does no harm to say it again.
        """
        post = slots[slot]
        if post.ts is None and post.inherited:
            post.ts = await self._find(turn, slot, post, thread_ts)
        if post.ts is not None:
            await self._assure(turn.id, SLACK_TIMEOUT)
            await self._delete(turn, slot, post)
        del slots[slot]
        async with self._database.transaction() as connection:
            await connection.execute(delete(posts).where(posts.c.turn_id == turn.id, posts.c.slot == slot))

    async def amend(self, turn: Turn, slots: dict[str, Post], slot: str, page: Page) -> None:
        """Change a message that is there, if it is; whatever Slack says to it, nothing is posted anew.

        For what is pleasant and not needed, after the turn has ended too.
        """
        post = slots.get(slot)
        if post is None or post.ts is None or post.written == fingerprint(page):
            return
        try:
            await self._update(turn, slot, post, page)
        except Refusal:
            return
        post.written = fingerprint(page)
        await self._written(turn.id, slot, post)

    async def _intend(self, turn_id: str, slot: str, channel: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                insert(posts).values(turn_id=turn_id, slot=slot, channel=channel, generation=0, created_at=utcnow())
            )

    async def _written(self, turn_id: str, slot: str, post: Post) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                update(posts)
                .where(posts.c.turn_id == turn_id, posts.c.slot == slot)
                .values(ts=post.ts, written=post.written)
            )

    async def _post(self, turn: Turn, slot: str, post: Post, page: Page, thread_ts: str | None) -> str:
        try:
            answer = await self._client.chat_postMessage(
                channel=post.channel,
                thread_ts=thread_ts,
                text=page.text,
                blocks=page.blocks,
                metadata=_metadata(turn, slot, post),
                unfurl_links=False,
                unfurl_media=False,
            )
        except SLACK_ERRORS as error:
            verdict = judge(error)
            # A post that may exist must be looked for before it is made again.
            post.inherited = verdict.failure is Failure.UNKNOWN
            log.warning("slack_refused", method="chat.postMessage", turn=turn.id, slot=slot, error=verdict.code)
            raise Refusal(verdict) from error
        return str(answer["ts"])

    async def _update(self, turn: Turn, slot: str, post: Post, page: Page) -> None:
        assert post.ts is not None
        try:
            await self._client.chat_update(
                channel=post.channel,
                ts=post.ts,
                text=page.text,
                blocks=page.blocks,
                metadata=_metadata(turn, slot, post),
            )
        except SLACK_ERRORS as error:
            verdict = judge(error)
            log.warning("slack_refused", method="chat.update", turn=turn.id, slot=slot, error=verdict.code)
            raise Refusal(verdict) from error

    async def _delete(self, turn: Turn, slot: str, post: Post) -> None:
        assert post.ts is not None
        try:
            await self._client.chat_delete(channel=post.channel, ts=post.ts)
        except SLACK_ERRORS as error:
            verdict = judge(error)
            log.warning("slack_refused", method="chat.delete", turn=turn.id, slot=slot, error=verdict.code)
            if verdict.failure is not Failure.MESSAGE_GONE:
                raise Refusal(verdict) from error

    async def _find(self, turn: Turn, slot: str, post: Post, thread_ts: str | None) -> str | None:
        """Look in Slack for the message that somebody before us may have posted."""
        # Ours came after the turn began; ten minutes for clocks that disagree.
        oldest = f"{turn.created_at.replace(tzinfo=UTC).timestamp() - 600:.6f}"
        cursor: str | None = None
        try:
            while True:
                arguments: dict[str, Any] = {
                    "channel": post.channel,
                    "oldest": oldest,
                    "limit": 200,
                    "include_all_metadata": True,
                    "cursor": cursor,
                }
                if thread_ts is None:
                    answer = await self._client.conversations_history(**arguments)
                else:
                    answer = await self._client.conversations_replies(ts=thread_ts, **arguments)
                for message in answer.get("messages") or []:
                    if _is_slot(message, turn, slot, post):
                        log.info("post_found", turn=turn.id, slot=slot)
                        return str(message["ts"])
                cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
                if cursor is None:
                    return None
        except SLACK_ERRORS as error:
            verdict = judge(error)
            log.warning("slack_refused", method="conversations.replies", turn=turn.id, slot=slot, error=verdict.code)
            if verdict.failure is Failure.CLOSED_DOOR:
                return None
            raise Refusal(verdict) from error


def fingerprint(page: Page) -> str:
    """Equal for equal pages."""
    return hashlib.sha256(json.dumps([page.blocks, page.text], sort_keys=True).encode()).hexdigest()[:32]


def _metadata(turn: Turn, slot: str, post: Post) -> dict[str, Any]:
    payload = {"turn": turn.id, "slot": slot, "generation": post.generation}
    return {"event_type": METADATA_TYPE, "event_payload": payload}


def _is_slot(message: Any, turn: Turn, slot: str, post: Post) -> bool:
    metadata = message.get("metadata") if isinstance(message, dict) else None
    return bool(metadata == _metadata(turn, slot, post))
