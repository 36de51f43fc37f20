"""An emulated workspace, a Web API client and Bolt apps connected to it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from omnibot_sandbox.slack import SlackEmulator
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    """A Slack that waits for slow machines: nothing comes again because its acknowledgement took a while."""
    async with SlackEmulator(ack_timeout=20, redeliver_after=(20, 20, 20)) as emulator:
        yield emulator


@pytest.fixture
def hasty(slack: SlackEmulator) -> None:
    """This Slack is quick to believe that it was not heard."""
    slack.socket_mode.ack_timeout, slack.socket_mode.redeliver_after = 0.5, (0.1, 0.2, 0.3)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def web(slack: SlackEmulator, session: aiohttp.ClientSession) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])


@pytest.fixture
def app(slack: SlackEmulator, web: AsyncWebClient) -> AsyncApp:
    return AsyncApp(
        client=web, process_before_response=True, ignoring_self_events_enabled=False, logger=logging.getLogger("bolt")
    )


@pytest.fixture
async def connect(slack: SlackEmulator) -> AsyncIterator[Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]]:
    """Connect an app over Socket Mode; returns once its connection stands."""
    handlers: list[AsyncSocketModeHandler] = []

    async def connect(app: AsyncApp) -> AsyncSocketModeHandler:
        web = AsyncWebClient(base_url=slack.api_url)
        handler = AsyncSocketModeHandler(app, slack.app_token, web_client=web, ping_interval=5)
        before = len(slack.socket_mode.sockets)
        handlers.append(handler)
        await handler.connect_async()
        await slack.wait_for(lambda: len(slack.socket_mode.sockets) > before)
        return handler

    yield connect
    for handler in handlers:
        await handler.close_async()


@pytest.fixture
async def hear(
    app: AsyncApp, connect: Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]
) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """Connect an app that keeps the bodies of all events of these types, in the order they come, each once."""

    async def hear(*kinds: str) -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        for kind in kinds:

            @app.event(kind)
            async def take(body: dict[str, Any]) -> None:
                if body["event_id"] not in [known["event_id"] for known in heard]:
                    heard.append(body)

        await connect(app)
        return heard

    return hear
