"""How streamed markdown comes back as blocks and as text."""

from __future__ import annotations

from typing import Any

import pytest
from omnibot_sandbox.slack.blocks import validate_message
from omnibot_sandbox.slack.read_back import as_text, split


def runs(text: str) -> list[dict[str, Any]]:
    """The inline elements of one paragraph."""
    ((part,),) = (block["elements"] for block in split(text, "b"))
    elements: list[dict[str, Any]] = part["elements"]
    return elements


def test_paragraphs_share_a_section_with_blank_lines_between():
    (block,) = split("one\n\ntwo\nthree", "b")
    assert block["block_id"] == "b0"
    assert [e["text"] for e in block["elements"][0]["elements"]] == ["one", "\n\n", "two\nthree"]


def test_styles_nest():
    assert runs("a **b *c*** ~~d~~ `e`") == [
        {"type": "text", "text": "a "},
        {"type": "text", "text": "b ", "style": {"bold": True}},
        {"type": "text", "text": "c", "style": {"bold": True, "italic": True}},
        {"type": "text", "text": " "},
        {"type": "text", "text": "d", "style": {"strike": True}},
        {"type": "text", "text": " "},
        {"type": "text", "text": "e", "style": {"code": True}},
    ]


@pytest.mark.parametrize(
    ("token", "element"),
    [
        ("<!channel>", {"type": "broadcast", "range": "channel"}),
        ("<@U0ANA00001>", {"type": "user", "user_id": "U0ANA00001"}),
        ("<https://x.test/|a_b>", {"type": "link", "url": "https://x.test/", "text": "a_b"}),
    ],
)
def test_tokens_in_markdown_are_live_and_escaped_ones_are_not(token, element):
    assert runs(f"ping {token}")[1] == element
    assert as_text(split(f"ping {token}", "b")) == f"ping {token}"
    escaped = token.replace("<", "&lt;").replace(">", "&gt;")
    assert [e["type"] for e in runs(f"ping {escaped}")] == ["text"]
    assert as_text(split(f"ping {escaped}", "b")) == f"ping {escaped}"


def test_lists_within_lists_are_lists_of_their_own_further_in():
    (block,) = split("1. one\n   - inner\n2. two", "b")
    shapes = [(p["style"], p["indent"], p.get("offset", 0)) for p in block["elements"]]
    assert shapes == [("ordered", 0, 0), ("bullet", 1, 0), ("ordered", 0, 1)]
    assert as_text([block]) == "1. one\n    • inner\n2. two"


def test_headings_rules_and_tables_stand_alone():
    blocks = split("# One\n\ntext\n\n---\n\n|a|\n|-|\n|**b**|\n||\n", "b")
    assert [block["type"] for block in blocks] == ["header", "rich_text", "divider", "table"]
    cells = [row[0] for row in blocks[3]["rows"]]
    assert (cells[0], cells[1]["type"], cells[2]) == ({"type": "raw_text", "text": "a"}, "rich_text", None)


def test_a_heading_too_long_for_a_header_is_text():
    (block,) = split("# " + "x" * 151, "b")
    assert block["type"] == "rich_text"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "# ",
        "> ",
        "-",
        "```\n",
        "```py\ncode",
        "- [ ] task\n-\n- x",
        "![](http://x.test/i.png)",
        "[](http://x.test)",
        "| |\n|-|\n| |",
        "> # quoted\n> - list\n>\n> ```\n> code\n> ```",
        "[a](" * 50,
        "**Note:**text & <b>html</b>",
    ],
)
def test_whatever_is_streamed_slack_would_take_what_it_reads_back(text):
    blocks = split(text, "b")
    assert validate_message(blocks, "words") == []
    as_text(blocks)


def test_the_text_field_names_tasks_after_the_words():
    task = {"type": "task_card", "task_id": "t", "title": "Quotes", "status": "complete"}
    plan = {"type": "plan", "title": "Plan", "tasks": [task, {**task, "title": "News"}]}
    assert as_text([task, *split("words", "b"), plan]) == "words Quotes Quotes News"
