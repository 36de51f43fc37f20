"""Where a link leads, and how that is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

_SCHEME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):")
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_SYMBOL: Final = re.compile(r"^[A-Z0-9][A-Z0-9.\-/^=]{0,14}$")
_DOTTED: Final = re.compile(r"[\w.-]+")
_TOP: Final = re.compile(r"[^\W\d_]{2,}")
#: Words longer than this are no name of a host anybody reads: they are never taken for an honest one.
_WORDS: Final = 1_000
#: The longest host name there is, and the longest address somebody is sent to; browsers take no longer ones either.
_LONGEST_HOST: Final = 253
LONGEST_ADDRESS: Final = 4_000
# Percent-encoded, so that no reader of markdown can end the address earlier or later than we do.
_UNSAFE: Final = {character: f"%{ord(character):02X}" for character in ' ()<>|"`\\\t\n[]'}

_TITLE: Final = re.compile(r"""[ \t\n]+(?:"[^"\\]{0,500}"|'[^'\\]{0,500}'|\([^()\\]{0,500}\))""")
_SPACES: Final = re.compile(r"[ \t]*\n?[ \t]*")
#: How deep parentheses inside an address may nest; the same bound CommonMark suggests, and what keeps this linear.
_DEPTH: Final = 32


@dataclass(frozen=True, slots=True)
class Address:
    """The target of a link: `url` is empty when nobody should be sent there."""

    url: str
    #: What people are shown of it: the host, the mail address, the ticker symbol.
    shown: str
    scheme: str


def address(target: str) -> Address:
    """The address a markdown link's destination means. One without a scheme has no url: Slack knows no base for it."""
    target = _ESCAPED.sub(r"\1", target.strip())
    scheme = _SCHEME.match(target)
    if scheme is None:
        return Address("", target, "")
    name = scheme[1].lower()
    if name == "ticker":
        symbol = target[scheme.end() :].strip().upper()
        return Address("", symbol if _SYMBOL.match(symbol) else "", name)
    if name == "mailto":
        mailbox = target[scheme.end() :].split("?")[0].strip()
        return Address(_encoded(target) if "@" in mailbox else "", mailbox, name)
    if name in ("http", "https"):
        host = _host(target)
        return Address(_encoded(target) if host else "", host, name)
    return Address("", "", name)


def destination(text: str, position: int) -> tuple[str, int] | None:
    """The address of `(address "title")` and the end of it, `position` being just behind the parenthesis."""
    start = position = _skip(text, position)
    if text.startswith("<", position):
        end = text.find(">", position, position + LONGEST_ADDRESS)
        if end < 0 or "\n" in text[position:end]:
            return None
        target, position = text[start + 1 : end], end + 1
    else:
        position = _balanced(text, position)
        if position - start > LONGEST_ADDRESS:
            return None
        target = text[start:position]
    if title := _TITLE.match(text, position):
        position = title.end()
    position = _skip(text, position)
    return (target, position + 1) if text.startswith(")", position) else None


def _balanced(text: str, position: int) -> int:
    """The end of an address without spaces whose parentheses are balanced."""
    depth = 0
    end = min(len(text), position + LONGEST_ADDRESS + 1)
    while position < end and text[position] > " ":
        match text[position]:
            case "\\":
                position += 1
            case "(":
                depth += 1
                if depth > _DEPTH:
                    return position
            case ")":
                depth -= 1
                if depth < 0:
                    return position
        position += 1
    return min(position, end)


def _skip(text: str, position: int) -> int:
    spaces = _SPACES.match(text, position)
    return spaces.end() if spaces else position


def names_honestly(words: str, where: Address) -> bool:
    """True when the link text `words` names the host it leads to, and no other."""
    if len(words) > _WORDS:
        return False
    named = {host.lower().removeprefix("www.") for host in _hosts(words)}
    if where.scheme == "mailto":
        return where.shown.lower() in words.lower()
    if words == where.shown:
        return True
    return named == {where.shown.removeprefix("www.")}


def _hosts(words: str) -> Iterator[str]:
    """What reads like the name of a host: labels between single dots, the last beginning with two letters or more."""
    for dotted in _DOTTED.findall(words):
        for empty, labels in groupby(dotted.split("."), key=lambda label: not label):
            named = [] if empty else list(labels)
            while len(named) > 1:
                if top := _TOP.match(named[-1]):
                    yield ".".join([*named[:-1], top[0]])
                    break
                named.pop()


def _host(url: str) -> str:
    """The host a browser would go to, "" if there is none; one written in foreign letters as it is registered."""
    try:
        host = (urlsplit(url.replace("\\", "/")).hostname or "").rstrip(".")
        host = host if host.isascii() or len(host) > _LONGEST_HOST else host.encode("idna").decode("ascii")
    except ValueError:  # UnicodeError is one
        return ""
    return host if len(host) <= _LONGEST_HOST and re.fullmatch(r"[\w.:-]+", host, re.ASCII) else ""


def _encoded(url: str) -> str:
    return "".join(_UNSAFE.get(character, character) for character in url)
