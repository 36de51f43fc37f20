"""Modals whose contents take their time, on the emulated Slack."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from omnibot_sandbox.slack import interactions

from omnibot.blocks.layout.modals import View, moment_view, words_view
from omnibot.slack.delivery.modals import MOMENT, fresh_id, made, open_modal, show, stand_in_for
from tests.slack.conftest import Desktop

TITLE = "Account"


def trigger(desktop: Desktop) -> str:
    workspace = desktop.slack.workspace
    return interactions.trigger(workspace, workspace.user("ana"))


def shown(desktop: Desktop) -> list[str]:
    return [desktop.slack.visible_text({"text": "", "blocks": v["blocks"]}) for v in desktop.slack.modals("ana")]


async def ready(words: str = "Here it is.") -> View:
    return words_view(TITLE, words)


async def test_what_is_ready_is_opened_as_it_is(desktop: Desktop):
    assert await open_modal(desktop.client, trigger(desktop), TITLE, ready())
    assert shown(desktop) == ["Here it is."]
    assert [call.name for call in desktop.slack.calls] == ["views.open"]


async def test_what_takes_long_has_a_stand_in_until_it_is_there(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("omnibot.slack.delivery.modals.PATIENCE", 0.01)
    go_on = asyncio.Event()

    async def slow() -> View:
        await go_on.wait()
        return await ready()

    opening = asyncio.create_task(open_modal(desktop.client, trigger(desktop), TITLE, slow()))
    await desktop.slack.wait_for(lambda: shown(desktop) == [MOMENT])
    go_on.set()
    assert await opening
    assert shown(desktop) == ["Here it is."]


async def test_a_modal_that_slack_does_not_open_is_reported(desktop: Desktop):
    assert not await open_modal(desktop.client, "1.2.3", TITLE, ready())


async def test_contents_wait_for_their_stand_in_which_may_still_be_on_its_way(desktop: Desktop):
    stand_in = fresh_id()
    showing = asyncio.create_task(show(desktop.client, stand_in, await ready()))
    await desktop.slack.wait_for(lambda: any(call.answer for call in desktop.slack.calls))
    view = moment_view(TITLE, MOMENT, external_id=stand_in)
    await desktop.client.views_open(trigger_id=trigger(desktop), view=view)
    assert await showing
    assert shown(desktop) == ["Here it is."]


async def test_contents_of_a_modal_that_was_closed_are_reported(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("omnibot.slack.delivery.modals.TRIES", (0.0, 0.01))
    assert not await show(desktop.client, fresh_id(), await ready())
    assert await stand_in_for(desktop.client, "V0GONE", TITLE, MOMENT) is None


async def test_a_busy_slack_is_waited_for(desktop: Desktop):
    opened: Any = await desktop.client.views_open(trigger_id=trigger(desktop), view=await ready("First."))
    stand_in = await stand_in_for(desktop.client, opened["view"]["id"], TITLE, MOMENT)
    assert stand_in is not None
    desktop.slack.gate.refuse("views.update", status=429, count=1)
    assert await show(desktop.client, stand_in, await ready())
    assert shown(desktop) == ["Here it is."]


async def test_what_cannot_be_made_says_so_instead_of_standing_for_ever(desktop: Desktop):
    async def broken() -> View:
        raise ValueError("inside")

    async def without_slack() -> View:
        raise TimeoutError

    assert "reference" in str(await made(TITLE, broken()))
    assert "inside" not in str(await made(TITLE, broken()))
    assert "Slack is not answering" in str(await made(TITLE, without_slack()))
