"""Socket Mode: WebSockets over which the app hears of events, clicks and commands, and acknowledges them.

Events are delivered at least once: what is not acknowledged comes again, on whatever connection lives then. Clicks and
commands are delivered once or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from omnibot_sandbox.slack.workspace import APP_ID, JSON

MAX_CONNECTIONS = 10


@dataclass(frozen=True, slots=True)
class Ack:
    """What came of an envelope that is sent once."""

    acked: bool
    payload: Any = None


class SocketMode:
    """The app's connections, and what is on its way to them."""

    def __init__(
        self, ack_timeout: float, redeliver_after: tuple[float, ...], on_change: Callable[[JSON], None]
    ) -> None:
        self.ack_timeout = ack_timeout
        self.redeliver_after = redeliver_after
        #: Seconds between pings of connections made from now on; who answers none is forgotten. None: no pings.
        self.ping_interval: float | None = None
        #: Every envelope sent, in order, and the ids of those that were acknowledged.
        self.sent: list[JSON] = []
        self.acked: set[str] = set()
        self.sockets: list[web.WebSocketResponse] = []
        self._transports: dict[web.WebSocketResponse, asyncio.Transport | None] = {}
        self._on_change = on_change
        self._tickets: set[str] = set()
        self._acks: dict[str, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._turn = 0
        self._connected = asyncio.Event()

    # -- connections --------------------------------------------------------------------------------------------------

    def ticket(self) -> str:
        """A fresh permission to connect once."""
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket until it ends."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.remove(ticket)
        # Without compression a frame is written in one go, so that envelopes leave in the order they were sent.
        socket = web.WebSocketResponse(compress=False, timeout=1.0, heartbeat=self.ping_interval)
        await socket.prepare(request)
        if len(self.sockets) >= MAX_CONNECTIONS:
            await self._goodbye(socket, "too_many_websockets")
            return socket
        await socket.send_str(json.dumps(self._hello(len(self.sockets) + 1)))
        self.sockets.append(socket)
        self._transports[socket] = request.transport
        self._connected.set()
        self._on_change({"type": "socket", "open": len(self.sockets)})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._receive(frame.data)
        finally:
            self._forget(socket)
        return socket

    def _hello(self, connections: int) -> JSON:
        return {
            "type": "hello",
            "num_connections": connections,
            "debug_info": {
                "host": "applink-emulator",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": APP_ID},
        }

    def _receive(self, data: str) -> None:
        with contextlib.suppress(ValueError):
            answer = json.loads(data)
            envelope_id = answer.get("envelope_id") if isinstance(answer, dict) else None
            if envelope_id is None:
                return
            self.acked.add(envelope_id)
            waiting = self._acks.get(envelope_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer.get("payload"))
            self._on_change({"type": "ack", "envelope_id": envelope_id})

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
        self._transports.pop(socket, None)
        if not self.sockets:
            self._connected.clear()
        self._on_change({"type": "socket", "open": len(self.sockets)})

    async def disconnect(self, reason: str) -> None:
        """Ask every connection to go, as Slack does every so often, and close it."""
        sockets = list(self.sockets)
        for socket in sockets:
            self._forget(socket)  # nothing more goes to a connection that was told to leave
        await asyncio.gather(*(self._goodbye(socket, reason) for socket in sockets))

    async def _goodbye(self, socket: web.WebSocketResponse, reason: str) -> None:
        message = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-emulator"}}
        with contextlib.suppress(ConnectionError):
            await socket.send_str(json.dumps(message))
            await socket.close()

    def abort(self) -> None:
        """Tear every connection, without a word."""
        for socket in list(self.sockets):
            transport = self._transports.get(socket)
            self._forget(socket)
            if transport is not None:
                transport.abort()

    async def close(self) -> None:
        """Drop what is on its way and close every connection."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(socket.close() for socket in list(self.sockets)))

    # -- deliveries ---------------------------------------------------------------------------------------------------

    def deliver(self, payload: JSON) -> None:
        """Deliver an event, again and again until it is acknowledged or given up."""
        if not self._closed:
            self._start(self._deliver(payload))

    async def request(self, kind: str, payload: JSON) -> Ack:
        """Deliver a click or command once, and wait for the app's answer."""
        if not self.sockets:
            return Ack(acked=False)
        envelope = {
            "envelope_id": str(uuid.uuid4()),
            "type": kind,
            "payload": payload,
            "accepts_response_payload": True,
        }
        answer = self._expect(envelope)
        if not await self._send(envelope):
            return Ack(acked=False)
        try:
            return Ack(acked=True, payload=await asyncio.wait_for(answer, self.ack_timeout))
        except TimeoutError:
            return Ack(acked=False)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, payload: JSON) -> None:
        # An event that found no connection was tried too: it comes as a retry when there is one.
        attempt = 0 if self.sockets else 1
        answers: list[asyncio.Future[Any]] = []
        pauses = (*self.redeliver_after, 0.0)
        while attempt < len(pauses):
            await self._connected.wait()
            envelope = {
                "envelope_id": str(uuid.uuid4()),
                "type": "events_api",
                "payload": payload,
                "accepts_response_payload": False,
                "retry_attempt": attempt,
                "retry_reason": "timeout" if attempt else "",
            }
            # A late acknowledgement of an earlier attempt counts as well.
            answers.append(self._expect(envelope))
            if not await self._send(envelope):
                answers.pop()
                continue
            if attempt + 1 == len(pauses):
                return
            done, _ = await asyncio.wait(answers, timeout=pauses[attempt], return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
            attempt += 1

    def _expect(self, envelope: JSON) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._acks[envelope["envelope_id"]] = answer
        return answer

    async def _send(self, envelope: JSON) -> bool:
        """Send to the next connection in turn; False when there is none that takes it."""
        while self.sockets:
            socket = self.sockets[self._turn % len(self.sockets)]
            self._turn += 1
            try:
                await socket.send_str(json.dumps(envelope))
            except ConnectionError:
                self._forget(socket)
                continue
            self.sent.append(envelope)
            self._on_change({"type": "envelope", "envelope_id": envelope["envelope_id"]})
            return True
        return False
