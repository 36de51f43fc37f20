"""`message` and `app_mention`: questions, edits and deletions."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from omnibot import telemetry
from omnibot.policy.model import FollowUps
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.delivery.background import Background
from omnibot.slack.inbound.messages import Accept, Edit, Ignore, Withdraw, intake, overtaken
from omnibot.turns.engine import Turns

#: Seconds before each further try to place a follow-up whose thread's first question has not come yet.
LATER = (1.0, 3.0, 8.0)
#: What Slack says in a channel when its readers become others; that it became public is told in no other way.
READERS_CHANGED = (
    "channel_convert_to_private",
    "channel_convert_to_public",
    "channel_join",
    "channel_leave",
    "group_join",
    "group_leave",
)


def register(app: AsyncApp, turns: Turns, background: Background, access: Authorization, *, bot_user_id: str) -> None:
    """Register the message listeners."""

    async def handle_message(event: dict[str, Any], context: AsyncBoltContext) -> None:
        """Make it durable; Bolt acks when this returns, and does not when it raises."""
        _notice(event, access)
        decided = intake(
            event,
            bot_user_id=bot_user_id,
            team=context.team_id or "",
            enterprise=context.enterprise_id,
            actor_org=context.actor_enterprise_id or context.actor_team_id,
        )
        happened = str(event.get("event_ts") or event.get("ts") or "")
        mentions_only = access.policy.channels.follow_ups is FollowUps.MENTION
        match decided:
            case Accept(only_if_participant=True) if mentions_only:
                return
            case Edit(key, kept, edited_ts, Accept(only_if_participant=True)) if mentions_only:
                await turns.edit(key, kept, edited_ts)
            case Accept():
                await _accept(decided, turns, background, happened)
            case Edit(key, kept, edited_ts, instead):
                if not await turns.edit(key, kept, edited_ts) and instead is not None:
                    await _store(instead, turns, happened)
            case Withdraw(key, instead):
                if not await turns.withdraw(key) and instead is not None:
                    await turns.accept(instead.turn)
            case Ignore():
                return

    app.event("message")(handle_message)
    app.event("app_mention")(handle_message)


def _notice(event: dict[str, Any], access: Authorization) -> None:
    """Who reads the channel is asked anew when Slack says in it that they are others now."""
    channel, subtype = event.get("channel"), event.get("subtype")
    if isinstance(channel, str) and isinstance(subtype, str) and subtype in READERS_CHANGED:
        access.forget_channel(channel)


async def _store(accept: Accept, turns: Turns, happened: str) -> bool:
    if not await turns.accept(accept.turn, only_if_participant=accept.only_if_participant):
        return False
    telemetry.observe_delivery("message", happened)
    return True


async def _accept(accept: Accept, turns: Turns, background: Background, happened: str) -> None:
    if await _store(accept, turns, happened) or not accept.only_if_participant:
        return
    if overtaken(accept.turn.message_ts, accept.turn.thread_ts or ""):
        background.start(_accept_later(accept, turns, happened))


async def _accept_later(accept: Accept, turns: Turns, happened: str) -> None:
    """The question that began a young thread may still be on its way: Slack promises no order."""
    for pause in LATER:
        await asyncio.sleep(pause)
        if await _store(accept, turns, happened):
            return
