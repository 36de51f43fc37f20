"""Agent sessions: what was said last of a thread is what is true of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from omnibot.slack.delivery.agent_status import METHOD, AgentStatus
from omnibot.slack.delivery.rate_limits import PROGRESS_PER_MINUTE, WriteBudget
from omnibot.turns.model import Outcome, Turn, TurnAnswer
from tests.slack.conftest import Desktop

FINAL = TurnAnswer(Outcome.SUCCEEDED, parts=[{"type": "text", "text": "The answer."}])


def said(desktop: Desktop) -> list[str]:
    """What Slack was told, in the order in which the calls came."""
    return [call.args["status"] for call in desktop.slack.calls if call.name == METHOD]


def status(desktop: Desktop, turn: Turn) -> str | None:
    session = desktop.slack.sessions.get((turn.channel, turn.thread_ts or ""))
    return session["status"] if session else None


async def posted(desktop: Desktop) -> Turn:
    turn = await desktop.turn()
    desktop.reply.begin(turn)
    await desktop.slack.wait_for(lambda: desktop.shown(turn))
    return turn


async def streaming(desktop: Desktop, turn: Turn) -> None:
    before = len(desktop.shown(turn))
    desktop.reply.begin(turn)
    await desktop.slack.wait_for(lambda: len(desktop.shown(turn)) > before and desktop.shown(turn)[-1].streaming)


async def test_that_work_begins_never_arrives_after_that_it_is_over(desktop: Desktop):
    desktop.without_streams()
    beginning = desktop.slack.gate.hold(METHOD)
    turn = await posted(desktop)
    await beginning.reached()
    assert await desktop.reply.finish(turn, FINAL, ()) is None
    beginning.release()
    await desktop.reply.close()
    assert said(desktop) == ["processing", "active"]
    assert status(desktop, turn) == "active"


async def test_the_end_of_a_stream_is_said_again_where_something_else_is_still_being_said(desktop: Desktop):
    turn = await desktop.turn()
    sessions = AgentStatus(desktop.client, WriteBudget())
    held = desktop.slack.gate.hold(METHOD)
    sessions.begin(turn, said=False)
    await held.reached()
    sessions.end(turn, said=True)
    held.release()
    await sessions.close(20)
    assert said(desktop) == ["processing", "active"]


async def test_what_is_out_of_date_is_not_said_any_more(desktop: Desktop):
    turn = await desktop.turn()
    next_turn = replace(turn, id="another")
    sessions = AgentStatus(desktop.client, WriteBudget())
    held = desktop.slack.gate.hold(METHOD)
    sessions.begin(turn, said=False)
    await held.reached()
    sessions.end(turn, said=False)
    sessions.begin(next_turn, said=True)
    held.release()
    await sessions.close(20)
    assert said(desktop) == ["processing", "processing"]
    assert status(desktop, turn) == "processing"


async def test_what_cannot_be_said_for_lack_of_budget_need_not_be_taken_back(desktop: Desktop):
    turn = await desktop.turn()
    sessions = AgentStatus(desktop.client, WriteBudget({**PROGRESS_PER_MINUTE, METHOD: 0.001}, {METHOD: 1.0}))
    elsewhere = replace(turn, id="another", thread_ts="1.1")
    for one in (turn, elsewhere):
        sessions.begin(one, said=False)
    await desktop.slack.wait_for(lambda: said(desktop))
    for one in (turn, elsewhere):
        sessions.end(one, said=False)
    await sessions.close(20)
    assert said(desktop) == ["processing", "active"]
    assert status(desktop, turn) == "active"


@pytest.mark.parametrize("ends", ["retracted", "refused"])
async def test_a_stream_that_ends_while_another_turn_works_in_its_thread_does_not_say_that_all_rests(
    desktop: Desktop, ends: str
):
    turn = await desktop.turn()
    await streaming(desktop, turn)
    other = replace(turn, id=(await desktop.turn()).id)
    await streaming(desktop, other)
    await desktop.slack.wait_for(lambda: desktop.reply._sessions.after(turn) == "processing")
    if ends == "refused":
        refused = {"ok": False, "error": "cant_delete_message"}
        desktop.slack.gate.refuse("chat.delete", status=200, body=refused, count=1_000)
    await desktop.reply.retract(turn)
    assert status(desktop, turn) == "processing"
    await desktop.reply.retract(other)
    await desktop.reply.close()
    assert status(desktop, turn) == "active"
