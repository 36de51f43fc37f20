"""How our messages are recognised by other processes and after a crash: by metadata, and streams by their task ids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.layout.types import Page

log = structlog.get_logger(__name__)

METADATA_TYPE = "omnibot_reply"


class Owner(Protocol):
    """What messages are of: a turn, or a ticket."""

    @property
    def id(self) -> str:
        """Unique among its kind."""
        ...

    @property
    def created_at(self) -> datetime:
        """UTC without zone: its messages are not older."""
        ...


@dataclass(slots=True)
class Post:
    """What we know of one slot."""

    channel: str
    ts: str | None
    written: str | None
    #: How often the slot was given up and begun anew.
    edition: int = 0
    #: We did not make this entry in this process: the message may exist although `ts` is unknown.
    inherited: bool = False
    #: It began as a stream, and we do not know that the stream has ended: until then nothing else can be written there.
    streaming: bool = False
    #: The end of its stream has told Slack that the agent rests.
    rests: bool = False


def fingerprint(page: Page) -> str:
    """Equal for equal pages."""
    return hashlib.sha256(json.dumps([page.blocks, page.text], sort_keys=True).encode()).hexdigest()[:32]


def metadata(turn: Owner, slot: str, post: Post) -> dict[str, Any]:
    """What a message carries, for our eyes only."""
    payload = {"turn": turn.id, "slot": slot, "generation": post.edition}
    return {"event_type": METADATA_TYPE, "event_payload": payload}


def task_mark(turn: Owner, slot: str, post: Post) -> str:
    """Begins the ids of a stream's tasks: it has no metadata until it ends, so this is what it is known by."""
    return f"{turn.id}:{slot}:{post.edition}:"


def is_slot(message: Any, turn: Owner, slot: str, post: Post, *, bot: str) -> bool:
    """Whether a message, as Slack lists it, is this slot's. Every app in the channel can read our metadata and copy it.

    Args:
        bot: omnibot's own user.
    """
    if not isinstance(message, dict) or message.get("user") != bot:
        return False
    if message.get("metadata") == metadata(turn, slot, post):
        return True
    return post.streaming and any(
        task.startswith(task_mark(turn, slot, post)) for task in _tasks(message.get("blocks"))
    )


def _tasks(blocks: Any) -> Iterator[str]:
    """Ids of all tasks among these blocks."""
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, dict):
            if isinstance(block.get("task_id"), str):
                yield block["task_id"]
            yield from _tasks(block.get("tasks"))


async def find(client: AsyncWebClient, turn: Owner, slot: str, post: Post, thread_ts: str | None) -> str | None:
    """Read the thread (or the channel) until this slot's message appears; its ts, None when there is none.

    Raises:
        whatever the client raises.
    """
    # Ours came after the turn began; ten minutes for clocks that disagree.
    oldest = f"{turn.created_at.replace(tzinfo=UTC).timestamp() - 600:.6f}"
    bot = str((await client.auth_test())["user_id"])
    cursor: str | None = None
    while True:
        arguments: dict[str, Any] = {
            "channel": post.channel,
            "oldest": oldest,
            "limit": 200,
            "include_all_metadata": True,
            "cursor": cursor,
        }
        if thread_ts is None:
            answer = await client.conversations_history(**arguments)
        else:
            answer = await client.conversations_replies(ts=thread_ts, **arguments)
        for message in answer.get("messages") or []:
            if is_slot(message, turn, slot, post, bot=bot):
                log.info("post_found", turn=turn.id, slot=slot)
                return str(message["ts"])
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return None
