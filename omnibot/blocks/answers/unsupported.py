"""Parts that cannot be drawn: a collapsed notice with the JSON, never an error."""

from __future__ import annotations

import json
from typing import Any, Final

from omnibot.blocks.layout.builders import shorten
from omnibot.blocks.layout.types import Block
from omnibot.blocks.limits import size
from omnibot.blocks.markdown.escaping import neutralise

#: How much of a payload stands in the notice; all of it can be had as a file.
_PAYLOAD: Final = 1_500
_TITLE: Final = 140


def payload_unit(kind: str, payload: Any) -> list[Block]:
    """A notice about one part.

    Args:
        kind: the part's name, as the API says it.
        payload: its JSON.
    """
    words = neutralise(payload_text(payload))
    shown = words if size(words) <= _PAYLOAD else words[:_PAYLOAD].rstrip() + "\n…"
    name = shorten(_name(kind, payload), _TITLE - 40)
    element = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown or "null"}]}
    title = f"Omni also sent: {name}"
    return [
        {
            "type": "container",
            "title": {"type": "plain_text", "text": shorten(title, _TITLE), "emoji": False},
            "subtitle": {"type": "plain_text", "text": "This part has no display in Slack.", "emoji": False},
            "is_collapsible": True,
            "default_collapsed": True,
            "child_blocks": [{"type": "rich_text", "elements": [element]}],
        }
    ]


def payload_text(payload: Any) -> str:
    """The payload as people read JSON."""
    return json.dumps(payload, indent=1, ensure_ascii=False, default=str)


def _name(kind: str, payload: Any) -> str:
    inner = payload.get("kind") or payload.get("type") if isinstance(payload, dict) else None
    words = kind.replace("_", " ") or "a part without a name"
    return f"{words} ({inner})" if isinstance(inner, str) and inner and inner != kind else words
