"""What Slack is recorded to accept and refuse: the emulator, asked the same over HTTP, says the same.

Each file under `recorded` names its source. `arguments` are literal, but for two placeholders ({own}: the ts of a
message of the bot's, {trigger}: a fresh trigger_id) and the ids of channels and people, which are the emulator's.
Issues often quote only part of an answer: `messages_recorded` says whether `messages` holds "all" lines or "some",
which may be the beginnings of lines.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

FOLDER = Path(__file__).parent / "recorded"
RECORDED = sorted(FOLDER.glob("*/*.json"))


@pytest.fixture
async def filled(slack, web):
    """Replace placeholders by what they stand for."""
    own = (await web.chat_postMessage(channel="C0TRADING1", text="own"))["ts"]
    trigger = (await slack.command("ana", "trading", "/omni", "x")).trigger_id
    places = {"{own}": own, "{trigger}": trigger}
    return lambda args: {name: places.get(str(value), value) for name, value in args.items()}


def test_there_is_something_to_compare():
    assert len(RECORDED) >= 70


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_the_emulator_answers_as_slack_did(web, filled, path):
    record = json.loads(path.read_text())
    assert record["source"]
    assert record["answer"]["ok"] is (path.parent.name == "accepted")
    try:
        response = await web.api_call(record["method"], json=filled(record["arguments"]))
    except SlackApiError as error:
        response = error.response
    answer: dict[str, Any] = dict(response.data)
    compare(answer, record)


def compare(answer: dict[str, Any], record: dict[str, Any]) -> None:
    expected = record["answer"]
    for name in ("ok", "error", "errors"):
        if name in expected:
            assert answer.get(name) == expected[name], answer
    lines = answer.get("response_metadata", {}).get("messages", [])
    recorded = expected.get("response_metadata", {}).get("messages", [])
    for line in recorded:
        assert any(said.startswith(line) for said in lines), lines
    if record.get("messages_recorded") == "all":
        assert sorted(lines) == sorted(recorded)
    if "keeps_metadata" in record:
        assert ("metadata" in answer["message"]) is record["keeps_metadata"]
    if "length_of_text" in record:
        assert len(answer["message"]["text"]) == record["length_of_text"]
