"""Tables of Omni's markdown as Slack's own: every cell arrives, numbers line up, and Slack takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot.blocks.answers.answer import answer_pages
from omnibot.blocks.layout.fallbacks import older_page, plain_page, words_only
from omnibot.blocks.layout.tables import Grid, number_of, plain_cells, segments, table_units
from omnibot.blocks.layout.types import Page
from omnibot.blocks.markdown.render import safe
from tests.blocks import hostile_text
from tests.blocks.slack_limits import check, live, strings
from tests.examples import examples

SMALL = "Before\n\n## Prices\n\n| Name | Last |\n|---|---:|\n| **AAPL** | $187.50 |\n| AMD | -1.25% |\n\nAfter"


def table(rows: int, columns: int = 3, cell: str = "cell") -> str:
    header = "| " + " | ".join(f"Column {n}" for n in range(columns)) + " |"
    rule = "|" + "---|" * columns
    body = ["| " + " | ".join(f"{cell} {row}.{n}" for n in range(columns)) + " |" for row in range(rows)]
    return "\n".join([header, rule, *body])


def pages_of(text: str) -> list[Page]:
    return answer_pages(content=[text], buttons=[])


def test_a_short_table_stands_between_its_words_with_numbers_to_the_right():
    [page] = pages_of(SMALL)

    assert [block["type"] for block in page.blocks] == ["markdown", "table", "markdown", "context"]
    found = page.blocks[1]
    assert [setting["align"] for setting in found["column_settings"]] == ["left", "right"]
    assert plain_cells(found) == [["Name", "Last"], ["AAPL", "$187.50"], ["AMD", "-1.25%"]]


def test_a_long_table_pages_and_sorts_by_number():
    [page] = pages_of("## Peers\n\n" + table(40, cell="").replace(" 0.", " 1."))
    found = next(block for block in page.blocks if block["type"] == "data_table")

    assert (found["caption"], found["page_size"], len(found["rows"])) == ("Peers", 10, 41)
    assert found["rows"][1][1]["type"] == "raw_number"
    check(page)


def test_a_second_table_needs_no_second_message():
    [page] = pages_of(f"{table(2)}\n\nand\n\n{table(3)}")

    assert [block["type"] for block in page.blocks] == ["table", "markdown", "data_table", "context"]
    check(page)


def test_a_table_beyond_slacks_limits_goes_on_in_the_next_and_says_which_rows_it_has():
    pages = pages_of(f"## All\n\n{table(450)}")
    tables = [block for page in pages for block in page.blocks if block["type"] == "data_table"]

    assert sum(len(block["rows"]) - 1 for block in tables) == 450
    assert tables[0]["caption"].startswith("All (rows 1–")
    assert tables[-1]["caption"].endswith("of 450)")
    for page in pages:
        check(page)


def test_a_wide_table_is_told_in_several_each_with_the_first_column():
    pages = pages_of(table(2, columns=45))
    tables = [block for page in pages for block in page.blocks if block["type"] == "data_table"]

    assert len(tables) == 3
    assert {plain_cells(block)[1][0] for block in tables} == {"cell 0.0"}
    cells = {cell for block in tables for row in plain_cells(block) for cell in row}
    assert {f"cell 1.{n}" for n in range(45)} <= cells


def test_a_row_that_is_longer_than_its_header_loses_no_cell():
    [grid] = segments("| a | b |\n|---|---|\n| 1 | 2 | 3 |")
    assert isinstance(grid, Grid)

    assert plain_cells(table_units(grid, short=True)[0][0]) == [["a", "b", "–"], ["1", "2", "3"]]


def test_a_row_that_no_message_holds_stays_in_words():
    pages = pages_of(f"| a | b |\n|---|---|\n| {'word ' * 3_000} | x |")

    assert all(block["type"] not in ("table", "data_table") for page in pages for block in page.blocks)
    for page in pages:
        check(page)


def test_a_table_in_a_quote_stays_where_it_is():
    assert list(segments("> | a | b |\n> |---|---|\n> | 1 | 2 |")) == ["> | a | b |\n> |---|---|\n> | 1 | 2 |"]


def test_links_in_cells_stay_links_and_say_where_they_lead():
    [page] = pages_of("| a |\n|---|\n| [bank.com](https://evil.com/x) |")
    cell = page.blocks[0]["rows"][1][0]

    assert cell["elements"][0]["elements"][0] == {"type": "link", "url": "https://evil.com/x", "text": "bank.com"}
    assert "evil.com" in cell["elements"][0]["elements"][1]["text"]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("187.50", 187.5),
        ("$1,234.50", 1234.5),
        ("-3.2%", -3.2),
        ("−3.2%", -3.2),
        ("(1,200)", -1200),
        ("-$5", -5),
        ("$-5", -5),
        ("+1.2", 1.2),
        ("3.1T", 3.1e12),
        ("12 bps", 12),
        ("1.5x", 1.5),
        ("(5", None),
        ("1,23", None),
        ("Q3 2026", None),
        ("2026-01-02", None),
        ("", None),
        ("٣", None),
    ],
)
def test_what_a_cell_sorts_by(words, value):
    found = number_of(words)

    assert found == pytest.approx(value) if value is not None else found is None


def test_where_slack_does_not_know_the_new_blocks_the_cells_come_as_text():
    [page] = pages_of(f"{SMALL}\n\n{table(20)}")
    for variant in (older_page(page), plain_page(page), words_only(page)):
        check(variant)
        said = "\n".join(strings(variant.blocks))
        for word in ("Before", "AAPL", "$187.50", "cell 19.2", "After"):
            assert word in said


cells = st.one_of(
    hostile_text.texts, st.sampled_from(["", "1", "$2.50", "a\\|b", "`x|y`", "<!here>", "[a](https://b.c)"])
)
tables = st.lists(st.lists(cells, min_size=1, max_size=24), min_size=1, max_size=30)


@given(tables, hostile_text.texts)
@examples(120)
def test_any_table_is_taken_and_pings_nobody(rows, around):
    lines = ["| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |" for row in rows]
    text = "\n".join([around, "", lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
    pages = pages_of(text)

    for page in pages:
        check(page)
        check(older_page(page))
    assert not live(pages)


@given(
    st.lists(st.lists(st.integers(0, 10**9).map(lambda n: f"w{n}"), min_size=2, max_size=30), min_size=3, max_size=300)
)
@examples(40)
def test_no_cell_is_lost(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    pages = pages_of("\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]]))
    found = {word for page in pages for text in strings(page.blocks) for word in text.replace("|", " ").split()}

    assert {cell for row in rows for cell in row} <= found


def test_safe_text_without_tables_is_one_segment():
    text = safe("a\n\n- b\n- c\n\n```\n| no | table |\n|---|---|\n| 1 | 2 |\n```")

    assert list(segments(text)) == [text]
