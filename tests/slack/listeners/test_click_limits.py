"""How often one person may press."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_bolt import BoltResponse

from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.ephemeral import AT_ONCE, tell_privately
from omnibot.slack.listeners import click_limits
from omnibot.slack.listeners.click_limits import BURST, PER_MINUTE, SILENT, TOO_MANY, ClickLimits
from tests.slack.conftest import Desktop


class Limit:
    """Presses as Bolt hands them on, a clock that stands still, and what was said."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.taken: list[str] = []
        self.said: list[tuple[str, str]] = []
        self.background = Background()
        self.presses = ClickLimits(self.background, lambda: self.now)

    async def chat_postEphemeral(self, *, user: str, text: str, **_: Any) -> None:
        self.said.append((user, text))

    async def press(self, trigger: str, user: str = "U1") -> BoltResponse | None:
        async def ack() -> BoltResponse:
            return BoltResponse(status=200)

        async def go_on() -> None:
            self.taken.append(trigger)

        where = {"team": {"id": "T1"}, "channel": {"id": "C1"}, "user": {"id": user}}
        body = {"type": "block_actions", "trigger_id": trigger, **where}
        answer: BoltResponse | None = await self.presses.handle(body, ack, self, go_on)  # type: ignore[arg-type]
        return answer


async def test_who_presses_without_end_is_told_once_and_others_are_not_held_up():
    limit = Limit()
    for number in range(5_000):
        await limit.press(f"{number}")
    await limit.press("another", user="U2")
    await limit.background.close()
    assert len(limit.taken) == BURST + 1
    assert limit.said == [("U1", TOO_MANY)]

    limit.now += SILENT
    for number in range(5_000):
        await limit.press(f"later {number}")
    await limit.background.close()
    assert len(limit.taken) == BURST + 1 + min(BURST, PER_MINUTE)
    assert limit.said == [("U1", TOO_MANY)] * 2


async def test_of_thousands_who_press_without_end_each_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(click_limits, "REMEMBERED", 3)
    limit = Limit()
    for user in range(6):
        for number in range(int(BURST) + 5):
            await limit.press(f"{user} {number}", user=f"U{user}")
    await limit.background.close()
    assert limit.said == [(f"U{user}", TOO_MANY) for user in range(6)]


async def test_ephemeral_messages_leave_space_for_everything_else_that_is_said_in_slack(desktop: Desktop):
    hold = desktop.slack.gate.hold("chat.postEphemeral", "before", count=100)
    private_messages = [
        asyncio.ensure_future(
            tell_privately(desktop.client, channel="C0TRADING1", user="U0ANA00001", sentence=f"{number}")
        )
        for number in range(100)
    ]
    await hold.reached()
    await desktop.client.chat_postMessage(channel="C0TRADING1", text="An answer.")
    arrived = [call for call in desktop.slack.calls if call.name == "chat.postEphemeral"]
    assert len(arrived) <= AT_ONCE
    assert not any(one.done() for one in private_messages)
    hold.release()
    await asyncio.gather(*private_messages)
    assert len(desktop.slack.ephemerals("ana")) == 100
