"""What typing makes of words."""

from __future__ import annotations

import pytest
from omnibot_sandbox.slack.composer import mentions, rich_text, typed, unescape
from omnibot_sandbox.slack.reading import visible_text

NAMES = {"Ana": "U0ANA00001", "Omni": "U0OMNIBOT1"}
BY_ID = {user: name for name, user in NAMES.items()}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("@Omni hi, @ana!", "<@U0OMNIBOT1> hi, <@U0ANA00001>!"),
        ("me@ana.example @Anatol", "me@ana.example @Anatol"),
        ("<@U0ANA00001> <!here> <b>", "<@U0ANA00001> <!here> &lt;b&gt;"),
        ("see https://x.test/a?b=1&c=2.", "see <https://x.test/a?b=1&amp;c=2>."),
        ("<https://x.test|there>", "<https://x.test|there>"),
        ("&lt;@U0ANA00001&gt;", "&amp;lt;@U0ANA00001&amp;gt;"),
    ],
)
def test_text(words, text):
    assert typed(words, NAMES) == text


def test_mentions_are_only_real_tokens():
    assert mentions("<@U0ANA00001|ana> &lt;@U0OMNIBOT1&gt; @U0OMNIBOT1") == {"U0ANA00001"}


def test_rich_text_says_the_same_as_the_text():
    text = typed("Hi @Ana,\n\n• one <https://x.test|there>\n• two & <!channel>\nbye", NAMES)
    blocks = rich_text(text, "b1")
    assert [part["type"] for part in blocks[0]["elements"]] == [
        "rich_text_section",
        "rich_text_list",
        "rich_text_section",
    ]
    shown = visible_text(text, blocks, BY_ID)
    assert shown == "Hi @Ana,\n\n• one there\n• two & @channel\nbye"
    assert visible_text(text, [], BY_ID) == shown


def test_unescape_undoes_one_layer():
    assert unescape("&amp;lt;") == "&lt;"
