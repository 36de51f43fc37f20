"""Tables of Omni's markdown as Slack's own: every cell, numbers to the right, long ones paged and sortable.

A short table is a `table`, of which Slack takes one a message; all others are `data_table`s, which page and sort.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from omnibot.blocks.layout.builders import shorten
from omnibot.blocks.layout.types import Block
from omnibot.blocks.limits import PIECE_TABLE_TEXT, size
from omnibot.blocks.markdown.lines import Table as Lines
from omnibot.blocks.markdown.lines import annotate

#: Rows of a `table`; longer ones page. Rows and columns of one `data_table`, Slack's limits without the header.
SHORT: Final = 10
ROWS: Final = 200
COLUMNS: Final = 20
#: Rows of a `data_table` seen at a time.
PAGE: Final = 10
_CAPTION: Final = 150

_CELL_END: Final = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_LINK: Final = re.compile(r"\[([^\[\]\n]{1,500})\]\(((?:https?://|mailto:)[^()\s]{1,2000}(?:\([^()\s]*\)[^()\s]*)*)\)")
_MARKS: Final = re.compile(r"\*\*+|__+|~~+|`+|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
_BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])")
_NUMBER: Final = re.compile(
    r"(?P<open>\()?(?P<sign>[-+−–])?\s?(?P<unit>[$€£¥])?(?P<sign2>[-+−])?(?P<digits>\d{1,3}(?:,\d{3})+|\d+)"
    r"(?P<fraction>\.\d+)?\s?(?P<scale>[%xKMBT]|bps|bn|mn|[$€£¥])?(?P<close>\))?",
    re.ASCII,
)
_SCALE: Final = {"K": 1e3, "M": 1e6, "mn": 1e6, "B": 1e9, "bn": 1e9, "T": 1e12}
_NOTHING: Final = frozenset({"", "-", "–", "—", "n/a", "N/A", "na", "NA", "null"})
_EMPTY: Final = "–"
#: Cells a table may have for each character it was written with, and how often what is in it may stand again when it is
#: cut; beyond that it is shown as it was written.
_SPARSE: Final = 4
_AGAIN: Final = 3


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: a header and rows of the same length, in safe markdown."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    #: The lines it was read from.
    source: str = ""


def segments(text: str) -> Iterator[str | Grid]:
    """`text`, safe markdown, as what stands between its tables and the tables themselves, in order."""
    pending: list[str] = []
    caption = ""
    lines = annotate(text)
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.begins_table and (grid := _grid(_lines_of(lines, number, line.table), caption)) is not None:
            if any(part.strip() for part in pending):
                yield "\n".join(pending)
            pending = []
            yield grid
            number += 2 + len(grid.rows)
            continue
        if line.heading:
            caption = _plain(line.text.strip(" #>"))
        pending.append(line.text)
        number += 1
    if any(part.strip() for part in pending):
        yield "\n".join(pending)


def _lines_of(lines: Sequence[Any], start: int, table: Lines | None) -> list[str]:
    end = start
    while end < len(lines) and lines[end].table == table:
        end += 1
    return [line.text for line in lines[start:end]]


def _grid(lines: Sequence[str], caption: str) -> Grid | None:
    """The table these lines are; None for one within a quote or list, which stays with what it stands in.

    Nor is it one when next to nothing of it is filled: a few long rows among many short ones.
    """
    if len(lines) < 3 or any(re.match(r"\s{0,3}(?:>|[-*+]\s|\d+[.)]\s)", line) for line in lines[:1]):
        return None
    header, rows = _cells(lines[0]), [_cells(line) for line in lines[2:]]
    width = max(len(header), *map(len, rows))
    if width * len(rows) > _SPARSE * sum(map(len, lines)):
        return None

    def even(cells: list[str]) -> tuple[str, ...]:
        return (*cells, *[""] * (width - len(cells)))

    return Grid(even(header), tuple(even(row) for row in rows), caption, "\n".join(lines))


def _cells(line: str) -> list[str]:
    line = line.strip()
    inner = line.removeprefix("|")
    if inner.endswith("|") and not re.search(r"(?<!\\)(?:\\\\)*\\\|$", inner):
        inner = inner[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _CELL_END.sub("\\1\x00", inner).split("\x00")]


def table_units(grid: Grid, *, short: bool) -> list[list[Block]]:
    """The table as blocks, each for itself; none when a single row is more than a message holds.

    Args:
        grid: the table.
        short: whether a `table` may be used: Slack takes one a message.
    """
    header = _row_weight(grid.header)
    heaviest = max(_row_weight(row) for row in grid.rows) + header
    if heaviest > PIECE_TABLE_TEXT or _repeated(grid, header) > _AGAIN * (_weight(grid) + PIECE_TABLE_TEXT):
        return []
    if short and len(grid.rows) <= SHORT and len(grid.header) <= COLUMNS and _weight(grid) <= PIECE_TABLE_TEXT:
        return [[_table(grid)]]
    return [[_data_table(part)] for group in _narrow(grid) for part in _parts(group)]


def text_lines(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows of plain cells as lines, columns aligned where that is not too wide."""
    cells = [[cell or _EMPTY for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in cells if n < len(row)) for n in range(max(map(len, cells), default=0))]
    if sum(widths) + 3 * len(widths) > 110 or sum(widths) * len(cells) > 5_000:
        return [" | ".join(row).rstrip() for row in cells]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in cells]


def plain_cells(block: Block) -> list[list[str]]:
    """The cells of a table block in words."""
    return [[_words(cell) for cell in row] for row in block.get("rows") or []]


