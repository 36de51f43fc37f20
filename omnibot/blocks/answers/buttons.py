"""Omni's suggestions as buttons: every one of them, with every word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from omnibot.blocks.layout.builders import (
    actions,
    button,
    context,
    escaped_parts,
    live_mention,
    one_line,
    section,
    text_size,
)
from omnibot.blocks.layout.types import Block, Button
from omnibot.blocks.limits import BUTTON_TEXT, BUTTON_VALUE, BUTTONS_IN_ROW, PIECE_TEXT, size
from omnibot.blocks.markdown.escaping import escape, neutralise

#: Before the button's number in its reply, from 1: Slack wants ids unique within a message.
BUTTON_ACTION: Final = "omni_button:"
TOOL_ACTION: Final = "omni_button:tool:"


def button_units(buttons: Sequence[Button]) -> list[list[Block]]:
    """`buttons` as groups of blocks, each to be kept together where possible: words first, then rows, then presses."""
    counted = [(entry.number or place, entry) for place, entry in enumerate(buttons, start=1)]
    numbered = [(number, entry, _label(entry, number)) for number, entry in counted]
    pressable = [(number, entry, label) for number, entry, label in numbered if _runs(entry)]
    units: list[list[Block]] = []
    for _, entry, label in numbered:
        if not _runs(entry):
            units.extend([section(part)] for part in escaped_parts(f"• {label}"))
    for first in range(0, len(pressable), BUTTONS_IN_ROW):
        row = pressable[first : first + BUTTONS_IN_ROW]
        spelt_out = [
            section(part)
            for number, entry, label in row
            if _too_long(number, entry, label)
            for part in escaped_parts(f"{number}. {label}")
        ]
        pressed = actions([_element(*entry) for entry in row])
        # Whole labels stand right above their row; when they are many or long they come first and may fill pages.
        if len(spelt_out) > BUTTONS_IN_ROW or text_size([*spelt_out, pressed]) > PIECE_TEXT:
            units.extend([block] for block in spelt_out)
            spelt_out = []
        units.append([*spelt_out, pressed])
    for _, entry, label in pressable:
        units.extend(_presses(entry, label))
    return units


def tools_units(tools: Sequence[Button], more: Sequence[Block] = ()) -> list[list[Block]]:
    """What can be done with an answer: ask it again, take its data away. Rows of small buttons, `more` of them last."""
    usable = [tool for tool in tools if _carries(tool)]
    elements = [
        button(f"{TOOL_ACTION}{number}", tool.token, one_line(tool.label) or "Again")
        for number, tool in enumerate(usable, start=1)
    ] + list(more)
    return [[actions(elements[first : first + BUTTONS_IN_ROW])] for first in range(0, len(elements), BUTTONS_IN_ROW)]


def _runs(entry: Button) -> bool:
    return entry.runs and _carries(entry)


def _carries(entry: Button) -> bool:
    return 0 < size(entry.token) <= BUTTON_VALUE


def _label(entry: Button, number: int) -> str:
    return one_line(entry.label) or f"Button {number}"


def _shown(number: int, entry: Button, label: str) -> str:
    """What stands on the button: its number too, if its words are cut and spelt out above it."""
    words = f"✓ {label}" if entry.pressed_by else label
    return f"{number}. {words}" if size(neutralise(words)) > BUTTON_TEXT else words


def _too_long(number: int, entry: Button, label: str) -> bool:
    return size(neutralise(_shown(number, entry, label))) > BUTTON_TEXT


def _element(number: int, entry: Button, label: str) -> Block:
    said = f"{label} (already pressed)" if entry.pressed_by else label
    return button(f"{BUTTON_ACTION}{number}", entry.token, _shown(number, entry, label), accessibility_label=said)


def _presses(entry: Button, label: str) -> list[list[Block]]:
    """Who pressed it, as small grey lines."""
    people = [live for live in map(live_mention, entry.pressed_by) if live and entry.names]
    # Forty mentions are far below what a line may hold, whatever the ids look like.
    short = escape(label if len(label) <= 200 else label[:200] + "…")
    return [[context(f"Pressed by {', '.join(people[at : at + 40])}: {short}")] for at in range(0, len(people), 40)]
