"""One call on real sockets: what is sent, how often, which error comes out, and what is never said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from structlog.testing import capture_logs

from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.transport import Transport
from omnibot.errors import (
    ClearStreetError,
    Conflict,
    Invalid,
    Malformed,
    NotEntitled,
    NotFound,
    RateLimited,
    Unauthorised,
    Unavailable,
)
from tests.clearstreet.conftest import ACCOUNT, ANSWER, KEY, REQUEST_ID, Say, ScriptedApi, envelope, payload, refusal

PATH = "/v1/omni-ai/responses/{response_id}"
GET = f"GET /v1/omni-ai/responses/{ANSWER}"
POST = "POST /v1/omni-ai/threads"
DELETE = f"DELETE /v1/omni-ai/responses/{ANSWER}"
BODY = {"account_id": ACCOUNT, "type": "instant", "text": "Größe?", "capabilities": []}

TROUBLES = {
    "drop": (Say(drop=True), Unavailable),
    "timeout": (Say(silence=30), Unavailable),
    "500": (refusal(500), Unavailable),
    "503": (refusal(503), Unavailable),
    "429": (refusal(429, Retry_After="0"), RateLimited),
    "409": (refusal(409), Conflict),
    "not JSON": (Say(b"<html>"), Malformed),
    "redirect": (Say(b"", 302, {"Location": "/elsewhere"}), Malformed),
}


@asynccontextmanager
async def talking(talk: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[Transport]:
    """A server that answers every request with whatever `talk` writes, and a client of it."""
    over = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await talk(writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        over.set()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    transport = Transport(base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=0.3)
    yield transport
    await transport.close()
    await over.wait()
    server.close()
    await server.wait_closed()


async def get(transport: Transport, **options):
    return await transport.call("GET", PATH, key=KEY, ids={"response_id": ANSWER}, **options)


async def test_a_call_carries_the_key_the_account_and_nothing_else(api: ScriptedApi, omni: Omni):
    api.script(GET, Say(payload("response_succeeded"), headers={"Set-Cookie": "session=of-someone; Path=/"}))
    await omni.get_response(KEY, ACCOUNT, ANSWER)
    await omni.get_response("another-key", None, ANSWER)

    first, second = api.heard
    assert first.headers["Authorization"] == f"Bearer {KEY}"
    assert first.query == {"account_id": str(ACCOUNT)}
    assert first.headers["User-Agent"].startswith("omnibot/")
    assert second.headers["Authorization"] == "Bearer another-key"
    assert second.query == {}
    assert "Cookie" not in second.headers
    assert "Idempotency-Key" not in first.headers


async def test_a_body_is_sent_exactly_and_with_the_callers_idempotency_key(api: ScriptedApi, omni: Omni):
    api.script(POST, payload("thread_created"))
    await omni.create_thread(KEY, ACCOUNT, BODY, idempotency_key="turn-7")

    [heard] = api.heard
    assert heard.body == BODY
    assert heard.headers["Idempotency-Key"] == "turn-7"
    assert heard.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_post_is_sent_exactly_once(api: ScriptedApi, transport: Transport, hasty: Transport, trouble):
    answer, error = TROUBLES[trouble]
    api.script(POST, answer)
    omni = Omni(hasty if trouble == "timeout" else transport)

    with pytest.raises(error):
        await omni.create_thread(KEY, ACCOUNT, BODY, idempotency_key="k")
    await asyncio.sleep(0.05)
    assert len(api.heard) == 1


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_delete_is_sent_exactly_once_also_on_a_kept_connection(
    api: ScriptedApi, transport: Transport, hasty: Transport, trouble
):
    answer, error = TROUBLES[trouble]
    api.script(GET, payload("response_running"))
    api.script(DELETE, answer)
    omni = Omni(hasty if trouble == "timeout" else transport)
    await omni.get_response(KEY, ACCOUNT, ANSWER)
    api.heard.clear()

    with pytest.raises(error):
        await omni.cancel_response(KEY, ACCOUNT, ANSWER)
    await asyncio.sleep(0.05)
    assert api.paths() == [DELETE]


@pytest.mark.parametrize(
    ("trouble", "tries"),
    [("drop", 3), ("timeout", 3), ("500", 3), ("503", 3), ("429", 3), ("409", 1), ("not JSON", 1), ("redirect", 1)],
)
async def test_a_get_is_tried_again_where_that_may_help(
    api: ScriptedApi, transport: Transport, hasty: Transport, trouble, tries
):
    answer, error = TROUBLES[trouble]
    api.script(GET, answer)

    with pytest.raises(error):
        await get(hasty if trouble == "timeout" else transport, budget=30)
    assert len(api.heard) == tries


async def test_a_get_without_retries_is_tried_once(api: ScriptedApi, transport: Transport):
    api.script(GET, refusal(500))

    with pytest.raises(Unavailable):
        await get(transport, retries=False)
    assert len(api.heard) == 1


async def test_a_get_survives_a_dropped_connection(api: ScriptedApi, transport: Transport):
    api.script(GET, Say(drop=True), refusal(502), payload("response_running"))

    answer = await get(transport)
    assert answer.data["status"] == "running"
    assert len(api.heard) == 3


async def test_501_is_not_tried_again(api: ScriptedApi, transport: Transport):
    api.script(GET, refusal(501))

    with pytest.raises(Unavailable):
        await get(transport)
    assert len(api.heard) == 1


async def test_retry_after_within_the_budget_is_waited_for(api: ScriptedApi, transport: Transport):
    api.script(GET, refusal(429, Retry_After="0.3"), payload("response_running"))

    started = time.perf_counter()
    await get(transport)
    assert time.perf_counter() - started >= 0.3


async def test_retry_after_beyond_the_budget_is_the_callers_matter(api: ScriptedApi, transport: Transport):
    api.script(GET, refusal(429, Retry_After="90"), payload("response_running"))

    async with asyncio.timeout(90):
        with pytest.raises(RateLimited) as first:
            await get(transport)
        with pytest.raises(RateLimited) as second:
            await get(transport)
    assert first.value.retry_after == 90
    assert 50 < second.value.retry_after <= 90
    assert len(api.heard) == 1  # the second was not even sent
    await transport.call("GET", PATH, key="another", ids={"response_id": ANSWER})  # other keys go on


async def test_429_without_retry_after_is_a_second(api: ScriptedApi, transport: Transport):
    api.script(GET, refusal(429))

    with pytest.raises(RateLimited) as caught:
        await get(transport, retries=False)
    assert caught.value.retry_after == 1.0


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Invalid),
        (401, Unauthorised),
        (403, NotEntitled),
        (404, NotFound),
        (405, Invalid),
        (409, Conflict),
        (418, Invalid),
        (422, Invalid),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
        (599, Unavailable),
        (302, Malformed),
    ],
)
async def test_every_status_has_its_error_with_the_request_id(api: ScriptedApi, transport: Transport, status, error):
    body = {
        "error": {"code": status, "message": "in the API's words", "details": [{"reason": "X"}]},
        "metadata": {"request_id": REQUEST_ID},
    }
    api.script(GET, Say(body, status))

    with pytest.raises(ClearStreetError) as caught:
        await get(transport, retries=False)
    assert type(caught.value) is error
    assert caught.value.status == status
    assert caught.value.request_id == REQUEST_ID
    assert caught.value.api_message == "in the API's words"
    assert caught.value.details == [{"reason": "X"}]


@pytest.mark.parametrize(
    "say",
    [
        Say(b"<html>Bad gateway</html>", 502),
        Say(b"", 404),
        Say([1], 400),
        Say({"error": "words", "metadata": 5}, 422),
        Say(b"<html>Welcome to the hotel's network</html>", 200),
        Say({"status": "ok"}, 200),
        Say([], 200),
        Say(b"", 204),
    ],
)
async def test_the_request_id_is_also_found_in_a_header(api: ScriptedApi, transport: Transport, say):
    api.script(GET, Say(say.body, say.status, {"X-Request-Id": "from-header"}))

    with pytest.raises(ClearStreetError) as caught:
        await get(transport, retries=False)
    assert caught.value.request_id == "from-header"


async def test_an_unreadable_success_is_malformed(api: ScriptedApi, omni: Omni):
    api.script(POST, envelope({"thread_id": "t"}))
    with pytest.raises(Malformed) as created:
        await omni.create_thread(KEY, ACCOUNT, BODY, idempotency_key=None)

    api.script(GET, envelope(None))
    with pytest.raises(Malformed) as polled:
        await omni.get_response(KEY, ACCOUNT, ANSWER)
    assert created.value.request_id == polled.value.request_id == REQUEST_ID


async def test_nobody_there_is_unavailable():
    transport = Transport(base_url="http://127.0.0.1:9", timeout=0.5)
    with pytest.raises(Unavailable) as caught:
        await get(transport)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    await transport.close()


@pytest.mark.parametrize("base_url", ["nonsense", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999"])
async def test_an_address_that_cannot_work_is_unavailable(base_url):
    transport = Transport(base_url=base_url, timeout=0.5)
    with pytest.raises(Unavailable):
        await get(transport, retries=False)
    await transport.close()


async def test_a_closed_transport_is_unavailable(api: ScriptedApi):
    transport = Transport(base_url=api.base_url)
    await transport.close()
    with pytest.raises(Unavailable):
        await get(transport, retries=False)


async def test_garbage_on_the_wire_is_unavailable():
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(b"SPQR nonsense\r\n\r\n")

    async with talking(talk) as transport:
        with pytest.raises(Unavailable):
            await get(transport, retries=False)


async def test_a_body_cut_off_is_unavailable():
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"data"')

    async with talking(talk) as transport:
        with pytest.raises(Unavailable):
            await get(transport, retries=False)


async def test_a_trickle_is_cut_off_at_the_time_limit():
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.02)

    async with talking(talk) as transport:
        async with asyncio.timeout(90):  # the whole body would take twice as long
            with pytest.raises(Unavailable):
                await get(transport, retries=False)


async def test_a_carrier_that_was_given_is_left_open():
    class Carrier(httpx.AsyncBaseTransport):
        closed = False

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json=payload("response_running"))

        async def aclose(self) -> None:
            self.closed = True

    carrier = Carrier()
    transport = Transport(base_url="http://test", carrier=carrier)
    assert (await get(transport)).data["status"] == "running"
    await transport.close()
    assert not carrier.closed


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "line\nbreak"])
async def test_what_cannot_be_a_key_is_not_sent(api: ScriptedApi, transport: Transport, key):
    with pytest.raises(Unauthorised) as caught:
        await transport.call("GET", PATH, key=key, ids={"response_id": ANSWER})
    assert not api.heard
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("hostile", ["", ".", ".."])
async def test_an_id_that_would_lead_elsewhere_is_not_found(api: ScriptedApi, transport: Transport, hostile):
    with pytest.raises(NotFound):
        await transport.call("GET", PATH, key=KEY, ids={"response_id": hostile})
    assert not api.heard


async def test_an_id_stays_one_step_of_the_path(api: ScriptedApi, transport: Transport):
    with pytest.raises(NotFound):
        await transport.call("GET", PATH, key=KEY, ids={"response_id": "../threads?x=1#y"})
    assert api.heard[0].path == "/v1/omni-ai/responses/../threads?x=1#y"
    assert api.heard[0].query == {}


async def test_the_key_is_in_no_log_and_no_repr(api: ScriptedApi, transport: Transport):
    api.script(GET, refusal(429, Retry_After="0"), Say(drop=True), payload("response_succeeded"))
    api.script(POST, refusal(401))
    with capture_logs() as lines:
        await get(transport)
        with pytest.raises(Unauthorised) as caught:
            await transport.call("POST", "/v1/omni-ai/threads", key=KEY, body=BODY)

    assert len(lines) == 4
    succeeded = next(line for line in lines if line.get("status") == 200)
    assert set(succeeded) == {"event", "log_level", "method", "path", "status", "ms", "request_id"}
    assert succeeded["path"] == PATH
    everything = [lines, transport, vars(transport), Omni(transport), caught.value, vars(caught.value)]
    assert not any(KEY in f"{one!r} {one!s}" for one in everything)
