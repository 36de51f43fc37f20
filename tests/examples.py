"""How many examples of a property are tried: the same ones each time; OMNIBOT_EXAMPLES=20 tries new ones, 20 times as
many.

A change that fails has broken something itself; what nobody has met yet is looked for on purpose.
"""

from __future__ import annotations

import os

from hypothesis import settings

#: None: the same examples as always.
_TIMES = os.environ.get("OMNIBOT_EXAMPLES")
SAME = _TIMES is None
TIMES = float(_TIMES or 1)


def examples(count: int) -> settings:
    """So many in `make test`; how long one takes does not matter."""
    return settings(max_examples=max(1, round(count * TIMES)), deadline=None, derandomize=SAME)
