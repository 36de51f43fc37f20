"""Would Slack take this page? Our own reading of the limits, and the emulator's."""

from __future__ import annotations

from typing import Any

from omnibot_sandbox.slack.blocks import validate_message

from omnibot.blocks import limits
from omnibot.blocks.layout.types import Page
from omnibot.blocks.limits import size
from omnibot.blocks.markdown.render import count_items, count_tables, pings


def check(page: Page) -> None:
    """Fail with what is wrong."""
    assert validate_message(page.blocks, page.text) == []
    assert 0 < size(page.text) <= limits.FALLBACK_TEXT
    assert 0 < len(page.blocks) <= limits.BLOCKS
    markdown = [block["text"] for block in page.blocks if block["type"] == "markdown"]
    assert sum(map(size, markdown)) <= limits.MARKDOWN_TEXT
    assert len(page.blocks) - len(markdown) + sum(map(count_items, markdown)) <= limits.EXPANDED_ITEMS
    assert sum(map(count_tables, markdown)) <= limits.TABLES
    assert sum(size(text) for text in strings(page.blocks)) <= limits.BLOCK_TEXT
    ids = [element["action_id"] for element in elements(page)]
    assert len(ids) == len(set(ids))
    for block in page.blocks:
        if block["type"] == "section":
            assert 0 < size(block["text"]["text"]) <= limits.SECTION_TEXT
    for element in elements(page):
        assert 0 < size(element["text"]["text"]) <= limits.BUTTON_TEXT
        assert 0 < size(element["value"]) <= limits.BUTTON_VALUE


def elements(page: Page) -> list[dict[str, Any]]:
    """The page's buttons."""
    return [element for block in page.blocks if block["type"] == "actions" for element in block["elements"]]


def strings(value: Any) -> list[str]:
    """Every text of a page, of its buttons too, in order."""
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if isinstance(value.get("text"), str) else []
    return own + [text for inner in value.values() if isinstance(inner, list | dict) for text in strings(inner)]


def live(pages: list[Page], *people: str) -> list[str]:
    """The texts of `pages`, fallbacks included, in which somebody else than `people` (user ids) is pinged."""
    texts = [text for page in pages for text in [*strings(page.blocks), page.text]]
    for person in people:
        texts = [text.replace(f"<@{person}>", "") for text in texts]
    return [text for text in texts if pings(text)]
