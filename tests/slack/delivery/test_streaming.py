"""Drafts on a real socket: what is shown while Omni works, whatever becomes of the stream, and the one answer after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from omnibot.slack.delivery.streaming import PROGRESS, Draft
from omnibot.turns.model import Outcome, ResponseSnapshot, Turn, TurnAnswer
from tests.slack.conftest import Desktop


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts as in Slack, only faster."""
    monkeypatch.setattr("omnibot.slack.delivery.streaming.APPEND_PACE", 0.05)
    monkeypatch.setattr("omnibot.slack.delivery.streaming.UPDATE_PACE", 0.1)


FINAL = "Every one of these words must arrive."


def final(text: str = FINAL, **more: object) -> TurnAnswer:
    return TurnAnswer(Outcome.SUCCEEDED, parts=[{"type": "text", "text": text}], **more)  # type: ignore[arg-type]


def running(text: str, *thoughts: str) -> ResponseSnapshot:
    return ResponseSnapshot("running", text, thoughts)


async def delivered(desktop: Desktop, turn: Turn, answer: TurnAnswer) -> None:
    for _ in range(20):
        again_in = await desktop.reply.finish(turn, answer, ())
        if again_in is None:
            return
        await asyncio.sleep(min(again_in, 1.5))
    raise AssertionError("never delivered")


async def shows(desktop: Desktop, turn: Turn, *words: str) -> None:
    await desktop.slack.wait_for(lambda: all(word in desktop.text(turn) for word in words))


async def streaming(desktop: Desktop, *snapshots: ResponseSnapshot) -> Turn:
    """A turn whose draft streams and shows the last of these."""
    turn = await desktop.turn()
    desktop.reply.begin(turn)
    await desktop.slack.wait_for(lambda: desktop.shown(turn) and desktop.shown(turn)[0].streaming)
    for snapshot in snapshots:
        desktop.reply.progress(turn, snapshot)
        thought = [line.split("] ")[-1] for line in snapshot.thoughts[-1:]]
        await shows(desktop, turn, snapshot.text.split("\n")[-1][-200:], *thought)
    return turn


async def ends_well(desktop: Desktop, turn: Turn, answer: TurnAnswer | None = None) -> None:
    """One message, with exactly the answer's words, and nothing left of the work."""
    await delivered(desktop, turn, answer or final())
    [message] = desktop.shown(turn)
    assert not message.streaming
    text = desktop.slack.visible_text(message)
    assert text.count(FINAL) == 1
    assert "Working on it" not in text
    key = (turn.channel, turn.thread_ts or "")
    await desktop.slack.wait_for(lambda: desktop.slack.sessions[key]["status"] == "active")


async def test_an_answer_grows_in_one_message_and_ends_in_it(desktop: Desktop):
    turn = await streaming(
        desktop,
        running("", "[1/2] Reading"),
        running("It rose.", "[1/2] Reading", "[2/2] Writing"),
        running("It rose. A lot."),
    )
    assert desktop.slack.sessions[turn.channel, turn.thread_ts or ""]["status"] == "processing"
    calls = [call.name for call in desktop.slack.calls]
    assert "chat.update" not in calls
    await ends_well(desktop, turn)


@pytest.mark.parametrize(
    "error", ["message_not_in_streaming_state", "stopped_by_user", "msg_too_long", "something_new"]
)
async def test_a_stream_that_slack_ends_goes_on_in_the_same_message(desktop: Desktop, error: str):
    turn = await streaming(desktop, running("One"))
    desktop.slack.gate.refuse("chat.appendStream", status=200, body={"ok": False, "error": error}, count=1_000)
    desktop.reply.progress(turn, running("One two"))
    await shows(desktop, turn, "One two")
    assert len(desktop.shown(turn)) == 1
    await ends_well(desktop, turn)


@pytest.mark.parametrize("point", ["before", "after"])
async def test_an_append_of_unknown_outcome_is_drawn_anew_and_never_said_twice(desktop: Desktop, point):
    turn = await streaming(desktop, running("One"))
    desktop.slack.gate.drop("chat.appendStream", point)
    desktop.reply.progress(turn, running("One, then two"))
    await shows(desktop, turn, "then two")
    assert desktop.text(turn).count("then two") == 1
    await ends_well(desktop, turn)


async def test_what_omni_takes_back_is_taken_back(desktop: Desktop):
    turn = await streaming(desktop, running("It went up."))
    desktop.reply.progress(turn, running("It went down."))
    await shows(desktop, turn, "It went down.")
    assert "It went up." not in desktop.text(turn)
    await ends_well(desktop, turn)


async def test_a_stream_that_dies_of_age_goes_on_in_the_same_message(desktop: Desktop):
    turn = await streaming(desktop, running("One"))
    desktop.slack.stream_seconds = 0.1
    await desktop.slack.wait_for(lambda: not desktop.shown(turn)[0].streaming)
    desktop.reply.progress(turn, running("One two"))
    await shows(desktop, turn, "One two")
    await ends_well(desktop, turn)


