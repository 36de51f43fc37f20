"""An emulator on a real socket, and a caller that speaks plain JSON to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

MAIN, OTHER = 19816, 19818


class Caller:
    """One API key, calling one emulator."""

    def __init__(self, emulator: ClearStreetEmulator, session: aiohttp.ClientSession, key: str = "demo-key") -> None:
        self.emulator = emulator
        self.session = session
        self.key = key

    async def __call__(
        self, method: str, path: str, *, json: Any = None, data: str | None = None, headers: Any = None, **query: Any
    ) -> tuple[int, Any]:
        """Status and body of one call; keywords are the query string."""
        headers = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        url = f"{self.emulator.base_url}/v1{path}"
        async with self.session.request(method, url, json=json, data=data, params=query, headers=headers) as answer:
            return answer.status, await answer.json()

    async def ask(
        self, text: str, thread: str | None = None, account: int | None = MAIN, **extra: Any
    ) -> dict[str, str]:
        """Ask a question that must be accepted."""
        body = {"text": text, **extra}
        if account is not None:
            body["account_id"] = account
        if thread is None:
            body.setdefault("type", "instant")
        path = "/omni-ai/threads" if thread is None else f"/omni-ai/threads/{thread}/messages"
        status, answer = await self("POST", path, json=body)
        assert status == 200, answer
        data: dict[str, str] = answer["data"]
        return data

    async def poll(self, response_id: str) -> dict[str, Any]:
        """One look at a response."""
        status, answer = await self("GET", f"/omni-ai/responses/{response_id}", account_id=MAIN)
        assert status == 200, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def finish(self, response_id: str) -> dict[str, Any]:
        """The response, once it is over."""
        return await self.until(response_id, lambda response: response["status"] not in ("queued", "running"))

    async def until(self, response_id: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The response, once it looks as wanted."""
        while True:
            response = await self.poll(response_id)
            if wanted(response):
                return response
            await asyncio.sleep(0.01)

    async def messages(self, thread: str, **query: Any) -> list[dict[str, Any]]:
        """A page of the thread's messages."""
        status, answer = await self("GET", f"/omni-ai/threads/{thread}/messages", account_id=MAIN, **query)
        assert status == 200, answer
        data: list[dict[str, Any]] = answer["data"]
        return data


@pytest.fixture(params=["2026-04", "2026-08", "2026-10"])
def revision(request: pytest.FixtureRequest) -> str:
    """Every test that takes an emulator runs in every revision."""
    return str(request.param)


@pytest.fixture
async def omni(revision: str) -> AsyncIterator[ClearStreetEmulator]:
    """A fast emulator; its demo key has a second open account."""
    emulator = ClearStreetEmulator(revision=revision, pace=0.01)
    emulator.keys["demo-key"].append({**emulator.keys["demo-key"][0], "id": OTHER, "full_name": "Other"})
    # Outlasts any machine: what must still be running is, until somebody stops it or sets the pace to 0.
    parts = [{"type": "text", "text": "one two three four"}]
    emulator.add_script(
        {
            "name": "endless",
            "pattern": "^endless",
            "snapshots": [{"at": 0, "reveal": 0.5, "thoughts": ["hm"]}],
            "final": {"at": 10**6, "status": "succeeded", "parts": parts},
        }
    )
    await emulator.start()
    yield emulator
    await emulator.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client without a memory of connections, so that each call stands for itself."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield session


@pytest.fixture
def call(omni: ClearStreetEmulator, session: aiohttp.ClientSession) -> Caller:
    """The demo key's caller."""
    return Caller(omni, session)


@pytest.fixture
def stranger(omni: ClearStreetEmulator, session: aiohttp.ClientSession) -> Caller:
    """Another key's caller."""
    return Caller(omni, session, "second-key")


oldest = pytest.mark.parametrize("revision", ["2026-04"])
middle = pytest.mark.parametrize("revision", ["2026-08"])
old = pytest.mark.parametrize("revision", ["2026-04", "2026-08"])
new = pytest.mark.parametrize("revision", ["2026-10"])
