"""Turns that wait for a person, as the keyring needs them: counted, and forgotten with a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person, person_of
from omnibot.db.engine import Database
from omnibot.db.tables import turns
from omnibot.turns.model import HeldFor, State
from omnibot.turns.rows import utcnow

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
        .values(state=State.CANCELED.value, ended_at=utcnow(), event={}, question=None)
        .returning(turns.c.id)
    )
    return {"waiting questions": len((await connection.execute(statement)).all())}


def _held(whose: ColumnElement[bool]) -> ColumnElement[bool]:
    waiting = and_(turns.c.state == State.HELD.value, turns.c.held_for.in_(_FOR_A_LINK))
    return and_(waiting, turns.c.cancel_requested_at.is_(None), whose)


def _of(person: Person) -> ColumnElement[bool]:
    return and_(turns.c.org == person.org, turns.c.user == person.user)
