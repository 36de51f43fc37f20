"""What callers can do whom nobody knows: they cost little, and Slack's deliveries are taken all the while."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from tests.journeys.conftest import Bot, House
from tests.journeys.test_http import SECRET, Door, free_port, signed

#: A delivery that is acked although nothing comes of it.
HARMLESS = json.dumps({"type": "something_of_2027"}).encode()
#: Slack's deliveries without their ends.
HALVES = {
    "nothing": b"",
    "half a line": b"POST /slack/ev",
    "half a header": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nX-Slack-Signat",
    "half a body": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500,
    "half a body to nowhere": b"POST /nowhere HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500,
}


@asynccontextmanager
async def http_bot(house: House, *, files: int | None = None, **settings: str) -> AsyncIterator[Door]:
    """The house's bot anew, in HTTP mode, with these settings; it may open so many files."""
    await house.bot.terminate()
    port = free_port()
    house.bot.environment.pop("SLACK_APP_TOKEN", None)
    house.bot.environment |= {"SLACK_SIGNING_SECRET": SECRET, "PORT": str(port), **settings}
    house.slack.deliver_http(f"http://127.0.0.1:{port}/slack/events", SECRET)
    if files is None:
        await house.bot.start()
    else:
        await start_with_few_files(house.bot, files)
    async with aiohttp.ClientSession() as session:
        door = Door(house, port, session)
        await listening(port)
        yield door


async def start_with_few_files(bot: Bot, files: int) -> None:
    command = f'ulimit -n {files}; exec "$0" -m omnibot run'
    with bot.log.open("a") as log:
        bot.process = await asyncio.create_subprocess_exec(
            "sh", "-c", command, sys.executable, env=bot.environment, stdout=log, stderr=log
        )


async def listening(port: int) -> None:
    for _ in range(900):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise AssertionError(f"nothing listens on {port}")


@asynccontextmanager
async def half_open(door: Door, *beginnings: bytes) -> AsyncIterator[list[socket.socket]]:
    """Connections on each of which no more comes than this."""
    address = ("127.0.0.1", int(door.base.rpartition(":")[2]))
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        opened: list[socket.socket] = []
        for beginning in beginnings:
            opened.append(stack.enter_context(socket.socket()))
            opened[-1].setblocking(False)
            await loop.sock_connect(opened[-1], address)
            # Closed already, to make room for those that came later.
            with suppress(ConnectionError):
                await loop.sock_sendall(opened[-1], beginning)
        yield opened


async def closed(connections: list[socket.socket]) -> None:
    """Return when the other end has closed all of them."""
    loop = asyncio.get_running_loop()
    for connection in connections:
        with suppress(ConnectionError):
            while await loop.sock_recv(connection, 65_536):
                pass


def asked_slack(house: House) -> int:
    return sum(call.name == "auth.test" for call in house.slack.calls)


async def test_however_many_ask_for_readiness_slack_is_asked_once_and_questions_are_answered(house: House):
    before = asked_slack(house)
    async with http_bot(house, OMNIBOT_READY_SECONDS="3600") as door:
        ask_on = True

        async def hammer(path: str) -> int:
            answers = 0
            while ask_on:
                answers += (await door.get(path))[0] == 200
            return answers

        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(hammer(path)) for path in ("/readyz", "/metrics") for _ in range(50)]
            ts = await house.slack.say("ana", "trading", "@Omni how are the markets doing today?")
            await house.answered("trading", ts, "Pre-market")
            ask_on = False
        assert all(caller.result() for caller in callers)
        # At the start, and for all of those.
        assert asked_slack(house) - before == 2


async def test_requests_without_an_end_are_closed(house: House):
    async with http_bot(house, OMNIBOT_REQUEST_SECONDS="0.5") as door, half_open(door, *HALVES.values()) as halves:
        for half, connection in zip(HALVES, halves, strict=True):
            try:
                await asyncio.wait_for(closed([connection]), 60)
            except TimeoutError:
                raise AssertionError(f"still open with {half}") from None
        assert await door.post(HARMLESS, signed(HARMLESS)) == 200


async def test_half_open_connections_beyond_all_files_keep_no_delivery_out(house: House):
    async with http_bot(house, files=200, OMNIBOT_REQUEST_SECONDS="5") as door:
        # Nothing is said of those that came before.
        before = len(house.bot.logged().splitlines())
        async with half_open(door, *[HALVES["half a body"]] * 400) as halves:
            for _ in range(5):
                assert await door.post(HARMLESS, signed(HARMLESS)) == 200
            ts = await house.slack.say("ana", "trading", "@Omni how are the markets doing today?")
            await house.answered("trading", ts, "Pre-market")
            await asyncio.wait_for(closed(halves), 60)

        assert all(delivery.status == 200 for delivery in house.slack.deliveries)
        said = house.bot.logged().splitlines()[before:]
        assert [line for line in said if "Traceback" in line or "out of system resource" in line] == []
        assert 1 <= sum("http_connection_closed" in line for line in said) < 20


async def test_a_flood_of_wrong_signatures_fills_no_log(house: House):
    async with http_bot(house) as door:
        for _ in range(10):
            answers = await asyncio.gather(*(door.post(HARMLESS, signed(HARMLESS, secret="no")) for _ in range(100)))
            assert set(answers) == {401}
        assert await door.post(HARMLESS, signed(HARMLESS)) == 200
        assert 1 <= house.bot.logged().count("slack_request_refused") < 20


async def test_a_delivery_is_not_taken_into_a_database_file_that_was_moved_away_and_is_once_it_is_back(
    house: House, tmp_path: Path
):
    house.script("hello", "Hi there.")
    async with http_bot(house, OMNIBOT_READY_SECONDS="0.3") as door:
        await door.up()
        path = tmp_path / "omnibot.sqlite3"
        path.rename(tmp_path / "elsewhere")
        ts = await house.slack.say("ana", "trading", "@Omni hello")
        await house.slack.wait_for(lambda: any(delivery.status == 500 for delivery in house.slack.deliveries))
        report = await door.until("/readyz", lambda status, _: status == 503)
        assert "was moved, deleted or replaced" in json.loads(report)["checks"]["database"]
        assert not path.exists()

        (tmp_path / "elsewhere").rename(path)
        await house.answered("trading", ts, "Hi there.")
        assert house.asked() == ["hello"]
        await door.up()


async def test_health_and_metrics_have_an_address_of_their_own(house: House):
    apart = free_port()
    async with http_bot(house, OMNIBOT_HEALTH_ADDRESS=f"127.0.0.1:{apart}") as door:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await door.get(path))[0] == 404
            async with door.session.get(f"http://127.0.0.1:{apart}{path}") as answer:
                assert answer.status == 200
        assert await door.post(HARMLESS, signed(HARMLESS)) == 200
        async with door.session.post(f"http://127.0.0.1:{apart}/slack/events", data=HARMLESS) as answer:
            assert answer.status == 404
