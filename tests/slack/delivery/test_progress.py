"""Progress: paced over all turns of a workspace, and brought to an end when the process stops."""

import asyncio
import itertools
import time

import pytest

from omnibot.blocks.answers.answer import AI_NOTICE
from omnibot.slack.delivery import replies, streaming
from omnibot.slack.delivery.messages import Messages
from omnibot.slack.delivery.rate_limits import PROGRESS_PER_MINUTE, WriteBudget
from omnibot.slack.delivery.replies import SlackReply
from omnibot.slack.delivery.streaming import PROGRESS
from omnibot.turns.model import Outcome, ResponseSnapshot, Turn, TurnAnswer
from tests.slack.conftest import Desktop, always_ours

ANSWER = TurnAnswer(Outcome.SUCCEEDED, [{"type": "text", "text": "The answer."}])


@pytest.fixture(autouse=True)
def without_streams(desktop: Desktop) -> None:
    """How drafts stream is test_drafts.py's; here they are posted, and drawn anew."""
    desktop.without_streams()


def snapshot(text: str) -> ResponseSnapshot:
    return ResponseSnapshot("running", text, ())


def updates(desktop: Desktop) -> list[float]:
    """When chat.update was called."""
    return [call.monotonic for call in desktop.slack.calls if call.name == "chat.update"]


async def begun(desktop: Desktop, reply: SlackReply) -> Turn:
    """A turn whose placeholder stands."""
    turn = await desktop.turn()
    reply.begin(turn)
    await desktop.slack.wait_for(lambda: desktop.shown(turn))
    return turn


async def test_progress_never_overwrites_a_final(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streaming, "UPDATE_PACE", 0.0)
    turn = await begun(desktop, desktop.reply)
    updating = desktop.slack.gate.hold("chat.update")
    desktop.reply.progress(turn, snapshot("Half an answer."))
    await updating.reached()
    final = asyncio.ensure_future(desktop.reply.finish(turn, ANSWER, ()))
    await asyncio.sleep(0)
    desktop.reply.progress(turn, snapshot("Late and useless."))
    updating.release()
    assert await final is None
    await desktop.reply.close()
    (message,) = desktop.shown(turn)
    assert desktop.slack.visible_text(message) == f"The answer.\n{AI_NOTICE}"


async def test_progress_of_one_message_keeps_its_distance_and_the_latest_wins(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(streaming, "UPDATE_PACE", 0.5)
    turn = await begun(desktop, desktop.reply)
    number = itertools.count()

    def three_updates() -> bool:
        desktop.reply.progress(turn, snapshot(f"Text {next(number)}."))
        return len(updates(desktop)) >= 3

    await desktop.slack.wait_for(three_updates)
    latest = f"Text {next(number) - 1}."
    await desktop.slack.wait_for(lambda: latest in desktop.text(turn))
    assert all(later - earlier >= 0.5 for earlier, later in itertools.pairwise(updates(desktop)))


async def test_many_turns_share_one_budget_of_updates(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    """Who waited for a place asks again after the wait: another turn may have taken it."""
    monkeypatch.setattr(streaming, "UPDATE_PACE", 0.0)
    budget = WriteBudget({**PROGRESS_PER_MINUTE, "chat.update": 120.0}, {"chat.update": 3.0})
    reply = desktop.successor(budget)
    turns = [await begun(desktop, reply) for _ in range(20)]
    for turn in turns:
        reply.progress(turn, snapshot("Half an answer."))
    times = await desktop.slack.wait_for(lambda: updates(desktop) if len(updates(desktop)) >= 10 else [])
    await reply.close()
    elapsed = times[-1] - times[0]
    assert len(times) <= 3 + 2 * elapsed + 3  # the burst, two a second, and some for calls that overtake each other


async def test_a_write_under_way_ends_before_the_process_does_and_is_remembered(desktop: Desktop):
    turn = await desktop.turn()
    posting = desktop.slack.gate.hold("chat.postMessage", "after")
    desktop.reply.begin(turn)
    await posting.reached()
    desktop.reply.drop(turn.id)
    closing = asyncio.ensure_future(desktop.reply.close())
    done, _ = await asyncio.wait([closing], timeout=0.2)
    assert not done
    posting.release()
    await closing
    (message,) = desktop.shown(turn)
    posts = Messages(desktop.client, desktop.database, assure=always_ours)
    assert (await posts.load(turn.id))[PROGRESS].ts == message.ts
    assert await desktop.successor().finish(turn, ANSWER, ()) is None
    assert desktop.shown(turn) == [message]
    assert "The answer." in desktop.text(turn)


async def test_a_write_that_only_waits_for_its_time_is_not_begun_when_the_process_ends(desktop: Desktop):
    turn = await begun(desktop, desktop.reply)
    desktop.reply.progress(turn, snapshot("Half an answer."))
    await desktop.reply.close()
    assert updates(desktop) == []
    assert "Half" not in desktop.text(turn)


async def test_a_write_that_never_ends_does_not_keep_the_process_alive(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(replies, "SLACK_TIMEOUT", 0.1)
    turn = await desktop.turn()
    posting = desktop.slack.gate.hold("chat.postMessage")
    desktop.reply.begin(turn)
    await posting.reached()
    await asyncio.wait_for(desktop.reply.close(), 60)


async def test_many_placeholders_in_a_channel_are_posted_no_faster_than_slack_takes_them(desktop: Desktop):
    budget = WriteBudget({**PROGRESS_PER_MINUTE, "chat.postMessage": 120.0}, {"chat.postMessage": 2.0})
    reply = desktop.successor(budget)
    turns = [await desktop.turn() for _ in range(6)]
    for turn in turns:
        reply.begin(turn)
    await desktop.slack.wait_for(lambda: all(map(desktop.shown, turns)))
    times = [call.monotonic for call in desktop.slack.calls if call.name == "chat.postMessage"]
    assert len(times) == 6
    assert times[-1] - times[0] >= 1.4  # two at once, four more at two a second
    assert budget.wait("another channel", "chat.postMessage", 0.0) == 0.0
    await reply.close()


async def test_a_final_does_not_wait_for_the_budget_of_placeholders(desktop: Desktop):
    budget = WriteBudget({**PROGRESS_PER_MINUTE, "chat.postMessage": 0.001}, {"chat.postMessage": 1.0})
    reply = desktop.successor(budget)
    first, second = await desktop.turn(), await desktop.turn()
    reply.begin(first)
    await desktop.slack.wait_for(lambda: desktop.shown(first))
    reply.begin(second)
    assert await reply.finish(second, ANSWER, ()) is None
    assert "The answer." in desktop.text(second)
    await reply.close()


async def test_a_post_that_is_told_to_slow_down_leaves_the_updates_of_others_alone(desktop: Desktop):
    budget = WriteBudget()
    reply = desktop.successor(budget)
    desktop.slack.gate.refuse("chat.postMessage", status=429, headers={"Retry-After": "600"})
    turn = await desktop.turn()
    reply.begin(turn)
    await desktop.slack.wait_for(lambda: ("chat.postMessage", 429) in answers(desktop))
    await reply.close()
    now = time.monotonic()
    assert budget.wait(turn.team, "chat.update", now) == 0.0
    assert budget.wait(turn.channel, "chat.postMessage", now) > 100


def answers(desktop: Desktop) -> list[tuple[str, int | None]]:
    return [(call.name, call.status) for call in desktop.slack.calls]
