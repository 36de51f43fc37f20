"""What people chose and typed: the entries of `state.values`, and whether Slack lets somebody submit them."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from omnibot_sandbox.slack import rich_text
from omnibot_sandbox.slack.checking import Check
from omnibot_sandbox.slack.inputs import DATE, TIME, number
from omnibot_sandbox.slack.menus import options_of
from omnibot_sandbox.slack.reading import elements, rich_text_words, walk
from omnibot_sandbox.slack.workspace import JSON

#: block_id to action_id to what is chosen there.
Values = dict[str, dict[str, JSON]]

#: Kinds of element to the field that holds what was chosen, and the one that says what is chosen at first.
_FIELDS: Mapping[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
REQUIRED = "Please complete this required field."
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"https?://\S+")


def is_stateful(element: JSON) -> bool:
    """Whether the element remembers what somebody chose or typed."""
    return element["type"] in _FIELDS


def field_of(element: JSON) -> str:
    """The field in which a stateful element keeps what was chosen."""
    return _FIELDS[element["type"]][0]


def values(blocks: list[JSON], chosen: Values) -> Values:
    """`state.values` of these blocks: what was chosen in each stateful element, or what stands in it at first."""
    state: Values = {}
    for block, element in elements(blocks):
        if is_stateful(element):
            said = chosen.get(block["block_id"], {}).get(element["action_id"])
            state.setdefault(block["block_id"], {})[element["action_id"]] = _still(element, said) or _initial(element)
    return state


def _still(element: JSON, said: JSON | None) -> JSON | None:
    """What was chosen, if it is still on offer: the app may have changed the element since."""
    try:
        return entry_of(element, said) if said is not None else None
    except LookupError:
        return None


def checked(blocks: list[JSON], given: Values) -> Values:
    """What somebody says to have chosen, held to what stands there.

    Raises:
        LookupError: there is no such element, or it takes nothing of the kind.
    """
    there = {(block["block_id"], element["action_id"]): element for block, element in elements(blocks)}
    out: Values = {}
    for block_id, entries in shaped(given).items():
        for action_id, said in entries.items():
            element = there.get((block_id, action_id))
            if element is None or not is_stateful(element):
                raise LookupError(f"there is nothing to fill in at {block_id!r}, {action_id!r}")
            out.setdefault(block_id, {})[action_id] = entry_of(element, said)
    return out


def shaped(given: Any) -> Values:
    """What has the form of `state.values`, whatever it says.

    Raises:
        LookupError: it has another form.
    """
    blocks = given.values() if isinstance(given, dict) else [None]
    if not all(isinstance(entries, dict) and all(isinstance(e, dict) for e in entries.values()) for entries in blocks):
        raise LookupError(f"block_id, action_id and an entry were expected instead of {given!r}")
    values: Values = given
    return values


def entry_of(element: JSON, said: JSON) -> JSON:
    """The entry for what somebody chose; `said` holds the field, more or less as the page keeps it.

    Raises:
        LookupError: it is nothing that one can choose there.
    """
    field = field_of(element)
    entry = {"type": element["type"], field: copy.deepcopy(said.get(field, _nothing(field)))}
    if not _possible(element, entry[field]):
        raise LookupError(f"{element['action_id']} takes no {field} {entry[field]!r}")
    if element.get("timezone"):
        entry["timezone"] = element["timezone"]
    return entry


def _initial(element: JSON) -> JSON:
    field, first = _FIELDS[element["type"]]
    return entry_of(element, {field: element[first]} if element.get(first) is not None else {})


def _nothing(field: str) -> Any:
    return [] if field.endswith("s") else None


def _possible(element: JSON, value: Any) -> bool:
    """Whether the person could have chosen or typed this: it has the form, and is on offer."""
    field = field_of(element)
    if value is None:
        return not field.endswith("s")
    if field == "selected_option":
        return value in options_of(element)
    if field == "selected_options":
        return isinstance(value, list) and all(option in options_of(element) for option in value)
    if field.endswith("s"):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if field == "rich_text_value":
        return _is_rich_text(value)
    if field == "selected_date_time":
        return isinstance(value, int) and not isinstance(value, bool)
    pattern = {"selected_date": DATE, "selected_time": TIME}.get(field)
    return isinstance(value, str) and (pattern is None or pattern.fullmatch(value) is not None)


def _is_rich_text(value: Any) -> bool:
    if isinstance(value, dict) and value.get("elements") == []:
        return True  # everything was deleted
    check = Check()
    rich_text.entity(check, value, "")
    return not check.problems


def complaints(blocks: list[JSON], state: Values) -> dict[str, str]:
    """What Slack itself says under inputs before it sends a submission: block_id to words; empty: it sends it.

    Only the words for a required field are known to be Slack's.
    """
    found: dict[str, str] = {}
    for block in walk(blocks):
        if block["type"] != "input":
            continue
        entry = state[block["block_id"]][block["element"]["action_id"]]
        value = entry[field_of(block["element"])]
        if _is_empty(value):
            if not block.get("optional"):
                found[block["block_id"]] = REQUIRED
        elif words := next(_objections(block["element"], value), ""):
            found[block["block_id"]] = words
    return found


def _is_empty(value: Any) -> bool:
    if isinstance(value, dict) and value.get("type") == "rich_text":
        return not rich_text_words(value, {}).strip()
    return value in (None, [], "") or (isinstance(value, str) and not value.strip())


def _objections(element: JSON, value: Any) -> Iterator[str]:
    check: Callable[[JSON, Any], Iterator[str]] | None = {
        "plain_text_input": _length,
        "number_input": _bounds,
        "email_text_input": _address,
        "url_text_input": _url,
    }.get(element["type"])
    if check is not None:
        yield from check(element, value)
    most = element.get("max_selected_items")
    if most is not None and len(value) > most:
        yield f"Select at most {most}."


def _length(element: JSON, value: str) -> Iterator[str]:
    if len(value) < (element.get("min_length") or 0):
        yield f"Enter at least {element['min_length']} characters."
    most = element.get("max_length")
    if most is not None and len(value) > most:
        yield f"Enter at most {most} characters."


def _bounds(element: JSON, value: str) -> Iterator[str]:
    entered = number(value)
    if entered is None:
        yield "Enter a number."
        return
    if not element["is_decimal_allowed"] and entered != entered.to_integral_value():
        yield "Enter a whole number."
    least, most = number(element.get("min_value")), number(element.get("max_value"))
    if least is not None and entered < least:
        yield f"Enter a number of at least {element['min_value']}."
    if most is not None and entered > most:
        yield f"Enter a number of at most {element['max_value']}."


def _address(_: JSON, value: str) -> Iterator[str]:
    if not _ADDRESS.fullmatch(value):
        yield "Enter a valid email address."


def _url(_: JSON, value: str) -> Iterator[str]:
    if not _URL.fullmatch(value):
        yield "Enter a valid URL."
