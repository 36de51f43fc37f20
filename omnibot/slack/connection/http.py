"""Slack over HTTP: the signature first, then our own parsing, then Bolt.

Bolt parses before it verifies, answers a rubbish timestamp with a 500, and reads a slash command whose text holds the
word "payload" as empty. So it gets what is already verified and parsed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from omnibot.telemetry import Sparingly

_sparingly = Sparingly(structlog.get_logger(__name__))


class EventsEndpoint:
    """`POST /slack/events`: events, interactivity and commands, signed by Slack."""

    def __init__(self, app: AsyncApp, signing_secret: str) -> None:
        self._app = app
        self._verifier = SignatureVerifier(signing_secret)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one delivery; what Slack did not sign, or cannot be read, gets a 4xx and reaches nothing."""
        body = await request.read()
        if not self._signed(request.headers, body):
            _sparingly.warning("slack_request_refused", reason="signature")
            return web.json_response({"error": "invalid signature"}, status=401)
        payload = read_body(body, request.content_type)
        if payload is None:
            _sparingly.warning("slack_request_refused", reason="body")
            return web.json_response({"error": "unreadable body"}, status=400)
        # The mode under which Bolt takes a parsed body; it checks nothing more then, and nothing is left to check.
        headers: dict[str, Any] = dict(request.headers)
        bolt_request = AsyncBoltRequest(mode="socket_mode", body=payload, headers=headers)
        return await to_aiohttp_response(await self._app.async_dispatch(bolt_request))

    def _signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        signature = headers.get("X-Slack-Signature", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 20 and signature.isascii()):
            return False
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError:
            return False


def read_body(body: bytes, content_type: str) -> dict[str, Any] | None:
    """The payload of a delivery: JSON for events, a form (with JSON in `payload` for interactivity) for the rest."""
    try:
        text = body.decode()
        if content_type == "application/json":
            value = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True))
            value = json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value else None
