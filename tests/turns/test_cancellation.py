"""Whoever pressed Stop is not made to wait for Clear Street; Clear Street is told all the same."""

import asyncio

import pytest

from omnibot.turns.model import NewTurn, Turn, TurnState
from tests.turns.conftest import new_turn
from tests.turns.harness import EngineHarness

CREATE = "POST /v1/omni-ai/threads"
CONTINUE = "POST /v1/omni-ai/threads/{thread_id}/messages"
POLL = "GET /v1/omni-ai/responses/{response_id}"
MESSAGE = "GET /v1/omni-ai/messages/{message_id}"
#: Seconds: much longer than anybody waits after Stop, and shorter than a call that hangs.
SOON = 8.0


def question(ts: str = "1700000001.000100") -> NewTurn:
    return new_turn(ts, event={"text": "once"})


async def at_work(harness: EngineHarness) -> Turn:
    """A turn of which Omni has said a little."""
    parts = [{"type": "text", "text": "A long story."}]
    final = {"at": 600.0 / harness.omni.pace, "status": "succeeded", "parts": parts}
    early = [{"at": 0.0, "status": "running", "parts": [{"type": "text", "text": "It began"}]}]
    harness.omni.add_script({"name": "test: once", "pattern": "once", "snapshots": early, "final": final})
    turn_id = await harness.ask(question())
    await harness.until(lambda: "progress" in harness.reply.calls)
    turn = await harness.store.get(turn_id)
    assert turn is not None
    return turn


async def stop(harness: EngineHarness, turn: Turn) -> Turn:
    """Press Stop and see the turn end soon."""
    await harness.service.stop_turn(turn.id, turn.person, turn.channel)
    return await asyncio.wait_for(harness.ended(turn.id), SOON)


def said(harness: EngineHarness, turn: Turn) -> str:
    return "".join(part.get("text", "") for part in harness.reply.answers[turn.id].parts)


async def test_an_answer_ends_with_what_was_said_while_the_cancel_hangs_and_omni_hears_it_later(harness: EngineHarness):
    turn = await at_work(harness)
    canceling = harness.omni.gate.hold("DELETE *")
    ended = await stop(harness, turn)
    assert ended.state is TurnState.CANCELED
    assert said(harness, turn) == "It began"
    assert harness.omni.active()
    canceling.release()
    await harness.until(lambda: not harness.omni.active())


async def test_an_answer_ends_while_the_look_at_it_hangs(harness: EngineHarness):
    turn = await at_work(harness)
    checking = harness.omni.gate.hold(POLL, count=99)
    await checking.reached()
    assert (await stop(harness, turn)).state is TurnState.CANCELED
    assert said(harness, turn) == "It began"
    checking.release()
    await harness.until(lambda: not harness.omni.active())


async def test_an_answer_ends_while_clear_street_is_too_busy_to_hear_the_cancel_which_is_said_again(
    harness: EngineHarness,
):
    turn = await at_work(harness)
    harness.omni.gate.refuse("DELETE *", status=429, headers={"Retry-After": "2"})
    assert (await stop(harness, turn)).state is TurnState.CANCELED
    await harness.until(lambda: not harness.omni.active())


async def test_a_question_that_hangs_on_its_way_is_stopped_at_once_and_its_answer_when_it_arrives(
    harness: EngineHarness,
):
    harness.script("once", "A long story.", seconds=600)
    sending = harness.omni.gate.hold(CREATE)
    turn_id = await harness.ask(question())
    await sending.reached()
    turn = await harness.store.get(turn_id)
    assert turn is not None
    assert turn.state is TurnState.SUBMITTING
    assert (await stop(harness, turn)).state is TurnState.CANCELED
    assert harness.reply.answers[turn_id].stopped_by == turn.person.user
    assert harness.asked() == []
    sending.release()
    await harness.until(lambda: harness.asked() == ["once"])
    await harness.until(lambda: not harness.omni.active())


async def test_a_question_whose_account_is_still_being_asked_for_is_stopped_at_once(harness: EngineHarness):
    harness.script("once", "Never mind.")
    harness.keyring._shared_account_id = None
    asking = harness.omni.gate.hold("GET /v1/accounts", count=99)
    turn_id = await harness.ask(question())
    await asking.reached()
    turn = await harness.store.get(turn_id)
    assert turn is not None
    assert turn.state is TurnState.ACCEPTED
    assert (await stop(harness, turn)).state is TurnState.CANCELED
    assert "retract" in harness.reply.calls
    assert harness.asked() == []
    asking.release()


async def test_a_question_that_is_being_looked_for_is_stopped_with_its_answer(harness: EngineHarness):
    harness.script("once", "A long story.", seconds=600)
    harness.omni.gate.drop(CREATE, "after")
    checking = harness.omni.gate.hold("GET /v1/omni-ai/threads")
    turn_id = await harness.ask(question())
    await checking.reached()
    turn = await harness.store.get(turn_id)
    assert turn is not None
    assert (await stop(harness, turn)).state is TurnState.CANCELED
    await harness.until(lambda: not harness.omni.active())


async def test_a_stop_hits_no_later_turn_although_its_cancel_comes_late(harness: EngineHarness):
    turn = await at_work(harness)
    canceling = harness.omni.gate.hold("DELETE *")
    assert (await stop(harness, turn)).state is TurnState.CANCELED
    harness.script("second", "The second answer.", seconds=0.3)
    later = await harness.ask(new_turn("1700000002.000100", event={"text": "second"}))
    await harness.until(lambda: any(c.name == CONTINUE for c in harness.omni.calls))
    canceling.release()
    assert (await harness.ended(later)).state is TurnState.SUCCEEDED
    assert harness.asked() == ["once", "second"]


@pytest.mark.parametrize("fetched", [True, False])
async def test_an_answer_can_be_rated_although_its_final_message_could_not_be_fetched(
    harness: EngineHarness, fetched: bool
):
    harness.script("once", "The answer.", seconds=0.2)
    if not fetched:
        harness.omni.gate.refuse(MESSAGE, status=404, count=99)
        harness.omni.gate.refuse("GET /v1/omni-ai/threads/{thread_id}/messages", status=404, count=99)
    turn = await harness.ended(await harness.ask(question()))
    assert turn.state is TurnState.SUCCEEDED
    assert said(harness, turn) == "The answer."
    (response,) = harness.omni.store.responses.values()
    assert harness.reply.answers[turn.id].message_id == response.output_message_id
    why = await harness.service.answer_actions.rate(turn.id, team=turn.team, person=turn.person, score=1, comment=None)
    assert why is None
