"""The agent's own Stop, beside Slack's message box."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.slack.background import Background
from omnibot.slack.events import SessionStopped
from omnibot.slack.intake import acting_org
from omnibot.slack.listeners.commands import stopped_words
from omnibot.slack.whispers import whisper
from omnibot.turns.model import Person
from omnibot.turns.service import Turns


def register(app: AsyncApp, turns: Turns, background: Background) -> None:
    """Hang in the listener of Stop."""

    async def handle_stop(event: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient) -> None:
        """Stop what this person asked in the thread before they pressed, and nothing later."""
        try:
            stop = SessionStopped.model_validate(event)
        except ValidationError:
            return
        acting = context.actor_enterprise_id or context.actor_team_id
        org = acting_org(context.team_id or "", context.enterprise_id, acting_team=None, acting_enterprise=acting)
        working, waiting = await turns.stop_thread(
            Person(org, stop.user), stop.channel, stop.thread_ts, until_ts=stop.event_ts
        )
        if waiting or not working:
            words = stopped_words(working, waiting) if working or waiting else NOT_YOURS
            told = whisper(client, channel=stop.channel, user=stop.user, sentence=words, thread_ts=stop.thread_ts)
            background.start(told)

    app.event("agent_session_stopped")(handle_stop)


NOT_YOURS = "None of your questions is being answered here, so there was nothing of yours to stop."
