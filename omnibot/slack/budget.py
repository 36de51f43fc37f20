"""What may be written when. Progress is paced here, well inside Slack's tiers; finals are not: they go at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: Progress calls a minute and workspace. Slack allows 50 chat.update (Tier 3), 100 chat.appendStream (Tier 4) and 20
#: chat.startStream (Tier 2) a minute; finals and other instances need room too.
PROGRESS_PER_MINUTE: Final[Mapping[str, float]] = {
    "chat.update": 30.0,
    "chat.postMessage": 40.0,
    "chat.appendStream": 70.0,
    "chat.startStream": 8.0,
    "agents.sessions.setStatus": 25.0,
}
#: Calls that may come at once after a rest.
BURST: Final[Mapping[str, float]] = {"chat.startStream": 6.0, "chat.appendStream": 20.0}
#: Streams open at a time in a workspace: each will need its chat.stopStream, of which Slack allows 20 a minute.
OPEN_STREAMS = 10
#: Seconds between two progress writes of one message: Slack asks for three between updates; streams are for growing.
UPDATE_PACE = 3.0
APPEND_PACE = 1.0


@dataclass(slots=True)
class Budget:
    """A token bucket per (workspace, method). Times are seconds on one monotonic clock, passed in."""

    per_minute: Mapping[str, float] = field(default_factory=lambda: PROGRESS_PER_MINUTE)
    burst: Mapping[str, float] = field(default_factory=lambda: BURST)
    _buckets: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    _streams: dict[str, int] = field(default_factory=dict)

    def wait(self, team: str, method: str, now: float) -> float:
        """Seconds until one progress call may be made; 0 takes the place at once."""
        rate, most = self.per_minute[method], self.burst.get(method, 10.0)
        tokens, at = self._buckets.get((team, method), (most, now))
        tokens = min(most, tokens + (now - at) * rate / 60)
        if tokens < 1:
            self._buckets[team, method] = (tokens, now)
            return (1 - tokens) * 60 / rate
        self._buckets[team, method] = (tokens - 1, now)
        return 0.0

    def close(self, team: str, method: str, now: float, seconds: float) -> None:
        """Slack said 429: no progress of this kind for so long."""
        self._buckets[team, method] = (1 - seconds * self.per_minute[method] / 60, now)

    def take_stream(self, team: str, now: float) -> bool:
        """Whether a stream may begin now, with its end reserved; `give_stream` gives the place back."""
        if self._streams.get(team, 0) >= OPEN_STREAMS or self.wait(team, "chat.startStream", now) > 0:
            return False
        self._streams[team] = self._streams.get(team, 0) + 1
        return True

    def give_stream(self, team: str) -> None:
        """A stream has ended."""
        self._streams[team] = max(0, self._streams.get(team, 0) - 1)
