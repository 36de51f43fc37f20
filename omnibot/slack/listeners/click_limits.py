"""Rate limits on one person's clicks, for each process."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.rate_limits import WriteBudget
from omnibot.slack.inbound.payloads import SlackClick
from omnibot.slack.listeners.buttons import tell, who
from omnibot.turns.model import Person

#: Goes on to the listeners; Bolt passes it by this name.
Next = Callable[[], Coroutine[Any, Any, Any]]

#: Presses of one person at once after a rest, and a minute.
BURST: Final = 30.0
PER_MINUTE: Final = 60.0
TOO_MANY: Final = "You are pressing faster than I can follow, so I did nothing with the last presses. Wait a minute."
#: Seconds before somebody is told again that it is too much.
SILENT: Final = 60.0
#: People kept in memory.
REMEMBERED: Final = 5_000
_PRESS: Final = "press"


class ClickLimits:
    """Stands before every listener of a press."""

    def __init__(self, background: Background, clock: Callable[[], float] = time.monotonic) -> None:
        self._background = background
        self._clock = clock
        self._budget = WriteBudget(per_minute={_PRESS: PER_MINUTE}, burst={_PRESS: BURST})
        #: Until when whoever was told that it is too much is not told again.
        self._silent_until: dict[Person, float] = {}

    async def handle(
        self, body: dict[str, Any], ack: AsyncAck, client: AsyncWebClient, next: Next
    ) -> BoltResponse | None:
        """A middleware of Bolt's: lets through what is to be done."""
        if body.get("type") != "block_actions":
            await next()
            return None
        _, person = who(SlackClick.model_validate(body))
        now = self._clock()
        if self._budget.wait(f"{person.org}/{person.user}", _PRESS, now) > 0:
            if now >= self._silent_until.get(person, now):
                self._tell_again_after(person, now + SILENT)
                self._background.start(tell(client, body, TOO_MANY))
            return await ack()
        await next()
        return None

    def _tell_again_after(self, person: Person, then: float) -> None:
        self._silent_until[person] = then
        if len(self._silent_until) > REMEMBERED:
            del self._silent_until[next(iter(self._silent_until))]
