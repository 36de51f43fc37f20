"""Uninstalled, or deactivated: the keys of those who left are forgotten. Until that is done Slack gets no ack."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from omnibot.slack.events import TokensRevoked, UserChanged
from omnibot.slack.intake import acting_org
from omnibot.slack.key_desk import KeyDesk
from omnibot.turns.model import Person


def register(app: AsyncApp, desk: KeyDesk) -> None:
    """Hang in the listeners of departures."""

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
        """Somebody's profile changed; of interest is who was deactivated."""
        try:
            user = UserChanged.model_validate(event).user
        except ValidationError:
            return
        if user.deleted:
            enterprise = user.enterprise_user.enterprise_id if user.enterprise_user is not None else None
            team = acting_org(
                context.team_id or "", context.enterprise_id, acting_team=user.team_id, acting_enterprise=None
            )
            await desk.forget_person(Person(enterprise or team, user.id))

    app.event("app_uninstalled")(handle_uninstalled)
    app.event("tokens_revoked")(handle_revoked)
    app.event("user_change")(handle_user_change)
