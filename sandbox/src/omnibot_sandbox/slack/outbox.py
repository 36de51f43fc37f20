"""Events on their way out: held back, doubled or mixed up, then handed to whatever carries them to the app."""

from __future__ import annotations

import asyncio
import random
from typing import Protocol

from omnibot_sandbox.slack.socket_mode import Ack
from omnibot_sandbox.slack.workspace import JSON


class Carrier(Protocol):
    """Socket Mode, or HTTP."""

    def deliver(self, payload: JSON) -> None:
        """Deliver an event, again and again until it is acknowledged or given up."""

    async def request(self, kind: str, payload: JSON) -> Ack:
        """Deliver a click or command once, and wait for the app's answer."""


class Outbox:
    """What stands between what happens in the workspace and the carrier."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        #: Send each event twice, with one event_id.
        self.deliver_twice = False
        #: Clicks, forms and commands are delivered twice at once.
        self.doubled = False
        self._held: list[JSON] | None = None
        self._dice: random.Random | None = None
        self._within = 0.0
        self._batch: list[JSON] = []
        self._timer: asyncio.TimerHandle | None = None

    def deliver(self, payload: JSON) -> None:
        """Send an event, or keep it back as long as events are held."""
        if self._held is not None:
            self._held.append(payload)
        elif self._dice is not None:
            self._batch.append(payload)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(self._within, self._send_batch)
        else:
            self._send(payload)

    def hold(self) -> None:
        """Keep back all events from now on."""
        if self._held is None:
            self._held = []

    def release(self, *, reverse: bool = False, seed: int | None = None) -> None:
        """Send what was kept back: in order, the other way round, or mixed up by the seed."""
        held, self._held = self._held or [], None
        if seed is not None:
            random.Random(seed).shuffle(held)
        for payload in reversed(held) if reverse else held:
            self._send(payload)

    def shuffle(self, seed: int | None, within: float) -> None:
        """Mix up the events of each stretch of `within` seconds; None ends that, and sends what is waiting."""
        self._dice = None if seed is None else random.Random(seed)
        self._within = within
        if seed is None:
            self._send_batch()

    async def request(self, kind: str, payload: JSON) -> Ack:
        """Deliver a click, a form or a command; the answer to its first delivery counts."""
        deliveries = [self.carrier.request(kind, payload) for _ in range(2 if self.doubled else 1)]
        first, *_ = await asyncio.gather(*deliveries)
        return first

    def close(self) -> None:
        """Forget what is waiting."""
        self._batch.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send_batch(self) -> None:
        batch = list(self._batch)
        self.close()
        if self._dice is not None:
            self._dice.shuffle(batch)
        for payload in batch:
            self._send(payload)

    def _send(self, payload: JSON) -> None:
        for _ in range(2 if self.deliver_twice else 1):
            self.carrier.deliver(payload)
