"""Links show their target: whoever reads an answer sees where each of them leads.

A scanner of our own, because it must take hostile text in linear time and leave every other character as it was. What
looks like a link but is none by its reading is broken by a zero-width space, so that a reader of markdown with other
habits does not find a link there that nobody has looked at.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from omnibot.blocks.markdown.escaping import ZERO_WIDTH_SPACE, clean
from omnibot.blocks.markdown.link_targets import (
    LONGEST_ADDRESS,
    Address,
    address,
    destination,
    names_honestly,
)
from omnibot.blocks.markdown.structure import Definition, label_key, read

_BREAK: Final = f"]{ZERO_WIDTH_SPACE}"
_BACKTICKS: Final = re.compile(r"`+")
_PLAIN: Final = re.compile(r"[^\\`\[\]!<]+")
_AUTOLINK: Final = re.compile(
    r"<(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\n<>|]*+\|[^\n<>]*+|[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>|]*+|[\w.+-]{1,64}@[\w.-]{1,255})>"
)
_LABEL: Final = re.compile(r"\[((?:[^\[\]\\]|\\.){0,999})\]", re.DOTALL)
_MARKS: Final = re.compile(r"[*_~`]")
#: Characters of a reference's label, as CommonMark has it.
LONGEST_LABEL: Final = 999


def rewrite_links(text: str) -> str:
    """`text` with only honest links left: http(s) and mailto, each naming its host. Fenced code stays as it is.

    Rewriting twice changes nothing more.
    """
    lines = clean(text).split("\n")
    structure = read(lines)
    references = _References(structure.definitions, space=len(text))
    defining = {number for definition in structure.definitions for number in range(definition.start, definition.end)}
    fenced = {number for fence in structure.fences for number in range(fence.start, fence.end)}
    passage_end = dict(structure.passages)
    out: dict[int, str] = {}
    number = 0
    while number < len(lines):
        end = number + 1
        if number in fenced:
            out[number] = lines[number]
        else:
            end = max(end, passage_end.get(number, end))
            known = None if number in defining else references
            out[number] = _Scanner("\n".join(lines[number:end]), known).run()
        number = end
    for definition in references.used_up():  # their addresses stand at their links now
        for number in range(definition.start, definition.end):
            out.pop(number, None)
    return "\n".join(out.values())


class _References:
    """The definitions of a text, and how much of it their addresses may become where they are referred to."""

    def __init__(self, definitions: list[Definition], *, space: int) -> None:
        self._known: dict[str, Definition] = {}
        for definition in definitions:
            if len(definition.url) <= LONGEST_ADDRESS:
                self._known.setdefault(definition.key, definition)  # the first counts
        self._addresses: dict[str, Address] = {}
        self._space = space
        self._used: set[str] = set()
        #: Referred to beyond the limit: these stay where they are.
        self._left: set[str] = set()

    def find(self, label: str) -> Address | None:
        """Where a reference leads; None: nowhere that is known, or its address has stood in the text often enough."""
        if not self._known or len(label) > LONGEST_LABEL:
            return None
        key = label_key(label)
        if key not in self._known:
            return None
        if key not in self._addresses:
            self._addresses[key] = address(self._known[key].url)
        where = self._addresses[key]
        if not _means_something(where):
            return None
        length = len(where.url) + len(where.shown)
        if length > self._space:
            self._left.add(key)
            return None
        self._space -= length
        self._used.add(key)
        return where

    def used_up(self) -> list[Definition]:
        """Those that nothing refers to any more."""
        return [self._known[key] for key in self._used - self._left]


@dataclass(slots=True)
class _Opener:
    """A `[` or `![` that may begin a link."""

    #: Where its output begins, in `_Scanner.out`; the bracket itself is the first entry.
    at: int
    #: Where its words begin in the text.
    start: int
    image: bool


@dataclass(slots=True)
class _Scanner:
    """One passage, read once from left to right."""

    text: str
    #: None: this passage is itself a definition.
    references: _References | None
    out: list[str] = field(default_factory=list)
    openers: list[_Opener] = field(default_factory=list)
    #: Openers below these positions are only brackets: links hold no links, images no images.
    dead_links: int = 0
    dead_images: int = 0

    def run(self) -> str:
        runs: defaultdict[int, list[int]] = defaultdict(list)
        for ticks in _BACKTICKS.finditer(self.text):
            runs[len(ticks[0])].append(ticks.start())
        position = 0
        while position < len(self.text):
            if plain := _PLAIN.match(self.text, position):
                self.out.append(plain[0])
                position = plain.end()
                continue
            position = self._special(position, runs)
        return "".join(self.out)

    def _special(self, position: int, runs: dict[int, list[int]]) -> int:
        text = self.text
        match text[position]:
            case "\\":
                self.out.append(text[position : position + 2])
                return position + 2
            case "`":
                return self._code(position, runs)
            case "<" if link := _AUTOLINK.match(text, position):
                self.out.append(_bare(link[0]))
                return link.end()
            case "[":
                self._open(position + 1, "[")
            case "!" if text.startswith("[", position + 1):
                self._open(position + 2, "![")
                return position + 2
            case "]":
                return self._close(position)
            case character:
                self.out.append(character)
        return position + 1

    def _open(self, start: int, bracket: str) -> None:
        self.openers.append(_Opener(len(self.out), start, len(bracket) == 2))
        self.out.append(bracket)

    def _code(self, position: int, runs: dict[int, list[int]]) -> int:
        """A code span stays, but for what would be a link if somebody else saw no code here."""
        ticks = _BACKTICKS.match(self.text, position)
        length = len(ticks[0]) if ticks else 1
        starts = runs[length]
        following = bisect_left(starts, position + 1)
        end = starts[following] + length if following < len(starts) else position + length
        self.out.append(self.text[position:end].replace("](", f"{_BREAK}("))
        return end

    def _close(self, position: int) -> int:
        after = position + 1
        if self.openers:
            opener = self.openers.pop()
            index = len(self.openers)
            dead = index < (self.dead_images if opener.image else self.dead_links)
            found = None if dead else self._target(opener, position)
            if found is not None:
                where, end = found
                words = "".join(self.out[opener.at + 1 :])
                del self.out[opener.at :]
                inside = index > self.dead_links
                self.out.append(_image(words, where, inside) if opener.image else self._link(words, where, end))
                self.dead_images = index
                self.dead_links = min(self.dead_links, index) if opener.image else index
                return end
        self.dead_links = min(self.dead_links, len(self.openers))
        self.dead_images = min(self.dead_images, len(self.openers))
        self.out.append(_BREAK if self.text.startswith(("(", ":"), after) else "]")
        return after

    def _link(self, words: str, where: Address, end: int) -> str:
        linked = _link(words, where)
        suffix = f" ({where.shown})"
        # Already said behind it: this text has been here before.
        return linked.removesuffix(suffix) if self.text.startswith(suffix, end) and where.url else linked

    def _target(self, opener: _Opener, position: int) -> tuple[Address, int] | None:
        """Where the bracket closing at `position` leads, and where that ends in the text. None: it is no link."""
        if self.text.startswith("(", position + 1) and (inline := destination(self.text, position + 2)):
            where = address(inline[0])
            return (where, inline[1]) if _means_something(where) else None
        if self.references is None:
            return None
        label, end = self.text[opener.start : min(position, opener.start + LONGEST_LABEL + 1)], position + 1
        if (full := _LABEL.match(self.text, position + 1)) is not None:
            label, end = full[1] or label, full.end()
        referred = self.references.find(label)
        return (referred, end) if referred is not None else None


def _means_something(where: Address) -> bool:
    """Whether this is more than a word in parentheses: `x[0](y)` is no link."""
    return bool(where.scheme) or not where.shown or bool(re.search(r"[./#?]", where.shown))


def _link(words: str, where: Address) -> str:
    plain = _MARKS.sub("", words).strip()
    if where.scheme == "ticker" and where.shown:
        # Code rather than bold: it also works where the words around it are bold already.
        symbol = f"`{where.shown}`"
        return symbol if plain.upper().lstrip("$") in ("", where.shown) else f"{words} ({symbol})"
    if not where.url:
        return f"{words} ({where.shown})" if where.shown else words
    if not plain:
        return f"[{where.shown}]({where.url})"
    honest = names_honestly(plain, where) or plain.endswith(f"(image: {where.shown})")
    return f"[{words}]({where.url})" if honest else f"[{words}]({where.url}) ({where.shown})"


def _image(alt: str, where: Address, inside_link: bool) -> str:
    """An image is never fetched: its words, and where it is."""
    words = f"{alt} (image: {where.shown})" if where.url else f"{alt} (image)"
    return f"[{words.strip()}]({where.url})" if where.url and not inside_link else words.strip()


def _bare(autolink: str) -> str:
    target, bar, words = autolink[1:-1].partition("|")
    where = address(target)
    if bar:  # Slack's own notation for a link with words of its own
        return f"{words} ({where.url or where.shown})"
    if where.scheme in ("", "http", "https", "mailto", "ticker"):
        return where.url or where.shown or target
    return autolink
