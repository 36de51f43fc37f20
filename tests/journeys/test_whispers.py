"""What the bot says to one person alone arrives, whatever Slack makes of the first try."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.journeys.conftest import Deployment
from tests.journeys.test_faults import SLACK_FAULTS, befall

Act = Callable[[Deployment], Coroutine[Any, Any, None]]


async def say_nothing(deployment: Deployment) -> None:
    await deployment.slack.say("ana", "trading", "@Omni")


async def stop_what_somebody_else_asked(deployment: Deployment) -> None:
    deployment.script("slow", "At last.", seconds=60)
    ts = await deployment.slack.say("ben", "trading", "@Omni slow")
    key = (deployment.slack.workspace.channel("trading").id, ts)
    await deployment.slack.wait_for(lambda: deployment.slack.sessions.get(key, {}).get("status") == "processing")
    await deployment.slack.stop("ana", "trading", ts)


async def press_what_is_over(deployment: Deployment) -> None:
    """Ask for an answer anew that is the last no longer."""
    dm = deployment.slack.dm("ana")
    asked = [message.ts for message in deployment.roots(dm) if message.text == "a number please"]
    if not asked:
        deployment.script("number", "Seven.", seconds=0.2)
        asked = [await deployment.slack.say("ana", dm, "a number please")]
        await deployment.answered(dm, asked[0], "Seven.")
        await deployment.slack.say("ana", dm, "another number", thread_ts=asked[0])
        await deployment.answered(dm, asked[0], count=2)
    first, _ = deployment.replies(dm, asked[0])
    await deployment.slack.click("ana", dm, first.ts, label="Regenerate")


def told(deployment: Deployment, words: str) -> tuple[int, int]:
    """How often Ana was told so: where she was, and in her DM."""
    dm = [m for m in deployment.slack.history(deployment.slack.dm("ana")) if m.user == deployment.slack.bot_user_id]
    there = sum(words in tell_privately["text"] for tell_privately in deployment.slack.ephemerals("ana"))
    return there, sum(words in deployment.slack.visible_text(message) for message in dm)


ACTS = [
    (say_nothing, "/omni help"),
    (stop_what_somebody_else_asked, "nothing of yours to stop"),
    (press_what_is_over, "gone on"),
]


@pytest.mark.parametrize(("act", "words"), ACTS)
async def test_an_ephemeral_message_that_slack_refuses_or_drops_once_is_heard(
    deployment: Deployment, act: Act, words: str
):
    """All faults with one bot, one after the other."""
    there = elsewhere = 0

    def as_expected() -> bool:
        return told(deployment, words) == (there, elsewhere)

    for fault in SLACK_FAULTS:
        befall(deployment, "chat.postEphemeral", fault)
        await act(deployment)
        # What Slack showed without saying so is told again elsewhere: nobody can look an ephemeral message up.
        there, elsewhere = there + (fault == "after"), elsewhere + 1
        await deployment.slack.wait_for(as_expected)

    await act(deployment)
    there += 1
    await deployment.slack.wait_for(as_expected)
    assert "background_failed" not in deployment.bot.logged()
