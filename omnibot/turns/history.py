"""Conversations that somebody began: listed, and moved to another Slack thread."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, insert, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Place
from omnibot.db.engine import Database
from omnibot.db.tables import OPEN_STATES, account_choices, conversations, turns
from omnibot.turns.model import Kind, Person, Surface, Turn, TurnState
from omnibot.turns.rows import read_turn, utcnow

#: Made once: an alias of a wide table costs more than the statement it stands in.
_FIRST, _EARLIER = turns.alias("first"), turns.alias("earlier")


@dataclass(frozen=True, slots=True)
class PastConversation:
    """A conversation, as whoever began it finds it again."""

    id: str
    team: str
    #: The Slack thread in which it goes on.
    channel: str
    thread_ts: str
    principal: str
    account_id: int | None
    #: None: Omni never got its question, so there is nothing to continue.
    omni_thread_id: str | None
    #: What it began with; None once that is older than the retention.
    question: str | None
    #: UTC, without zone.
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer."""

    question: str
    #: Markdown, as Omni wrote it.
    answer: str


class History:
    """What people began, in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def began(
        self, person: Person, principal: str, *, team: str, limit: int, skip: int = 0
    ) -> list[PastConversation]:
        """The conversations this person began in a workspace under this principal, the latest first."""
        query = _began(person, principal, team).order_by(_FIRST.c.created_at.desc(), _FIRST.c.id.desc())
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query.limit(limit).offset(skip))).mappings().all()
        return [_read(row) for row in rows]

    async def find(self, conversation_id: str, person: Person, principal: str, *, team: str) -> PastConversation | None:
        """One of those; None when it is none of theirs."""
        query = _began(person, principal, team).where(conversations.c.id == conversation_id)
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).mappings().first()
        return _read(row) if row is not None else None

    async def last_answered(self, conversation_id: str) -> Turn | None:
        """The newest turn of a conversation whose question and answer are still kept."""
        query = (
            select(turns)
            .where(
                turns.c.conversation_id == conversation_id,
                turns.c.kind != Kind.ACTION.value,
                turns.c.state == TurnState.SUCCEEDED.value,
                turns.c.question.is_not(None),
            )
            .order_by(turns.c.message_ts.desc(), turns.c.id.desc())
            .limit(1)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).mappings().first()
        return read_turn(row) if row is not None else None

    async def busy(self, conversation_id: str) -> bool:
        """Whether a question of that conversation is being answered, or waits."""
        query = select(literal(1)).where(_open_in(conversation_id)).limit(1)
        async with self._database.transaction() as connection:
            return (await connection.execute(query)).first() is not None

    async def move(self, past: PastConversation, person: Person, *, channel: str, thread_ts: str) -> bool:
        """Let a conversation go on in another Slack thread, and this person take part there.

        Its old thread begins a new Omni thread with its next question, which says so.

        Returns:
            False: it is not where it was any more, or a question of it is being answered.
        """
        now = utcnow()
        there = (
            update(conversations)
            .where(
                conversations.c.id == past.id,
                conversations.c.channel == past.channel,
                conversations.c.thread_ts == past.thread_ts,
                conversations.c.omni_thread_id == past.omni_thread_id,
                ~exists(select(literal(1)).where(_open_in(past.id))),
            )
            .values(channel=channel, thread_ts=thread_ts)
            .returning(conversations.c.id)
        )
        #: A turn that is over: whoever has one in a thread needs no mention there.
        part = {
            "id": secrets.token_hex(12),
            "source_key": _continued(channel, thread_ts),
            "surface": Surface.PRESS.value,
            "kind": Kind.INSTANT.value,
            "team": past.team,
            "org": person.org,
            "user": person.user,
            "channel": channel,
            "thread_ts": thread_ts,
            "message_ts": thread_ts,
            "event": {},
            "state": TurnState.SUCCEEDED.value,
            "conversation_id": past.id,
            "submissions": 0,
            "edits": 0,
            "queue_said": False,
            "notices": [],
            "due_at": now,
            "created_at": now,
            "ended_at": now,
        }
        async with self._database.transaction() as connection:
            if (await connection.execute(there)).first() is None:
                return False
            await connection.execute(insert(turns).values(**part))
        return True


async def went_elsewhere(connection: AsyncConnection, key: Mapping[str, Any]) -> bool:
    """Whether an earlier conversation in a Slack thread goes on in another thread by now.

    Args:
        connection: of the transaction.
        key: `team`, `channel`, `thread_ts` and `principal`.
    """
    talk = conversations.c
    query = (
        select(literal(1))
        .select_from(turns.join(conversations, talk.id == turns.c.conversation_id))
        .where(
            turns.c.channel == key["channel"],
            turns.c.thread_ts == key["thread_ts"],
            talk.team == key["team"],
            talk.principal == key["principal"],
            or_(talk.channel != key["channel"], talk.thread_ts != key["thread_ts"]),
        )
        .limit(1)
    )
    return (await connection.execute(query)).first() is not None


async def continued_without_account(connection: AsyncConnection, person: Person, principal: str, place: Place) -> bool:
    """Whether a conversation that is about no account was taken to this thread, and no account was chosen there."""
    talk, choice = conversations.c, account_choices.c
    chosen = exists(
        select(literal(1)).where(
            choice.org == person.org,
            choice.user == person.user,
            choice.principal == principal,
            choice.channel == place.channel,
            choice.thread_ts == place.thread_ts,
        )
    )
    query = (
        select(literal(1))
        .select_from(turns.join(conversations, talk.id == turns.c.conversation_id))
        .where(
            turns.c.source_key == _continued(place.channel, place.thread_ts),
            talk.team == place.team,
            talk.channel == place.channel,
            talk.thread_ts == place.thread_ts,
            talk.principal == principal,
            talk.account_id == 0,
            ~chosen,
        )
    )
    return (await connection.execute(query)).first() is not None


def _continued(channel: str, thread_ts: str) -> str:
    """The source key of the turn that lets a person take part where a conversation goes on."""
    return f"continued:{channel}:{thread_ts}"


def _began(person: Person, principal: str, team: str) -> Select[Any]:
    """Whose first question a conversation holds began it."""
    first, earlier = _FIRST.c, _EARLIER.c
    before = exists(
        select(literal(1)).where(
            earlier.conversation_id == first.conversation_id,
            tuple_(earlier.message_ts, earlier.id) < tuple_(first.message_ts, first.id),
        )
    )
    return (
        select(conversations, first.question.label("first_question"), first.created_at.label("begun_at"))
        .select_from(_FIRST.join(conversations, conversations.c.id == first.conversation_id))
        .where(
            first.org == person.org,
            first.user == person.user,
            conversations.c.principal == principal,
            conversations.c.team == team,
            ~before,
        )
    )


def _open_in(conversation_id: str) -> ColumnElement[bool]:
    return and_(turns.c.conversation_id == conversation_id, turns.c.state.in_(OPEN_STATES))


def _read(row: Mapping[Any, Any]) -> PastConversation:
    return PastConversation(
        id=row["id"],
        team=row["team"],
        channel=row["channel"],
        thread_ts=row["thread_ts"],
        principal=row["principal"],
        account_id=row["account_id"] or None,
        omni_thread_id=row["omni_thread_id"],
        question=row["first_question"],
        begun_at=row["begun_at"],
    )
