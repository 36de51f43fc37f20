"""Delivery over HTTP: signed requests to the app's Request URL, as Slack sends them when Socket Mode is off."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from omnibot_sandbox.slack.socket_mode import Ack
from omnibot_sandbox.slack.workspace import JSON

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Delivery:
    """One request to the app, and what came of it."""

    #: As Socket Mode calls it (events_api, interactive, slash_commands), or url_verification.
    kind: str
    payload: JSON
    retry_num: int = 0
    #: Why the attempt before failed.
    retry_reason: str = ""
    at: float = field(default_factory=time.time)
    seconds: float | None = None
    #: HTTP status of the app's answer, and the answer; None: there was none.
    status: int | None = None
    body: str | None = None
    #: Why this attempt failed: http_timeout, http_error or connection_failed.
    error: str = ""
    #: The app asked not to be sent this again.
    no_retry: bool = False


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What X-Slack-Signature says."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


class HttpDelivery:
    """The app's Request URL: events in JSON with up to three retries, clicks and commands as forms, once."""

    def __init__(
        self,
        url: str,
        signing_secret: str,
        *,
        timeout: float,
        redeliver_after: tuple[float, ...],
        log: list[Delivery],
        on_change: Callable[[JSON], None],
    ) -> None:
        self.url = url
        self.signing_secret = signing_secret
        self.timeout = timeout
        self.redeliver_after = redeliver_after
        self.log = log
        self._on_change = on_change
        # A connection for each request: one that was kept would break when the app is started anew.
        connector = aiohttp.TCPConnector(force_close=True)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), connector=connector)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def deliver(self, payload: JSON) -> None:
        """Deliver an event, again and again until it is acknowledged or given up."""
        if not self._closed:
            task = asyncio.create_task(self._deliver(payload))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def request(self, kind: str, payload: JSON) -> Ack:
        """Deliver a click or command once, and wait for the app's answer."""
        form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        delivery = await self._post(Delivery(kind, payload), urlencode(form).encode(), _FORM)
        return Ack(acked=not delivery.error, payload=None if delivery.error else _answer(delivery.body or ""))

    async def verify_url(self) -> bool:
        """Send the challenge that Slack sends when a Request URL is entered; True when it comes back."""
        challenge = secrets.token_hex(26)
        payload = {"token": "verification-token", "challenge": challenge, "type": "url_verification"}
        delivery = await self._post(Delivery("url_verification", payload), json.dumps(payload).encode(), _JSON)
        body = (delivery.body or "").strip()
        answer = _answer(body)
        said = answer.get("challenge") if isinstance(answer, dict) else None
        return not delivery.error and challenge in (body, body.removeprefix("challenge="), said)

    async def close(self) -> None:
        """Forget what is on its way."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()

    async def _deliver(self, payload: JSON) -> None:
        reason = ""
        body = json.dumps(payload).encode()
        for attempt, pause in enumerate((0.0, *self.redeliver_after)):
            await asyncio.sleep(pause)
            delivery = await self._post(Delivery("events_api", payload, attempt, reason), body, _JSON)
            if not delivery.error or delivery.no_retry:
                return
            reason = delivery.error

    async def _post(self, delivery: Delivery, body: bytes, content_type: str) -> Delivery:
        self.log.append(delivery)
        start = time.monotonic()
        try:
            # Not wait_for: until Python 3.12 it may lose the cancellation that ends a delivery.
            async with asyncio.timeout(self.timeout):
                await self._exchange(delivery, body, content_type)
        except TimeoutError:
            delivery.error = "http_timeout"
        except aiohttp.ClientError:
            delivery.error = "connection_failed"
        delivery.seconds = time.monotonic() - start
        change = {"type": "delivery", "kind": delivery.kind, "status": delivery.status, "error": delivery.error}
        self._on_change(change)
        return delivery

    async def _exchange(self, delivery: Delivery, body: bytes, content_type: str) -> None:
        now = str(int(time.time()))
        headers = {
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": signature(self.signing_secret, now, body),
        }
        if delivery.retry_num:
            headers["X-Slack-Retry-Num"] = str(delivery.retry_num)
            headers["X-Slack-Retry-Reason"] = delivery.retry_reason
        async with self._session.post(self.url, data=body, headers=headers, allow_redirects=False) as answer:
            text = await answer.text(errors="replace")
            delivery.status, delivery.body = answer.status, text
            if not 200 <= answer.status < 300:
                delivery.error = "http_error"
                delivery.no_retry = answer.headers.get("X-Slack-No-Retry") == "1"


def _answer(body: str) -> Any:
    """The payload of an answer: JSON, or a text that stands for a message."""
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError:
        return {"text": body}
