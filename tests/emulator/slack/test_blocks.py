"""The limits of Block Kit, at the edge and one past it."""

from __future__ import annotations

from typing import Any

import pytest

from omnibot.emulator.slack.blocks import LIMITS, validate_message
from omnibot.emulator.slack.markdown_items import items


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(**over: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Go"), **over}


def section(**over: Any) -> dict[str, Any]:
    return {"type": "section", "text": plain("words"), **over}


def actions(*elements: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def option(text: str = "o", value: str = "v", **more: Any) -> dict[str, Any]:
    return {"text": plain(text), "value": value, **more}


def overflow(*options: Any) -> dict[str, Any]:
    return {"type": "overflow", "options": list(options)}


def select(**over: Any) -> dict[str, Any]:
    return {"type": "static_select", "options": [option()], **over}


def confirm(**over: Any) -> dict[str, Any]:
    texts = {name: plain(name) for name in ("title", "text", "confirm", "deny")}
    return actions(button(confirm={**texts, **over}))


def feedback(text: str = "Good", value: str = "v") -> dict[str, Any]:
    one = {"text": plain(text), "value": value}
    element = {"type": "feedback_buttons", "positive_button": one, "negative_button": one}
    return {"type": "context_actions", "elements": [element]}


def image(**over: Any) -> dict[str, Any]:
    return {"type": "image", "image_url": "https://x.test/i.png", "alt_text": "a", **over}


def markdown(text: str) -> dict[str, Any]:
    return {"type": "markdown", "text": text}


def table(rows: int = 1, cells: int = 1, text: str = "x") -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * cells] * rows}


def rich_text(part: str, *inline: Any) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": f"rich_text_{part}", "elements": list(inline)}]}


def url(length: int) -> str:
    return "https://x.test/".ljust(length, "u")


#: name of the limit → blocks that use n of it
EDGES = {
    "message.blocks": lambda n: [{"type": "divider"}] * n,
    "message.markdown": lambda n: [markdown("x" * 5_000), markdown("x" * (n - 5_000))],
    "message.text in blocks": lambda n: [markdown("x" * 11_000), section(text=plain("x" * (n - 11_000)))],
    "message.tables": lambda n: [table()] * (n - 1) + [markdown("|a|\n|-|\n|b|")],
    "message.table text": lambda n: [table(text="x" * n)],
    "block_id": lambda n: [{"type": "divider", "block_id": "x" * n}],
    "action_id": lambda n: [actions(button(action_id="x" * n))],
    "section.text": lambda n: [section(text=plain("x" * n))],
    "section.fields": lambda n: [section(fields=[plain("x")] * n)],
    "section.field": lambda n: [section(fields=[plain("x" * n)])],
    "header.text": lambda n: [{"type": "header", "text": plain("x" * n)}],
    "context.elements": lambda n: [{"type": "context", "elements": [plain("x")] * n}],
    "actions.elements": lambda n: [actions(*[button()] * n)],
    "context_actions.elements": lambda n: [{"type": "context_actions", "elements": feedback()["elements"] * n}],
    "image.image_url": lambda n: [image(image_url=url(n))],
    "image.alt_text": lambda n: [image(alt_text="x" * n)],
    "image.title": lambda n: [image(title=plain("x" * n))],
    "table.rows": lambda n: [table(rows=n)],
    "table.cells in a row": lambda n: [table(cells=n)],
    "button.text": lambda n: [actions(button(text=plain("x" * n)))],
    "button.value": lambda n: [actions(button(value="x" * n))],
    "button.url": lambda n: [actions(button(url=url(n)))],
    "button.accessibility_label": lambda n: [actions(button(accessibility_label="x" * n))],
    "feedback.text": lambda n: [feedback(text="x" * n)],
    "feedback.value": lambda n: [feedback(value="x" * n)],
    "overflow.options": lambda n: [actions(overflow(*[option()] * n))],
    "select.options": lambda n: [actions(select(options=[option()] * n))],
    "select.option_groups": lambda n: [
        actions({"type": "static_select", "option_groups": [{"label": plain("l"), "options": [option()]}] * n})
    ],
    "select.placeholder": lambda n: [actions(select(placeholder=plain("x" * n)))],
    "option.text": lambda n: [actions(select(options=[option(text="x" * n)]))],
    "option.value": lambda n: [actions(select(options=[option(value="x" * n)]))],
    "option.description": lambda n: [actions(select(options=[option(description=plain("x" * n))]))],
    "option_group.label": lambda n: [
        actions({"type": "static_select", "option_groups": [{"label": plain("x" * n), "options": [option()]}]})
    ],
    "confirm.title": lambda n: [confirm(title=plain("x" * n))],
    "confirm.text": lambda n: [confirm(text=plain("x" * n))],
    "confirm.confirm": lambda n: [confirm(confirm=plain("x" * n))],
    "confirm.deny": lambda n: [confirm(deny=plain("x" * n))],
}
CODES = {"message.markdown": "msg_too_long", "message.text in blocks": "msg_blocks_too_long"}


