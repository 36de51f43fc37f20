"""A raw HTTP server on loopback that plays literal scripts, and a client of it. It knows nothing of omnibot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.transport import Transport

KEY = "cs_live_SECRET_key-0123456789"
ACCOUNT = 19816
ANSWER = "019dbafd-db54-7523-a412-ec9195cc5d99"
THREAD = "019dbae9-73b3-7fe0-bd14-25fe57e91475"
MESSAGE = "019d9597-599c-7132-a7de-e5c21eaaab77"
REQUEST_ID = "0f991501-757d-4051-bf00-6d7f452d6fcf"


def payload(name: str) -> Any:
    """A literal answer of the API."""
    return json.loads((Path(__file__).parent / "payloads" / f"{name}.json").read_text())


def envelope(data: Any, **metadata: Any) -> dict[str, Any]:
    return {"data": data, "metadata": {"request_id": REQUEST_ID, **metadata}}


@dataclass(frozen=True)
class Say:
    """One answer: JSON (or raw bytes) with a status; or silence for some seconds; or a dropped connection."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    silence: float = 0.0
    drop: bool = False


def refusal(status: int, message: str = "no", **headers: str) -> Say:
    body = {"error": {"code": status, "message": message}, "metadata": {"request_id": REQUEST_ID}}
    return Say(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass(frozen=True)
class Heard:
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any


class ScriptedApi:
    """Answers each `METHOD path` from its script; the last answer of a script stays. What it heard is in `heard`."""

    def __init__(self) -> None:
        self.base_url = ""
        self.heard: list[Heard] = []
        self._scripts: dict[str, list[Say] | Callable[[Heard], Say]] = {}

    def script(self, endpoint: str, *answers: Say | dict[str, Any]) -> None:
        self._scripts[endpoint] = [one if isinstance(one, Say) else Say(one) for one in answers]

    def play(self, endpoint: str, role: Callable[[Heard], Say]) -> None:
        self._scripts[endpoint] = role

    def paths(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.heard]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        heard = Heard(
            request.method, request.path, dict(request.query), request.headers, json.loads(raw) if raw else None
        )
        self.heard.append(heard)
        script = self._scripts.get(f"{request.method} {request.path}", [refusal(404, "no such route")])
        say = script(heard) if callable(script) else script.pop(0) if len(script) > 1 else script[0]
        if say.silence:
            await asyncio.sleep(say.silence)
        if say.drop:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        body = say.body if isinstance(say.body, bytes) else json.dumps(say.body).encode()
        return web.Response(body=body, status=say.status, headers=say.headers, content_type="application/json")


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    scripted = ScriptedApi()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", scripted.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield scripted
    await runner.cleanup()


@pytest.fixture
async def transport(api: ScriptedApi) -> AsyncIterator[Transport]:
    one = Transport(base_url=api.base_url, timeout=20)
    yield one
    await one.close()


@pytest.fixture
async def hasty(api: ScriptedApi) -> AsyncIterator[Transport]:
    """Gives each try one second."""
    one = Transport(base_url=api.base_url, timeout=1)
    yield one
    await one.close()


@pytest.fixture
def omni(transport: Transport) -> Omni:
    return Omni(transport)
