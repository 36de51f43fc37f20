"""Small blocks and views to make larger ones of."""

from __future__ import annotations

from typing import Any


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(**over: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Go"), **over}


def section(**over: Any) -> dict[str, Any]:
    return {"type": "section", "text": plain("words"), **over}


def actions(*elements: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def option(text: str = "o", value: str = "v", **more: Any) -> dict[str, Any]:
    return {"text": plain(text), "value": value, **more}


def overflow(*options: Any) -> dict[str, Any]:
    return {"type": "overflow", "options": list(options)}


def select(**over: Any) -> dict[str, Any]:
    return {"type": "static_select", "options": [option()], **over}


def confirm(**over: Any) -> dict[str, Any]:
    texts = {name: plain(name) for name in ("title", "text", "confirm", "deny")}
    return actions(button(confirm={**texts, **over}))


def feedback(text: str = "Good", value: str = "v") -> dict[str, Any]:
    one = {"text": plain(text), "value": value}
    element = {"type": "feedback_buttons", "positive_button": one, "negative_button": one}
    return {"type": "context_actions", "elements": [element]}


def image(**over: Any) -> dict[str, Any]:
    return {"type": "image", "image_url": "https://x.test/i.png", "alt_text": "a", **over}


def markdown(text: str) -> dict[str, Any]:
    return {"type": "markdown", "text": text}


def table(rows: int = 1, cells: int = 1, text: str = "x") -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * cells] * rows}


def rich_text(part: str, *inline: Any) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": f"rich_text_{part}", "elements": list(inline)}]}


def url(length: int) -> str:
    return "https://x.test/".ljust(length, "u")


def modal(*blocks: Any, **over: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": list(blocks), **over}


def question(element: Any = None, **over: Any) -> dict[str, Any]:
    return {"type": "input", "label": plain("L"), "element": element or {"type": "plain_text_input"}, **over}
