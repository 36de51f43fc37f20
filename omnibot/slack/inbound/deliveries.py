"""Deliveries that Slack repeats are dispatched once; every repetition gets the same answer.

Slack repeats an event whose ack is late, while the first is still being processed. This covers one process; what two
processes do with the same delivery, the database sorts out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from omnibot.slack.inbound.once import Once

#: Answers kept in memory.
REMEMBERED: Final = 5_000


class DeliveryApp(AsyncApp):
    """Bolt's app; a delivery with an id is dispatched once, unless that failed."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._under_way: Once[BoltResponse] = Once()
        #: What became of deliveries, by id, the oldest first.
        self._answers: dict[str, BoltResponse] = {}

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """As Bolt's."""
        key = delivery_id(req.body)
        if key is None:
            return await super().async_dispatch(req)
        if (answered := self._answers.get(key)) is not None:
            return answered
        dispatch = super().async_dispatch
        answer, _ = self._under_way.begin(key, lambda: dispatch(req))
        # Whoever delivered first may hang up; the work goes on, for the second asks for its outcome.
        response = await asyncio.shield(answer)
        if response.status < 300:
            self._answers[key] = response
            if len(self._answers) > REMEMBERED:
                del self._answers[next(iter(self._answers))]
        return response


def delivery_id(body: Mapping[str, Any]) -> str | None:
    """What Slack names an event by in each of its deliveries; of a command, a click or a form, its trigger."""
    for name in ("event_id", "trigger_id"):
        if isinstance(value := body.get(name), str) and value:
            return f"{name}:{body.get('type')}:{value}"
    return None
