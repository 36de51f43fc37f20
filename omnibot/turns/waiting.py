"""Turns that wait for a person, in SQL: what for, how many, dropped with an unlinked key, resumed after a consent."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person, person_of
from omnibot.consent.model import ConsentState as Consent
from omnibot.db.engine import Database
from omnibot.db.tables import account_choices, consents, links, turns
from omnibot.turns.model import HeldFor, Surface, Turn, TurnState
from omnibot.turns.rows import select_value, utcnow
from omnibot.turns.rules import HOLD

#: Whether the asker of a held turn has linked a key since it is held, or chosen an account that it can be about.
_LINKED_SINCE = exists(
    select(literal(1)).where(
        links.c.org == turns.c.org,
        links.c.user == turns.c.user,
        links.c.broken_at.is_(None),
        links.c.validated_at >= turns.c.held_at,
    )
)
_CHOSEN_SINCE = exists(
    select(literal(1)).where(
        account_choices.c.org == turns.c.org,
        account_choices.c.user == turns.c.user,
        account_choices.c.chosen_at >= turns.c.held_at,
        or_(
            account_choices.c.channel == "",
            and_(account_choices.c.channel == turns.c.channel, account_choices.c.thread_ts == turns.c.thread_ts),
        ),
    )
)
#: Whether the consent that a held turn waits for was given, and whether it is, or can still be.
_GRANTED = exists(
    select(literal(1)).where(consents.c.again_id == turns.c.id, consents.c.state == Consent.GRANTED.value)
)
_OPEN = exists(
    select(literal(1)).where(
        consents.c.again_id == turns.c.id, consents.c.state.not_in([Consent.DECLINED.value, Consent.CLOSED.value])
    )
)
#: What a question that is asked again has in common with the first.
_SAME_QUESTION = (
    "kind",
    "team",
    "org",
    "user",
    "channel",
    "asked_in",
    "asked_thread_ts",
    "thread_ts",
    "event",
    "question",
)
#: What a held turn waits for is there.
READY = or_(
    and_(turns.c.held_for == HeldFor.LINK.value, _LINKED_SINCE),
    # A key with one account chooses that; a key with several does not choose.
    and_(turns.c.held_for == HeldFor.ACCOUNT.value, _CHOSEN_SINCE),
    and_(turns.c.held_for == HeldFor.CONSENT.value, _GRANTED),
)
#: It will never be there.
IN_VAIN = and_(turns.c.held_for == HeldFor.CONSENT.value, ~_OPEN)


async def ask_again_later(connection: AsyncConnection, database: Database, turn: Turn, fresh: Mapping[str, Any]) -> str:
    """The same question by the same person in the same place, held for a consent: once for each turn.

    Args:
        connection: of the transaction that stores the answer which asks for the consent.
        database: whose clock counts.
        turn: the one that was answered.
        fresh: what every new turn begins with.

    Returns:
        The new turn's id.
    """
    again_id = secrets.token_hex(12)
    # What was asked in private stays so.
    surface = turn.surface if turn.surface is Surface.PRIVATE else Surface.PRESS
    row: dict[str, Any] = {
        **{name: turns.c[name] for name in _SAME_QUESTION},
        **fresh,
        "id": again_id,
        "source_key": f"consent:{turn.id}",
        "surface": surface.value,
        "message_ts": f"{time.time():.6f}",
        "created_at": utcnow(),
        "state": TurnState.HELD.value,
        "held_for": HeldFor.CONSENT.value,
        "held_at": database.now(),
        "owner": None,
        "lease_until": None,
        "due_at": database.after(HOLD.total_seconds()),
    }
    source = select(*[select_value(name, value) for name, value in row.items()]).where(turns.c.id == turn.id)
    await connection.execute(insert(turns).from_select(list(row), source, include_defaults=False))
    return again_id


#: What waits for a link, or for a choice between the accounts of one.
_FOR_A_LINK = (HeldFor.LINK.value, HeldFor.ACCOUNT.value)


async def count_held(database: Database, person: Person) -> int:
    """How many of this person's turns wait for a link or an account."""
    query = select(func.count()).select_from(turns).where(_held(_of(person)))
    async with database.transaction() as connection:
        return int((await connection.execute(query)).scalar_one())


async def forget_held(connection: AsyncConnection, principals: Sequence[str]) -> Mapping[str, int]:
    """Drop what waits for these links, words and all; a `Forget` of the keyring."""
    people = [person for principal in principals if (person := person_of(principal)) is not None]
    if not people:
        return {}
    statement = (
        update(turns)
        .where(_held(or_(*map(_of, people))))
        .values(state=TurnState.CANCELED.value, ended_at=utcnow(), event={}, question=None)
        .returning(turns.c.id)
    )
    return {"waiting questions": len((await connection.execute(statement)).all())}


def _held(whose: ColumnElement[bool]) -> ColumnElement[bool]:
    waiting = and_(turns.c.state == TurnState.HELD.value, turns.c.held_for.in_(_FOR_A_LINK))
    return and_(waiting, turns.c.cancel_requested_at.is_(None), whose)


def _of(person: Person) -> ColumnElement[bool]:
    return and_(turns.c.org == person.org, turns.c.user == person.user)
