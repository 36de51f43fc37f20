"""What may be written when. Progress is paced here, well inside Slack's tiers; finals are not: they go at once."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Progress calls a minute and workspace: Slack allows 50 chat.update a minute (Tier 3); finals need room too.
PROGRESS_PER_MINUTE = 30.0
#: Seconds between two progress updates of one message, as Slack asks.
MESSAGE_PACE = 3.0


@dataclass(slots=True)
class Budget:
    """A token bucket per (workspace, method). Times are seconds on one monotonic clock, passed in."""

    per_minute: float = PROGRESS_PER_MINUTE
    burst: float = 10.0
    _buckets: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def wait(self, team: str, method: str, now: float) -> float:
        """Seconds until one progress call may be made; 0 takes the place at once."""
        tokens, at = self._buckets.get((team, method), (self.burst, now))
        tokens = min(self.burst, tokens + (now - at) * self.per_minute / 60)
        if tokens < 1:
            self._buckets[team, method] = (tokens, now)
            return (1 - tokens) * 60 / self.per_minute
        self._buckets[team, method] = (tokens - 1, now)
        return 0.0

    def close(self, team: str, method: str, now: float, seconds: float) -> None:
        """Slack said 429: no progress of this kind for so long."""
        self._buckets[team, method] = (-(seconds * self.per_minute / 60), now)
