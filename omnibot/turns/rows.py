"""SQL rows to turns, and turns to rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import literal, null
from sqlalchemy.engine import RowMapping

from omnibot.db.tables import turns
from omnibot.turns.model import (
    Conversation,
    HeldFor,
    Kind,
    OfferedButton,
    Outcome,
    Person,
    Surface,
    Turn,
    TurnAnswer,
    TurnState,
)


def utcnow() -> datetime:
    """This machine's clock, UTC without zone, as the tables keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


def select_value(name: str, value: Any) -> Any:
    """A column of an INSERT from a SELECT: an expression, or a value of ours."""
    if hasattr(value, "__clause_element__") or hasattr(value, "compile"):
        return value.label(name)
    return literal(value, turns.c[name].type).label(name) if value is not None else null().label(name)


#: A row as SQLAlchemy hands it out.
Row = Mapping[Any, Any] | RowMapping


def read_turn(row: Row) -> Turn:
    """A row of `turns` as a value."""
    answer = row["answer"]
    return Turn(
        surface=Surface(row["surface"]),
        kind=Kind(row["kind"]),
        state=TurnState(row["state"]),
        person=Person(row["org"], row["user"]),
        answer=read_answer(answer) if answer else None,
        notices=tuple(row["notices"]),
        held_for=HeldFor(row["held_for"]) if row["held_for"] else None,
        pressed=row["press_key"].split(":")[0] if row["press_key"] else None,
        **{name: row[name] for name in _PLAIN},
    )


_PLAIN = (
    "id",
    "source_key",
    "team",
    "channel",
    "thread_ts",
    "message_ts",
    "event",
    "created_at",
    "conversation_id",
    "question",
    "request",
    "idempotency_key",
    "request_thread_id",
    "submitted_at",
    "submissions",
    "response_id",
    "user_message_id",
    "deadline_at",
    "cancel_requested_at",
    "canceled_by",
    "queue_said",
    "edits",
    "ended_at",
)


#: Fields of an answer whose stored names differ: rows outlive names in the code, and other versions read them.
_STORED_NAMES = {"market_cards": "exhibits"}


def answer_json(answer: TurnAnswer) -> dict[str, Any]:
    """The answer as it is stored; not `asdict`, which copies parts however deep they are nested."""
    return {_STORED_NAMES.get(field.name, field.name): getattr(answer, field.name) for field in fields(answer)}


def read_answer(stored: Mapping[str, Any]) -> TurnAnswer:
    """The answer that was stored."""
    names = {stored_name: name for name, stored_name in _STORED_NAMES.items()}
    values = {names.get(key, key): value for key, value in stored.items()}
    return TurnAnswer(**{**values, "outcome": Outcome(values["outcome"])})


def read_conversation(row: Row) -> Conversation:
    """A row of `conversations` as a value."""
    return Conversation(
        id=row["id"],
        team=row["team"],
        channel=row["channel"],
        thread_ts=row["thread_ts"],
        principal=row["principal"],
        account_id=row["account_id"] or None,
        omni_thread_id=row["omni_thread_id"],
        last_seq=row["last_seq"],
    )


def read_button(row: Row) -> OfferedButton:
    """A row of `buttons` as a value."""
    return OfferedButton(**{name: row[name] for name in _BUTTON}, pressed_by=tuple(row["pressed_by"]))


_BUTTON = ("token", "position", "kind", "part_index", "button_id", "label", "prompt", "action_id", "action")


def button_row(turn_id: str, button: OfferedButton) -> dict[str, Any]:
    """A value as a row of `buttons`."""
    return {**asdict(button), "turn_id": turn_id, "pressed_by": list(button.pressed_by)}
