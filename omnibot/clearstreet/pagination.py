"""Paged lists: following tokens to the end, and finding the newest messages from either end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from omnibot.clearstreet.envelope import Answer
from omnibot.clearstreet.models import resources
from omnibot.clearstreet.models.resources import Message
from omnibot.clearstreet.revision import ApiRevision, Paging
from omnibot.clearstreet.transport import Transport
from omnibot.errors import Incomplete

T = TypeVar("T")
Query = Mapping[str, str | int | None]

PAGE_SIZE = 100
"""The most the API gives at once of threads and messages."""
LARGE_PAGE_SIZE = 1000
"""The most it gives of accounts, orders and positions."""
MAX_PAGES = 200
"""After so many pages without an end a list is not read any further."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """Items of a list, in its order."""

    items: list[T]
    more: bool
    """There are more than these, or it is not known that there are none."""


async def some(
    transport: Transport,
    path: str,
    adapter: TypeAdapter[list[T]],
    *,
    key: str,
    query: Query,
    limit: int,
    ids: Mapping[str, str] | None = None,
    page_size: int = PAGE_SIZE,
    enough: Callable[[T], bool] = lambda _: False,
) -> Listed[T]:
    """The first `limit` items of a list, page after page; only an absent token is its end.

    Args:
        enough: whether everything from this item on is of no interest: pages after it are not asked for, and count as
            read.
    """
    found: list[T] = []
    followed: set[str] = set()
    more: Query = {"page_size": max(1, min(limit, page_size))}
    for _ in range(MAX_PAGES):
        answer = await transport.call("GET", path, key=key, ids=ids, query={**query, **more})
        page: list[T] = answer.read(adapter)
        if page and (page[0] in found or page[-1] in found):
            break  # it moved while it was read, or a token led back
        found.extend(page)
        token = answer.next_page_token
        if token is None or any(map(enough, page)):
            return Listed(found[:limit], more=len(found) > limit)
        if len(found) >= limit or token in followed:
            break
        followed.add(token)
        more = {"page_token": token}
    return Listed(found[:limit], more=True)


async def whole(
    transport: Transport,
    path: str,
    adapter: TypeAdapter[list[T]],
    *,
    key: str,
    query: Query,
    limit: int,
    ids: Mapping[str, str] | None = None,
    page_size: int = PAGE_SIZE,
    enough: Callable[[T], bool] = lambda _: False,
) -> list[T]:
    """A list to its end.

    Raises:
        Incomplete: it has more than `limit` items, or its end was not found.
    """
    listed = await some(
        transport, path, adapter, key=key, query=query, limit=limit, ids=ids, page_size=page_size, enough=enough
    )
    if listed.more:
        raise Incomplete
    return listed.items


async def newest(
    transport: Transport, path: str, *, key: str, ids: Mapping[str, str], query: Query, count: int
) -> list[Message]:
    """The newest `count` messages of a thread, chronological.

    2026-04 begins with the oldest page, later revisions with the newest, and neither says which token leads where:
    so the first token followed shows it, and what it shows is remembered.

    Raises:
        Incomplete: it is not known that these are the newest.
    """
    revision = transport.revision

    async def page(more: Query) -> tuple[Answer, list[Message]]:
        answer = await transport.call("GET", path, key=key, ids=ids, query={**query, **more})
        return answer, answer.read(resources.messages)

    enough = revision.paging(_now()) is Paging.LATEST_FIRST and 0 < count < PAGE_SIZE
    first, messages = await page({"page_size": count if enough else PAGE_SIZE})
    found = {message.id: message for message in messages}
    followed: set[str] = set()
    for direction in ("next_page_token", "previous_page_token"):
        token: str | None = getattr(first, direction)
        while token is not None:
            if len(found) >= count and revision.paging(_now()) is Paging.LATEST_FIRST:
                break
            if token in followed or len(followed) >= MAX_PAGES:
                raise Incomplete
            followed.add(token)
            answer, messages = await page({"page_token": token})
            fresh = [message for message in messages if message.id not in found]
            if fresh:
                _learn(revision, found, fresh)
            found.update((message.id, message) for message in fresh)
            token = getattr(answer, direction)
    return sorted(found.values(), key=lambda message: message.seq)[-count:] if count > 0 else []


def _learn(revision: ApiRevision, found: Mapping[str, Message], fresh: list[Message]) -> None:
    """A second page older than the first means that the first was the newest."""
    if found:
        older = min(message.seq for message in fresh) < min(message.seq for message in found.values())
        revision.saw_paging(Paging.LATEST_FIRST if older else Paging.OLDEST_FIRST, _now())


def _now() -> float:
    return asyncio.get_running_loop().time()
