"""Markdown of any length in pieces that fit into a Slack message each; no word is lost, added or moved.

A piece ends where a reader would pause: before a heading, at a blank line, a line's end, a sentence, a word. A fenced
block cut in two is closed and opened again; a table cut in two repeats its header.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from omnibot.blocks.limits import PIECE_ITEMS, PIECE_TABLE_ROWS, PIECE_TABLE_TEXT, PIECE_TEXT, TABLES, size
from omnibot.blocks.markdown.cutting import cut_point
from omnibot.blocks.markdown.lines import Line, Table, Tally, annotate
from omnibot.blocks.markdown.structure import Fence, read

#: A pause counts as a good end of a piece only where at least this share of it is filled.
_FILLED: Final = 0.5
#: Kept free in every piece, to close a fence that only its own reading of the piece shows.
_SPARE: Final = 12
#: A line longer than so many pieces is cut before it is placed, and so many pieces of it are looked at for each cut.
_MANY, _REACH = 8, 4
#: The second half of a table's row.
_ONLY_TEXT: Final[dict[str, Any]] = {"table": None, "heads": False, "begins_table": False}


def split(text: str, *, limit: int = PIECE_TEXT, items: int = PIECE_ITEMS, tables: int = TABLES) -> list[str]:
    """`text` in pieces of at most `limit` characters (300 or more), `items` expanded items and `tables` tables.

    None for a text without words.
    """
    space = limit - _SPARE
    lines = annotate(text.replace("\r\n", "\n").replace("\r", "\n"), widest_header=limit // 3)
    waiting = deque(short for line in lines for short in _shortened(line, space))
    piece = _Piece(space, items, tables)
    pieces: list[str] = []
    while waiting:
        line = waiting.popleft()
        if piece.accepts(line):
            piece.add(line)
            continue
        fits_nowhere = _Piece(space, items, tables).left_for(line) < size(line.text)
        if not piece.lines or (fits_nowhere and piece.left_for(line) > space * _FILLED and not line.item):
            first, rest = _tear(line, max(piece.left_for(line), 1))
            piece.add(first)
            waiting.appendleft(rest)
        else:
            waiting.appendleft(line)
            waiting.extendleft(reversed(piece.give_back()))
        pieces.append(piece.render())
        piece = _Piece(space, items, tables)
    pieces.append(piece.render())
    return [checked for piece_text in pieces for checked in _checked(piece_text, limit, items, tables)]


def _shortened(line: Line, space: int) -> Iterator[Line]:
    """A line of very many pieces as lines of one piece each, and a rest: torn one by one, each would copy the rest."""
    start = 0
    while len(line.text) - start > _MANY * space:
        cut = start + cut_point(line.text[start : start + _REACH * space], space)
        yield replace(
            line, text=line.text[start:cut], opens=line.opens and not start, **({} if not start else _ONLY_TEXT)
        )
        start = cut if line.fence else cut + _blanks(line.text, cut)
    yield replace(line, text=line.text[start:], opens=False, **_ONLY_TEXT) if start else line


def _blanks(text: str, start: int) -> int:
    end = start
    while end < len(text) and text[end] == " ":
        end += 1
    return end - start


def _tear(line: Line, space: int) -> tuple[Line, Line]:
    """A line that is too long for any piece, in two. The second half of a table's row is only text."""
    cut = cut_point(line.text, space)
    rest = line.text[cut:] if line.fence else line.text[cut:].lstrip(" ")
    second = replace(line, text=rest, opens=False, **_ONLY_TEXT)
    return replace(line, text=line.text[:cut]), second


