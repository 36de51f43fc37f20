"""Text nobody would write on purpose, but for those who would."""

from __future__ import annotations

from hypothesis import strategies as st

SNIPPETS = [
    "<!channel>", "<!here|here>", "<@U123ABC>", "<@U123ABC|joe>", "<#C1|general>", "<!subteam^S1|@ops>", "<subteam^S1>",
    "<https://evil.com|bank.com>", "<mailto:a@evil.com|us>", "<evil.com|bank.com>", "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;", "&amp;#38;lt;!x", "&#60;!here&#62;", "&#x3c;@U1&#x3E;", "&lt&#33;channel", "&lt;",
    "&amp;", "&", "<", ">", "!", "@", "#", "|", "lt;", "amp;", "#60;", "#33;", "\\", "*", "_", "~", "`", "``", "```",
    "````", "~~~", "```py", "\n", "\n\n", "\n> ", "\n- ", "\n1. ", "\n   ", "\n    ", "\n# ", "\n---\n", "\n===\n",
    "- - -\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n", "\n|-|-|\n", "[", "]", "(", ")", "](", "![", "[a](https://evil.com)", "[a][1]",
    "\n[1]: https://evil.com 'T'\n", "[AAPL](ticker:AAPL)", "[x](javascript:x)", "![i](https://evil.com/a.png)",
    "<https://a.b>", "https://a.b/c_(d)", "channel", "here", "words of text. More words! ", "e\u0301", "\u200b",
    "\u202e", "👩‍👩‍👧", "🇩🇪", "\x00", "\x0b", "\r\n", "\u2028", " ", "\t", "ß", "漢字。",
]  # fmt: skip

#: Texts of such snippets, and now and then of anything.
texts = st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=8)), max_size=40).map("".join)

EXAMPLE = (
    "## Apple\n\nSee [AAPL](ticker:AAPL) and <!channel> or &lt;!here&gt; <@U1>.\n\n```py\nx = '<!here>'\n```\n\n"
    "| Name | Price |\n|------|-------|\n| <!everyone> | 1 |\n\n[bank.com](https://evil.com) <https://evil.com|bank.com>"
)

#: Short texts repeated to a size where anything worse than linear would be felt.
REPEATED = {
    "5,000 links that never close": "[a](" * 5_000,
    "20,000 brackets": "[" * 20_000,
    "images within images": "![" * 5_000 + "](u)" * 5_000,
    "links within links": "[" * 5_000 + "](https://a.b)" * 5_000,
    "addresses that never end": "[a](x " * 5_000,
    "backticks": "`" * 20_000,
    "code spans that never close": "`a``" * 5_000,
    "less-thans": "<" * 20_000,
    "tokens that never close": "<a:b" * 5_000,
    "encoded ampersands": "&amp;" * 4_000,
    "quotes 200 deep": "> " * 200 + "[x](https://a.b)",
    "lists 200 deep": "\n".join("  " * depth + "- a" for depth in range(200)),
    "list markers": "- " * 9_000,
    "definitions": "[a]: b.c\n" * 3_000 + "[a]" * 3_000,
    "headings": "# a\n" * 4_000,
    "dividers": "---\n" * 4_000,
    "tables": "|a|b|\n|-|-|\n|1|2|\n\n" * 300,
    "one long table": "|a|b|\n|-|-|\n" + "|1|2|\n" * 3_000,
    "fences": "```\n" * 5_000,
    "stars": "*" * 20_000,
    "one word": "a" * 40_000,
}
