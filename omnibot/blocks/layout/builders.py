"""Builders for the blocks that all messages use, and what they cost."""

from __future__ import annotations

import re
from typing import Any, Final

from omnibot.blocks.layout.types import Block
from omnibot.blocks.limits import BUTTON_TEXT, LINE_TEXT, size
from omnibot.blocks.markdown.escaping import ZERO_WIDTH_SPACE, clean, escape, neutralise
from omnibot.blocks.markdown.plain import fit

_USER_ID: Final = re.compile(r"[UW][A-Z0-9]{1,30}")
#: Keys whose strings Slack counts, or might, as the text of a block.
_TEXT_KEYS: Final = frozenset({"text", "alt_text", "title", "accessibility_label", "value", "url"})


def live_mention(user_id: str | None) -> str:
    """A live mention of a verified user id; "" for anything that is no user id."""
    return f"<@{user_id}>" if user_id and _USER_ID.fullmatch(user_id) else ""


def section(mrkdwn: str) -> Block:
    """A paragraph of mrkdwn, already escaped."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}


def context(mrkdwn: str) -> Block:
    """A small grey line of mrkdwn, already escaped."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn}]}


def markdown(text: str) -> Block:
    """A `markdown` block; `text` has been through `safe`."""
    return {"type": "markdown", "text": text}


def button(action_id: str, value: str, label: str, *, accessibility_label: str | None = None) -> Block:
    """A button. A label longer than Slack allows is cut with "…"."""
    element: dict[str, Any] = {
        "type": "button",
        "action_id": action_id,
        # Words as they are: with `emoji` Slack would make pictures of what stands between colons.
        "text": {"type": "plain_text", "text": shorten(label, BUTTON_TEXT), "emoji": False},
        "value": value,
    }
    if accessibility_label is not None:
        element["accessibility_label"] = shorten(accessibility_label, BUTTON_TEXT)
    return element


def actions(elements: list[Block]) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": elements}


def one_line(words: str) -> str:
    """`words` with every run of white space one space."""
    return " ".join(clean(words).split()).strip(ZERO_WIDTH_SPACE + " ")


def shorten(words: str, limit: int) -> str:
    """`words` as one inert line of at most `limit` characters, "…" in place of the rest. For plain text objects."""
    words = neutralise(one_line(words))
    if size(words) <= limit:
        return words
    cut = limit - 1
    while size(words[:cut]) > limit - 1:
        cut -= 1
    return words[:cut].rstrip() + "…"


def escaped_parts(words: str, *, limit: int = LINE_TEXT) -> list[str]:
    """`words`, escaped, in parts of at most `limit` characters: all of them, in order."""
    parts: list[str] = []
    start, most = 0, limit
    while start < len(words):
        # How much of the part before fitted says how much this one may have.
        most = min(len(words) - start, limit, 2 * most)
        while most > 1 and (length := size(escape(words[start : start + most]))) > limit:
            most = max(min(most * limit // length, most - 1), 1)
        if start + most < len(words) and (space := words.rfind(" ", start + most // 2, start + most)) > start:
            most = space - start
        parts.append(escape(words[start : start + most]).strip())
        start += most
    return [part for part in parts if part]


def fallback(words: str, limit: int) -> str:
    """`words`, plain, as a message's `text`."""
    return fit(escape(one_line(words)), limit)


def text_size(value: Any) -> int:
    """How much of a message's allowance for text `value`, a block or blocks, takes at most."""
    if isinstance(value, list):
        return sum(text_size(item) for item in value)
    if not isinstance(value, dict):
        return 0
    strings = (size(item) for key, item in value.items() if key in _TEXT_KEYS and isinstance(item, str))
    return sum(strings) + sum(text_size(item) for item in value.values())
