"""An answer's pages: everything arrives, and Slack takes it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from omnibot.blocks.answers.answer import AI_NOTICE, answer_pages
from omnibot.blocks.layout.types import Button, Page
from tests.blocks import hostile_text
from tests.blocks.slack_limits import check, elements, live, strings
from tests.examples import examples

labels = st.one_of(
    hostile_text.texts, st.text(max_size=200), st.sampled_from(["", " ", "Yes", "a" * 5_000, "&" * 3_000])
)
buttons = st.builds(
    Button,
    token=st.sampled_from(["t1", "t" * 40, "", "t" * 3_000]),
    label=labels,
    pressed_by=st.lists(st.sampled_from(["U1", "W2", "<!here>", ""]), max_size=3).map(tuple),
    runs=st.booleans(),
)
long_texts = st.one_of(
    hostile_text.texts,
    hostile_text.texts.map(lambda text: text * 60),
    st.sampled_from(list(hostile_text.REPEATED.values())),
)


def page_of(**given_words) -> Page:
    [page] = answer_pages(**{"content": ["Yes."], "buttons": [], **given_words})
    return page


def types(page: Page) -> list[str]:
    return [block["type"] for block in page.blocks]


@given(
    st.lists(long_texts, max_size=3),
    st.lists(buttons, max_size=40),
    st.lists(hostile_text.texts, max_size=3),
    st.sampled_from([None, "U123", "<!here>"]),
    st.one_of(st.none(), hostile_text.texts),
    st.lists(buttons, max_size=7),
)
@examples(30)
def test_slack_takes_every_page_of_any_answer_and_nothing_in_it_pings(texts, offered, notices, person, outcome, tools):
    pages = answer_pages(
        content=texts,
        buttons=offered,
        notices=notices,
        mention=person,
        outcome_line=outcome,
        outcome_by=person,
        tools=tools,
        feedback="turn",
    )

    for page in pages:
        check(page)
    assert not live(pages, "U1", "W2", "U123")
    assert pages[-1].blocks[-1]["elements"][0]["text"] == AI_NOTICE
    pressable = [b for b in offered if b.runs and 0 < len(b.token) <= 2_000]
    values = [e["value"] for page in pages for e in elements(page)]
    usable = [tool for tool in tools if 0 < len(tool.token) <= 2_000]
    assert values == [b.token for b in [*pressable, *usable]]


def test_a_short_answer_is_one_page_words_first_notice_last():
    page = page_of(content=["**Apple**", "rose."], buttons=[Button("t1", "Why?")])

    assert types(page) == ["markdown", "actions", "context"]
    assert page.blocks[0]["text"] == "**Apple**\n\nrose."
    assert page.text == "Apple\nrose."
    assert elements(page)[0]["action_id"] == "omni_button:1"


def test_labels_too_long_for_one_message_beside_their_row_come_before_it():
    pages = answer_pages(content=[], buttons=[Button("a", "word " * 1_700), Button("b", "word " * 1_100)])

    for page in pages:
        check(page)
    assert sum(text.count("word") for page in pages for text in strings(page.blocks)) >= 2_800


def test_an_answer_without_words_says_so():
    assert "Omni AI sent no words." in strings(page_of(content=["", " "]).blocks)
    assert "Omni AI sent no words." not in strings(page_of(content=[], buttons=[Button("t", "Go")]).blocks)


def test_a_page_of_buttons_alone_says_them_in_words():
    assert page_of(content=[], buttons=[Button("t", "Show <news>")]).text.startswith("Choose: Show &lt;news&gt;")


def test_the_asker_is_mentioned_once_with_the_first_words():
    first, second = answer_pages(content=["word " * 4_000], buttons=[], mention="U9")

    assert first.blocks[0]["text"]["text"] == "<@U9>"
    assert types(first) == ["section", "markdown"]
    assert not live([second])


def test_a_mention_that_is_no_user_id_is_left_out():
    assert types(page_of(mention="!channel")) == ["markdown", "context"]


def test_notices_and_the_outcome_follow_the_words():
    page = page_of(
        notices=["A part is missing."], outcome_line="⏹ Stopped by", outcome_by="U7", buttons=[Button("t", "Go")]
    )

    assert types(page) == ["markdown", "context", "section", "actions", "context"]
    assert page.blocks[2]["text"]["text"] == "⏹ Stopped by <@U7>"


def test_a_mention_in_the_outcomes_words_stays_dead():
    assert not live([page_of(outcome_line="⚠️ <@U1> failed")])


def test_seven_buttons_stand_in_rows_of_five():
    page = page_of(buttons=[Button(f"t{n}", f"Label {n}") for n in range(7)])

    assert [len(b["elements"]) for b in page.blocks if b["type"] == "actions"] == [5, 2]


def test_a_long_label_is_cut_on_its_button_and_spelt_out_above_it():
    label = "Compare the margins of Apple and Microsoft over five years " * 3

    page = page_of(buttons=[Button("t", "Short"), Button("u", label)])

    assert page.blocks[1]["text"]["text"] == f"2. {label.strip()}"
    shown = elements(page)[1]["text"]["text"]
    assert shown.startswith("2. Compare")
    assert shown.endswith("…")
    assert len(shown) <= 75


def test_a_label_of_many_thousand_characters_loses_none():
    pages = answer_pages(content=["x"], buttons=[Button("t", "word " * 4_000)])

    for page in pages:
        check(page)
    sections = [b["text"]["text"] for page in pages for b in page.blocks if b["type"] == "section"]
    assert " ".join(sections).count("word") == 4_000


def test_an_empty_label_gets_a_number_and_white_space_collapses():
    page = page_of(buttons=[Button("t", " \n"), Button("u", "two\n\nlines ")])

    assert [e["text"]["text"] for e in elements(page)] == ["Button 1", "two lines"]


def test_a_pressed_button_is_ticked_and_says_by_whom():
    page = page_of(buttons=[Button("t", "Why <b>?", pressed_by=("U1", "U2"))])

    [element] = elements(page)
    assert element["text"]["text"] == "✓ Why <b>?"
    assert element["accessibility_label"] == "Why <b>? (already pressed)"
    assert "Pressed by <@U1>, <@U2>: Why &lt;b&gt;?" in strings(page.blocks)


def test_a_button_that_runs_nothing_is_words():
    page = page_of(buttons=[Button("t", "Good luck!", runs=False)])

    assert elements(page) == []
    assert "• Good luck!" in strings(page.blocks)


def test_three_hundred_buttons_all_arrive():
    pages = answer_pages(content=["x"], buttons=[Button(f"t{n}", "long label " * 9) for n in range(300)])

    for page in pages:
        check(page)
    assert [e["value"] for page in pages for e in elements(page)] == [f"t{n}" for n in range(300)]


def test_buttons_that_do_not_fit_below_the_last_words_get_a_page():
    pages = answer_pages(content=["w" * 11_400], buttons=[Button(f"t{n}", "label " * 12) for n in range(20)])

    assert [types(page)[0] for page in pages] == ["markdown", "actions"]


def test_tools_stand_in_a_row_of_their_own_below_the_suggestions():
    page = page_of(buttons=[Button("t1", "Why?")], tools=[Button("r", "Ask again"), Button("c", "Chart data (CSV)")])

    assert types(page) == ["markdown", "actions", "actions", "context"]
    assert [(e["action_id"], e["value"]) for e in elements(page)] == [
        ("omni_button:1", "t1"),
        ("omni_button:tool:1", "r"),
        ("omni_button:tool:2", "c"),
    ]


def test_an_answer_can_be_rated_where_clear_street_knows_it():
    assert types(page_of(feedback="turn"))[-2:] == ["context_actions", "context"]
    assert "context_actions" not in types(page_of())


def test_the_ai_notice_stands_on_the_last_page_only():
    pages = answer_pages(content=["word " * 8_000], buttons=[])

    assert [AI_NOTICE in strings(page.blocks) for page in pages] == [False] * (len(pages) - 1) + [True]


def test_the_same_answer_gives_the_same_pages():
    first, second = (answer_pages(content=[hostile_text.EXAMPLE], buttons=[Button("t", "a")]) for _ in range(2))

    assert first == second
