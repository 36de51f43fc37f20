"""Who may speak to a server on loopback: programs of this computer, and no web page from elsewhere.

A browser on this computer reaches these ports too, and with it any page it shows: under another name that leads here
(`Host`), or across origins (`Origin`, which browsers put on whatever a page sends). Programs send neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guard(host: str = "127.0.0.1") -> Any:
    """A middleware for a server that listens on `host`: other names, and other origins than its own, get a 403."""
    known = _HERE | {host.lower()}

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        here, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if _name_in(here) not in known:
            raise web.HTTPForbidden(text="This server answers only at 127.0.0.1 and localhost.")
        if origin is not None and urlsplit(origin).netloc.lower() != here.lower():
            raise web.HTTPForbidden(text="This server takes nothing from other pages.")
        return await handler(request)

    return guarded


def _name_in(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # a bracket without its other one
        return None
