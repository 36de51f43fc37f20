"""`message` and `app_mention`: questions, edits and deletions."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from omnibot.slack.intake import Accept, Edit, Ignore, Withdraw, intake
from omnibot.turns.service import Turns


def register(app: AsyncApp, turns: Turns, *, bot_user_id: str) -> None:
    """Hang in the message listeners."""

    async def handle_message(event: dict[str, Any], context: AsyncBoltContext) -> None:
        """Make it durable; Bolt acks when this returns, and does not when it raises."""
        decided = intake(
            event,
            bot_user_id=bot_user_id,
            team=context.team_id or "",
            enterprise=context.enterprise_id,
            actor_org=context.actor_enterprise_id or context.actor_team_id,
        )
        match decided:
            case Accept(turn, only_if_participant):
                await turns.accept(turn, only_if_participant=only_if_participant)
            case Edit(key, kept, edited_ts, instead):
                if not await turns.edit(key, kept, edited_ts) and instead is not None:
                    await turns.accept(instead.turn, only_if_participant=instead.only_if_participant)
            case Withdraw(key, instead):
                if not await turns.withdraw(key) and instead is not None:
                    await turns.accept(instead.turn)
            case Ignore():
                return

    app.event("message")(handle_message)
    app.event("app_mention")(handle_message)
