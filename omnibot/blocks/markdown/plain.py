"""Markdown as plain words, for notifications and screen readers."""

from __future__ import annotations

import re
from typing import Final

from omnibot.blocks.limits import size
from omnibot.blocks.markdown.escaping import decode, escape
from omnibot.blocks.markdown.links import rewrite_links

_LINK: Final = re.compile(r"\[([^\[\]\n]{0,500})\]\([^()\s]{1,4000}\)")
_LINE_MARKS: Final = re.compile(r"^[ \t]*(?:>[ \t]*)*(?:#{1,6}(?:[ \t]+|$))?", re.MULTILINE)
_RULE: Final = re.compile(
    r"^[ \t]*+(?:(?:[-*_=][ \t]*+){3,}+|(?:`{3,}|~{3,}).*|(?=[^\n]*-)(?=[^\n]*\|)[|:\- \t]++)$", re.MULTILINE
)
_EMPHASIS: Final = re.compile(r"\*\*+|__+|~~+|`+|(?<!\w)[*_](?=\w)|(?<=[\w.!?%)])[*_](?!\w)")
_GAPS: Final = re.compile(r"\n{2,}")


def plain_text(markdown: str, limit: int) -> str:
    """The words of `markdown`, at most `limit` characters, escaped for a message's `text`; "…" says there is more."""
    # Marks are a small part of any text people read, so four times the length is enough to fill it.
    words = rewrite_links(decode(markdown[: 4 * limit + 200]))
    words = _LINK.sub(r"\1", words)
    words = _RULE.sub("", words)
    words = _LINE_MARKS.sub("", words)
    words = _EMPHASIS.sub("", words)
    words = "\n".join(map(_cells, words.split("\n")))
    return fit(escape(_GAPS.sub("\n", words).strip()), limit)


def _cells(line: str) -> str:
    line = line.strip().strip("|").strip()
    first, *more = line.split("|")
    return " · ".join([first.rstrip(" \t"), *(cell.strip(" \t") for cell in more)]) if more else line


def fit(escaped: str, limit: int) -> str:
    """`escaped` cut to `limit` characters, at a word if one ends near, never inside an entity."""
    if size(escaped) <= limit:
        return escaped
    cut = max(limit - 1 - (size(escaped[:limit]) - len(escaped[:limit])), 0)
    entity = escaped.rfind("&", max(cut - 6, 0), cut)
    if entity >= 0 and ";" not in escaped[entity:cut]:
        cut = entity
    space = escaped.rfind(" ", max(cut - 60, 0), cut)
    return escaped[: space if space > 0 else cut].rstrip() + "…"
