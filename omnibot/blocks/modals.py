"""What every modal is made of, and the modals that only say something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from omnibot.blocks.parts import actions, button, escaped_parts, section, shorten
from omnibot.blocks.values import Block

View = dict[str, Any]

#: Characters of a modal's title, and of its buttons.
_TITLE: Final = 24


def plain(text: str) -> Block:
    """A plain text object; words between colons stay words."""
    return {"type": "plain_text", "text": text, "emoji": False}


def modal(
    title: str,
    blocks: Sequence[Block],
    *,
    submit: str | None = None,
    callback: str = "",
    metadata: str = "",
    close: str = "Close",
) -> View:
    """A modal.

    Args:
        title: at most 24 characters.
        blocks: what it shows.
        submit: the label of the button that sends its inputs; None: it has none.
        callback: names it to whoever takes the submission.
        metadata: comes back with it. Nothing secret: it passes through Slack.
        close: the label of the button that closes it.
    """
    view: View = {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": metadata,
        "title": plain(shorten(title, _TITLE)),
        "close": plain(close),
        "blocks": list(blocks),
    }
    return view if submit is None else view | {"submit": plain(submit)}


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button that helps."""

    action: str
    label: str
    #: Comes back with the press.
    value: str = "modal"


def words_view(title: str, *sentences: str, remedy: Remedy | None = None) -> View:
    """A modal that says something.

    Args:
        title: at most 24 characters.
        sentences: what it says, a paragraph each; `code` stays code.
        remedy: a button that helps.
    """
    blocks: list[Block] = [section(part) for sentence in sentences for part in escaped_parts(sentence)]
    if remedy is not None:
        blocks.append(actions([button(remedy.action, remedy.value, remedy.label)]))
    return modal(title, blocks)


def moment_view(title: str, sentence: str, *, external_id: str) -> View:
    """Stands where something else will stand in a moment; `external_id` names it to whoever puts that there."""
    return words_view(title, sentence) | {"external_id": external_id}


def gist(view: View) -> str:
    """What a modal says first, in mrkdwn: for somebody who has closed it."""
    first = next((block for block in view["blocks"] if block["type"] == "section"), None)
    return str(first["text"]["text"]) if first is not None else ""


def failed(sentence: str, request_id: str | None = None) -> Block:
    """Why something was not done, with Clear Street's request id."""
    request = f" (request {request_id})" if request_id else ""
    return section(f"*Not done.* {escaped_parts(sentence + request)[0]}")
