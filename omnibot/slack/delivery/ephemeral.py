"""Telling somebody privately: an ephemeral message, or a DM where Slack does not take one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.layout.types import Block
from omnibot.slack.errors import SLACK_ERRORS, classify

log = structlog.get_logger(__name__)

#: Ephemeral messages under way at a time through one client's connections: answers need them too.
AT_ONCE = 8
_PLACES: WeakKeyDictionary[AsyncWebClient, asyncio.Semaphore] = WeakKeyDictionary()


async def tell_privately(
    client: AsyncWebClient,
    *,
    channel: str,
    user: str,
    sentence: str,
    thread_ts: str | None = None,
    blocks: Sequence[Block] | None = None,
) -> None:
    """Tell this person; never raises. With `blocks` those are shown, and the sentence is what is read out.

    Nobody can look up whether an ephemeral message arrived. One whose answer is lost is told again in the DM: better
    twice, in two places, than not at all.
    """
    async with _PLACES.setdefault(client, asyncio.Semaphore(AT_ONCE)):
        await _said(client, channel, user, sentence, thread_ts, blocks)


async def _said(
    client: AsyncWebClient,
    channel: str,
    user: str,
    sentence: str,
    thread_ts: str | None,
    blocks: Sequence[Block] | None,
) -> None:
    in_thread: dict[str, Any] = {"thread_ts": thread_ts} if thread_ts else {}
    said: dict[str, Any] = {"text": sentence, **({"blocks": list(blocks)} if blocks else {})}
    try:
        await client.chat_postEphemeral(channel=channel, user=user, **said, **in_thread)
    except SLACK_ERRORS as error:
        log.info("ephemeral_refused", channel=channel, user=user, error=classify(error).code)
        await _in_dm(client, user, said)


async def _in_dm(client: AsyncWebClient, user: str, said: dict[str, Any]) -> None:
    try:
        answer = await client.conversations_open(users=user)
        own = str(answer["channel"]["id"])
        await client.chat_postMessage(channel=own, **said, unfurl_links=False, unfurl_media=False)
    except SLACK_ERRORS as error:
        log.warning("ephemeral_lost", user=user, error=classify(error).code)
