"""The HTTP server: where it listens, and what it says when something it looks at is broken."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing

import aiohttp
import pytest
from aiohttp import web as aiohttp_web

from omnibot import connections, web
from omnibot.connections import Limits
from omnibot.errors import SettingsError


async def _collect() -> None:
    """No gauges."""


async def reached(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address of this machine")
@pytest.mark.parametrize(("host", "everywhere"), [(None, True), ("127.0.0.1", False)])
async def test_it_listens_on_every_interface_or_only_at_the_address_it_is_given(host: str | None, everywhere: bool):
    with socket.create_server(("", 0)) as free:
        port = free.getsockname()[1]
    async with web.serving(web.build({}, events=None, collect=_collect), port, host):
        assert await reached("127.0.0.1", port)
        assert await reached("127.0.0.2", port) is everywhere


async def test_an_address_that_is_not_this_machines_is_named():
    with pytest.raises(SettingsError, match=r"OMNIBOT_HOST 192\.0\.2\.1"):
        async with web.serving(web.build({}, events=None, collect=_collect), 0, "192.0.2.1"):
            pass


@pytest.mark.parametrize("broken", ["raises", "hangs"])
async def test_the_metrics_answer_although_the_database_does_not(broken: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(web, "CHECK_TIMEOUT", 0.1)

    async def collect() -> None:
        if broken == "raises":
            raise RuntimeError("postgresql://bot:hunter22@db.example is away")
        await asyncio.Event().wait()

    async def check() -> str | None:
        await collect()
        return None

    async with (
        web.serving(web.build({"database": check}, events=None, collect=collect), 0, "127.0.0.1") as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as browser,
    ):
        async with browser.get("/metrics") as answer:
            assert answer.status == 200
            assert "omnibot_slack_calls" in await answer.text()
        async with browser.get("/readyz") as answer:
            assert answer.status == 503
            assert "hunter22" not in await answer.text()


@asynccontextmanager
async def server(**limits: float) -> AsyncIterator[int]:
    """Answers whatever it is asked, within these limits."""

    async def echo(request: aiohttp_web.Request) -> aiohttp_web.Response:
        return aiohttp_web.Response(text=str(len(await request.read())))

    app = web.build({}, events=echo, collect=_collect)
    async with web.serving(app, 0, "127.0.0.1", limits=Limits(**limits)) as port:  # type: ignore[arg-type]
        yield port


class Caller:
    """One connection to the server."""

    def __init__(self, source: str) -> None:
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.bind((source, 0))

    async def connect(self, port: int) -> None:
        await asyncio.get_running_loop().sock_connect(self._socket, ("127.0.0.1", port))

    async def say(self, words: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, words)

    async def heard(self) -> bytes:
        """The next words; none: the connection is closed."""
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 65_536), 60)
        except ConnectionError:
            return b""

    async def answered(self) -> bool:
        """Whether a whole request, sent now, is answered."""
        try:
            await self.say(HEALTH)
        except ConnectionError:
            return False
        return (await self.heard()).startswith(b"HTTP/1.1 200")

    def close(self) -> None:
        self._socket.close()


Calling = Callable[..., Awaitable[Caller]]

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n"


def delivery(size: int) -> bytes:
    return b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: %d\r\n\r\n" % size


@pytest.fixture
def call() -> Iterator[Calling]:
    """Makes connections, which are closed in the end."""
    with ExitStack() as stack:

        async def connected(port: int, source: str = "127.0.0.1") -> Caller:
            caller = stack.enter_context(closing(Caller(source)))
            await caller.connect(port)
            return caller

        yield connected


async def test_where_there_are_too_many_connections_those_that_wait_longest_give_way(call: Calling):
    async with server(connections=3) as port:
        oldest, second, third = [await call(port) for _ in range(3)]
        for each in (oldest, second, third):
            assert await each.answered()
        assert await oldest.answered()  # of those that wait it is the newest now
        assert await (await call(port)).answered()
        assert await second.heard() == b""
        for each in (oldest, third):
            assert await each.answered()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address of this machine")
async def test_whoever_has_most_connections_gives_way(call: Calling):
    async with server(connections=4) as port:
        single = await call(port, "127.0.0.2")
        assert await single.answered()
        crowd = [await call(port) for _ in range(3)]
        for each in crowd:
            assert await each.answered()
        for _ in range(6):
            assert await (await call(port)).answered()
        assert await crowd[0].heard() == b""
        assert await single.answered()


async def test_whoever_has_sent_most_without_an_end_gives_way(call: Calling):
    async with server(held=100_000) as port:
        large, small = await call(port), await call(port)
        await large.say(delivery(200_000) + b"x" * 60_000)
        await small.say(delivery(50_000) + b"x" * 30_000)
        assert await (await call(port)).answered()
        await small.say(b"x" * 19_000)
        assert await large.heard() == b""
        await small.say(b"x" * 1_000)
        assert (await small.heard()).endswith(b"50000")
        assert await small.answered()


async def test_what_was_answered_is_held_no_longer(call: Calling):
    async with server(held=100_000) as port:
        caller = await call(port)
        for _ in range(5):
            await caller.say(delivery(60_000) + b"x" * 60_000)
            assert (await caller.heard()).endswith(b"60000")


async def test_a_connection_that_rests_between_requests_is_left_open(call: Calling):
    async with server(seconds=0.2) as port:
        resting, unfinished = await call(port), await call(port)
        assert await resting.answered()
        assert await unfinished.answered()
        await unfinished.say(HEALTH[:20])
        assert await unfinished.heard() == b""
        assert await resting.answered()


async def test_a_beginning_that_came_together_with_a_whole_request_is_not_left_open_for_good(
    call: Calling, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.2)
    async with server() as port:
        caller = await call(port)
        await caller.say(HEALTH + HEALTH[:20])
        assert (await caller.heard()).startswith(b"HTTP/1.1 200")
        assert await caller.heard() == b""


async def test_a_caller_who_hangs_up_in_the_middle_is_no_error(call: Calling, caplog: pytest.LogCaptureFixture):
    async with server() as port:
        caller = await call(port)
        await caller.say(delivery(1000) + b"x")
        assert await (await call(port)).answered()
        caller.close()
        assert await (await call(port)).answered()
    assert caplog.records == []


async def test_one_value_is_made_at_a_time_however_many_ask():
    made: list[int] = []
    go_on = asyncio.Event()

    async def make() -> int:
        made.append(len(made))
        await go_on.wait()
        return made[-1]

    remembered = web.Remembered(make, 3600)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(remembered.get()) for _ in range(100)]
        await asyncio.sleep(0)
        go_on.set()
    assert [each.result() for each in asked] == [0] * 100
    assert made == [0]
