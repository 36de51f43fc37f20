"""A TCP proxy in front of a port on loopback, whose line can be made bad and good again while it runs.

    async with TcpProxy(port) as proxy:
        ...                     # connect to proxy.port instead
        await proxy.latency(0.3)
        await proxy.reset()
        await proxy.passing()

What a mode does to connections that already stand: `latency`, `blackhole` and `truncate` befall them from now on,
`reset` tears them, `refuse` leaves them alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal

from omnibot_sandbox.endings import reset

Mode = Literal["pass", "latency", "reset", "blackhole", "truncate", "refuse"]

_CHUNK = 65_536


class _Line:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.target: asyncio.StreamWriter | None = None
        #: Bytes were lost, so nothing that comes later would make sense.
        self.dead = False
        #: Bytes of answers that may still pass (None: all).
        self.left: int | None = None

    def tear(self) -> None:
        """Reset both ends."""
        for writer in (self.writer, self.target):
            if writer is not None:
                reset(writer.transport)

    def close(self) -> None:
        """End both ends in good order."""
        for writer in (self.writer, self.target):
            if writer is not None:
                writer.close()


class TcpProxy:
    """Passes bytes between whoever connects to `port` and the target, or does worse."""

    def __init__(self, target_port: int, target_host: str = "127.0.0.1") -> None:
        self.target = (target_host, target_port)
        self.host = "127.0.0.1"
        self.port = 0
        self.mode: Mode = "pass"
        #: Connections accepted so far, and bytes that passed each way.
        self.accepted = 0
        self.sent = 0
        self.received = 0
        self._seconds = 0.0
        self._after: int | None = None
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- coming and going ---------------------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        self.host, self.port = host, port
        await self._listen()

    async def close(self) -> None:
        """Tear what stands and stop listening."""
        self._stop_listening()
        for line in list(self._lines):
            line.tear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> TcpProxy:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connections(self) -> int:
        """Connections that stand now."""
        return len(self._lines)

    @property
    def dead(self) -> int:
        """Those of them that lost bytes in a black hole, and are silent for good."""
        return sum(line.dead for line in self._lines)

    # -- modes --------------------------------------------------------------------------------------------------------

    async def passing(self) -> None:
        """Let everything pass. What was swallowed or cut before stays so."""
        await self._switch("pass")

    async def latency(self, seconds: float) -> None:
        """Let each piece pass, either way, this much later."""
        self._seconds = seconds
        await self._switch("latency")

    async def reset(self) -> None:
        """Reset (RST) what stands, and whatever connects."""
        await self._switch("reset")
        for line in list(self._lines):
            line.tear()

    async def blackhole(self) -> None:
        """Accept connections and bytes, and let nothing out; whoever lost bytes in it stays without an answer."""
        await self._switch("blackhole")

    async def truncate(self, after: int) -> None:
        """Close each connection once this many more bytes of answers have passed."""
        self._after = after
        await self._switch("truncate")
        for line in self._lines:
            line.left = after

    async def refuse(self) -> None:
        """Do not even listen: whoever connects is refused."""
        await self._switch("refuse")

    def tear_dead(self) -> None:
        """Reset the connections that lost bytes in a black hole."""
        for line in list(self._lines):
            if line.dead:
                line.tear()

    async def _switch(self, mode: Mode) -> None:
        self.mode = mode
        for line in self._lines:
            line.left = None
        if mode == "refuse":
            self._stop_listening()
        elif self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    # -- serving ------------------------------------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        line = _Line(reader, writer)
        self._lines.add(line)
        try:
            if self.mode == "reset":
                line.tear()
                return
            line.left = self._after if self.mode == "truncate" else None
            await self._serve(line)
        except (ConnectionError, asyncio.CancelledError):  # a cancelled one would be complained of by its server
            line.tear()
        finally:
            line.close()
            self._lines.discard(line)
            self._tasks.discard(task)

    async def _serve(self, line: _Line) -> None:
        answers, line.target = await asyncio.open_connection(*self.target)
        asking = asyncio.create_task(self._pump(line, line.reader, line.target, answering=False))
        answering = asyncio.create_task(self._pump(line, answers, line.writer, answering=True))
        try:
            await asyncio.gather(asking, answering)
        finally:
            for task in (asking, answering):
                task.cancel()
            await asyncio.gather(asking, answering, return_exceptions=True)

    async def _pump(
        self, line: _Line, source: asyncio.StreamReader, drain: asyncio.StreamWriter, *, answering: bool
    ) -> None:
        """Carry one direction until its source ends."""
        while data := await source.read(_CHUNK):
            if self.mode == "latency":
                await asyncio.sleep(self._seconds)
            if self.mode == "blackhole":
                line.dead = True
            if line.dead:
                continue
            last = False
            if answering and line.left is not None:
                data = data[: line.left]
                line.left -= len(data)
                last = line.left == 0
            drain.write(data)
            await drain.drain()
            if answering:
                self.received += len(data)
            else:
                self.sent += len(data)
            if last:
                line.close()
                return
        if not line.dead:
            with contextlib.suppress(OSError):  # the other end may be gone already
                drain.write_eof()
