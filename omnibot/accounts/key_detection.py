"""Whether a text that somebody typed holds what looks like an API key. Linear in the length of the text.

In doubt a text holds a key: a refused question can be typed again, while a key that was published stays published.
What must pass are the long names of this trade: symbols of options, ISINs, order ids (UUIDs), addresses, file names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from omnibot import telemetry

KEY_SEEN: Final = (
    "That looks like an API key or a password, so I did not use it: it was neither stored nor sent to Omni. Revoke it "
    "where it was made, for others may have seen it, and delete the message if there is one. To link a new key, type "
    "`/omni link` alone and paste the key into the form."
)

_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_UUID: Final = re.compile(
    r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9A-Za-z])", re.ASCII
)
#: An address, up to where Slack or a reader ends it.
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s<>|\"']*+")
_RUN: Final = re.compile(r"[A-Za-z0-9_+/=~-]{28,}+")
_FILE: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}(?![A-Za-z0-9])")
#: What is certainly one, wherever it stands: a JSON web token, a private key, the well-known prefixes.
_CERTAIN: Final = re.compile(
    r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8}|(?<![A-Za-z0-9])(?:"
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY"
    r"|(?:sk|pk|rk|cs|csk|key|api|secret|token|live|test)[_-](?:live_|test_|prod_)?(?=[A-Za-z]{0,64}[0-9])[A-Za-z0-9]{16}"
    r"|sk-[A-Za-z0-9_-]{20}|gh[pousr]_[A-Za-z0-9]{20}|AKIA[A-Z0-9]{16}|xox[a-z]-[A-Za-z0-9-]{10}|xapp-[A-Za-z0-9-]{10})",
    re.ASCII,
)
#: The beginning of a JSON web token, cut off.
_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{17}", re.ASCII)
#: Said to be one.
_SAID: Final = re.compile(
    r"(?<![A-Za-z])(?:bearer[ \t\n\xa0:]{1,8}|(?:api[ _-]?key|access[ _-]?token|secret|password|passwd|token)"
    r"[ \t\n\xa0]{0,8}(?:[:=]|is(?=[ \t\n\xa0]))[ \t\n\xa0]{0,8})[\"'`*]{0,3}([!-~]{8,512})",
    re.IGNORECASE,
)
_ASSIGNED: Final = re.compile(r"[A-Za-z0-9_.~+/=$!%-]{8,512}")
#: Shares of neighbours of different kinds (small and capital letters, digits) from which on characters are random, by
#: the length of what they stand in: words and names have few of them, keys many.
_RANDOM: Final = ((40, 0.20), (32, 0.22), (28, 0.28))
#: The share where nothing parts it into words.
_UNBROKEN: Final = 0.15
_PIECE: Final = re.compile(r"[A-Za-z0-9]{28}")
_HEX: Final = re.compile(r"[0-9a-fA-F]{32,}+")
#: A word beside which a shorter run of letters and digits is taken for a key too.
_MENTIONED: Final = re.compile(
    r"(?<![A-Za-z])(?:un)?link(?![A-Za-z])|(?<![A-Za-z])(?:api|access|secret)[ _-]?(?:key|token)s?(?![A-Za-z])"
    r"|(?<![A-Za-z])(?:key|secret|password|bearer|credentials?)s?(?![A-Za-z])",
    re.IGNORECASE,
)
_SHORT: Final = re.compile(r"(?<![A-Za-z0-9_.+/=~-])[A-Za-z0-9_+=~-]{16,27}(?![A-Za-z0-9_+/=~-])")
#: An option's symbol is as long as a key.
_OPTION: Final = re.compile(r"[A-Z]{1,6}[0-9]{6}[CP][0-9]{8}", re.ASCII)
#: Neighbours of different kinds from which on a shorter run is no name.
_CHANGES: Final = 3
_DEEPEST: Final = 50


def holds_key(text: str) -> bool:
    """Whether `text` holds what looks like a key, or one that is linked here."""
    text = _UNSEEN.sub("", text)
    if len(text) < 8:
        return False
    if telemetry.is_known(text) or _CERTAIN.search(text):
        return True
    if any(_is_mixed(said[1]) for said in _SAID.finditer(text)):
        return True
    rest = _ADDRESS.sub(" ", _UUID.sub(" ", text))
    if _TOKEN.search(rest) or (_MENTIONED.search(rest) and _holds_short_key(rest)):
        return True
    return any(
        _is_random(run[0]) and not _FILE.match(rest, run.end()) and not rest.startswith("0x", run.start())
        for run in _RUN.finditer(rest)
    )


def _holds_short_key(text: str) -> bool:
    return any(
        _changes(run[0]) >= _CHANGES and not _OPTION.fullmatch(run[0]) and not _FILE.match(text, run.end())
        for run in _SHORT.finditer(text)
    )


def linking_slip(text: str) -> bool:
    """Whether a message is `link` or `unlink` and one word that may be a key of any shape."""
    words = text.split(maxsplit=2)
    if len(words) != 2 or words[0].rstrip(":=,").lower() not in ("link", "unlink"):
        return False
    word = words[1].strip("<>`\"'*")
    return len(word) >= 8 and _is_mixed(word) and "://" not in word


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, and the neighbouring texts of each list as one: marks cut words into elements."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            yield item
        elif depth > _DEEPEST:
            continue
        elif isinstance(item, list):
            waiting += [(inner, depth + 1) for inner in item]
            yield "".join(
                inner["text"] for inner in item if isinstance(inner, dict) and isinstance(inner.get("text"), str)
            )
        elif isinstance(item, dict):
            waiting += [(inner, depth + 1) for inner in item.values()]


def _is_mixed(word: str) -> bool:
    """Whether something that is said to be a key may be one: it is more than a word of letters."""
    found = _ASSIGNED.match(word)
    return found is not None and any(c.isdigit() for c in found[0]) and any(c.isalpha() for c in found[0])


def _changes(run: str) -> int:
    """Neighbours of different kinds (small and capital letters, digits), but for a capital at a word's beginning."""
    letters = [_kind(c) for c in run]
    return sum(bool(a and b) and a != b and (a, b) != ("A", "a") for a, b in pairwise(letters))


def _is_random(run: str) -> bool:
    letters, changes = [_kind(c) for c in run], _changes(run)
    if _HEX.search(run) and changes >= 4:
        return True
    share = _UNBROKEN if _PIECE.search(run) else next(share for length, share in _RANDOM if len(run) >= length)
    return "0" in letters and changes > share * (len(run) - letters.count(""))


def _kind(character: str) -> str:
    if character.isdigit():
        return "0"
    return ("A" if character.isupper() else "a") if character.isalpha() else ""
