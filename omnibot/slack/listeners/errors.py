"""What is left: events omnibot does not act on are acked, and what broke is said."""

from __future__ import annotations

import secrets
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.slack.delivery.background import Background
from omnibot.slack.listeners.buttons import tell

log = structlog.get_logger(__name__)


def register(app: AsyncApp, background: Background) -> None:
    """Register the one error handler."""

    async def handle_error(error: Exception, body: dict[str, Any], client: AsyncWebClient) -> BoltResponse:
        """Events that failed are not acked: Slack delivers them again. Commands and clicks are not: say so."""
        if isinstance(error, BoltUnhandledRequestError):
            # Nothing of ours: ack, so that Slack neither repeats it nor thinks us broken.
            return BoltResponse(status=200, body="")
        reference = secrets.token_hex(4)
        log.error("listener_failed", reference=reference, kind=body.get("type"), exc_info=error)
        sentence = f"Sorry, that did not work, and nothing was done. Please try again. (reference {reference})"
        if "command" in body:
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
        if "actions" in body:
            background.start(tell(client, body, sentence))
            return BoltResponse(status=200, body="")
        return BoltResponse(status=500, body="")

    app.error(handle_error)
