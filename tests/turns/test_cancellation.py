"""Whoever pressed Stop is not made to wait for Clear Street; Clear Street is told all the same."""

import asyncio

import pytest

from omnibot.turns.model import NewTurn, Turn, TurnState
from tests.turns.conftest import new_turn
from tests.turns.harness import Hall

CREATE = "POST /v1/omni-ai/threads"
CONTINUE = "POST /v1/omni-ai/threads/{thread_id}/messages"
POLL = "GET /v1/omni-ai/responses/{response_id}"
MESSAGE = "GET /v1/omni-ai/messages/{message_id}"
#: Seconds: much longer than anybody waits after Stop, and shorter than a call that hangs.
SOON = 8.0


def question(ts: str = "1700000001.000100") -> NewTurn:
    return new_turn(ts, event={"text": "once"})


async def at_work(hall: Hall) -> Turn:
    """A turn of which Omni has said a little."""
    parts = [{"type": "text", "text": "A long story."}]
    final = {"at": 600.0 / hall.omni.pace, "status": "succeeded", "parts": parts}
    early = [{"at": 0.0, "status": "running", "parts": [{"type": "text", "text": "It began"}]}]
    hall.omni.add_script({"name": "test: once", "pattern": "once", "snapshots": early, "final": final})
    turn_id = await hall.ask(question())
    await hall.until(lambda: "progress" in hall.reply.calls)
    turn = await hall.store.get(turn_id)
    assert turn is not None
    return turn


async def stop(hall: Hall, turn: Turn) -> Turn:
    """Press Stop and see the turn end soon."""
    await hall.service.stop_turn(turn.id, turn.person, turn.channel)
    return await asyncio.wait_for(hall.ended(turn.id), SOON)


def said(hall: Hall, turn: Turn) -> str:
    return "".join(part.get("text", "") for part in hall.reply.answers[turn.id].parts)


async def test_an_answer_ends_with_what_was_said_while_the_cancel_hangs_and_omni_hears_it_later(hall: Hall):
    turn = await at_work(hall)
    canceling = hall.omni.gate.hold("DELETE *")
    ended = await stop(hall, turn)
    assert ended.state is TurnState.CANCELED
    assert said(hall, turn) == "It began"
    assert hall.omni.active()
    canceling.release()
    await hall.until(lambda: not hall.omni.active())


async def test_an_answer_ends_while_the_look_at_it_hangs(hall: Hall):
    turn = await at_work(hall)
    looking = hall.omni.gate.hold(POLL, count=99)
    await looking.reached()
    assert (await stop(hall, turn)).state is TurnState.CANCELED
    assert said(hall, turn) == "It began"
    looking.release()
    await hall.until(lambda: not hall.omni.active())


async def test_an_answer_ends_while_clear_street_is_too_busy_to_hear_the_cancel_which_is_said_again(hall: Hall):
    turn = await at_work(hall)
    hall.omni.gate.refuse("DELETE *", status=429, headers={"Retry-After": "2"})
    assert (await stop(hall, turn)).state is TurnState.CANCELED
    await hall.until(lambda: not hall.omni.active())


async def test_a_question_that_hangs_on_its_way_is_stopped_at_once_and_its_answer_when_it_arrives(hall: Hall):
    hall.script("once", "A long story.", seconds=600)
    sending = hall.omni.gate.hold(CREATE)
    turn_id = await hall.ask(question())
    await sending.reached()
    turn = await hall.store.get(turn_id)
    assert turn is not None
    assert turn.state is TurnState.SUBMITTING
    assert (await stop(hall, turn)).state is TurnState.CANCELED
    assert hall.reply.answers[turn_id].stopped_by == turn.person.user
    assert hall.asked() == []
    sending.release()
    await hall.until(lambda: hall.asked() == ["once"])
    await hall.until(lambda: not hall.omni.active())


async def test_a_question_whose_account_is_still_being_asked_for_is_stopped_at_once(hall: Hall):
    hall.script("once", "Never mind.")
    hall.keyring._shared_account_id = None
    asking = hall.omni.gate.hold("GET /v1/accounts", count=99)
    turn_id = await hall.ask(question())
    await asking.reached()
    turn = await hall.store.get(turn_id)
    assert turn is not None
    assert turn.state is TurnState.ACCEPTED
    assert (await stop(hall, turn)).state is TurnState.CANCELED
    assert "retract" in hall.reply.calls
    assert hall.asked() == []
    asking.release()


async def test_a_question_that_is_being_looked_for_is_stopped_with_its_answer(hall: Hall):
    hall.script("once", "A long story.", seconds=600)
    hall.omni.gate.drop(CREATE, "after")
    looking = hall.omni.gate.hold("GET /v1/omni-ai/threads")
    turn_id = await hall.ask(question())
    await looking.reached()
    turn = await hall.store.get(turn_id)
    assert turn is not None
    assert (await stop(hall, turn)).state is TurnState.CANCELED
    await hall.until(lambda: not hall.omni.active())


async def test_a_stop_hits_no_later_turn_although_its_cancel_comes_late(hall: Hall):
    turn = await at_work(hall)
    canceling = hall.omni.gate.hold("DELETE *")
    assert (await stop(hall, turn)).state is TurnState.CANCELED
    hall.script("second", "The second answer.", seconds=0.3)
    later = await hall.ask(new_turn("1700000002.000100", event={"text": "second"}))
    await hall.until(lambda: any(c.name == CONTINUE for c in hall.omni.calls))
    canceling.release()
    assert (await hall.ended(later)).state is TurnState.SUCCEEDED
    assert hall.asked() == ["once", "second"]


@pytest.mark.parametrize("fetched", [True, False])
async def test_an_answer_can_be_rated_although_its_final_message_could_not_be_fetched(hall: Hall, fetched: bool):
    hall.script("once", "The answer.", seconds=0.2)
    if not fetched:
        hall.omni.gate.refuse(MESSAGE, status=404, count=99)
        hall.omni.gate.refuse("GET /v1/omni-ai/threads/{thread_id}/messages", status=404, count=99)
    turn = await hall.ended(await hall.ask(question()))
    assert turn.state is TurnState.SUCCEEDED
    assert said(hall, turn) == "The answer."
    (response,) = hall.omni.store.responses.values()
    assert hall.reply.answers[turn.id].message_id == response.output_message_id
    why = await hall.service.answer_actions.rate(turn.id, team=turn.team, person=turn.person, score=1, comment=None)
    assert why is None
