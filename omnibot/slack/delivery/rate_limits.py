"""Budgets for writing progress, well inside Slack's limits; finals are never delayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: Progress calls a minute and workspace; posts: and channel. Slack allows 50 chat.update and agents.sessions.setStatus
#: (Tier 3), 100 chat.appendStream (Tier 4) and 20 chat.startStream (Tier 2) a minute, and one chat.postMessage a second
#: and channel; finals count too.
PROGRESS_PER_MINUTE: Final[Mapping[str, float]] = {
    "chat.update": 30.0,
    "chat.postMessage": 40.0,
    "chat.appendStream": 70.0,
    "chat.startStream": 8.0,
    "agents.sessions.setStatus": 25.0,
}
#: Calls that may come at once after a rest, and where nothing is said about a method.
BURST: Final[Mapping[str, float]] = {"chat.startStream": 6.0, "chat.appendStream": 20.0, "chat.postMessage": 3.0}
USUAL_BURST = 10.0
#: Streams open at a time in a workspace: each will need its chat.stopStream, of which Slack allows 20 a minute.
OPEN_STREAMS = 10
#: What one of several processes takes of all this. They do not know each other's calls: two together stay within the
#: budget, more are told off by Slack now and then, and heed its Retry-After.
SHARE = 0.5
#: Seconds between two progress writes of one message: Slack asks for three between updates; streams are for growing.
UPDATE_PACE = 3.0
APPEND_PACE = 1.0


@dataclass(slots=True)
class WriteBudget:
    """A token bucket per (place, method): the place is a workspace, or for posts a channel. One process's.

    Times are seconds on one monotonic clock, passed in.
    """

    per_minute: Mapping[str, float] = field(default_factory=lambda: PROGRESS_PER_MINUTE)
    burst: Mapping[str, float] = field(default_factory=lambda: BURST)
    #: Of everything that one process alone could take.
    share: float = 1.0
    _buckets: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    _streams: dict[str, int] = field(default_factory=dict)

    def wait(self, place: str, method: str, now: float) -> float:
        """Seconds until one progress call may be made; 0 takes the place at once."""
        rate, most = self._rate(method), max(1.0, self.burst.get(method, USUAL_BURST) * self.share)
        tokens, at = self._buckets.get((place, method), (most, now))
        tokens = min(most, tokens + (now - at) * rate)
        if tokens < 1:
            self._buckets[place, method] = (tokens, now)
            return (1 - tokens) / rate
        self._buckets[place, method] = (tokens - 1, now)
        return 0.0

    def close(self, place: str, method: str, now: float, seconds: float) -> None:
        """Slack said 429: no progress of this kind for so long."""
        self._buckets[place, method] = (1 - seconds * self._rate(method), now)

    def take_stream(self, team: str, now: float) -> bool:
        """Whether a stream may begin now, with its end reserved; `give_stream` gives the place back."""
        if self._streams.get(team, 0) >= OPEN_STREAMS * self.share or self.wait(team, "chat.startStream", now) > 0:
            return False
        self._streams[team] = self._streams.get(team, 0) + 1
        return True

    def give_stream(self, team: str) -> None:
        """A stream has ended."""
        self._streams[team] = max(0, self._streams.get(team, 0) - 1)

    def _rate(self, method: str) -> float:
        """Calls a second."""
        return self.per_minute[method] * self.share / 60
