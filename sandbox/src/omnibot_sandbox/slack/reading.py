"""Walks through the blocks of a message: what a person reads there and can press."""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from omnibot_sandbox.slack.composer import unescape
from omnibot_sandbox.slack.menus import options_of
from omnibot_sandbox.slack.workspace import JSON

_TOKEN = re.compile(r"<([@#!]?)([^<>|\s]+)(?:\|([^<>]*))?>")
#: Blocks that are text objects one below the other, and the fields that hold them.
_PARTS = {
    "section": ("text", "fields"),
    "header": ("text",),
    "card": ("title", "subtitle", "body", "subtext"),
    "container": ("rich_text_title", "title", "subtitle"),
    "alert": ("text",),
    "input": ("label", "hint"),
}


def as_stored(blocks: list[JSON]) -> list[JSON]:
    """The blocks as Slack keeps them: every block and interactive element has an id, text objects their flags."""
    stored = copy.deepcopy(blocks)
    for block in walk(stored):
        block.setdefault("block_id", secrets.token_urlsafe(3))
        for element in _elements(block):
            if element["type"] != "image":
                element.setdefault("action_id", secrets.token_urlsafe(3))
    fill_in_flags(stored)
    return stored


def walk(blocks: list[JSON]) -> Iterator[JSON]:
    """The blocks in reading order, those inside containers and carousels after what holds them."""
    for block in blocks:
        yield block
        if block["type"] == "container":
            yield from walk(block["child_blocks"])
        elif block["type"] == "carousel":
            yield from walk(block["elements"])


def fill_in_flags(value: Any) -> None:
    """Write out what text objects leave to Slack, wherever they stand in there."""
    if isinstance(value, dict):
        if value.get("type") == "plain_text":
            value.setdefault("emoji", True)
        elif value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        for inner in value.values():
            fill_in_flags(inner)
    elif isinstance(value, list):
        for inner in value:
            fill_in_flags(inner)


def _elements(block: JSON) -> Iterator[JSON]:
    """What stands in the block itself and can be looked at or used."""
    kind = block["type"]
    if kind in ("actions", "context_actions"):
        yield from block["elements"]
    elif kind == "input":
        yield block["element"]
    elif kind == "card":
        yield from block.get("actions", ())
    elif kind == "data_table":
        yield from (cell["element"] for row in block["rows"] for cell in row if cell["type"] == "action_cell")
    elif isinstance(block.get("accessory"), dict):
        yield block["accessory"]


def elements(blocks: list[JSON]) -> Iterator[tuple[JSON, JSON]]:
    """Each element with the block it stands in, in reading order."""
    for block in walk(blocks):
        for element in _elements(block):
            yield block, element


def buttons(blocks: list[JSON]) -> list[JSON]:
    """All buttons, in action rows, beside sections, on cards and in data tables."""
    return [element for _, element in elements(blocks) if element["type"] == "button"]


def labels(blocks: list[JSON]) -> Iterator[tuple[str, str, str, JSON]]:
    """Everything that one press does: block_id, action_id, label, and the fields that the press adds."""
    for block, element in elements(blocks):
        ids = (block["block_id"], element.get("action_id", ""))
        if element["type"] in ("button", "icon_button"):
            yield *ids, element["text"]["text"], {}
        elif element["type"] == "feedback_buttons":
            for choice in (element["positive_button"], element["negative_button"]):
                yield *ids, choice["text"]["text"], {"text": choice["text"], "value": choice["value"]}
        elif element["type"] in ("overflow", "static_select", "radio_buttons"):
            for option in options_of(element):
                yield *ids, option["text"]["text"], {"selected_option": option}


def visible_text(text: str, blocks: list[JSON], names: Mapping[str, str]) -> str:
    """All text a person reads, block after block.

    Tokens read as Slack draws them (`<@U…>` as "@Ana", `<!here>` as "@here", `<https://…|label>` as "label") and
    entities as characters; markdown keeps its asterisks. `names` maps ids of users and channels to names.
    """
    lines = [line for block in blocks for line in _lines(block, names)]
    return "\n".join(lines) if blocks else _drawn(text, names)


def _drawn(text: str, names: Mapping[str, str]) -> str:
    def draw(token: re.Match[str]) -> str:
        sigil, target, label = token.groups()
        if sigil in ("@", "#"):
            return sigil + (label or names.get(target, target))
        if sigil and not target.startswith("date^"):
            return "@" + (label or target)
        return str(label or target)

    return unescape(_TOKEN.sub(draw, text))


