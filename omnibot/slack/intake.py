"""From a Slack message event to what omnibot does about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from omnibot.slack.events import MessageEvent, Said
from omnibot.slack.question import mentions_bot, starts_with_other_mention
from omnibot.turns.model import Kind, NewTurn, Person, Surface


@dataclass(frozen=True, slots=True)
class Accept:
    """Store a turn; a follow-up only if its author already takes part in the thread."""

    turn: NewTurn
    only_if_participant: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """A message was edited: a turn that still waits asks the new words."""

    source_key: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A message was deleted: a turn that still waits is dropped."""

    source_key: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """Not for us."""


Intake = Accept | Edit | Withdraw | Ignore

#: Subtypes that are somebody's words like any other message.
_WORDS = frozenset({None, "file_share", "thread_broadcast"})


def intake(
    payload: Mapping[str, Any], *, bot_user_id: str, team: str, enterprise: str | None, actor_org: str | None
) -> Intake:
    """Decide about one `message` or `app_mention` event.

    Args:
        payload: the `event` of the envelope.
        bot_user_id: omnibot's own user.
        team: the installed workspace.
        enterprise: its enterprise, if it is part of one.
        actor_org: enterprise or team of the acting user, where Slack's envelope says it.
    """
    try:
        event = MessageEvent.model_validate(payload)
    except ValidationError:
        return Ignore()
    if event.subtype == "message_changed":
        return _changed(event, bot_user_id)
    if event.subtype == "message_deleted":
        return Withdraw(source_key(event.channel, event.deleted_ts)) if event.deleted_ts else Ignore()
    if event.subtype not in _WORDS or not _by_a_person(event, bot_user_id):
        return Ignore()
    return _question(event, bot_user_id, team, actor_org or enterprise or event.user_team or event.team or team)


def source_key(channel: str, ts: str) -> str:
    """One key per post, however many events Slack sends about it."""
    return f"message:{channel}:{ts}"


def _question(event: MessageEvent, bot_user_id: str, team: str, org: str) -> Intake:
    surface = _surface(event, bot_user_id)
    if surface is None:
        return Ignore()
    turn = NewTurn(
        source_key=source_key(event.channel, event.ts),
        surface=surface,
        kind=Kind.INSTANT,
        team=team,
        person=Person(org, event.user or ""),
        channel=event.channel,
        thread_ts=event.thread_ts or event.ts,
        message_ts=event.ts,
        event=kept(event),
    )
    return Accept(turn, only_if_participant=surface is Surface.FOLLOW_UP)


def _surface(event: MessageEvent, bot_user_id: str) -> Surface | None:
    if event.channel_type == "im" or event.channel.startswith("D"):
        return Surface.DM
    if event.type == "app_mention" or mentions_bot(_plain(event), bot_user_id):
        return Surface.MENTION
    in_thread = event.thread_ts is not None and event.thread_ts != event.ts
    if not in_thread or not event.text.strip() or starts_with_other_mention(_plain(event), bot_user_id):
        return None
    return Surface.FOLLOW_UP


def _changed(event: MessageEvent, bot_user_id: str) -> Intake:
    now = event.message
    if now is None or not _by_a_person(now, bot_user_id):
        # A deleted message that has replies "changes" into a tombstone.
        if now is not None and now.subtype == "tombstone":
            return Withdraw(source_key(event.channel, now.ts))
        return Ignore()
    before = event.previous_message
    if before is not None and before.text == now.text and before.blocks == now.blocks:
        # A link preview appeared, or the thread's counters changed.
        return Ignore()
    return Edit(source_key(event.channel, now.ts), kept(now))


def _by_a_person(said: Said, bot_user_id: str) -> bool:
    return bool(said.user) and said.bot_id is None and said.user not in (bot_user_id, "USLACKBOT")


def kept(said: Said) -> dict[str, Any]:
    """What of a message is stored: what the question is read from, and no more."""
    return {"text": said.text, "blocks": said.blocks, "files": len(said.files)}


def _plain(said: Said) -> dict[str, Any]:
    return {"text": said.text, "blocks": said.blocks}
