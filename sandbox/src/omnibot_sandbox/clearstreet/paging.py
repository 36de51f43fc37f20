"""Cutting lists into pages; a token says where the next cut is and how long the pages are."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from omnibot_sandbox.clearstreet.bodies import read_integer
from omnibot_sandbox.clearstreet.errors import ApiError

#: Of threads and messages; of accounts it is ten times as much.
LARGEST = 100


def cut(
    items: list[Any],
    query: dict[str, str],
    default_size: int,
    *,
    newest_first: bool,
    nulls: bool,
    largest: int = LARGEST,
) -> tuple[list[Any], dict[str, Any]]:
    """One page of `items` (oldest first, and so returned) and its part of the envelope's metadata.

    Positions count from the oldest item whichever way the pages go: what is added while somebody pages shifts nothing.
    """
    if "page_token" in query:
        position, size = _read(query["page_token"], largest)
    else:
        asked = read_integer(query, "page_size")
        size = default_size if asked is None else asked
        if not 0 < size <= largest:
            raise ApiError(400, f"page_size must be between 1 and {largest}")
        position = len(items) if newest_first else 0
    start, end = (max(position - size, 0), position) if newest_first else (position, position + size)
    older = _token(start if newest_first else max(start - size, 0), size) if start > 0 else None
    newer = _token(min(end + size, len(items)) if newest_first else end, size) if end < len(items) else None
    following, previous = (older, newer) if newest_first else (newer, older)
    metadata: dict[str, Any] = {"next_page_token": following, "previous_page_token": previous}
    if nulls:
        pages = -(-len(items) // size)
        number = -(-(len(items) - end if newest_first else start) // size) + 1
        metadata |= {"page_number": number, "total_items": len(items), "total_pages": pages}
    else:
        metadata = {name: value for name, value in metadata.items() if value is not None}
    return items[start:end], metadata


def _token(position: int, size: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([position, size]).encode()).decode()


def _read(token: str, largest: int) -> tuple[int, int]:
    try:
        position, size = json.loads(base64.urlsafe_b64decode(token))
        if not (position >= 0 and 0 < size <= largest):
            raise ValueError(token)
        return int(position), int(size)
    except (ValueError, TypeError, binascii.Error):
        raise ApiError(400, "Failed to deserialize query string: page_token: invalid token") from None
