"""Where trouble is said that somebody should look at: the operator's channel, and the log."""

from __future__ import annotations

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.parts import escaped_parts
from omnibot.slack.failures import SLACK_ERRORS, judge

log = structlog.get_logger(__name__)


class Ops:
    """Tells the operators.

    Args:
        client: Slack.
        channel: what OMNIBOT_OPS_CHANNEL says; None: the log has to do.
    """

    def __init__(self, client: AsyncWebClient, channel: str | None) -> None:
        self._client = client
        self._channel = channel

    async def say(self, sentence: str) -> None:
        """Say it once, as far as Slack takes it; it is logged in any case."""
        log.error("trouble", said=sentence)
        if self._channel is None:
            return
        for part in escaped_parts(sentence):
            try:
                await self._client.chat_postMessage(
                    channel=self._channel, text=part, unfurl_links=False, unfurl_media=False
                )
            except SLACK_ERRORS as error:
                log.error("ops_channel_refused", error=judge(error).code)
                return
