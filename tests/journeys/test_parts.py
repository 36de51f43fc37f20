"""Every kind of part, from Omni's JSON to what stands in Slack, and what people do with it."""

from typing import Any

import pytest
from omnibot_sandbox.slack.workspace import Message

from omnibot.blocks.answers.feedback import COMMENT_ACTION, COMMENT_BLOCK, FEEDBACK_ACTION
from omnibot.blocks.answers.progress import STOP_ACTION
from tests.journeys.conftest import Deployment

NEWEST = pytest.mark.parametrize("deployment", ["2026-10"], indirect=True)


async def answer_to(deployment: Deployment, question: str, *words: str, count: int = 1) -> tuple[str, Message]:
    """Ask, wait for the finished answer; its thread and its last message."""
    ts = await deployment.slack.say("ana", "trading", f"@Omni {question}")
    await deployment.answered("trading", ts, *words, count=count)
    return ts, deployment.replies("trading", ts)[-1]


def ephemerals(deployment: Deployment, words: str) -> list[str]:
    return [
        tell_privately["text"]
        for tell_privately in deployment.slack.ephemerals("ana")
        if words in tell_privately["text"]
    ]


def blocks_of(message: Message, kind: str) -> list[dict[str, Any]]:
    return [block for block in message.blocks if block["type"] == kind]


@NEWEST
async def test_buttons_run_actions_in_the_thread_once_each_even_through_a_crash(deployment: Deployment):
    ts, reply = await answer_to(deployment, "open AAPL's chart", "one press away")
    hold = deployment.omni.gate.hold("GET /v1/market-data/snapshot")
    assert await deployment.slack.click("ana", "trading", reply.ts, label="Open the chart")
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    text = await deployment.answered("trading", ts, "Apple", "Volume", count=2)
    assert "quote" in text
    (card,) = blocks_of(deployment.replies("trading", ts)[-1], "card")
    assert "$" in card["subtitle"]["text"]
    assert deployment.asked() == ["open AAPL's chart"]

    ts, reply = await answer_to(deployment, "screen for large tech", "the largest first")
    assert await deployment.slack.click("ben", "trading", reply.ts, label=_screen_label(reply))
    await deployment.answered("trading", ts, "Market Cap", "found", count=2)
    result = deployment.replies("trading", ts)[-1]
    (table,) = blocks_of(result, "data_table")
    assert len(table["rows"]) > 3
    assert await deployment.slack.click("ana", "trading", result.ts, label="Screen (CSV)")
    await deployment.slack.wait_for(lambda: [m for m in deployment.slack.thread("trading", ts) if m.files])
    file = next(m for m in deployment.slack.thread("trading", ts) if m.files).files[0]
    data, _, name = deployment.slack.file(file["id"]) or (b"", "", "")
    assert name == "screen.csv"
    assert len(data.decode().strip().splitlines()) == len(table["rows"])


def _screen_label(message: Message) -> str:
    labels: list[str] = [button["text"]["text"] for button in _buttons(message)]
    return next(label for label in labels if "screen" in label.lower())


def _buttons(message: Message) -> list[dict[str, Any]]:
    return [element for block in blocks_of(message, "actions") for element in block["elements"]]


