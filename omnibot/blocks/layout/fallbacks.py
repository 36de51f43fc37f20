"""Simpler versions of a finished page, for a Slack that refuses its blocks."""

from __future__ import annotations

from typing import Any

from omnibot.blocks.layout.builders import context, section
from omnibot.blocks.layout.tables import plain_cells, text_lines
from omnibot.blocks.layout.types import Page
from omnibot.blocks.limits import size
from omnibot.blocks.markdown.cutting import cut_point
from omnibot.blocks.markdown.escaping import escape
from omnibot.blocks.markdown.render import safe

#: Characters of a question shown above its answer; the rest stands on the button that asked it.
QUESTION = 300
_SECTION = 3_000
_SECTIONS = 5


def with_question(page: Page, *, asker: str, question: str) -> Page:
    """The page below a line that says who asked what."""
    words = " ".join(question.split())
    shown = escape(words if len(words) <= QUESTION else words[: QUESTION - 1] + "…")
    line = {"type": "context", "elements": [{"type": "mrkdwn", "text": f"<@{asker}> asked: {shown}", "verbatim": True}]}
    return Page(blocks=[line, *page.blocks], text=page.text)


def asked_line(question: str) -> str:
    """The question in markdown, to stand above a stream, which shows nothing but markdown."""
    words = " ".join(question.split())
    shown = safe(words if len(words) <= QUESTION else words[: QUESTION - 1] + "…")
    return f"> {shown}\n\n" if shown else ""


def older_page(page: Page) -> Page:
    """The same without the newest blocks, which Slack rolls out by and by: tables as text, charts as words."""
    return Page(blocks=[older for block in page.blocks for older in _older(block)], text=page.text)


def _older(block: dict[str, Any]) -> list[dict[str, Any]]:
    kind = block.get("type")
    if kind in ("data_visualization", "context_actions"):
        return []  # a chart's words stand below it; thumbs are no loss
    if kind == "card":
        lines = [block[name]["text"] for name in ("title", "subtitle", "body") if name in block]
        buttons = [{"type": "actions", "elements": block["actions"]}] if "actions" in block else []
        return [section("\n".join(lines)), *buttons]
    if kind == "container":
        return [context(escape(str(block["title"]["text"]))), *block["child_blocks"]]
    if kind == "image":
        return [context(escape(str(block["alt_text"])[:1_500]))]
    if block.get("type") not in ("table", "data_table"):
        return [block]
    caption = block.get("caption")
    lines = text_lines(plain_cells(block))
    text = {"type": "text", "text": "\n".join(lines)}
    return [
        *([context(escape(caption))] if caption else []),
        {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [text]}]},
    ]


def plain_page(page: Page) -> Page:
    """The same words without markdown, the same buttons: for when Slack refuses the rich version."""
    blocks: list[dict[str, Any]] = []
    for block in older_page(page).blocks:
        blocks += _sections(str(block.get("text", ""))) if block.get("type") == "markdown" else [block]
    return Page(blocks=blocks, text=page.text)


def words_only(page: Page) -> Page:
    """Nothing but words, the buttons' labels among them: the last resort."""
    words = "\n".join(_words(page.blocks))
    return Page(blocks=_sections(words) or _sections(page.text), text=page.text)


def _sections(text: str) -> list[dict[str, Any]]:
    chunks: list[str] = []
    while text and len(chunks) < _SECTIONS:
        cut = cut_point(text, _SECTION) if size(text) > _SECTION else len(text)
        chunks.append(text[:cut])
        text = text[cut:]
    return [
        {"type": "section", "text": {"type": "plain_text", "text": chunk, "emoji": False}}
        for chunk in chunks
        if chunk.strip()
    ]


def _words(value: Any) -> list[str]:
    """Every text in a page's blocks, in order."""
    if isinstance(value, list):
        return [line for item in value for line in _words(item)]
    if not isinstance(value, dict):
        return []
    if value.get("type") in ("table", "data_table"):
        return [*([str(value["caption"])] if "caption" in value else []), *text_lines(plain_cells(value))]
    text = value.get("text")
    if isinstance(text, str):
        return [text]
    return [line for key in ("text", "fields", "elements", "accessory") if key in value for line in _words(value[key])]
