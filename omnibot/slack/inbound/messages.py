"""From a Slack message event to what omnibot does about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from omnibot.accounts.key_detection import holds_key, linking_slip, strings
from omnibot.slack.inbound.payloads import MessageEvent, SlackMessage
from omnibot.slack.inbound.text import KEY, REFUSED, mentions_bot, question_words, starts_with_other_mention
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
    edited_ts: str
    #: To be stored if the message itself has not come yet: Slack promises no order.
    instead: Accept | None = None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A message was deleted: a turn that still waits is dropped."""

    source_key: str
    #: To be stored if the message itself has not come yet, so that it comes to nothing.
    instead: Accept | None = None


@dataclass(frozen=True, slots=True)
class Ignore:
    """Not for us."""


Intake = Accept | Edit | Withdraw | Ignore

#: Subtypes that are somebody's words like any other message.
_WORDS = frozenset({None, "file_share", "thread_broadcast"})

#: Seconds within which a deletion or edit may overtake its message.
OVERTAKING = 600.0


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
    whose = _Whose(bot_user_id, team, enterprise, actor_org)
    if event.subtype == "message_changed":
        return _changed(event, whose)
    if event.subtype == "message_deleted":
        return _withdraw(event, event.deleted_ts, whose) if event.deleted_ts else Ignore()
    if event.subtype not in _WORDS or not _by_a_person(event, bot_user_id):
        return Ignore()
    return _question(event, whose)


@dataclass(frozen=True, slots=True)
class _Whose:
    """Who we are, and what the envelope says of who acts."""

    bot: str
    team: str
    enterprise: str | None
    actor_org: str | None

    def org(self, said: SlackMessage) -> str:
        return acting_org(
            self.team, self.enterprise, acting_team=said.user_team or said.team, acting_enterprise=self.actor_org
        )


def acting_org(team: str, enterprise: str | None, *, acting_team: str | None, acting_enterprise: str | None) -> str:
    """A person's enterprise, or else team: of the acting user, never of the installed workspace.

    Args:
        team: the installed workspace, and
        enterprise: its enterprise.
        acting_team: the acting user's team, where the payload says it.
        acting_enterprise: their enterprise or team, where the envelope says it.
    """
    if acting_team and acting_team not in (team, enterprise):
        return acting_team
    if acting_enterprise and acting_enterprise != team:
        return acting_enterprise
    return enterprise or team


def source_key(channel: str, ts: str) -> str:
    """One key per post, however many events Slack sends about it."""
    return f"message:{channel}:{ts}"


def _question(event: MessageEvent, whose: _Whose) -> Accept | Ignore:
    surface = _surface(event, whose.bot)
    if surface is None:
        return Ignore()
    turn = NewTurn(
        source_key=source_key(event.channel, event.ts),
        surface=surface,
        kind=Kind.INSTANT,
        team=whose.team,
        person=Person(whose.org(event), event.user or ""),
        channel=event.channel,
        thread_ts=event.thread_ts or event.ts,
        message_ts=event.ts,
        event=kept(event),
        edited_ts=event.edited_ts,
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


def _changed(event: MessageEvent, whose: _Whose) -> Intake:
    now = event.message
    if now is None or not _by_a_person(now, whose.bot):
        # A deleted message that has replies "changes" into a tombstone.
        if now is not None and now.subtype == "tombstone":
            return _withdraw(event, now.ts, whose)
        return Ignore()
    if now.subtype not in _WORDS:
        return Ignore()
    before = event.previous_message
    if before is not None and before.text == now.text and before.blocks == now.blocks:
        # A link preview appeared, or the thread's counters changed.
        return Ignore()
    as_message = event.model_copy(
        update={
            **{name: getattr(now, name) for name in SlackMessage.model_fields},
            "message": None,
            "previous_message": None,
        }
    )
    words = kept(now)
    slipped = words.get(REFUSED) == KEY
    question = _question(as_message, whose) if slipped or overtaken(event.ts, now.ts) else Ignore()
    instead = question if isinstance(question, Accept) else None
    if instead is not None and slipped:
        # Whoever edits a key into an answered message has to hear of it too.
        instead = replace(instead, turn=replace(instead.turn, source_key=f"{instead.turn.source_key}:{KEY}"))
    return Edit(source_key(event.channel, now.ts), words, now.edited_ts or event.ts, instead)


def _withdraw(event: MessageEvent, ts: str, whose: _Whose) -> Withdraw:
    key = source_key(event.channel, ts)
    if not overtaken(event.ts, ts):
        return Withdraw(key)
    said = event.previous_message or event
    empty = {"text": "", "blocks": [], "files": 0}
    turn = NewTurn(
        source_key=key,
        surface=Surface.DM if event.channel.startswith("D") else Surface.MENTION,
        kind=Kind.INSTANT,
        team=whose.team,
        person=Person(whose.org(said), said.user or ""),
        channel=event.channel,
        thread_ts=said.thread_ts or ts,
        message_ts=ts,
        event=empty,
        withdrawn=True,
    )
    # Only what would have been a question leaves a trace.
    words = said is event or said.subtype in _WORDS
    asked = words and (event.channel.startswith("D") or mentions_bot(_plain(said), whose.bot))
    return Withdraw(key, Accept(turn) if asked else None)


def overtaken(now: str, ts: str) -> bool:
    """Whether what happened at `now` may have arrived before what was said at `ts`."""
    try:
        return float(now) - float(ts) < OVERTAKING
    except ValueError:
        return False


def _by_a_person(said: SlackMessage, bot_user_id: str) -> bool:
    return bool(said.user) and said.bot_id is None and said.user not in (bot_user_id, "USLACKBOT")


def kept(said: SlackMessage) -> dict[str, Any]:
    """What of a message is stored: what the question is read from, and no more. Of one that holds a key, nothing."""
    if linking_slip(question_words(said.text)) or any(map(holds_key, (said.text, *strings(said.blocks)))):
        return {"text": "", "blocks": [], "files": len(said.files), REFUSED: KEY}
    return {"text": said.text, "blocks": said.blocks, "files": len(said.files)}


def _plain(said: SlackMessage) -> dict[str, Any]:
    return {"text": said.text, "blocks": said.blocks}
