"""The checker notices what it is there to notice."""

from typing import Any

import pytest
from omnibot_sandbox.demo import checks
from omnibot_sandbox.demo.steps import NEW, NEXT
from omnibot_sandbox.demo.stories import STORIES

ANSWER = "**AAPL** trades at [$271.06](ticker:AAPL), &lt;up&gt; 0.84%.\n\n| a | b |\n|---|---|\n| 1 | 2 |"
SHOWN = "Ana asked: the price\nAAPL trades at $271.06, <up> 0.84%.\n| a | b |\n| 1 | 2 |\nOmni AI can be wrong."
POLLED = ["GET /v1/accounts", "POST /v1/omni-ai/threads", *["GET /v1/omni-ai/responses/{response_id}"] * 3]
FETCHED = "GET /v1/omni-ai/messages/{message_id}"
LONG = " ".join(f"word{n}" for n in range(100))


def test_all_words_in_order_pass():
    assert checks.missing_words(ANSWER, SHOWN) == []
    assert checks.missing_words("", SHOWN) == []


@pytest.mark.parametrize(
    "shown",
    ["", SHOWN.replace("trades", ""), SHOWN.replace("271", "272"), "\n".join(reversed(SHOWN.split("\n")))],
    ids=["nothing", "one word", "one number", "out of order"],
)
def test_missing_words_are_named(shown: str):
    (problem,) = checks.missing_words(ANSWER, shown)
    assert "missing" in problem


def test_an_answer_shown_twice_is_noticed():
    assert checks.missing_words(LONG, LONG) == []
    assert "twice" in checks.missing_words(LONG, f"{LONG}\n\n{LONG}")[0]


def test_thinking_left_behind_is_named():
    thoughts = ["Looking it up...", "price"]
    assert checks.leftover_thoughts(thoughts, "The price is 5.", "The price is 5.") == []
    (problem,) = checks.leftover_thoughts(thoughts, "It is 5.", "Looking it up...\nIt is 5.")
    assert "Looking it up" in problem


def _prompt(label: str) -> dict[str, Any]:
    return {"label": label, "prompt": {"prompt": label}}


def test_buttons_must_be_there_in_order_with_all_their_words():
    long = "Show me everything there is to know about the largest companies of every sector there is"
    offered: list[dict[str, Any]] = [
        _prompt("Compare to AMD"),
        _prompt(long),
        _prompt("Again"),
        _prompt("Again"),
        {"label": "Only words"},
    ]
    labels = ["✓ Compare to AMD", f"2. {long[:60]}…", "Again", "Again", "Helpful"]
    text = f"2. {long}\n• Only words"
    assert checks.missing_buttons(offered, labels, text) == []
    assert "Compare" in checks.missing_buttons(offered, labels[1:], text)[0]
    assert "Again" in checks.missing_buttons(offered, [*labels[:2], *labels[3:]], text)[0]
    assert len(checks.missing_buttons(offered, list(reversed(labels)), text)) >= 1
    assert "Show me" in checks.missing_buttons(offered, labels, "• Only words")[0]
    assert "Only words" in checks.missing_buttons(offered, labels, f"2. {long}")[0]


def test_calls_must_come_in_order():
    calls = [*POLLED, FETCHED]
    assert checks.wrong_calls(NEW, calls) == []
    assert checks.wrong_calls((*NEW, *NEXT), [*calls, *_next(), *POLLED[2:], FETCHED]) == []
    assert checks.wrong_calls(NEW, POLLED) != []
    assert checks.wrong_calls(NEW, [*calls, FETCHED]) != []
    assert checks.wrong_calls(NEW, ["POST /v1/omni-ai/threads", *calls]) != []
    (problem,) = checks.wrong_calls(NEW, [FETCHED, *POLLED])
    assert "calls were GET messages/{message_id}, POST threads, GET responses/{response_id};" in problem
    assert checks.wrong_calls(NEW, []) == [
        "calls were none; expected POST threads, GET responses/{response_id} …, GET messages/{message_id}"
    ]


def _next() -> list[str]:
    return ["POST /v1/omni-ai/threads/{thread_id}/messages"]


@pytest.mark.parametrize("text", ["<!channel>", "x <!here|y>", "<@U012AB3CD>", "&lt;!channel&gt;", "<!subteam^S1>"])
def test_live_tokens_are_named_however_deep(text: str):
    assert checks.pings({"blocks": [{"text": {"text": text}}]}, {"U0ANA00001": "Ana"})


def test_words_and_meant_mentions_ping_nobody():
    payload = {"text": "@channel <\u200b!channel> <@U0ANA00001> a < b", "channel": "C1"}
    assert checks.pings(payload, {"U0ANA00001": "Ana"}) == []


def test_stories_are_named_and_described():
    assert {"first-answer", "markets", "deep-insight", "failure", "long", "hostile", "think-first"} <= STORIES.keys()
    assert {"many-buttons", "refusal", "dm", "private"} <= STORIES.keys()
    assert all(story.about and story.steps and story.calls for story in STORIES.values())
