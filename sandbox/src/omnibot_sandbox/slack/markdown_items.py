"""Into how many blocks Slack breaks a markdown block: each heading, divider and table is one, text in between one."""

from __future__ import annotations

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
_DIVIDER = re.compile(r" {0,3}([-*_])[ \t]*(\1[ \t]*){2,}$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_DELIMITER_CELL = re.compile(r"\s*:?-+:?\s*$")


def items(text: str) -> list[str]:
    """The kinds of the blocks, in order: "heading", "divider", "table" and "text"."""
    out: list[str] = []
    lines = text.splitlines()
    paragraph = False  # the line above belongs to a paragraph, …
    runs_on = False  # … which other text stands before, in the same item
    at = 0
    while at < len(lines):
        if paragraph and _SETEXT.match(lines[at]):
            # The paragraph above was a heading after all.
            out[-1:] = ["text", "heading"] if runs_on else ["heading"]
            paragraph = False
            at += 1
            continue
        kind, after = _next(lines, at)
        words = bool(lines[at].strip())
        fresh = kind != "text" or (words and out[-1:] != ["text"])
        if fresh:
            out.append(kind)
        starts = kind == "text" and words and after == at + 1
        if starts and not paragraph:
            runs_on = not fresh
        paragraph = starts
        at = after
    return out


def _next(lines: list[str], at: int) -> tuple[str, int]:
    """What starts at this line, and the line after it."""
    line = lines[at]
    if fence := _opens_fence(line):
        for end in range(at + 1, len(lines)):
            mark = lines[end].strip()
            if mark.startswith(fence) and mark == mark[0] * len(mark):
                return "text", end + 1
        return "text", len(lines)
    if _HEADING.match(line):
        return "heading", at + 1
    if _DIVIDER.match(line):
        return "divider", at + 1
    if at + 1 < len(lines) and _is_table(line, lines[at + 1]):
        end = at + 2
        while end < len(lines) and _is_row(lines[end]):
            end += 1
        return "table", end
    return "text", at + 1


def _is_row(line: str) -> bool:
    return bool(line.strip()) and not (_HEADING.match(line) or _DIVIDER.match(line) or _opens_fence(line))


def _opens_fence(line: str) -> str:
    found = _FENCE.match(line)
    if found is None or (found[1][0] == "`" and "`" in found[2]):
        return ""
    return found[1]


def _is_table(header: str, delimiter: str) -> bool:
    if "|" not in header or "|" not in delimiter:
        return False
    cells = _cells(delimiter)
    return len(cells) == len(_cells(header)) and all(_DELIMITER_CELL.match(cell) for cell in cells)


def _cells(row: str) -> list[str]:
    return re.split(r"(?<!\\)\|", row.strip().removeprefix("|").removesuffix("|"))
