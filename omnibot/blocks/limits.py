"""Every Slack limit omnibot composes by, in one place.

Each line says how the number is known: *documented* by Slack, or *measured* against it by others. What is measured and
written nowhere may move without notice, so our own numbers, the second half of this table, stay below it.
Text lengths are UTF-16 units, the unit a JavaScript server counts in: never fewer than Python's characters.
"""

from __future__ import annotations

from typing import Final

#: Blocks in one message. Documented.
BLOCKS: Final = 50
#: Blocks in a modal or an App Home. Documented.
VIEW_BLOCKS: Final = 100
#: What a message may expand to once its markdown is read: each heading, divider and table counts, and so does the
#: text between them. Measured (`invalid_blocks`).
EXPANDED_ITEMS: Final = 50
#: Text of all blocks of one message together. Measured (`msg_blocks_too_long`).
BLOCK_TEXT: Final = 13_200
#: Text of all `markdown` blocks of one message together. Documented, measured to the character.
MARKDOWN_TEXT: Final = 12_000
#: Text of a section. Documented.
SECTION_TEXT: Final = 3_000
#: Label of a button, and its accessibility label. Documented.
BUTTON_TEXT: Final = 75
#: `value` of a button. Documented.
BUTTON_VALUE: Final = 2_000
#: Tables in one message. Measured.
TABLES: Final = 1

#: Charts in one message. Measured.
CHARTS: Final = 2

#: Ours: one piece of markdown, and the items it may expand to.
PIECE_TEXT: Final = 11_500
PIECE_ITEMS: Final = 45
#: Ours: rows and text of a table in one piece.
PIECE_TABLE_ROWS: Final = 95
PIECE_TABLE_TEXT: Final = 9_500
#: Ours: everything on one page.
PAGE_TEXT: Final = 12_500
PAGE_ITEMS: Final = 48
#: Ours: the `text` fallback, one section of our own words, and the buttons of one row (for looks).
FALLBACK_TEXT: Final = 3_900
LINE_TEXT: Final = 2_900
BUTTONS_IN_ROW: Final = 5


def size(text: str) -> int:
    """The length of `text` as Slack counts it: characters beyond the basic plane (most emoji) are two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
