"""App Home, the list of what somebody began, and going on with it in another thread: the real bot."""

from __future__ import annotations

from typing import Any

import pytest

from omnibot.slack.connection.manifest import build
from tests.blocks.slack_limits import strings
from tests.journeys.conftest import Deployment


def whispered(deployment: Deployment, name: str) -> dict[str, Any]:
    """The last thing that only this person was shown."""
    return deployment.slack.ephemerals(name)[-1]


def words(said: dict[str, Any]) -> str:
    return "\n".join(strings(said["blocks"])) or str(said["text"])


def home(deployment: Deployment, name: str) -> str:
    view = deployment.slack.home(name)
    return "" if view is None else "\n".join(strings(view["blocks"]))


async def press_home(deployment: Deployment, name: str, action_id: str) -> None:
    view = deployment.slack.home(name)
    assert view is not None
    for block in view["blocks"]:
        for element in [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]:
            if element.get("action_id") == action_id:
                where = {"view_id": view["id"], "block_id": block["block_id"], "action_id": action_id}
                assert await deployment.slack.press(name, **where)
                return
    raise AssertionError(f"no {action_id} in {home(deployment, name)}")


def continued(deployment: Deployment, channel: str) -> list[str]:
    return [m.ts for m in deployment.roots(channel) if "continues an earlier" in deployment.slack.visible_text(m)]


async def list_of(deployment: Deployment, name: str, channel: str) -> dict[str, Any]:
    result = await deployment.slack.command(name, channel, "/omni", "threads")
    assert result.acked
    return whispered(deployment, name)


def test_slack_is_told_that_there_is_a_home():
    assert build()["features"]["app_home"]["home_tab_enabled"]


async def test_a_conversation_goes_on_in_another_thread_without_a_mention_and_the_old_one_begins_anew(
    deployment: Deployment,
):
    deployment.script("first", "The first answer.")
    deployment.script("second", "The second answer.")
    deployment.script("third", "The third answer.")
    assert "You have not begun" in words(await list_of(deployment, "ana", "trading"))
    old = await deployment.slack.say("ana", "research", "@Omni first")
    await deployment.answered("research", old, "The first answer.")

    listed = await list_of(deployment, "ana", "trading")
    assert "*first*" in words(listed)
    assert f"archives/C0RESEARCH/p{old.replace('.', '')}" in words(listed)
    assert "You have not begun" in words(await list_of(deployment, "ben", "trading"))
    assert await deployment.slack.click("ana", "trading", listed["ts"], label="Continue here")
    (new,) = await deployment.slack.wait_for(lambda: continued(deployment, "trading"))
    await deployment.slack.wait_for(lambda: "The first answer." in str(deployment.shown("trading", new)))
    await deployment.slack.wait_for(lambda: "It goes on here" in words(whispered(deployment, "ana")))

    await deployment.slack.say("ana", "trading", "second", thread_ts=new)
    await deployment.answered("trading", new, "The second answer.")
    (omni_thread,) = deployment.omni.threads
    assert deployment.omni.user_texts(omni_thread) == ["first", "second"]

    # Where it was, a question begins anew, and says so.
    await deployment.slack.say("ana", "research", "third", thread_ts=old)
    await deployment.answered("research", old, "The third answer.", "goes on elsewhere")
    assert len(deployment.omni.threads) == 2

    # In a channel that is not for account data nothing of it is shown.
    public = await list_of(deployment, "ana", "research")
    before = len(deployment.slack.history("research"))
    assert await deployment.slack.click("ana", "research", public["ts"], action_id="omni_continue:1")
    (private,) = await deployment.slack.wait_for(lambda: continued(deployment, deployment.slack.dm("ana")))
    await deployment.slack.wait_for(lambda: "in your messages with me" in words(whispered(deployment, "ana")))
    assert len(deployment.slack.history("research")) == before
    await deployment.slack.say("ana", deployment.slack.dm("ana"), "second", thread_ts=private)
    await deployment.answered(deployment.slack.dm("ana"), private, "The second answer.")
    assert deployment.omni.user_texts(omni_thread) == ["first", "second", "second"]


