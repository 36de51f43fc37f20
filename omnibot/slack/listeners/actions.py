"""Clicks on buttons below answers."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from omnibot import telemetry
from omnibot.slack.background import Background
from omnibot.slack.events import Click
from omnibot.slack.intake import acting_org
from omnibot.slack.listeners.commands import now_ts
from omnibot.turns.model import Person, Pressed
from omnibot.turns.service import Turns

_WORDS = {
    Pressed.ALREADY: "You already pressed this: Omni is working on the answer.",
    Pressed.GONE: "This button has expired. Ask the question again in words.",
}


def register(app: AsyncApp, turns: Turns, background: Background) -> None:
    """Hang in the click listener."""

    async def handle_button(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """The clicker's own turn: what follows shows in the thread; where nothing follows, they are told why."""
        click = Click.model_validate(body)
        team = click.team.id if click.team else click.user.team_id or ""
        enterprise = click.enterprise.id if click.enterprise else click.team.enterprise_id if click.team else None
        org = acting_org(team, enterprise, acting_team=click.user.team_id, acting_enterprise=None)
        person = Person(org, click.user.id)
        now = now_ts()
        pressed = await turns.press(str(action.get("value") or ""), team=team, person=person, now_ts=now)
        if pressed is Pressed.TAKEN:
            telemetry.observe_delivery("click", now)
        await ack()
        if pressed is not Pressed.TAKEN:
            background.start(tell(client, body, _WORDS[pressed]))

    app.action(re.compile(r"^omni_button:"))(handle_button)


async def tell(client: AsyncWebClient, body: dict[str, Any], sentence: str) -> None:
    """Say something to the person who clicked, where they clicked."""
    click = Click.model_validate(body)
    if click.channel is None:
        return
    thread_ts = click.message.get("thread_ts") or click.container.get("thread_ts")
    await client.chat_postEphemeral(
        channel=click.channel.id, user=click.user.id, text=sentence, **({"thread_ts": thread_ts} if thread_ts else {})
    )
