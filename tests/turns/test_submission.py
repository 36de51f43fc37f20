"""What becomes of a question whose sending ended in nothing, and of one that had to wait."""

import time
from collections.abc import Coroutine
from typing import Any

import pytest
from structlog.testing import capture_logs

from omnibot.clearstreet.retries import MAX_TRIES
from omnibot.turns.active import Active
from omnibot.turns.cancellation import Cancellation
from omnibot.turns.model import NewTurn, Turn, TurnState
from omnibot.turns.submission import TurnSubmission
from tests.turns.conftest import new_turn
from tests.turns.harness import ACCOUNT, EngineHarness

CREATE = "POST /v1/omni-ai/threads"
CONTINUE = "POST /v1/omni-ai/threads/{thread_id}/messages"
THREADS = "GET /v1/omni-ai/threads"
POLL = "GET /v1/omni-ai/responses/{response_id}"
ACTIVE = "GET /v1/omni-ai/threads/{thread_id}/response"


def question(text: str, ts: str = "1700000001.000100", thread_ts: str | None = None) -> NewTurn:
    return new_turn(ts, event={"text": text}, thread_ts=thread_ts or ts)


async def always_ours(_active: Active, _seconds: float) -> None:
    """The lease is fine."""


async def never(_active: Active, words: str, _request_id: str | None) -> float | None:
    raise AssertionError(words)


async def never_stopped(_active: Active) -> float | None:
    raise AssertionError("nobody stopped it")


def never_in_background(work: Coroutine[Any, Any, None]) -> None:
    raise AssertionError(work)


def words(harness: EngineHarness, turn: Turn) -> str:
    return "".join(part["text"] for part in harness.reply.answers[turn.id].parts)


@pytest.mark.parametrize("failures", [0, MAX_TRIES])
async def test_a_lost_follow_up_is_adopted_although_the_api_does_not_say_whose_answer_is_being_written(
    harness: EngineHarness, failures: int
):
    """Nor, at first perhaps, which answer is being written at all."""
    harness.script("first", "The first answer.", seconds=0.1)
    harness.script("second", "The second answer.", seconds=60)
    first = await harness.ask(question("the first"))
    await harness.ended(first)
    harness.omni.gate.drop(CONTINUE, "after")
    if failures:
        harness.omni.gate.refuse(ACTIVE, status=503, count=failures)
    checking = harness.omni.gate.hold(ACTIVE, count=99)
    with capture_logs() as logs:
        second = await harness.ask(question("the second", "1700000002.000100", "1700000001.000100"))
        await checking.reached()
        (response_id,) = harness.omni.active()
        checking.refuse(200, {"data": {"id": response_id, "status": "running"}, "metadata": {"request_id": "r"}})
        await harness.until(
            lambda: any(call.name == POLL and call.args["response_id"] == response_id for call in harness.omni.calls)
        )
        harness.omni.pace = 0  # Omni comes to its end
        turn = await harness.ended(second)
    (adopted,) = [entry["response"] for entry in logs if entry["event"] == "turn_taken_over"]
    assert adopted == (None if failures else response_id)
    assert (turn.state, turn.response_id) == (TurnState.SUCCEEDED, response_id)
    assert words(harness, turn) == "The second answer."
    assert harness.asked() == ["the first", "the second"]


async def test_two_equal_lost_questions_looked_up_at_once_are_adopted_one_each(harness: EngineHarness):
    """Both see the same two Omni threads that could be theirs, and both like the older one better."""
    harness.script("same", "The answer.", seconds=0.1)
    harness.omni.gate.drop(CREATE, "after", count=2)
    checking = harness.omni.gate.hold(THREADS, count=2)
    ids = [await harness.ask(question("the same", f"170000000{n}.000100")) for n in (1, 2)]
    await harness.until(lambda: len(checking.calls) == 2)
    with capture_logs() as logs:
        checking.release()
        ended = [await harness.ended(turn_id) for turn_id in ids]
    assert [entry["event"] for entry in logs].count("turn_take_over_lost") == 1
    assert [turn.state for turn in ended] == [TurnState.SUCCEEDED] * 2
    assert [words(harness, turn) for turn in ended] == ["The answer."] * 2
    assert len({turn.user_message_id for turn in ended}) == 2
    assert harness.asked() == ["the same"] * 2


async def test_a_turn_that_waited_long_for_its_thread_is_polled_like_a_new_one(harness: EngineHarness):
    turn_id = await harness.store.accept(question("once"))
    waiting = await harness.store.get(turn_id or "")
    assert waiting is not None
    joined = await harness.store.join(
        waiting, question="once", channel="C1", thread_ts="1", principal="shared", account_id=ACCOUNT
    )
    active = Active(joined, lease_until=time.monotonic() + 60)
    active.conversation = await harness.store.conversation(joined.conversation_id or "")
    active.running_since = active.changed_at = time.monotonic() - 600
    active.failures = 7
    canceling = Cancellation(harness.client, in_background=never_in_background)
    submission = TurnSubmission(
        harness.store,
        harness.client,
        harness.keyring,
        harness.reply,
        assure=always_ours,
        fail=never,
        stopped=never_stopped,
        canceling=canceling,
    )
    await submission.begin(active)
    assert active.turn.state is TurnState.RUNNING
    now = time.monotonic()
    age, since_change = now - active.running_since, now - active.changed_at
    assert 0 <= since_change <= age < 300
    assert active.failures == 0
