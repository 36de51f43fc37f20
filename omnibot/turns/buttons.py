"""Buttons below answers, and the turns that clicks on them begin."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, case, exists, literal, or_, select, tuple_, update

from omnibot.db.tables import OPEN_STATES, buttons, turns
from omnibot.turns.model import Kind, OfferedButton, Person, Pressed, Surface
from omnibot.turns.rows import read_button, select_value, utcnow
from omnibot.turns.store import TurnStore

#: Made once: an alias of a wide table costs more than the statement it stands in.
_ASKED, _LATER = turns.alias("asked"), turns.alias("later")
#: Kinds of buttons that begin a turn, and those of them that ask the same question again.
_BEGIN = ("prompt", "action", "retry", "regenerate")
_AGAIN = ("retry", "regenerate")
#: Kinds that begin none, and what they do instead.
_BEGIN_NOTHING: Mapping[str, Pressed] = {"export": Pressed.EXPORT, "consent": Pressed.CONSENT, "order": Pressed.ORDER}


class Buttons:
    """The buttons of all turns."""

    def __init__(self, store: TurnStore) -> None:
        self._store = store
        self._database = store.database

    async def accept(self, token: str, *, team: str, person: Person, now_ts: str) -> str | None:
        """Turn a click on a button of ours into the clicker's turn, in one statement.

        Returns:
            The turn's id, or None: `why_not` says why.
        """
        turn_id = secrets.token_hex(12)
        asked = _ASKED
        again, action = buttons.c.kind.in_(_AGAIN), buttons.c.kind == "action"
        row: dict[str, Any] = {
            "id": turn_id,
            "source_key": f"press:{turn_id}",
            "press_key": press_key(token, person),
            "surface": Surface.PRESS.value,
            "kind": case(
                (again, asked.c.kind), (action, literal(Kind.ACTION.value)), else_=literal(Kind.INSTANT.value)
            ),
            "team": team,
            "org": person.org,
            "user": person.user,
            "channel": asked.c.channel,
            "thread_ts": asked.c.thread_ts,
            "message_ts": now_ts,
            # A deep insight's ticker lives there, and a structured action.
            "event": case((again, asked.c.event), (action, buttons.c.action), else_=literal({}, turns.c.event.type)),
            "question": case((again, asked.c.question), (action, buttons.c.label), else_=buttons.c.prompt),
            "created_at": utcnow(),
            **self._store.fresh(),
        }
        source = (
            select(*[select_value(name, value) for name, value in row.items()])
            .select_from(buttons.join(asked, asked.c.id == buttons.c.turn_id))
            .where(buttons.c.token == token, buttons.c.kind.in_(_BEGIN), asked.c.team == team)
            # What was asked in private is nobody else's to ask again.
            .where(or_(asked.c.surface != Surface.PRIVATE.value, asked.c.user == person.user))
            .where(or_(buttons.c.kind != "regenerate", ~_passed(asked)))
        )
        statement = self._store.insert().from_select(list(row), source, include_defaults=False)
        return turn_id if await self._store.insert_once(statement) else None

    async def why_not(self, token: str, person: Person) -> Pressed:
        """Why a click began nothing."""
        key = press_key(token, person)
        open_one = select(literal(1)).where(turns.c.press_key == key, turns.c.state.in_(OPEN_STATES))
        asked = _ASKED
        passed = (
            select(literal(1))
            .select_from(buttons.join(asked, asked.c.id == buttons.c.turn_id))
            .where(buttons.c.token == token, buttons.c.kind == "regenerate", _passed(asked))
        )
        what = select(buttons.c.kind).where(buttons.c.token == token)
        async with self._database.transaction() as connection:
            if (await connection.execute(open_one)).first() is not None:
                return Pressed.ALREADY
            kind: str | None = (await connection.execute(what)).scalar_one_or_none()
            if kind is not None and kind in _BEGIN_NOTHING:
                return _BEGIN_NOTHING[kind]
            if (await connection.execute(passed)).first() is not None:
                return Pressed.PASSED
        return Pressed.GONE

    async def of(self, turn_id: str) -> list[OfferedButton]:
        """The buttons stored with a turn, in order."""
        query = select(buttons).where(buttons.c.turn_id == turn_id).order_by(buttons.c.position)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [read_button(row) for row in rows]

    async def find(self, token: str, *, team: str) -> tuple[str, OfferedButton] | None:
        """A button by its token, and the turn it stands under; None when it is another workspace's, or none."""
        query = (
            select(buttons)
            .join(turns, turns.c.id == buttons.c.turn_id)
            .where(buttons.c.token == token, turns.c.team == team)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).mappings().first()
        return (row["turn_id"], read_button(row)) if row else None

    async def mark(self, token: str, user: str) -> str | None:
        """Remember who pressed a button. Returns the turn it stands under, None if it already said so."""
        async with self._database.transaction() as connection:
            query = select(buttons.c.turn_id, buttons.c.pressed_by).where(buttons.c.token == token).with_for_update()
            row = (await connection.execute(query)).first()
            if row is None or user in row.pressed_by:
                return None
            await connection.execute(
                update(buttons).where(buttons.c.token == token).values(pressed_by=[*row.pressed_by, user])
            )
            return str(row.turn_id)


def press_key(token: str, person: Person) -> str:
    """At most one open turn has this key."""
    return f"{token}:{person.org}:{person.user}"


def _passed(asked: Any) -> ColumnElement[bool]:
    """Whether the conversation has gone on since that turn: something else was asked, or waits to be.

    A question that was dropped, or ended before Omni heard it, changed nothing.
    """
    later = _LATER
    return exists(
        select(literal(1)).where(
            later.c.conversation_id == asked.c.conversation_id,
            later.c.kind != Kind.ACTION.value,
            or_(later.c.state.in_(OPEN_STATES), later.c.submissions > 0),
            tuple_(later.c.message_ts, later.c.id) > tuple_(asked.c.message_ts, asked.c.id),
        )
    )
