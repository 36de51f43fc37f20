"""App Home, the list of what somebody began, and going on with it in another thread: the real bot."""

from __future__ import annotations

from typing import Any

import pytest

from omnibot.slack.connection.manifest import build
from tests.blocks.slack_limits import strings
from tests.journeys.conftest import House


def whispered(house: House, name: str) -> dict[str, Any]:
    """The last thing that only this person was shown."""
    return house.slack.ephemerals(name)[-1]


def words(said: dict[str, Any]) -> str:
    return "\n".join(strings(said["blocks"])) or str(said["text"])


def home(house: House, name: str) -> str:
    view = house.slack.home(name)
    return "" if view is None else "\n".join(strings(view["blocks"]))


async def press_home(house: House, name: str, action_id: str) -> None:
    view = house.slack.home(name)
    assert view is not None
    for block in view["blocks"]:
        for element in [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]:
            if element.get("action_id") == action_id:
                where = {"view_id": view["id"], "block_id": block["block_id"], "action_id": action_id}
                assert await house.slack.press(name, **where)
                return
    raise AssertionError(f"no {action_id} in {home(house, name)}")


def continued(house: House, channel: str) -> list[str]:
    return [m.ts for m in house.roots(channel) if "continues an earlier" in house.slack.visible_text(m)]


async def list_of(house: House, name: str, channel: str) -> dict[str, Any]:
    result = await house.slack.command(name, channel, "/omni", "threads")
    assert result.acked
    return whispered(house, name)


def test_slack_is_told_that_there_is_a_home():
    assert build()["features"]["app_home"]["home_tab_enabled"]


async def test_a_conversation_goes_on_in_another_thread_without_a_mention_and_the_old_one_begins_anew(house: House):
    house.script("first", "The first answer.")
    house.script("second", "The second answer.")
    house.script("third", "The third answer.")
    assert "You have not begun" in words(await list_of(house, "ana", "trading"))
    old = await house.slack.say("ana", "research", "@Omni first")
    await house.answered("research", old, "The first answer.")

    listed = await list_of(house, "ana", "trading")
    assert "*first*" in words(listed)
    assert f"archives/C0RESEARCH/p{old.replace('.', '')}" in words(listed)
    assert "You have not begun" in words(await list_of(house, "ben", "trading"))
    assert await house.slack.click("ana", "trading", listed["ts"], label="Continue here")
    (new,) = await house.slack.wait_for(lambda: continued(house, "trading"))
    await house.slack.wait_for(lambda: "The first answer." in str(house.shown("trading", new)))
    await house.slack.wait_for(lambda: "It goes on here" in words(whispered(house, "ana")))

    await house.slack.say("ana", "trading", "second", thread_ts=new)
    await house.answered("trading", new, "The second answer.")
    (omni_thread,) = house.omni.threads
    assert house.omni.user_texts(omni_thread) == ["first", "second"]

    # Where it was, a question begins anew, and says so.
    await house.slack.say("ana", "research", "third", thread_ts=old)
    await house.answered("research", old, "The third answer.", "goes on elsewhere")
    assert len(house.omni.threads) == 2

    # In a channel that is no desk nothing of it is shown.
    public = await list_of(house, "ana", "research")
    before = len(house.slack.history("research"))
    assert await house.slack.click("ana", "research", public["ts"], action_id="omni_continue:1")
    (private,) = await house.slack.wait_for(lambda: continued(house, house.slack.dm("ana")))
    await house.slack.wait_for(lambda: "in your messages with me" in words(whispered(house, "ana")))
    assert len(house.slack.history("research")) == before
    await house.slack.say("ana", house.slack.dm("ana"), "second", thread_ts=private)
    await house.answered(house.slack.dm("ana"), private, "The second answer.")
    assert house.omni.user_texts(omni_thread) == ["first", "second", "second"]


@pytest.mark.parametrize("house", ["2026-10"], indirect=True)
async def test_what_omni_was_asked_without_an_account_goes_on_anywhere_and_stays_without_one(house: House):
    for text in ("first", "second", "third"):
        house.script(text, f"The {text} answer.")
    root = await house.slack.say("ana", "research", "@Omni first")
    await house.answered("research", root, "The first answer.")
    (omni_thread,) = house.omni.threads

    listed = await list_of(house, "ana", "research")
    assert await house.slack.click("ana", "research", listed["ts"], label="Continue here")
    (new,) = await house.slack.wait_for(lambda: continued(house, "research"))
    await house.slack.wait_for(lambda: "It goes on here" in words(whispered(house, "ana")))
    await house.slack.say("ana", "research", "second", thread_ts=new)
    await house.answered("research", new, "The second answer.")

    await house.slack.open_home("ana")
    await house.slack.wait_for(lambda: "Recent conversations" in home(house, "ana"))
    await press_home(house, "ana", "omni_continue:0")
    own = house.slack.dm("ana")
    (private,) = await house.slack.wait_for(lambda: continued(house, own))
    await house.slack.wait_for(lambda: "The second answer." in str(house.shown(own, private)))
    await house.slack.say("ana", own, "third", thread_ts=private)
    await house.answered(own, private, "The third answer.")
    assert house.omni.user_texts(omni_thread) == ["first", "second", "third"]
    assert list(house.omni.threads) == [omni_thread]


async def test_home_teaches_asks_lists_and_lets_conversations_go_on(house: House):
    for n in range(11):
        house.script(f"zebra {n}$", f"Answer {n}.")
    await house.slack.open_home("ben", "messages")
    await house.slack.open_home("ana")
    await house.slack.wait_for(lambda: "Ask your first question" in home(house, "ana"))
    assert "*Main*, asked about by default" in home(house, "ana")
    assert house.slack.home("ben") is None

    await press_home(house, "ana", "omni_example:0")
    own = house.slack.dm("ana")
    (root,) = await house.slack.wait_for(lambda: house.roots(own))
    await house.answered(own, root.ts, "S&P 500")
    await house.slack.open_home("ana")
    await house.slack.wait_for(lambda: "Recent conversations" in home(house, "ana"))
    assert "*How are the markets doing today?*" in home(house, "ana")

    await press_home(house, "ana", "omni_continue:0")
    (new,) = await house.slack.wait_for(lambda: continued(house, own))
    # What changed is shown without opening it again.
    await house.slack.wait_for(lambda: f"p{new.replace('.', '')}" in home(house, "ana"))

    bens = house.slack.dm("ben")
    asked = [await house.slack.say("ben", bens, f"zebra {n}") for n in range(11)]
    for ts in asked:
        await house.answered(bens, ts)
    listed = await list_of(house, "ben", "trading")
    assert "*zebra 10*" in words(listed)
    assert "*zebra 0*" not in words(listed)
    assert await house.slack.click("ben", "trading", listed["ts"], label="Older")
    await house.slack.wait_for(lambda: "*zebra 0*" in words(whispered(house, "ben")))
    assert await house.slack.click("ben", "trading", listed["ts"], label="Newer")
    await house.slack.wait_for(lambda: "*zebra 10*" in words(whispered(house, "ben")))
    # What was asked in a DM is nowhere in the channel but in what he alone was shown.
    assert "zebra" not in str([house.slack.visible_text(m) for m in house.slack.history("trading")])
    assert "zebra" not in house.bot.logged()
