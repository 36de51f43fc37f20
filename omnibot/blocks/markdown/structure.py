"""Where the blocks of a markdown text begin and end; the only use of a markdown parser.

The parser reads blocks only (its inline half is slow on hostile text, and not needed), so a text costs about a
microsecond a character whatever is in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import getLine, table
from markdown_it.token import Token


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The parser's own rule for tables, but for their cells: it fills up every short row, which nobody needs here."""
    if not table(state, start, end, True):
        return False
    if silent:
        return True
    ends, parent = state.md.block.ruler.getRules("blockquote"), state.parentType
    state.parentType = "table"
    line = start + 2
    while line < end and state.sCount[line] >= state.blkIndent and mdTrim(getLine(state, line)):
        if state.is_code_block(line) or any(rule(state, line, end, True) for rule in ends):
            break
        line += 1
    state.push("table", "table", 0).map = [start, line]
    state.parentType, state.line = parent, line
    return True


# HTML blocks are switched off because Slack shows HTML as text: what stands in them is ordinary markdown there.
_PARSER: Final = MarkdownIt("commonmark", {"inline_definitions": True}).enable("table").disable("html_block")
_PARSER.core.ruler.enableOnly(["normalize", "block"])
_PARSER.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})

_OPENING: Final = re.compile(r"^(?P<before>.*?)(?P<marker>`{3,}|~{3,})(?P<info>.*)$")
_LIST_MARKER: Final = re.compile(r"[^>\s]")
#: Longer openings are no code anybody reads, and could not be repeated: their lines are taken for text.
_LONGEST_MARKER: Final = 40
_LONGEST_OPENING: Final = 300


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced code block: the lines `start` (its opening) up to but not including `end`."""

    start: int
    end: int
    #: What stands before a line of it, a quote's `> ` say, when it must be opened or closed anew.
    prefix: str
    marker: str
    info: str
    #: False when the text ends, or its quote or list item does, before a closing line.
    closed: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """`[label]: url` on the lines `start` up to but not including `end`."""

    start: int
    end: int
    key: str
    url: str


@dataclass(frozen=True, slots=True)
class Structure:
    """What a markdown text is made of. Line numbers count from 0."""

    fences: list[Fence] = field(default_factory=list)
    #: First line (the header) and end of each table.
    tables: list[tuple[int, int]] = field(default_factory=list)
    #: Lines that belong together: a paragraph, a heading, a table row.
    passages: list[tuple[int, int]] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)


def read(lines: list[str]) -> Structure:
    """The structure of the text that `lines` (without their newlines) are. Not to be changed."""
    return _read("\n".join(lines))


# One page asks for the same text several times, and a text that grows for all of its pieces but the last.
@lru_cache(maxsize=64)
def _read(text: str) -> Structure:
    lines = text.split("\n")
    structure = Structure()
    for token in _PARSER.parse(text):
        if token.map is None:
            continue
        start, end = token.map
        if token.type == "fence":
            fence = _fence(token, lines, start, min(end, len(lines)))
            structure.fences.extend([fence] if fence else [])
        elif token.type == "table":
            structure.tables.append((start, end))
        elif token.type == "inline":
            structure.passages.append((start, end))
        elif token.type == "definition":
            structure.definitions.append(Definition(start, end, label_key(token.meta["label"]), token.meta["url"]))
    return structure


def label_key(label: str) -> str:
    """How two spellings of a reference's label are compared."""
    return " ".join(label.split()).casefold()


def _fence(token: Token, lines: list[str], start: int, end: int) -> Fence | None:
    opening = _OPENING.match(lines[start])
    if opening is None or len(opening["marker"]) > _LONGEST_MARKER or len(lines[start]) > _LONGEST_OPENING:
        return None
    marker, before = opening["marker"], opening["before"]
    # In a list the marker opened the item; later lines of the item are indented instead.
    prefix = _LIST_MARKER.sub(" ", before)
    last = re.sub(r"^[>\s]*", "", lines[end - 1]).rstrip() if end > start + 1 else ""
    closed = len(last) >= len(marker) and set(last) == {marker[0]}
    return Fence(start, end, prefix, marker, " ".join(token.info.split())[:40], closed)
