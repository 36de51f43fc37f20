"""The lines of a markdown text: which block each belongs to, and its length in a Slack message."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from omnibot.blocks.limits import PIECE_TEXT, size
from omnibot.blocks.markdown.structure import Fence, read

_BARE: Final = re.compile(r"^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+[\s>]*)*")
_HEADING: Final = re.compile(r"#{1,6}(?:\s|$)")
_RULE: Final = re.compile(r"(?:[-_*][ \t]*+)+$|=+[ \t]*$")


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and how its header is repeated where it goes on: both "" when it is too wide for that."""

    #: Number of its first line in the whole text: what tells two equal tables apart.
    start: int
    header: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without its newline."""

    text: str
    fence: Fence | None = None
    #: Within a fence: its first line, or its last if that closes it.
    opens: bool = False
    closes: bool = False
    table: Table | None = None
    #: Within a table: its header or its delimiter; `begins_table` is the header.
    heads: bool = False
    begins_table: bool = False

    @property
    def blank(self) -> bool:
        return self.fence is None and not self.text.strip()

    @property
    def heading(self) -> bool:
        return self.fence is None and bool(_HEADING.match(_BARE.sub("", self.text)))

    @property
    def item(self) -> bool:
        """A heading, a divider, or the underline of a heading. In doubt yes: it only costs a shorter piece."""
        if self.fence is not None or self.table is not None:
            return False
        return self.heading or bool(_RULE.match(self.text.strip(" \t>")) or _RULE.match(_BARE.sub("", self.text)))

    @property
    def begins(self) -> bool:
        """Whether something begins here that should rather stay in one piece."""
        return self.heading or self.opens or self.begins_table


def annotate(text: str, *, widest_header: int = PIECE_TEXT // 3) -> list[Line]:
    """The lines of `text`. Headers of tables longer than `widest_header` characters are not to be repeated."""
    texts = text.split("\n")
    structure = read(texts)
    lines = [Line(text) for text in texts]
    for start, end in structure.tables:
        header, delimiter = texts[start], texts[start + 1]
        narrow = size(header) + size(delimiter) <= widest_header
        table = Table(start, header, delimiter) if narrow else Table(start, "", "")
        for number in range(start, min(end, len(lines))):
            heads, begins = number < start + 2, number == start
            lines[number] = Line(texts[number], table=table, heads=heads, begins_table=begins)
    for fence in structure.fences:
        for number in range(fence.start, fence.end):
            closes = fence.closed and number == fence.end - 1
            lines[number] = Line(texts[number], fence=fence, opens=number == fence.start, closes=closes)
    return lines


@dataclass(slots=True)
class Tally:
    """What lines become once Slack has read them."""

    items: int = 0
    tables: int = 0
    #: What the last line was; text beneath text costs nothing more.
    last: Table | str | None = None

    def add(self, line: Line) -> None:
        """Count one more line."""
        if line.blank:
            return
        kind = line.table or ("item" if line.item else "text")
        if kind == "item" or kind != self.last:
            self.items += 1
            self.tables += isinstance(kind, Table)
        self.last = kind

    def with_line(self, line: Line) -> Tally:
        """What it would be with `line`."""
        after = Tally(self.items, self.tables, self.last)
        after.add(line)
        return after


def tally(lines: Iterable[Line]) -> Tally:
    """What all of `lines` become."""
    total = Tally()
    for line in lines:
        total.add(line)
    return total


def count_items(text: str) -> int:
    """How many items a message expands to that holds the markdown `text`: never fewer than Slack counts."""
    return tally(annotate(text)).items


def count_tables(text: str) -> int:
    """How many tables `text` holds."""
    return tally(annotate(text)).tables
