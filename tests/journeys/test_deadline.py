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
from tests.journeys.conftest import Deployment, settle_in

POLL = "GET /v1/omni-ai/responses/{response_id}"
CREATE = "POST /v1/omni-ai/threads"
ACCOUNTS = "GET /v1/accounts"

Run = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
async def run(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the bot here instead of as a process; its patience is three seconds."""
    await deployment.bot.kill()
    monkeypatch.setitem(DEADLINE, Kind.INSTANT, timedelta(seconds=3))
    monkeypatch.setattr(admission, "ADMISSION_PATIENCE", 3.0)
    settle_in(deployment, monkeypatch)

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        async with running(Settings.read()):
            await deployment.connected()
            yield

    return run


async def test_omni_that_takes_too_long_is_stopped_and_what_it_said_is_delivered(deployment: Deployment, run: Run):
    deployment.script("slow", "It began well and then " + "went on " * 50, seconds=10)
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni slow")
        text = await deployment.answered("trading", ts, "longer than 3 minutes")
        assert "It began well" in text
        assert "Ask again" in text
        assert deployment.omni.active() == []


async def test_an_answer_that_was_finished_while_the_bot_was_down_past_the_deadline_is_delivered_whole(
    deployment: Deployment, run: Run
):
    deployment.script("once", "The whole answer, every word of it.", seconds=1.5)
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni once")
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        await deployment.slack.wait_for(lambda: any(c.name == POLL for c in deployment.omni.calls))
    await asyncio.sleep(4)
    async with run():
        text = await deployment.answered("trading", ts, "The whole answer, every word of it.")
        assert "longer than" not in text
    assert deployment.asked() == ["once"]


async def test_a_question_whose_sending_was_cut_off_is_looked_for_even_past_its_time(deployment: Deployment, run: Run):
    deployment.script("once", "The whole answer, every word of it.")
    deployment.omni.gate.drop(CREATE, "after")
    deployment.omni.gate.refuse("GET /v1/omni-ai/*", status=503, count=500)
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni once")
        await deployment.slack.wait_for(lambda: deployment.asked())
    await asyncio.sleep(4)
    deployment.omni.gate.clear()
    async with run():
        await deployment.answered("trading", ts, "The whole answer, every word of it.")
    assert deployment.asked() == ["once"]


async def test_stop_takes_effect_although_no_poll_succeeds(deployment: Deployment, run: Run):
    deployment.script("slow", "Never mind.", seconds=60)
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni slow")
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        deployment.omni.gate.refuse(POLL, status=503, count=999)
        await deployment.slack.command("ana", "trading", "/omni", "stop")
        await deployment.answered("trading", ts, "Stopped by")
        await deployment.slack.wait_for(lambda: not deployment.omni.active())


async def test_stop_is_said_to_omni_again_when_it_was_too_busy_to_hear(deployment: Deployment, run: Run, monkeypatch):
    monkeypatch.setitem(DEADLINE, Kind.INSTANT, timedelta(seconds=60))
    deployment.script("slow", "Never mind.", seconds=60)
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni slow")
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        deployment.omni.gate.refuse("DELETE *", status=429, headers={"Retry-After": "1"})
        await deployment.slack.command("ana", "trading", "/omni", "stop")
        await deployment.answered("trading", ts, "Stopped by")
        await deployment.slack.wait_for(lambda: not deployment.omni.active())


async def test_a_429_never_makes_anybody_wait_past_the_deadline(deployment: Deployment, run: Run):
    deployment.script("slow", "Never mind.", seconds=60)
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni slow")
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        deployment.omni.gate.refuse(POLL, status=429, headers={"Retry-After": "600"}, count=99)
        await deployment.answered("trading", ts, "longer than")


async def test_a_key_that_is_refused_is_one_reply_with_its_request_id_and_a_retry(deployment: Deployment, run: Run):
    deployment.omni.gate.refuse(ACCOUNTS, status=401, count=99)
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni hello")
        text = await deployment.answered("trading", ts, "does not accept omnibot's API key", "request ")
        deployment.omni.gate.clear()
        deployment.script("hello", "Hi there.")
        (reply,) = deployment.replies("trading", ts)
        assert "Ask again" in text
        await deployment.slack.click("ana", "trading", reply.ts, label="Ask again")
        await deployment.answered("trading", ts, "Hi there.", count=2)


async def test_a_key_with_several_accounts_says_what_the_operator_must_do(
    deployment: Deployment, run: Run, monkeypatch
):
    monkeypatch.setenv("CLEAR_STREET_API_KEY", "second-key")
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni hello")
        await deployment.answered("trading", ts, "CLEAR_STREET_ACCOUNT_ID")
    assert deployment.asked() == []


async def test_while_the_account_is_not_known_yet_the_placeholder_is_there_already(deployment: Deployment, run: Run):
    deployment.script("hello", "Hi there.")
    hold = deployment.omni.gate.hold(ACCOUNTS, count=9)
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni hello")
        await hold.reached()
        await deployment.slack.wait_for(lambda: deployment.replies("trading", ts))
        hold.release()
        await deployment.answered("trading", ts, "Hi there.")
        assert len(deployment.replies("trading", ts)) == 1


async def test_a_private_question_that_cannot_be_admitted_is_not_said_in_public(deployment: Deployment, run: Run):
    deployment.slack.gate.refuse("conversations.open", status=500, count=99)
    async with run():
        await deployment.slack.command("ana", "trading", "/omni", "private am I being margin called?")
        await deployment.slack.wait_for(lambda: deployment.slack.ephemerals("ana"))
        assert deployment.slack.history("trading") == []
        assert "margin" not in str([e["text"] for e in deployment.slack.ephemerals("ana")])


async def test_a_reply_that_slack_takes_nowhere_ends_its_turn_so_that_the_next_can_begin(
    deployment: Deployment, run: Run
):
    deployment.script("hello", "Hi there.")
    refused = {"ok": False, "error": "restricted_action"}
    rules = [
        deployment.slack.gate.refuse(
            method, status=200, body=refused, count=99, matches=lambda c: "Hi there" in str(c.args)
        )
        for method in ("chat.postMessage", "chat.update")
    ]
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni hello")
        await deployment.slack.wait_for(lambda: "does not take this answer" in "".join(deployment.shown("trading", ts)))
        for rule in rules:
            rule.remaining = 0
        await deployment.slack.say("ana", "trading", "hello again", thread_ts=ts)
        await deployment.answered("trading", ts, "Hi there.")


async def test_more_than_twenty_waiting_questions_of_one_person_are_refused(
    deployment: Deployment, run: Run, monkeypatch
):
    monkeypatch.setattr(admission, "MAX_WAITING_OF_PERSON", 2)
    monkeypatch.setitem(DEADLINE, Kind.INSTANT, timedelta(seconds=60))
    deployment.script("slow", "Done.", seconds=4)
    async with run():
        ts = await deployment.slack.say("ana", "trading", "@Omni slow")
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        for n in range(3):
            await deployment.slack.say("ana", "trading", f"slow {n}", thread_ts=ts)
        await deployment.slack.wait_for(
            lambda: any(
                "of your questions are already waiting" in e["text"] for e in deployment.slack.ephemerals("ana")
            )
        )