def _lines(block: JSON, names: Mapping[str, str]) -> Iterator[str]:
    kind = block["type"]
    if kind in _PARTS:
        yield from (_text(part, names) for name in _PARTS[kind] for part in _listed(block.get(name)))
    elif kind in _OTHERS:
        yield from _OTHERS[kind](block, names)
    if kind != "data_table":  # whose buttons stand in their rows
        for element in _elements(block):
            yield from _element_lines(element)
    for inner in (*block.get("child_blocks", ()), *(block["elements"] if kind == "carousel" else ())):
        yield from _lines(inner, names)


def _context_lines(block: JSON, names: Mapping[str, str]) -> Iterator[str]:
    yield " ".join(e["alt_text"] if e["type"] == "image" else _text(e, names) for e in block["elements"])


def _markdown_lines(block: JSON, names: Mapping[str, str]) -> Iterator[str]:
    yield _drawn(block["text"], names)


def _image_lines(block: JSON, _: Mapping[str, str]) -> Iterator[str]:
    yield from (line for line in ((block.get("title") or {}).get("text"), block["alt_text"]) if line)


def _rich_text_lines(block: JSON, names: Mapping[str, str]) -> Iterator[str]:
    yield rich_text_words(block, names)


def _table_lines(block: JSON, names: Mapping[str, str]) -> Iterator[str]:
    if "caption" in block:
        yield block["caption"]
    for row in block["rows"]:
        yield " | ".join(_cell(cell, names) for cell in row)


def _listed(part: Any) -> list[Any]:
    return part if isinstance(part, list) else [part] if part else []


def _chart_lines(block: JSON, _: Mapping[str, str]) -> Iterator[str]:
    yield block["title"]
    chart = block["chart"]
    for series in chart.get("series", ()):
        yield f"{series['name']}: " + ", ".join(f"{point['label']} {point['value']}" for point in series["data"])
    for segment in chart.get("segments", ()):
        yield f"{segment['label']} {segment['value']}"


def _task_lines(block: JSON, names: Mapping[str, str]) -> Iterator[str]:
    yield block["title"]
    yield from (rich_text_words(block[name], names) for name in ("details", "output") if block.get(name))
    yield from (source["text"] for source in block.get("sources", ()))
    for task in block.get("tasks", ()):
        yield from _task_lines(task, names)


def _text(text: JSON, names: Mapping[str, str]) -> str:
    if text["type"] == "rich_text":
        return rich_text_words(text, names)
    return str(text["text"]) if text["type"] == "plain_text" else _drawn(text["text"], names)


def _cell(cell: JSON | None, names: Mapping[str, str]) -> str:
    if cell is None:
        return ""
    if cell["type"] == "rich_text":
        return rich_text_words(cell, names)
    if cell["type"] == "action_cell":
        return str(cell["element"]["text"]["text"])
    return str(cell.get("text", cell.get("value", "")))


def _element_lines(element: JSON) -> Iterator[str]:
    if element["type"] == "image":
        yield element["alt_text"]
    elif element["type"] in ("button", "icon_button"):
        yield element["text"]["text"]
    elif element["type"].endswith("_select") and "placeholder" in element:
        yield element["placeholder"]["text"]
    elif element["type"] == "feedback_buttons":
        yield element["positive_button"]["text"]["text"]
        yield element["negative_button"]["text"]["text"]
    elif element["type"] in ("radio_buttons", "checkboxes"):
        yield from (option["text"]["text"] for option in options_of(element))


def rich_text_words(value: JSON, names: Mapping[str, str]) -> str:
    """The words of a rich_text block or of a part of it."""
    kind = value["type"]
    if kind == "rich_text":
        return "\n".join(rich_text_words(part, names) for part in value["elements"])
    if kind == "rich_text_list":
        return "\n".join("• " + rich_text_words(item, names) for item in value["elements"])
    if kind.startswith("rich_text_"):
        return "".join(rich_text_words(part, names) for part in value["elements"])
    if kind == "user":
        return "@" + names.get(value["user_id"], value["user_id"])
    if kind == "channel":
        return "#" + names.get(value["channel_id"], value["channel_id"])
    if kind == "broadcast":
        return "@" + str(value["range"])
    if kind == "emoji":
        return f":{value['name']}:"
    return str(value.get("text") or value.get("url") or value.get("fallback") or "")


#: The other blocks that say something.
_OTHERS: Mapping[str, Callable[[JSON, Mapping[str, str]], Iterator[str]]] = {
    "context": _context_lines,
    "markdown": _markdown_lines,
    "image": _image_lines,
    "rich_text": _rich_text_lines,
    "table": _table_lines,
    "data_table": _table_lines,
    "data_visualization": _chart_lines,
    "task_card": _task_lines,
    "plan": _task_lines,
}
