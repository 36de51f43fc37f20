"""How many examples of a property are tried; with OMNIBOT_EXAMPLES=20 that many times as many."""

from __future__ import annotations

import os

from hypothesis import settings

TIMES = float(os.environ.get("OMNIBOT_EXAMPLES", "1"))


def examples(count: int) -> settings:
    """So many in `make test`; how long one takes does not matter."""
    return settings(max_examples=max(1, round(count * TIMES)), deadline=None)
