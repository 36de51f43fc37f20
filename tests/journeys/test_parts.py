"""Every kind of part, from Omni's JSON to what stands in Slack, and what people do with it."""

from typing import Any

import pytest
from omnibot_sandbox.slack.workspace import Message

from omnibot.blocks.answers.feedback import COMMENT_ACTION, COMMENT_BLOCK, FEEDBACK_ACTION
from omnibot.blocks.answers.progress import STOP_ACTION
from tests.journeys.conftest import House

NEWEST = pytest.mark.parametrize("house", ["2026-10"], indirect=True)


async def answer_to(house: House, question: str, *words: str, count: int = 1) -> tuple[str, Message]:
    """Ask, wait for the finished answer; its thread and its last message."""
    ts = await house.slack.say("ana", "trading", f"@Omni {question}")
    await house.answered("trading", ts, *words, count=count)
    return ts, house.replies("trading", ts)[-1]


def whispers(house: House, words: str) -> list[str]:
    return [
        tell_privately["text"] for tell_privately in house.slack.ephemerals("ana") if words in tell_privately["text"]
    ]


def blocks_of(message: Message, kind: str) -> list[dict[str, Any]]:
    return [block for block in message.blocks if block["type"] == kind]


@NEWEST
async def test_buttons_run_actions_in_the_thread_once_each_even_through_a_crash(house: House):
    ts, reply = await answer_to(house, "open AAPL's chart", "one press away")
    hold = house.omni.gate.hold("GET /v1/market-data/snapshot")
    assert await house.slack.click("ana", "trading", reply.ts, label="Open the chart")
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    text = await house.answered("trading", ts, "Apple", "Volume", count=2)
    assert "quote" in text
    (card,) = blocks_of(house.replies("trading", ts)[-1], "card")
    assert "$" in card["subtitle"]["text"]
    assert house.asked() == ["open AAPL's chart"]

    ts, reply = await answer_to(house, "screen for large tech", "the largest first")
    assert await house.slack.click("ben", "trading", reply.ts, label=_screen_label(reply))
    await house.answered("trading", ts, "Market Cap", "found", count=2)
    result = house.replies("trading", ts)[-1]
    (table,) = blocks_of(result, "data_table")
    assert len(table["rows"]) > 3
    assert await house.slack.click("ana", "trading", result.ts, label="Screen (CSV)")
    await house.slack.wait_for(lambda: [m for m in house.slack.thread("trading", ts) if m.files])
    file = next(m for m in house.slack.thread("trading", ts) if m.files).files[0]
    data, _, name = house.slack.file(file["id"]) or (b"", "", "")
    assert name == "screen.csv"
    assert len(data.decode().strip().splitlines()) == len(table["rows"])


def _screen_label(message: Message) -> str:
    labels: list[str] = [button["text"]["text"] for button in _buttons(message)]
    return next(label for label in labels if "screen" in label.lower())


def _buttons(message: Message) -> list[dict[str, Any]]:
    return [element for block in blocks_of(message, "actions") for element in block["elements"]]


