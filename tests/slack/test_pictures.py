"""Charts as pictures in a reply: uploaded once, and said in words where Slack does not take them."""

from __future__ import annotations

import pytest

from omnibot.turns.model import Answer, Outcome
from tests.slack.conftest import Desktop

POINTS = [{"x": f"p{n}", "y": n} for n in range(200)]
CHART = {"type": "chart", "payload": {"chartId": "c", "dataChart": {"series": [{"name": "Close", "points": POINTS}]}}}
ANSWER = Answer(Outcome.SUCCEEDED, parts=[CHART])
WORDS = "from 0 (p0) to 199 (p199)"
UPLOAD = ["files.getUploadURLExternal", "upload", "files.completeUploadExternal", "files.info"]


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
