"""What is shown while Omni works: as a message drawn anew, and as a stream that only grows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnibot_sandbox import clearstreet

from omnibot.blocks.answers.progress import Shown, chunks, closing, progress_page, streamed, view
from omnibot.blocks.answers.steps import MOST, StepProgress, read_steps
from tests.blocks import hostile_text
from tests.blocks.slack_limits import check, live, strings
from tests.examples import examples

#: Answers as the emulator's Omni gives them.
SCRIPTS = Path(clearstreet.__file__).parent / "scripts"


def texts_of(sent: list[dict[str, object]]) -> str:
    return "".join(str(chunk["text"]) for chunk in sent if chunk["type"] == "markdown_text")


def test_phases_become_steps_and_only_the_last_is_still_being_done():
    steps = read_steps(["[1/3] Reading filings", "[2/3] Comparing peers", "[2/3] Comparing 12 peers"])

    assert [(step.title, step.progress) for step in steps.steps] == [
        ("Reading filings", StepProgress.COMPLETE),
        ("Comparing 12 peers", StepProgress.IN_PROGRESS),
    ]
    assert steps.where == "step 2 of 3"


def test_when_all_is_over_no_step_is_still_being_done():
    steps = read_steps(["Looking", "[1/1] Writing"], over=True)

    assert {step.progress for step in steps.steps} == {StepProgress.COMPLETE}


def test_beyond_the_most_steps_the_newest_takes_the_last_place():
    steps = read_steps([f"line {n}" for n in range(MOST + 20)])

    assert len(steps.steps) == MOST
    assert steps.steps[0].title == "line 0"
    assert steps.steps[-1].title == f"line {MOST + 19}"


@pytest.mark.parametrize("line", ["", "  \n ", "[0/0]", "[9/2] late", "[1/999999] x", "[a/b] c", "<!channel>"])
def test_no_thinking_line_breaks_the_steps(line):
    page = progress_page(view(thoughts=[line, line], text=""))

    check(page)
    assert not live([page])


def test_with_nothing_yet_it_says_it_works():
    page = progress_page(view(thoughts=[], text=""))

    assert strings(page.blocks) == ["Working on it…"]
    assert page.text == "Working on it…"


def test_it_says_what_it_waits_for():
    page = progress_page(view(thoughts=[], text="", waiting="An earlier question comes first."))

    assert strings(page.blocks) == ["An earlier question comes first."]


def test_it_shows_the_last_steps_the_time_and_the_words_so_far():
    page = progress_page(view(thoughts=[f"[{n}/9] Reading {n}" for n in range(1, 10)], text="So **far**", elapsed=75.9))

    lines = page.blocks[0]["elements"][0]["text"].split("\n")
    assert lines[0] == "Working on it… · 1 min 15 s · step 9 of 9"
    assert lines[1:] == [f"✓ Reading {n}" for n in range(4, 9)] + ["… Reading 9"]
    assert page.blocks[1] == {"type": "markdown", "text": "So **far**"}
    assert page.text == "So far"


def test_half_a_link_and_a_table_without_rows_are_held_back():
    def shown(text: str) -> str:
        return view(thoughts=[], text=text).pieces[0].strip()

    assert shown("See [the filing](https://www.se") == "See"
    assert shown("See [the fil") == "See"
    assert shown("See &lt") == "See"
    assert shown("Table:\n\n| a | b |\n|---|---|\n") == "Table:"
    assert shown("Table:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3") == "Table:\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    assert shown("```py\nx = 1") == "```py\nx = 1"


def test_a_stream_gets_only_what_is_new():
    first = streamed(view(thoughts=["Looking"], text="One"), 0)
    second = streamed(view(thoughts=["Looking", "Writing"], text="One two"), 0)

    assert chunks("t:", Shown(), first) == [
        {"type": "plan_update", "title": "Working on it…"},
        {"type": "task_update", "id": "t:0", "title": "Looking", "status": "in_progress"},
        {"type": "markdown_text", "text": "One"},
    ]
    assert chunks("t:", first, second) == [
        {"type": "task_update", "id": "t:0", "title": "Looking", "status": "complete"},
        {"type": "task_update", "id": "t:1", "title": "Writing", "status": "in_progress"},
        {"type": "markdown_text", "text": " two"},
    ]
    assert chunks("t:", second, second) == []
    assert chunks("t:", second, closing(second)) == [
        {"type": "task_update", "id": "t:1", "title": "Writing", "status": "complete"}
    ]


def test_a_stream_begins_with_a_task_so_that_it_can_be_found_again():
    first = chunks("t:", Shown(), streamed(view(thoughts=[], text=""), 0))

    assert {"type": "task_update", "id": "t:0", "title": "Working on it…", "status": "in_progress"} in (first or [])


def test_words_that_omni_takes_back_cannot_be_said_in_a_stream():
    before = streamed(view(thoughts=[], text="It went up."), 0)

    assert chunks("t:", before, streamed(view(thoughts=[], text="It went down."), 0)) is None


def test_a_step_that_vanishes_is_done():
    before = streamed(view(thoughts=["a", "b"], text=""), 0)
    sent = chunks("t:", before, streamed(view(thoughts=["a"], text=""), 0))

    assert {"type": "task_update", "id": "t:1", "title": "b", "status": "complete"} in (sent or [])


def test_no_prefix_of_a_hostile_stream_pings():
    text = hostile_text.EXAMPLE + "".join(hostile_text.SNIPPETS)
    for end in range(len(text) + 1):
        moment = view(thoughts=[text[:end][-40:]], text=text[:end])
        pages = [progress_page(moment, number) for number in range(len(moment.pieces))]
        for page in pages:
            check(page)
        assert not live(pages), text[:end]


@given(hostile_text.texts, st.lists(st.integers(min_value=1, max_value=30), max_size=30))
@examples(150)
def test_appended_chunk_by_chunk_a_stream_never_pings_and_holds_what_a_message_would(text, sizes):
    before, said, end = Shown(), "", 0
    for size in [*sizes, len(text)]:
        end = min(len(text), end + size)
        moment = view(thoughts=[], text=text[:end])
        now = streamed(moment, 0)
        sent = chunks("t:", before, now)
        # What cannot be appended is drawn anew in the same message, from its beginning.
        said = now.text if sent is None else said + texts_of(sent)
        before = now
        assert said == moment.pieces[0]
        assert not live([progress_page(moment)])


@given(st.text(alphabet="ab c.\n", max_size=300), st.integers(min_value=0, max_value=300))
def test_plain_words_that_only_grow_are_only_appended(text, cut):
    before, now = (streamed(view(thoughts=[], text=t), 0) for t in (text[:cut], text))

    assert chunks("t:", before, now) is not None


def test_long_texts_go_on_in_further_messages_each_within_what_slack_streams():
    for words in ("A sentence of words. " * 1_500, "漢字の文です。" * 2_000, "Größe – “so” … " * 1_500):
        moment = view(thoughts=[], text=words)
        assert len(moment.pieces) > 1
        for number, piece in enumerate(moment.pieces):
            assert len(piece.encode()) <= 9_000
            check(progress_page(moment, number))


@given(
    st.lists(hostile_text.texts, max_size=30).map("".join),
    st.lists(hostile_text.texts, max_size=8),
    st.none() | hostile_text.texts,
)
@examples(40)
def test_slack_takes_any_progress_and_nothing_in_it_pings(text, thoughts, waiting):
    moment = view(thoughts=thoughts, text=text, waiting=waiting, elapsed=3)
    pages = [progress_page(moment, number) for number in range(len(moment.pieces))]

    for page in pages:
        check(page)
    assert not live(pages)


GROWING = [
    "One:\n\n```py\nx = 1\n```\n\nTwo:\n\n~~~\ny\n~~~\n\n> quoted\n\n`code` begins a line\n~5 % too.",
    "Quoted:\n\n> Look:\n>\n> ```python\n> a = 1\n>\n> b = 2\n> ```\n>\n> After.\n\nDone.",
    "> > ~~~\n> > c\n> > ~~~\n> d\n\n| a | b |\n|---|---|\n| 1 | 2 |\n> quoted\n",
    "- item\n  ```\n  code\n  ```\n- next\n\n1. a\n\n   > b\n   >\n   > c\n",
    *(path.read_text() for path in sorted(SCRIPTS.glob("*.md"))),
]


@pytest.mark.parametrize("text", GROWING)
def test_a_text_that_only_grows_is_never_taken_back_wherever_it_is_cut(text: str):
    before = Shown()
    for end in range(0, len(text) + 1, 1 + len(text) // 800):
        moment = view(thoughts=[], text=text[:end])
        if len(moment.pieces) > 1:
            break
        now = streamed(moment, 0)
        assert chunks("t:", before, now) is not None, text[max(0, end - 40) : end]
        before = now
