"""Nothing in model text or people's words pings, and people still see the words."""

from __future__ import annotations

import html
import time

import pytest
from hypothesis import given

from omnibot.blocks.markdown.render import escape, neutralise, pings, safe
from tests.blocks import hostile_text
from tests.examples import examples

LIVE = [
    "<!channel>", "<!here>", "<!everyone>", "<@U1>", "<@W1|name>", "<#C1>", "<!subteam^S1>", "<subteam^S1>",
    "<https://evil.com|bank>", "<mailto:a@b.c|us>", "<evil.com|bank>", "&lt;!channel&gt;", "&LT;!here>", "&#60;@U1>",
    "&#x3C;@U1>", "&amp;lt;!channel&amp;gt;", "&amp;amp;lt;@U1", "&lt;&#33;channel&gt;", "&lt!channel", "<\\!channel>",
    "<*!channel*>", "`<!channel>`", "```\n<!channel>\n```", "<https://evil.com\n|bank>", "a<!here>b",
]  # fmt: skip


@pytest.mark.parametrize("text", LIVE)
def test_a_live_token_is_recognised_and_broken(text):
    assert pings(text)
    assert not pings(neutralise(text))
    assert not pings(safe(text))
    assert not pings(escape(text))


@pytest.mark.parametrize(
    "text",
    ["a < b", "a<b|c", "x <= y", "P&L", "https://x.y/?a=1&copy=2&lt=3", "<b>", "@channel", "vector<std::string>"],
)
def test_what_pings_nobody_stays_as_it_is(text):
    assert neutralise(text) == text


def test_what_only_begins_like_an_entity_is_not_read_as_one():
    assert neutralise("&ltd;a.b|c>") == "&ltd;a.b|c>"
    assert not pings("&ltd;a.b|c>")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("AT&amp;T", "AT&T"),
        ("a &lt; b &gt; c", "a < b > c"),
        ("&quot;x&quot;&nbsp;y", '"x"\xa0y'),
        ("&amp;lt;b&amp;gt;", "&\u200blt;b&\u200bgt;"),
        ("<!channel>", "<\u200b!channel>"),
        ("a\r\nb\x00c\u202ed", "a\nbcd"),
        ("&nosuch; &#xD800;", "&nosuch; \ufffd"),
    ],
)
def test_entities_are_decoded_once_and_the_words_stay(text, seen):
    assert neutralise(text) == seen


@given(hostile_text.texts)
@examples(100)
def test_nothing_pings_whatever_comes_in(text):
    for made in (neutralise(text), safe(text), escape(text)):
        assert not pings(made), made
        assert not pings(html.unescape(made)), made


@given(hostile_text.texts)
@examples(100)
def test_neutralising_twice_changes_nothing_more(text):
    once = neutralise(text)
    assert neutralise(once) == once


def test_escape_keeps_mrkdwn_from_reading_anything():
    assert escape("<b> & <!here>") == "&lt;b&gt; &amp; &lt;\u200b!here&gt;"


@pytest.mark.parametrize("text", hostile_text.REPEATED.values(), ids=hostile_text.REPEATED.keys())
def test_long_hostile_text_takes_no_time_worth_mentioning(text):
    began = time.process_time()
    assert len(safe(text)) <= 3 * len(text) + 100
    assert time.process_time() - began < 5
