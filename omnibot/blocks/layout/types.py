"""Types of blocks, pages and buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: A Block Kit block: always a plain dict, because the SDK's models silently drop what they do not know.
Block = dict[str, Any]


@dataclass(frozen=True)
class Button:
    """A suggestion of Omni's, or our own offer to try again."""

    #: Opaque; comes back as the pressed button's `value`.
    token: str
    #: Omni's words, as they came.
    label: str
    #: Slack user ids, verified, of those who pressed it, in order.
    pressed_by: tuple[str, ...] = ()
    #: False: that it was pressed is marked, by whom is not said.
    names: bool = True
    #: False when pressing would do nothing (neither prompt nor runnable action): shown as words.
    runs: bool = True
    #: Its number among all buttons of the reply, from 1; 0 counts it where it stands.
    number: int = 0


@dataclass(frozen=True)
class Page:
    """One Slack message."""

    blocks: list[Block]
    #: What notifications and screen readers say, escaped.
    text: str
