"""Whole responses, however they grow: what stands in Slack at the end is the answer, once, and nothing of the work.

More examples: OMNIBOT_EXAMPLES=20 pytest tests/slack/delivery/test_any_response.py
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnibot.blocks.answers.answer import AI_NOTICE
from omnibot.blocks.answers.progress import STOPPING, WORKING
from omnibot.clearstreet.models import read_parts
from omnibot.slack.delivery import streaming
from omnibot.slack.delivery.rate_limits import PROGRESS_PER_MINUTE, WriteBudget
from omnibot.slack.delivery.replies import SlackReply
from omnibot.turns.model import Outcome, ResponseSnapshot, Turn, TurnAnswer
from omnibot.turns.rules import all_thoughts, joined_text
from tests.examples import examples
from tests.slack.conftest import Desktop

#: As good as no budget: the figures of paces and budgets are tested elsewhere.
LAVISH = dict.fromkeys(PROGRESS_PER_MINUTE, 1_000_000.0)
BELOW = "The answer is below."

Part = dict[str, Any]


# Responses: what is said in the end, and what was said on the way.

_pieces = st.sampled_from(
    [
        "It rose by 3 %.", "- a point\n- another", "## A heading", "> a quote", "`code` and **bold**",
        "<!channel> & <@U1>", "```py\nprint(1)\n```", "| Name | Price |\n|---|---|\n| AAPL | 187.50 |",
        "[AAPL](ticker:AAPL)", "漢字。 🇩🇪", "[a filing](https://example.com/10-K)", "A long paragraph. " * 60,
        "An even longer one. " * 500,
    ]
)  # fmt: skip
_texts = st.lists(_pieces, min_size=1, max_size=4).map("\n\n".join)
_thinking = st.lists(st.sampled_from(["Looking", "[1/3] Reading", "[2/3] Comparing", "[3/3] Writing"]), max_size=4)
_others = st.sampled_from(
    [
        {"type": "custom", "payload": {"kind": "heatmap", "cells": [1, 2]}},
        {"type": "hologram", "x": 1},
        {"type": "chart", "payload": {"chartId": "c", "dataChart": {"series": [
            {"name": "Close", "points": [{"x": f"p{n}", "y": n} for n in range(5)]}]}}},
        {"type": "chart", "payload": {"chartId": "d", "dataChart": {"series": []}}},
        {"type": "suggested_actions", "payload": {"actionButtons": [
            {"buttonId": "b", "label": "Next", "prompt": {"prompt": "Next"}}]}},
    ]
)  # fmt: skip


def _part(text: str | None, thoughts: list[str], other: Part) -> Part:
    if text is not None:
        return {"type": "text", "text": text}
    return {"type": "thinking", "thoughts": thoughts} if thoughts else other


_parts = st.lists(st.builds(_part, st.one_of(_texts, st.none()), _thinking, _others), max_size=4)


@st.composite
def _responses(draw: st.DrawFn) -> tuple[list[list[Part]], list[Part]]:
    """Snapshots and the final parts: cut short, rewritten, in another order, or something else altogether."""
    final = draw(_parts)
    snapshots: list[list[Part]] = []
    for how in draw(st.lists(st.sampled_from(["shorter", "rewritten", "other order", "other"]), max_size=5)):
        if how == "shorter":
            share = draw(st.floats(0, 1))
            snapshots.append([_shortened(part, share) for part in final])
        elif how == "rewritten":
            snapshots.append([{**part, "text": "No: " + part["text"]} if "text" in part else part for part in final])
        elif how == "other order":
            snapshots.append(draw(st.permutations(final)))
        else:
            snapshots.append(draw(_parts))
    return snapshots, final


def _shortened(part: Part, share: float) -> Part:
    return {**part, "text": part["text"][: int(len(part["text"]) * share)]} if "text" in part else part


#: What happens between two snapshots: nothing, time to write, Slack's refusals and losses, Stop, another process.
_EVENTS = [
    "",
    "",
    "pause",
    "pause",
    "stream over",
    "too long",
    "lost",
    "slow down",
    "stopped",
    "stopping",
    "taken over",
]
_events = st.lists(st.sampled_from(_EVENTS), max_size=6)


@pytest.fixture
async def lavish(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desktop]:
    """Every snapshot is shown if there is time at all."""
    monkeypatch.setattr(streaming, "APPEND_PACE", 0.0)
    monkeypatch.setattr(streaming, "UPDATE_PACE", 0.0)
    yield desktop
    desktop.slack.gate.clear()


class Story:
    """One turn, from its first snapshot to its answer."""

    def __init__(self, desktop: Desktop, turn: Turn) -> None:
        self.desktop, self.turn = desktop, turn
        self._replies: list[SlackReply] = []
        self.reply = self._process()

    def _process(self) -> SlackReply:
        reply = self.desktop.successor(WriteBudget(LAVISH, LAVISH))
        self._replies.append(reply)
        return reply

    async def show(self, parts: list[Part]) -> None:
        read = read_parts(parts)
        self.reply.progress(self.turn, ResponseSnapshot("running", joined_text(read), all_thoughts(read)))
        await asyncio.sleep(0)

    async def befall(self, event: str) -> None:
        slack, gate = self.desktop.slack, self.desktop.slack.gate
        match event:
            case "pause":
                await asyncio.sleep(0.03)
            case "stream over":
                refused = {"ok": False, "error": "message_not_in_streaming_state"}
                gate.refuse("chat.appendStream", status=200, body=refused)
            case "too long":
                gate.refuse("chat.appendStream", status=200, body={"ok": False, "error": "msg_too_long"})
            case "lost":
                gate.drop("chat.*", "after")
            case "slow down":
                gate.refuse("chat.*", status=429, headers={"Retry-After": "0"})
            case "stopped":
                session = slack.sessions.get((self.turn.channel, self.turn.thread_ts or ""))
                if session is not None and session["status"] == "processing":
                    await slack.stop("ana", "trading", self.turn.thread_ts or "")
            case "stopping":
                self.reply.stopping(self.turn)
            case "taken over":
                # The process that had it is gone: what it was about to write may still arrive, or never will.
                await self.reply.close()
                self.reply.drop(self.turn.id)
                self.reply = self._process()
            case _:
                pass

    async def end(self, answer: TurnAnswer) -> None:
        for _ in range(30):
            again_in = await self.reply.finish(self.turn, answer, ())
            if again_in is None:
                break
            await asyncio.sleep(min(again_in, 0.6))
        else:
            raise AssertionError("never delivered")
        self.desktop.slack.gate.clear()
        for reply in self._replies:
            await reply.close()


@settings(examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    response=_responses(),
    events=_events,
    outcome=st.sampled_from(list(Outcome)),
    late=st.booleans(),
    posted=st.booleans(),
)
async def test_whatever_came_before_slack_shows_the_answer_once(
    lavish: Desktop, response: tuple[list[list[Part]], list[Part]], events: list[str], outcome: Outcome, late, posted
):
    snapshots, final = response
    answer = TurnAnswer(
        outcome,
        parts=[part for part in final if part["type"] != "thinking"],
        reason=None if outcome is Outcome.SUCCEEDED else "It ended early.",
        message_id="m",
        late=late,
    )
    if posted:
        lavish.without_streams()
    story = Story(lavish, await lavish.turn())
    story.reply.begin(story.turn)
    for number in range(max(len(snapshots), len(events))):
        if number < len(events):
            await story.befall(events[number])
        if number < len(snapshots):
            await story.show(snapshots[number])
    await story.end(answer)

    plain = Story(lavish, await lavish.turn())
    await plain.end(answer)
    shown, expected = lavish.shown(story.turn), lavish.shown(plain.turn)
    if late and BELOW in lavish.slack.visible_text(shown[0]):
        shown = shown[1:]
    texts = [lavish.slack.visible_text(message) for message in shown]
    assert texts == [lavish.slack.visible_text(message) for message in expected]
    assert not any(message.streaming for message in lavish.shown(story.turn))
    everything = lavish.text(story.turn)
    assert WORKING not in everything
    assert STOPPING not in everything
    assert everything.count(AI_NOTICE) == 1
    key = (story.turn.channel, story.turn.thread_ts or "")
    assert lavish.slack.sessions.get(key, {"status": "active"})["status"] == "active"
    invalid = [call.answer for call in lavish.slack.refusals if (call.answer or {}).get("error") == "invalid_blocks"]
    assert invalid == []
