"""Omni's markdown as Slack's `markdown` block renders it safely: the rules, gathered from the files that hold them.

safety.py       what pings nobody and decodes to nothing else
links.py        what leads where it says (addresses.py: where that is)
splitting.py    what fits into one message
plain.py        what a notification or a screen reader says
"""

from __future__ import annotations

from omnibot.blocks.markdown.escaping import break_tokens, decode, escape, neutralise, pings
from omnibot.blocks.markdown.lines import count_items, count_tables
from omnibot.blocks.markdown.links import rewrite_links
from omnibot.blocks.markdown.plain import plain_text
from omnibot.blocks.markdown.splitting import split

__all__ = [
    "count_items",
    "count_tables",
    "escape",
    "neutralise",
    "pings",
    "plain_text",
    "rewrite_links",
    "safe",
    "split",
]


def safe(text: str) -> str:
    """`text`, markdown of a model, ready for a `markdown` block of any length.

    Entities first, so that no link hides in them; tokens last, so that no rewritten link makes one.
    """
    return break_tokens(rewrite_links(decode(text)))
