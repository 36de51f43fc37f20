"""The version a click belongs to, in the ids of the button and of its block, and in its value.

Slack may send a press on a message that was updated while a dialog was open, with the value as it was or as it is now.
The names of the button and of its block change with the version, so a press of an older one is told apart either way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from omnibot.blocks.layout.types import Block
from omnibot.blocks.limits import BUTTON_VALUE
from omnibot.orders.model import MARKED

#: Between the presses of one value, such as all orders of an answer.
BETWEEN: Final = ","
_SUBJECT, _MARK = rf"[^\s{MARKED}{BETWEEN}]{{1,255}}", r"[a-z0-9.]{1,48}"
_PRESS: Final = re.compile(rf"({_SUBJECT}){MARKED}({_MARK})")
_NAME: Final = re.compile(rf".*:({_MARK})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ClickedButton:
    """Something that was on the screen, and the version of it."""

    subject: str
    mark: str

    def __str__(self) -> str:
        return f"{self.subject}{MARKED}{self.mark}"


class _Action(BaseModel):
    """What a press says of its button. Other fields do not matter here."""

    model_config = ConfigDict(strict=True)

    action_id: str = Field(max_length=255)
    block_id: str = Field(max_length=255)
    value: str = Field(max_length=BUTTON_VALUE)


def digest(*content: str) -> str:
    """A short hash of what is shown."""
    return hashlib.sha256("\x1f".join(content).encode()).hexdigest()[:16]


def mark_of(presses: Sequence[ClickedButton]) -> str:
    """The mark that stands in the names of a button: its version; of a button for several, a hash of all of them."""
    return presses[0].mark if len(presses) == 1 else digest(*map(str, presses))


def named(name: str, mark: str) -> str:
    """The name of a button or block of a version."""
    return f"{name}:{mark}"


def marked_button(made: Block, mark: str) -> Block:
    """The same button, named by the version."""
    return made | {"action_id": named(made["action_id"], mark)}


def pattern(name: str) -> re.Pattern[str]:
    """Matches the names of a button or form in any version."""
    return re.compile(rf"^{re.escape(name)}(:{_MARK})?$")


def read_clicks(action: Mapping[str, Any]) -> list[ClickedButton] | None:
    """What was pressed; None: the names and the value of the button are not of one version, or make no sense."""
    try:
        pressed = _Action.model_validate(dict(action))
    except ValidationError:
        return None
    presses = read_values(pressed.value)
    if not presses:
        return None
    marks = {found[1] if (found := _NAME.fullmatch(name)) else "" for name in (pressed.action_id, pressed.block_id)}
    return presses if marks == {mark_of(presses)} else None


def read_click(action: Mapping[str, Any]) -> ClickedButton | None:
    """The same where a button is for one thing."""
    presses = read_clicks(action)
    return presses[0] if presses is not None and len(presses) == 1 else None


def mark_in(name: Any) -> str:
    """The mark that a name ends with; empty for none."""
    found = _NAME.fullmatch(name) if isinstance(name, str) else None
    return found[1] if found is not None else ""


def read_form_click(view: Mapping[str, Any]) -> ClickedButton | None:
    """What a form was opened for; None: its name and its `private_metadata` are not of one version."""
    name, carried = view.get("callback_id"), view.get("private_metadata")
    if not isinstance(name, str) or not isinstance(carried, str):
        return None
    found, presses = _NAME.fullmatch(name), read_values(carried)
    if found is None or presses is None or len(presses) != 1 or presses[0].mark != found[1]:
        return None
    return presses[0]


def read_values(value: str) -> list[ClickedButton] | None:
    """The presses in a value; None: it makes no sense."""
    found = [_PRESS.fullmatch(one) for one in value.split(BETWEEN)]
    presses = [ClickedButton(one[1], one[2]) for one in found if one is not None]
    return presses if len(presses) == len(found) and presses else None
