"""Omni's answer as Slack messages: while it grows, and when it is there.

The short messages around an answer (errors, the root post, help) are in messages.py and can be had from here too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from omnibot.blocks.buttons import button_units, retry_unit
from omnibot.blocks.limits import FALLBACK_TEXT, PIECE_TEXT
from omnibot.blocks.markdown import plain_text, safe, split
from omnibot.blocks.messages import help_page, notice_page, one_line_page, root_page
from omnibot.blocks.paging import pages
from omnibot.blocks.parts import context, escaped_parts, fallback, live_mention, markdown, one_line, section
from omnibot.blocks.safety import escape
from omnibot.blocks.values import Block, Button, Page

__all__ = ["AI_NOTICE", "answer_pages", "help_page", "notice_page", "one_line_page", "progress_page", "root_page"]

AI_NOTICE: Final = "Omni AI can be wrong. This is not investment advice."
NO_WORDS: Final = "Omni AI sent no words."
WORKING: Final = "Working on it…"
MORE: Final = "… more is coming"

#: Thinking lines shown, and how much of each: what was thought before is of no use to anybody.
_THOUGHTS: Final = 6
_THOUGHT_TEXT: Final = 300
#: Room for a growing answer beside its thinking lines, and how much of it is looked at to fill that.
_GROWING: Final = PIECE_TEXT - 2_500
_LOOKED_AT: Final = 2 * PIECE_TEXT
#: A link, image or entity whose end has not arrived yet.
_UNFINISHED: Final = re.compile(
    r"(?:!?\[[^\[\]\n]{0,300}(?:\](?:\([^()\s]{0,2000})?)?|<[^<>\s]{0,2000}|&[#\w]{0,31})\Z"
)


def answer_pages(
    *,
    texts: Sequence[str],
    buttons: Sequence[Button],
    notices: Sequence[str] = (),
    mention: str | None = None,
    footer: str = AI_NOTICE,
    outcome_line: str | None = None,
    outcome_by: str | None = None,
    retry: Button | None = None,
) -> list[Page]:
    """The whole answer, every word of it, in as many messages as it takes.

    Args:
        texts: Omni's text parts, in order, as they came.
        buttons: its suggestions, in order; a page of their own when the last page of words is full.
        notices: plain sentences of ours about the answer.
        mention: a verified user id the first page addresses, so that Slack tells that person.
        footer: ends the last page.
        outcome_line: how it ended if not well, in plain words, "⏹ Stopped by" say; nothing in it is live.
        outcome_by: a verified user id to stand live behind `outcome_line`.
        retry: offers to ask again.
    """
    words = split(safe("\n\n".join(text for text in texts if text.strip())))
    units: list[list[Block]] = [[markdown(piece)] for piece in words]
    if not words and not buttons and not outcome_line:
        units.append([section(NO_WORDS)])
    if address := live_mention(mention):
        # Kept with what follows: a mention alone on a page says nothing.
        units[:1] = [[section(address), *(units[0] if units else [])]]
    for notice in notices:
        units.extend([context(part)] for part in escaped_parts(notice))
    units.extend([section(part)] for part in _outcome(outcome_line, outcome_by))
    units.extend(button_units(buttons))
    if retry is not None:
        units.append(retry_unit(retry))
    return pages(units, footer=[context(part) for part in escaped_parts(footer)[:1]])


def progress_page(
    *, thoughts: Sequence[str], text: str, elapsed: float | None = None, waiting: str | None = None
) -> Page:
    """What is shown while Omni works: one message, whatever there is.

    Args:
        thoughts: Omni's thinking so far, oldest first; the last few are shown.
        text: the answer so far, as it came; when it outgrows the message its beginning stays.
        elapsed: seconds since the question, shown in whole ones.
        waiting: what it waits for, in plain words, instead of "Working on it…".
    """
    status = one_line(waiting or WORKING)
    if elapsed is not None:
        status += f" · {_duration(elapsed)}"
    lines = [_cut(line, _THOUGHT_TEXT) for line in map(one_line, thoughts) if line][-_THOUGHTS:]
    blocks: list[Block] = [context("\n".join(map(escape, [_cut(status, _THOUGHT_TEXT), *lines])))]
    pieces = split(safe(_settled(text[:_LOOKED_AT])), limit=_GROWING)
    if pieces:
        blocks.append(markdown(pieces[0]))
    if len(pieces) > 1 or len(text) > _LOOKED_AT:
        blocks.append(context(MORE))
    words = plain_text(pieces[0], FALLBACK_TEXT) if pieces else ""
    return Page(blocks, words or fallback(" ".join([status, *lines[-1:]]), FALLBACK_TEXT))


def _outcome(line: str | None, by: str | None) -> list[str]:
    parts = escaped_parts(line or "")
    if parts and (person := live_mention(by)):
        parts[-1] = f"{parts[-1]} {person}"
    return parts


def _cut(line: str, limit: int) -> str:
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(int(seconds), 0), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _settled(text: str) -> str:
    """`text` without what only looks right once more of it is there: half a link, a table without its first row."""
    text = _UNFINISHED.sub("", text)
    if text.endswith("\n\n"):
        return text
    lines = text.removesuffix("\n").split("\n")
    begin = len(lines)
    while begin > 0 and lines[begin - 1].lstrip().startswith("|"):
        begin -= 1
    rows = len(lines) - begin
    if rows and not text.endswith("\n"):
        rows -= 1  # the last row is still being written
    return "\n".join(lines[: begin + rows] if rows > 2 else lines[:begin])
