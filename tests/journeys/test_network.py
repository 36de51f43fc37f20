"""A bad line between the bot and Slack or Clear Street: one whole answer, or one clear error with a way to retry."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from omnibot_sandbox.faults import Hold, Point
from omnibot_sandbox.proxy import TcpProxy

from omnibot.app import running
from omnibot.clearstreet.transport import Transport
from omnibot.settings import Settings
from omnibot.slack.connection import socket_mode
from omnibot.turns import submission
from omnibot.turns.model import Kind
from omnibot.turns.rules import DEADLINE
from tests.journeys.conftest import Deployment, furnished, settle_in

pytestmark = pytest.mark.timeout(120)  # each test is several stories

CREATE = "POST /v1/omni-ai/threads"
CONTINUE = "POST /v1/omni-ai/threads/{thread_id}/messages"
#: Questions that Omni has heard when the line breaks, and one that it has not.
SENDINGS: list[tuple[str, Point]] = [(CREATE, "after"), (CONTINUE, "after"), (CONTINUE, "before")]


@dataclass
class Wired:
    """A deployment whose bot reaches Slack and Clear Street through lines that can be made bad. It is not started."""

    deployment: Deployment
    slack: TcpProxy
    omni: TcpProxy
    database: Path

    async def ask(self, text: str, thread_ts: str | None = None) -> str:
        mention = "" if thread_ts else "@Omni "
        return await self.deployment.slack.say("ana", "trading", mention + text, thread_ts=thread_ts)

    async def once(self, ts: str, *answers: str) -> None:
        """Wait until every turn has ended, so that nothing more is written; each answer then stands there once."""
        await self.deployment.answered("trading", ts, *answers, count=len(answers))
        await self.deployment.slack.wait_for(lambda: not self._open_turns())
        texts = self.deployment.shown("trading", ts)
        assert len(texts) == len(answers), texts
        assert ["".join(texts).count(words) for words in answers] == [1] * len(answers), texts

    def _open_turns(self) -> int:
        with closing(sqlite3.connect(self.database, timeout=10)) as connection:
            query = "SELECT count(*) FROM turns WHERE state NOT IN ('succeeded', 'failed', 'canceled')"
            return int(connection.execute(query).fetchone()[0])

    async def tried_again(self, line: TcpProxy, times: int = 1) -> None:
        """Wait until the bot has dialled a line this many more times."""
        before = line.accepted
        await self.deployment.slack.wait_for(lambda: line.accepted >= before + times)

    async def lose_answer(self, hold: Hold, line: TcpProxy, how: str) -> None:
        """A held call has taken effect: lose its answer on the line, and mend the line once the bot has noticed."""
        await hold.reached()
        if how == "reset":
            await line.reset()
        else:
            await line.truncate(60)
        hold.release()
        await self.tried_again(line)
        await line.passing()


@pytest.fixture
async def wired(tmp_path: Path, migrated: Path) -> AsyncIterator[Wired]:
    async with furnished(tmp_path, migrated) as deployment:
        slack_port, omni_port = (
            int(u.split(":")[2].split("/")[0]) for u in (deployment.slack.api_url, deployment.omni.base_url)
        )
        async with TcpProxy(slack_port) as slack, TcpProxy(omni_port) as omni:
            deployment.bot.environment |= {
                "SLACK_API_URL": f"http://127.0.0.1:{slack.port}/api/",
                "CLEAR_STREET_BASE_URL": f"http://127.0.0.1:{omni.port}",
            }
            yield Wired(deployment, slack, omni, tmp_path / "omnibot.sqlite3")


Run = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def run(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the bot in this process, so that it takes a socket for dead after a second of silence."""
    settle_in(wired.deployment, monkeypatch)
    monkeypatch.setattr(socket_mode, "PING", 1.0)
    wired.deployment.slack.socket_mode.ping_interval = 1.0

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        async with running(Settings.read()):
            await wired.deployment.slack.wait_for(lambda: len(wired.deployment.slack.socket_mode.sockets) == 2)
            yield

    return run


async def test_a_line_to_slack_that_is_reset_amid_questions_and_slow_afterwards(wired: Wired, run: Run):
    deployment = wired.deployment
    deployment.script("first", "The first answer.", seconds=2)
    deployment.script("second", "The second answer.")
    deployment.script("third", "The third answer.")
    async with run():
        assert wired.slack.connections >= 2  # the sockets go through the proxy too
        first = await wired.ask("the first")
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        await wired.slack.reset()
        second = await wired.ask("the second")
        await wired.tried_again(wired.slack, 2)
        await wired.slack.latency(0.1)
        await wired.omni.latency(0.1)
        await wired.once(first, "The first answer.")
        await wired.once(second, "The second answer.")
        await wired.ask("and the third", first)
        await wired.once(first, "The first answer.", "The third answer.")
    assert sorted(deployment.asked()) == ["and the third", "the first", "the second"]


