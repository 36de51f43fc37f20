"""What becomes of a turn when omnibot itself is broken."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from omnibot.turns import engine
from omnibot.turns.model import NewTurn, Outcome, Stopped, TurnState
from tests.turns.conftest import BEN, new_turn
from tests.turns.harness import EngineHarness

ALWAYS = 999


def question() -> NewTurn:
    return new_turn(event={"text": "once"})


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is logged; and retries follow each other quickly."""
    monkeypatch.setattr(engine, "MAX_RETRY_AFTER", 0.02)
    with capture_logs() as logs:
        yield logs


@pytest.mark.parametrize("state", [TurnState.SUBMITTING, TurnState.RUNNING])
async def test_a_turn_whose_steps_break_eight_times_ends_with_an_apology(
    harness: EngineHarness, state: TurnState, monkeypatch: pytest.MonkeyPatch
):
    broken = 0

    def break_down(*_: object, **__: object) -> None:
        nonlocal broken
        broken += 1
        raise RuntimeError("a bug")

    harness.script("once", "Never mind.", seconds=60)
    if state is TurnState.SUBMITTING:
        monkeypatch.setattr(harness.reply, "begin", break_down)
    else:
        monkeypatch.setattr(harness.client, "get_response", break_down)
    turn_id = await harness.ask(question())
    assert (await harness.ended(turn_id)).state is TurnState.FAILED
    answer = harness.reply.answers[turn_id]
    assert answer.outcome is Outcome.FAILED
    assert answer.reason == engine.BROKEN.format(reference=turn_id)
    assert broken == engine.MAX_FAILURES == 8
    assert harness.reply.calls.count("finish") == 1
    assert len(harness.asked()) == (0 if state is TurnState.SUBMITTING else 1)


async def test_a_turn_that_breaks_before_it_is_admitted_gets_its_apology_in_private(harness: EngineHarness):
    harness.admission.breaks = ALWAYS
    turn_id = await harness.ask(question())
    turn = await harness.ended(turn_id)
    assert (turn.state, turn.question, turn.event) == (TurnState.FAILED, None, {})
    assert harness.admission.asked == engine.MAX_FAILURES
    assert harness.reply.ephemerals == [engine.BROKEN.format(reference=turn_id)]
    assert harness.reply.answers == {}


async def test_a_turn_whose_steps_break_seven_times_is_answered_all_the_same(harness: EngineHarness):
    harness.script("once", "The answer.", seconds=0.1)
    harness.admission.breaks = engine.MAX_FAILURES - 1
    assert (await harness.ended(await harness.ask(question()))).state is TurnState.SUCCEEDED
    assert harness.reply.ephemerals == []


async def test_an_apology_that_breaks_too_is_made_again(harness: EngineHarness, logged: list[Any]):
    harness.admission.breaks = ALWAYS
    harness.reply.breaks["tell_privately"] = 2
    assert (await harness.ended(await harness.ask(question()))).state is TurnState.FAILED
    assert len(harness.reply.ephemerals) == 1
    assert [entry["event"] for entry in logged].count("apology_failed") == 2


async def test_that_it_stops_is_said_while_clear_street_has_not_yet_heard_it(harness: EngineHarness):
    harness.script("once", "A long story.", seconds=60)
    turn_id = await harness.ask(question())
    await harness.until(lambda: "progress" in harness.reply.calls)
    canceling = harness.omni.gate.hold("DELETE *")
    turn = await harness.store.get(turn_id)
    assert turn is not None
    assert await harness.service.stop_turn(turn_id, BEN, turn.channel) is Stopped.NOTHING
    assert "stopping" not in harness.reply.calls
    assert await harness.service.stop_turn(turn_id, turn.person, turn.channel) is Stopped.HERE
    assert "stopping" in harness.reply.calls
    await canceling.reached()
    assert await harness.service.stop_turn(turn_id, turn.person, turn.channel) is Stopped.NOTHING
    assert (await harness.ended(turn_id)).state is TurnState.CANCELED
    canceling.release()
    await harness.until(lambda: not harness.omni.active())


async def test_a_stop_that_another_instance_took_is_noticed_and_said(harness: EngineHarness):
    harness.script("once", "A long story.", seconds=60)
    turn_id = await harness.ask(question())
    await harness.until(lambda: "progress" in harness.reply.calls)
    turn = await harness.store.get(turn_id)
    assert turn is not None
    assert await harness.store.request_cancel(turn.person, turn.channel) != {}
    await harness.until(lambda: "stopping" in harness.reply.calls)
    assert (await harness.ended(turn_id)).state is TurnState.CANCELED
