"""Pieces that fit, with every word in its place."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot.blocks.limits import size
from omnibot.blocks.markdown.render import count_items, count_tables, safe, split
from omnibot.blocks.markdown.structure import read
from tests.blocks import hostile_text
from tests.examples import examples


def letters(texts: list[str]) -> str:
    """What is written there, without white space and whole lines that open or close a fence."""
    kept = [line for text in texts for line in text.split("\n") if not re.match(r"[\s>\-]*(```|~~~)", line)]
    return re.sub(r"\s+", "", "".join(kept))


def is_within(part: str, whole: str) -> bool:
    """Whether the characters of `part` stand in `whole` in this order, others between them."""
    rest = iter(whole)
    return all(character in rest for character in part)


def check(pieces: list[str], limit: int, items: int) -> None:
    for piece in pieces:
        assert piece.strip()
        assert size(piece) <= limit
        assert count_items(piece) <= items
        assert count_tables(piece) <= 1
        fences = read(piece.split("\n")).fences
        assert all(fence.closed for fence in fences[-1:]), piece


@given(hostile_text.texts, st.sampled_from([300, 400, 1_000]), st.sampled_from([3, 10]))
@examples(100)
def test_every_piece_fits_and_nothing_is_lost(text, limit, items):
    text = safe(text)

    pieces = split(text, limit=limit, items=items)

    check(pieces, limit, items)
    assert is_within(letters([text]), re.sub(r"\s+", "", "".join(pieces)))


@given(hostile_text.texts, st.sampled_from([300, 700]))
@examples(100)
def test_without_fences_and_tables_the_pieces_are_the_text(text, limit):
    text = re.sub(r"[`~|\x00\x0b\x0c\x1c-\x1f\x85]", "", text)

    pieces = split(text, limit=limit)

    assert re.sub(r"\s+", "", "".join(pieces)) == re.sub(r"\s+", "", text)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=30))
@examples(60)
def test_a_cut_fence_goes_on_as_the_same_fence(widths):
    code = ["".join(f"{number}," for number in range(width))[:width] for width in widths]
    text = "Before.\n\n```py\n" + "\n".join(code) + "\n```\n\nAfter."

    pieces = split(text, limit=500)

    check(pieces, 500, 45)
    assert letters(pieces) == letters([text])
    for piece in pieces:
        assert all(fence.info == "py" for fence in read(piece.split("\n")).fences)
        outside = re.sub(r"(?ms)^```py\n.*?^```$", "", piece)
        assert not re.search(r"\d", outside)


@given(st.integers(1, 250), st.integers(1, 120))
@examples(40)
def test_a_cut_table_repeats_its_header_and_loses_no_row(rows, width):
    header, delimiter = "| Name | Value |", "|------|-------|"
    cells = [f"| row{number} | {'v' * width} |" for number in range(rows)]
    text = "\n".join(["Text.", "", header, delimiter, *cells, "", "After."])

    pieces = split(text, limit=1_000)

    check(pieces, 1_000, 45)
    assert [line for piece in pieces for line in piece.split("\n") if "row" in line] == cells
    for piece in pieces:
        lines = piece.split("\n")
        if any("row" in line for line in lines):
            first = next(number for number, line in enumerate(lines) if "row" in line)
            assert lines[first - 2 : first] == [header, delimiter]


def test_a_text_that_fits_is_one_piece():
    assert split(hostile_text.EXAMPLE) == [hostile_text.EXAMPLE]


@pytest.mark.parametrize("text", ["", " ", "\n\n \n"])
def test_no_words_no_pieces(text):
    assert split(text) == []


def test_pieces_end_between_paragraphs_and_headings_stay_with_their_text():
    text = "\n\n".join(f"## Part {number}\n\n{'Some words. ' * 15}" for number in range(8))

    pieces = split(text, limit=500)

    assert all(piece.startswith("## Part") and not piece.endswith("##") for piece in pieces)
    assert all(re.search(r"## Part \d\n\nSome", piece) for piece in pieces)


def test_two_tables_come_in_two_pieces_each_with_its_heading():
    table = "| a | b |\n|---|---|\n| 1 | 2 |"

    pieces = split(f"### One\n\n{table}\n\n### Two\n\n{table}\n\nEnd.")

    assert pieces == [f"### One\n\n{table}", f"### Two\n\n{table}\n\nEnd."]


def test_a_row_wider_than_a_piece_becomes_text():
    wide = "word " * 300

    pieces = split(f"| a | b |\n|---|---|\n| {wide} | 2 |\n| 3 | 4 |", limit=500)

    assert all(size(piece) <= 500 for piece in pieces)
    assert "".join(pieces).count("word") == 300


def test_a_table_with_a_header_wider_than_a_piece_is_still_cut():
    header = "|".join(f" column {number} " for number in range(100))
    text = "\n".join([header, "|".join(["---"] * 100), *("|".join(str(n) for n in range(100)) for _ in range(20))])

    pieces = split(text, limit=500)

    assert all(size(piece) <= 500 for piece in pieces)
    assert re.sub(r"\s", "", "".join(pieces)) == re.sub(r"\s", "", text)


def test_a_long_table_has_at_most_the_rows_slack_shows():
    pieces = split("|a|b|\n|-|-|\n" + "|1|2|\n" * 300)

    assert all(piece.count("\n") < 100 for piece in pieces)
    assert sum(piece.count("|1|2|") for piece in pieces) == 300


def test_a_long_line_is_cut_after_a_sentence():
    pieces = split("This is a sentence of some words. " * 40, limit=300)

    assert all(piece.rstrip().endswith(".") for piece in pieces)


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧", "e\u0301\u0302", "🇩🇪", "👍🏽", "☂️"])
def test_what_people_see_as_one_character_is_not_cut(cluster):
    pieces = split(cluster * 300, limit=301)

    assert "".join(pieces) == cluster * 300
    assert all(piece.startswith(cluster) and piece.endswith(cluster) for piece in pieces)


def test_a_link_is_not_torn_from_the_host_it_names():
    link = "[some words](https://evil.com/aaaaaaaaaaaaaaaaa) (evil.com)"
    text = "word " * 30 + f"{link} " * 40

    assert sum(piece.count(link) for piece in split(text, limit=400)) == 40


def test_emoji_count_as_two_characters():
    assert [len(piece) for piece in split("👍" * 1_000, limit=1_013)] == [500, 500]


@pytest.mark.parametrize("text", ["```py\ncode", "text\n\n~~~\ncode\n", "> ```\n> code", "- a\n\n  ```\n  code"])
def test_a_fence_left_open_by_a_cut_stream_is_closed(text):
    [piece] = split(text)

    assert piece.startswith(text.rstrip())
    assert all(fence.closed for fence in read(piece.split("\n")).fences)


def test_a_cut_fence_in_a_quote_stays_in_the_quote():
    pieces = split("> ```\n" + "> code\n" * 100 + "> ```\n\nAfter.", limit=300)

    assert all(re.match(r"> ```\n(> code\n)+> ```", piece) for piece in pieces)


def test_a_nested_list_cut_in_two_does_not_turn_into_code():
    pieces = split("- a\n" + f"    - {'b' * 100}\n" * 10, limit=300)

    assert all(not piece.startswith(" ") for piece in pieces)


@pytest.mark.parametrize("text", hostile_text.REPEATED.values(), ids=hostile_text.REPEATED.keys())
def test_long_hostile_text_is_split_in_no_time_worth_mentioning(text):
    began = time.process_time()
    words = safe(text)

    pieces = split(words)

    assert time.process_time() - began < 5
    assert all(size(piece) <= 11_500 and count_items(piece) <= 45 for piece in pieces)
