"""Retry-After and the decision to try again, as tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from omnibot.clearstreet.retries import parse_retry_after, retry_delay

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("600", 600.0),
        ("999999999", 3600.0),
        ("-1", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("٣", None),
        ("Sat, 21 Nov 2026 12:02:00 GMT", 120.0),
        ("Saturday, 21-Nov-26 12:02:00 GMT", 120.0),
        ("Sat, 21 Nov 2026 14:02:00 +0200", 120.0),
        ("Sat, 21 Nov 2026 12:02:00 -0000", 120.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 99 Nov 2026 12:02:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(header, seconds):
    assert parse_retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("tries", "status", "retry_after", "remaining", "delay"),
    [
        (1, None, None, 10, 0.25),  # no answer
        (2, None, None, 10, 0.5),
        (3, None, None, 10, None),  # three tries are enough
        (1, 500, None, 10, 0.25),
        (1, 503, None, 10, 0.25),
        (1, 501, None, 10, None),  # will not be implemented in a second
        (1, 400, None, 10, None),
        (1, 404, None, 10, None),
        (1, 409, None, 10, None),
        (1, 429, 1.0, 10, 1.0),
        (1, 429, 9.0, 10, 9.0),
        (1, 429, 11.0, 10, None),  # longer than the caller waits
        (1, None, None, 0.1, None),
    ],
)
def test_what_is_tried_again_and_when(tries, status, retry_after, remaining, delay):
    assert retry_delay(tries=tries, status=status, retry_after=retry_after, remaining=remaining, chance=1.0) == delay


def test_the_jitter_is_full():
    delays = [retry_delay(tries=2, status=500, retry_after=None, remaining=9, chance=chance) for chance in (0, 0.5, 1)]

    assert delays == [0, 0.25, 0.5]
