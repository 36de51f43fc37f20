"""The page's server, without a browser and without a bot: the emulators alone answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urljoin

import aiohttp
import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.demo.page_files import PAGE_FILES
from omnibot_sandbox.demo.page_server import PageServer
from omnibot_sandbox.slack.server import SlackEmulator

TRADING, RESEARCH, BOARDROOM, CLIENTS = "C0TRADING1", "C0RESEARCH", "C0BOARD001", "C0CLIENTS1"


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(ack_timeout=0.2) as slack:
        yield slack


@pytest.fixture
async def page(slack: SlackEmulator) -> AsyncIterator[aiohttp.ClientSession]:
    server = PageServer(slack, ClearStreetEmulator())
    async with server.serving(0) as address, aiohttp.ClientSession(base_url=address) as session:
        yield session


async def post(page: aiohttp.ClientSession, path: str, **body: Any) -> dict[str, Any]:
    async with page.post(path, json=body) as answer:
        assert answer.status == 200, await answer.text()
        done: dict[str, Any] = await answer.json()
        return done


async def state(page: aiohttp.ClientSession, user: str = "ana") -> dict[str, Any]:
    async with page.get("/state", params={"user": user}) as answer:
        assert answer.status == 200
        shown: dict[str, Any] = await answer.json()
        return shown


async def changes(
    stream: aiohttp.ClientResponse, enough: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """What a page is told, until it is enough."""
    told: list[dict[str, Any]] = []
    while not enough(told):
        event = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 60)
        if event.startswith(b"data: "):
            told += json.loads(event[6:])["changes"]
    return told


def texts(told: list[dict[str, Any]]) -> list[str]:
    return [change["message"]["text"] for change in told if change["type"] == "message"]


async def test_the_page_comes_with_all_it_needs_and_may_load_nothing_else(page: aiohttp.ClientSession):
    assert {"/", "/app/main.js", "/blocks/index.js", "/vendor/preact.js", "/styles/shell.css"} <= PAGE_FILES.keys()
    for path in PAGE_FILES:
        async with page.get(path) as answer:
            assert answer.status == 200
            assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_our_own_scripts_make_no_html_from_text_and_know_no_other_place():
    ours = {path: content.decode() for path, (content, _) in PAGE_FILES.items() if path.startswith(("/app/", "/index"))}
    for path, text in ours.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|eval\(", text), path
        assert "https://" not in text, path


def test_every_module_a_script_names_is_there():
    for path, (content, kind) in PAGE_FILES.items():
        if kind == "text/javascript" and "/vendor/" not in path:
            for name in re.findall(r'from "(\.[^"]+)"', content.decode()):
                assert urljoin(path, name) in PAGE_FILES, f"{path} imports {name}"


async def test_a_person_sees_their_channels_and_only_their_own_ephemerals(slack: SlackEmulator, page):
    ana, trading = slack.workspace.user("ana"), slack.workspace.channel("trading")
    await slack.say("ana", "trading", "hello")
    slack.workspace.post_ephemeral(trading, ana, "psst", [], None, "chat.postEphemeral")
    shown = await state(page)
    names = [conversation["name"] for conversation in shown["channels"]]
    assert names == ["trading", "research", "lobby", "client-desk", "advisers", "boardroom", "Omni"]
    assert [(m["text"], m.get("only_you", False)) for m in shown["messages"][TRADING]] == [
        ("hello", False),
        ("psst", True),
    ]
    bens = await state(page, "ben")
    assert [m["text"] for m in bens["messages"][TRADING]] == ["hello"]
    assert BOARDROOM not in bens["messages"]
    assert bens["names"][BOARDROOM] == {"name": "", "kind": "channel", "hidden": True}
    assert [conversation["name"] for conversation in (await state(page, "cleo"))["channels"]] == [
        "research",
        "lobby",
        "advisers",
    ]
    dans = await state(page, "dan")
    assert list(dans["messages"]) == [CLIENTS]
    assert dans["names"][RESEARCH]["hidden"]


async def test_changes_are_told_whole_and_only_to_who_may_see_them(slack: SlackEmulator, page):
    async with page.get("/events?user=ana") as anas, page.get("/events?user=dan") as dans:
        for stream in (anas, dans):
            assert (await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 60)).startswith(b"event: hello")
        ts = (await post(page, "/say", user="ana", channel=TRADING, text="@Omni hello"))["ts"]
        told = await changes(anas, lambda told: bool(texts(told)))
        assert texts(told) == [f"<@{slack.bot_user_id}> hello"]
        assert next(c["message"] for c in told if c["type"] == "message")["ts"] == ts
        await slack.edit(TRADING, ts, "hello again")
        told = await changes(anas, lambda told: bool(texts(told)))
        assert texts(told) == ["hello again"]
        await slack.delete(TRADING, ts)
        await changes(anas, lambda told: {"type": "gone", "channel": TRADING, "ts": ts} in told)
        await post(page, "/say", user="ana", channel=CLIENTS, text="for everybody")
        assert texts(await changes(dans, lambda told: bool(texts(told)))) == ["for everybody"]


async def test_what_has_not_been_read_is_counted_for_each_person(slack: SlackEmulator, page):
    async def counts(user: str) -> tuple[int, int, dict[str, int]]:
        conversation = next(
            conversation for conversation in (await state(page, user))["channels"] if conversation["id"] == RESEARCH
        )
        return conversation["unread"], conversation["mentions"], conversation["threads"]

    root = await slack.say("ana", "research", "one")
    second = await slack.say("ana", "research", "two, @Ben")
    assert await counts("ana") == (0, 0, {})
    assert await counts("ben") == (2, 1, {})
    await slack.say("cleo", "research", "to the first", thread_ts=root)
    await slack.say("cleo", "research", "to the second", thread_ts=second)
    assert await counts("ana") == (0, 0, {root: 1, second: 1})
    assert await counts("ben") == (2, 1, {second: 1})
    async with page.get("/events?user=ben") as other_tab:
        await other_tab.content.readuntil(b"\n\n")
        await post(page, "/read", user="ben", channel=RESEARCH, ts=second)
        told = await changes(other_tab, lambda told: any(change["type"] == "channel" for change in told))
        assert [change["channel"]["unread"] for change in told if change["type"] == "channel"] == [0]
    assert await counts("ben") == (0, 0, {second: 1})
    await post(page, "/read", user="ben", channel=RESEARCH, ts=f"{float(second) + 60:.6f}", thread_ts=second)
    assert await counts("ben") == (0, 0, {})
    # A mark never moves back.
    await post(page, "/read", user="ben", channel=RESEARCH, ts=root)
    assert await counts("ben") == (0, 0, {})


async def test_messages_are_edited_deleted_and_reacted_to_by_those_who_may(slack: SlackEmulator, page):
    ts = (await post(page, "/say", user="ana", channel=TRADING, text="mine"))["ts"]
    mine = {"channel": TRADING, "ts": ts}
    refused = await post(page, "/edit", user="ben", text="not mine", **mine)
    assert refused == {"ok": False, "error": "only one's own messages can be changed"}
    assert (await post(page, "/delete", user="ben", **mine))["ok"] is False
    assert (await post(page, "/edit", user="ana", text="still mine", **mine))["ok"]
    assert (await post(page, "/react", user="ben", name="eyes", on=True, **mine))["ok"]
    (shown,) = (await state(page))["messages"][TRADING]
    assert shown["text"] == "still mine"
    assert shown["edited"]
    assert shown["reactions"] == {"eyes": [slack.workspace.user("ben").id]}
    await post(page, "/react", user="ben", name="eyes", on=False, **mine)
    await post(page, "/delete", user="ana", **mine)
    assert (await state(page))["messages"][TRADING] == []
    stranger = await post(page, "/react", user="dan", name="eyes", on=True, **mine)
    assert stranger == {"ok": False, "error": "channel: dan is in no such room"}


async def test_an_ephemeral_is_dismissed_by_its_person(slack: SlackEmulator, page):
    ana, trading = slack.workspace.user("ana"), slack.workspace.channel("trading")
    ts = slack.workspace.post_ephemeral(trading, ana, "psst", [], None, "chat.postEphemeral")["ts"]
    await post(page, "/dismiss", user="ben", channel=TRADING, ts=ts)
    assert len((await state(page))["messages"][TRADING]) == 1
    async with page.get("/events?user=ana") as stream:
        await post(page, "/dismiss", user="ana", channel=TRADING, ts=ts)
        await changes(stream, lambda told: {"type": "gone", "channel": TRADING, "ts": ts} in told)
    assert (await state(page))["messages"][TRADING] == []


async def test_presses_and_commands_reach_the_app_and_silence_is_told(slack: SlackEmulator, page):
    button = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Go"}, "value": "v"}
    omni, trading = slack.workspace.user("omni"), slack.workspace.channel("trading")
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    message = slack.workspace.post(trading, omni, "", blocks=blocks)
    press = {"user": "ana", "channel": TRADING, "ts": message.ts, "block_id": "b", "action_id": "a"}
    assert await post(page, "/press", **press) == {"ok": True, "acked": False}
    command = {"user": "ana", "channel": TRADING, "command": "/omni", "text": "help"}
    assert await post(page, "/command", **command) == {"ok": True, "acked": False}
    foreign = await post(page, "/command", **{**command, "user": "dan", "channel": CLIENTS})
    assert foreign["error"].startswith("/omni is not a valid command.")
    ticket = slack.socket_mode.ticket()
    link = slack.api_url.replace("http", "ws").replace("/api/", f"/link/?ticket={ticket}")
    async with aiohttp.ClientSession() as session, session.ws_connect(link) as ws:
        assert (await ws.receive_json())["type"] == "hello"
        pressing = asyncio.create_task(post(page, "/press", **press))
        while (envelope := await ws.receive_json())["type"] != "interactive":
            pass  # the post itself is an event too
        assert envelope["payload"]["actions"][0]["value"] == "v"
        await ws.send_json({"envelope_id": envelope["envelope_id"]})
        assert await pressing == {"ok": True, "acked": True}


async def test_a_refused_block_is_told_to_those_who_would_have_seen_it_until_dismissed(slack: SlackEmulator, page):
    button = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "x" * 90}}
    arguments = {"channel": TRADING, "text": "t", "blocks": [{"type": "actions", "elements": [button]}]}
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as bot:
        async with bot.post(f"{slack.api_url}chat.postMessage", json=arguments) as answer:
            assert (await answer.json())["error"] == "invalid_blocks"
        # Not everything that goes wrong is about what was said.
        async with bot.post(f"{slack.api_url}chat.delete", json={"channel": TRADING, "ts": "1.0"}) as answer:
            assert (await answer.json())["error"] == "message_not_found"
    (refusal,) = (await state(page))["refusals"]
    assert (refusal["method"], refusal["error"], refusal["channel"]) == ("chat.postMessage", "invalid_blocks", TRADING)
    assert any("json-pointer:/blocks/0/elements/0" in reason for reason in refusal["reasons"])
    assert (await state(page, "dan"))["refusals"] == []
    async with page.get("/events?user=ben") as stream:
        denied = await post(page, "/refusal", user="dan", refusal=refusal["id"])
        assert (denied["ok"], denied["error"]) == (False, "refusal: dan sees no such refusal")
        assert (await state(page))["refusals"] == [refusal]
        await post(page, "/refusal", user="ana", refusal=refusal["id"])
        await changes(stream, lambda told: {"type": "refusal_gone", "id": refusal["id"]} in told)
    assert (await state(page))["refusals"] == []


async def test_files_of_the_workspace_are_served_as_what_they_are(slack: SlackEmulator, page):
    picture = b"\x89PNG\r\n\x1a\n" + b"0" * 20
    await slack.upload("ana", "trading", "chart.png", picture)
    await slack.upload("ana", "trading", "page.html", b"<script>alert(1)</script>")
    (image,), (script,) = (m["files"] for m in (await state(page))["messages"][TRADING])
    async with page.get(f"/file/{image['id']}") as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", picture)
    async with page.get(f"/file/{script['id']}") as answer:
        assert answer.content_type == "application/octet-stream"
    async with page.get("/file/F0NOTHING1") as answer:
        assert answer.status == 404


SAY = {"user": "ana", "channel": TRADING, "text": "hello"}


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/say", {**SAY, "text": ""}, "text"),
        ("/say", {**SAY, "text": 7}, "text"),
        ("/say", {**SAY, "text": "x" * 12_001}, "text"),
        ("/say", {**SAY, "user": "omni"}, "user"),
        ("/say", {**SAY, "more": 1}, "more"),
        ("/say", {"user": "ana"}, "channel"),
        ("/command", {**SAY, "command": "omni"}, "command"),
        ("/press", {"user": "ana", "channel": TRADING, "ts": "1.0", "action_id": "x"}, "block_id"),
        ("/react", {"user": "ana", "channel": TRADING, "ts": "1.0", "name": "<b>", "on": True}, "name"),
        ("/backstage/fault", {"side": "slack", "pattern": "*", "kind": "explode"}, "kind"),
        ("/backstage/action", {"action": "rm"}, "action"),
    ],
)
async def test_a_malformed_body_is_refused_in_words(page, path: str, body: dict[str, Any], word: str):
    async with page.post(path, json=body) as answer:
        assert answer.status == 400
        assert word in await answer.text()


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/say", {**SAY, "text": "  "}, "nothing in it"),
        ("/say", {**SAY, "user": "ben", "channel": BOARDROOM}, "no such room"),
        ("/say", {**SAY, "channel": "nowhere"}, "no such room"),
        ("/say", {**SAY, "thread_ts": "1.000000"}, "no thread"),
        ("/edit", {**SAY, "ts": "1.0"}, "no message"),
        ("/press", {"user": "ana", "channel": TRADING, "ts": "1.0", "block_id": "b", "action_id": "x"}, "no message"),
        ("/submit", {"user": "ana", "view_id": "V1", "values": {}}, "V1"),
        ("/home", {"user": "cleo", "tab": "home"}, "no apps that are agents"),
        ("/stop", {"user": "ana", "channel": TRADING, "thread_ts": "1.0"}, "no Stop"),
    ],
)
async def test_what_slack_would_not_let_one_do_is_said(page, path: str, body: dict[str, Any], word: str):
    refused = await post(page, path, **body)
    assert refused["ok"] is False
    assert word in refused["error"]


async def test_what_is_no_json_is_refused(page):
    async with page.post("/say", data="{", headers={"Content-Type": "application/json"}) as answer:
        assert (answer.status, await answer.text()) == (400, "the body must be JSON")
    async with page.post("/say", data="[]", headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
    async with page.get("/state", params={"user": "omni"}) as answer:
        assert answer.status == 400


async def test_no_other_page_can_drive_it(slack: SlackEmulator, page):
    for headers in ({"Host": "evil.example"}, {"Host": "evil.example:8420"}, {"Host": "127.0.0.1.evil.example"}):
        for path in ("/state", "/events", "/backstage"):
            async with page.get(path, headers=headers) as answer:
                assert answer.status == 403
    for path, body in (("/say", SAY), ("/backstage/action", {"action": "kill"})):
        async with page.post(path, json=body, headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403
    # What a form of another page could send without being asked.
    async with page.post("/say", data='{"user": "ana"}', headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 400
    assert slack.history("trading") == []
    async with page.get("/state", headers={"Host": "localhost:8420"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/state", {"Host": "evil.example"}, 403),
        ("GET", "/no-such-page", {}, 404),
        ("POST", "/state", {"Content-Type": "application/json"}, 405),
        ("POST", "/say", {"Content-Type": "text/plain"}, 400),
        ("GET", "/state?user=nobody", {}, 400),
        ("GET", "/backstage", {}, 500),
    ],
)
async def test_an_error_carries_the_same_headers_as_the_page(
    slack: SlackEmulator, page, monkeypatch, method: str, path: str, headers: dict[str, str], status: int
):
    monkeypatch.setattr("omnibot_sandbox.demo.controls.scenarios", lambda: 1 / 0)
    async with page.get("/") as whole, page.request(method, path, headers=headers) as answer:
        assert answer.status == status
        for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"):
            assert answer.headers[name] == whole.headers[name]


async def test_a_file_opens_only_to_who_sees_it(slack: SlackEmulator, page):
    await slack.upload("ana", "boardroom", "draft.png", b"\x89PNG\r\n\x1a\nx")
    await slack.upload("ana", "client-desk", "terms.pdf", b"%PDF-1")
    await slack.upload("ana", "boardroom", "chart.png", b"\x89PNG\r\n\x1a\ny")
    draft, terms, chart = slack.workspace.files
    conversation, omni = slack.workspace.channel("research"), slack.workspace.user("omni")
    picture = {"type": "image", "block_id": "b", "slack_file": {"id": chart}, "alt_text": "a chart"}
    slack.workspace.post(conversation, omni, "a chart", blocks=[{"type": "container", "child_blocks": [picture]}])

    async def who_sees(file: str) -> set[str]:
        seen = set()
        for user in ("ana", "ben", "cleo", "dan"):
            async with page.get(f"/file/{file}", params={"user": user}) as answer:
                assert answer.status in (200, 404)
                if answer.status == 200:
                    seen.add(user)
        return seen

    assert await who_sees(draft) == {"ana"}
    assert await who_sees(terms) == {"ana", "ben", "dan"}
    assert await who_sees(chart) == {"ana", "ben", "cleo"}


async def test_a_guest_is_told_no_name_of_a_channel_she_is_not_in(slack: SlackEmulator, page):
    lobby, omni = slack.workspace.channel("lobby"), slack.workspace.user("omni")
    said = f"see <#{CLIENTS}|client-desk>, <#{BOARDROOM}|boardroom> and <#{RESEARCH}|research>"
    section = {"type": "section", "block_id": "b", "text": {"type": "mrkdwn", "text": said}}
    async with page.get("/events?user=cleo") as cleos:
        await cleos.content.readuntil(b"\n\n")
        slack.workspace.post(lobby, omni, said, blocks=[section])
        told = json.dumps(await changes(cleos, lambda told: bool(texts(told))))
    shown = json.dumps(await state(page, "cleo"))
    for text in (told, shown):
        assert "client-desk" not in text
        assert "boardroom" not in text
        assert f"<#{CLIENTS}>" in text
        assert f"<#{RESEARCH}|research>" in text
    assert (await state(page, "cleo"))["names"][CLIENTS]["hidden"]
    bens = json.dumps(await state(page, "ben"))
    assert f"<#{CLIENTS}|client-desk>" in bens
    assert "boardroom" not in bens


async def test_the_next_free_port_is_taken(slack: SlackEmulator):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with PageServer(slack, ClearStreetEmulator()).serving(port) as address:
            assert address.startswith("http://127.0.0.1:")
            assert str(port) not in address


async def test_closing_ends_open_streams(slack: SlackEmulator):
    async with aiohttp.ClientSession() as session:
        async with PageServer(slack, ClearStreetEmulator()).serving(0) as address:
            stream = await session.get(f"{address}events")
            await stream.content.readuntil(b"\n\n")
        with contextlib.suppress(aiohttp.ClientPayloadError):
            await asyncio.wait_for(stream.content.read(), 60)
        stream.close()
