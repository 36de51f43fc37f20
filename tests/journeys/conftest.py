"""The whole deployment on loopback: both emulators in this process, the bot as the real subprocess."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import Message

from tests.forking import Forked

#: Scripted answers run this much faster than in the demo.
PACE = 0.05

#: How the names of the bot's own settings begin.
SETTINGS = ("SLACK_", "CLEAR_STREET_", "OMNIBOT_")


@dataclass
class Bot:
    """`omnibot run` as a process of its own, startable, killable, restartable on the same database."""

    environment: dict[str, str]
    log: Path
    process: Forked | asyncio.subprocess.Process | None = field(default=None)

    async def start(self) -> None:
        self.process = Forked("run", environment=self.environment, log=self.log)
        await self.process.start()

    async def upgrade(self) -> None:
        """`omnibot db upgrade`."""
        process = Forked("db", "upgrade", environment=self.environment, log=self.log)
        await process.start()
        assert await process.wait() == 0

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        """SIGTERM, and how it exited."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 60)

    def logged(self) -> str:
        return self.log.read_text()


@dataclass
class Deployment:
    """Slack, Clear Street and the bot."""

    slack: SlackEmulator
    omni: ClearStreetEmulator
    bot: Bot

    async def start(self) -> None:
        """Start the bot and wait until Slack has its socket."""
        await self.bot.start()
        await self.connected()

    async def connected(self) -> None:
        await self.slack.wait_for(lambda: self.slack.socket_mode.sockets)

    async def restart(self) -> None:
        """kill -9, then the same again."""
        await self.bot.kill()
        await self.slack.wait_for(lambda: not self.slack.socket_mode.sockets)
        await self.start()

    def unfinished(self) -> int:
        """How many turns the bot's database holds to which something can happen still."""
        url = self.bot.environment["DATABASE_URL"]
        count = "SELECT count(*) FROM turns WHERE ended_at IS NULL"
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)) as sqlite:
                return int(sqlite.execute(count).fetchone()[0])
        with psycopg.connect(url) as postgresql:
            row = postgresql.execute(count).fetchone()
            assert row is not None
            return int(row[0])

    async def at_rest(self) -> None:
        """Wait until nothing is left to do: what has not happened by then does not happen any more."""
        await self.slack.wait_for(lambda: self.unfinished() == 0)

    def shown(self, channel: str, root_ts: str) -> list[str]:
        """What people read of the bot in a thread, a command's root message left out."""
        return [self.slack.visible_text(m) for m in self.replies(channel, root_ts)]

    def script(self, pattern: str, *texts: str, seconds: float = 0.6, **final: Any) -> None:
        """Teach Omni an answer: `seconds` (real ones) of growing text, then all of `texts` as text parts."""
        parts = [{"type": "text", "text": text} for text in texts]
        end = {"at": seconds / PACE, "status": "succeeded", "parts": parts, **final}
        growing = {"from": 0.2 * seconds / PACE, "to": seconds / PACE, "steps": 4, "thoughts": ["Looking it up..."]}
        self.omni.add_script({"name": f"test: {pattern}", "pattern": pattern, "snapshots": [growing], "final": end})

    def asked(self) -> list[str]:
        """Every question Omni has received, over all its threads, in order of the threads."""
        return [text for thread_id in self.omni.threads for text in self.omni.user_texts(thread_id)]

    async def ask_directly(self, thread_id: str, text: str) -> None:
        """Continue an Omni thread behind the bot's back, as Clear Street's own apps do."""
        url = f"{self.omni.base_url}/v1/omni-ai/threads/{thread_id}/messages"
        async with (
            aiohttp.ClientSession(headers={"Authorization": "Bearer demo-key"}) as session,
            session.post(url, json={"account_id": 19816, "text": text}) as answer,
        ):
            assert answer.status == 200, await answer.text()

    def roots(self, channel: str) -> list[Message]:
        """The messages of a channel that are no replies in threads."""
        return [m for m in self.slack.history(channel) if not m.is_reply]

    def replies(self, channel: str, root_ts: str) -> list[Message]:
        """The bot's messages in a thread."""
        bot = self.slack.bot_user_id
        return [m for m in self.slack.thread(channel, root_ts) if m.user == bot and m.ts != root_ts]

    def answers(self, channel: str, root_ts: str) -> int:
        """How many finished answers a thread shows."""
        return sum(FINISHED in text for text in self.shown(channel, root_ts))

    async def answered(self, channel: str, root_ts: str, *words: str, count: int = 1, timeout: float = 60) -> str:
        """Wait until the thread shows `count` finished answers and all these words; return its whole text."""

        def ready() -> str:
            text = "\n".join(self.shown(channel, root_ts))
            return text if all(w in text for w in words) and self.answers(channel, root_ts) >= count else ""

        return await self.slack.wait_for(ready, timeout=timeout)


#: Stands below every finished reply and nowhere else.
FINISHED = "Omni AI can be wrong"


@pytest.fixture
async def deployment(tmp_path: Path, migrated: Path, request: pytest.FixtureRequest) -> AsyncIterator[Deployment]:
    """A running deployment; `@pytest.mark.parametrize("deployment", ["2026-10"], indirect=True)` picks a revision."""
    async with furnished(tmp_path, migrated, revision=getattr(request, "param", "2026-04")) as deployment:
        await deployment.start()
        yield deployment


def settle_in(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a bot in this process read the deployment's settings, and leave the logging alone."""
    monkeypatch.setattr("omnibot.telemetry.configure", lambda *_: None)
    for name in list(os.environ):
        if name.startswith(SETTINGS):
            monkeypatch.delenv(name)
    for name, value in deployment.bot.environment.items():
        if name.startswith(SETTINGS) or name in ("DATABASE_URL", "PORT"):
            monkeypatch.setenv(name, value)


@pytest.fixture
async def trading_deployment(
    tmp_path: Path, migrated: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Deployment]:
    """A running deployment in which Ana and Ben trade; a parameter is OMNIBOT_TRADING."""
    from tests.journeys.order_thread import POLICY

    async with furnished(tmp_path, migrated, revision="2026-10") as deployment:
        policy = tmp_path / "policy.toml"
        policy.write_text(POLICY.format(**{name: deployment.slack.workspace.user(name).id for name in ("ana", "ben")}))
        deployment.bot.environment |= {
            "OMNIBOT_POLICY": str(policy),
            "CLEAR_STREET_ACCOUNT_ID": "19816",
            "OMNIBOT_TRADING": getattr(request, "param", "live"),
            "OMNIBOT_AUDIT_KEY": "a" * 40,
        }
        await deployment.start()
        yield deployment


@contextlib.asynccontextmanager
async def furnished(tmp_path: Path, migrated: Path, *, revision: str = "2026-04") -> AsyncIterator[Deployment]:
    """A deployment whose bot does not run yet."""
    slack, omni = SlackEmulator(), ClearStreetEmulator(revision=revision, pace=PACE)
    await slack.start()
    await omni.start()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)},
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "CLEAR_STREET_API_KEY": "demo-key",
        "CLEAR_STREET_BASE_URL": omni.base_url,
        "PORT": "0",
        "DATABASE_URL": f"sqlite:///{tmp_path}/omnibot.sqlite3",
    }
    shutil.copy(migrated, tmp_path / "omnibot.sqlite3")
    bot = Bot(environment, tmp_path / "bot.log")
    try:
        yield Deployment(slack, omni, bot)
    finally:
        if bot.process is not None:
            await bot.kill()
        await slack.close()
        await omni.close()
