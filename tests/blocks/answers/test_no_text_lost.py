"""No text lost: every word Omni said stands in the messages of its reply, in order, and while it is said, too."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from omnibot.blocks.answers.exports import file_of
from omnibot.blocks.answers.progress import Shown, chunks, progress_page, streamed, view
from omnibot.blocks.layout.types import Page
from tests.blocks import hostile_text
from tests.blocks.answers.test_reply import pages_of
from tests.blocks.slack_limits import check, live
from tests.examples import examples

#: Stands in a strategy's text where a word goes that is nowhere else.
HERE = "\ufffc"
#: What such a word looks like: letters and digits, which nothing rewrites or hides.
WORD = re.compile(r"word\d+x")

#: Without what would make a cell or label more than one, or end it.
inline = st.lists(
    st.sampled_from([s for s in hostile_text.SNIPPETS if not re.search(r"[\n\r|`\\<\[\]()~\u2028\x00\x0b]", s)]),
    max_size=4,
).map("".join)
said = inline.map(lambda around: f"{around} {HERE} {around[:3]}")
paragraphs = st.builds(lambda before, after: f"{before}\n\n{HERE}\n\n{after}", hostile_text.texts, hostile_text.texts)
lists = st.lists(said, min_size=1, max_size=60).map(lambda items: "\n".join(f"- {item}" for item in items))
tables = st.builds(
    lambda width, rows: "\n".join(["|".join(["", *[f" {HERE} "] * width, ""]), "|---" * width + "|", *rows(width)]),
    st.integers(1, 25),
    st.builds(
        lambda cell, count: lambda width: [f"| {' | '.join([cell] * width)} |"] * count, said, st.integers(1, 110)
    ),
)
fences = st.builds(lambda lines: "```py\n" + "\n".join(lines) + "\n```", st.lists(st.just(HERE), max_size=40))
long_prose = st.integers(1, 400).map(lambda count: f"A sentence with {HERE} in it. " * count)
#: Addresses, and where they lead; labels that say something else.
LINKS = {
    "https://evil.example/login": "evil.example",
    "https://bank.com@evil.example/": "evil.example",
    "https://bank.com.evil.example/?next=https://bank.com": "bank.com.evil.example",
    "http://evil.example:8080/bank.com": "evil.example",
    "HTTPS://EVIL.EXAMPLE/x": "evil.example",
}
LABELS = ["bank.com", "https://bank.com/login", "**bank.com**", "here", "bank.com (bank.com)", "`bank.com`", HERE]
links = st.builds(
    lambda label, url, form: form.format(label=label, url=url),
    st.sampled_from(LABELS),
    st.sampled_from(list(LINKS)),
    st.sampled_from(["[{label}]({url})", "[{label}][r]\n\n[r]: {url}\n", "| a |\n|---|\n| [{label}]({url}) |\n"]),
)
texts = st.lists(st.one_of(paragraphs, lists, tables, fences, long_prose, links), min_size=1, max_size=4).map(
    "\n\n".join
)
buttons = st.lists(st.builds(lambda words: {"label": words, "prompt": {"prompt": "p"}}, said | long_prose), max_size=9)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.just(HERE), lambda inner: st.lists(inner) | st.dictionaries(st.just(HERE), inner)
)
parts = st.one_of(
    st.builds(lambda words: {"type": "text", "text": words}, texts),
    st.builds(lambda all_: {"type": "suggested_actions", "payload": {"actionButtons": all_}}, buttons),
    st.builds(
        lambda names, all_: {
            "type": "chart",
            "payload": {
                "chartId": "c",
                "dataChart": {"series": [{"name": n, "points": [{"x": HERE, "y": 1}]} for n in names]},
                "actionButtons": all_,
            },
        },
        st.lists(said, min_size=1, max_size=4),
        buttons,
    ),
    st.builds(lambda payload: {"type": "custom", "payload": payload}, anything),
    st.builds(lambda payload: {"type": "hologram", "beam": payload}, anything),
)


def numbered(value: Any, numbers: Iterator[int]) -> Any:
    """The same JSON with a word of its own at each place for one, in order."""
    if isinstance(value, str):
        return re.sub(HERE, lambda _: f"word{next(numbers)}x", value)
    if isinstance(value, list):
        return [numbered(item, numbers) for item in value]
    if isinstance(value, dict):
        return {numbered(key, numbers): numbered(item, numbers) for key, item in value.items()}
    return value


def words_in(value: Any) -> list[str]:
    """The words that stand in any string of this."""
    return WORD.findall(str(value))


def has_buttons(part: dict[str, Any]) -> bool:
    payload = part.get("payload")
    return isinstance(payload, dict) and "actionButtons" in payload


def identified(answer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Buttons have ids, each its own."""
    numbers = itertools.count()
    for part in filter(has_buttons, answer):
        for button in part["payload"]["actionButtons"]:
            button["buttonId"] = f"b{next(numbers)}"
    return answer