@NEWEST
async def test_pictures_tables_and_strange_parts(deployment: Deployment):
    ts, reply = await answer_to(deployment, "thousands of points", "Two thousand")
    (image,) = blocks_of(reply, "image")
    data, kind, _ = deployment.slack.file(image["slack_file"]["id"]) or (b"", "", "")
    assert (kind, data[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert "2,000 points" in image["alt_text"]
    assert await deployment.slack.click("ana", "trading", reply.ts, label="Chart data (CSV)")
    await deployment.slack.wait_for(lambda: [m for m in deployment.slack.thread("trading", ts) if m.files])
    uploads = [call for call in deployment.slack.calls if call.name == "files.getUploadURLExternal"]
    assert len(uploads) == 2  # the picture once, and the data

    _, reply = await answer_to(deployment, "150 rows")
    tables = blocks_of(reply, "data_table")
    assert sum(len(table["rows"]) - 1 for table in tables) == 150
    _, reply = await answer_to(deployment, "custom part", "heatmap")
    (notice,) = blocks_of(reply, "container")
    assert notice["default_collapsed"]
    assert deployment.slack.refusals == []


@NEWEST
async def test_a_thumb_down_asks_what_was_wrong_and_changing_ones_mind_counts(deployment: Deployment):
    _, reply = await answer_to(deployment, "what is the price of AAPL?", "AAPL")
    (thumbs,) = blocks_of(reply, "context_actions")
    down, up = (thumbs["elements"][0][f"{name}_button"]["value"] for name in ("negative", "positive"))

    async def press(value: str) -> None:
        assert await deployment.slack.press(
            "ana",
            channel="trading",
            ts=reply.ts,
            block_id=thumbs["block_id"],
            action_id=FEEDBACK_ACTION,
            value={"value": value},
        )

    await press(down)
    (modal,) = await deployment.slack.wait_for(lambda: deployment.slack.modals("ana"))
    words = {COMMENT_BLOCK: {COMMENT_ACTION: {"type": "plain_text_input", "value": "The price was from yesterday."}}}
    result = await deployment.slack.submit("ana", modal["id"], words)
    assert (result.acked, result.closed) == (True, True)
    await deployment.slack.wait_for(lambda: len(deployment.omni.feedback) == 2)
    await press(up)
    await deployment.slack.wait_for(lambda: len(deployment.omni.feedback) == 3)
    assert [(given["score"], given.get("comment")) for given in deployment.omni.feedback] == [
        (-1, None),
        (-1, "The price was from yesterday."),
        (1, None),
    ]
    deployment.slack.gate.refuse("views.open", status=500)
    await press(down)  # without the form, the score goes all the same
    await deployment.slack.wait_for(lambda: len(deployment.omni.feedback) == 4)
    deployment.omni.gate.refuse("POST /v1/omni-ai/messages/{message_id}/feedback", status=500)
    await press(down)
    told = await deployment.slack.wait_for(
        lambda: [e for e in deployment.slack.ephemerals("ana") if "did not reach" in e["text"]]
    )
    assert "request" in told[0]["text"]


@NEWEST
async def test_slacks_own_stop_ends_the_answer_within_a_second_and_no_later_one(deployment: Deployment):
    deployment.script("slowly", "The words that were said so far. " * 20, seconds=30)
    deployment.script("quickly", "A quick answer.")
    ts = await deployment.slack.say("ana", "trading", "@Omni slowly please")
    await deployment.slack.wait_for(lambda: "said so far" in "".join(deployment.shown("trading", ts)))
    await deployment.slack.stop("ana", "trading", ts)
    text = await deployment.answered("trading", ts, "Stopped by")
    assert "said so far" in text
    assert deployment.omni.active() == []
    key = (deployment.slack.workspace.channel("trading").id, ts)
    await deployment.slack.wait_for(lambda: deployment.slack.sessions[key]["status"] == "active")
    await deployment.slack.say("ana", "trading", "quickly now", thread_ts=ts)
    await deployment.answered("trading", ts, "A quick answer.", count=2)


@NEWEST
async def test_the_last_answer_can_be_made_again_and_no_earlier_one(deployment: Deployment):
    deployment.script("number", "Seven.")
    ts, first = await answer_to(deployment, "a number please", "Seven.")
    assert await deployment.slack.click("ana", "trading", first.ts, label="Regenerate")
    await deployment.answered("trading", ts, count=2)
    assert deployment.asked() == ["a number please", "a number please"]
    assert await deployment.slack.click("ana", "trading", first.ts, label="Regenerate")
    await deployment.slack.wait_for(lambda: ephemerals(deployment, "gone on since"))
    await deployment.at_rest()
    assert len(deployment.asked()) == 2


@NEWEST
async def test_the_stop_below_a_posted_answer_is_heard_at_once_and_stops_that_answer_alone(deployment: Deployment):
    """However long Clear Street takes to hear it; and nobody but the asker stops it."""
    no_streams = {"ok": False, "error": "channel_type_not_supported"}
    deployment.slack.gate.refuse("chat.startStream", status=200, body=no_streams, count=1_000)
    deployment.script("slowly", "The words that were said so far. " * 20, seconds=30)
    deployment.script("quickly", "A quick answer.")
    ts = await deployment.slack.say("ana", "trading", "@Omni slowly please")
    await deployment.slack.wait_for(lambda: "said so far" in "".join(deployment.shown("trading", ts)))
    await deployment.slack.say("ana", "trading", "quickly now", thread_ts=ts)
    await deployment.slack.wait_for(lambda: ephemerals(deployment, "after the question before it"))
    (draft,) = deployment.replies("trading", ts)
    (button,) = [element for element in _buttons(draft) if element["action_id"] == STOP_ACTION]
    assert await deployment.slack.click("ben", "trading", draft.ts, label="Stop")
    await deployment.slack.wait_for(
        lambda: [e for e in deployment.slack.ephemerals("ben") if "nothing to stop" in e["text"]]
    )

    canceling = deployment.omni.gate.hold("DELETE *")
    assert await deployment.slack.click("ana", "trading", draft.ts, label=button["text"]["text"])
    await deployment.slack.wait_for(lambda: "Stopping" in "".join(deployment.shown("trading", ts)))
    await canceling.reached()
    # While Omni has not heard it, the answer is over and what waits behind it begins.
    await deployment.answered("trading", ts, "Stopped by", count=2)
    canceling.release()
    text = await deployment.answered("trading", ts, "Stopped by", "A quick answer.", count=2)
    assert "said so far" in text
    assert "Stopping" not in text
    assert deployment.asked() == ["slowly please", "quickly now"]
    key = (deployment.slack.workspace.channel("trading").id, ts)
    await deployment.slack.wait_for(lambda: deployment.slack.sessions[key]["status"] == "active")
