"""The HTTP server: Slack's deliveries, health, readiness and metrics. It binds PORT in every mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from omnibot import telemetry
from omnibot.errors import SettingsError

log = structlog.get_logger(__name__)

#: Answers None when all is well, else what is not.
Check = Callable[[], Awaitable[str | None]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Seconds one readiness check may take.
CHECK_TIMEOUT = 3.0
#: Bytes of one delivery; Slack's are far smaller.
MAX_BODY = 2 * 1024 * 1024


def build(
    checks: Mapping[str, Check],
    *,
    events: Handler | None,
    collect: Callable[[], Awaitable[None]],
    routes: Sequence[web.RouteDef] = (),
) -> web.Application:
    """The routes.

    Args:
        checks: what `/readyz` asks, by name.
        events: takes Slack's deliveries; None in Socket Mode.
        collect: brings the gauges up to date before `/metrics` answers.
        routes: pages for people.
    """

    async def healthz(_request: web.Request) -> web.Response:
        """The process lives and its event loop turns."""
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        """Everything a question needs is there."""
        results = dict(zip(checks, await asyncio.gather(*map(_ask, checks.values())), strict=True))
        ready = all(trouble is None for trouble in results.values())
        report = {name: trouble or "ok" for name, trouble in results.items()}
        return web.json_response({"ready": ready, "checks": report}, status=200 if ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        """Prometheus' text format."""
        if trouble := await _ask(collect):
            # The gauges are those of before; how often things fail is worth most while they do.
            log.warning("gauges_stale", error=trouble)
        body, content_type = telemetry.exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    if events is not None:
        app.router.add_post("/slack/events", events)
    app.add_routes(routes)
    return app


@asynccontextmanager
async def serving(app: web.Application, port: int, host: str | None = None) -> AsyncIterator[int]:
    """Listen at this address, or on every interface; yields the port.

    Raises:
        SettingsError: the port is taken, or the address is not this machine's.
    """
    # A handler is not cancelled when its caller hangs up: what it has begun to store it finishes.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=False, shutdown_timeout=5)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            where = f" at OMNIBOT_HOST {host}" if host else ""
            raise SettingsError(f"PORT {port} cannot be listened on{where}: {error.strerror or error}") from error
        # Of port 0 each family gets a number of its own; it is the older one's that is told.
        bound = int(min(runner.addresses, key=len)[1])
        log.info("http_listening", port=bound)
        yield bound
    finally:
        await runner.cleanup()


async def _ask(check: Check) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_TIMEOUT)
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT:.0f} s"
    except Exception as error:  # whatever it is, it means: not ready
        return type(error).__name__
