"""Rate limits: how many calls of a method Slack takes per minute and workspace, and messages per second and channel."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping

from omnibot_sandbox.slack.workspace import JSON

#: Calls per minute of each tier.
PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}

TIERS: Mapping[str, int] = {
    "agents.sessions.rename": 3,
    "agents.sessions.setStatus": 3,
    "apps.connections.open": 3,
    "assistant.threads.setSuggestedPrompts": 4,
    "assistant.threads.setTitle": 4,
    "bots.info": 3,
    "chat.appendStream": 4,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "chat.startStream": 2,
    "chat.stopStream": 2,
    "chat.update": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.members": 4,
    "conversations.open": 3,
    "conversations.replies": 3,
    "files.completeUploadExternal": 4,
    "files.delete": 3,
    "files.getUploadURLExternal": 4,
    "files.info": 4,
    "reactions.add": 3,
    "reactions.get": 3,
    "reactions.remove": 2,
    "users.info": 4,
    "users.list": 2,
    "views.open": 4,
    "views.publish": 4,
    "views.push": 4,
    "views.update": 4,
}
#: Methods with rules of their own; only that of chat.postMessage is published well enough to keep it here.
SPECIAL = frozenset(
    {"assistant.threads.setStatus", "auth.test", "blocks.validate", "chat.getPermalink", "chat.postMessage"}
)


class Limiter:
    """Counts calls, and says how long a caller has to wait who made too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, burst: int = 3) -> None:
        self.clock = clock
        #: Messages a channel takes at once before it is one per second.
        self.burst = burst
        self._calls: dict[str, deque[float]] = {}
        self._posts: dict[str, tuple[float, float]] = {}

    def wait(self, method: str, args: JSON) -> int:
        """Count a call. 0: it may go on. Otherwise it is refused, and this is its `Retry-After`."""
        if method == "chat.postMessage":
            return self._post(str(args.get("channel")))
        if method not in TIERS:
            return 0
        now = self.clock()
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= PER_MINUTE[TIERS[method]]:
            return max(1, math.ceil(calls[0] + 60 - now))
        calls.append(now)
        return 0

    def _post(self, channel: str) -> int:
        now = self.clock()
        left, at = self._posts.get(channel, (float(self.burst), now))
        left = min(float(self.burst), left + now - at)
        allowed = left >= 1
        self._posts[channel] = (left - 1 if allowed else left, now)
        return 0 if allowed else 1
