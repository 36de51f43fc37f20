"""Links lead where they say."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from omnibot.blocks.markdown.render import rewrite_links, safe
from tests.blocks import hostile_text
from tests.examples import examples

Z = "\u200b"

TABLE = [
    ("a ticker alone", "[AAPL](ticker:AAPL)", "`AAPL`"),
    ("a ticker in bold", "**[AAPL](ticker:aapl)**", "**`AAPL`**"),
    ("a ticker with a name", "[Apple](ticker:AAPL)", "Apple (`AAPL`)"),
    ("a ticker that is none", "[x](ticker:<!here>)", "x"),
    ("a dangerous scheme", "[click](javascript:alert(1))", "click"),
    ("an app's scheme", "[open](slack://user?id=1)", "open"),
    ("a foreign host", "[the filing](https://www.sec.gov/a?b=1&c)",
     "[the filing](https://www.sec.gov/a?b=1&c) (www.sec.gov)"),
    ("a host that is named", "[sec.gov](https://www.sec.gov/a)", "[sec.gov](https://www.sec.gov/a)"),
    ("a disguise", "[bank.com](https://evil.com/a)", "[bank.com](https://evil.com/a) (evil.com)"),
    ("both hosts named", "[bank.com via evil.com](https://evil.com)",
     "[bank.com via evil.com](https://evil.com) (evil.com)"),
    ("a host as a user", "[x](https://bank.com@evil.com)", "[x](https://bank.com@evil.com) (evil.com)"),
    ("foreign letters", "[x](https://аpple.com)", "[x](https://аpple.com) (xn--pple-43d.com)"),
    ("no host at all", "[x](https:///path)", "x"),
    ("a broken address", "[x](https://[::1)", "x"),
    ("parentheses in the address", "[w](https://x.y/A_(b))", "[w](https://x.y/A_%28b%29) (x.y)"),
    ("a title", '[w](https://x.y "Title (1)")', "[w](https://x.y) (x.y)"),
    ("an address in brackets", "[w](<https://x.y/a b>)", "[w](https://x.y/a%20b) (x.y)"),
    ("a mail address", "[us](mailto:a@b.c)", "[us](mailto:a@b.c) (a@b.c)"),
    ("no words", "[](https://x.y)", "[x.y](https://x.y)"),
    ("an image", "![chart](https://x.y/a.png?q=secret)", "[chart (image: x.y)](https://x.y/a.png?q=secret)"),
    ("an image of data", "![dot](data:image/png;base64,AA)", "dot (image)"),
    ("an image in a link", "[![b](https://i.co/x)](https://h.com)", "[b (image: i.co)](https://h.com) (h.com)"),
    ("a reference", "[a][1], [b][] and [c]\n\n[1]: https://x.y\n[b]: <https://v.w> 'T'\n[C]: https://t.u",
     "[a](https://x.y) (x.y), [b](https://v.w) (v.w) and [c](https://t.u) (t.u)\n"),
    ("an image by reference", "![logo]\n\n[logo]: https://x.y/b.png", "[logo (image: x.y)](https://x.y/b.png)\n"),
    ("a definition still referred to where there was no room for its address",
     "[a] and [a]\n\n[a]: https://x.example/a-long-way-down",
     f"[a](https://x.example/a-long-way-down) (x.example) and [a]\n\n[a]{Z}: https://x.example/a-long-way-down"),
    ("a definition nobody uses", "text\n\n[1]: https://x.y", f"text\n\n[1]{Z}: https://x.y"),
    ("a relative address", "[a](/b/c)", "a (/b/c)"),
    ("indexing", "x[0](y)", f"x[0]{Z}(y)"),
    ("a link that never ends", "[a](https://x.y", f"[a]{Z}(https://x.y"),
    ("a link in a link", "[a [b](https://c.d) e](https://f.g)", f"[a [b](https://c.d) (c.d) e]{Z}(https://f.g)"),
    ("an autolink", "<https://x.y/z>", "https://x.y/z"),
    ("an autolinked mail address", "<a@b.co>", "a@b.co"),
    ("a private autolink", "<ticker:AAPL>", "AAPL"),
    ("Slack's own notation", "<https://evil.com|bank.com>", "bank.com (https://evil.com)"),
    ("an escaped bracket", r"\[a](https://x.y)", rf"\[a]{Z}(https://x.y)"),
    ("a code span", "`a[0] <https://x.y>`", "`a[0] <https://x.y>`"),
    ("a fence", "```\n[a](https://x.y)\n[1]: https://x.y\n```", "```\n[a](https://x.y)\n[1]: https://x.y\n```"),
    ("behind a fence", "```\nx\n```\n[a](https://x.y)", "```\nx\n```\n[a](https://x.y) (x.y)"),
    ("a list's fence that ends with it", "- ```\n[a](https://x.y)", "- ```\n[a](https://x.y) (x.y)"),
    ("bold stuck to text", "**Note:**text 2 * 3 * 4", "**Note:**text 2 * 3 * 4"),
    ("entities hide no link", "&#91;bank.com&#93;(https://evil.com)", "[bank.com](https://evil.com) (evil.com)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_links_become_honest(text, shown):
    assert safe(text) == shown


@pytest.mark.parametrize(
    ("label", "defined"), [("x" * 1_000, "x" * 1_000), ("x" * 1_500, "x" * 998), ("x" * 1_500, "x" * 999)]
)
def test_a_label_longer_than_a_reference_may_have_leads_nowhere(label, defined):
    assert "](" not in safe(f"[{label}]\n\n[{defined}]: https://x.y")


def test_the_longest_label_of_a_reference_leads_where_its_definition_says():
    assert safe(f"[{'x' * 999}]\n\n[{'x' * 999}]: https://x.y") == f"[{'x' * 999}](https://x.y) (x.y)\n"


@given(hostile_text.texts)
@examples(100)
def test_every_link_left_is_http_or_mail_and_every_image_is_gone(text):
    outside = re.sub(r"(?ms)^.*?(```|~~~).*\Z", "", safe(text))  # inside fences there are no links to find
    for target in re.findall(r"(?<!\\)\]\(([^)\s]*)", outside):
        assert target.startswith(("https://", "http://", "mailto:")), outside
    assert "![a](" not in outside


@given(hostile_text.texts)
@examples(100)
def test_a_text_without_links_keeps_every_character(text):
    plain = text.replace("[", "").replace("]", "").replace("<", "").replace("\r", "").replace("\u2028", "")
    plain = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\u2029]", "", plain)
    assert rewrite_links(plain) == plain


def test_rewriting_twice_adds_nothing():
    for name, text, _ in TABLE:
        once = safe(text)
        assert safe(once) == once, name
