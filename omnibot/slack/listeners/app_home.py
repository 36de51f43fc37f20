"""App Home: somebody opens it, or presses an example in it."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from omnibot import telemetry
from omnibot.blocks.home import EXAMPLE_ACTION, EXAMPLES
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.features.app_home import AppHome
from omnibot.slack.inbound.messages import acting_org
from omnibot.slack.inbound.payloads import SlackClick
from omnibot.slack.listeners.buttons import who
from omnibot.slack.listeners.commands import now_ts
from omnibot.turns.engine import Turns
from omnibot.turns.model import Kind, NewTurn, Person, Surface


def register(app: AsyncApp, turns: Turns, access: Authorization, home: AppHome) -> None:
    """Register the listeners of App Home."""

    async def handle_opened(event: dict[str, Any], context: AsyncBoltContext) -> None:
        """Show what is true now, unless that is what Slack shows already."""
        user = event.get("user")
        if event.get("tab") != "home" or not isinstance(user, str):
            return
        acting = context.actor_enterprise_id or context.actor_team_id
        org = acting_org(context.team_id or "", context.enterprise_id, acting_team=None, acting_enterprise=acting)
        view = event.get("view")
        mark = view.get("private_metadata") if isinstance(view, dict) else None
        home.opened(Person(org, user), mark if isinstance(mark, str) else None)

    async def handle_example(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Ask it as the person who pressed; the answer goes to their DM."""
        click = SlackClick.model_validate(body)
        team, person = who(click)
        number = str(action.get("value") or "")
        if not number.isdecimal() or int(number) >= len(EXAMPLES):
            await ack()  # of an older version
            return
        ts = now_ts()
        turn = NewTurn(
            source_key=f"home:{click.trigger_id}",
            surface=Surface.PRIVATE,
            kind=Kind.INSTANT,
            team=team,
            person=person,
            channel=await access.direct(person),
            thread_ts=None,
            message_ts=ts,
            event={},
            question=EXAMPLES[int(number)],
        )
        if await turns.accept(turn):
            telemetry.observe_delivery("click", ts)
        await ack()

    app.event("app_home_opened")(handle_opened)
    app.action(re.compile(rf"^{EXAMPLE_ACTION}:"))(handle_example)
