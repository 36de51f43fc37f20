"""The page's server: what it shows, what is typed and pressed there, and a stream of what changes.

It can make the bot act, so it listens on loopback and answers only to its own page (`loopback.guard`), and takes JSON
only, which browsers ask about before they send it across origins.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.demo import forms
from omnibot_sandbox.demo.controls import Controls
from omnibot_sandbox.demo.feed import Feed
from omnibot_sandbox.demo.installation import Installation
from omnibot_sandbox.demo.journal import Journal
from omnibot_sandbox.demo.network import Network
from omnibot_sandbox.demo.page_files import PAGE_FILES
from omnibot_sandbox.demo.people_acts import Acts
from omnibot_sandbox.demo.read_marks import ReadMarks
from omnibot_sandbox.demo.session import DemoError
from omnibot_sandbox.demo.supervisor import Supervisor
from omnibot_sandbox.demo.view import PEOPLE, View
from omnibot_sandbox.loopback import guard
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_MODULES = ", ".join(
    f"<{path}>; rel=modulepreload" for path, (_, kind) in PAGE_FILES.items() if kind == "text/javascript"
)
#: Ports tried, and seconds between two words to a page that nothing happens for.
_PORTS = 20
_PING = 15.0

F = TypeVar("F", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageServer:
    """Serves the page of one workspace; `supervisor` is there when the bot is the demo's own."""

    def __init__(
        self,
        slack: SlackEmulator,
        omni: ClearStreetEmulator,
        supervisor: Supervisor | None = None,
        app: Installation | None = None,
        lines: Network | None = None,
    ) -> None:
        self._slack = slack
        self._marks = ReadMarks()
        self._view = View(slack, self._marks, app or Installation())
        self._journal = Journal(slack, omni)
        self._controls = Controls(slack, omni, self._journal, supervisor, lines)
        self._feed = Feed(slack, self._view, self._marks, self._journal)
        self._feed.controls = self._controls.describe
        self._acts = Acts(slack, self._view, self._marks, self._feed)
        for gate in (slack.gate, omni.gate):
            gate.on_hit = lambda: self._feed.tell("backstage")
        self._streams: set[asyncio.Task[Any]] = set()
        if supervisor is not None:
            supervisor.on_change = lambda: self._feed.tell("backstage")

    @asynccontextmanager
    async def serving(self, port: int) -> AsyncIterator[str]:
        """Listen on this port, or on the next free one; gives the page's address."""
        for user in PEOPLE:
            self._slack.dm(user)
            for channel in self._view.channels(user):
                self._marks.read_everything(channel, self._slack.workspace.user(user).id)
        app = web.Application(middlewares=[guard(), _json_only], client_max_size=256 * 1024)
        app.on_response_prepare.append(_protect)
        for path in PAGE_FILES:
            app.router.add_get(path, _file)
        app.router.add_get("/state", self._state)
        app.router.add_get("/events", self._events)
        app.router.add_get("/file/{id}", self._shared_file)
        for path, (form, act) in self._acts.verbs.items():
            app.router.add_post(path, _verb(form, act))
        self._add_controls(app)
        app.on_shutdown.append(self._hang_up)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            yield f"http://127.0.0.1:{await _listen(runner, port)}/"
        finally:
            self._feed.close()
            self._journal.close()
            await runner.cleanup()

    # -- what it shows ------------------------------------------------------------------------------------------------

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self._feed.state(_who(request)))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: `{seq, changes}`, and first of all a word that the page is now heard."""
        user = _who(request)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        page = self._feed.open(user)
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                await stream.write(b"event: hello\ndata: {}\n\n")
                while True:
                    try:
                        keys = await asyncio.wait_for(page.take(), _PING)
                    except TimeoutError:
                        await stream.write(b": still here\n\n")
                        continue
                    changes = json.dumps(self._feed.write(keys, user))
                    await stream.write(f"data: {changes}\n\n".encode())
        finally:
            self._feed.leave(page)
            self._streams.discard(task)
        return stream

    async def _shared_file(self, request: web.Request) -> web.Response:
        """The content of a file, under its id; for who does not see it, it is not there."""
        name = request.match_info["id"]
        found = self._slack.file(name) if self._view.sees_file(_who(request), name) else None
        if found is None:
            raise web.HTTPNotFound
        data, kind, _ = found
        shown = kind if kind.startswith("image/") and "svg" not in kind else "application/octet-stream"
        return web.Response(body=data, content_type=shown)

    async def _hang_up(self, _: web.Application) -> None:
        for task in self._streams:
            task.cancel()

    # -- backstage ----------------------------------------------------------------------------------------------------

    def _add_controls(self, app: web.Application) -> None:
        async def everything(_: web.Request) -> web.Response:
            return web.json_response(self._controls.everything())

        async def call(request: web.Request) -> web.Response:
            found = self._controls.call(int(request.match_info["n"]))
            if found is None:
                raise web.HTTPNotFound
            return web.json_response(found, dumps=lambda value: json.dumps(value, default=str))

        app.router.add_get("/backstage", everything)
        app.router.add_get(r"/backstage/call/{n:\d+}", call)
        app.router.add_post("/backstage/fault", _verb(forms.FaultForm, self._told(self._controls.add)))
        app.router.add_post("/backstage/rule", _verb(forms.RuleForm, self._told(self._controls.change)))
        app.router.add_post("/backstage/line", _verb(forms.LineForm, self._told(self._controls.line)))
        app.router.add_post("/backstage/exchange", _verb(forms.ExchangeForm, self._told(self._controls.deal)))
        app.router.add_post("/backstage/switch", _verb(forms.SwitchForm, self._told(self._controls.switch)))
        app.router.add_post("/backstage/action", _verb(forms.ActionForm, self._told(self._controls.act)))

    def _told(self, act: Callable[[Any], Awaitable[None] | None]) -> Callable[[Any], Awaitable[JSON]]:
        """What was done backstage, told to every page."""

        async def done(form: Any) -> JSON:
            doing = act(form)
            if doing is not None:
                await doing
            self._feed.tell("backstage")
            return {}

        return done


def _who(request: web.Request) -> str:
    user = request.query.get("user", PEOPLE[0])
    if user not in PEOPLE:
        raise web.HTTPBadRequest(text=f"user: must be one of {', '.join(PEOPLE)}")
    return user


def _verb(kind: type[F], act: Callable[[F], Awaitable[JSON]]) -> Handler:
    """A POST with this form. What a person may not do is `ok: false` and says why, as Slack's own answers do."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            form = kind.model_validate(json.loads(await request.text()))
        except ValueError as error:
            raise web.HTTPBadRequest(text=_in_words(error)) from None
        try:
            return web.json_response({"ok": True, **await act(form)})
        except LookupError as error:
            return web.json_response({"ok": False, "error": str(error.args[0] if error.args else error)})

    return handle


def _in_words(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return "the body must be JSON"
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())


@web.middleware
async def _json_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What a form of another page can send without asking is not JSON."""
    if request.method == "POST" and request.content_type != "application/json":
        raise web.HTTPBadRequest(text="Content-Type: must be application/json")
    return await handler(request)


async def _protect(_: web.Request, response: web.StreamResponse) -> None:
    """Every answer, an error's too, says what a browser may do with it."""
    response.headers.update(_HEADERS)


async def _file(request: web.Request) -> web.Response:
    content, kind = PAGE_FILES[request.path]
    # Modules are fetched at once, and not each when another names it.
    early = {"Link": _MODULES} if kind == "text/html" else {}
    charset = "utf-8" if kind.startswith("text/") else None
    return web.Response(body=content, content_type=kind, charset=charset, headers=early)


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
