"""Renders one reply in a process of its own, which slack/delivery/rendering.py ends when it takes too long."""

from __future__ import annotations

import pickle
import sys
from typing import Any


def confine(memory: int, seconds: int) -> None:
    """Let this process have so many bytes of memory and seconds of processor time, where the system knows limits."""
    try:
        import resource  # not on Windows
    except ImportError:
        return
    for limit, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def main() -> None:
    """Read what `reply_pages` is called with from standard input, and write the pages to standard output."""
    confine(int(sys.argv[1]), int(sys.argv[2]))
    from omnibot.blocks.answers.reply import reply_pages

    turn, answer, buttons, more = pickle.load(sys.stdin.buffer)  # noqa: S301  # our parent wrote it
    pages: Any = reply_pages(turn, answer, buttons, **more)
    sys.stdout.buffer.write(pickle.dumps(pages))


if __name__ == "__main__":
    main()
