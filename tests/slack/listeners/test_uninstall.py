"""Who left is forgotten, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from omnibot.slack.listeners import uninstall
from omnibot.turns.model import Person

HERE = SimpleNamespace(team_id="T1", enterprise_id=None)


class Desk:
    """Notes who was to be forgotten."""

    def __init__(self) -> None:
        self.forgotten: list[Person | str] = []
        self.asked_anew: list[str] = []

    async def forget_person(self, person: Person) -> None:
        self.forgotten.append(person)

    async def forget_everybody(self) -> None:
        self.forgotten.append("everybody")


class App:
    """Keeps what is hung in."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[..., Any]] = {}

    def event(self, name: str) -> Callable[[Callable[..., Any]], None]:
        return lambda handler: self.handlers.__setitem__(name, handler)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def handlers(desk: Desk) -> dict[str, Callable[..., Any]]:
    app = App()
    uninstall.register(cast(Any, app), cast(Any, desk), cast(Any, SimpleNamespace(forget_user=desk.asked_anew.append)))
    return app.handlers


@pytest.mark.parametrize(
    ("tokens", "forgotten"),
    [({"oauth": [], "bot": ["UBOT"]}, ["everybody"]), ({"oauth": ["U1"]}, []), ({}, []), ("rubbish", [])],
)
async def test_a_revoked_bot_token_ends_it_for_everybody_and_tokens_of_people_do_not(
    handlers: dict[str, Callable[..., Any]], desk: Desk, tokens: Any, forgotten: list[str]
):
    await handlers["tokens_revoked"]({"type": "tokens_revoked", "tokens": tokens})
    assert desk.forgotten == forgotten


async def test_uninstalling_forgets_everybody(handlers: dict[str, Callable[..., Any]], desk: Desk):
    await handlers["app_uninstalled"]()
    assert desk.forgotten == ["everybody"]


@pytest.mark.parametrize(
    ("user", "forgotten"),
    [
        ({"id": "U1", "team_id": "T1", "deleted": True}, [Person("T1", "U1")]),
        ({"id": "U1", "team_id": "T1", "deleted": False}, []),
        ({"id": "U1", "team_id": "T9", "deleted": True}, [Person("T9", "U1")]),
        (
            {"id": "U1", "team_id": "T1", "deleted": True, "enterprise_user": {"enterprise_id": "E1"}},
            [Person("E1", "U1")],
        ),
        ({"team_id": "T1", "deleted": True}, []),
    ],
)
async def test_who_was_deactivated_is_forgotten_under_the_name_their_link_has(
    handlers: dict[str, Callable[..., Any]], desk: Desk, user: dict[str, Any], forgotten: list[Person]
):
    await handlers["user_change"]({"type": "user_change", "user": user}, HERE)
    assert desk.forgotten == forgotten
    assert desk.asked_anew == ([user["id"]] if "id" in user else [])
