"""What people do in stories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Calls as they are written here: "…" means once or more often; lookups (`checks.is_lookup`) may come at any time.
NEW = ("POST threads", "GET responses/{response_id} …", "GET messages/{message_id}")
SIGN = ("POST entitlements",)
NEXT = ("POST threads/{thread_id}/messages", "GET responses/{response_id} …", "GET messages/{message_id}")


@dataclass(frozen=True, slots=True)
class Say:
    """Type a message; `conversation` "dm" is one's DM with Omni, `reply` puts it into the thread of the last answer."""

    user: str
    conversation: str
    text: str
    reply: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """Type `/omni` and these words in `conversation`; the answer must appear in `answered_in`."""

    user: str
    conversation: str
    text: str
    answered_in: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """Press a button of the last answer, named by its label or, where that is the bot's own, by a regex for it."""

    user: str
    label: str


@dataclass(frozen=True, slots=True)
class Teach:
    """Let Omni answer differently from now on."""

    script: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Withhold:
    """Nobody has let Omni see the data of this account."""

    key: str
    account: int


@dataclass(frozen=True, slots=True)
class Sign:
    """Press the last answer's button to read an agreement, read it to its end and sign it: Omni is asked again."""

    user: str


@dataclass(frozen=True, slots=True)
class Link:
    """Link a key of one's own, which sees one account; `key` "" has it forgotten."""

    user: str
    conversation: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Try this, and be told `words` in private: nobody else sees a thing, and Omni is not asked."""

    step: Say | Press
    words: str


@dataclass(frozen=True, slots=True)
class Arrange:
    """Move the exchange (`exchange_levers`), or befall calls (`Backstage.add`); stories end with all as it was."""

    exchange: Mapping[str, Any] = field(default_factory=dict)
    fault: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decide:
    """Press a button on the newest card that has it, and see what comes of it.

    Dialogs that ask whether it is meant are answered with yes. A form that opens gets `entered` (by field) and is sent.
    """

    user: str
    #: The button's label, whole.
    label: str
    #: What must stand in the thread then, in this order or any other; each regex may span lines.
    shows: tuple[str, ...] = ()
    entered: Mapping[str, str] = field(default_factory=dict)
    #: What only the one who pressed must read.
    told: str = ""
    #: What somebody must read in their DM: (who, what).
    direct: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Hear:
    """Type `/omni` and these words, and read these in private."""

    user: str
    conversation: str
    text: str
    words: str


Step = Say | Command | Press | Teach | Withhold | Sign | Link | Refused | Arrange | Decide | Hear


@dataclass(frozen=True, slots=True)
class Story:
    """A scripted conversation."""

    name: str
    about: str
    steps: tuple[Step, ...]
    calls: tuple[str, ...] = field(default=NEW)
