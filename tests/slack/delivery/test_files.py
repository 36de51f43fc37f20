"""Charts as pictures in a reply: uploaded once, and said in words where Slack does not take them."""

from __future__ import annotations

import asyncio

import pytest

from omnibot.slack.delivery import files
from omnibot.turns.model import Outcome, TurnAnswer
from tests.slack.conftest import Desktop

POINTS = [{"x": f"p{n}", "y": n} for n in range(200)]
CHART = {"type": "chart", "payload": {"chartId": "c", "dataChart": {"series": [{"name": "Close", "points": POINTS}]}}}
ANSWER = TurnAnswer(Outcome.SUCCEEDED, parts=[CHART])
WORDS = "from 0 (p0) to 199 (p199)"
UPLOAD = ["files.getUploadURLExternal", "upload", "files.completeUploadExternal", "files.info"]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first picture waits for the process that draws to start, and a busy machine takes its time for that."""
    monkeypatch.setattr(files, "PATIENCE", 60.0)


async def test_a_picture_is_uploaded_once_however_often_its_reply_is_written(desktop: Desktop):
    turn = await desktop.turn()
    assert await desktop.reply.finish(turn, ANSWER, ()) is None
    assert await desktop.successor().finish(turn, ANSWER, ()) is None
    await desktop.reply.redraw(turn, ANSWER, ())
    (message,) = desktop.shown(turn)
    assert message.blocks[0]["type"] == "image"
    assert [call.name for call in desktop.slack.calls].count("files.completeUploadExternal") == 1


@pytest.mark.parametrize("method", UPLOAD)
@pytest.mark.parametrize("status", [429, 500])
async def test_a_picture_that_slack_refuses_costs_the_answer_nothing(desktop: Desktop, method: str, status: int):
    turn = await desktop.turn()
    desktop.slack.gate.refuse(method, status=status, headers={"Retry-After": "1"}, count=1_000)
    assert await desktop.reply.finish(turn, ANSWER, ()) is None
    (message,) = desktop.shown(turn)
    assert WORDS in desktop.slack.visible_text(message)


@pytest.mark.parametrize("point", ["before", "after"])
@pytest.mark.parametrize("method", UPLOAD)
async def test_a_picture_whose_upload_drops_costs_the_answer_nothing(desktop: Desktop, method: str, point):
    turn = await desktop.turn()
    desktop.slack.gate.drop(method, point, count=1_000)
    assert await desktop.reply.finish(turn, ANSWER, ()) is None
    assert WORDS in desktop.text(turn)


def uploads(desktop: Desktop) -> int:
    return [call.name for call in desktop.slack.calls].count("files.getUploadURLExternal")


async def test_a_picture_that_failed_is_not_tried_again_and_its_words_stay(desktop: Desktop):
    turn = await desktop.turn()
    desktop.slack.gate.refuse("files.completeUploadExternal", status=500)
    desktop.slack.gate.refuse("chat.postMessage", status=429, headers={"Retry-After": "1"})
    again_in = await desktop.reply.finish(turn, ANSWER, ())
    assert again_in is not None
    await asyncio.sleep(again_in)
    assert await desktop.reply.finish(turn, ANSWER, ()) is None
    (before,) = desktop.shown(turn)
    assert WORDS in desktop.slack.visible_text(before)
    blocks = before.blocks
    assert await desktop.successor().finish(turn, ANSWER, ()) is None
    await desktop.reply.redraw(turn, ANSWER, ())
    assert desktop.shown(turn)[0].blocks == blocks
    assert uploads(desktop) == 1


async def test_pictures_that_are_ready_are_shown_when_another_is_late(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
):
    warm = await desktop.turn()
    assert await desktop.reply.finish(warm, ANSWER, ()) is None
    monkeypatch.setattr(files, "PATIENCE", 4.0)
    late = desktop.slack.gate.hold("files.getUploadURLExternal", matches=lambda call: "chart-2" in str(call.args))
    turn = await desktop.turn()
    three = TurnAnswer(Outcome.SUCCEEDED, parts=[CHART, CHART, CHART])
    assert await desktop.reply.finish(turn, three, ()) is None
    late.release()
    (message,) = desktop.shown(turn)
    assert [block["type"] for block in message.blocks if block["type"] in ("image", "section")] == [
        "image",
        "section",
        "image",
    ]
    assert WORDS in desktop.slack.visible_text(message)
    await desktop.reply.redraw(turn, three, ())
    assert uploads(desktop) == 1 + 3
