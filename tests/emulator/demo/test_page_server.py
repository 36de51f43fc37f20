"""The page's server, without a browser and without a bot: the emulator alone answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from omnibot.emulator.demo.page_server import PageServer
from omnibot.emulator.slack.server import SlackEmulator

TRADING = "C0TRADING1"


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(ack_timeout=0.2) as slack:
        yield slack


@pytest.fixture
async def page(slack: SlackEmulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with PageServer(slack).serving(0) as address, aiohttp.ClientSession(base_url=address) as session:
        yield session


async def post(page: aiohttp.ClientSession, path: str, **body: Any) -> tuple[int, Any]:
    async with page.post(path, json=body) as answer:
        return answer.status, await (answer.json() if answer.status == 200 else answer.text())


async def state(page: aiohttp.ClientSession, user: str = "ana") -> dict[str, Any]:
    async with page.get("/state", params={"user": user}) as answer:
        assert answer.status == 200
        shown: dict[str, Any] = await answer.json()
        return shown


@pytest.mark.parametrize("path", ["/", "/page.js", "/markdown.js", "/page.css"])
async def test_the_page_comes_with_all_it_needs_and_may_load_nothing_else(page: aiohttp.ClientSession, path: str):
    async with page.get(path) as answer:
        assert answer.status == 200
        text = await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "innerHTML" not in text
    assert "https://" not in text.replace("https://…", "")
    if path.endswith(".js"):
        assert "eval(" not in text


async def test_a_person_sees_their_rooms_and_only_their_own_ephemerals(slack: SlackEmulator, page):
    ana, trading = slack.workspace.user("ana"), slack.workspace.channel("trading")
    slack.workspace.whisper(trading, ana, "psst", [], None, "chat.postEphemeral")
    slack.workspace.set_status(trading, "1.0", {"status": "is thinking…"})
    shown = await state(page)
    assert [room["name"] for room in shown["rooms"]] == ["trading", "research", "Omni"]
    assert [(m["text"], m["only_you"]) for m in shown["rooms"][0]["messages"]] == [("psst", True)]
    assert shown["statuses"] == [{"channel": TRADING, "thread_ts": "1.0", "status": "is thinking…"}]
    bens = await state(page, "ben")
    assert bens["rooms"][0]["messages"] == []
    assert bens["rooms"][2]["id"] != shown["rooms"][2]["id"]


async def test_what_is_typed_is_said_and_what_changes_is_told(slack: SlackEmulator, page):
    async with page.get("/events") as stream:
        assert (await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 2)).startswith(b"event: change")
        status, said = await post(page, "/say", user="ana", channel=TRADING, text="@Omni hello")
        assert status == 200
        assert (await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 2)).startswith(b"event: change")
    status, _ = await post(page, "/say", user="ben", channel=TRADING, text="me too", thread_ts=said["ts"])
    assert status == 200
    first, second = (await state(page))["rooms"][0]["messages"]
    assert first["text"] == f"<@{slack.bot_user_id}> hello"
    assert second["thread_ts"] == first["ts"] == said["ts"]


async def test_presses_and_commands_reach_the_app_and_silence_is_told(slack: SlackEmulator, page):
    button = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Go"}, "value": "v"}
    omni, trading = slack.workspace.user("omni"), slack.workspace.channel("trading")
    message = slack.workspace.post(
        trading, omni, "", blocks=[{"type": "actions", "block_id": "b", "elements": [button]}]
    )
    click = {"user": "ana", "channel": TRADING, "ts": message.ts, "action_id": "a"}
    assert await post(page, "/click", **click) == (200, {"acked": False})
    command = {"user": "ana", "channel": TRADING, "command": "/omni", "text": "help"}
    assert await post(page, "/command", **command) == (200, {"acked": False})
    ticket = slack.socket_mode.ticket()
    link = slack.api_url.replace("http", "ws").replace("/api/", f"/link/?ticket={ticket}")
    async with aiohttp.ClientSession() as session, session.ws_connect(link) as ws:
        assert (await ws.receive_json())["type"] == "hello"
        clicking = asyncio.create_task(post(page, "/click", **click, label="Go"))
        while (envelope := await ws.receive_json())["type"] != "interactive":
            pass  # the post itself is an event too
        assert envelope["payload"]["actions"][0]["value"] == "v"
        await ws.send_json({"envelope_id": envelope["envelope_id"]})
        assert await clicking == (200, {"acked": True})


SAY = {"user": "ana", "channel": TRADING, "text": "hello"}


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/say", {**SAY, "text": ""}, "text"),
        ("/say", {**SAY, "text": "  "}, "text"),
        ("/say", {**SAY, "text": 7}, "text"),
        ("/say", {**SAY, "text": "x" * 12_001}, "text"),
        ("/say", {**SAY, "user": "omni"}, "user"),
        ("/say", {**SAY, "channel": "C0BOARD001"}, "channel"),
        ("/say", {**SAY, "channel": "nowhere"}, "channel"),
        ("/say", {**SAY, "thread_ts": "1.000000"}, "no thread"),
        ("/say", {**SAY, "more": 1}, "more"),
        ("/say", {"user": "ana"}, "channel"),
        ("/command", {**SAY, "command": "/deploy"}, "/omni"),
        ("/click", {"user": "ana", "channel": TRADING, "ts": "1.0", "action_id": "x"}, "no message"),
    ],
)
async def test_bad_input_is_refused_in_words(page, path: str, body: dict[str, Any], word: str):
    status, text = await post(page, path, **body)
    assert status == 400
    assert word in text


async def test_what_is_no_json_is_refused(page):
    async with page.post("/say", data="{", headers={"Content-Type": "application/json"}) as answer:
        assert (answer.status, await answer.text()) == (400, "the body must be JSON")
    async with page.post("/say", data="[]", headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
    async with page.get("/state", params={"user": "dan"}) as answer:
        assert answer.status == 400


async def test_no_other_page_can_drive_it(slack: SlackEmulator, page):
    for headers in ({"Host": "evil.example"}, {"Host": "evil.example:8420"}, {"Host": "127.0.0.1.evil.example"}):
        async with page.get("/state", headers=headers) as answer:
            assert answer.status == 403
    async with page.post("/say", json=SAY, headers={"Origin": "https://evil.example"}) as answer:
        assert answer.status == 403
    # What a form of another page could send without being asked.
    async with page.post("/say", data='{"user": "ana"}', headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 400
    assert slack.history("trading") == []
    async with page.get("/state", headers={"Host": "localhost:8420"}) as answer:
        assert answer.status == 200


async def test_the_next_free_port_is_taken(slack: SlackEmulator):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with PageServer(slack).serving(port) as address:
            assert address.startswith("http://127.0.0.1:")
            assert str(port) not in address


async def test_closing_ends_open_streams_at_once(slack: SlackEmulator):
    async with aiohttp.ClientSession() as session:
        async with PageServer(slack).serving(0) as address:
            stream = await session.get(f"{address}events")
            await stream.content.readuntil(b"\n\n")
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 0.8
        stream.close()
