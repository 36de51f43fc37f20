"""The emulator itself: one HTTP server on loopback for the Web API, response_urls and Socket Mode.

Events, clicks and commands go out over Socket Mode, or after `deliver_http` as signed HTTP requests.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiohttp import web

from omnibot_sandbox.endings import cut_off, hang_up
from omnibot_sandbox.faults import Call, Dropped, Gate, Refused
from omnibot_sandbox.loopback import guard
from omnibot_sandbox.slack import files, sessions
from omnibot_sandbox.slack.agent_controls import AgentControls
from omnibot_sandbox.slack.arguments import SlackError, read_arguments, token_of
from omnibot_sandbox.slack.file_objects import guess
from omnibot_sandbox.slack.http_delivery import Delivery, HttpDelivery
from omnibot_sandbox.slack.methods import METHODS
from omnibot_sandbox.slack.outbox import Outbox
from omnibot_sandbox.slack.people import People, SlashCommand
from omnibot_sandbox.slack.response_urls import ResponseURLs
from omnibot_sandbox.slack.scopes import BOT_SCOPES
from omnibot_sandbox.slack.sharing import Sharing
from omnibot_sandbox.slack.socket_mode import SocketMode
from omnibot_sandbox.slack.tiers import Limiter
from omnibot_sandbox.slack.workspace import APP_ID, BOT_ID, BOT_USER_ID, JSON, TEAM_ID, Workspace

#: What Slack's front servers say with these statuses when no method got to answer.
_ERRORS = {429: "ratelimited", 500: "internal_error", 503: "service_unavailable"}
#: Seconds until the connections of a process that was just killed are surely closed.
_DYING = 0.1


class SlackEmulator(Sharing, AgentControls, People):
    """A Slack workspace that a bot can be pointed at, and a test can play in."""

    bot_token = "xoxb-emulator-bot"  # noqa: S105 - opens nothing but this emulator
    app_token = "xapp-1-emulator-app"  # noqa: S105 - likewise
    team_id = TEAM_ID
    bot_user_id = BOT_USER_ID
    bot_id = BOT_ID
    app_id = APP_ID

    def __init__(
        self,
        *,
        ack_timeout: float = 3.0,
        redeliver_after: tuple[float, ...] = (0.3, 2.0, 5.0),
        commands: Sequence[SlashCommand] = (),
    ) -> None:
        super().__init__()
        self.workspace = Workspace()
        self.commands = commands
        self.gate = Gate()
        self.calls: list[Call] = []
        #: Keep to Slack's rate limits: 429 with Retry-After for calls beyond them.
        self.enforce_tiers = False
        self.limiter = Limiter()
        #: What each token may do, as every answer says.
        self.granted = {self.bot_token: list(BOT_SCOPES), self.app_token: ["connections:write"]}
        #: Every request that went out over HTTP, in order, with what came of it.
        self.deliveries: list[Delivery] = []
        self.socket_mode = SocketMode(ack_timeout, redeliver_after, self._notify)
        self.outbox = Outbox(self.socket_mode)
        self._http: HttpDelivery | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._response_urls = ResponseURLs(self.workspace)
        self._runner: web.AppRunner | None = None
        self._address = ""
        self.workspace.on_change = self._notify
        self.workspace.on_event = self._dispatch
        self.workspace.on_status_cleared = partial(sessions.unbridge, self.workspace)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        app = web.Application(client_max_size=4 * 1024 * 1024, middlewares=[guard(host)])
        app.router.add_route("*", "/api/{method}", self._web_api)
        app.router.add_post("/response/{key}", self._response_url)
        app.router.add_post("/upload/v1/{file}", self._upload)
        app.router.add_get("/files-pri/{team}-{file}/{name}", self._download)
        app.router.add_get("/link/", self.socket_mode.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._address = f"{host}:{port}"
        self.workspace.origin = self._origin()

    def reached_at(self, address: str) -> None:
        """What stands in front of it, as "host:port": a proxy, under whose address a bot finds everything here."""
        self._address = address
        self.workspace.origin = self._origin()

    async def close(self) -> None:
        """Let go of everything held, close every connection and stop listening."""
        self.gate.clear()
        self.workspace.deadlines.close()
        self.outbox.close()
        self.deliver_http(None)
        if self._leaving is not None:
            await self._leaving
        await self.socket_mode.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> SlackEmulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def api_url(self) -> str:
        """What takes the place of https://slack.com/api/."""
        return f"{self._origin()}/api/"

    @property
    def refusals(self) -> list[Call]:
        """The calls that were answered with `ok: false`."""
        return [call for call in self.calls if isinstance(call.answer, dict) and call.answer.get("ok") is False]

    @property
    def statuses(self) -> dict[tuple[str, str], JSON]:
        """What the bot says it is doing, by (channel id, thread_ts)."""
        return self.workspace.statuses

    @property
    def deliver_twice(self) -> bool:
        """Send each event in two envelopes (or requests) with one event_id."""
        return self.outbox.deliver_twice

    @deliver_twice.setter
    def deliver_twice(self, value: bool) -> None:
        self.outbox.deliver_twice = value

    def deliver_http(self, url: str | None, signing_secret: str = "") -> None:
        """Send events, clicks and commands to this Request URL from now on; None: over Socket Mode again."""
        before, self._http = self._http, None
        if url is not None:
            self._http = HttpDelivery(
                url,
                signing_secret,
                timeout=self.socket_mode.ack_timeout,
                redeliver_after=self.socket_mode.redeliver_after,
                log=self.deliveries,
                on_change=self._notify,
            )
        self.outbox.carrier = self._http or self.socket_mode
        if before is not None:
            self._leaving = asyncio.create_task(before.close())

    async def verify_url(self) -> bool:
        """Challenge the Request URL, as Slack does when it is entered; True when it passes."""
        if self._http is None:
            raise LookupError("there is no Request URL: call deliver_http first")
        return await self._http.verify_url()

    def _origin(self) -> str:
        return f"http://{self._address}"

    # -- serving ------------------------------------------------------------------------------------------------------

    async def _web_api(self, request: web.Request) -> web.StreamResponse:
        args = await read_arguments(request)
        token = token_of(request, args)
        call = Call(request.match_info["method"], args, headers=dict(request.headers))
        response = await self._pass(request, call, lambda: self._call_method(call.name, args, token, request.host))
        if response.status == 200 and token in self.granted and not response.prepared:
            response.headers.setdefault("x-oauth-scopes", ",".join(self.granted[token]))
        return response

    async def _response_url(self, request: web.Request) -> web.StreamResponse:
        call = Call("response_url", await read_arguments(request), headers=dict(request.headers))

        def answer() -> JSON:
            self._response_urls.use(request.path, call.args)
            return {}

        return await self._pass(request, call, answer, refused=404)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        file_id, data = request.match_info["file"], await files.uploaded_bytes(request)
        call = Call("upload", {"file": file_id, "size": len(data)}, headers=dict(request.headers))
        response = await self._pass(request, call, lambda: files.receive(self.workspace, file_id, data), refused=400)
        done = call.status == 200 and not response.prepared
        return web.Response(text=f"OK - {len(data)}") if done else response

    async def _download(self, request: web.Request) -> web.StreamResponse:
        if token_of(request, dict(request.query)) != self.bot_token:
            # Who may not see the file is shown where to sign in: with status 200 in the end, and in HTML.
            return web.Response(text="<!DOCTYPE html><title>Slack</title>Sign in", content_type="text/html")
        file = files.download(self.workspace, request.match_info["file"])
        if file is None:
            return web.Response(status=404)
        return web.Response(body=file.data, content_type=guess(file.name, file.data or b"").mimetype)

    def _call_method(self, name: str, args: JSON, token: str | None, host: str) -> JSON:
        if name not in METHODS and name != "apps.connections.open":
            raise SlackError("unknown_method", req_method=name)
        if token is None:
            raise SlackError("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise SlackError("invalid_auth")
        if (token == self.app_token) != (name == "apps.connections.open"):
            raise SlackError("not_allowed_token_type")
        if self.enforce_tiers and (seconds := self.limiter.wait(name, args)):
            raise Refused(429, None, {"Retry-After": str(seconds)})
        if name == "apps.connections.open":
            # Under the name the caller knows us by: a proxy in front of the API stands in front of the socket too.
            return {"url": f"ws://{host}/link/?ticket={self.socket_mode.ticket()}&app_id={APP_ID}"}
        return METHODS[name](self.workspace, args)

    async def _pass(self, request: web.Request, call: Call, effect: Any, refused: int = 200) -> web.StreamResponse:
        """Take a call through the gate: before, its effect, after, the answer."""
        self.calls.append(call)
        self._notify({"type": "call", "name": call.name})
        try:
            held: list[bool] = []
            passing = asyncio.get_running_loop().call_soon(held.append, True)  # runs only if the gate makes us wait
            await self.gate.at("before", call)
            passing.cancel()
            if held:
                # Perhaps to kill its caller: a killed process needs a moment to lose its connections.
                await asyncio.sleep(_DYING)
            if request.transport is None or request.transport.is_closing():
                raise Dropped
            status = 200
            try:
                answer = {"ok": True, **effect()}
                call.accepted = True
            except SlackError as error:
                status, answer = refused, error.as_json()
            await self.gate.at("after", call)
        except Dropped:
            gone = hang_up(request, call)
            self._notify({"type": "dropped", "name": call.name})
            return gone
        except Refused as refusal:
            return await cut_off(request, call, self._refuse(call, refusal))
        call.status, call.answer = status, answer
        response = await cut_off(request, call, web.json_response(answer, status=status))
        self._notify({"type": "answer", "name": call.name})
        return response

    def _refuse(self, call: Call, refusal: Refused) -> web.Response:
        body, headers = refusal.body, dict(refusal.headers)
        if body is None:
            body = {"ok": False, "error": _ERRORS.get(refusal.status, "fatal_error")}
        if refusal.status == 429:
            headers.setdefault("Retry-After", "1")
        call.status, call.answer = refusal.status, body
        self._notify({"type": "answer", "name": call.name})
        if isinstance(body, str | bytes):
            headers.setdefault("Content-Type", "text/html")
            raw = body.encode() if isinstance(body, str) else body
            return web.Response(status=refusal.status, body=raw, headers=headers)
        headers.setdefault("Content-Type", "application/json; charset=utf-8")
        return web.Response(status=refusal.status, text=json.dumps(body), headers=headers)
