"""A bad line between two ends, with plain sockets and with a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import time

import aiohttp
import pytest
from aiohttp import web
from omnibot_sandbox.proxy import TcpProxy


@pytest.fixture
async def proxy():
    """A proxy in front of a server that gives every line back in capitals."""

    async def shout(reader, writer):
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line.upper())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    async with TcpProxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


@pytest.fixture
async def dial(proxy):
    """Connect through the proxy."""
    writers = []

    async def dial():
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writers.append(writer)
        return reader, writer

    yield dial
    for writer in writers:
        writer.close()


async def asked(line, words: bytes, timeout: float = 20) -> bytes:
    reader, writer = line
    writer.write(words)
    return await asyncio.wait_for(reader.readline(), timeout)


async def test_bytes_pass_both_ways_and_are_counted(proxy, dial):
    line = await dial()
    assert await asked(line, b"hello\n") == b"HELLO\n"
    assert (proxy.accepted, proxy.connections, proxy.sent, proxy.received) == (1, 1, 6, 6)


async def test_an_end_that_stops_sending_still_hears_the_rest(dial):
    reader, writer = await dial()
    writer.write(b"last words\n")
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 60) == b"LAST WORDS\n"


async def test_a_large_answer_arrives_whole(dial):
    words = b"x" * 50_000 + b"\n"
    reader, writer = await dial()
    writer.write(words)
    assert await asyncio.wait_for(reader.readuntil(b"\n"), 60) == words.upper()


async def test_latency_befalls_connections_that_stand_already(proxy, dial):
    line = await dial()
    await asked(line, b"quick\n")
    await proxy.latency(0.1)
    start = time.monotonic()
    assert await asked(line, b"slow\n") == b"SLOW\n"
    assert time.monotonic() - start >= 0.2  # there and back
    await proxy.latency(30)
    await proxy.passing()
    assert await asked(line, b"quick\n") == b"QUICK\n"


async def test_reset_tears_what_stands_and_what_comes(proxy, dial):
    reader, _ = await dial()
    await asked((reader, _), b"hello\n")
    await proxy.reset()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 60)
    reader, _ = await dial()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 60)
    await proxy.passing()
    assert await asked(await dial(), b"again\n") == b"AGAIN\n"


async def test_a_black_hole_accepts_everything_and_gives_nothing_back(proxy, dial):
    old = await dial()
    await asked(old, b"hello\n")
    await proxy.blackhole()
    for line in (old, await dial()):
        with pytest.raises(TimeoutError):
            await asked(line, b"anybody?\n", timeout=0.1)
    assert (proxy.connections, proxy.dead) == (2, 2)
    await proxy.passing()
    with pytest.raises(TimeoutError):  # what was lost is lost, so this connection stays silent
        await asked(old, b"and now?\n", timeout=0.1)
    assert await asked(await dial(), b"again\n") == b"AGAIN\n"


async def test_answers_are_cut_after_so_many_bytes(proxy, dial):
    await proxy.truncate(4)
    reader, writer = await dial()
    writer.write(b"unfinished business\n")
    assert await asyncio.wait_for(reader.read(), 60) == b"UNFI"
    await proxy.passing()
    assert await asked(await dial(), b"again\n") == b"AGAIN\n"


async def test_refusing_leaves_what_stands_and_ends_on_the_same_port(proxy, dial):
    line = await dial()
    await asked(line, b"hello\n")
    port = proxy.port
    await proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await dial()
    assert await asked(line, b"still here\n") == b"STILL HERE\n"
    await proxy.passing()
    assert proxy.port == port
    assert await asked(await dial(), b"again\n") == b"AGAIN\n"


async def test_a_target_that_is_away_resets_the_caller(proxy, dial):
    proxy.target = ("127.0.0.1", 1)
    reader, _ = await dial()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 60)


async def test_a_websocket_through_the_proxy_notices_the_reset():
    async def echo(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for frame in socket:
            await socket.send_str(frame.data.upper())
        return socket

    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with TcpProxy(runner.addresses[0][1]) as proxy, aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"http://127.0.0.1:{proxy.port}/")
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=20) == "HELLO"
        await proxy.latency(0.05)
        await socket.send_str("slowly")
        assert await socket.receive_str(timeout=20) == "SLOWLY"
        await proxy.reset()
        assert (await socket.receive(timeout=20)).type in (aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSED)
        await proxy.passing()
        again = await session.ws_connect(f"http://127.0.0.1:{proxy.port}/")
        await again.send_str("back")
        assert await again.receive_str(timeout=20) == "BACK"
        await again.close()
    await runner.cleanup()


async def test_closing_while_lines_stand_is_nothing_to_complain_of(proxy, dial, caplog):
    await asked(await dial(), b"hello\n")
    assert proxy.connections == 1
    await proxy.close()
    await asyncio.sleep(0)
    assert proxy.connections == 0
    assert caplog.records == []


async def test_nothing_is_left_behind(proxy, dial):
    await asked(await dial(), b"hello\n")
    await proxy.blackhole()
    await dial()
    await proxy.close()
    assert proxy.connections == 0
