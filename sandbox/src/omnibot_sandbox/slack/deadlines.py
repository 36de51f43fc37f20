"""What happens by itself when nobody does anything for long enough: streams that die, states that lapse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable


class Deadlines:
    """Timers by name. Setting one again replaces it."""

    def __init__(self) -> None:
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}

    def set(self, name: Hashable, seconds: float, action: Callable[[], object]) -> None:
        """Do this in so many seconds (at once, but not within this call, when that is past), unless it is cancelled."""
        self.cancel(name)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # nothing runs, so no time passes

        def expire() -> None:
            self._timers.pop(name, None)
            action()

        self._timers[name] = loop.call_later(max(0.0, seconds), expire)

    def cancel(self, name: Hashable) -> None:
        """Forget one, if there is one."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Forget all."""
        for name in list(self._timers):
            self.cancel(name)