def _words(cell: Any) -> str:
    if isinstance(cell, list):
        return "".join(map(_words, cell))
    if not isinstance(cell, dict):
        return ""
    text = cell.get("text")
    words = text if isinstance(text, str) else "".join(map(_words, cell.get("elements") or []))
    return words if cell.get("type") != "link" or cell.get("url") == words else f"{words} ({cell.get('url')})"


def _table(grid: Grid) -> Block:
    numeric = _numeric_columns(grid)
    return {
        "type": "table",
        "column_settings": [
            {"align": "right" if n in numeric else "left", "is_wrapped": True} for n in range(len(grid.header))
        ],
        "rows": [[_header(cell) for cell in grid.header], *[[_cell(cell) for cell in row] for row in grid.rows]],
    }


def _data_table(grid: Grid) -> Block:
    numeric = _numeric_columns(grid)
    return {
        "type": "data_table",
        "caption": shorten(grid.caption, _CAPTION) or "Table",
        "page_size": PAGE,
        "rows": [
            [_header(cell) for cell in grid.header],
            *[[_number_cell(cell) if n in numeric else _cell(cell) for n, cell in enumerate(row)] for row in grid.rows],
        ],
    }


def _header(cell: str) -> Block:
    return {"type": "raw_text", "text": _plain(cell) or _EMPTY}


def _cell(cell: str) -> Block:
    pieces: list[Block] = []
    end = 0
    for link in _LINK.finditer(cell):
        if before := _plain(cell[end : link.start()], strip=False):
            pieces.append({"type": "text", "text": before})
        pieces.append({"type": "link", "url": link[2], "text": _plain(link[1]) or link[2]})
        end = link.end()
    if not pieces:
        return {"type": "raw_text", "text": _plain(cell) or _EMPTY}
    if after := _plain(cell[end:], strip=False):
        pieces.append({"type": "text", "text": after})
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": pieces}]}


def _number_cell(cell: str) -> Block:
    words = _plain(cell)
    value = number_of(words)
    if value is None:
        return {"type": "raw_text", "text": words or _EMPTY}
    # What is read is the text; the value only sorts, so a float's precision does.
    return {"type": "raw_number", "value": value, "text": words}


def number_of(words: str) -> float | None:
    """What a cell sorts by: the number in it, with its sign, scale and accountants' brackets."""
    found = _NUMBER.fullmatch(words.strip())
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    value = float(found["digits"].replace(",", "") + (found["fraction"] or ""))
    negative = bool(found["open"]) or "-" in (found["sign"] or "").replace("−", "-").replace("–", "-")
    negative = negative or "-" in (found["sign2"] or "").replace("−", "-")
    value *= _SCALE.get(found["scale"] or "", 1)
    value = -value if negative else value
    return value if abs(value) < 1e300 else None


def _numeric_columns(grid: Grid) -> set[int]:
    numeric = set()
    for column in range(len(grid.header)):
        words = [_plain(row[column]) for row in grid.rows]
        said = [cell for cell in words if cell not in _NOTHING]
        if said and all(number_of(cell) is not None for cell in said):
            numeric.add(column)
    return numeric


def _plain(cell: str, *, strip: bool = True) -> str:
    words = _LINK.sub(lambda link: link[1], cell)
    words = _ESCAPED.sub(r"\1", _MARKS.sub("", _BREAK.sub("\n", words)))
    return words.strip() if strip else words


def _repeated(grid: Grid, header: int) -> int:
    """About how much would stand more than once: the header in each part, the first column in each group of columns."""
    groups = -(-len(grid.header) // (COLUMNS - 1))
    parts = max(len(grid.rows) / ROWS, _weight(grid) / max(PIECE_TABLE_TEXT - header, 1))
    return int(header * parts + groups * sum(size(row[0]) + 1 for row in (grid.header, *grid.rows)))


def _weight(grid: Grid) -> int:
    return sum(_row_weight(row) for row in (grid.header, *grid.rows))


def _row_weight(row: Sequence[str]) -> int:
    return sum(size(cell) + 1 for cell in row)


def _narrow(grid: Grid) -> list[Grid]:
    """The table in tables of at most `COLUMNS` columns; the first column stands in each."""
    if len(grid.header) <= COLUMNS:
        return [grid]
    found = []
    for start in range(1, len(grid.header), COLUMNS - 1):
        chosen = [0, *range(start, min(start + COLUMNS - 1, len(grid.header)))]
        header = tuple(grid.header[n] for n in chosen)
        rows = tuple(tuple(row[n] for n in chosen) for row in grid.rows)
        about = f"{grid.caption} " if grid.caption else ""
        found.append(Grid(header, rows, f"{about}(columns {start + 1}–{start + len(chosen) - 1})"))
    return found


def _parts(grid: Grid) -> Iterator[Grid]:
    """The table in tables that fit into a message each."""
    head = _row_weight(grid.header)
    start = 0
    while start < len(grid.rows):
        weight, end = head, start
        while end < len(grid.rows) and end - start < ROWS:
            weight += _row_weight(grid.rows[end])
            if end > start and weight > PIECE_TABLE_TEXT:
                break
            end += 1
        whole = start == 0 and end == len(grid.rows)
        about = f"{grid.caption} " if grid.caption else ""
        caption = grid.caption if whole else f"{about}(rows {start + 1}–{end} of {len(grid.rows)})"
        yield Grid(grid.header, grid.rows[start:end], caption)
        start = end
