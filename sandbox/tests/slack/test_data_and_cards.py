"""The shapes of the newer blocks: what is refused, and where it is wrong."""

from __future__ import annotations

import pytest
from omnibot_sandbox.slack.blocks import validate_message
from omnibot_sandbox.slack.reading import visible_text
from omnibot_sandbox.slack.views import validate_view

from sandbox.tests.slack.builders import (
    alert,
    button,
    card,
    chart,
    container,
    data_table,
    home,
    image,
    markdown,
    modal,
    option,
    pie,
    plain,
    plan,
    question,
    raw,
    rich_text,
    section,
    table,
    task,
)

NUMBER = {"type": "raw_number", "value": 1.5, "text": "1.5"}
WORDS = rich_text("section", {"type": "text", "text": "words"})
ACTION = {"type": "action_cell", "element": button(action_id="a"), "fallback": raw("Go")}


def axis(**over):
    block = chart()
    block["chart"]["axis_config"] |= over
    return block


def series(*names, labels=("c0", "c1")):
    block = chart()
    data = [{"label": label, "value": 1} for label in labels]
    block["chart"]["series"] = [{"name": name, "data": data} for name in names]
    return block


def points(value):
    block = pie()
    block["chart"]["segments"] = [{"label": "l", "value": value}]
    return block


@pytest.mark.parametrize(
    "block",
    [
        data_table(rows=201, cells=2, page_size=1, row_header_column_index=1),
        {**data_table(), "rows": [[raw(), NUMBER, raw()], [WORDS, NUMBER, ACTION]]},
        table(),
        {**table(), "rows": [[None, NUMBER, WORDS]]},
        pie(12),
        chart("area", series=12, categories=20, x_label="x", y_label="y"),
        series("one", labels=("c1", "c0")),
        task(details=WORDS, output=WORDS, sources=[], hide_title=True),
        plan(),
        plan(task(), {"task_id": "2", "title": "t", "status": "error"}),
        card(icon=image(), actions=[button(), button()]),
        {"type": "card", "hero_image": {"type": "image", "slack_file": {"id": "F012345678"}, "alt_text": "a"}},
        {"type": "card", "body": plain("words"), "slack_icon": {"type": "icon", "name": "rocket"}},
        {"type": "carousel", "elements": [card(block_id="1"), card(block_id="2")]},
        container(section(), table(), WORDS, question(), width="full", icon=image(), has_header_divider=True),
        {"type": "container", "rich_text_title": WORDS, "child_blocks": [section()]},
        {"type": "file", "external_id": "x", "source": "remote"},
    ],
)
def test_the_newer_blocks_are_taken(block):
    assert validate_message([block], "words") == []


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({**data_table(), "caption": ""}, "/blocks/0/caption"),
        ({"type": "data_table", "rows": [[raw()], [raw()]]}, "/blocks/0"),
        (data_table(rows=1), "/blocks/0/rows"),
        ({**data_table(), "rows": [[raw()], [raw(), raw()]]}, "/blocks/0/rows/1"),
        ({**data_table(), "rows": [[raw()], []]}, "/blocks/0/rows/1"),
        ({**data_table(), "rows": [[raw()], [None]]}, "/blocks/0/rows/1/0"),
        ({**data_table(), "rows": [[raw()], None]}, "/blocks/0/rows/1"),
        ({**data_table(), "rows": [[WORDS], [raw()]]}, "/blocks/0/rows/0/0/type"),
        ({**data_table(), "rows": [[ACTION], [raw()]]}, "/blocks/0/rows/0/0/type"),
        ({**data_table(), "rows": [[raw()], [{**ACTION, "fallback": WORDS}]]}, "/blocks/0/rows/1/0/fallback/type"),
        ({**data_table(), "rows": [[raw()], [{**ACTION, "element": image()}]]}, "/blocks/0/rows/1/0/element/type"),
        ({**data_table(), "rows": [[raw()], [{**NUMBER, "value": "1"}]]}, "/blocks/0/rows/1/0/value"),
        (data_table(page_size=0), "/blocks/0/page_size"),
        (data_table(page_size="5"), "/blocks/0/page_size"),
        (data_table(row_header_column_index=1), "/blocks/0/row_header_column_index"),
        ({**table(), "rows": [[ACTION]]}, "/blocks/0/rows/0/0/type"),
        ({"type": "data_visualization", "title": "t"}, "/blocks/0"),
        ({**pie(), "chart": {"type": "donut"}}, "/blocks/0/chart/type"),
        ({**pie(), "chart": {"type": "pie"}}, "/blocks/0/chart"),
        (points(0), "/blocks/0/chart/segments/0/value"),
        (points("1"), "/blocks/0/chart/segments/0/value"),
        (points(float("nan")), "/blocks/0/chart/segments/0/value"),
        ({**chart(), "chart": {"type": "bar", "series": []}}, "/blocks/0/chart"),
        (axis(categories=["c0", "c0"]), "/blocks/0/chart/axis_config/categories/1"),
        (axis(categories=["c0", ""]), "/blocks/0/chart/axis_config/categories/1"),
        (axis(categories=["c0"]), "/blocks/0/chart/series/0/data"),
        (axis(categories="c0"), "/blocks/0/chart/axis_config/categories"),
        (series("one", "one"), "/blocks/0/chart/series/1/name"),
        (series("one", labels=("c0", "c2")), "/blocks/0/chart/series/0/data"),
        (series("one", labels=("c0",)), "/blocks/0/chart/series/0/data"),
        (series(), "/blocks/0/chart/series"),
        (task(status="completed"), "/blocks/0/status"),
        (task(details="words"), "/blocks/0/details"),
        (task(sources=[{"type": "url", "url": "https://x.test"}]), "/blocks/0/sources/0"),
        ({"type": "task_card", "task_id": "1", "title": "t"}, "/blocks/0"),
        (plan(section()), "/blocks/0/tasks/0/type"),
        (plan(task(), task()), "/blocks/0/tasks/1/task_id"),
        ({"type": "plan", "tasks": [task()]}, "/blocks/0"),
        ({"type": "card", "subtitle": plain("x")}, "/blocks/0"),
        (card(actions=[{"type": "overflow", "options": [option()]}]), "/blocks/0/actions/0/type"),
        (card(actions=[button(action_id="a"), button(action_id="a")]), "/blocks/0/actions/1/action_id"),
        (card(icon=image(), slack_icon={"type": "icon", "name": "bot"}), "/blocks/0"),
        (card(slack_icon={"type": "icon", "name": "unicorn"}), "/blocks/0/slack_icon/name"),
        (card(hero_image="https://x.test/i.png"), "/blocks/0/hero_image"),
        ({"type": "carousel", "elements": [section()]}, "/blocks/0/elements/0/type"),
        ({"type": "carousel", "elements": []}, "/blocks/0/elements"),
        ({"type": "container", "child_blocks": [section()]}, "/blocks/0"),
        ({"type": "container", "title": plain("t"), "child_blocks": []}, "/blocks/0/child_blocks"),
        (container(width="huge"), "/blocks/0/width"),
        (container({"type": "section"}), "/blocks/0/child_blocks/0"),
        ({"type": "file", "external_id": "x", "source": "local"}, "/blocks/0/source"),
    ],
)
def test_malformed_data_and_cards_are_refused_where_they_are_wrong(block, pointer):
    problems = validate_message([block], "words")
    assert {problem.code for problem in problems} == {"invalid_blocks"}
    assert pointer in [problem.pointer for problem in problems]


