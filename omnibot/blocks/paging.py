"""Blocks packed into as few messages as Slack's limits allow, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from omnibot.blocks.limits import FALLBACK_TEXT, MARKDOWN_TEXT, PAGE_ITEMS, PAGE_TEXT, TABLES, size
from omnibot.blocks.lines import count_items, count_tables
from omnibot.blocks.parts import text_size
from omnibot.blocks.plain import fit, plain_text
from omnibot.blocks.values import Block, Page

#: What a page says when nothing on it has words.
NO_WORDS = "Omni AI"


@dataclass(slots=True)
class _Cost:
    items: int = 0
    text: int = 0
    markdown: int = 0
    tables: int = 0

    def plus(self, other: _Cost) -> _Cost:
        return _Cost(
            self.items + other.items,
            self.text + other.text,
            self.markdown + other.markdown,
            self.tables + other.tables,
        )

    @property
    def fits(self) -> bool:
        return (
            self.items <= PAGE_ITEMS
            and self.text <= PAGE_TEXT
            and self.markdown <= MARKDOWN_TEXT
            and self.tables <= TABLES
        )


@dataclass(slots=True)
class _Open:
    blocks: list[Block] = field(default_factory=list)
    cost: _Cost = field(default_factory=_Cost)


def pages(units: Sequence[Sequence[Block]], *, footer: Sequence[Block] = ()) -> list[Page]:
    """`units`, each kept together, on pages; `footer` ends the last one, and there is always room for it."""
    reserve = _cost(footer)
    filled = [_Open()]
    for unit in units:
        cost = _cost(unit)
        if filled[-1].blocks and not filled[-1].cost.plus(cost).plus(reserve).fits:
            filled.append(_Open())
        filled[-1].blocks.extend(unit)
        filled[-1].cost = filled[-1].cost.plus(cost)
    filled[-1].blocks.extend(footer)
    return [Page(page.blocks, _fallback(page.blocks)) for page in filled]


def _cost(blocks: Sequence[Block]) -> _Cost:
    total = _Cost()
    for block in blocks:
        if block["type"] == "markdown":
            text = block["text"]
            total = total.plus(_Cost(count_items(text), size(text), size(text), count_tables(text)))
        else:
            total = total.plus(_Cost(1, text_size(block)))
    return total


def _fallback(blocks: Sequence[Block]) -> str:
    """The page in words: its markdown, else its lines, else what its buttons say."""
    written = "\n\n".join(block["text"] for block in blocks if block["type"] == "markdown")
    if words := plain_text(written, FALLBACK_TEXT):
        return words
    lines = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    buttons = [e["text"]["text"] for block in blocks if block["type"] == "actions" for e in block["elements"]]
    notes = [block["elements"][0]["text"] for block in blocks if block["type"] == "context"]
    # Lines are escaped already; labels are plain text and are not.
    offered = plain_text("Choose: " + " · ".join(buttons), FALLBACK_TEXT) if buttons else ""
    return fit("\n".join([*lines, *([offered] if offered else []), *notes]), FALLBACK_TEXT) or NO_WORDS
