"""Alerts for operators: to their channel, and to the log."""

from __future__ import annotations

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.layout.builders import escaped_parts, live_mention
from omnibot.slack.errors import SLACK_ERRORS, classify

log = structlog.get_logger(__name__)


class OpsChannel:
    """Tells the operators.

    Args:
        client: Slack.
        channel: what OMNIBOT_OPS_CHANNEL says; None: the log has to do.
    """

    def __init__(self, client: AsyncWebClient, channel: str | None) -> None:
        self._client = client
        self._channel = channel

    async def say(self, sentence: str, *, by: str | None = None) -> None:
        """Say it once, as far as Slack takes it; it is logged in any case.

        Args:
            sentence: what is wrong, and what to do.
            by: the Slack user id of the person it is about.
        """
        log.error("trouble", said=sentence, by=by)
        if self._channel is None:
            return
        about = f"{live_mention(by)}: " if by is not None else ""
        for place, part in enumerate(escaped_parts(sentence)):
            part = part if place else about + part
            try:
                await self._client.chat_postMessage(
                    channel=self._channel, text=part, unfurl_links=False, unfurl_media=False
                )
            except SLACK_ERRORS as error:
                log.error("ops_channel_refused", error=classify(error).code)
                return
