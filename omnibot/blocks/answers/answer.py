"""Omni's finished answer as Slack messages; progress is in progress.py, short notices in messages.py."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from omnibot.blocks.answers.buttons import button_units, tools_units
from omnibot.blocks.answers.feedback import feedback_block
from omnibot.blocks.answers.paging import pages
from omnibot.blocks.layout.builders import context, escaped_parts, live_mention, markdown, section
from omnibot.blocks.layout.tables import segments, table_units
from omnibot.blocks.layout.types import Block, Button, Page
from omnibot.blocks.markdown.render import safe, split

AI_NOTICE: Final = "Omni AI can be wrong. This is not investment advice."
NO_WORDS: Final = "Omni AI sent no words."


#: Blocks that are kept together.
Unit = list[Block]


def answer_pages(
    *,
    content: Sequence[str | Unit],
    buttons: Sequence[Button],
    notices: Sequence[str] = (),
    mention: str | None = None,
    footer: str = AI_NOTICE,
    outcome_line: str | None = None,
    outcome_by: str | None = None,
    tools: Sequence[Button] = (),
    more_tools: Sequence[Block] = (),
    feedback: str | None = None,
) -> list[Page]:
    """The whole answer, every word of it, in as many messages as it takes.

    Args:
        content: what Omni said, in order: text as it came, and what else there is as blocks.
        buttons: its suggestions, in order; a page of their own when the last page of words is full.
        notices: plain sentences of ours about the answer.
        mention: a verified user id the first page addresses, so that Slack tells that person.
        footer: ends the last page.
        outcome_line: how it ended if not well, in plain words, "⏹ Stopped by" say; nothing in it is live.
        outcome_by: a verified user id to stand live behind `outcome_line`.
        tools: what can be done with the answer: ask again, take its data away.
        more_tools: buttons that stand beside those, and mean the same below any answer.
        feedback: token of the answer, when it can be rated.
    """
    units = _content_units(content)
    if not units and not buttons and not outcome_line:
        units.append([section(NO_WORDS)])
    if address := live_mention(mention):
        # Kept with what follows: a mention alone on a page says nothing.
        units[:1] = [[section(address), *(units[0] if units else [])]]
    for notice in notices:
        units.extend([context(part)] for part in escaped_parts(notice))
    units.extend([section(part)] for part in _outcome(outcome_line, outcome_by))
    units.extend(button_units(buttons))
    units.extend(tools_units(tools, more_tools))
    end = [feedback_block(feedback)] if feedback else []
    return pages(units, footer=[*end, *(context(part) for part in escaped_parts(footer)[:1])])


def _content_units(content: Sequence[str | Unit]) -> list[Unit]:
    """Text that belongs together as one, its tables as Slack's own, and the rest in its place."""
    units: list[Unit] = []
    short = True
    for is_text, group in groupby(content, key=lambda item: isinstance(item, str)):
        if not is_text:
            units.extend(unit for unit in group if isinstance(unit, list) and unit)
            continue
        text = "\n\n".join(item for item in group if isinstance(item, str) and item.strip())
        for segment in segments(safe(text)):
            made = [] if isinstance(segment, str) else table_units(segment, short=short)
            if made:
                short = short and made[0][0]["type"] != "table"
                units.extend(made)
            else:
                source = segment if isinstance(segment, str) else segment.source
                units.extend([markdown(piece)] for piece in split(source))
    return units


def _outcome(line: str | None, by: str | None) -> list[str]:
    parts = escaped_parts(line or "")
    if parts and (person := live_mention(by)):
        parts[-1] = f"{parts[-1]} {person}"
    return parts
