"""What people say in Slack is what Omni reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot.slack.inbound.text import (
    Help,
    Private,
    Question,
    Research,
    Reserved,
    Stop,
    Unclear,
    mentioned_users,
    mentions_bot,
    misplaced_command,
    parse_command,
    question_text,
    starts_with_other_mention,
)
from tests.examples import examples

BOT = "UBOT"


def asked(event, **names):
    return question_text(event, bot_user_id=BOT, names=names)


def rich(*elements):
    return {"text": "", "blocks": [{"type": "rich_text", "elements": list(elements)}]}


def section(*elements):
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text, **more):
    return {"type": "text", "text": text, **more}


FROM_TEXT = [
    ("plain words", "What about AAPL?", "What about AAPL?"),
    ("entities, once", "P&amp;L &lt;5% &gt;3 &amp;lt;", "P&L <5% >3 &lt;"),
    ("a link with words", "see <https://x.y/a?b=1&amp;c|the page>", "see the page (https://x.y/a?b=1&c)"),
    ("a link that says itself", "see <https://x.y|https://x.y> <https://x.y>", "see https://x.y https://x.y"),
    ("a mail address", "<mailto:a@b.c|a@b.c> <mailto:a@b.c|Joe>", "a@b.c Joe (a@b.c)"),
    ("a channel", "in <#C123|general> and <#C9> and <#C8|>", "in #general and #channel and #channel"),
    ("a known person", "ask <@U1>", "ask @Ann"),
    ("a person Slack names", "ask <@U2|bob>", "ask @bob"),
    ("an unknown person", "ask <@U3>", "ask @someone"),
    ("everybody", "<!here> and <!channel|channel>", "@here and @channel"),
    ("a group", "<!subteam^S1|@ops> <!subteam^S2>", "@ops @group"),
    ("a date", "<!date^1392734382^{date}|Feb 18, 2014>", "Feb 18, 2014"),
    ("the bot first", "<@UBOT> what is AAPL?", "what is AAPL?"),
    ("the bot with a colon", "<@UBOT>: what is AAPL?", "what is AAPL?"),
    ("the bot with a comma", "  <@UBOT|omni> , what?", "what?"),
    ("the bot twice", "<@UBOT> <@UBOT> hi", "hi"),
    ("the bot last", "what is AAPL, <@UBOT>?", "what is AAPL?"),
    ("the bot last without a mark", "thanks <@UBOT>", "thanks"),
    ("the bot in the middle", "hey <@UBOT>, what is AAPL?", "hey Omni, what is AAPL?"),
    ("the bot alone", "<@UBOT>", ""),
    ("a minus stays", "<@UBOT> -5% moves", "-5% moves"),
    ("a dash goes", "<@UBOT> - what moved?", "what moved?"),
    ("a list stays a list", "<@UBOT>\n- a\n- b", "- a\n- b"),
    ("white space", " a \u00a0\n\n\n\n b  \r\nc\t", "a\n\n b\nc"),
    ("angle brackets of nothing", "a <b> c", "a <b> c"),
]


@pytest.mark.parametrize(("text", "said"), [row[1:] for row in FROM_TEXT], ids=[row[0] for row in FROM_TEXT])
def test_words_from_text(text, said):
    assert asked({"text": text}, U1="Ann") == said


FROM_BLOCKS = [
    ("bold words lose their marks", [section(words("very ", style={"bold": True}), words("good"))], "very good"),
    ("inline elements", [section(
        {"type": "user", "user_id": "U1"}, words(" "), {"type": "user", "user_id": "U9"}, words(" "),
        {"type": "channel", "channel_id": "C1"}, words(" "), {"type": "broadcast", "range": "here"}, words(" "),
        {"type": "usergroup", "usergroup_id": "S1"}, words(" "), {"type": "link", "url": "https://x.y", "text": "page"},
        words(" "), {"type": "link", "url": "https://x.y"}, words(" "), {"type": "emoji", "name": "tada"}, words(" "),
        {"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fd"}, words(" "), {"type": "date", "fallback": "today"},
        words(" "), {"type": "color", "value": "#fff"}),
     ], "@Ann @someone #desk @here @ops page (https://x.y) https://x.y :tada: 👋🏽 today #fff"),
    ("a pasted list", [
        section(words("Compare:\n")),
        {"type": "rich_text_list", "style": "ordered", "elements": [section(words("AAPL")), section(words("MSFT"))]},
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [section(words("cloud"))]},
        {"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": [section(words("NVDA"))]},
     ], "Compare:\n1. AAPL\n2. MSFT\n   - cloud\n3. NVDA"),
    ("a quote", [{"type": "rich_text_quote", "elements": [words("one\ntwo")]}, section(words("true?"))],
     "> one\n> two\ntrue?"),
    ("code", [{"type": "rich_text_preformatted", "elements": [words("a < b\n  c")]}], "```\na < b\n  c\n```"),
    ("the bot in front", [section({"type": "user", "user_id": BOT}, words(" what?"))], "what?"),
    ("raw entities stay", [section(words("a &amp; b"))], "a & b"),
]  # fmt: skip


@pytest.mark.parametrize(("elements", "said"), [row[1:] for row in FROM_BLOCKS], ids=[row[0] for row in FROM_BLOCKS])
def test_words_from_blocks(elements, said):
    assert asked(rich(*elements), U1="Ann", C1="desk", S1="ops") == said


def test_blocks_are_read_rather_than_text():
    event = {**rich(section(words("very"), words(" bold", style={"bold": True}))), "text": "very *bold*"}

    assert asked(event) == "very bold"


def test_what_was_typed_as_an_entity_stays_one():
    assert asked({**rich(section(words("write &lt; for it"))), "text": "write &amp;lt; for it"}) == "write &lt; for it"


def test_a_channel_in_blocks_is_named_by_the_text():
    event = {**rich(section(words("in "), {"type": "channel", "channel_id": "C1"})), "text": "in <#C1|general>"}

    assert asked(event) == "in #general"


@pytest.mark.parametrize(
    "blocks",
    [None, "x", [], [None, 3], [{"type": "rich_text"}], [{"type": "rich_text", "elements": [{"type": "new", "x": 1}]}],
     [{"type": "section", "text": {"text": "Hi"}}], rich(section(words("Wh")))["blocks"]],
)  # fmt: skip
def test_text_is_read_when_blocks_are_missing_broken_or_poorer(blocks):
    assert asked({"text": "What about Apple's margins?", "blocks": blocks}) == "What about Apple's margins?"


def test_nothing_is_cut():
    assert len(asked({"text": "word " * 10_000})) == 49_999


json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["<@UBOT>", "<!", "user"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "elements", "blocks", "user_id", "unicode", "indent", "offset", "url"]),
            inner,
        )
    ),
    max_leaves=20,
)
loose = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["rich_text", "rich_text_section", "rich_text_list", "rich_text_quote", "text", "user", "emoji", "link"]
        )
        | json,
        "text": json,
        "unicode": json,
        "user_id": json,
        "indent": json,
        "offset": json,
        "elements": json,
    },
)
level = st.lists(loose, max_size=3)


def holding(inner):
    return st.tuples(loose, inner).map(lambda pair: {**pair[0], "elements": pair[1]})


events = st.fixed_dictionaries(
    {},
    optional={
        "text": json,
        "blocks": st.one_of(json, st.lists(holding(st.lists(holding(level), max_size=3)), max_size=3)),
    },
)


@given(events)
@examples(100)
def test_no_json_makes_it_raise(event):
    assert isinstance(asked(event), str)
    assert isinstance(mentions_bot(event, BOT), bool)
    assert isinstance(starts_with_other_mention(event, BOT), bool)
    assert all(mentioned_users(event))


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["private", "research", "stop", " ", "AAPL", "<@U1|a>", "&lt;", "\n"])).map("".join)
)
@examples(100)
def test_no_command_makes_it_raise(text):
    parse_command(text)


def test_a_very_deep_structure_does_not_matter():
    deep: list[object] = []
    for _ in range(5_000):
        deep = [{"type": "rich_text_list", "elements": deep}]

    assert asked({"text": "hi", "blocks": [{"type": "rich_text", "elements": deep}]}) == "hi"


def test_mentioned_people_come_once_and_in_order():
    event = {
        **rich(section({"type": "user", "user_id": "U2"}), {"type": "rich_text_list", "elements": [
            section({"type": "user", "user_id": "U4"})]}),
        "text": "<@U3> <@U2|bob> <@U3>",
    }  # fmt: skip

    assert mentioned_users(event) == ["U3", "U2", "U4"]


def test_the_bot_is_mentioned_in_text_or_blocks():
    assert mentions_bot({"text": "hi <@UBOT>"}, BOT)
    assert mentions_bot(rich(section({"type": "user", "user_id": BOT})), BOT)
    assert not mentions_bot({"text": "hi <@UBOTX> UBOT"}, BOT)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("<@U1> what do you think?", True),
        ("  <@U1|ann>", True),
        ("<!subteam^S1> look", True),
        ("<!here> look", True),
        ("<@UBOT> and <@U1>", False),
        ("ask <@U1>", False),
        ("<https://x.y>", False),
        ("<!date^1^x|y> was it", False),
        ("", False),
    ],
)
def test_who_a_message_begins_with(text, other):
    assert starts_with_other_mention({"text": text}, BOT) is other


def test_who_a_message_without_text_begins_with():
    assert starts_with_other_mention(rich(section({"type": "user", "user_id": "U1"})), BOT)
    assert not starts_with_other_mention(rich(section(words("a"), {"type": "user", "user_id": "U1"})), BOT)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Help()),
        ("  help ", Help()),
        ("help me with AAPL", Question("help me with AAPL")),
        ("stop", Stop()),
        ("Stop", Stop()),
        ("stop loss on AAPL?", Question("stop loss on AAPL?")),
        ("private", Help("private")),
        ("private what do I hold?", Private("what do I hold?")),
        ("Private\nwhat?", Private("what?")),
        ("privately held firms", Question("privately held firms")),
        ("research AAPL", Research("AAPL")),
        ("research BRK.B cheap on book\nvalue", Research("BRK.B", "cheap on book\nvalue")),
        ("research 0700", Research("0700")),
        ("research the market", Question("research the market")),
        ("research aapl", Question("research aapl")),
        ("research GOOGLEX1", Question("research GOOGLEX1")),
        ("research", Question("research")),
        ("research ...", Question("research ...")),
        ("threads", Reserved("threads")),
        ("halt", Reserved("halt")),
        ("HALT!", Reserved("halt")),
        ("Halt now", Reserved("halt", "now")),
        ("halt: fat finger in AAPL", Reserved("halt", "fat finger in AAPL")),
        ("halt trading in TSLA?", Unclear("halt")),
        ("halt= fat finger", Reserved("halt", "fat finger")),
        ("resume", Reserved("resume")),
        ("Resume!", Reserved("resume")),
        ("resumed trading?", Question("resumed trading?")),
        ("link abc", Reserved("link", "abc")),
        ("Link:\u00a0abc", Reserved("link", "abc")),
        ("unlink abc?", Reserved("unlink", "abc?")),
        ("account what do I hold?", Reserved("account", "what do I hold?")),
        ("private link abc", Reserved("link", "abc")),
        ("links between oil and airlines", Question("links between oil and airlines")),
        ("accounts receivable of AAPL", Question("accounts receivable of AAPL")),
        ("halted stocks today", Question("halted stocks today")),
        ("resume the analysis", Unclear("resume")),
        ("link", Reserved("link")),
        ("what did <@U1|ann> say about P&amp;L?", Question("what did @ann say about P&L?")),
    ],
)
def test_a_subcommand_only_in_its_exact_form(text, command):
    assert parse_command(text) == command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("halt", "halt"),
        ("HALT!", "halt"),
        ("halt everything", "halt"),
        ("Halt trading now", "halt"),
        ("resume", "resume"),
        ("resume trading, please?", None),
        ("halt in TSLA trading, why?", None),
        ("halt TSLA?", None),
        ("resume of the Fed meeting", None),
        ("why was trading halted?", None),
        ("", None),
    ],
)
def test_halting_in_a_message_is_no_question_and_a_question_about_a_halt_is_one(text: str, command: str | None):
    assert misplaced_command(text) == command
