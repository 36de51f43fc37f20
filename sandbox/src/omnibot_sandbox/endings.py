"""How an answer can end badly on its way out: not at all, with a reset, or in the middle."""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import web

from omnibot_sandbox.faults import Call


def reset(transport: asyncio.BaseTransport | None) -> None:
    """Close with RST instead of FIN: what a crashed host or a router that forgot the connection does."""
    if not isinstance(transport, asyncio.Transport):
        return
    line: socket.socket | None = transport.get_extra_info("socket")
    if line is not None and line.fileno() != -1:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def hang_up(request: web.Request, call: Call) -> web.Response:
    """Close the connection under the caller, as the call's fault says; the returned answer has nowhere to go."""
    call.dropped = True
    if call.damage == "reset":
        reset(request.transport)
    elif request.transport is not None:
        request.transport.close()
    return web.Response()


async def cut_off(request: web.Request, call: Call, response: web.Response) -> web.StreamResponse:
    """The answer, or where a fault cuts it only so many bytes of its body, and then the connection's end."""
    body = response.body
    if call.cut_after is None or not isinstance(body, bytes):
        return response
    call.damage = f"cut off after {min(call.cut_after, len(body))} of {len(body)} bytes"
    begun = web.StreamResponse(status=response.status, headers=response.headers)
    begun.content_length = len(body)
    await begun.prepare(request)
    await begun.write(body[: call.cut_after])
    if request.transport is not None:
        request.transport.close()
    return begun
