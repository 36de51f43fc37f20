"""Stop: who pressed it sees so at once, whatever the pace of progress, and however slowly Omni hears it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from omnibot_sandbox.slack import Message

from omnibot.blocks.answers.progress import STOP_ACTION, STOPPING
from omnibot.slack.delivery import streaming
from omnibot.slack.delivery.rate_limits import PROGRESS_PER_MINUTE, WriteBudget
from omnibot.turns.model import Kind, Outcome, ResponseSnapshot, Turn, TurnAnswer
from tests.slack.conftest import Desktop

STOPPED = TurnAnswer(
    Outcome.CANCELED, parts=[{"type": "text", "text": "Half of it."}], reason="The answer was stopped."
)
NEVER = 1_000.0


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """No progress is written because its time has come."""
    monkeypatch.setattr(streaming, "APPEND_PACE", NEVER)
    monkeypatch.setattr(streaming, "UPDATE_PACE", NEVER)


def running(text: str) -> ResponseSnapshot:
    return ResponseSnapshot("running", text, ())


def stop_buttons(message: Message) -> list[dict[str, Any]]:
    rows = (block["elements"] for block in message.blocks if block["type"] == "actions")
    return [element for row in rows for element in row if element["action_id"] == STOP_ACTION]


async def at_work(desktop: Desktop, text: str = "", **changes: Any) -> Turn:
    """A turn whose draft shows this."""
    turn = replace(await desktop.turn(), **changes)
    desktop.reply.progress(turn, running(text))
    words = text.rsplit("\n", 1)[-1] or "Working on it"
    await desktop.slack.wait_for(lambda: words in desktop.text(turn))
    return turn


async def says_stopping(desktop: Desktop, turn: Turn) -> None:
    await desktop.slack.wait_for(lambda: STOPPING in desktop.text(turn))


@pytest.mark.parametrize("streams", [True, False])
async def test_that_it_stops_is_said_before_the_next_progress_is_due_and_stays_said(desktop: Desktop, streams: bool):
    if not streams:
        desktop.without_streams()
    turn = await at_work(desktop, "Half of it.")
    desktop.reply.stopping(turn)
    await says_stopping(desktop, turn)
    (message,) = desktop.shown(turn)
    assert "Half of it." in desktop.slack.visible_text(message)
    assert stop_buttons(message) == []
    desktop.reply.progress(turn, running("Half of it. And a little more."))
    desktop.reply.stopping(turn)
    assert await desktop.reply.finish(turn, STOPPED, ()) is None
    text = desktop.text(turn)
    assert "The answer was stopped." in text
    assert STOPPING not in text


async def test_that_it_stops_is_said_even_when_the_budget_of_progress_is_spent(desktop: Desktop):
    desktop.without_streams()
    budget = WriteBudget({**PROGRESS_PER_MINUTE, "chat.update": 0.001}, {"chat.update": 1.0})
    reply = desktop.successor(budget)
    turn = await desktop.turn()
    reply.begin(turn)
    await desktop.slack.wait_for(lambda: desktop.shown(turn))
    assert budget.wait(turn.team, "chat.update", 0.0) == 0.0
    reply.stopping(turn)
    await says_stopping(desktop, turn)
    await reply.close()


async def test_after_slacks_own_stop_the_same_message_says_that_it_stops(desktop: Desktop):
    turn = await at_work(desktop, "Half of it.")
    await desktop.slack.stop("ana", "trading", turn.thread_ts or "")
    desktop.reply.stopping(turn)
    await says_stopping(desktop, turn)
    assert len(desktop.shown(turn)) == 1


async def test_another_process_goes_on_saying_that_it_stops(desktop: Desktop):
    turn = await at_work(desktop, "Half of it.")
    desktop.reply.drop(turn.id)
    successor = desktop.successor()
    successor.progress(replace(turn, cancel_requested_at=turn.created_at), running("Half of it. More."))
    await says_stopping(desktop, turn)
    await successor.close()


async def test_of_what_is_not_shown_nothing_is_said(desktop: Desktop):
    turn = await desktop.turn()
    desktop.reply.stopping(turn)
    assert await desktop.reply.finish(turn, STOPPED, ()) is None
    assert STOPPING not in "".join(str(call.args) for call in desktop.slack.calls)


async def test_a_posted_draft_has_a_stop_button_and_its_answer_has_none(desktop: Desktop):
    desktop.without_streams()
    turn = await at_work(desktop)
    (button,) = stop_buttons(desktop.shown(turn)[0])
    assert (button["value"], button["text"]["text"]) == (turn.id, "Stop")
    assert await desktop.reply.finish(turn, STOPPED, ()) is None
    assert stop_buttons(desktop.shown(turn)[0]) == []


async def test_a_draft_that_slack_does_not_let_stream_any_longer_gets_a_stop_button(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
):
    turn = await at_work(desktop, "One")
    assert stop_buttons(desktop.shown(turn)[0]) == []
    monkeypatch.setattr(streaming, "APPEND_PACE", 0.0)
    monkeypatch.setattr(streaming, "STREAM_AGE", 0.0)
    desktop.reply.progress(turn, running("One two"))
    await desktop.slack.wait_for(lambda: stop_buttons(desktop.shown(turn)[0]))


async def test_of_several_messages_the_last_has_the_stop_button(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streaming, "UPDATE_PACE", 0.0)
    desktop.without_streams()
    turn = await at_work(desktop, "One")
    words = [f"Paragraph {n} says something." for n in range(400)]
    desktop.reply.progress(turn, running("\n\n".join(words)))
    await desktop.slack.wait_for(lambda: words[-1] in desktop.text(turn))
    assert [len(stop_buttons(message)) for message in desktop.shown(turn)] == [0, 1]


async def test_an_action_has_no_stop_button(desktop: Desktop):
    desktop.without_streams()
    turn = await at_work(desktop, kind=Kind.ACTION)
    assert stop_buttons(desktop.shown(turn)[0]) == []
