"""Bolt listeners: each parses a payload, calls one service and answers."""

from __future__ import annotations

from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp

from omnibot.consent.service import Consents
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.delivery.background import Background
from omnibot.slack.features.api_keys import ApiKeyActions
from omnibot.slack.features.app_home import AppHome
from omnibot.slack.features.history import ConversationHistory
from omnibot.slack.features.orders import OrderActions
from omnibot.slack.listeners import (
    agent_stop,
    api_keys,
    app_home,
    buttons,
    click_limits,
    commands,
    consent,
    errors,
    feedback,
    history,
    messages,
    orders,
    uninstall,
)
from omnibot.turns.engine import Turns


@dataclass(frozen=True, slots=True)
class Services:
    """What listeners hand payloads to."""

    turns: Turns
    consents: Consents
    background: Background
    access: Authorization
    bot_user_id: str
    conversations: ConversationHistory
    app_home: AppHome
    api_keys: ApiKeyActions
    orders: OrderActions


def register(app: AsyncApp, services: Services) -> None:
    """Register every listener with Bolt, the catch-all last."""
    app.middleware(click_limits.ClickLimits(services.background).handle)
    messages.register(app, services.turns, services.background, services.access, bot_user_id=services.bot_user_id)
    about_keys = api_keys.ApiKeyListeners(services.api_keys, services.background)
    about_keys.register(app)
    about: dict[str, commands.Command] = {name: about_keys.command for name in api_keys.COMMANDS}
    about["threads"] = history.command(services.conversations)
    about["consent"] = consent.command(services.consents, services.background)
    about_orders = orders.OrderListeners(services.orders, services.background, services.app_home)
    about_orders.register(app)
    about |= {name: about_orders.command for name in orders.COMMANDS}
    commands.register(app, services.turns, about, services.background, bot_user_id=services.bot_user_id)
    signing = consent.Signing(services.consents, services.turns)
    buttons.register(
        app,
        services.turns,
        services.background,
        services.access,
        open_consent=signing.open_below,
        open_order=services.orders.open,
    )
    feedback.register(app, services.turns, services.background, services.access)
    consent.register(app, services.consents, signing, services.background, services.app_home)
    agent_stop.register(app, services.turns, services.background)
    app_home.register(app, services.turns, services.access, services.app_home)
    history.register(app, services.conversations, services.app_home, services.access, services.background)
    uninstall.register(app, services.api_keys, services.access)
    errors.register(app, services.background)