@dataclass(slots=True)
class _Piece:
    """A piece in the making."""

    space: int
    items: int
    tables: int
    lines: list[Line] = field(default_factory=list)
    length: int = 0
    tally: Tally = field(default_factory=Tally)
    rows: int = 0
    table_text: int = 0

    def accepts(self, line: Line) -> bool:
        after = self.tally.with_line(line)
        if after.items > self.items or after.tables > self.tables:
            return False
        if line.table and (self.rows >= PIECE_TABLE_ROWS or self.table_text + size(line.text) > PIECE_TABLE_TEXT):
            return False
        return self.left_for(line) >= (0 if line.closes else size(line.text))

    def left_for(self, line: Line) -> int:
        """How many characters of `line` fit."""
        return self.space - self.length - self._around(line) - 1

    def add(self, line: Line) -> None:
        self.length += self._around(line) + 1 + (0 if line.closes else size(line.text))
        self.tally.add(line)
        if line.table:
            self.rows += 1 if self.rows or line.heads else 3
            self.table_text += size(line.text)
        self.lines.append(line)

    def _around(self, line: Line) -> int:
        """What it costs to begin here with the middle of a fence or table, and to close that fence."""
        last = self.lines[-1] if self.lines else None
        cost = 0
        if line.fence and (last is None or last.fence is not line.fence):
            cost += size(_closing(line.fence, opened_here=True)) + 1
            cost += 0 if line.opens else size(_opening(line.fence)) + 1
        if line.table and not line.heads and (last is None or last.table != line.table):
            cost += size(line.table.header) + size(line.table.delimiter) + 2 if line.table.header else 0
        return cost

    def give_back(self) -> list[Line]:
        """Take back out, and return, the lines that should rather stand in the next piece."""
        at = len(self.lines)
        length = 0
        for number, line in enumerate(self.lines):
            pause = line.begins or (number > 0 and self.lines[number - 1].blank and not line.blank)
            if number and pause and length >= self.space * _FILLED:
                at = number
            length += size(line.text) + 1
        last = at  # a heading belongs to what follows it
        while last > 0 and (self.lines[last - 1].blank or self.lines[last - 1].heading):
            last -= 1
            at = last if self.lines[last].heading else at
        at = at if last else len(self.lines)
        self.lines, back = self.lines[:at], self.lines[at:]
        return back

    def render(self) -> str:
        """The piece's text."""
        out: list[str] = []
        fence: Fence | None = None
        table: Table | None = None
        opened_here = False
        for line in self.lines:
            if fence and line.fence is not fence:
                out.append(_closing(fence, opened_here=opened_here))
            if line.fence and line.fence is not fence:
                opened_here = line.opens
                out.extend([] if line.opens else [_opening(line.fence)])
            if line.table and line.table != table and line.table.header and not line.heads:
                out.extend([line.table.header, line.table.delimiter])
            fence, table = line.fence, line.table
            if not line.closes:
                out.append(line.text)
        if fence:
            out.append(_closing(fence, opened_here=opened_here))
        return "\n".join(_dedented(out))


def _opening(fence: Fence) -> str:
    return f"{fence.prefix if '>' in fence.prefix else ''}{fence.marker}{fence.info}"


def _closing(fence: Fence, *, opened_here: bool) -> str:
    # Within a list item it stands as deep as its opening; opened anew it stands outside of the list.
    return f"{fence.prefix if opened_here or '>' in fence.prefix else ''}{fence.marker}"


def _dedented(lines: list[str]) -> list[str]:
    """`lines` without blank ones around them, and without the depth of a list that began in an earlier piece."""
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    lines = lines[start:end]
    depth = len(lines[0]) - len(lines[0].lstrip(" ")) if lines else 0
    for number, line in enumerate(lines):
        if line.strip() and not line.startswith(" " * depth):
            return [inner[depth:] for inner in lines[:number]] + lines[number:]
    return [line[depth:] for line in lines]


def _checked(text: str, limit: int, items: int, tables: int) -> list[str]:
    """`text`, cut once more where, by itself, it means more than it did in its place."""
    if not text.strip():
        return []
    lines = annotate(text)
    tally = Tally()
    for number, line in enumerate(lines):
        tally.add(line)
        if number and (tally.items > items or tally.tables > tables):
            parts = ("\n".join(part.text for part in part_lines) for part_lines in (lines[:number], lines[number:]))
            return [piece for part in parts for piece in _checked(part, limit, items, tables)]
    fences = read(text.split("\n")).fences
    if fences and not fences[-1].closed and fences[-1].end >= len(lines):
        closed = f"{text}\n{_closing(fences[-1], opened_here=True)}"
        return [closed if size(closed) <= limit else text]
    return [text]
