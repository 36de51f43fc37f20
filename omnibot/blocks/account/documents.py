"""A document of any length in a modal: in pages, complete, with the formatting that is certain.

It is shown as rich text, in which Slack reads no notation of its own: nothing in a document pings, links or hides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from omnibot.blocks.layout.types import Block
from omnibot.blocks.limits import size
from omnibot.blocks.markdown.cutting import cut_point

#: Ours: text and lines of one page, a share of it that may be followed by a better break, and text of one paragraph.
#: A form holds 100 blocks and 250 kB of JSON; people read less at a time.
PAGE_TEXT: Final = 6_000
PAGE_LINES: Final = 70
_FILLED: Final = 0.6
PARAGRAPH_TEXT: Final = 2_500

_HEADING: Final = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_ITEM: Final = re.compile(r"([ \t]*)[-*+][ \t]+(\S.*)")
_STYLED: Final = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*|`([^`]+)`")
_BREAK: Final = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
#: What cannot be seen, or turns what is seen around: a mark stands in its place.
_UNSEEN: Final = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MARK: Final = "\ufffd"


def document_pages(content: str) -> list[str]:
    """`content` cut into pages, preferably where a part of it ends. Put together again they are `content`."""
    pages: list[str] = []
    page: list[str] = []
    length = 0
    for line in _lines(content):
        full = length + size(line) > PAGE_TEXT or len(page) >= PAGE_LINES
        good = _HEADING.match(line) is not None and length > PAGE_TEXT * _FILLED
        if page and (full or good):
            pages.append("".join(page))
            page, length = [], 0
        page.append(line)
        length += size(line)
    return [*pages, "".join(page)]


def page_blocks(page: str) -> list[Block]:
    """A page of a document as blocks: headings bold, lists as lists, everything else as it is written."""
    return [
        {"type": "rich_text", "elements": elements}
        for _, group in groupby(_paragraphs(page), key=lambda entry: entry[0])
        if (elements := [element for _, element in group])
    ]


def page_words(blocks: Iterable[Block]) -> str:
    """What people read in these blocks."""
    return "\n".join(
        "".join(words["text"] for words in _inline(element))
        for block in blocks
        if block["type"] == "rich_text"
        for part in block["elements"]
        for element in (part["elements"] if part["type"] == "rich_text_list" else [part])
    )


def _inline(element: dict[str, Any]) -> list[dict[str, Any]]:
    return list(element["elements"])


def _lines(content: str) -> Iterator[str]:
    """Lines with their ends; one that is too long for a paragraph in several."""
    start = 0
    for end in (*(found.end() for found in _BREAK.finditer(content)), len(content)):
        line = content[start:end]
        start = end
        while size(line) > PARAGRAPH_TEXT:
            cut = max(1, cut_point(line, PARAGRAPH_TEXT))
            yield line[:cut]
            line = line[cut:]
        if line:
            yield line


def _paragraphs(page: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Elements of rich text, each with the number of its block: a blank line begins a new one."""
    number, space = 0, PARAGRAPH_TEXT
    for line in _lines(page):
        words = _BREAK.sub("", line)
        if not _UNSEEN.sub(_MARK, words).strip():
            number, space = number + 1, PARAGRAPH_TEXT
            continue
        if size(words) > space:
            number, space = number + 1, PARAGRAPH_TEXT
        space -= size(words)
        yield number, _element(words)


def _element(words: str) -> dict[str, Any]:
    if heading := _HEADING.fullmatch(words):
        return _section([_text(heading[2], "bold")])
    if item := _ITEM.fullmatch(words):
        indent = min(len(item[1].expandtabs(4)) // 2, 8)
        return {"type": "rich_text_list", "style": "bullet", "indent": indent, "elements": [_section(_styled(item[2]))]}
    return _section(_styled(words))


def _section(elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": elements}


def _styled(words: str) -> list[dict[str, Any]]:
    elements: list[dict[str, Any]] = []
    position = 0
    for found in _STYLED.finditer(words):
        if found.start() > position:
            elements.append(_text(words[position : found.start()]))
        elements.append(_text(found[1], "bold") if found[1] is not None else _text(found[2], "code"))
        position = found.end()
    if position < len(words):
        elements.append(_text(words[position:]))
    return elements


def _text(words: str, style: str | None = None) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "text", "text": _UNSEEN.sub(_MARK, words)}
    return {**text, "style": {style: True}} if style else text