def honest(page: Page) -> None:
    """Every link says where it leads."""
    for block in page.blocks:
        texts = [block["text"]] if block["type"] == "markdown" else []
        for text in texts:
            text = re.sub(r"(?ms)^```.*?^```$", "", text)
            for link in re.finditer(r"\[((?:[^\[\]\\]|\\.)*)\]\((https?://[^()\s]+)\)( \([^()\s]+\))?", text, re.I):
                host = urlsplit(link[2]).hostname or ""
                shown = (link[3] or "").strip(" ()") or re.sub(r"[*_~`]", "", link[1])
                if image := re.search(r"\(image: ([^()]+)\)$", shown):
                    shown = image[1]
                assert re.fullmatch(rf"(?:https?://)?(?:www\.)?{re.escape(host)}(?:[/:?#].*)?", shown, re.I), link[0]
        for link_cell in cells_with_links(block.get("rows") or []):
            host = urlsplit(link_cell["url"]).hostname or ""
            assert host in str(block).replace(link_cell["url"], ""), block


def cells_with_links(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [link for item in value for link in cells_with_links(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("type") == "link" else []
    return own + [link for item in value.values() for link in cells_with_links(item)]


@given(st.lists(parts, min_size=1, max_size=4))
@examples(60)
def test_every_word_omni_said_stands_in_its_reply_and_links_say_where_they_lead(made):
    answer = identified(numbered(made, itertools.count()))

    pages = pages_of(answer)

    for page in pages:
        check(page)
        honest(page)
    assert not live(pages)
    seen = [word for page in pages for word in words_in(page.blocks)]
    for part in answer:
        if part["type"] == "text":
            assert set(words_in(part["text"])) <= set(seen)
            # A table of many columns is several tables, so its words are in their own order.
            lines = [line for line in part["text"].split("\n") if not line.startswith("|")]
            assert in_order(words_in("\n".join(lines)), seen)
    for part in answer:
        # What a picture or a notice cannot hold is in the file that goes with it.
        file = file_of(part, None) if part["type"] in ("custom", "hologram", "chart") else None
        assert set(words_in(part)) <= set(seen) | set(words_in(file or ""))


def in_order(spoken: list[str], seen: list[str]) -> bool:
    rest = iter(seen)
    return all(word in rest for word in spoken)


@given(texts, st.lists(st.integers(1, 400), max_size=12))
@examples(40)
def test_every_word_omni_said_so_far_stands_in_its_growing_messages(made, sizes):
    text = numbered(made, itertools.count()) + "\n\n"
    before: list[Shown] = []
    said: list[str] = []
    end, moment = 0, view(thoughts=[], text="")
    for size in [*sizes, len(text)]:
        end = min(len(text), end + size)
        moment = view(thoughts=[], text=text[:end])
        for number in range(len(moment.pieces)):
            now = streamed(moment, number)
            if number == len(before):
                before.append(Shown())
                said.append("")
            sent = chunks("t:", before[number], now)
            # What cannot be appended is drawn anew in the same message.
            appended = "".join(chunk["text"] for chunk in sent or [] if chunk["type"] == "markdown_text")
            said[number] = now.text if sent is None else said[number] + appended
            before[number] = now
            page = progress_page(moment, number)
            assert not live([page])
            honest(page)
    if len(moment.pieces) < 4:  # more is left to the answer
        assert set(words_in(text)) <= set(words_in(said))