@pytest.mark.parametrize("deployment", ["2026-10"], indirect=True)
async def test_what_omni_was_asked_without_an_account_goes_on_anywhere_and_stays_without_one(deployment: Deployment):
    for text in ("first", "second", "third"):
        deployment.script(text, f"The {text} answer.")
    root = await deployment.slack.say("ana", "research", "@Omni first")
    await deployment.answered("research", root, "The first answer.")
    (omni_thread,) = deployment.omni.threads

    listed = await list_of(deployment, "ana", "research")
    assert await deployment.slack.click("ana", "research", listed["ts"], label="Continue here")
    (new,) = await deployment.slack.wait_for(lambda: continued(deployment, "research"))
    await deployment.slack.wait_for(lambda: "It goes on here" in words(whispered(deployment, "ana")))
    await deployment.slack.say("ana", "research", "second", thread_ts=new)
    await deployment.answered("research", new, "The second answer.")

    await deployment.slack.open_home("ana")
    await deployment.slack.wait_for(lambda: "Recent conversations" in home(deployment, "ana"))
    await press_home(deployment, "ana", "omni_continue:0")
    own = deployment.slack.dm("ana")
    (private,) = await deployment.slack.wait_for(lambda: continued(deployment, own))
    await deployment.slack.wait_for(lambda: "The second answer." in str(deployment.shown(own, private)))
    await deployment.slack.say("ana", own, "third", thread_ts=private)
    await deployment.answered(own, private, "The third answer.")
    assert deployment.omni.user_texts(omni_thread) == ["first", "second", "third"]
    assert list(deployment.omni.threads) == [omni_thread]


async def test_home_teaches_asks_lists_and_lets_conversations_go_on(deployment: Deployment):
    for n in range(11):
        deployment.script(f"zebra {n}$", f"Answer {n}.")
    await deployment.slack.open_home("ben", "messages")
    await deployment.slack.open_home("ana")
    await deployment.slack.wait_for(lambda: "Ask your first question" in home(deployment, "ana"))
    assert "*Main*, asked about by default" in home(deployment, "ana")
    assert deployment.slack.home("ben") is None

    await press_home(deployment, "ana", "omni_example:0")
    own = deployment.slack.dm("ana")
    (root,) = await deployment.slack.wait_for(lambda: deployment.roots(own))
    await deployment.answered(own, root.ts, "S&P 500")
    await deployment.slack.open_home("ana")
    await deployment.slack.wait_for(lambda: "Recent conversations" in home(deployment, "ana"))
    assert "*How are the markets doing today?*" in home(deployment, "ana")

    await press_home(deployment, "ana", "omni_continue:0")
    (new,) = await deployment.slack.wait_for(lambda: continued(deployment, own))
    # What changed is shown without opening it again.
    await deployment.slack.wait_for(lambda: f"p{new.replace('.', '')}" in home(deployment, "ana"))

    bens = deployment.slack.dm("ben")
    asked = [await deployment.slack.say("ben", bens, f"zebra {n}") for n in range(11)]
    for ts in asked:
        await deployment.answered(bens, ts)
    listed = await list_of(deployment, "ben", "trading")
    assert "*zebra 10*" in words(listed)
    assert "*zebra 0*" not in words(listed)
    assert await deployment.slack.click("ben", "trading", listed["ts"], label="Older")
    await deployment.slack.wait_for(lambda: "*zebra 0*" in words(whispered(deployment, "ben")))
    assert await deployment.slack.click("ben", "trading", listed["ts"], label="Newer")
    await deployment.slack.wait_for(lambda: "*zebra 10*" in words(whispered(deployment, "ben")))
    # What was asked in a DM is nowhere in the channel but in what he alone was shown.
    assert "zebra" not in str([deployment.slack.visible_text(m) for m in deployment.slack.history("trading")])
    assert "zebra" not in deployment.bot.logged()
