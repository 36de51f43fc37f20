"""Socket Mode on two connections with a watchdog.

The SDK closes an old connection before it dials a new one, so a single one has gaps in which commands and clicks, which
Slack does not repeat, are lost. Each envelope goes to one connection; whichever lives takes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from omnibot.errors import SettingsError
from omnibot.scheduler import Scheduler
from omnibot.slack.errors import SlackFailure, classify

log = structlog.get_logger(__name__)

CONNECTIONS = 2
#: Seconds between pings; after four unanswered ones the SDK calls a connection stale.
PING = 5.0
#: Seconds between the watchdog's rounds, and of being down after which it dials anew itself.
ROUND, PATIENCE = 5.0, 15.0


class SocketConnections:
    """The connections of this process."""

    def __init__(self, app: AsyncApp, app_token: str) -> None:
        self._handlers = [AsyncSocketModeHandler(app, app_token, ping_interval=PING) for _ in range(CONNECTIONS)]
        self._down_since: dict[int, float] = {}

    async def connected(self) -> int:
        """How many connections live."""
        return sum([await handler.client.is_connected() for handler in self._handlers])

    async def open(self) -> None:
        """Dial all; returns when the first stands, the others follow.

        Raises:
            SettingsError: Slack does not accept the token.
        """
        dials = [asyncio.ensure_future(h.client.connect_to_new_endpoint(True)) for h in self._handlers]
        for dial in dials:
            dial.add_done_callback(_dialled)
        done, _ = await asyncio.wait(dials, return_when=asyncio.FIRST_COMPLETED)
        refused = [error for dial in done if (error := dial.exception()) is not None]
        if refused and (verdict := classify(refused[0])).failure in (SlackFailure.BROKEN_APP, SlackFailure.REFUSED):
            await asyncio.wait(dials)
            raise SettingsError(
                f"Slack does not accept SLACK_APP_TOKEN ({verdict.code}): it must be an app-level token (xapp-…) with "
                "the scope connections:write"
            )

    async def watch(self) -> None:
        """Dial anew what has been down too long: the SDK sometimes falls silent instead."""
        now = asyncio.get_running_loop().time()
        for number, handler in enumerate(self._handlers):
            if await handler.client.is_connected():
                self._down_since.pop(number, None)
                continue
            since = self._down_since.setdefault(number, now)
            if now - since >= PATIENCE:
                log.warning("socket_redialled", connection=number, down=round(now - since))
                self._down_since[number] = now
                await handler.client.connect_to_new_endpoint(True)

    async def close(self) -> None:
        """Hang up."""
        for handler in self._handlers:
            await handler.client.close()  # type: ignore[no-untyped-call]  # the SDK has no types there


def _dialled(dial: asyncio.Future[None]) -> None:
    if not dial.cancelled() and (error := dial.exception()) is not None:
        log.warning("socket_dial_failed", error=classify(error).code)


@asynccontextmanager
async def socket_mode(app: AsyncApp, app_token: str, scheduler: Scheduler) -> AsyncIterator[SocketConnections]:
    """Hold the connections open."""
    sockets = SocketConnections(app, app_token)
    try:
        await sockets.open()
        scheduler.every("sockets:watch", ROUND, sockets.watch)
        yield sockets
    finally:
        await scheduler.finish("sockets:watch")
        await sockets.close()
