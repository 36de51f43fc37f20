"""The page's server: what it shows, what is typed and pressed there, and a stream that says when to look again.

It can make the bot act, so it listens on loopback and answers only to its own page: a page elsewhere can neither reach
it under another name (`Host`) nor send it anything (`Origin`, and JSON only, which browsers ask about first).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from omnibot.emulator.demo.house import DemoError
from omnibot.emulator.demo.view import PEOPLE, rooms_of, view
from omnibot.emulator.slack.server import SlackEmulator
from omnibot.emulator.slack.workspace import JSON

_FOLDER = files("omnibot.emulator.demo") / "page"
_FILES = {"/": ("index.html", "text/html"), "/page.css": ("page.css", "text/css")} | {
    f"/{name}": (name, "text/javascript") for name in ("page.js", "markdown.js")
}
#: Read with the module: files must not be read in a loop.
_CONTENT = {path: ((_FOLDER / name).read_text("utf-8"), kind) for path, (name, kind) in _FILES.items()}
_HOSTS = ("127.0.0.1", "localhost")
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'"
_HEADERS = {
    "Content-Security-Policy": f"{_POLICY}; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
#: Ports tried, and seconds between two words to a page that nothing happens for.
_PORTS = 20
_PING = 15.0
#: Changes that come together are told together.
_TOGETHER = 0.04


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    user: Literal["ana", "ben"]
    channel: str


class SayForm(_Form):
    """A typed message."""

    text: str = Field(min_length=1, max_length=12_000)
    thread_ts: str | None = None


class CommandForm(_Form):
    """A typed slash command."""

    command: Literal["/omni"]
    text: str = Field(max_length=3_000)


class ClickForm(_Form):
    """A pressed button; the label chooses among those that share an action id, as the two of a rating do."""

    ts: str
    action_id: str
    label: str | None = None


F = TypeVar("F", bound=_Form)


class PageServer:
    """Serves the page of one workspace."""

    def __init__(self, slack: SlackEmulator) -> None:
        self._slack = slack
        self._pages: set[asyncio.Event] = set()
        self._closing = False

    @asynccontextmanager
    async def serving(self, port: int) -> AsyncIterator[str]:
        """Listen on this port, or on the next free one; gives the page's address."""
        for user in PEOPLE:
            self._slack.dm(user)
        app = web.Application(middlewares=[_guard], client_max_size=256 * 1024)
        for path in _CONTENT:
            app.router.add_get(path, _file)
        app.router.add_get("/state", self._state)
        app.router.add_get("/events", self._events)
        app.router.add_post("/say", self._say)
        app.router.add_post("/command", self._command)
        app.router.add_post("/click", self._click)
        app.on_shutdown.append(self._hang_up)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        unsubscribe = self._slack.subscribe(self._on_change)
        try:
            yield f"http://127.0.0.1:{await _listen(runner, port)}/"
        finally:
            unsubscribe()
            await runner.cleanup()

    # -- what it shows ------------------------------------------------------------------------------------------------

    async def _state(self, request: web.Request) -> web.Response:
        user = request.query.get("user", "ana")
        if user not in PEOPLE:
            raise web.HTTPBadRequest(text=f"user: must be {' or '.join(PEOPLE)}")
        return web.json_response(view(self._slack, user))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: one word whenever /state has something new."""
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        changed = asyncio.Event()
        self._pages.add(changed)
        try:
            with contextlib.suppress(ConnectionError):
                await stream.write(b"event: change\ndata: {}\n\n")  # what happened before we listened
                while not self._closing:
                    try:
                        await asyncio.wait_for(changed.wait(), _PING)
                    except TimeoutError:
                        await stream.write(b": still here\n\n")
                        continue
                    await asyncio.sleep(_TOGETHER)
                    changed.clear()
                    await stream.write(b"event: change\ndata: {}\n\n")
        finally:
            self._pages.discard(changed)
        return stream

    def _on_change(self, change: JSON) -> None:
        if change["type"] not in ("call", "answer", "envelope", "ack", "socket"):
            self._wake()

    def _wake(self) -> None:
        for changed in self._pages:
            changed.set()

    async def _hang_up(self, _: web.Application) -> None:
        self._closing = True
        self._wake()

    # -- what is done there -------------------------------------------------------------------------------------------

    async def _say(self, request: web.Request) -> web.Response:
        form = await self._read(request, SayForm)
        if not form.text.strip():
            raise web.HTTPBadRequest(text="text: there is nothing in it")
        with _as_words():
            ts = await self._slack.say(form.user, form.channel, form.text, thread_ts=form.thread_ts)
        return web.json_response({"ts": ts})

    async def _command(self, request: web.Request) -> web.Response:
        form = await self._read(request, CommandForm)
        with _as_words():
            result = await self._slack.command(form.user, form.channel, form.command, form.text)
        return web.json_response({"acked": result.acked})

    async def _click(self, request: web.Request) -> web.Response:
        form = await self._read(request, ClickForm)
        with _as_words():
            acked = await self._slack.click(
                form.user, form.channel, form.ts, action_id=form.action_id, label=form.label
            )
        return web.json_response({"acked": acked})

    async def _read(self, request: web.Request, kind: type[F]) -> F:
        try:
            form = kind.model_validate(json.loads(await request.text()))
        except ValueError as error:
            raise web.HTTPBadRequest(text=_in_words(error)) from None
        if form.channel not in [room.id for room in rooms_of(self._slack, form.user)]:
            raise web.HTTPBadRequest(text=f"channel: {form.user} is in no such room")
        return form


@contextlib.contextmanager
def _as_words() -> Any:
    try:
        yield
    except LookupError as error:
        raise web.HTTPBadRequest(text=str(error.args[0] if error.args else error)) from None


def _in_words(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return "the body must be JSON"
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Let in only this computer's own page."""
    here = request.headers.get("Host", "")
    origin = request.headers.get("Origin")
    if here.rsplit(":", 1)[0] not in _HOSTS:
        raise web.HTTPForbidden(text="This demo answers only at 127.0.0.1 and localhost.")
    if origin is not None and urlsplit(origin).netloc != here:
        raise web.HTTPForbidden(text="This demo takes nothing from other pages.")
    if request.method == "POST" and request.content_type != "application/json":
        raise web.HTTPBadRequest(text="Content-Type: must be application/json")
    response = await handler(request)
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response


async def _file(request: web.Request) -> web.Response:
    text, kind = _CONTENT[request.path]
    return web.Response(text=text, content_type=kind, charset="utf-8")


async def _listen(runner: web.AppRunner, port: int) -> int:
    candidates = [port] if port == 0 else range(port, min(port + _PORTS, 65_536))
    for candidate in candidates:
        try:
            await web.TCPSite(runner, "127.0.0.1", candidate).start()
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise DemoError(f"Cannot listen on 127.0.0.1:{candidate}: {error.strerror or error}.") from error
        else:
            return int(runner.addresses[0][1])
    raise DemoError(f"Ports {port} to {port + _PORTS - 1} are all taken; name another with --port.")
