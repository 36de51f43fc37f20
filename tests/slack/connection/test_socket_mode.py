"""The watchdog over the Socket Mode connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from omnibot_sandbox.slack import SlackEmulator
from slack_bolt.async_app import AsyncApp
from structlog.testing import capture_logs

from omnibot.scheduler import Scheduler
from omnibot.slack.app import build_app, open_client, who_am_i
from omnibot.slack.connection.socket_mode import CONNECTIONS, SocketConnections, socket_mode


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator() as slack:
        yield slack


@pytest.fixture
async def app(slack: SlackEmulator) -> AsyncIterator[AsyncApp]:
    async with aiohttp.ClientSession() as session:
        client = open_client(session, token=slack.bot_token, api_url=slack.api_url)
        yield build_app(session, slack.api_url, await who_am_i(client))


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    scheduler = Scheduler()
    scheduler.start()
    yield scheduler
    await scheduler.stop()


async def all_stand(held: SocketConnections) -> None:
    """Slack counts a connection before the SDK has finished opening it: wait for both ends."""
    async with asyncio.timeout(90):
        while True:
            watched = [handler.client.current_session_monitor is not None for handler in held._handlers]
            if all(watched) and await held.connected() == CONNECTIONS:
                return
            await asyncio.sleep(0.01)


async def fall_silent(held: SocketConnections) -> None:
    """What the SDK was seen to do: it neither reconnects nor says anything."""
    for handler in held._handlers:
        handler.client.auto_reconnect_enabled = False
        monitor = handler.client.current_session_monitor
        assert monitor is not None
        monitor.cancel()


async def test_connections_the_sdk_gave_up_in_silence_are_dialled_anew(
    slack: SlackEmulator, app: AsyncApp, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("omnibot.slack.connection.socket_mode.ROUND", 0.1)
    monkeypatch.setattr("omnibot.slack.connection.socket_mode.PATIENCE", 0.3)
    with capture_logs() as logs:
        async with socket_mode(app, slack.app_token, scheduler) as held:
            await all_stand(held)
            await fall_silent(held)
            slack.kill_sockets()
            assert slack.socket_mode.sockets == []
            await slack.wait_for(lambda: len(slack.socket_mode.sockets) == CONNECTIONS)
            await all_stand(held)
    assert {line["connection"] for line in logs if line["event"] == "socket_redialled"} == set(range(CONNECTIONS))


async def test_a_connection_that_lives_is_left_alone(
    slack: SlackEmulator, app: AsyncApp, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("omnibot.slack.connection.socket_mode.PATIENCE", 0.0)
    async with socket_mode(app, slack.app_token, scheduler) as held:
        await all_stand(held)
        dialled = [call for call in slack.calls if call.name == "apps.connections.open"]
        for _ in range(3):
            await held.watch()
        assert [call for call in slack.calls if call.name == "apps.connections.open"] == dialled
