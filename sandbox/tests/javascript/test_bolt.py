"""Slack's own framework for JavaScript, Bolt, in a small app of somebody else's, over Socket Mode."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from omnibot_sandbox.slack import SlackEmulator

HERE = Path(__file__).parent
#: Where packages are kept between runs.
CACHE = Path(__file__).parents[3] / ".contracts" / "javascript"


async def run(*command: str, **variables: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=CACHE,
        env={**os.environ, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@pytest.fixture
async def app() -> Path:
    """The app, with its packages installed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "app.js"):
        shutil.copy(HERE / name, CACHE / name)
    install = await run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
    said, _ = await install.communicate()
    assert install.returncode == 0, said.decode()
    return CACHE / "app.js"


@pytest.fixture
async def slack(app: Path) -> AsyncIterator[SlackEmulator]:
    """A Slack with the app connected."""
    async with SlackEmulator() as slack:
        process = await run(
            *("node", str(app)),
            SLACK_API_URL=slack.api_url,
            SLACK_BOT_TOKEN=slack.bot_token,
            SLACK_APP_TOKEN=slack.app_token,
            NO_PROXY="127.0.0.1",
        )
        try:
            await slack.wait_for(lambda: slack.socket_mode.sockets)
            yield slack
        finally:
            process.kill()
            said, _ = await process.communicate()
            print(said.decode())


async def test_a_mention_is_answered_and_a_button_changes_the_answer(slack: SlackEmulator):
    ts = await slack.say("ana", "trading", "@Omni good morning")
    ana, trading = slack.workspace.user("ana"), slack.workspace.channel("trading")
    [reply] = await slack.wait_for(lambda: trading.replies(ts))
    assert reply.text == f"Hello <@{ana.id}>"

    assert await slack.click("ana", "trading", reply.ts, label="Wave")
    await slack.wait_for(lambda: trading.replies(ts)[0].text == f"<@{ana.id}> waves")
    assert slack.refusals == []


async def test_a_command_is_answered_to_whoever_typed_it(slack: SlackEmulator):
    result = await slack.command("ana", "trading", "/greet", "everybody")
    assert result.acked
    assert "You said: everybody" in str(result.ack_payload)
