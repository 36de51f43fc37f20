"""What every modal is made of, and modals that only show a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from omnibot.blocks.layout.builders import actions, button, escaped_parts, section, shorten
from omnibot.blocks.layout.types import Block

View = dict[str, Any]

#: Characters of a modal's title, and of its buttons.
_TITLE: Final = 24
#: What of a view is sent back to have it again, and how many blocks it may have.
_KEPT: Final = ("type", "callback_id", "private_metadata", "title", "submit", "close", "notify_on_close")
_BLOCKS: Final = 100
#: How the block_ids begin of what is said above a form that is shown again.
_SAID: Final = "said_again:"
#: Kinds of input: where what stands in them is, and where what stands in them at first.
_STANDS: Final[Mapping[str, tuple[str, str]]] = {
    "plain_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}


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
class ActionPrompt:
    """A button that helps."""

    action: str
    label: str
    #: Comes back with the press.
    value: str = "modal"


def words_view(title: str, *sentences: str, prompt: ActionPrompt | None = None) -> View:
    """A modal that says something.

    Args:
        title: at most 24 characters.
        sentences: what it says, a paragraph each; `code` stays code.
        prompt: a button that helps.
    """
    blocks: list[Block] = [section(part) for sentence in sentences for part in escaped_parts(sentence)]
    if prompt is not None:
        blocks.append(actions([button(prompt.action, prompt.value, prompt.label)]))
    return modal(title, blocks)


def moment_view(title: str, sentence: str, *, external_id: str) -> View:
    """Stands where something else will stand in a moment; `external_id` names it to whoever puts that there."""
    return words_view(title, sentence) | {"external_id": external_id}


def kept_view(shown: Mapping[str, Any], *sentences: str, now: Sequence[str] = ()) -> View:
    """A form as it is before somebody, with all they entered, below what it could not be used for.

    It keeps its name and what it was opened for: as far as it is of an older version, it stays so.

    Args:
        shown: the view, as Slack sends it with a press or a submission.
        sentences: what is to be said, a paragraph each.
        now: how that which it is about stands by now, in mrkdwn.
    """
    state = shown.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    entered: Mapping[str, Any] = values if isinstance(values, Mapping) else {}
    said: list[Block] = [section(f"⚠ {part}") for sentence in sentences for part in escaped_parts(sentence)]
    said += [section(one) for one in now]
    told = [block | {"block_id": f"{_SAID}{number}"} for number, block in enumerate(said)]
    rest = [block for block in shown.get("blocks") or () if not str(block.get("block_id")).startswith(_SAID)]
    view = {name: value for name in _KEPT if (value := shown.get(name)) is not None}
    return view | {"blocks": [*told, *(_filled(block, entered.get(block.get("block_id"))) for block in rest)][:_BLOCKS]}


def _filled(block: Block, entered: Any) -> Block:
    """An input with what stands in it."""
    element = block.get("element")
    if block.get("type") != "input" or not isinstance(element, Mapping) or not isinstance(entered, Mapping):
        return block
    stands = entered.get(element.get("action_id"))
    if not isinstance(stands, Mapping) or (names := _STANDS.get(str(element.get("type")))) is None:
        return block
    field, first = names
    filled = {name: value for name, value in element.items() if name != first}
    stood = _offered(element, stands.get(field))
    return block | {"element": filled | ({first: stood} if stood else {})}


def _offered(element: Mapping[str, Any], stands: Any) -> Any:
    """What stands in an input; of options those on offer, as they are written there: Slack takes no others."""
    if not isinstance(stands, list | Mapping):
        return stands
    options = {option.get("value"): option for option in element.get("options") or ()}
    if isinstance(stands, Mapping):
        return options.get(stands.get("value"))
    return [options[one["value"]] for one in stands if one.get("value") in options]


def gist(view: View) -> str:
    """What a modal says first, in mrkdwn: for somebody who has closed it."""
    first = next((block for block in view["blocks"] if block["type"] == "section"), None)
    return str(first["text"]["text"]) if first is not None else ""


def failed(sentence: str, request_id: str | None = None) -> Block:
    """Why something was not done, with Clear Street's request id."""
    request = f" (request {request_id})" if request_id else ""
    return section(f"*Not done.* {escaped_parts(sentence + request)[0]}")