async def test_posts_and_updates_whose_answers_are_lost_on_the_line_are_not_doubled(wired: Wired):
    deployment = wired.deployment
    deployment.script("once", "Exactly once.")
    await deployment.start()
    for how in ("reset", "truncated"):
        posting = deployment.slack.gate.hold("chat.startStream", "after")
        updating = deployment.slack.gate.hold(
            "chat.update", "after", matches=lambda call: "Exactly once." in str(call.args)
        )
        ts = await wired.ask(f"once, {how}")
        await wired.lose_answer(posting, wired.slack, how)
        await wired.lose_answer(updating, wired.slack, how)
        await wired.once(ts, "Exactly once.")
    assert sorted(deployment.asked()) == ["once, reset", "once, truncated"]


async def test_questions_and_polls_that_are_lost_on_the_line_are_asked_and_answered_once(
    wired: Wired, run: Run, monkeypatch: pytest.MonkeyPatch
):
    deployment = wired.deployment
    monkeypatch.setattr(submission, "LOOK_AFTER", (0.0, 0.2, 0.2))
    answers: list[str] = []
    thread: str | None = None
    async with run():
        for number, (call, point) in enumerate(SENDINGS):
            answers.append(f"The answer to number {number}.")
            deployment.script(f"number {number}", answers[-1])
            sending = deployment.omni.gate.hold(call, point)
            ts = await wired.ask(f"number {number}", thread)
            thread = thread or ts
            await wired.lose_answer(sending, wired.omni, "reset")
            await wired.once(thread, *answers)

        assert thread is not None
        deployment.script("number 3", "The last answer.", seconds=2)
        await wired.ask("number 3", thread)
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        await wired.omni.truncate(300)  # the headers pass, and some of the body
        await wired.tried_again(wired.omni)
        await wired.omni.passing()
        await wired.once(thread, *answers, "The last answer.")
    assert deployment.asked() == [f"number {n}" for n in range(4)]


async def test_a_question_that_both_half_open_sockets_swallow_is_delivered_again(wired: Wired, run: Run):
    deployment = wired.deployment
    deployment.script("once", "Exactly once.")
    async with run():
        await wired.slack.blackhole()
        ts = await wired.ask("once")
        await deployment.slack.wait_for(lambda: wired.slack.dead >= 2)
        await wired.slack.passing()
        assert deployment.slack.socket_mode.acked == set()
        await wired.once(ts, "Exactly once.")
    assert deployment.asked() == ["once"]


def polls(deployment: Deployment) -> int:
    return sum(call.name == "GET /v1/omni-ai/responses/{response_id}" for call in deployment.omni.calls)


async def test_a_line_to_clear_street_that_swallows_polls_for_a_while_and_for_good(
    wired: Wired, run: Run, monkeypatch: pytest.MonkeyPatch
):
    deployment = wired.deployment
    monkeypatch.setattr("omnibot.app.Transport", partial(Transport, timeout=1.0))
    deployment.script("first", "The first answer.", seconds=1)
    deployment.script("second", "Never mind.", seconds=5)
    async with run():
        ts = await wired.ask("the first")
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        await wired.omni.blackhole()
        await deployment.slack.wait_for(lambda: wired.omni.dead)
        await wired.omni.passing()  # the poll that was swallowed stays without an answer
        await wired.once(ts, "The first answer.")

        monkeypatch.setitem(DEADLINE, Kind.INSTANT, timedelta(seconds=1))
        earlier = polls(deployment)
        ts = await wired.ask("the second")
        # Polled: the bot knows by now that Omni has the question.
        await deployment.slack.wait_for(lambda: polls(deployment) > earlier)
        await wired.omni.blackhole()
        await wired.once(ts, "longer than 3 minutes")
        await wired.omni.passing()
        monkeypatch.setitem(DEADLINE, Kind.INSTANT, timedelta(seconds=60))
        deployment.script("second", "The second answer.")
        (reply,) = deployment.replies("trading", ts)
        await deployment.slack.click("ana", "trading", reply.ts, label="Ask again")
        await wired.once(ts, "longer than 3 minutes", "The second answer.")
    assert deployment.asked() == ["the first", "the second", "the second"]
