"""Whatever breaks on the way, a question ends in exactly one whole answer, or one clear error with a way to retry."""

import asyncio
import os
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from omnibot_sandbox.faults import Hold

from tests.journeys.conftest import Deployment, furnished

WORDS = "The answer that must arrive exactly once, whole."
POLL = "GET /v1/omni-ai/responses/{response_id}"
FINAL = "GET /v1/omni-ai/messages/{message_id}"
CREATE = "POST /v1/omni-ai/threads"


async def ask(deployment: Deployment) -> str:
    deployment.script("once", WORDS, seconds=1)
    return await deployment.slack.say("ana", "trading", "@Omni once please")


async def one_whole_answer(deployment: Deployment, ts: str, timeout: float = 60, asked: int = 1) -> None:
    await deployment.answered("trading", ts, WORDS, timeout=timeout)
    await deployment.at_rest()
    texts = deployment.shown("trading", ts)
    assert len(texts) == 1, texts
    assert texts[0].count(WORDS) == 1
    assert deployment.asked() == ["once please"] * asked


FAULTS = {
    "500": {"status": 500},
    "503 with a page": {"status": 503, "body": "<html>busy</html>"},
    "429": {"status": 429, "headers": {"Retry-After": "1"}},
    "429 without its wait": {"status": 429},
    "not json": {"status": 200, "body": "certainly"},
    "an array": {"status": 200, "body": []},
    "no data": {"status": 200, "body": {"metadata": {}}},
    "half a response": {"status": 200, "body": {"data": {"id": "x"}, "metadata": {}}},
}


Story = Callable[[Deployment, Any], Coroutine[Any, Any, None]]
Everywhere = Callable[[Mapping[str, Any], Story], Coroutine[Any, Any, None]]


@pytest.fixture
def everywhere(tmp_path: Path, migrated: Path) -> Everywhere:
    """The same story with each of these faults, in houses of their own at the same time: stories mostly wait."""

    async def live(name: str, fault: Any, story: Story) -> None:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        async with furnished(folder, migrated) as deployment:
            try:
                await deployment.start()
                await story(deployment, fault)
            except Exception as error:
                error.add_note(f"with the fault {name!r}; the bot said:\n{deployment.bot.logged()}")
                raise

    async def everywhere(faults: Mapping[str, Any], story: Story) -> None:
        async with asyncio.TaskGroup() as group:
            for name, fault in faults.items():
                group.create_task(live(name, fault, story))

    return everywhere


@pytest.mark.parametrize("call", [POLL, FINAL])
async def test_reads_that_fail_twice(everywhere: Everywhere, call: str):
    async def story(deployment: Deployment, fault: Any) -> None:
        rule = deployment.omni.gate.refuse(call, count=2, **fault)
        await one_whole_answer(deployment, await ask(deployment))
        assert len(rule.calls) == 2

    await everywhere(FAULTS, story)


@pytest.mark.parametrize("point", ["before", "after"])
async def test_connections_that_drop(everywhere: Everywhere, point: Literal["before", "after"]):
    async def story(deployment: Deployment, call: str) -> None:
        rule = deployment.omni.gate.drop(call, point, count=2)
        await one_whole_answer(deployment, await ask(deployment), timeout=80)
        assert rule.calls

    await everywhere({call: call for call in (POLL, FINAL, CREATE)}, story)


async def test_a_poll_that_never_answers(deployment: Deployment):
    hold = deployment.omni.gate.hold(POLL)
    ts = await ask(deployment)
    await hold.reached()
    await one_whole_answer(deployment, ts)


async def test_an_api_that_refuses_the_key_in_the_middle_of_an_answer(deployment: Deployment):
    deployment.script("once", WORDS, seconds=20)
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await deployment.slack.wait_for(lambda: deployment.omni.active())
    deployment.omni.gate.refuse(POLL, status=401, count=99)
    text = await deployment.answered("trading", ts, "does not accept omnibot's API key")
    assert "Ask again" in text
    assert len(deployment.shown("trading", ts)) == 1


