"""The short messages around an answer."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from omnibot.blocks.markdown.render import pings, plain_text
from omnibot.blocks.messages import help_page, one_line_page, root_page
from tests.blocks import hostile_text
from tests.blocks.slack_limits import check, live, strings
from tests.examples import examples

any_text = st.one_of(
    hostile_text.texts, hostile_text.texts.map(lambda text: text * 100), st.sampled_from(["&" * 9_000, "\n" * 5_000])
)


@given(any_text, hostile_text.texts)
@examples(60)
def test_slack_takes_every_message_and_only_verified_people_are_mentioned(text, other):
    pages = [
        root_page(asker="U1", question=text, kind=other),
        one_line_page(text),
    ]

    for page in pages:
        check(page)
    assert not live(pages, "U1")


def test_the_root_message_mentions_the_asker_and_quotes_the_question():
    page = root_page(asker="U1", question="What about AAPL?\n<!channel>", kind="question")

    assert strings(page.blocks) == ["<@U1> asks Omni AI:", "> What about AAPL?\n> &lt;\u200b!channel&gt;"]
    assert page.text == "Asks Omni AI: What about AAPL? &lt;\u200b!channel&gt;"


def test_the_root_message_keeps_every_word_of_a_question_up_to_2900_characters():
    question = "word " * 580

    assert "\n".join(strings(root_page(asker="U1", question=question).blocks)).count("word") == 580
    assert strings(root_page(asker="U1", question=question * 2).blocks)[-1].endswith("…")


def test_research_says_so():
    assert "for research" in strings(root_page(asker="U1", question="AAPL", kind="deep_insights").blocks)[0]


def test_one_line_is_one_small_line():
    assert one_line_page("The answer is below.").blocks == [
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "The answer is below."}]}
    ]


def test_help_teaches_by_three_examples_and_names_every_command():
    said = "\n".join(strings(help_page().blocks))

    check(help_page())
    assert said.count("> `/omni") == 3
    for command in ("&lt;question&gt;", "private", "research TICKER", "stop", "help", "mention me", "thread"):
        assert command in said
    assert not pings(re.sub(r"`[^`]*`", "", said))


def test_help_about_private_says_what_is_missing_first():
    assert "`/omni private " in strings(help_page("private").blocks)[0]


def test_plain_text_is_words_only():
    assert plain_text(hostile_text.EXAMPLE, 3_900) == (
        "Apple\nSee AAPL and &lt;\u200b!channel&gt; or &lt;\u200b!here&gt; &lt;\u200b@U1&gt;.\n"
        "x = '&lt;\u200b!here&gt;'\nName · Price\n&lt;\u200b!everyone&gt; · 1\nbank.com (evil.com) bank.com (https://evil.com)"
    )


@given(any_text, st.integers(20, 300))
@examples(60)
def test_plain_text_keeps_to_its_limit_and_cuts_no_entity(text, limit):
    words_only = plain_text(text, limit)

    assert len(words_only) <= limit
    assert not pings(words_only)
    assert not re.search(r"&(?!amp;|lt;|gt;)", words_only)
