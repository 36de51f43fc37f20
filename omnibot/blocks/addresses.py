"""Where a link really leads, and how that is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_SCHEME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):")
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_SYMBOL: Final = re.compile(r"^[A-Z0-9][A-Z0-9.\-/^=]{0,14}$")
_HOST: Final = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}")
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
        end = text.find(">", position, position + 4_000)
        if end < 0 or "\n" in text[position:end]:
            return None
        target, position = text[start + 1 : end], end + 1
    else:
        position = _balanced(text, position)
        target = text[start:position]
    if title := _TITLE.match(text, position):
        position = title.end()
    position = _skip(text, position)
    return (target, position + 1) if text.startswith(")", position) else None


def _balanced(text: str, position: int) -> int:
    """The end of an address without spaces whose parentheses are balanced."""
    depth = 0
    while position < len(text) and text[position] > " ":
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
    return min(position, len(text))


def _skip(text: str, position: int) -> int:
    spaces = _SPACES.match(text, position)
    return spaces.end() if spaces else position


def names_honestly(words: str, where: Address) -> bool:
    """True when the link text `words` names the host it leads to, and no other."""
    named = {host.lower().removeprefix("www.") for host in _HOST.findall(words)}
    if where.scheme == "mailto":
        return where.shown.lower() in words.lower()
    if words == where.shown:
        return True
    return named == {where.shown.removeprefix("www.")}


def _host(url: str) -> str:
    """The host a browser would go to, "" if there is none; one written in foreign letters as it is registered."""
    try:
        host = (urlsplit(url.replace("\\", "/")).hostname or "").rstrip(".")
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:  # UnicodeError is one
        return ""
    return host if re.fullmatch(r"[\w.:-]+", host, re.ASCII) else ""


def _encoded(url: str) -> str:
    return "".join(_UNSAFE.get(character, character) for character in url)
