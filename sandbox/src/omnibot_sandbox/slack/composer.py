"""What Slack's message box makes of the words a person types: the `text` field and the rich_text block."""

from __future__ import annotations

import re
from collections.abc import Mapping

from omnibot_sandbox.slack.workspace import JSON

# Tokens that callers may write themselves: <@U…>, <#C…>, <!here>, <https://…|label>.
_TOKEN = re.compile(
    r"<(?:@[UW][A-Z0-9]+(?:\|[^<>]*)?|#C[A-Z0-9]+(?:\|[^<>]*)?|![a-z]+(?:\^[A-Z0-9]+)?(?:\|[^<>]*)?"
    r"|(?:https?://|mailto:)[^<>]+)>"
)
_BULLET = "• "


def escape(text: str) -> str:
    """Escape the three characters that mean something in Slack's text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Undo `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def typed(text: str, names: Mapping[str, str]) -> str:
    """The `text` field for what someone typed; `names` maps a display name to the user id that "@name" means."""
    # A URL ends before the full stop of its sentence; an @ inside a word is a mail address.
    shorthand = re.compile(
        r"(?P<url>https?://[^\s<>]*[^\s<>.,;:!?)])|(?<!\w)@(?P<name>" + "|".join(map(re.escape, names)) + r")\b",
        re.IGNORECASE,
    )
    ids = {name.lower(): user for name, user in names.items()}

    def plain(piece: str) -> str:
        out, end = [], 0
        for found in shorthand.finditer(piece):
            out.append(escape(piece[end : found.start()]))
            out.append(f"<{escape(found['url'])}>" if found["url"] else f"<@{ids[found['name'].lower()]}>")
            end = found.end()
        return "".join(out) + escape(piece[end:])

    out, end = [], 0
    for token in _TOKEN.finditer(text):
        out.append(plain(text[end : token.start()]))
        out.append(token[0])
        end = token.end()
    return "".join(out) + plain(text[end:])


def mentions(text: str) -> set[str]:
    """The ids of the users this text mentions."""
    return set(re.findall(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>", text))


def rich_text(text: str, block_id: str) -> list[JSON]:
    """The one rich_text block a person's message carries, derived from its `text` field."""
    elements: list[JSON] = []
    paragraph: list[str] = []

    def end_paragraph() -> None:
        if paragraph:
            elements.append({"type": "rich_text_section", "elements": inline("\n".join(paragraph))})
            paragraph.clear()

    for line in text.split("\n"):
        if not line.startswith(_BULLET):
            paragraph.append(line)
            continue
        end_paragraph()
        if not elements or elements[-1]["type"] != "rich_text_list":
            elements.append({"type": "rich_text_list", "elements": [], "style": "bullet", "indent": 0, "border": 0})
        item = {"type": "rich_text_section", "elements": inline(line.removeprefix(_BULLET))}
        elements[-1]["elements"].append(item)
    end_paragraph()
    return [{"type": "rich_text", "block_id": block_id, "elements": elements}]


def inline(text: str) -> list[JSON]:
    """The inline elements of a stretch of the `text` field: its tokens, and the words between them."""
    out: list[JSON] = []
    end = 0
    for token in _TOKEN.finditer(text):
        if token.start() > end:
            out.append({"type": "text", "text": unescape(text[end : token.start()])})
        out.append(_element(token[0][1:-1]))
        end = token.end()
    if end < len(text):
        out.append({"type": "text", "text": unescape(text[end:])})
    return out


def _element(token: str) -> JSON:
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
    if target.startswith("!"):
        return {"type": "broadcast", "range": target[1:]}
    link: JSON = {"type": "link", "url": unescape(target)}
    if label:
        link["text"] = unescape(label)
    return link
