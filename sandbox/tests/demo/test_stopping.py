"""Ctrl-C and SIGTERM leave nothing behind, whenever they come."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.tests.demo.conftest import children, inside, started


def _alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


async def test_a_demo_stopped_with_ctrl_c_leaves_no_process_and_no_directory(tmp_path: Path):
    async with started(tmp_path, "demo", "--port", "0") as demo:
        assert "The first minute" in demo.said
        (folder,) = inside(tmp_path)
        assert folder.startswith("omnibot-demo-")
        bots = children(demo.process.pid)
        assert len(bots) == 1
        async with aiohttp.ClientSession() as session, session.get(f"{demo.address}events") as stream:
            await stream.content.readuntil(b"\n\n")
            demo.process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(demo.process.wait(), 60) == 0
        assert _alive(bots) == set()
        assert inside(tmp_path) == []


async def test_stopped_while_it_starts_it_leaves_nothing_either(tmp_path: Path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "omnibot", "demo", "--port", "0", env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    while not (bots := children(process.pid)):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert _alive(bots) == set()
    assert inside(tmp_path) == []


async def test_a_demo_whose_bot_dies_starts_it_again_and_leaves_nothing_when_it_is_terminated(tmp_path: Path):
    async with started(tmp_path, "demo", "--port", "0") as demo:
        (bot,) = children(demo.process.pid)
        os.kill(bot, signal.SIGKILL)
        async with aiohttp.ClientSession() as session, asyncio.timeout(90):
            described: dict[str, Any] = {}
            while (described.get("state"), described.get("restarts")) != ("running", 1):
                async with session.get(f"{demo.address}backstage") as answer:
                    described = (await answer.json())["bot"]
                await asyncio.sleep(0.02)
        bots = children(demo.process.pid)
        assert bots == {described["pid"]} != {bot}
        demo.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(demo.process.wait(), 60) == 0
    assert _alive(bots) == set()
    assert inside(tmp_path) == []


async def test_the_emulator_alone_prints_what_a_bot_needs(tmp_path: Path):
    async with started(tmp_path, "emulator", "--port", "0", "--revision", "2026-10") as emulator:
        for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_API_URL", "CLEAR_STREET_API_KEY"):
            assert f"export {name}=" in emulator.said
        base_url = emulator.said.partition("export CLEAR_STREET_BASE_URL=")[2].split()[0]
        async with (
            aiohttp.ClientSession(headers={"Authorization": "Bearer demo-key"}) as session,
            session.get(f"{base_url}/v1/accounts") as answer,
        ):
            assert answer.status == 200
        async with aiohttp.ClientSession() as session, session.get(emulator.address) as answer:
            assert answer.status == 200
        assert children(emulator.process.pid) == set()
        emulator.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(emulator.process.wait(), 60) == 0