def test_every_limit_has_its_edge():
    assert EDGES.keys() == LIMITS.keys()


@pytest.mark.parametrize("name", LIMITS)
def test_the_limit_holds_and_one_more_is_refused(name):
    assert validate_message(EDGES[name](LIMITS[name]), "") == []
    problems = validate_message(EDGES[name](LIMITS[name] + 1), "")
    assert {problem.code for problem in problems} == {CODES.get(name, "invalid_blocks")}


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({"type": "hologram"}, "/blocks/0"),
        ({}, "/blocks/0"),
        ("divider", "/blocks/0"),
        ({"type": "divider", "text": "x"}, "/blocks/0"),
        ({"type": "section"}, "/blocks/0"),
        (section(text=plain("")), "/blocks/0/text/text"),
        (section(text="words"), "/blocks/0/text"),
        (section(accessory={"type": "datepicker"}), "/blocks/0/accessory"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "/blocks/0/text/type"),
        (actions(), "/blocks/0/elements"),
        (actions(button(style="default")), "/blocks/0/elements/0/style"),
        (actions(button(text={"type": "mrkdwn", "text": "x"})), "/blocks/0/elements/0/text/type"),
        (actions(button(colour="red")), "/blocks/0/elements/0"),
        (actions(button(url="nowhere")), "/blocks/0/elements/0/url"),
        (actions(button(value="")), "/blocks/0/elements/0/value"),
        (actions(button(action_id="a"), button(action_id="a")), "/blocks/0/elements/1"),
        (actions({"type": "image", "image_url": "https://x.test", "alt_text": "x"}), "/blocks/0/elements/0"),
        ({"type": "context", "elements": [button()]}, "/blocks/0/elements/0"),
        ({"type": "context_actions", "elements": [button()]}, "/blocks/0/elements/0"),
        (markdown(""), "/blocks/0/text"),
        ({"type": "image", "alt_text": "x"}, "/blocks/0"),
        (image(slack_file={"id": "F012345678"}), "/blocks/0"),
        (table(text=""), "/blocks/0/rows/0/0/text"),
        (table(rows=0), "/blocks/0/rows"),
        (rich_text("section"), "/blocks/0/elements/0/elements"),
        (rich_text("quote", {"type": "text", "text": ""}), "/blocks/0/elements/0/elements/0/text"),
        (rich_text("section", {"type": "text", "text": "x", "size": 7}), "/blocks/0/elements/0/elements/0"),
        (rich_text("section", {"type": "blink", "text": "x"}), "/blocks/0/elements/0/elements/0"),
        (rich_text("list"), "/blocks/0/elements/0"),
    ],
)
def test_malformed_blocks_are_refused_where_they_are_wrong(block, pointer):
    problems = validate_message([block], "words")
    assert {problem.code for problem in problems} == {"invalid_blocks"}
    assert pointer in [problem.pointer for problem in problems]


def test_block_ids_are_unique_in_a_message():
    twice = [{"type": "divider", "block_id": "a"}] * 2
    assert validate_message(twice, "")[0].line == "[ERROR] already exists: a [json-pointer:/blocks/1]"


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
