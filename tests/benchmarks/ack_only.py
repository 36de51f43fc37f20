"""A Bolt app that acknowledges every message and does nothing else: what acks are compared with.

Reads the same variables as omnibot: with SLACK_APP_TOKEN over Socket Mode, else over HTTP.
"""

from __future__ import annotations

import asyncio
import os

from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.benchmarks.deployment import EVENTS


async def main() -> None:
    """Serve until killed."""
    token = os.environ["SLACK_BOT_TOKEN"]
    app = AsyncApp(
        client=AsyncWebClient(token=token, base_url=os.environ["SLACK_API_URL"]),
        signing_secret=os.environ.get("SLACK_SIGNING_SECRET", ""),
        process_before_response=True,
    )

    @app.event("message")
    async def do_nothing() -> None:
        return

    server = app.web_app(EVENTS)

    async def ready(_request: web.Request) -> web.Response:
        return web.Response(text="ready")

    server.router.add_get("/readyz", ready)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    if app_token := os.environ.get("SLACK_APP_TOKEN"):
        await AsyncSocketModeHandler(app, app_token).connect_async()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"])).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
