"""Who left, and what changed about people and channels.

The keys of those who left are forgotten; until that is done Slack gets no ack. What is remembered of whoever changed,
and of a channel that somebody joined or left or whose kind changed, is asked anew.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from omnibot.slack.authorization.service import Authorization
from omnibot.slack.features.api_keys import ApiKeyActions
from omnibot.slack.inbound.messages import acting_org
from omnibot.slack.inbound.payloads import TokensRevoked, UserChanged
from omnibot.turns.model import Person

#: After these a channel's readers may be others.
CHANNEL_EVENTS = ("member_joined_channel", "member_left_channel", "channel_shared", "channel_unshared")


def register(app: AsyncApp, desk: ApiKeyActions, access: Authorization) -> None:
    """Register the listeners of departures."""

    async def handle_uninstalled() -> None:
        """The app is gone from the workspace."""
        await desk.forget_everybody()

    async def handle_revoked(event: dict[str, Any]) -> None:
        """So is a bot without its token; tokens of people are none of ours."""
        try:
            revoked = TokensRevoked.model_validate(event)
        except ValidationError:
            return
        if revoked.tokens.bot:
            await desk.forget_everybody()

    async def handle_user_change(event: dict[str, Any], context: AsyncBoltContext) -> None:
        """Somebody's profile changed: their role counts at once, and the key of who was deactivated is forgotten."""
        try:
            user = UserChanged.model_validate(event).user
        except ValidationError:
            return
        access.forget_user(user.id)
        if user.deleted:
            enterprise = user.enterprise_user.enterprise_id if user.enterprise_user is not None else None
            team = acting_org(
                context.team_id or "", context.enterprise_id, acting_team=user.team_id, acting_enterprise=None
            )
            await desk.forget_person(Person(enterprise or team, user.id))

    app.event("app_uninstalled")(handle_uninstalled)
    app.event("tokens_revoked")(handle_revoked)
    app.event("user_change")(handle_user_change)
    _follow_channels(app, access)


def _follow_channels(app: AsyncApp, access: Authorization) -> None:
    async def handle_channel(event: dict[str, Any]) -> None:
        """Somebody joined or left, or another company came or went."""
        if isinstance(channel := event.get("channel"), str):
            access.forget_channel(channel)

    for name in CHANNEL_EVENTS:
        app.event(name)(handle_channel)
