"""Thumbs below answers, and the form behind a thumb down."""

from __future__ import annotations

from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.accounts.key_detection import KEY_SEEN, holds_key
from omnibot.blocks.answers.feedback import (
    COMMENT_ACTION,
    COMMENT_BLOCK,
    FEEDBACK_ACTION,
    FEEDBACK_VIEW,
    comment_view,
    read_value,
)
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.delivery.background import Background
from omnibot.slack.errors import SLACK_ERRORS, classify
from omnibot.slack.inbound.payloads import SlackClick, ViewSubmission
from omnibot.slack.listeners.buttons import GONE, refusal, tell, who
from omnibot.turns.engine import Turns

log = structlog.get_logger(__name__)

THANKS = {1: "Thanks: noted as a good answer.", -1: "Thanks: noted as a bad answer."}


def register(app: AsyncApp, turns: Turns, background: Background, access: Authorization) -> None:
    """Register the listeners of thumbs and of their form."""

    async def handle_thumb(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        """The score goes at once; a thumb down asks for words besides."""
        await ack()
        rated = read_value(str(action.get("value") or ""))
        if rated is None:
            background.start(tell(client, body, GONE))
            return
        score, token = rated
        background.start(_rate(turns, access, client, body, token, score))
        if score < 0:
            # At once, for Slack's leave to open a form lasts three seconds.
            background.start(_ask_for_words(client, SlackClick.model_validate(body).trigger_id, token))

    async def handle_words(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """Words about an answer that was rated already."""
        form = ViewSubmission.model_validate(body)
        words = _words(form.view)
        if not words:
            await ack(response_action="errors", errors={COMMENT_BLOCK: "Say in a few words what was wrong."})
            return
        if holds_key(words):
            await ack(response_action="errors", errors={COMMENT_BLOCK: KEY_SEEN})
            return
        await ack()
        token = str(form.view.get("private_metadata") or "")
        background.start(_comment(turns, access, client, form, token, words))

    app.action(FEEDBACK_ACTION)(handle_thumb)
    app.view(FEEDBACK_VIEW)(handle_words)


async def _rate(
    turns: Turns, access: Authorization, client: AsyncWebClient, body: dict[str, Any], token: str, score: int
) -> None:
    team, person = who(SlackClick.model_validate(body))
    trouble = await refusal(access, team, person)
    trouble = trouble or await turns.answer_actions.rate(token, team=team, person=person, score=score, comment=None)
    await tell(client, body, trouble or THANKS[score])


async def _ask_for_words(client: AsyncWebClient, trigger_id: str | None, token: str) -> None:
    try:
        await client.views_open(trigger_id=trigger_id or "", view=comment_view(token))
    except SLACK_ERRORS as error:
        # The score is given all the same.
        log.info("slack_refused", method="views.open", error=classify(error).code)


async def _comment(
    turns: Turns, access: Authorization, client: AsyncWebClient, form: ViewSubmission, token: str, words: str
) -> None:
    team, person = who(form)
    trouble = await refusal(access, team, person)
    trouble = trouble or await turns.answer_actions.rate(token, team=team, person=person, score=-1, comment=words)
    said = trouble or "Thanks: your words went to Clear Street with the answer."
    opened = await client.conversations_open(users=person.user)
    # A modal has no channel for an ephemeral message.
    await client.chat_postMessage(channel=opened["channel"]["id"], text=said, unfurl_links=False, unfurl_media=False)


def _words(view: dict[str, Any]) -> str:
    state: Any = view.get("state")
    for name in ("values", COMMENT_BLOCK, COMMENT_ACTION, "value"):
        state = state.get(name) if isinstance(state, dict) else None
    return state.strip() if isinstance(state, str) else ""
