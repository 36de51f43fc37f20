"""What a web page in the developer's own browser could send to the emulated APIs, and what programs send."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.slack.server import SlackEmulator

EVIL = "https://evil.example"


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator() as slack:
        yield slack


@pytest.fixture
async def omni() -> AsyncIterator[ClearStreetEmulator]:
    omni = ClearStreetEmulator()
    await omni.start()
    yield omni
    await omni.close()


@pytest.fixture
async def calls(slack: SlackEmulator, omni: ClearStreetEmulator) -> dict[str, tuple[str, str]]:
    """One call of each kind: its address and token."""
    origin = slack.api_url.removesuffix("/api/")
    return {
        "web api": (f"{slack.api_url}auth.test", slack.bot_token),
        "response_url": (f"{origin}/response/x", ""),
        "upload": (f"{origin}/upload/v1/F1", ""),
        "clear street": (f"{omni.base_url}/v1/accounts", "demo-key"),
        "clear street, no such path": (f"{omni.base_url}/v1/nothing", "demo-key"),
    }


KINDS = ("web api", "response_url", "upload", "clear street", "clear street, no such path")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8421"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
    ],
    ids=str,
)
async def test_no_page_from_elsewhere_is_heard(
    slack: SlackEmulator, omni: ClearStreetEmulator, calls, kind: str, headers: dict[str, str]
):
    url, token = calls[kind]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as browser:
        async with browser.post(url, headers=headers) as answer:
            assert answer.status == 403
        async with browser.options(url, headers={**headers, "Access-Control-Request-Method": "POST"}) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
    assert slack.calls == omni.calls == []


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": EVIL}], ids=str)
async def test_no_page_from_elsewhere_gets_a_socket(slack: SlackEmulator, headers: dict[str, str]):
    link = slack.api_url.replace("http", "ws").replace("/api/", f"/link/?ticket={slack.socket_mode.ticket()}")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(link, headers=headers)
        assert refused.value.status == 403
        async with session.ws_connect(link) as ws:
            assert (await ws.receive_json())["type"] == "hello"


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:80", "LOCALHOST"])
async def test_a_program_is_heard_under_every_name_of_this_computer(
    slack: SlackEmulator, omni: ClearStreetEmulator, calls, host: str
):
    for kind in ("web api", "clear street"):
        url, token = calls[kind]
        headers = {"Authorization": f"Bearer {token}", "Host": host}
        async with aiohttp.ClientSession(headers=headers) as bot, bot.get(url) as answer:
            assert answer.status == 200
        # Some websocket libraries name the origin they connect to.
        async with aiohttp.ClientSession(headers={**headers, "Origin": f"http://{host}"}) as bot:  # noqa: SIM117
            async with bot.get(url) as answer:
                assert answer.status == 200
