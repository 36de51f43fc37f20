"""What becomes of a turn when omnibot itself is broken."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from omnibot.turns import engine
from omnibot.turns.model import NewTurn, Outcome, Stopped, TurnState
from tests.turns.conftest import BEN, new_turn
from tests.turns.harness import Hall

ALWAYS = 999


def question() -> NewTurn:
    return new_turn(event={"text": "once"})


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is logged; and stumbles follow each other quickly."""
    monkeypatch.setattr(engine, "MAX_STUMBLE", 0.02)
    with capture_logs() as logs:
        yield logs


@pytest.mark.parametrize("state", [TurnState.SUBMITTING, TurnState.RUNNING])
async def test_a_turn_whose_steps_break_eight_times_ends_with_an_apology(
    hall: Hall, state: TurnState, monkeypatch: pytest.MonkeyPatch
):
    broken = 0

    def break_down(*_: object, **__: object) -> None:
        nonlocal broken
        broken += 1
        raise RuntimeError("a bug")

    hall.script("once", "Never mind.", seconds=60)
    if state is TurnState.SUBMITTING:
        monkeypatch.setattr(hall.reply, "begin", break_down)
    else:
        monkeypatch.setattr(hall.client, "get_response", break_down)
    turn_id = await hall.ask(question())
    assert (await hall.ended(turn_id)).state is TurnState.FAILED
    answer = hall.reply.answers[turn_id]
    assert answer.outcome is Outcome.FAILED
    assert answer.reason == engine.BROKEN.format(reference=turn_id)
    assert broken == engine.MAX_STUMBLES == 8
    assert hall.reply.calls.count("finish") == 1
    assert len(hall.asked()) == (0 if state is TurnState.SUBMITTING else 1)


async def test_a_turn_that_breaks_before_it_is_admitted_gets_its_apology_in_private(hall: Hall):
    hall.admission.breaks = ALWAYS
    turn_id = await hall.ask(question())
    turn = await hall.ended(turn_id)
    assert (turn.state, turn.question, turn.event) == (TurnState.FAILED, None, {})
    assert hall.admission.asked == engine.MAX_STUMBLES
    assert hall.reply.whispers == [engine.BROKEN.format(reference=turn_id)]
    assert hall.reply.answers == {}


async def test_a_turn_whose_steps_break_seven_times_is_answered_all_the_same(hall: Hall):
    hall.script("once", "The answer.", seconds=0.1)
    hall.admission.breaks = engine.MAX_STUMBLES - 1
    assert (await hall.ended(await hall.ask(question()))).state is TurnState.SUCCEEDED
    assert hall.reply.whispers == []


async def test_an_apology_that_breaks_too_is_made_again(hall: Hall, logged: list[Any]):
    hall.admission.breaks = ALWAYS
    hall.reply.breaks["whisper"] = 2
    assert (await hall.ended(await hall.ask(question()))).state is TurnState.FAILED
    assert len(hall.reply.whispers) == 1
    assert [entry["event"] for entry in logged].count("apology_failed") == 2


async def test_that_it_stops_is_said_while_clear_street_has_not_yet_heard_it(hall: Hall):
    hall.script("once", "A long story.", seconds=60)
    turn_id = await hall.ask(question())
    await hall.until(lambda: "progress" in hall.reply.calls)
    canceling = hall.omni.gate.hold("DELETE *")
    turn = await hall.store.get(turn_id)
    assert turn is not None
    assert await hall.service.stop_turn(turn_id, BEN, turn.channel) is Stopped.NOTHING
    assert "stopping" not in hall.reply.calls
    assert await hall.service.stop_turn(turn_id, turn.person, turn.channel) is Stopped.HERE
    assert "stopping" in hall.reply.calls
    await canceling.reached()
    assert await hall.service.stop_turn(turn_id, turn.person, turn.channel) is Stopped.NOTHING
    assert (await hall.ended(turn_id)).state is TurnState.CANCELED
    canceling.release()
    await hall.until(lambda: not hall.omni.active())


async def test_a_stop_that_another_instance_took_is_noticed_and_said(hall: Hall):
    hall.script("once", "A long story.", seconds=60)
    turn_id = await hall.ask(question())
    await hall.until(lambda: "progress" in hall.reply.calls)
    turn = await hall.store.get(turn_id)
    assert turn is not None
    assert await hall.store.request_cancel(turn.person, turn.channel) != {}
    await hall.until(lambda: "stopping" in hall.reply.calls)
    assert (await hall.ended(turn_id)).state is TurnState.CANCELED
