"""What callers can do whom nobody knows: they cost little, and Slack's deliveries are taken all the while."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from tests.journeys.conftest import Bot, Deployment
from tests.journeys.test_http import SECRET, Endpoint, free_port, signed

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
async def http_bot(deployment: Deployment, *, files: int | None = None, **settings: str) -> AsyncIterator[Endpoint]:
    """The deployment's bot anew, in HTTP mode, with these settings; it may open so many files."""
    await deployment.bot.terminate()
    port = free_port()
    deployment.bot.environment.pop("SLACK_APP_TOKEN", None)
    deployment.bot.environment |= {"SLACK_SIGNING_SECRET": SECRET, "PORT": str(port), **settings}
    deployment.slack.deliver_http(f"http://127.0.0.1:{port}/slack/events", SECRET)
    if files is None:
        await deployment.bot.start()
    else:
        await start_with_few_files(deployment.bot, files)
    async with aiohttp.ClientSession() as session:
        endpoint = Endpoint(deployment, port, session)
        await listening(port)
        yield endpoint


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
async def half_open(endpoint: Endpoint, *beginnings: bytes) -> AsyncIterator[list[socket.socket]]:
    """Connections on each of which no more comes than this."""
    address = ("127.0.0.1", int(endpoint.base.rpartition(":")[2]))
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        opened: list[socket.socket] = []
        for beginning in beginnings:
            opened.append(stack.enter_context(socket.socket()))
            opened[-1].setblocking(False)
            await loop.sock_connect(opened[-1], address)
            # Closed already, to make space for those that came later.
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


def asked_slack(deployment: Deployment) -> int:
    return sum(call.name == "auth.test" for call in deployment.slack.calls)


async def test_however_many_ask_for_readiness_slack_is_asked_once_and_questions_are_answered(deployment: Deployment):
    before = asked_slack(deployment)
    async with http_bot(deployment, OMNIBOT_READY_SECONDS="3600") as endpoint:
        ask_on = True

        async def hammer(path: str) -> int:
            answers = 0
            while ask_on:
                answers += (await endpoint.get(path))[0] == 200
            return answers

        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(hammer(path)) for path in ("/readyz", "/metrics") for _ in range(50)]
            ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets doing today?")
            await deployment.answered("trading", ts, "Pre-market")
            ask_on = False
        assert all(caller.result() for caller in callers)
        # At the start, and for all of those.
        assert asked_slack(deployment) - before == 2


async def test_requests_without_an_end_are_closed(deployment: Deployment):
    async with (
        http_bot(deployment, OMNIBOT_REQUEST_SECONDS="0.5") as endpoint,
        half_open(endpoint, *HALVES.values()) as halves,
    ):
        for half, connection in zip(HALVES, halves, strict=True):
            try:
                await asyncio.wait_for(closed([connection]), 60)
            except TimeoutError:
                raise AssertionError(f"still open with {half}") from None
        assert await endpoint.post(HARMLESS, signed(HARMLESS)) == 200


async def test_half_open_connections_beyond_all_files_keep_no_delivery_out(deployment: Deployment):
    async with http_bot(deployment, files=200, OMNIBOT_REQUEST_SECONDS="5") as endpoint:
        # Nothing is said of those that came before.
        before = len(deployment.bot.logged().splitlines())
        async with half_open(endpoint, *[HALVES["half a body"]] * 400) as halves:
            for _ in range(5):
                assert await endpoint.post(HARMLESS, signed(HARMLESS)) == 200
            ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets doing today?")
            await deployment.answered("trading", ts, "Pre-market")
            await asyncio.wait_for(closed(halves), 60)

        assert all(delivery.status == 200 for delivery in deployment.slack.deliveries)
        said = deployment.bot.logged().splitlines()[before:]
        assert [line for line in said if "Traceback" in line or "out of system resource" in line] == []
        assert 1 <= sum("http_connection_closed" in line for line in said) < 20


async def test_a_flood_of_wrong_signatures_fills_no_log(deployment: Deployment):
    async with http_bot(deployment) as endpoint:
        for _ in range(10):
            answers = await asyncio.gather(
                *(endpoint.post(HARMLESS, signed(HARMLESS, secret="no")) for _ in range(100))
            )
            assert set(answers) == {401}
        assert await endpoint.post(HARMLESS, signed(HARMLESS)) == 200
        assert 1 <= deployment.bot.logged().count("slack_request_refused") < 20


async def test_a_delivery_is_not_taken_into_a_database_file_that_was_moved_away_and_is_once_it_is_back(
    deployment: Deployment, tmp_path: Path
):
    deployment.script("hello", "Hi there.")
    async with http_bot(deployment, OMNIBOT_READY_SECONDS="0.3") as endpoint:
        await endpoint.up()
        path = tmp_path / "omnibot.sqlite3"
        path.rename(tmp_path / "elsewhere")
        ts = await deployment.slack.say("ana", "trading", "@Omni hello")
        await deployment.slack.wait_for(lambda: any(delivery.status == 500 for delivery in deployment.slack.deliveries))
        report = await endpoint.until("/readyz", lambda status, _: status == 503)
        assert "was moved, deleted or replaced" in json.loads(report)["checks"]["database"]
        assert not path.exists()

        (tmp_path / "elsewhere").rename(path)
        await deployment.answered("trading", ts, "Hi there.")
        assert deployment.asked() == ["hello"]
        await endpoint.up()


async def test_health_and_metrics_have_an_address_of_their_own(deployment: Deployment):
    apart = free_port()
    async with http_bot(deployment, OMNIBOT_HEALTH_ADDRESS=f"127.0.0.1:{apart}") as endpoint:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await endpoint.get(path))[0] == 404
            async with endpoint.session.get(f"http://127.0.0.1:{apart}{path}") as answer:
                assert answer.status == 200
        assert await endpoint.post(HARMLESS, signed(HARMLESS)) == 200
        async with endpoint.session.post(f"http://127.0.0.1:{apart}/slack/events", data=HARMLESS) as answer:
            assert answer.status == 404
