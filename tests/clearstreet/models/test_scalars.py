"""Bytes are JSON that can be read, or a ValueError."""

from __future__ import annotations

import pytest

from omnibot.clearstreet.models.scalars import decode


@pytest.mark.parametrize("depth", [10, 300, 600, 900, 2_000, 100_000])
def test_nested_lists_around_a_lone_surrogate_are_read_or_refused(depth: int):
    body = b"[" * depth + b'"\\ud800"' + b"]" * depth
    try:
        value = decode(body)
    except ValueError:
        assert depth >= 300
        return
    for _ in range(depth):
        (value,) = value
    assert value == "\ufffd"
