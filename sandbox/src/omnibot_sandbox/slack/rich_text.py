"""Rich text, as a block of its own or inside others, and the cells of tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from omnibot_sandbox.slack.checking import Check, kind_of
from omnibot_sandbox.slack.workspace import JSON

_STYLES = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink")
#: Inline kinds: required and optional fields.
_INLINE: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("text",), ("style",)),
    "link": (("url",), ("text", "unsafe", "style")),
    "user": (("user_id",), ("style",)),
    "usergroup": (("usergroup_id",), ("style",)),
    "channel": (("channel_id",), ("style",)),
    "emoji": (("name",), ("unicode", "skin_tone", "style", "url")),
    "broadcast": (("range",), ("style",)),
    "date": (("timestamp", "format"), ("url", "fallback", "style")),
    "color": (("value",), ("style",)),
}
_PARTS: Mapping[str, tuple[str, ...]] = {
    "rich_text_section": (),
    "rich_text_preformatted": ("border", "language"),
    "rich_text_quote": ("border",),
    "rich_text_list": ("style", "indent", "offset", "border"),
}


def rich_text(check: Check, it: JSON, at: str) -> None:
    """A rich_text block, or a table cell that is one."""
    check.shape(it, at, ("elements",), ("block_id",))
    for part, where in check.items(it.get("elements"), f"{at}/elements"):
        _part(check, part, where, _PARTS)


def entity(check: Check, it: Any, at: str) -> None:
    """A field that holds one whole rich_text block; an absent one is somebody else's concern."""
    if it is None:
        return
    if kind_of(it) == "rich_text":
        rich_text(check, it, at)
    else:
        check.unsupported(it, at)


def _part(check: Check, it: Any, at: str, allowed: Collection[str]) -> None:
    kind = kind_of(it)
    if kind not in allowed or kind not in _PARTS:
        check.unsupported(it, at)
        return
    check.shape(it, at, ("elements",), _PARTS[kind])
    if kind == "rich_text_list":
        if "style" not in it:
            check.fail(at, "missing required field: style")
        check.choice(it.get("style"), f"{at}/style", ("bullet", "ordered"))
    for inner, where in check.items(it.get("elements"), f"{at}/elements"):
        if kind == "rich_text_list":
            _part(check, inner, where, ("rich_text_section",))
        else:
            _inline(check, inner, where)


def _inline(check: Check, it: Any, at: str) -> None:
    kind = kind_of(it)
    if kind not in _INLINE:
        check.unsupported(it, at)
        return
    required, optional = _INLINE[kind]
    check.shape(it, at, required, optional)
    for name in required:
        if name == "timestamp":
            if not isinstance(it.get(name, 0), int):
                check.fail(f"{at}/{name}", "must be an integer")
        else:
            check.string(it.get(name), f"{at}/{name}")
    if kind == "broadcast":
        check.choice(it.get("range"), f"{at}/range", ("here", "channel", "everyone"))
    if "style" in it and check.shape(it["style"], f"{at}/style", (), _STYLES):
        for name, value in it["style"].items():
            check.boolean(value, f"{at}/style/{name}")


def cell(check: Check, it: Any, at: str, kinds: Collection[str] = ("rich_text", "raw_text", "raw_number")) -> None:
    """A table cell of one of these kinds; an empty raw_text is refused."""
    kind = kind_of(it)
    if kind not in kinds:
        check.unsupported(it, at)
    elif kind == "rich_text":
        rich_text(check, it, at)
    elif kind == "raw_text":
        check.shape(it, at, ("text",))
        check.string(it.get("text"), f"{at}/text")
    elif kind == "raw_number":
        # Seen refused with only one of the two.
        check.shape(it, at, ("value", "text"))
        check.quantity(it.get("value"), f"{at}/value")
        check.string(it.get("text"), f"{at}/text")
    else:
        check.unsupported(it, at)
