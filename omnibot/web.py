"""The HTTP server: Slack's deliveries, health, readiness and metrics. It binds PORT in every mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import structlog
from aiohttp import web

from omnibot import telemetry
from omnibot.connections import Connections, Handler, Limits, counted
from omnibot.errors import SettingsError

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Answers None when all is well, else what is not.
Check = Callable[[], Awaitable[str | None]]

#: Seconds one readiness check may take.
CHECK_TIMEOUT = 3.0
#: Seconds for which readiness and metrics are remembered.
REMEMBERED = 5.0
#: Bytes of one delivery; Slack's are far smaller.
MAX_BODY = 2 * 1024 * 1024


class Remembered(Generic[T]):
    """The last value of something that costs time; however many ask, it is made once at a time.

    Args:
        make: makes the value; it does not raise.
        seconds: for how long a value is good.
    """

    def __init__(self, make: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._make = make
        self._seconds = seconds
        self._last: tuple[float, T] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def get(self) -> T:
        """The value, at most that many seconds old."""
        async with self._one_at_a_time:
            now = asyncio.get_running_loop().time
            if self._last is None or now() - self._last[0] >= self._seconds:
                value = await self._make()
                self._last = now(), value
            return self._last[1]


def build(
    checks: Mapping[str, Check] | None,
    *,
    events: Handler | None,
    collect: Callable[[], Awaitable[None]] | None = None,
    routes: Sequence[web.RouteDef] = (),
    remembered: float = REMEMBERED,
) -> web.Application:
    """The routes of one address.

    Args:
        checks: what `/readyz` asks, by name; None: health and metrics are at another address.
        events: takes Slack's deliveries; None in Socket Mode.
        collect: brings the gauges up to date before `/metrics` answers.
        routes: pages for people.
        remembered: seconds for which readiness and metrics are remembered.
    """
    app = web.Application(client_max_size=MAX_BODY, middlewares=[counted])
    if checks is not None:
        app.add_routes(_health(checks, collect, remembered))
    if events is not None:
        app.router.add_post("/slack/events", events)
    app.add_routes(routes)
    return app


def _health(
    checks: Mapping[str, Check], collect: Callable[[], Awaitable[None]] | None, remembered: float
) -> list[web.RouteDef]:
    async def check() -> dict[str, str]:
        troubles = await asyncio.gather(*map(_ask, checks.values()))
        return {name: trouble or "ok" for name, trouble in zip(checks, troubles, strict=True)}

    async def measure() -> tuple[bytes, str]:
        if collect is not None and (trouble := await _ask(collect)):
            # The gauges are those of before; how often things fail is worth most while they do.
            log.warning("gauges_stale", error=trouble)
        return telemetry.exposition()

    last_report, last_metrics = Remembered(check, remembered), Remembered(measure, remembered)

    async def healthz(_request: web.Request) -> web.Response:
        """The process lives and its event loop turns."""
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        """Everything a question needs is there."""
        report = await last_report.get()
        ready = all(state == "ok" for state in report.values())
        return web.json_response({"ready": ready, "checks": report}, status=200 if ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        """Prometheus' text format."""
        body, content_type = await last_metrics.get()
        return web.Response(body=body, headers={"Content-Type": content_type})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]


@asynccontextmanager
async def serving(
    app: web.Application,
    port: int,
    host: str | None = None,
    *,
    limits: Limits | None = None,
    setting: str = "PORT",
) -> AsyncIterator[int]:
    """Listen at this address, or on every interface; yields the port.

    Args:
        app: what answers.
        port: 0 takes a free one.
        host: None: every interface.
        limits: what callers may take up.
        setting: the variable that names the port.

    Raises:
        SettingsError: the port is taken, or the address is not this machine's.
    """
    limits = limits or Limits()
    # A handler is not cancelled when its caller hangs up: what it has begun to store it finishes. Nothing that Slack or
    # a browser sends is compressed.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=False, shutdown_timeout=5, auto_decompress=False)
    await runner.setup()
    try:
        assert runner.server is not None
        connections = Connections(runner.server, limits)
        server = await _listen(connections, host, port, backlog=limits.backlog(), setting=setting)
        try:
            # Of port 0 each family gets a number of its own; it is the older one's that is told.
            bound = int(min((each.getsockname() for each in server.sockets), key=len)[1])
            log.info("http_listening", port=bound)
            yield bound
        finally:
            server.close()
    finally:
        await runner.cleanup()


async def _listen(
    connections: Connections, host: str | None, port: int, *, backlog: int, setting: str
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(connections.accept, host, port, backlog=backlog)
    except OSError as error:
        where = f" at OMNIBOT_HOST {host}" if host and setting == "PORT" else f" at {host}" if host else ""
        raise SettingsError(f"{setting} {port} cannot be listened on{where}: {error.strerror or error}") from error


async def _ask(check: Check | Callable[[], Awaitable[None]]) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_TIMEOUT)
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT:.0f} s"
    except Exception as error:  # whatever it is, it means: not ready
        return type(error).__name__
