"""Escaping: nothing that a model or a person writes mentions anybody or hides a link.

Slack reads `<!channel>`, `<@U…>`, `<#C…>` and `<https://…|label>` in markdown too, perhaps in code, perhaps after
turning `&lt;` into `<`. So entities are decoded here, once, and what would be read as a token gets a zero-width space
behind its `<`: people see the same words, Slack sees no token. What still looks like an entity afterwards was written
to be read as one, and gets the same treatment behind its `&`; so nothing is left for a second reader to decode.
"""

from __future__ import annotations

import html
import re
from html.entities import html5
from typing import Final

ZERO_WIDTH_SPACE: Final = "\u200b"

_LINE_END: Final = re.compile("\r\n|[\r\u2028\u2029]")
# Control characters (a reader that drops them would join what they keep apart), the two overrides that write text
# backwards, and lone surrogates, which no UTF-8 can carry. Tab and newline stay.
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")
_ENTITY: Final = re.compile(r"&(#0*+\d{1,7}|#[xX]0*+[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Emphasis marks and backslashes may be gone before Slack looks for tokens.
_MARKS: Final = r"[\\*_~`]*+"
# Always a token, or (the group) one if what stands before its bar looks like an address.
_TOKEN: Final = re.compile(
    rf"<(?!\u200b)(?:(?={_MARKS}(?:[!@#]|&#|subteam|(?:https?|mailto|tel|slack):[^<>|]*+\|))|(?=([^<>\n|]*+)\|))",
    re.IGNORECASE,
)
# Some readers take these entities without their semicolon.
_BARE_ENTITY: Final = re.compile(
    rf"&(?=(?:lt|#0*+60|#x0*+3c){_MARKS}(?:[!@#&]|subteam|https?:|mailto:))", re.IGNORECASE
)
_ADDRESS_MARKS: Final = re.compile(r"[.:/]")

_WHOLE_ENTITY: Final = re.compile(r"&#?[0-9A-Za-z]{1,40};")
_LIVE: Final = re.compile(r"(?:<|&lt)[\\*_~`]*+(?:[!@#]|subteam|(?:https?|mailto):[^<>&|]*+\|)", re.IGNORECASE)
_LIVE_LINK: Final = re.compile(r"<(?!\u200b)[^<>\n|.:/]*+[.:/][^<>\n|]*+\|")


def clean(text: str) -> str:
    """`text` with one kind of line end and without characters nobody can see."""
    return _UNPRINTABLE.sub("", _LINE_END.sub("\n", text))


def decode(text: str) -> str:
    """`text` with its HTML entities decoded once. Only whole ones: `?a=1&copy=2` is an address and stays."""
    return clean(_ENTITY.sub(lambda m: html.unescape(m[0]) if _known(m[1]) else m[0], text))


def break_tokens(text: str) -> str:
    """`text` with every live token and every remaining entity broken by a zero-width space."""
    text = _ENTITY.sub(lambda m: f"&{ZERO_WIDTH_SPACE}{m[0][1:]}" if _known(m[1]) else m[0], text)
    text = _BARE_ENTITY.sub(f"&{ZERO_WIDTH_SPACE}", text)
    return _TOKEN.sub(lambda m: f"<{ZERO_WIDTH_SPACE}" if m[1] is None or _ADDRESS_MARKS.search(m[1]) else "<", text)


def neutralise(text: str) -> str:
    """`text` as people should see it and Slack should not act on it. Doing it twice changes nothing more."""
    return break_tokens(decode(clean(text)))


def pings(text: str) -> bool:
    """True when `text`, read as it is or with its entities decoded up to three times, holds a live token.

    Deliberately built differently from `neutralise`, whose output it judges.
    """
    for _ in range(4):
        if _LIVE.search(text) or _LIVE_LINK.search(text):
            return True
        text = _WHOLE_ENTITY.sub(lambda m: html.unescape(m[0]) if _known(m[0][1:-1]) else m[0], text)
    return False


def escape(text: str) -> str:
    """`text`, words of a person or of the API, for a mrkdwn text object or a message's `text`."""
    inert = break_tokens(clean(text))
    return inert.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _known(name: str) -> bool:
    return name.startswith("#") or f"{name};" in html5