@NEWEST
async def test_pictures_tables_and_strange_parts(house: House):
    ts, reply = await answer_to(house, "thousands of points", "Two thousand")
    (image,) = blocks_of(reply, "image")
    data, kind, _ = house.slack.file(image["slack_file"]["id"]) or (b"", "", "")
    assert (kind, data[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert "2,000 points" in image["alt_text"]
    assert await house.slack.click("ana", "trading", reply.ts, label="Chart data (CSV)")
    await house.slack.wait_for(lambda: [m for m in house.slack.thread("trading", ts) if m.files])
    uploads = [call for call in house.slack.calls if call.name == "files.getUploadURLExternal"]
    assert len(uploads) == 2  # the picture once, and the data

    _, reply = await answer_to(house, "150 rows")
    tables = blocks_of(reply, "data_table")
    assert sum(len(table["rows"]) - 1 for table in tables) == 150
    _, reply = await answer_to(house, "custom part", "heatmap")
    (notice,) = blocks_of(reply, "container")
    assert notice["default_collapsed"]
    assert house.slack.refusals == []


@NEWEST
async def test_a_thumb_down_asks_what_was_wrong_and_changing_ones_mind_counts(house: House):
    _, reply = await answer_to(house, "what is the price of AAPL?", "AAPL")
    (thumbs,) = blocks_of(reply, "context_actions")
    down, up = (thumbs["elements"][0][f"{name}_button"]["value"] for name in ("negative", "positive"))

    async def press(value: str) -> None:
        assert await house.slack.press(
            "ana",
            channel="trading",
            ts=reply.ts,
            block_id=thumbs["block_id"],
            action_id=FEEDBACK_ACTION,
            value={"value": value},
        )

    await press(down)
    (modal,) = await house.slack.wait_for(lambda: house.slack.modals("ana"))
    words = {COMMENT_BLOCK: {COMMENT_ACTION: {"type": "plain_text_input", "value": "The price was from yesterday."}}}
    result = await house.slack.submit("ana", modal["id"], words)
    assert (result.acked, result.closed) == (True, True)
    await house.slack.wait_for(lambda: len(house.omni.feedback) == 2)
    await press(up)
    await house.slack.wait_for(lambda: len(house.omni.feedback) == 3)
    assert [(given["score"], given.get("comment")) for given in house.omni.feedback] == [
        (-1, None),
        (-1, "The price was from yesterday."),
        (1, None),
    ]
    house.slack.gate.refuse("views.open", status=500)
    await press(down)  # without the form, the score goes all the same
    await house.slack.wait_for(lambda: len(house.omni.feedback) == 4)
    house.omni.gate.refuse("POST /v1/omni-ai/messages/{message_id}/feedback", status=500)
    await press(down)
    told = await house.slack.wait_for(
        lambda: [e for e in house.slack.ephemerals("ana") if "did not reach" in e["text"]]
    )
    assert "request" in told[0]["text"]


@NEWEST
async def test_slacks_own_stop_ends_the_answer_within_a_second_and_no_later_one(house: House):
    house.script("slowly", "The words that were said so far. " * 20, seconds=30)
    house.script("quickly", "A quick answer.")
    ts = await house.slack.say("ana", "trading", "@Omni slowly please")
    await house.slack.wait_for(lambda: "said so far" in "".join(house.shown("trading", ts)))
    await house.slack.stop("ana", "trading", ts)
    text = await house.answered("trading", ts, "Stopped by")
    assert "said so far" in text
    assert house.omni.active() == []
    key = (house.slack.workspace.channel("trading").id, ts)
    await house.slack.wait_for(lambda: house.slack.sessions[key]["status"] == "active")
    await house.slack.say("ana", "trading", "quickly now", thread_ts=ts)
    await house.answered("trading", ts, "A quick answer.", count=2)


@NEWEST
async def test_the_last_answer_can_be_made_again_and_no_earlier_one(house: House):
    house.script("number", "Seven.")
    ts, first = await answer_to(house, "a number please", "Seven.")
    assert await house.slack.click("ana", "trading", first.ts, label="Regenerate")
    await house.answered("trading", ts, count=2)
    assert house.asked() == ["a number please", "a number please"]
    assert await house.slack.click("ana", "trading", first.ts, label="Regenerate")
    await house.slack.wait_for(lambda: whispers(house, "gone on since"))
    await house.at_rest()
    assert len(house.asked()) == 2


@NEWEST
async def test_the_stop_below_a_posted_answer_is_heard_at_once_and_stops_that_answer_alone(house: House):
    """However long Clear Street takes to hear it; and nobody but the asker stops it."""
    no_streams = {"ok": False, "error": "channel_type_not_supported"}
    house.slack.gate.refuse("chat.startStream", status=200, body=no_streams, count=1_000)
    house.script("slowly", "The words that were said so far. " * 20, seconds=30)
    house.script("quickly", "A quick answer.")
    ts = await house.slack.say("ana", "trading", "@Omni slowly please")
    await house.slack.wait_for(lambda: "said so far" in "".join(house.shown("trading", ts)))
    await house.slack.say("ana", "trading", "quickly now", thread_ts=ts)
    await house.slack.wait_for(lambda: whispers(house, "after the question before it"))
    (draft,) = house.replies("trading", ts)
    (button,) = [element for element in _buttons(draft) if element["action_id"] == STOP_ACTION]
    assert await house.slack.click("ben", "trading", draft.ts, label="Stop")
    await house.slack.wait_for(lambda: [e for e in house.slack.ephemerals("ben") if "nothing to stop" in e["text"]])

    canceling = house.omni.gate.hold("DELETE *")
    assert await house.slack.click("ana", "trading", draft.ts, label=button["text"]["text"])
    await house.slack.wait_for(lambda: "Stopping" in "".join(house.shown("trading", ts)))
    await canceling.reached()
    # While Omni has not heard it, the answer is over and what waits behind it begins.
    await house.answered("trading", ts, "Stopped by", count=2)
    canceling.release()
    text = await house.answered("trading", ts, "Stopped by", "A quick answer.", count=2)
    assert "said so far" in text
    assert "Stopping" not in text
    assert house.asked() == ["slowly please", "quickly now"]
    key = (house.slack.workspace.channel("trading").id, ts)
    await house.slack.wait_for(lambda: house.slack.sessions[key]["status"] == "active")
