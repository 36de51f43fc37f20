"""Client-side rate limits: a token bucket for each API key; writes go before reads."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import itertools
import secrets
from dataclasses import dataclass, field

from omnibot.errors import RateLimited

URGENT, ORDINARY = 0, 1
"""Places in the queue: creates and cancels go before polls; within a place, first come first served."""

MAX_LANES = 4096


@dataclass(slots=True)
class Bucket:
    """Token arithmetic; the clock is the caller's. Holds at most one second's worth of calls, and at least one.

    Args:
        rate: tokens a second.
        now: seconds on any clock that does not go back.
    """

    rate: float
    now: float
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    @property
    def burst(self) -> float:
        """The most tokens it can hold."""
        return max(1.0, self.rate)

    def wait(self, now: float) -> float:
        """Seconds until a token is there; 0 when one is."""
        if now > self.now:
            self.tokens = min(self.burst, self.tokens + (now - self.now) * self.rate)
            self.now = now
        closed = max(0.0, self.now - now)
        missing = max(0.0, 1.0 - self.tokens) / self.rate
        return closed + missing if closed or missing > 1e-9 else 0.0

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        if self.wait(now):
            return False
        self.tokens -= 1.0
        return True

    def refund(self) -> None:
        """Give back a token that was not used."""
        self.tokens = min(self.burst, self.tokens + 1.0)

    def close(self, now: float, seconds: float) -> None:
        """No token for so many seconds; then one at once and the rest at the rate, not a burst."""
        self.now = max(self.now, now + seconds)
        self.tokens = min(self.tokens, 1.0)

    def closed(self, now: float) -> float:
        """Seconds for which it stays closed; 0 when it is open."""
        return max(0.0, self.now - now)

    def full(self, now: float) -> bool:
        """Nothing would be lost by forgetting this bucket."""
        return not self.wait(now) and self.tokens >= self.burst


class _Lane:
    """One key's bucket and the calls that wait for it."""

    def __init__(self, rate: float, now: float) -> None:
        self.bucket = Bucket(rate, now)
        self.waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self.timer: asyncio.TimerHandle | None = None


class Pacer:
    """Lets calls pass, one lane a key. Lanes are named by a keyed hash, so that no key is kept here.

    Args:
        rate: calls a second and key.
    """

    def __init__(self, rate: float) -> None:
        if rate <= 0:
            raise ValueError("rate must be above 0")
        self._rate = rate
        self._salt = secrets.token_bytes(16)
        self._lanes: dict[bytes, _Lane] = {}
        self._tickets = itertools.count()

    async def turn(self, key: str, *, place: int, within: float) -> None:
        """Wait until this key may make a call.

        Args:
            place: URGENT or ORDINARY.
            within: seconds we are ready to wait.

        Raises:
            RateLimited: it would take, or has taken, longer; nothing was sent.
        """
        loop = asyncio.get_running_loop()
        lane = self._lane(key, loop.time())
        if not lane.waiting and lane.bucket.take(loop.time()):
            return
        wait = lane.bucket.wait(loop.time())
        if wait > within:
            raise RateLimited(retry_after=wait)
        place_taken: asyncio.Future[None] = loop.create_future()
        heapq.heappush(lane.waiting, (place, next(self._tickets), place_taken))
        self._release(lane, loop)
        try:
            async with asyncio.timeout(within):
                await place_taken
        except BaseException as error:
            if not place_taken.cancelled():  # the token came in the very moment we gave up
                lane.bucket.refund()
            if isinstance(error, TimeoutError):
                raise RateLimited(retry_after=max(1.0, lane.bucket.wait(loop.time()))) from None
            raise

    def close(self, key: str, seconds: float) -> None:
        """The API asked this key to be silent for so many seconds."""
        now = asyncio.get_running_loop().time()
        self._lane(key, now).bucket.close(now, seconds)

    def _lane(self, key: str, now: float) -> _Lane:
        name = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16, key=self._salt).digest()
        lane = self._lanes.get(name)
        if lane is None:
            if len(self._lanes) >= MAX_LANES:
                self._lanes = {n: one for n, one in self._lanes.items() if one.waiting or not one.bucket.full(now)}
            lane = self._lanes[name] = _Lane(self._rate, now)
        return lane

    def _release(self, lane: _Lane, loop: asyncio.AbstractEventLoop) -> None:
        """Give tokens to those who wait; if some are left over, come back when the next token is there."""
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        while lane.waiting:
            if lane.waiting[0][2].done():  # gave up
                heapq.heappop(lane.waiting)
            elif lane.bucket.take(loop.time()):
                heapq.heappop(lane.waiting)[2].set_result(None)
            else:
                lane.timer = loop.call_later(lane.bucket.wait(loop.time()), self._release, lane, loop)
                return
