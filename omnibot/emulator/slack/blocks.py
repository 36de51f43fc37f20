"""Would Slack take this message? Every block is held to its fields and to the limits of `limits.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from omnibot.emulator.slack import elements, markdown_items
from omnibot.emulator.slack.checking import Check, Problem, kind_of
from omnibot.emulator.slack.limits import LIMITS
from omnibot.emulator.slack.workspace import JSON

__all__ = ["LIMITS", "Problem", "validate_message"]


def validate_message(blocks: list[JSON], text: str) -> list[Problem]:
    """What is wrong with a message, the decisive problem first; an empty list when Slack would take it."""
    if not blocks and not text.strip():
        return [Problem("no_text")]
    check = Check()
    for block, at in check.items(blocks, "/blocks", "message.blocks", least=0):
        _block(check, block, at)
    _unique(
        check, [(block.get("block_id"), f"/blocks/{i}") for i, block in enumerate(blocks) if isinstance(block, dict)]
    )
    if not check.problems:  # what counts words and items relies on the shapes
        _whole(check, blocks)
    return check.problems


def _whole(check: Check, blocks: list[JSON]) -> None:
    """The limits of all blocks together."""
    markdown = [block["text"] for block in blocks if block["type"] == "markdown"]
    if sum(map(len, markdown)) > LIMITS["message.markdown"]:
        check.fail("/blocks", f"must be less than {LIMITS['message.markdown'] + 1} characters", "msg_too_long")
    expanded = [kind for text in markdown for kind in markdown_items.items(text)]
    if len(blocks) - len(markdown) + len(expanded) > LIMITS["message.blocks"]:
        check.fail("/blocks", f"no more than {LIMITS['message.blocks']} items allowed")
    tables = [block for block in blocks if block["type"] == "table"]
    if len(tables) + expanded.count("table") > LIMITS["message.tables"]:
        check.fail("/blocks", "only_one_table_allowed")
    if sum(map(len, _words(tables))) > LIMITS["message.table text"]:
        check.fail("/blocks", f"no more than {LIMITS['message.table text']} characters allowed in tables")
    if sum(map(len, _words(blocks))) > LIMITS["message.text in blocks"]:
        check.fail("/blocks", "", "msg_blocks_too_long")


def _words(value: Any) -> Iterator[str]:
    """All text a person can read somewhere in there: what stands in fields called `text`."""
    if isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from _words(inner)


def _unique(check: Check, ids: list[tuple[Any, str]]) -> None:
    seen = set()
    for an_id, at in ids:
        if an_id is not None and str(an_id) in seen:
            check.fail(at, f"already exists: {an_id}")
        seen.add(str(an_id))


def _section(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, (), ("block_id", "text", "fields", "accessory", "expand"))
    if "text" not in it and "fields" not in it:
        check.fail(at, "missing required field: text or fields")
    check.text(it.get("text"), f"{at}/text", "section.text", elements.ANY_TEXT)
    for field, where in check.items(it.get("fields"), f"{at}/fields", "section.fields"):
        check.text(field, where, "section.field", elements.ANY_TEXT)
    if "accessory" in it:
        accessories = ("button", "overflow", "static_select", "image")
        elements.element(check, it["accessory"], f"{at}/accessory", accessories)
    check.boolean(it.get("expand"), f"{at}/expand")


def _header(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("text",), ("block_id",))
    check.text(it.get("text"), f"{at}/text", "header.text")


def _divider(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, (), ("block_id",))


def _context(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("elements",), ("block_id",))
    for inner, where in check.items(it.get("elements"), f"{at}/elements", "context.elements"):
        if kind_of(inner) == "image":
            elements.element(check, inner, where, ("image",))
        elif kind_of(inner) in elements.ANY_TEXT:
            check.text(inner, where, None, elements.ANY_TEXT)
        else:
            check.fail(where, f"unsupported type: {kind_of(inner)}")


def _row_of_elements(allowed: tuple[str, ...], limit: str) -> Callable[[Check, JSON, str], None]:
    def row(check: Check, it: JSON, at: str) -> None:
        check.shape(it, at, ("elements",), ("block_id",))
        ids = []
        for inner, where in check.items(it.get("elements"), f"{at}/elements", limit):
            elements.element(check, inner, where, allowed)
            if isinstance(inner, dict):
                ids.append((inner.get("action_id"), where))
        _unique(check, ids)

    return row


def _markdown(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("text",), ("block_id",))
    check.string(it.get("text"), f"{at}/text")


def _image(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("alt_text",), ("block_id", "image_url", "slack_file", "title"))
    elements.image_source(check, it, at)
    check.text(it.get("title"), f"{at}/title", "image.title")


def _rich_text(check: Check, it: JSON, at: str) -> None:
    elements.rich_text(check, it, at)


def _table(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("rows",), ("block_id", "column_settings"))
    for row, row_at in check.items(it.get("rows"), f"{at}/rows", "table.rows"):
        for cell, cell_at in check.items(row if row is not None else 0, row_at, "table.cells in a row"):
            elements.cell(check, cell, cell_at)
    settings = check.items(it.get("column_settings"), f"{at}/column_settings", "table.cells in a row", least=0)
    for setting, where in settings:
        if setting is not None and check.shape(setting, where, (), ("align", "is_wrapped")):
            check.choice(setting.get("align"), f"{where}/align", ("left", "center", "right"))
            check.boolean(setting.get("is_wrapped"), f"{where}/is_wrapped")


_BLOCKS: Mapping[str, Callable[[Check, JSON, str], None]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _row_of_elements(("button", "overflow", "static_select"), "actions.elements"),
    "context_actions": _row_of_elements(("feedback_buttons",), "context_actions.elements"),
    "markdown": _markdown,
    "image": _image,
    "rich_text": _rich_text,
    "table": _table,
}


def _block(check: Check, it: Any, at: str) -> None:
    kind = kind_of(it)
    if not isinstance(it, dict) or kind not in _BLOCKS:
        check.fail(at, f"unsupported type: {kind}")
        return
    check.string(it.get("block_id"), f"{at}/block_id", "block_id")
    _BLOCKS[kind](check, it, at)