async def test_a_stream_is_given_up_before_slack_ends_it(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("omnibot.slack.delivery.streaming.STREAM_AGE", 0.0)
    turn = await streaming(desktop)
    desktop.reply.progress(turn, running("One"))
    await shows(desktop, turn, "One")
    await desktop.slack.wait_for(lambda: not desktop.shown(turn)[0].streaming)
    assert "chat.appendStream" not in [call.name for call in desktop.slack.calls]
    await ends_well(desktop, turn)


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_stream_whose_start_was_lost_is_looked_for(desktop: Desktop, point):
    turn = await desktop.turn()
    desktop.slack.gate.drop("chat.startStream", point)
    desktop.reply.begin(turn)
    await shows(desktop, turn, "Working on it")
    await ends_well(desktop, turn)


@pytest.mark.parametrize("error", ["ratelimited", "channel_type_not_supported", "missing_recipient_team_id"])
async def test_where_no_stream_begins_the_draft_is_posted(desktop: Desktop, error: str):
    desktop.slack.gate.refuse("chat.startStream", status=200, body={"ok": False, "error": error}, count=1_000)
    turn = await desktop.turn()
    desktop.reply.begin(turn)
    await shows(desktop, turn, "Working on it")
    key = (turn.channel, turn.thread_ts or "")
    await desktop.slack.wait_for(lambda: desktop.slack.sessions[key]["status"] == "processing")
    await ends_well(desktop, turn)


async def test_another_process_finishes_the_stream_in_the_same_message(desktop: Desktop):
    turn = await streaming(desktop, running("One"))
    successor = desktop.successor()
    assert await successor.finish(turn, final(), ()) is None
    [message] = desktop.shown(turn)
    assert not message.streaming
    assert desktop.slack.visible_text(message).count(FINAL) == 1
    desktop.reply.drop(turn.id)
    await successor.close()


async def test_another_process_goes_on_drawing_where_the_first_one_streamed(desktop: Desktop):
    turn = await streaming(desktop, running("One"))
    desktop.reply.drop(turn.id)
    successor = desktop.successor()
    successor.progress(turn, running("One two"))
    await shows(desktop, turn, "One two")
    assert len(desktop.shown(turn)) == 1
    assert await successor.finish(turn, final(), ()) is None
    assert desktop.text(turn).count(FINAL) == 1
    await successor.close()


@pytest.mark.parametrize(
    "fault",
    [
        lambda gate: gate.refuse("chat.stopStream", status=429, headers={"Retry-After": "1"}),
        lambda gate: gate.refuse("chat.stopStream", status=500),
        lambda gate: gate.drop("chat.stopStream", "before"),
        lambda gate: gate.drop("chat.stopStream", "after"),
        lambda gate: gate.drop("chat.update", "after"),
    ],
)
async def test_an_end_that_slack_refuses_once_comes_all_the_same(desktop: Desktop, fault: Callable[..., object]):
    turn = await streaming(desktop, running("One"))
    fault(desktop.slack.gate)
    await ends_well(desktop, turn)


async def test_a_message_that_streams_without_our_knowing_is_ended_first(desktop: Desktop):
    turn = await streaming(desktop, running("One"))
    draft: Draft = desktop.reply._drafts[turn.id]
    slots = await draft.slots()
    slots[PROGRESS].streaming = False
    await ends_well(desktop, turn)


async def test_a_long_answer_goes_on_in_a_second_message_and_ends_without_leftovers(desktop: Desktop):
    turn = await streaming(desktop)
    words = [f"Paragraph {n} says something." for n in range(400)]
    for count in (100, 300, 400):
        desktop.reply.progress(turn, running("\n\n".join(words[:count])))
        await shows(desktop, turn, words[count - 1])
    text = desktop.text(turn)
    assert [text.count(word) for word in words] == [1] * 400
    assert len(desktop.shown(turn)) > 1
    await delivered(desktop, turn, final("\n\n".join(words)))
    text = desktop.text(turn)
    assert [text.count(word) for word in words] == [1] * 400
    assert sorted(words, key=text.index) == words
    assert not any(message.streaming for message in desktop.shown(turn))


async def test_when_the_answer_is_shorter_than_its_draft_nothing_is_left_of_it(desktop: Desktop):
    turn = await streaming(desktop)
    desktop.reply.progress(turn, running("\n\n".join(f"Paragraph {n} says something." for n in range(400))))
    await shows(desktop, turn, "Paragraph 399")
    await ends_well(desktop, turn)


async def test_a_late_answer_is_a_new_post_and_the_draft_shrinks(desktop: Desktop):
    turn = await streaming(desktop, running("\n\n".join(f"Paragraph {n} says something." for n in range(400))))
    await delivered(desktop, turn, final(late=True))
    first, last = desktop.shown(turn)
    assert desktop.slack.visible_text(first) == "The answer is below."
    assert FINAL in desktop.slack.visible_text(last)


async def test_streams_are_not_begun_beyond_the_budget(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("omnibot.slack.delivery.rate_limits.OPEN_STREAMS", 1)
    first = await streaming(desktop)
    second = await desktop.turn()
    desktop.reply.begin(second)
    await shows(desktop, second, "Working on it")
    assert not desktop.shown(second)[0].streaming
    await ends_well(desktop, second)
    await ends_well(desktop, first)
    third = await streaming(desktop)
    await ends_well(desktop, third)


async def test_a_stream_that_comes_to_nothing_is_taken_away(desktop: Desktop):
    turn = await streaming(desktop, running("One"))
    await desktop.reply.retract(turn)
    assert desktop.shown(turn) == []
    key = (turn.channel, turn.thread_ts or "")
    await desktop.slack.wait_for(lambda: desktop.slack.sessions[key]["status"] == "active")


async def test_after_slacks_own_stop_nothing_says_that_omni_still_works(desktop: Desktop):
    turn = await streaming(desktop, running("One"))
    await desktop.slack.stop("ana", "trading", turn.thread_ts or "")
    await ends_well(desktop, turn)


@pytest.mark.parametrize("status", [429, 500])
async def test_that_the_work_is_over_is_said_until_slack_hears_it(desktop: Desktop, status: int):
    desktop.without_streams()
    turn = await desktop.turn()
    desktop.reply.begin(turn)
    await shows(desktop, turn, "Working on it")
    key = (turn.channel, turn.thread_ts or "")
    await desktop.slack.wait_for(lambda: desktop.slack.sessions[key]["status"] == "processing")
    desktop.slack.gate.refuse("agents.sessions.setStatus", status=status, headers={"Retry-After": "1"})
    await ends_well(desktop, turn)


async def test_the_next_turn_of_a_thread_is_not_taken_for_one_that_another_process_has(desktop: Desktop):
    lost = await streaming(desktop, running("One"))
    desktop.reply.drop(lost.id)
    assert desktop.reply._sessions.after(await desktop.turn()) == "active"
    assert desktop.reply._sessions._working == {}


async def test_a_late_answer_waits_for_the_end_of_its_stream(desktop: Desktop):
    turn = await streaming(desktop, running("One"))
    desktop.slack.gate.refuse("chat.stopStream", status=429, headers={"Retry-After": "1"})
    await delivered(desktop, turn, final(late=True))
    first, last = desktop.shown(turn)
    assert not first.streaming
    assert desktop.slack.visible_text(first) == "The answer is below."
    assert FINAL in desktop.slack.visible_text(last)


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_continuation_whose_start_was_lost_leaves_nothing_behind(desktop: Desktop, point):
    turn = await streaming(desktop)
    desktop.slack.gate.drop("chat.startStream", point)
    words = [f"Paragraph {n} says something." for n in range(400)]
    desktop.reply.progress(turn, running("\n\n".join(words)))
    await shows(desktop, turn, words[-1])
    await delivered(desktop, turn, final("\n\n".join(words)))
    text = desktop.text(turn)
    assert [text.count(word) for word in words] == [1] * 400
    assert not any(message.streaming for message in desktop.shown(turn))


@pytest.mark.parametrize("error", ["msg_too_long", "something_new"])
async def test_a_stream_that_slack_never_ends_does_not_send_the_answer_elsewhere(desktop: Desktop, error: str):
    turn = await streaming(desktop, running("One"))
    desktop.slack.gate.refuse("chat.stopStream", status=200, body={"ok": False, "error": error}, count=1_000)
    await delivered(desktop, turn, final())
    assert desktop.text(turn).count(FINAL) == 1
    assert desktop.slack.history(desktop.slack.dm("ana")) == []


async def test_pages_that_move_to_the_dm_are_neither_lost_nor_repeated(desktop: Desktop):
    """What stands in the channel already stays; the rest goes where it can be read."""
    turn = await streaming(desktop)
    desktop.slack.workspace.channel("trading").is_archived = True
    words = [f"Paragraph {n} says something longer than the one before it." for n in range(400)]
    dm = desktop.slack.dm("ana")
    desktop.slack.gate.refuse(
        "chat.postMessage",
        status=429,
        headers={"Retry-After": "1"},
        count=2,
        matches=lambda call: words[300] in str(call.args) and call.args["channel"] == dm,
    )
    await delivered(desktop, turn, final("\n\n".join(words)))
    moved = "\n".join(desktop.slack.visible_text(message) for message in desktop.slack.history(dm))
    text = f"{desktop.text(turn)}\n{moved}"
    assert [text.count(word) for word in words] == [1] * 400
    assert words[-1] in moved