async def test_a_create_call_that_is_refused_is_one_error_with_a_retry(everywhere: Everywhere):
    async def story(deployment: Deployment, status: int) -> None:
        deployment.omni.gate.refuse(CREATE, status=status)
        ts = await ask(deployment)
        text = await deployment.answered("trading", ts, "Ask again")
        assert "request " in text
        (reply,) = deployment.replies("trading", ts)
        await deployment.slack.click("ana", "trading", reply.ts, label="Ask again")
        await deployment.answered("trading", ts, WORDS, count=2)
        assert deployment.asked() == ["once please"]

    await everywhere({str(status): status for status in (400, 401, 403, 422)}, story)


#: The 429 last: after it omnibot goes easy on the method for a while.
SLACK_FAULTS: list[Any] = [
    {"status": 500},
    {"status": 200, "body": "certainly"},
    "before",
    "after",
    {"status": 429, "headers": {"Retry-After": "1"}},
]


async def test_not_being_told_at_once_who_asks(everywhere: Everywhere):
    async def story(deployment: Deployment, fault: Any) -> None:
        rule = befall(deployment, "users.info", fault)
        await one_whole_answer(deployment, await ask(deployment))
        assert rule.calls

    await everywhere({str(fault): fault for fault in SLACK_FAULTS}, story)


def befall(deployment: Deployment, method: str, fault: Any) -> Hold:
    """Let this happen to the next call."""
    gate = deployment.slack.gate
    return gate.refuse(method, **fault) if isinstance(fault, dict) else gate.drop(method, fault)


@pytest.mark.parametrize(
    "method",
    [
        "chat.startStream",
        "chat.appendStream",
        "chat.stopStream",
        "chat.update",
        "without streams: chat.postMessage",
        "without streams: chat.update",
    ],
)
async def test_every_slack_method_refused_or_dropped_once(deployment: Deployment, method: str):
    """One bot for all faults of a method: each costs it one call, and no answer."""
    streams, method = "without streams" not in method, method.split(": ")[-1]
    if not streams:
        refused = {"ok": False, "error": "channel_type_not_supported"}
        deployment.slack.gate.refuse("chat.startStream", status=200, body=refused, count=1_000)
    for asked, fault in enumerate(SLACK_FAULTS, start=1):
        rule = befall(deployment, method, fault)
        await one_whole_answer(deployment, await ask(deployment), asked=asked)
        assert rule.calls, (method, fault)


async def test_a_database_locked_by_somebody_else_for_seconds(deployment: Deployment, tmp_path: Path):
    ts = await ask(deployment)
    await deployment.slack.wait_for(lambda: deployment.omni.active())
    intruder = sqlite3.connect(tmp_path / "omnibot.sqlite3", isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(4)
    intruder.execute("ROLLBACK")
    intruder.close()
    await one_whole_answer(deployment, ts)


async def test_a_process_that_stands_still_for_seconds(deployment: Deployment):
    ts = await ask(deployment)
    await deployment.slack.wait_for(lambda: deployment.omni.active())
    assert deployment.bot.process is not None
    os.kill(deployment.bot.process.pid, signal.SIGSTOP)
    await asyncio.sleep(4)
    os.kill(deployment.bot.process.pid, signal.SIGCONT)
    await one_whole_answer(deployment, ts)


async def test_sockets_that_are_refreshed_torn_and_torn_again_while_people_talk(deployment: Deployment):
    deployment.script("number", "Noted.")
    asked = []
    for n in range(6):
        asked.append(await deployment.slack.say("ana", "trading", f"@Omni number {n}"))
        if n % 2:
            deployment.slack.kill_sockets()
        else:
            await deployment.slack.disconnect_sockets()
    for ts in asked:
        await deployment.answered("trading", ts, "Noted.")
    assert sorted(deployment.asked()) == [f"number {n}" for n in range(6)]
