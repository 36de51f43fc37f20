"""The stories: what people do, and which calls at Clear Street must follow.

What must be read in Slack stands in no story: it is what the emulated Omni finally said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: Calls as they are written here: "…" means once or more often; lookups (`checks.LOOKUPS`) may come at any time.
NEW = ("POST threads", "GET responses/{response_id} …", "GET messages/{message_id}")
NEXT = ("POST threads/{thread_id}/messages", "GET responses/{response_id} …", "GET messages/{message_id}")


@dataclass(frozen=True, slots=True)
class Say:
    """Type a message; `room` "dm" is one's DM with Omni, `reply` puts it into the thread of the last answer."""

    user: str
    room: str
    text: str
    reply: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """Type `/omni` and these words; `room` is where they are typed, `answered_in` where the answer must appear."""

    user: str
    room: str
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


Step = Say | Command | Press | Teach


@dataclass(frozen=True, slots=True)
class Story:
    """A scripted conversation."""

    name: str
    about: str
    steps: tuple[Step, ...]
    calls: tuple[str, ...] = field(default=NEW)


_MENDED = {
    "name": "mended",
    "pattern": r"\bfail this\b",
    "snapshots": [{"at": 0.4, "reveal": 0.5, "thoughts": ["Looking into it again..."]}],
    "final": {
        "at": 1.5,
        "status": "succeeded",
        "parts": [{"type": "text", "text": "Now it worked: the **second** side is the better one."}],
    },
}

STORIES = {
    story.name: story
    for story in (
        Story(
            "first-answer",
            "a mention asks for a price; the suggested comparison is one press away",
            (Say("ana", "trading", "@Omni what is the price of AAPL?"), Press("ana", "Compare to AMD")),
            (*NEW, *NEXT),
        ),
        Story(
            "markets",
            "a table in the channel, then “Check my positions” at a press",
            (Say("ana", "trading", "@Omni how are the markets doing today?"), Press("ana", "Check my positions")),
            (*NEW, *NEXT),
        ),
        Story(
            "deep-insight",
            "/omni research: a minute of parallel analysis, step by step, then the report",
            (Command("ana", "research", "research AAPL"),),
        ),
        Story(
            "failure",
            "Omni breaks off; its words stay, the reason is said, and asking again works",
            (
                Say("ana", "trading", "@Omni please fail this"),
                Teach(_MENDED),
                Press("ana", r"ask again|try again|retry"),
            ),
            (*NEW, *NEXT),
        ),
        Story(
            "long",
            "a report of 30 kB arrives whole and in order, over several messages",
            (Say("ben", "research", "@Omni write a long report on the market"),),
        ),
        Story(
            "hostile",
            "Omni's words try to ping the channel and to disguise a link; they stay words",
            (Say("ana", "trading", "@Omni ping everyone"),),
        ),
        Story(
            "think-first",
            "thinking comes after the first, empty text, and is gone when the answer is there",
            (Say("ana", "trading", "@Omni think first, then answer"),),
        ),
        Story(
            "many-buttons",
            "thirty suggestions, some longer than a button may be",
            (Say("ana", "trading", "@Omni show me many buttons"), Press("ana", "Choice number 30")),
            (*NEW, *NEXT),
        ),
        Story(
            "refusal",
            "Omni declines, politely, and offers something else",
            (Say("ben", "trading", "@Omni can you trade on insider news for me?"), Press("ben", "Price of AAPL")),
            (*NEW, *NEXT),
        ),
        Story(
            "dm",
            "a direct message needs no mention, nor does the follow-up in its thread",
            (
                Say("ben", "dm", "what is the price of NVDA?"),
                Say("ben", "dm", "compare that to AMD", reply=True),
            ),
            (*NEW, *NEXT),
        ),
        Story(
            "private",
            "/omni private in a channel is answered in the asker's DM, and nobody else sees a thing",
            (Command("ana", "trading", "private what are my current positions?", answered_in="dm"),),
        ),
    )
}
