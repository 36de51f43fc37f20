"""Walks through the blocks of a message: what a person reads there and can press."""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from omnibot.emulator.slack.composer import unescape
from omnibot.emulator.slack.workspace import JSON

_TOKEN = re.compile(r"<([@#!]?)([^<>|\s]+)(?:\|([^<>]*))?>")


def as_stored(blocks: list[JSON]) -> list[JSON]:
    """The blocks as Slack keeps them: every block and interactive element has an id, text objects their flags."""
    stored = copy.deepcopy(blocks)
    for block in stored:
        block.setdefault("block_id", secrets.token_urlsafe(3))
        _fill_in(block)
        for element in _elements(block):
            if element["type"] in ("button", "icon_button", "overflow", "static_select", "feedback_buttons"):
                element.setdefault("action_id", secrets.token_urlsafe(3))
    return stored


def _fill_in(value: Any) -> None:
    if isinstance(value, dict):
        if value.get("type") == "plain_text":
            value.setdefault("emoji", True)
        elif value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        for inner in value.values():
            _fill_in(inner)
    elif isinstance(value, list):
        for inner in value:
            _fill_in(inner)


def _elements(block: JSON) -> Iterator[JSON]:
    if block["type"] in ("actions", "context_actions"):
        yield from block["elements"]
    elif isinstance(block.get("accessory"), dict):
        yield block["accessory"]


def elements(blocks: list[JSON]) -> Iterator[tuple[JSON, JSON]]:
    """Each interactive element with its block, in reading order."""
    for block in blocks:
        for element in _elements(block):
            yield block, element


def buttons(blocks: list[JSON]) -> list[JSON]:
    """All buttons, in action rows and beside sections."""
    return [element for _, element in elements(blocks) if element["type"] == "button"]


def presses(blocks: list[JSON]) -> Iterator[tuple[str, str, JSON]]:
    """Everything one can press: its action_id, its label, and the `actions` entry of the payload it sends."""
    for block, element in elements(blocks):
        action_id = element.get("action_id", "")
        base = {"action_id": action_id, "block_id": block["block_id"], "type": element["type"]}
        if element["type"] in ("button", "icon_button"):
            extra: JSON = {name: element[name] for name in ("text", "value", "url", "style") if name in element}
            yield action_id, element["text"]["text"], {**base, **extra}
        elif element["type"] == "feedback_buttons":
            for choice in (element["positive_button"], element["negative_button"]):
                yield action_id, choice["text"]["text"], {**base, "text": choice["text"], "value": choice["value"]}
        elif element["type"] in ("overflow", "static_select"):
            for option in options(element):
                yield action_id, option["text"]["text"], {**base, "selected_option": option}


def options(element: JSON) -> list[JSON]:
    """The options of a menu, its groups' included."""
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


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
    if kind in ("section", "header"):
        yield from (_text(part, names) for part in (block.get("text"), *block.get("fields", ())) if part)
    elif kind == "context":
        yield " ".join(e["alt_text"] if e["type"] == "image" else _text(e, names) for e in block["elements"])
    elif kind == "markdown":
        yield _drawn(block["text"], names)
    elif kind == "image":
        yield from (line for line in ((block.get("title") or {}).get("text"), block["alt_text"]) if line)
    elif kind == "rich_text":
        yield rich_text_words(block, names)
    elif kind == "table":
        for row in block["rows"]:
            yield " | ".join(_cell(cell, names) for cell in row)
    for element in _elements(block):
        yield from _element_lines(element)


def _text(text: JSON, names: Mapping[str, str]) -> str:
    return str(text["text"]) if text["type"] == "plain_text" else _drawn(text["text"], names)


def _cell(cell: JSON | None, names: Mapping[str, str]) -> str:
    if cell is None:
        return ""
    if cell["type"] == "rich_text":
        return rich_text_words(cell, names)
    return str(cell.get("text", cell.get("value", "")))


def _element_lines(element: JSON) -> Iterator[str]:
    if element["type"] == "image":
        yield element["alt_text"]
    elif element["type"] in ("button", "icon_button"):
        yield element["text"]["text"]
    elif element["type"] == "static_select" and "placeholder" in element:
        yield element["placeholder"]["text"]
    elif element["type"] == "feedback_buttons":
        yield element["positive_button"]["text"]["text"]
        yield element["negative_button"]["text"]["text"]


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
