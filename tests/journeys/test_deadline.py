"""What ends a turn when Omni, the API or Slack does not; the bot runs in this process so that its patience is short."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import pytest

from omnibot.app import running
from omnibot.settings import Settings
from omnibot.turns import admission
from omnibot.turns.model import Kind
from omnibot.turns.rules import DEADLINE
from tests.journeys.conftest import House, settle_in

POLL = "GET /v1/omni-ai/responses/{response_id}"
CREATE = "POST /v1/omni-ai/threads"
ACCOUNTS = "GET /v1/accounts"

Run = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
async def run(house: House, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the bot here instead of as a process; its patience is three seconds."""
    await house.bot.kill()
    monkeypatch.setitem(DEADLINE, Kind.INSTANT, timedelta(seconds=3))
    monkeypatch.setattr(admission, "ADMISSION_PATIENCE", 3.0)
    settle_in(house, monkeypatch)

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        async with running(Settings.read()):
            await house.connected()
            yield

    return run


async def test_omni_that_takes_too_long_is_stopped_and_what_it_said_is_delivered(house: House, run: Run):
    house.script("slow", "It began well and then " + "went on " * 50, seconds=10)
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni slow")
        text = await house.answered("trading", ts, "longer than 3 minutes")
        assert "It began well" in text
        assert "Ask again" in text
        assert house.omni.active() == []


async def test_an_answer_that_was_finished_while_the_bot_was_down_past_the_deadline_is_delivered_whole(
    house: House, run: Run
):
    house.script("once", "The whole answer, every word of it.", seconds=1.5)
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni once")
        await house.slack.wait_for(lambda: house.omni.active())
        await house.slack.wait_for(lambda: any(c.name == POLL for c in house.omni.calls))
    await asyncio.sleep(4)
    async with run():
        text = await house.answered("trading", ts, "The whole answer, every word of it.")
        assert "longer than" not in text
    assert house.asked() == ["once"]


async def test_a_question_whose_sending_was_cut_off_is_looked_for_even_past_its_time(house: House, run: Run):
    house.script("once", "The whole answer, every word of it.")
    house.omni.gate.drop(CREATE, "after")
    house.omni.gate.refuse("GET /v1/omni-ai/*", status=503, count=500)
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni once")
        await house.slack.wait_for(lambda: house.asked())
    await asyncio.sleep(4)
    house.omni.gate.clear()
    async with run():
        await house.answered("trading", ts, "The whole answer, every word of it.")
    assert house.asked() == ["once"]


async def test_stop_takes_effect_although_no_poll_succeeds(house: House, run: Run):
    house.script("slow", "Never mind.", seconds=60)
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni slow")
        await house.slack.wait_for(lambda: house.omni.active())
        house.omni.gate.refuse(POLL, status=503, count=999)
        await house.slack.command("ana", "trading", "/omni", "stop")
        await house.answered("trading", ts, "Stopped by")
        await house.slack.wait_for(lambda: not house.omni.active())


async def test_stop_is_said_to_omni_again_when_it_was_too_busy_to_hear(house: House, run: Run, monkeypatch):
    monkeypatch.setitem(DEADLINE, Kind.INSTANT, timedelta(seconds=60))
    house.script("slow", "Never mind.", seconds=60)
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni slow")
        await house.slack.wait_for(lambda: house.omni.active())
        house.omni.gate.refuse("DELETE *", status=429, headers={"Retry-After": "1"})
        await house.slack.command("ana", "trading", "/omni", "stop")
        await house.answered("trading", ts, "Stopped by")
        await house.slack.wait_for(lambda: not house.omni.active())


async def test_a_429_never_makes_anybody_wait_past_the_deadline(house: House, run: Run):
    house.script("slow", "Never mind.", seconds=60)
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni slow")
        await house.slack.wait_for(lambda: house.omni.active())
        house.omni.gate.refuse(POLL, status=429, headers={"Retry-After": "600"}, count=99)
        await house.answered("trading", ts, "longer than")


async def test_a_key_that_is_refused_is_one_reply_with_its_request_id_and_a_retry(house: House, run: Run):
    house.omni.gate.refuse(ACCOUNTS, status=401, count=99)
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni hello")
        text = await house.answered("trading", ts, "does not accept omnibot's API key", "request ")
        house.omni.gate.clear()
        house.script("hello", "Hi there.")
        (reply,) = house.replies("trading", ts)
        assert "Ask again" in text
        await house.slack.click("ana", "trading", reply.ts, label="Ask again")
        await house.answered("trading", ts, "Hi there.", count=2)


async def test_a_key_with_several_accounts_says_what_the_operator_must_do(house: House, run: Run, monkeypatch):
    monkeypatch.setenv("CLEAR_STREET_API_KEY", "second-key")
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni hello")
        await house.answered("trading", ts, "CLEAR_STREET_ACCOUNT_ID")
    assert house.asked() == []


async def test_while_the_account_is_not_known_yet_the_placeholder_is_there_already(house: House, run: Run):
    house.script("hello", "Hi there.")
    hold = house.omni.gate.hold(ACCOUNTS, count=9)
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni hello")
        await hold.reached()
        await house.slack.wait_for(lambda: house.replies("trading", ts))
        hold.release()
        await house.answered("trading", ts, "Hi there.")
        assert len(house.replies("trading", ts)) == 1


async def test_a_private_question_that_cannot_be_admitted_is_not_said_in_public(house: House, run: Run):
    house.slack.gate.refuse("conversations.open", status=500, count=99)
    async with run():
        await house.slack.command("ana", "trading", "/omni", "private am I being margin called?")
        await house.slack.wait_for(lambda: house.slack.ephemerals("ana"))
        assert house.slack.history("trading") == []
        assert "margin" not in str([e["text"] for e in house.slack.ephemerals("ana")])


async def test_a_reply_that_slack_takes_nowhere_ends_its_turn_so_that_the_next_can_begin(house: House, run: Run):
    house.script("hello", "Hi there.")
    refused = {"ok": False, "error": "restricted_action"}
    rules = [
        house.slack.gate.refuse(method, status=200, body=refused, count=99, matches=lambda c: "Hi there" in str(c.args))
        for method in ("chat.postMessage", "chat.update")
    ]
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni hello")
        await house.slack.wait_for(lambda: "does not take this answer" in "".join(house.shown("trading", ts)))
        for rule in rules:
            rule.remaining = 0
        await house.slack.say("ana", "trading", "hello again", thread_ts=ts)
        await house.answered("trading", ts, "Hi there.")


async def test_more_than_twenty_waiting_questions_of_one_person_are_refused(house: House, run: Run, monkeypatch):
    monkeypatch.setattr(admission, "MAX_WAITING_OF_PERSON", 2)
    monkeypatch.setitem(DEADLINE, Kind.INSTANT, timedelta(seconds=60))
    house.script("slow", "Done.", seconds=4)
    async with run():
        ts = await house.slack.say("ana", "trading", "@Omni slow")
        await house.slack.wait_for(lambda: house.omni.active())
        for n in range(3):
            await house.slack.say("ana", "trading", f"slow {n}", thread_ts=ts)
        await house.slack.wait_for(
            lambda: any("of your questions are already waiting" in e["text"] for e in house.slack.ephemerals("ana"))
        )
