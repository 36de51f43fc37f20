"""One file per kind of Slack payload; each does one statement, acks, and leaves the rest to the rooms below."""

from __future__ import annotations

from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp

from omnibot.entitlements.service import Consents
from omnibot.slack.access import Access
from omnibot.slack.background import Background
from omnibot.slack.home import Home
from omnibot.slack.key_desk import KeyDesk
from omnibot.slack.listeners import (
    actions,
    commands,
    consent,
    farewells,
    feedback,
    home,
    keys,
    lifecycle,
    messages,
    orders,
    past,
    presses,
    sessions,
)
from omnibot.slack.order_desk import OrderDesk
from omnibot.slack.past import PastConversations
from omnibot.turns.service import Turns


@dataclass(frozen=True, slots=True)
class Rooms:
    """What listeners hand payloads to."""

    turns: Turns
    consents: Consents
    background: Background
    access: Access
    bot_user_id: str
    past: PastConversations
    home: Home
    key_desk: KeyDesk
    order_desk: OrderDesk


def register(app: AsyncApp, rooms: Rooms) -> None:
    """Hang every listener into Bolt; the catch-all last."""
    app.middleware(presses.Presses(rooms.background).handle)
    messages.register(app, rooms.turns, rooms.background, rooms.access, bot_user_id=rooms.bot_user_id)
    about_keys = keys.KeyListeners(rooms.key_desk, rooms.background)
    about_keys.register(app)
    about: dict[str, commands.Command] = {name: about_keys.command for name in keys.COMMANDS}
    about["threads"] = past.command(rooms.past)
    about["consent"] = consent.command(rooms.consents, rooms.background)
    about_orders = orders.OrderListeners(rooms.order_desk, rooms.background, rooms.home)
    about_orders.register(app)
    about |= {name: about_orders.command for name in orders.COMMANDS}
    commands.register(app, rooms.turns, about, rooms.background, bot_user_id=rooms.bot_user_id)
    signing = consent.Signing(rooms.consents, rooms.turns)
    actions.register(
        app,
        rooms.turns,
        rooms.background,
        rooms.access,
        open_consent=signing.open_below,
        open_order=rooms.order_desk.open,
    )
    feedback.register(app, rooms.turns, rooms.background, rooms.access)
    consent.register(app, rooms.consents, signing, rooms.background, rooms.home)
    sessions.register(app, rooms.turns, rooms.background)
    home.register(app, rooms.turns, rooms.access, rooms.home)
    past.register(app, rooms.past, rooms.home, rooms.access, rooms.background)
    farewells.register(app, rooms.key_desk, rooms.access)
    lifecycle.register(app, rooms.background)
