"""Stopping: Ctrl-C and its relatives end the work in order, once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def until_stopped(work: Coroutine[Any, Any, T]) -> T | None:
    """Do the work; a signal cancels it and waits until it has cleaned up. None: it was stopped."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        # Only the first one: an impatient second Ctrl-C must not interrupt the cleaning up.
        if not stopped:
            stopped = True
            task.cancel()

    for signum in _SIGNALS:
        loop.add_signal_handler(signum, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if not stopped:
            raise
        return None
    finally:
        for signum in _SIGNALS:
            loop.remove_signal_handler(signum)
