"""What the bot says to one person alone arrives, whatever Slack makes of the first try."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.journeys.conftest import House
from tests.journeys.test_faults import SLACK_FAULTS, befall

Act = Callable[[House], Coroutine[Any, Any, None]]


async def say_nothing(house: House) -> None:
    await house.slack.say("ana", "trading", "@Omni")


async def stop_what_somebody_else_asked(house: House) -> None:
    house.script("slow", "At last.", seconds=60)
    ts = await house.slack.say("ben", "trading", "@Omni slow")
    key = (house.slack.workspace.channel("trading").id, ts)
    await house.slack.wait_for(lambda: house.slack.sessions.get(key, {}).get("status") == "processing")
    await house.slack.stop("ana", "trading", ts)


async def press_what_is_over(house: House) -> None:
    """Ask for an answer anew that is the last no longer."""
    dm = house.slack.dm("ana")
    asked = [message.ts for message in house.roots(dm) if message.text == "a number please"]
    if not asked:
        house.script("number", "Seven.", seconds=0.2)
        asked = [await house.slack.say("ana", dm, "a number please")]
        await house.answered(dm, asked[0], "Seven.")
        await house.slack.say("ana", dm, "another number", thread_ts=asked[0])
        await house.answered(dm, asked[0], count=2)
    first, _ = house.replies(dm, asked[0])
    await house.slack.click("ana", dm, first.ts, label="Regenerate")


def told(house: House, words: str) -> tuple[int, int]:
    """How often Ana was told so: where she was, and in her DM."""
    dm = [m for m in house.slack.history(house.slack.dm("ana")) if m.user == house.slack.bot_user_id]
    there = sum(words in tell_privately["text"] for tell_privately in house.slack.ephemerals("ana"))
    return there, sum(words in house.slack.visible_text(message) for message in dm)


ACTS = [
    (say_nothing, "/omni help"),
    (stop_what_somebody_else_asked, "nothing of yours to stop"),
    (press_what_is_over, "gone on"),
]


@pytest.mark.parametrize(("act", "words"), ACTS)
async def test_a_whisper_that_slack_refuses_or_drops_once_is_heard(house: House, act: Act, words: str):
    """All faults with one bot, one after the other."""
    there = elsewhere = 0

    def as_expected() -> bool:
        return told(house, words) == (there, elsewhere)

    for fault in SLACK_FAULTS:
        befall(house, "chat.postEphemeral", fault)
        await act(house)
        # What Slack showed without saying so is told again elsewhere: nobody can look a whisper up.
        there, elsewhere = there + (fault == "after"), elsewhere + 1
        await house.slack.wait_for(as_expected)

    await act(house)
    there += 1
    await house.slack.wait_for(as_expected)
    assert "background_failed" not in house.bot.logged()
