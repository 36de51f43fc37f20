"""When to retry: pure functions of what happened."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_TRIES = 3
FIRST_BACKOFF = 0.25
"""Seconds; doubles with every try, and the actual delay is a random share of it (full jitter)."""

DEFAULT_RETRY_AFTER = 1.0
LONGEST_RETRY_AFTER = 3600.0
"""Whatever a server says, after an hour we ask again."""


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds to wait according to a `Retry-After` header, a number or an HTTP date; None if it says nothing.

    Args:
        header: the header's value, None when absent.
        now: the present, aware.
    """
    text = (header or "").strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_RETRY_AFTER)


def worth_repeating(status: int | None) -> bool:
    """Whether a GET that ended so may do better the next time. None: there was no answer."""
    return status is None or status == 429 or (status >= 500 and status != 501)


def retry_delay(
    *, tries: int, status: int | None, retry_after: float | None, remaining: float, chance: float
) -> float | None:
    """Seconds before a GET is tried again, or None: give up now.

    Args:
        tries: how often it was tried.
        status: HTTP status of the last try, None when there was no answer.
        retry_after: seconds the server asked for.
        remaining: seconds of the caller's budget that are left.
        chance: the jitter, 0 to 1.
    """
    if tries >= MAX_TRIES or not worth_repeating(status):
        return None
    delay = max(chance * FIRST_BACKOFF * 2 ** (tries - 1), retry_after or 0.0)
    return delay if delay <= remaining else None
