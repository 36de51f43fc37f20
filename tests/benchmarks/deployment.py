"""Both emulators in this process, in real time, and the bot (or another app) as a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.slack import SlackEmulator
from omnibot_sandbox.slack.workspace import User

from omnibot.db.migrate import upgrade
from tests.journeys.conftest import SETTINGS, Bot, Deployment

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
EVENTS = "/slack/events"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class FromNothing(Bot):
    """Started as an operator starts it."""

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "omnibot", "run", env=self.environment, stdout=log, stderr=log
            )


@asynccontextmanager
async def furnished(
    *, http: bool = False, slack_waits: float = 3.0, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Deployment]:
    """A deployment with an upgraded database, whose bot does not run yet.

    Args:
        http: Slack delivers over HTTP, else over Socket Mode.
        slack_waits: seconds in which Slack wants an ack.
        settings: more environment variables for the bot.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with SlackEmulator(ack_timeout=slack_waits) as slack:
            omni = ClearStreetEmulator(pace=1.0)
            await omni.start()
            port = free_port()
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)},
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_API_URL": slack.api_url,
                "CLEAR_STREET_API_KEY": "demo-key",
                "CLEAR_STREET_BASE_URL": omni.base_url,
                "PORT": str(port),
                "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
                # What is measured is what is so now.
                "OMNIBOT_READY_SECONDS": "0.05",
                **({"SLACK_SIGNING_SECRET": SECRET} if http else {"SLACK_APP_TOKEN": slack.app_token}),
                **(settings or {}),
            }
            if http:
                slack.deliver_http(f"http://127.0.0.1:{port}{EVENTS}", SECRET)
            deployment = Deployment(slack, omni, FromNothing(environment, Path(folder) / "bot.log"))
            try:
                await upgrade(environment["DATABASE_URL"])
                yield deployment
            finally:
                if deployment.bot.process is not None:
                    await deployment.bot.kill()
                await omni.close()


async def ready(deployment: Deployment, *, patience: float = 60.0) -> None:
    """Return when the bot says that it is ready; a look every five milliseconds."""
    url = f"http://127.0.0.1:{deployment.bot.environment['PORT']}/readyz"
    deadline = time.monotonic() + patience
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline:
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.005)
    raise AssertionError(deployment.bot.logged())


async def metrics(deployment: Deployment) -> dict[str, float]:
    """What `/metrics` says, by name and labels."""
    url = f"http://127.0.0.1:{deployment.bot.environment['PORT']}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        lines = (await answer.text()).splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def many_people(slack: SlackEmulator, count: int) -> list[str]:
    """The ids of so many more full members of the workspace, each with a DM of their own."""
    people = [User(f"U{number:010d}", f"person{number}", f"Person {number}") for number in range(count)]
    slack.workspace.users.update({person.id: person for person in people})
    return [person.id for person in people]
