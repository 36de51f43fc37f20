"""What the page makes of blocks: every word is shown, nothing in them runs, and a bad one is shown as such."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.block_gallery import Gallery

RECORDED = sorted((Path(__file__).parents[2] / "sandbox/tests/slack/recorded/accepted").glob("*.json"))
#: Shown only once something is pressed, or not as text.
ELSEWHERE = ("confirm", "placeholder", "options", "option_groups", "initial_option", "initial_options")
#: What becomes something else, which other tests look at.
NOTATION = "<[^<>]*>|&[a-z]+;|[*][*]|:[a-z0-9_+-]+:"


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "expand": True, "text": {"type": "mrkdwn", "text": text}}


def markdown(text: str) -> dict[str, Any]:
    return {"type": "markdown", "text": text}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


def section(*elements: dict[str, Any] | str) -> dict[str, Any]:
    inline = [{"type": "text", "text": it} if isinstance(it, str) else it for it in elements]
    return {"type": "rich_text_section", "elements": inline}


def words_in(value: Any) -> Iterator[str]:
    """Every text of a payload that a person should see, without the marks of its notation."""
    if isinstance(value, list):
        for item in value:
            yield from words_in(item)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "text" and isinstance(inner, str):
                yield inner
            elif name not in ELSEWHERE:
                yield from words_in(inner)


def bare(text: str) -> str:
    return re.sub(r"[\s*_~`]", "", text)


def payloads() -> list[Any]:
    found = []
    for path in RECORDED:
        arguments = json.loads(path.read_text())["arguments"]
        blocks = arguments.get("blocks") or arguments.get("view", {}).get("blocks")
        if blocks:
            surface = arguments.get("view", {}).get("type", "message")
            found.append(pytest.param(blocks, surface, id=path.stem))
    return found


def test_there_are_recorded_payloads():
    assert len(payloads()) >= 18


@pytest.mark.parametrize(("blocks", "surface"), payloads())
def test_every_block_slack_took_is_shown_with_all_its_words(gallery: Gallery, blocks: list[Any], surface: str):
    gallery.show(*({**block, "page_size": 100} if "page_size" in block else block for block in blocks), surface=surface)
    shown = bare(gallery.text())
    assert "Slackwouldnotshowthis" not in shown
    for text in words_in(blocks):
        for piece in re.split(NOTATION, text):
            assert bare(piece) in shown


@pytest.mark.parametrize(
    ("text", "selector", "inner"),
    [
        ("a *bold* word", "strong", "bold"),
        ("an _italic_ word", "em", "italic"),
        ("a ~gone~ word", "s", "gone"),
        ("*_both_*", "strong em", "both"),
        ("`*code*`", "code", "*code*"),
        ("x\n```\n*pre*\n```\ny", "pre", "*pre*"),
        ("x\n&gt; quoted\ny", "blockquote", "quoted"),
        ("> quoted too", "blockquote", "quoted too"),
        ("&gt;&gt;&gt;all\nof\nit", "blockquote", "all\nof\nit"),
        ("<https://example.com/a|words>", "a[href='https://example.com/a']", "words"),
        ("see https://example.com/a_b_c.", "a[href='https://example.com/a_b_c']", "https://example.com/a_b_c"),
        ("<mailto:ana@example.com|Ana>", "a[href='mailto:ana@example.com']", "Ana"),
        ("<@U0BEN00001>", "[data-user=U0BEN00001]", "@Ben"),
        ("<#C0TRADING1|old>", "[data-channel=C0TRADING1]", "#trading"),
        ("<!here>", ".bk-ping", "@here"),
        ("<!subteam^S1|@desk>", ".bk-ping", "@desk"),
        ("<@U0ANA00001>", ".bk-ping", "@Ana"),
        ("<!date^1763700000^{date_num} {time}|then>", "time", "2025-11-21 4:40 AM"),
        (":rocket:", ".bk-emoji", "🚀"),
        (":wave::skin-tone-3:", ".bk-emoji", "👋🏼"),
        ("&lt;b&gt; &amp;amp;", ".bk-text", "<b> &amp;"),
    ],
)
def test_mrkdwn_is_read_as_slack_reads_it(gallery: Gallery, text: str, selector: str, inner: str):
    gallery.show(mrkdwn(text))
    expect(gallery.root.locator(selector)).to_have_text(inner)


@pytest.mark.parametrize(
    "text",
    ["2 * 3 * 4", "a*b*c", "snake_case_name", "**twice**", "* no *", ":nobody_knows_this:", "`open", "<not a token>"],
)
def test_what_only_looks_like_mrkdwn_stays_as_it_is(gallery: Gallery, text: str):
    gallery.show(mrkdwn(text))
    assert gallery.text() == text
    assert gallery.root.locator("strong, em, s, code, a").count() == 0


def test_verbatim_text_links_only_what_is_marked(gallery: Gallery):
    text = "https://a.example/ and <https://b.example/>"
    gallery.show({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}})
    expect(gallery.root.get_by_role("link")).to_have_text(["https://b.example/"])


@pytest.mark.parametrize(
    ("text", "selector", "inner"),
    [
        ("**bold**", "strong", "bold"),
        ("~~gone~~", "s", "gone"),
        ("###### small", "h3", "small"),
        ("[words](https://example.com/)", "a[href='https://example.com/']", "words"),
        ("![a chart](https://example.com/x.png)", "a[href='https://example.com/x.png']", "a chart"),
        ("- a\n- b\n  - c", "ul ul li", "c"),
        ("3. c\n4. d", "ol[start='3'] li:last-child", "d"),
        ("|a|b|\n|-|-:|\n|1|2|", "td.bk-right", "2"),
        ("- [x] done", "[aria-label=Done] + div", "done"),
        ("```\n<b>\n```", "pre", "<b>"),
        ("one\ntwo", "p:has(br)", "onetwo"),
        ("hey <!channel>", ".bk-ping", "@channel"),
        ("hey <@U0BEN00001>", "[data-user=U0BEN00001]", "@Ben"),
        ("<https://example.com/|the words>", "a[href='https://example.com/']", "the words"),
        ("up :chart_with_upwards_trend:", ".bk-emoji", "📈"),
    ],
)
def test_markdown_is_read_as_slack_reads_it(gallery: Gallery, text: str, selector: str, inner: str):
    gallery.show(markdown(text))
    expect(gallery.root.locator(selector)).to_have_text(inner)


@pytest.mark.parametrize("write", [mrkdwn, markdown])
@pytest.mark.parametrize("text", ["&lt;!channel&gt;", "`<!channel>`", "<\u200b!channel>", "```\n<!channel>\n```"])
def test_a_ping_that_is_no_token_notifies_nobody(gallery: Gallery, write: Any, text: str):
    gallery.show(write(text))
    assert "!channel" in gallery.text()
    assert gallery.root.locator(".bk-mention").count() == 0


HOSTILE = [
    "<img src=x onerror=window.hacked=1>",
    "<script>window.hacked=1</script>",
    "[click](javascript:window.hacked=1)",
    "[click](java\nscript:window.hacked=1)",
    "<javascript:window.hacked=1|click>",
    '<https://a.example/"onmouseover=window.hacked=1|click>',
    "![x](data:text/html,<script>window.hacked=1</script>)",
    "[x]: javascript:window.hacked=1\n\n[x]",
    "<svg/onload=window.hacked=1>",
    "<!date^0^{date}^javascript:window.hacked=1|click>",
    "\ue000\ue000*\ue000*",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(gallery: Gallery, text: str):
    link = {"type": "link", "url": "javascript:window.hacked=1", "text": text}
    plain = {"type": "plain_text", "text": text}
    gallery.show(
        mrkdwn(text),
        markdown(text),
        rich(section(text, link)),
        {"type": "header", "text": plain},
        {"type": "table", "rows": [[{"type": "raw_text", "text": text}], [rich(section(text))]]},
        {"type": "actions", "elements": [{"type": "button", "text": plain, "url": "javascript:window.hacked=1"}]},
        {"type": "image", "image_url": "javascript:window.hacked=1", "alt_text": text, "title": plain},
        {"type": "task_card", "task_id": "1", "title": text, "sources": [{"type": "url", "url": text, "text": text}]},
    )
    assert gallery.root.locator("script, iframe, object, svg[onload], img[onerror], [onmouseover]").count() == 0
    addresses = gallery.root.locator("a").evaluate_all("(links) => links.map((it) => it.protocol)")
    assert {*addresses} <= {"https:"}
    for target in gallery.root.locator("a, button:has-text('click')").all():
        target.dispatch_event("mouseover")
    assert gallery.page.evaluate("() => window.hacked") is None


@pytest.mark.parametrize(
    "text",
    [
        "[a](" * 5_000,
        "[" * 20_000,
        "*a " * 10_000,
        "_*~" * 10_000,
        "`" * 20_001,
        "<" * 30_000,
        "<@" * 15_000,
        "```" * 6_667,
        "> " * 200 + "deep",
        "- " * 200 + "deep",
        ":a" * 15_000,
        "http://" * 5_000,
        "| a " * 5_000 + "\n" + "|-" * 5_000,
    ],
    ids=lambda text: text[:6],
)
def test_a_text_made_to_be_slow_is_shown_all_the_same(gallery: Gallery, text: str):
    gallery.write("mrkdwn", text)
    gallery.write("markdown", text)
    gallery.show(markdown("still here"))
    assert gallery.text() == "still here"


def test_a_growing_text_keeps_what_was_finished(gallery: Gallery):
    gallery.write("markdown", "# Head\n\nFirst words.\n\nSecond")
    gallery.page.evaluate("() => { window.first = document.querySelector('p'); }")
    gallery.write("markdown", "# Head\n\nFirst words.\n\nSecond, which *grows*.\n\n- and grows")
    assert gallery.page.evaluate("() => window.first === document.querySelector('p') && window.first.isConnected")
    assert gallery.text() == "HeadFirst words.Second, which grows.and grows"


def test_links_may_be_defined_at_the_end_of_a_text(gallery: Gallery):
    gallery.write("markdown", "See [the words][1].\n\nMore.\n\n[1]: https://example.com/")
    expect(gallery.root.locator("a[href='https://example.com/']")).to_have_text("the words")


def test_an_unknown_block_is_named_and_the_others_are_shown(gallery: Gallery):
    gallery.show(mrkdwn("before"), {"type": "sparkles", "text": "wow"}, mrkdwn("after"))
    note = gallery.root.get_by_role("note")
    expect(note).to_contain_text("Slack would not show this: unknown block sparkles")
    expect(note).to_contain_text("wow")
    assert gallery.text().startswith("before")
    assert gallery.text().endswith("after")


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "section", "text": 42},
        {"type": "section"},
        {"type": "markdown", "text": None},
        {"type": "header", "text": {"type": "plain_text"}},
        {"type": "actions", "elements": 5},
        {"type": "actions", "elements": [{"type": "warp_drive"}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "hologram"}]}]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}], [{"type": "sound"}]]},
        {"type": "data_table", "caption": "c"},
        {"type": "data_visualization", "title": "t", "chart": {"type": "sankey"}},
        {"type": "task_card", "task_id": "1", "title": "t", "status": "bored"},
        {"type": "card"},
        {"type": "constructor"},
        "no block at all",
        None,
    ],
    ids=lambda bad: json.dumps(bad)[:60],
)
def test_a_bad_block_harms_nothing_but_itself(gallery: Gallery, bad: Any):
    gallery.show(mrkdwn("before"), bad, mrkdwn("after"))
    expect(gallery.root.get_by_role("note")).to_contain_text("Slack would not show this")
    gallery.change(mrkdwn("before"), mrkdwn("mended"), mrkdwn("after"))
    assert gallery.text() == "beforemendedafter"


def test_a_long_section_folds_until_asked(gallery: Gallery):
    long = {"type": "section", "text": {"type": "plain_text", "text": "words " * 200}}
    gallery.show(long)
    gallery.root.get_by_role("button", name="See more").click()
    expect(gallery.root.get_by_role("button", name="See less")).to_have_attribute("aria-expanded", "true")
    gallery.show({**long, "expand": True})
    expect(gallery.root.get_by_role("button")).to_have_count(0)


def test_lists_of_rich_text_nest_and_count(gallery: Gallery):
    def items(style: str, indent: int, *texts: str, **more: Any) -> dict[str, Any]:
        elements = [section(text) for text in texts]
        return {"type": "rich_text_list", "style": style, "indent": indent, "elements": elements, **more}

    gallery.show(
        rich(
            items("bullet", 0, "a", "b"),
            items("bullet", 1, "b1", "b2"),
            items("bullet", 2, "deep"),
            items("bullet", 0, "c"),
            items("ordered", 0, "third", offset=2),
        )
    )
    expect(gallery.root.locator("ul > li > ul > li > ul > li")).to_have_text("deep")
    expect(gallery.root.locator("ul").first.locator("> li").nth(1)).to_contain_text("b1")
    expect(gallery.root.locator("ol[start='3']")).to_have_text("third")


@pytest.mark.parametrize(
    ("element", "selector", "text"),
    [
        ({"type": "text", "text": "x", "style": {"bold": True, "italic": True}}, "em strong, strong em", "x"),
        ({"type": "text", "text": "x", "style": {"code": True}}, "code", "x"),
        ({"type": "text", "text": "x", "style": {"strike": True}}, "s", "x"),
        ({"type": "text", "text": "x", "style": {"underline": True}}, "u", "x"),
        ({"type": "text", "text": "*no* <!here>"}, ".bk-text", "*no* <!here>"),
        ({"type": "link", "url": "https://example.com/"}, "a", "https://example.com/"),
        ({"type": "user", "user_id": "U0BEN00001"}, ".bk-mention", "@Ben"),
        ({"type": "user", "user_id": "U0NOBODY01"}, ".bk-mention", "@U0NOBODY01"),
        ({"type": "channel", "channel_id": "C0SECRET01"}, ".bk-mention", "private channel"),
        ({"type": "broadcast", "range": "everyone"}, ".bk-ping", "@everyone"),
        ({"type": "emoji", "name": "tada"}, ".bk-emoji", "🎉"),
        (
            {"type": "date", "timestamp": 0, "format": "{date_long}", "fallback": "f"},
            "time",
            "Thursday, January 1st, 1970",
        ),
        ({"type": "color", "value": "#FF8800"}, ".bk-color", "#FF8800"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["type"],
)
def test_inline_elements_of_rich_text(gallery: Gallery, element: dict[str, Any], selector: str, text: str):
    gallery.show(rich(section(element)))
    expect(gallery.root.locator(selector)).to_have_text(text)


def test_a_picture_of_slacks_is_loaded_through_the_page_and_enlarged(gallery: Gallery):
    gallery.show({"type": "image", "slack_file": {"id": "F0CHART001"}, "alt_text": "Profit by quarter"})
    picture = gallery.root.get_by_role("img", name="Profit by quarter")
    expect(picture).to_have_js_property("naturalWidth", 60)
    gallery.root.get_by_role("button", name="Enlarge: Profit by quarter").click()
    expect(gallery.page.get_by_role("dialog").get_by_role("img")).to_be_visible()
    gallery.page.keyboard.press("Escape")
    expect(gallery.page.get_by_role("dialog")).to_have_count(0)
    expect(gallery.root.get_by_role("button", name="Enlarge")).to_be_focused()


def test_a_picture_elsewhere_is_described_not_fetched(gallery: Gallery):
    asked: list[str] = []
    gallery.page.on("request", lambda request: asked.append(request.url))
    gallery.show({"type": "image", "image_url": "https://tracker.example/x.png", "alt_text": "A kitten"})
    expect(gallery.root).to_contain_text("A kitten (from tracker.example, not loaded here)")
    assert not [url for url in asked if "tracker.example" in url]
