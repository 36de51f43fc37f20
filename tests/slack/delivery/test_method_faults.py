"""The calls beside those that write: whatever happens to one of them, the answer arrives once and nothing is left open.

Faults of the calls that write are the journeys'; of pictures test_pictures.py's, of forms test_modals.py's.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from omnibot.slack.delivery.agent_status import METHOD
from omnibot.slack.delivery.replies import SlackReply
from omnibot.turns.model import Outcome, ResponseSnapshot, Turn, TurnAnswer
from tests.slack.conftest import Desktop

FINAL = TurnAnswer(Outcome.SUCCEEDED, parts=[{"type": "text", "text": "The answer."}])
FAULTS: list[Any] = [
    {"status": 500},
    {"status": 200, "body": "certainly"},
    {"status": 429, "headers": {"Retry-After": "1"}},
    "before",
    "after",
]


def befall(desktop: Desktop, method: str, fault: Any) -> Any:
    gate = desktop.slack.gate
    return gate.refuse(method, **fault) if isinstance(fault, dict) else gate.drop(method, fault)


async def deliver(reply: SlackReply, turn: Turn) -> None:
    """As its turn's alarm does it."""
    for _ in range(20):
        wait = await reply.finish(turn, FINAL, ())
        if wait is None:
            return
        await asyncio.sleep(wait)
    raise AssertionError("never delivered")


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_that_the_agent_rests_is_said_again_when_slack_did_not_hear_it(desktop: Desktop, fault: Any):
    desktop.without_streams()
    turn = await desktop.turn()
    desktop.reply.begin(turn)
    key = (turn.channel, turn.thread_ts or "")
    await desktop.slack.wait_for(lambda: desktop.shown(turn))
    await desktop.slack.wait_for(lambda: desktop.slack.sessions.get(key, {}).get("status") == "processing")
    rule = befall(desktop, METHOD, fault)
    await deliver(desktop.reply, turn)
    await desktop.slack.wait_for(lambda: desktop.slack.sessions[key]["status"] == "active")
    assert rule.calls
    assert desktop.text(turn).count("The answer.") == 1


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_stream_that_may_have_begun_is_found_although_the_search_fails_once(desktop: Desktop, fault: Any):
    turn = await desktop.turn()
    begun = desktop.slack.gate.drop("chat.startStream", "after")
    desktop.reply.progress(turn, ResponseSnapshot("running", "Half of it.", ()))
    await desktop.slack.wait_for(lambda: begun.calls)
    desktop.reply.drop(turn.id)
    rule = befall(desktop, "conversations.replies", fault)
    await deliver(desktop.successor(), turn)
    assert rule.calls
    (message,) = desktop.shown(turn)
    assert not message.streaming
    assert desktop.text(turn).count("The answer.") == 1


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_an_answer_for_a_closed_channel_finds_its_way_although_the_dm_does_not_open_at_once(
    desktop: Desktop, fault: Any
):
    turn = await desktop.turn()
    closed = {"ok": False, "error": "is_archived"}
    for method in ("chat.startStream", "chat.postMessage"):
        desktop.slack.gate.refuse(
            method, status=200, body=closed, count=1_000, matches=lambda c: c.args.get("channel") == turn.channel
        )
    rule = befall(desktop, "conversations.open", fault)
    await deliver(desktop.reply, turn)
    assert rule.calls
    direct = [
        call for call in desktop.slack.calls if call.name == "chat.postMessage" and call.args["channel"] != turn.channel
    ]
    assert len([call for call in direct if call.status == 200]) == 1
