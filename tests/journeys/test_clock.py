"""The machine's clock is set while Omni works: nobody waits for an hour, nothing ends early, nothing is said twice."""

import time
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from omnibot.app import running
from omnibot.db.engine import Database
from omnibot.settings import Settings
from tests.journeys.conftest import Deployment, settle_in

HOUR = timedelta(hours=1)


class Clock:
    """This machine's clock as the bot and its SQLite see it; Slack and Clear Street have their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        clock = self

        class Shifted(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + clock.ahead

        for module in (
            "apscheduler.schedulers.base",
            "omnibot.scheduler",
            "omnibot.turns.rows",
            "omnibot.slack.delivery.streaming",
            "omnibot.market_data.service",
            "omnibot.clearstreet.transport",
        ):
            monkeypatch.setattr(f"{module}.datetime", Shifted)
        for module in ("omnibot.scheduler", "omnibot.telemetry", "omnibot.slack.listeners.commands"):
            monkeypatch.setattr(f"{module}.time", SimpleNamespace(time=self.seconds, monotonic=time.monotonic))
        after = Database.after
        monkeypatch.setattr(Database, "now", lambda database: after(database, clock.ahead.total_seconds()))
        monkeypatch.setattr(Database, "after", lambda database, s: after(database, clock.ahead.total_seconds() + s))

    def seconds(self) -> float:
        """Since 1970."""
        return time.time() + self.ahead.total_seconds()


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_an_answer_comes_once_and_whole_though_the_clock_jumps(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, jump: timedelta
):
    await deployment.bot.kill()
    settle_in(deployment, monkeypatch)
    clock = Clock(monkeypatch)
    deployment.script("first", "The first answer, every word of it.", seconds=2)
    deployment.script("second", "The second answer.")
    async with running(Settings.read()):
        await deployment.connected()
        ts = await deployment.slack.say("ana", "trading", "@Omni the first")
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        clock.ahead = jump
        text = await deployment.answered("trading", ts, "The first answer, every word of it.")
        assert "longer than" not in text
        await deployment.slack.say("ana", "trading", "and the second", thread_ts=ts)
        await deployment.answered("trading", ts, "The second answer.", count=2)
        clock.ahead = timedelta()
    assert deployment.asked() == ["the first", "and the second"]
    # By this clock the first answer came late, and may be a post of its own.
    text = "\n".join(deployment.shown("trading", ts))
    assert (text.count("The first answer"), text.count("The second answer")) == (1, 1)


async def test_an_answer_is_finished_by_the_next_process_though_the_clock_was_set_back_between(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
):
    await deployment.bot.kill()
    settle_in(deployment, monkeypatch)
    clock = Clock(monkeypatch)
    deployment.script("first", "The first answer, every word of it.", seconds=3)
    deployment.script("second", "The second answer.")
    async with running(Settings.read()):
        await deployment.connected()
        ts = await deployment.slack.say("ana", "trading", "@Omni the first")
        await deployment.slack.wait_for(lambda: deployment.omni.active())
        await deployment.slack.say("ana", "trading", "and the second", thread_ts=ts)
        await deployment.slack.wait_for(
            lambda: len(deployment.slack.socket_mode.acked) == len(deployment.slack.socket_mode.sent)
        )
    clock.ahead = -HOUR
    async with running(Settings.read()):
        await deployment.answered("trading", ts, "The first answer", "The second answer.", count=2)
    assert deployment.asked() == ["the first", "and the second"]
