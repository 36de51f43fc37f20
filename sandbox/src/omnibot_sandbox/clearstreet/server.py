"""Clear Street's API on loopback: routes, keys, envelopes, and the gate every call passes."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import web

from omnibot_sandbox.clearstreet.accounts import DEMO_KEYS, list_accounts
from omnibot_sandbox.clearstreet.calendar import Calendar
from omnibot_sandbox.clearstreet.conversations import Conversations
from omnibot_sandbox.clearstreet.entitlements import Entitlements
from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.examples import load_examples
from omnibot_sandbox.clearstreet.exchange import Exchange
from omnibot_sandbox.clearstreet.market import Market
from omnibot_sandbox.clearstreet.order_plans import OrderPlans
from omnibot_sandbox.clearstreet.orders import Orders
from omnibot_sandbox.clearstreet.paging import LARGEST
from omnibot_sandbox.clearstreet.portfolios import Portfolios
from omnibot_sandbox.clearstreet.revision import REVISIONS
from omnibot_sandbox.clearstreet.screener import Screener
from omnibot_sandbox.clearstreet.scripts import ScriptBook, Situation
from omnibot_sandbox.clearstreet.situations import situation
from omnibot_sandbox.clearstreet.snapshots import Snapshots
from omnibot_sandbox.clearstreet.store import Store, Thread
from omnibot_sandbox.clearstreet.visits import Handler, Visit
from omnibot_sandbox.endings import cut_off, hang_up
from omnibot_sandbox.faults import Call, Dropped, Gate, Refused
from omnibot_sandbox.loopback import guard

JSON = dict[str, Any]

#: Seconds in which the hang-up of a caller that died while its call was held reaches us.
_GRACE = 0.02


class ClearStreetEmulator:
    """The API, with everything a test wants to plant, see and break."""

    def __init__(
        self,
        *,
        revision: str = "2026-04",
        keys: dict[str, list[JSON]] | None = None,
        pace: float = 1.0,
        page_size: int = LARGEST,
    ) -> None:
        #: "2026-04", "2026-08" or "2026-10"; may be changed while running, as the real API does.
        self.revision = revision
        #: API key → its accounts as `GET /v1/accounts` lists them.
        self.keys = keys if keys is not None else {key: list(accounts) for key, accounts in DEMO_KEYS.items()}
        #: Threads or messages per page where the caller asks for no size.
        self.page_size = page_size
        self.gate = Gate()
        #: Every call, in the order of arrival.
        self.calls: list[Call] = []
        #: Told of each call twice: when it arrives, and when it was answered or dropped.
        self.on_call: Callable[[Call], None] = lambda _: None
        self.base_url = ""
        self.store = Store(ScriptBook(), pace)
        self.entitlements = Entitlements(self.store.ids)
        self._conversations = Conversations(self.store)
        #: Prices, what is wrong with them, and the phase of the trading day: `market.phase = "closed"`.
        self.market = Market()
        #: Cash and positions, by account.
        self.portfolios = Portfolios(self.market, self._has_account)
        #: Orders, what becomes of them (`exchange.plans`), and when they can be found (`exchange.list_lag`).
        self.exchange = Exchange(self.market, self.portfolios, self.store.ids, lambda: self.store.pace)
        self.portfolios.tied_up = self.exchange.tied_up
        self.store.situation = self._situation
        self._runner: web.AppRunner | None = None
        self._closing = False

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; `base_url` says where."""
        self._closing = False
        self._runner = web.AppRunner(self._application(host), access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.base_url = f"http://{host}:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Stop listening; calls still held are dropped without effect."""
        self._closing = True
        self.gate.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> ClearStreetEmulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def pace(self) -> float:
        """Scripted times are multiplied by this."""
        return self.store.pace

    @pace.setter
    def pace(self, pace: float) -> None:
        self.store.pace = pace

    @property
    def order_plans(self) -> OrderPlans:
        """What becomes of orders, by client id, symbol or "*": `order_plans["TSLA"] = "never"`."""
        return self.exchange.plans

    @property
    def threads(self) -> dict[str, Thread]:
        """All threads as they stand now."""
        self.store.settle()
        return self.store.threads

    @property
    def feedback(self) -> list[JSON]:
        """Feedback received: what was sent, with its `message_id` and `feedback_id`."""
        return self.store.feedback

    def user_texts(self, thread_id: str) -> list[str]:
        """The texts of the thread's USER messages, in order."""
        messages = self.threads[thread_id].messages
        return [m["content"]["parts"][0]["text"] for m in messages if m["role"] == "USER"]

    def add_script(self, script: JSON) -> None:
        """Add a scripted turn; of several that match a question, the newest wins."""
        self.store.book.add(script)

    def load_examples(self, key: str = "demo-key", account_id: int = 19816) -> None:
        """Add the documented example conversations, to be served word for word under their own ids."""
        load_examples(self.store, key, account_id)

    def active(self) -> list[str]:
        """Ids of the responses that are still queued or running."""
        return [response.id for response in self.store.active()]

    @property
    def endpoints(self) -> dict[str, Handler]:
        """Everything that can be called, by method and path."""
        return {
            "GET /v1/accounts": list_accounts,
            **self._conversations.routes,
            **self.entitlements.routes,
            **Snapshots(self.market).routes,
            **Calendar(self.market).routes,
            **Screener(self.market).routes,
            **self.portfolios.routes,
            **Orders(self.exchange).routes,
        }

    def _situation(self, thread: Thread) -> Situation:
        return situation(thread, REVISIONS[self.revision], self.entitlements, self.exchange)

    def _has_account(self, account_id: int) -> bool:
        return any(account["id"] == account_id for accounts in self.keys.values() for account in accounts)

    def _application(self, host: str) -> web.Application:
        application = web.Application(middlewares=[guard(host)])
        # Fixed paths first: aiohttp takes the first route that fits.
        for name, handler in sorted(self.endpoints.items(), key=lambda route: ("{" in route[0], route[0])):
            method, path = name.split()
            application.router.add_route(method, path, self._route(name, handler))
        application.router.add_route("*", "/{tail:.*}", self._route(None, _nothing_here))
        return application

    def _route(self, name: str | None, handler: Handler) -> Any:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, name or f"{request.method} {request.path}", handler)

        return serve

    async def _serve(self, request: web.Request, name: str, handler: Handler) -> web.StreamResponse:
        raw = await request.text()
        call = Call(name, _arguments(request, raw), dict(request.headers))
        self.calls.append(call)
        self.on_call(call)
        try:
            await self._stand_before(request, call)
            status, body = self._perform(request, raw, call, handler)
            await self.gate.at("after", call)
        except Refused as refusal:
            return await cut_off(request, call, _send(call, refusal.status, refusal.body, refusal.headers))
        except Dropped:
            return hang_up(request, call)
        else:
            return await cut_off(request, call, _send(call, status, body, {}))
        finally:
            self.on_call(call)

    async def _stand_before(self, request: web.Request, call: Call) -> None:
        # The loop runs this only if the gate made the call wait.
        held: list[bool] = []
        mark = asyncio.get_running_loop().call_soon(held.append, True)
        await self.gate.at("before", call)
        mark.cancel()
        if self._closing:
            raise Dropped
        if held:
            # A caller that died in the meantime never gets its call served; its hang-up may still be on its way.
            await asyncio.sleep(_GRACE)
            if request.transport is None or request.transport.is_closing():
                raise Dropped

    def _perform(self, request: web.Request, raw: str, call: Call, handler: Handler) -> tuple[int, JSON]:
        """Let the call take effect, all at once, and return its status and envelope."""
        try:
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer" or key not in self.keys:
                raise ApiError(401, "Missing or invalid bearer token")
            visit = Visit(
                key=key,
                accounts=self.keys[key],
                revision=REVISIONS[self.revision],
                path=dict(request.match_info),
                query=dict(request.query),
                idempotency_key=request.headers.get("Idempotency-Key"),
                raw=raw,
                page_size=self.page_size,
            )
            with self.market.status():
                answer = handler(visit)
        except ApiError as refusal:
            return refusal.status, _error_envelope(refusal)
        call.accepted = True
        envelope: JSON = {"data": answer.data, "metadata": {"request_id": str(uuid.uuid4()), **answer.metadata}}
        return 200, {**envelope, "error": None} if visit.revision.explicit_nulls or answer.explicit else envelope


def _nothing_here(visit: Visit) -> Any:
    raise ApiError(404)


def _arguments(request: web.Request, raw: str) -> JSON:
    """Path ids, query and body in one mapping; a body that is no JSON object is kept whole under "body"."""
    arguments: JSON = {**{k: v for k, v in request.match_info.items() if k != "tail"}, **request.query}
    if raw:
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw
        arguments |= body if isinstance(body, dict) else {"body": body}
    return arguments


def _error_envelope(error: ApiError) -> JSON:
    return {"error": error.error, "metadata": {"request_id": str(uuid.uuid4())}}


def _send(call: Call, status: int, body: Any, headers: dict[str, str]) -> web.Response:
    if body is None:
        body = _error_envelope(ApiError(status))
    call.status, call.answer = status, body
    if isinstance(body, bytes):
        return web.Response(status=status, body=body, headers=headers)
    if isinstance(body, str):
        return web.Response(status=status, text=body, headers=headers)
    return web.json_response(body, status=status, headers=headers)
