"""Would Slack take this message? Every block is held to its fields and to the limits of `limits.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from omnibot.emulator.slack import elements, markdown_items
from omnibot.emulator.slack.checking import Check, Problem, kind_of
from omnibot.emulator.slack.limits import LIMITS
from omnibot.emulator.slack.workspace import JSON

__all__ = ["IN_VIEWS", "LIMITS", "Problem", "check_blocks", "validate_message"]


def validate_message(blocks: list[JSON], text: str, files: Collection[str] | None = None) -> list[Problem]:
    """What is wrong with a message, the decisive problem first; an empty list when Slack would take it.

    `files` are the ids and addresses of the files that `slack_file` may name; None lets every name pass.
    """
    if not blocks and not text.strip():
        return [Problem("no_text")]
    check = Check(files)
    check_blocks(check, blocks, "/blocks", "message.blocks", IN_MESSAGES)
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
        check.fail("/blocks", "only_one_table_allowed", "invalid_attachments")  # where Slack keeps tables
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


def _unique(check: Check, name: str, holders: Any, at: str) -> None:
    """No two of these blocks or elements have the same id."""
    seen = set()
    for index, holder in enumerate(holders if isinstance(holders, list) else ()):
        an_id = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(an_id, str) and an_id in seen:
            check.fail(f"{at}/{index}/{name}", f'`{name}` "{an_id}" already exists')
        seen.add(an_id if isinstance(an_id, str) else None)


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
            check.unsupported(inner, where)


def _row_of_elements(allowed: tuple[str, ...], limit: str) -> Callable[[Check, JSON, str], None]:
    def row(check: Check, it: JSON, at: str) -> None:
        check.shape(it, at, ("elements",), ("block_id",))
        for inner, where in check.items(it.get("elements"), f"{at}/elements", limit):
            elements.element(check, inner, where, allowed)
        _unique(check, "action_id", it.get("elements"), f"{at}/elements")

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


def _input(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("label", "element"), ("block_id", "hint", "optional", "dispatch_action"))
    check.text(it.get("label"), f"{at}/label", "input.label")
    check.text(it.get("hint"), f"{at}/hint", "input.hint")
    if "element" in it:
        elements.element(check, it["element"], f"{at}/element", elements.INPUTS)
    check.boolean(it.get("optional"), f"{at}/optional")
    check.boolean(it.get("dispatch_action"), f"{at}/dispatch_action")


Blocks = Mapping[str, Callable[[Check, JSON, str], None]]

_ANYWHERE: Blocks = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _row_of_elements(("button", "overflow", "static_select"), "actions.elements"),
    "image": _image,
    "rich_text": _rich_text,
}
IN_MESSAGES: Blocks = {
    **_ANYWHERE,
    "context_actions": _row_of_elements(("feedback_buttons", "icon_button"), "context_actions.elements"),
    "markdown": _markdown,
    "table": _table,
}
IN_VIEWS: Blocks = {**_ANYWHERE, "input": _input}


def check_blocks(check: Check, blocks: Any, at: str, limit: str, allowed: Blocks) -> None:
    """Hold a list of blocks to their fields, each block for itself."""
    for block, where in check.items(blocks, at, limit, least=0):
        kind = kind_of(block)
        if not isinstance(block, dict) or kind not in allowed:
            check.unsupported(block, where)
            continue
        check.string(block.get("block_id"), f"{where}/block_id", "block_id")
        allowed[kind](check, block, where)
    _unique(check, "block_id", blocks, at)
