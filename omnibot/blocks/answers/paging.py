"""Blocks packed into as few messages as Slack's limits allow, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from omnibot.blocks.answers.buttons import TOOL_ACTION
from omnibot.blocks.layout.builders import text_size
from omnibot.blocks.layout.tables import plain_cells
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.limits import CHARTS, FALLBACK_TEXT, MARKDOWN_TEXT, PAGE_ITEMS, PAGE_TEXT, TABLES, size
from omnibot.blocks.markdown.lines import count_items, count_tables
from omnibot.blocks.markdown.plain import fit, plain_text

#: What a page says when nothing on it has words.
NO_WORDS = "Omni AI"


@dataclass(slots=True)
class _Cost:
    items: int = 0
    text: int = 0
    markdown: int = 0
    tables: int = 0
    charts: int = 0

    def plus(self, other: _Cost) -> _Cost:
        return _Cost(
            self.items + other.items,
            self.text + other.text,
            self.markdown + other.markdown,
            self.tables + other.tables,
            self.charts + other.charts,
        )

    @property
    def fits(self) -> bool:
        return (
            self.items <= PAGE_ITEMS
            and self.text <= PAGE_TEXT
            and self.markdown <= MARKDOWN_TEXT
            and self.tables <= TABLES
            and self.charts <= CHARTS
        )


@dataclass(slots=True)
class _Open:
    blocks: list[Block] = field(default_factory=list)
    cost: _Cost = field(default_factory=_Cost)


def pages(units: Sequence[Sequence[Block]], *, footer: Sequence[Block] = ()) -> list[Page]:
    """`units`, each kept together, on pages; `footer` ends the last one, and always fits."""
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
            total = total.plus(_Cost(1, text_size(block), 0, int(block["type"] == "table"), _charts(block)))
    return total


def content_words(block: Block) -> str:
    """What a block of Omni's says, in markdown; "" for what is ours."""
    if block["type"] == "markdown":
        return str(block["text"])
    if block["type"] in ("table", "data_table"):
        return "\n".join(" · ".join(row) for row in plain_cells(block))
    if block["type"] == "card":
        return " · ".join(block[name]["text"] for name in ("title", "subtitle", "body") if name in block)
    if block["type"] == "data_visualization":
        return f"Chart of {block['title']}."
    return str(block["alt_text"]) if block["type"] == "image" else ""


def _charts(block: Block) -> int:
    return int(block["type"] == "data_visualization")


def _fallback(blocks: Sequence[Block]) -> str:
    """The page in words: its markdown, else its lines, else what its buttons say."""
    written = "\n\n".join(words for block in blocks if (words := content_words(block)))
    if words := plain_text(written, FALLBACK_TEXT):
        return words
    lines = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    elements = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    buttons = [e["text"]["text"] for e in elements if not e["action_id"].startswith(TOOL_ACTION)]
    notes = [block["elements"][0]["text"] for block in blocks if block["type"] == "context"]
    # Lines are escaped already; labels are plain text and are not.
    offered = plain_text("Choose: " + " · ".join(buttons), FALLBACK_TEXT) if buttons else ""
    return fit("\n".join([*lines, *([offered] if offered else []), *notes]), FALLBACK_TEXT) or NO_WORDS
