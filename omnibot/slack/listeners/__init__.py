"""One file per kind of Slack payload; each does one statement, acks, and leaves the rest to the rooms below."""

from __future__ import annotations

from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp

from omnibot.entitlements.service import Consents
from omnibot.slack.background import Background
from omnibot.slack.listeners import actions, commands, consent, feedback, lifecycle, messages, sessions
from omnibot.turns.service import Turns


@dataclass(frozen=True, slots=True)
class Rooms:
    """What listeners hand payloads to."""

    turns: Turns
    consents: Consents
    background: Background
    bot_user_id: str


def register(app: AsyncApp, rooms: Rooms) -> None:
    """Hang every listener into Bolt; the catch-all last."""
    messages.register(app, rooms.turns, rooms.background, bot_user_id=rooms.bot_user_id)
    words: dict[str, commands.Word] = {"consent": consent.Managing(rooms.consents)}
    commands.register(app, rooms.turns, bot_user_id=rooms.bot_user_id, background=rooms.background, words=words)
    signing = consent.Signing(rooms.consents, rooms.turns)
    actions.register(app, rooms.turns, rooms.background, open_consent=signing.open_below)
    feedback.register(app, rooms.turns, rooms.background)
    consent.register(app, rooms.consents, signing, rooms.background)
    sessions.register(app, rooms.turns, rooms.background)
    lifecycle.register(app, rooms.background)
