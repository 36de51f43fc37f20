"""One HTTP call to Clear Street: key, rate limit, timeout, retries of reads, typed errors. Knows no endpoint."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import httpx
import structlog
from httpx_aiohttp import AiohttpTransport

from omnibot import __version__, telemetry
from omnibot.clearstreet.envelope import Answer, error_of, open_envelope
from omnibot.clearstreet.pacing import ORDINARY, URGENT, Pacer
from omnibot.clearstreet.retries import DEFAULT_RETRY_AFTER, parse_retry_after, retry_delay
from omnibot.clearstreet.revision import ApiRevision
from omnibot.errors import ClearStreetError, Malformed, NotFound, RateLimited, Unauthorised, Unavailable

CONNECTIONS = 200
"""Open at most: 2,000 polled turns at one poll in two seconds and 200 ms each."""
IDLE_SECONDS = 30.0
WRITE_PATIENCE = 3.0
"""Seconds that a call which is tried once waits for its place in the key's bucket."""

# Some of aiohttp's errors pass through httpx-aiohttp; a client already closed is a RuntimeError.
_NETWORK = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, RuntimeError)
_NO_TIMEOUTS: dict[str, Any] = {"timeout": {}}  # one limit for the whole try instead, in `_once`
_ALWAYS = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip, deflate"),
    ("User-Agent", f"omnibot/{__version__}"),
)
_KEY = re.compile(r"[\x21-\x7e]+", re.ASCII)
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

Headers = list[tuple[str, str]]

log = structlog.get_logger(__name__)


