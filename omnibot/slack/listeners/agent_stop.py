"""The agent's own Stop, beside Slack's message box, and ours, below an answer that does not stream."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.answers.progress import STOP_ACTION
from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.ephemeral import tell_privately
from omnibot.slack.inbound.messages import acting_org
from omnibot.slack.inbound.payloads import SessionStopped, SlackClick
from omnibot.slack.listeners.buttons import tell, who
from omnibot.slack.listeners.commands import stopped_words
from omnibot.turns.engine import Turns
from omnibot.turns.model import Person, Stopped


def register(app: AsyncApp, turns: Turns, background: Background) -> None:
    """Register the listener of Stop."""

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
            told = tell_privately(
                client, channel=stop.channel, user=stop.user, sentence=words, thread_ts=stop.thread_ts
            )
            background.start(told)

    async def handle_button(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """Stop this one answer; it says so itself where this process writes it."""
        click = SlackClick.model_validate(body)
        _, person = who(click)
        channel = click.channel.id if click.channel else ""
        stopped = await turns.stop_turn(str(action.get("value") or ""), person, channel)
        await ack()
        if stopped is not Stopped.HERE:
            words = stopped_words(1, 0) if stopped is Stopped.ELSEWHERE else NOTHING_HERE
            background.start(tell(client, body, words))

    app.event("agent_session_stopped")(handle_stop)
    app.action(STOP_ACTION)(handle_button)


NOTHING_HERE = "There is nothing to stop: this is not your question, or it has ended, or it is being stopped already."
NOT_YOURS = "None of your questions is being answered here, so there was nothing of yours to stop."
