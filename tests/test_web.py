"""The HTTP server: where it listens, and what it says when something it looks at is broken."""

from __future__ import annotations

import asyncio
import socket
import sys

import aiohttp
import pytest

from omnibot import web
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
