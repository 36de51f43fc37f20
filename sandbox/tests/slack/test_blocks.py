"""The shapes of Block Kit: what is refused, and where it is wrong."""

from __future__ import annotations

import pytest
from omnibot_sandbox.slack.blocks import validate_message
from omnibot_sandbox.slack.markdown_items import items

from sandbox.tests.slack.builders import actions, button, image, markdown, plain, rich_text, section, table


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({"type": "hologram"}, "/blocks/0/type"),
        ({}, "/blocks/0"),
        ("divider", "/blocks/0"),
        ({"type": "divider", "text": "x"}, "/blocks/0"),
        ({"type": "section"}, "/blocks/0"),
        (section(text=plain("")), "/blocks/0/text/text"),
        (section(text="words"), "/blocks/0/text"),
        (section(accessory={"type": "plain_text_input"}), "/blocks/0/accessory/type"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "/blocks/0/text/type"),
        (actions(), "/blocks/0/elements"),
        (actions(button(style="default")), "/blocks/0/elements/0/style"),
        (actions(button(text={"type": "mrkdwn", "text": "x"})), "/blocks/0/elements/0/text/type"),
        (actions(button(colour="red")), "/blocks/0/elements/0"),
        (actions(button(url="nowhere")), "/blocks/0/elements/0/url"),
        (actions(button(value="")), "/blocks/0/elements/0/value"),
        (actions(button(action_id="a"), button(action_id="a")), "/blocks/0/elements/1/action_id"),
        (actions({"type": "image", "image_url": "https://x.test", "alt_text": "x"}), "/blocks/0/elements/0/type"),
        ({"type": "context", "elements": [button()]}, "/blocks/0/elements/0/type"),
        ({"type": "context_actions", "elements": [button()]}, "/blocks/0/elements/0/type"),
        (markdown(""), "/blocks/0/text"),
        ({"type": "image", "alt_text": "x"}, "/blocks/0"),
        (image(slack_file={"id": "F012345678"}), "/blocks/0"),
        (table(text=""), "/blocks/0/rows/0/0/text"),
        (table(rows=0), "/blocks/0/rows"),
        (rich_text("section"), "/blocks/0/elements/0/elements"),
        (rich_text("quote", {"type": "text", "text": ""}), "/blocks/0/elements/0/elements/0/text"),
        (rich_text("section", {"type": "text", "text": "x", "size": 7}), "/blocks/0/elements/0/elements/0"),
        (rich_text("section", {"type": "blink", "text": "x"}), "/blocks/0/elements/0/elements/0/type"),
        (rich_text("list"), "/blocks/0/elements/0"),
    ],
)
def test_malformed_blocks_are_refused_where_they_are_wrong(block, pointer):
    problems = validate_message([block], "words")
    assert {problem.code for problem in problems} == {"invalid_blocks"}
    assert pointer in [problem.pointer for problem in problems]


def test_block_ids_are_unique_in_a_message():
    twice = [{"type": "divider", "block_id": "a"}] * 2
    problem = validate_message(twice, "")[0]
    assert (problem.message, problem.pointer) == ('`block_id` "a" already exists', "/blocks/1/block_id")


def test_a_message_says_something():
    assert [problem.code for problem in validate_message([], " ")] == ["no_text"]
    assert validate_message([], "x") == []


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", []),
        ("one\n\ntwo\n- three", ["text"]),
        ("# A\nx\n## B\ny\n\nz", ["heading", "text", "heading", "text"]),
        ("a\n\n---\n\nb\n***", ["text", "divider", "text", "divider"]),
        ("a\n---\nb", ["heading", "text"]),
        ("x\n\na\n---", ["text", "heading"]),
        ("```\n# no\n---\n|a|b|\n|-|-|\n```", ["text"]),
        ("````\n```\n# no\n````\n# yes", ["text", "heading"]),
        ("|a|b|\n|-|:-:|\n|1|2|\n\nafter", ["table", "text"]),
        ("a | b\n--|--\n1 | 2\n# H", ["table", "heading"]),
        ("a | b\n---\n", ["heading"]),
        ("#hashtag", ["text"]),
    ],
)
def test_markdown_expands(text, kinds):
    assert items(text) == kinds


def test_markdown_counts_with_what_it_expands_to():
    headings = "\n".join(["# h"] * 49)
    assert validate_message([markdown(headings), {"type": "divider"}], "") == []
    problems = validate_message([markdown(headings + "\nx"), {"type": "divider"}], "")
    assert problems[0].line == "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"
