"""Small blocks and views to make larger ones of."""

from __future__ import annotations

from typing import Any


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(**over: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Go"), **over}


def section(**over: Any) -> dict[str, Any]:
    return {"type": "section", "text": plain("words"), **over}


def actions(*elements: Any, **over: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **over}


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


def raw(text: str = "x") -> dict[str, Any]:
    return {"type": "raw_text", "text": text}


def data_table(rows: int = 2, cells: int = 1, text: str = "x", **over: Any) -> dict[str, Any]:
    head = [raw("h")] * cells
    return {"type": "data_table", "caption": "c", "rows": [head] + [[raw(text)] * cells] * (rows - 1), **over}


def pie(segments: int = 1, label: str = "l", title: str = "t") -> dict[str, Any]:
    chart = {"type": "pie", "segments": [{"label": label, "value": 1.5}] * segments}
    return {"type": "data_visualization", "title": title, "chart": chart}


def chart(kind: str = "bar", series: int = 1, categories: int = 2, **axis: str) -> dict[str, Any]:
    labels = [f"c{number}" for number in range(categories)]
    data = [{"label": label, "value": -1} for label in labels]
    many = [{"name": f"s{number}", "data": data} for number in range(series)]
    drawn = {"type": kind, "series": many, "axis_config": {"categories": labels, **axis}}
    return {"type": "data_visualization", "title": "t", "chart": drawn}


def task(**over: Any) -> dict[str, Any]:
    return {"type": "task_card", "task_id": "1", "title": "t", "status": "complete", **over}


def plan(*tasks: Any) -> dict[str, Any]:
    return {"type": "plan", "title": "t", "tasks": list(tasks)}


def card(**over: Any) -> dict[str, Any]:
    return {"type": "card", "title": plain("t"), **over}


def container(*blocks: Any, **over: Any) -> dict[str, Any]:
    return {"type": "container", "title": plain("t"), "child_blocks": list(blocks or [{"type": "divider"}]), **over}


def alert(**over: Any) -> dict[str, Any]:
    return {"type": "alert", "text": plain("words"), **over}


def home(*blocks: Any) -> dict[str, Any]:
    return {"type": "home", "blocks": list(blocks)}