@pytest.mark.parametrize(
    "block", [markdown("x"), card(), {"type": "carousel", "elements": [card()]}, data_table(), pie(), container()]
)
def test_a_container_holds_no_markdown_cards_data_or_containers(block):
    problem = validate_message([container(block)], "words")[0]
    assert problem.message == f"unsupported type: {block['type']}"
    assert problem.pointer == "/blocks/0/child_blocks/0/type"


@pytest.mark.parametrize(
    ("block", "modals", "homes"),
    [
        (alert(), True, False),
        (card(), True, True),
        (question(), True, True),
        ({"type": "carousel", "elements": [card()]}, False, True),
        (container(), False, True),
        (table(), False, True),
        (data_table(), False, True),
        (pie(), False, False),
        (plan(), False, False),
        (task(), False, False),
        (markdown("x"), False, False),
    ],
)
def test_each_view_takes_its_own_blocks(block, modals, homes):
    assert (validate_view(modal(block)) == []) is modals
    assert (validate_view(home(block)) == []) is homes
    assert (validate_message([block], "words") == []) is (block["type"] != "alert")


def test_a_message_has_one_table_wherever_it_stands():
    problems = validate_message([table(), container(table())], "words")
    assert [(problem.code, problem.message) for problem in problems] == [
        ("invalid_attachments", "only_one_table_allowed")
    ]
    assert validate_message([data_table(), data_table(), container(table())], "words") == []


def test_data_tables_have_limits_beyond_what_other_blocks_may_say():
    assert validate_message([data_table(text="x" * 19_999)], "words") == []
    problems = validate_message([section(text=plain("x" * 3_000)), *[markdown("x" * 2_600)] * 4], "words")
    assert [problem.code for problem in problems] == ["msg_blocks_too_long"]


def test_people_read_the_newer_blocks():
    blocks = [
        {**data_table(), "rows": [[raw("Name"), raw("Do")], [NUMBER, ACTION]]},
        pie(label="cash"),
        chart(categories=1),
        plan(task(details=WORDS)),
        container(section(), subtitle=plain("below")),
        {"type": "carousel", "elements": [card(actions=[button()])]},
        alert(),
        question({"type": "radio_buttons", "options": [option("Yes")]}, hint=plain("think")),
    ]
    assert visible_text("", blocks, {}).split("\n") == [
        *("c", "Name | Do", "1.5 | Go"),
        *("t", "cash 1.5"),
        *("t", "s0: c0 -1"),
        *("t", "t", "words"),
        *("t", "below", "words"),
        *("t", "Go"),
        "words",
        *("L", "think", "Yes"),
    ]
