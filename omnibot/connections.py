"""Limits on the connections of the HTTP server, for everybody.

Whoever has not yet sent a whole request is unknown, so every limit is on that: the seconds it may take, how many such
connections there are, and how many bytes they have sent. At a limit those that wait longest are closed, never the
newest: Slack sends a delivery in one piece, in milliseconds.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from omnibot.telemetry import Sparingly

log = structlog.get_logger(__name__)
_sparingly = Sparingly(log)

#: Seconds after which a request that is being answered is given up: its caller does not read, or a handler hangs.
ANSWER_SECONDS = 60.0
#: Seconds after which a connection on which nothing more came is closed: longer than proxies keep theirs (60 to 600).
IDLE_SECONDS = 620.0
#: Bytes that all connections together may have sent of requests that are not answered yet.
MOST_HELD = 32 * 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the callers of one address may take up."""

    #: Connections at once; fewer where the process may not open as many files.
    connections: int = 500
    #: Seconds in which a request has to be there as a whole.
    seconds: float = 10.0
    #: Bytes of all requests that are not answered yet.
    held: int = MOST_HELD

    def most_connections(self) -> int:
        """As many as leave half of the process's files to everything else."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return self.connections if files == resource.RLIM_INFINITY else max(1, min(self.connections, files // 2))

    def backlog(self) -> int:
        """Connections that are accepted at once, before any of them is counted."""
        return max(8, min(128, self.most_connections() // 4))


class Connections:
    """The open connections of one address.

    Args:
        server: what makes aiohttp's protocol of each connection.
        limits: what they may take up.
    """

    def __init__(self, server: web.Server, limits: Limits) -> None:
        self._server = server
        self._limits = limits
        self._most = limits.most_connections()
        #: The oldest first.
        self._open: dict[Connection, None] = {}
        self._held = 0

    def accept(self) -> Connection:
        """The protocol of a new connection, as `loop.create_server` asks for it."""
        return Connection(self, self._server(), self._limits.seconds)

    def opened(self, connection: Connection) -> bool:
        """Count one more.

        Returns:
            Whether it may stay; where there are too many, one that waits gives way to it.
        """
        if len(self._open) >= self._most:
            if (longest := self._waits_longest()) is None:
                _sparingly.warning("http_connection_closed", reason="crowded")
                return False
            longest.close("crowded")
        self._open[connection] = None
        return True

    def lost(self, connection: Connection) -> None:
        """It is gone, and so is what it had sent."""
        self._open.pop(connection, None)
        self.release(connection)

    def waits_again(self, connection: Connection) -> None:
        """Its request was answered: of those that wait it is the newest."""
        if connection in self._open:
            del self._open[connection]
            self._open[connection] = None

    def hold(self, connection: Connection, size: int) -> None:
        """So many more bytes came; above the limit, whoever has sent most without an end gives way."""
        connection.held += size
        self._held += size
        while self._held > self._limits.held:
            waiting = [each for each in self._open if each.waits]
            if not waiting:
                return
            max(waiting, key=lambda each: each.held).close("memory")

    def release(self, connection: Connection) -> None:
        """What it had sent is dealt with."""
        self._held -= connection.held
        connection.held = 0

    def _waits_longest(self) -> Connection | None:
        """The oldest of the caller who has most; behind a proxy all are the proxy's."""
        waiting = [each for each in self._open if each.waits]
        if not waiting:
            return None
        ((peer, _),) = Counter(each.peer for each in waiting).most_common(1)
        return next(each for each in waiting if each.peer == peer)


class Connection(asyncio.Protocol):
    """One connection: passes on everything to aiohttp's protocol, and closes it when a limit is reached."""

    def __init__(self, connections: Connections, protocol: asyncio.Protocol, seconds: float) -> None:
        self._connections = connections
        self._protocol = protocol
        self._seconds = seconds
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._made = False
        #: Its request is there as a whole and is being answered.
        self._answering = False
        #: Something came meanwhile: the beginning of the next request.
        self._more = False
        #: Its last request was answered, and nothing came since.
        self._idle = False
        self.held = 0
        self.peer = ""

    @property
    def waits(self) -> bool:
        """It is this caller's turn: to send the rest of a request, or to read the answer."""
        unread = self._transport is not None and self._transport.get_write_buffer_size() > 0
        return not self._answering or unread

    def close(self, reason: str) -> None:
        """Close it at once, whatever is under way."""
        _sparingly.warning("http_connection_closed", reason=reason)
        self._connections.lost(self)
        if self._transport is not None:
            self._transport.abort()

    def complete(self) -> None:
        """The request is there as a whole."""
        self._answering, self._more, self._idle = True, False, False
        self._close_after(ANSWER_SECONDS, "unanswered")

    def answered(self) -> None:
        """The request was answered."""
        self._answering, self._idle = False, not self._more
        self._connections.release(self)
        self._connections.waits_again(self)
        self._close_after(IDLE_SECONDS if self._idle else self._seconds, "idle" if self._idle else "slow")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._connections.opened(self):
            transport.abort()
            return
        self._made = True
        self._close_after(self._seconds)
        self._protocol.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._close_after(None)
        self._connections.lost(self)
        if self._made:
            self._protocol.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._connections.hold(self, len(data))
        if self._answering:
            self._more = True
        elif self._idle:
            self._idle = False
            self._close_after(self._seconds)
        self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    def _close_after(self, seconds: float | None, reason: str = "slow") -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.close, reason)


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the request's connection when all of it has come, and when it was answered."""
    transport = request.transport
    connection = transport.get_protocol() if transport is not None else None
    if not isinstance(connection, Connection):
        raise web.HTTPBadRequest  # it was closed while it stood in line
    request.content.on_eof(connection.complete)
    try:
        return await handler(request)
    except (ConnectionError, web.RequestPayloadError):
        # The caller hung up in the middle, or was closed: nobody reads this.
        raise web.HTTPBadRequest from None
    finally:
        connection.answered()