class Transport:
    """The one HTTP client of the process for one base URL. Close it when done.

    Args:
        base_url: where the API is, without the version (`https://api.clearstreet.com`).
        rate: calls a second and key.
        timeout: seconds one try may take from the first byte sent to the last received.
        revision: `auto`, `2026-04`, `2026-08` or `2026-10`.
        carrier: for tests; whoever gives it closes it.
    """

    def __init__(
        self,
        *,
        base_url: str,
        rate: float = 50.0,
        timeout: float = 10.0,
        revision: str = "auto",
        carrier: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._timeout = timeout
        self._pacer = Pacer(rate)
        self._owned = carrier is None
        self._carrier = carrier or _carrier(self._base)
        self._closed = False
        self.revision = ApiRevision(revision)

    def __repr__(self) -> str:
        return f"Transport({self._base!r})"

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        if self._owned:
            await self._carrier.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        key: str,
        ids: Mapping[str, str] | None = None,
        query: Mapping[str, str | int | None] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        retries: bool = True,
        budget: float | None = None,
        only_asks: bool = False,
    ) -> Answer:
        """Make one call and open the envelope.

        A GET is tried up to three times unless `retries` is off; PATCH, DELETE and every POST that is more than a
        question are sent at most once.

        Args:
            path: template such as `/v1/omni-ai/threads/{thread_id}`; `ids` fill it.
            key: the API key whose authority the call uses.
            query: parameters; None leaves one out.
            body: sent as JSON, exactly.
            budget: seconds until the last try may begin, waits for the bucket and between tries included; by default
                twice the time limit for retried GETs and three seconds for all else.
            only_asks: this POST is a search that changes nothing, however often it is made: treat it as a GET.

        Raises:
            ClearStreetError: one of its leaves; never anything of httpx or aiohttp. RateLimited with nothing sent when
                the key's bucket stays closed for longer than the budget.
        """
        if not _KEY.fullmatch(key):
            raise Unauthorised
        url = self._url(path, ids or {}, query or {})
        content = None if body is None else _json(body)
        headers = _headers(key, content, idempotency_key)
        reading = method == "GET" or (method == "POST" and only_asks)
        repeating = retries and reading
        place = ORDINARY if reading else URGENT
        clock = asyncio.get_running_loop().time
        latest = clock() + (budget if budget is not None else 2 * self._timeout if repeating else WRITE_PATIENCE)
        for tries in itertools.count(1):
            await self._pacer.turn(key, place=place, within=max(0.0, latest - clock()))
            try:
                return await self._once(method, path, url, key, headers, content)
            except Malformed:
                raise
            except (Unavailable, RateLimited) as error:
                delay = self._delay(error, tries, latest - clock()) if repeating else None
                if delay is None:
                    raise
            await asyncio.sleep(delay)
        raise AssertionError("unreachable")

    @staticmethod
    def _delay(error: Unavailable | RateLimited, tries: int, remaining: float) -> float | None:
        asked = error.retry_after if isinstance(error, RateLimited) else None
        return retry_delay(
            tries=tries, status=error.status, retry_after=asked, remaining=remaining, chance=random.random()
        )

    async def _once(
        self, method: str, path: str, url: str, key: str, headers: Headers, content: bytes | None
    ) -> Answer:
        """Send one request and open its answer; say nothing about it but method, template, status, time and id."""
        started = time.perf_counter()
        name = f"{method} {path}"
        telemetry.API_CALLS.labels(name).inc()
        trouble: str | None = None
        response: httpx.Response | None = None
        try:
            request = httpx.Request(method, _parsed(url), headers=headers, content=content, extensions=_NO_TIMEOUTS)
            async with asyncio.timeout(self._timeout):
                response = await self._exchange(request)
        except TimeoutError:
            trouble = "timeout"
        except _NETWORK as error:
            trouble = type(error).__name__
        milliseconds = round(1000 * (time.perf_counter() - started))
        if response is None:  # raised here and not above, so that no request with its key hangs on the error
            log.debug("clearstreet.call", method=method, path=path, trouble=trouble, ms=milliseconds)
            telemetry.API_ERRORS.labels(name, trouble).inc()
            raise Unavailable
        outcome = self._open(response, key)
        log.debug(
            "clearstreet.call",
            method=method,
            path=path,
            status=response.status_code,
            ms=milliseconds,
            request_id=outcome.request_id,
        )
        if isinstance(outcome, ClearStreetError):
            telemetry.API_ERRORS.labels(name, str(response.status_code)).inc()
            raise outcome
        return outcome

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        # Without httpx's client: its cookies, redirects and logins are not wanted, and cost half as much as the call.
        if self._closed:
            raise RuntimeError("closed")  # else the carrier would open a new session
        response = await self._carrier.handle_async_request(request)
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response

    def _open(self, response: httpx.Response, key: str) -> Answer | ClearStreetError:
        status = response.status_code
        header_id = response.headers.get("x-request-id")
        if 200 <= status < 300:
            return open_envelope(status, response.content, header_id=header_id)
        asked = parse_retry_after(response.headers.get("retry-after"), datetime.now(UTC))
        if status == 429:
            asked = DEFAULT_RETRY_AFTER if asked is None else asked
        if asked and status in (429, 503):
            self._pacer.close(key, asked)
        return error_of(status, response.content, retry_after=asked or 0.0, header_id=header_id)

    def _url(self, path: str, ids: Mapping[str, str], query: Mapping[str, str | int | None]) -> str:
        filled = path.format(**{name: _segment(value) for name, value in ids.items()}) if ids else path
        given = {name: value for name, value in query.items() if value is not None}
        return f"{self._base}{filled}?{urlencode(given)}" if given else f"{self._base}{filled}"


def _segment(value: str) -> str:
    """An id as one step of a path, whatever it is made of."""
    if _PLAIN_ID.fullmatch(value):
        return value
    if not value.strip("."):
        raise NotFound  # nothing, `.` and `..` would lead to another endpoint
    return quote(value, safe="")


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _headers(key: str, content: bytes | None, idempotency_key: str | None) -> Headers:
    headers = [*_ALWAYS, ("Authorization", f"Bearer {key}")]
    if content is not None:
        headers.append(("Content-Type", "application/json"))
    if idempotency_key is not None:
        headers.append(("Idempotency-Key", idempotency_key))
    return headers


#: The same few responses are polled again and again.
_parsed = lru_cache(maxsize=4_096)(httpx.URL)


def _carrier(base: str) -> httpx.AsyncBaseTransport:
    """httpx on aiohttp, without cookies: one person's must not travel with another's key."""
    plain = base.lower().startswith("http://")  # the emulator: spares loading the certificates
    context = httpx.create_ssl_context(verify=not plain)

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS, ssl=context)
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        # aiohttp sends a GET or DELETE again by itself when a kept connection turns out dead; a DELETE must not be.
        session._retry_connection = False
        return session

    return AiohttpTransport(verify=context, client=session)
