"""What may stand inside blocks: buttons and images, and every other element by its name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from omnibot_sandbox.slack import inputs, menus
from omnibot_sandbox.slack.checking import Check, kind_of
from omnibot_sandbox.slack.menus import ANY_TEXT
from omnibot_sandbox.slack.workspace import JSON

__all__ = ["ANY_TEXT", "IN_ACTIONS", "IN_INPUTS", "IN_SECTIONS", "element", "image_source"]

_ENTITIES = ("users_select", "conversations_select", "channels_select")
_MULTI = ("multi_static_select", *(f"multi_{name}" for name in _ENTITIES))
_MENUS = ("static_select", *_ENTITIES, "radio_buttons", "checkboxes")
_PICKERS = ("datepicker", "timepicker", "datetimepicker")
#: Slack's pages let menus for several choices stand in action rows too; Slack itself refuses them there.
IN_ACTIONS = ("button", "overflow", *_MENUS, *_PICKERS)
IN_SECTIONS = ("button", "image", "overflow", *_MENUS, *_MULTI, "datepicker", "timepicker")
#: What an input block can ask with.
IN_INPUTS = (
    *("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"),
    *(*_MENUS, *_MULTI, *_PICKERS),
)


def _button(check: Check, it: JSON, at: str) -> None:
    more = ("agent_prompt", "agent_prompt_display", "visible_to_user_ids")
    check.shape(it, at, ("text",), ("action_id", "url", "value", "style", "confirm", "accessibility_label", *more))
    check.text(it.get("text"), f"{at}/text", "button.text")
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    check.string(it.get("value"), f"{at}/value", "button.value")
    check.url(it.get("url"), f"{at}/url", "button.url")
    check.choice(it.get("style"), f"{at}/style", ("primary", "danger"))
    check.string(it.get("accessibility_label"), f"{at}/accessibility_label", "button.accessibility_label")
    check.string(it.get("agent_prompt"), f"{at}/agent_prompt", "button.agent_prompt")
    check.string(it.get("agent_prompt_display"), f"{at}/agent_prompt_display")
    _visible_to(check, it, at)
    menus.confirm(check, it.get("confirm"), f"{at}/confirm")


def _icon_button(check: Check, it: JSON, at: str) -> None:
    more = ("action_id", "value", "confirm", "accessibility_label", "visible_to_user_ids")
    check.shape(it, at, ("icon", "text"), more)
    check.choice(it.get("icon"), f"{at}/icon", ("trash",))
    check.text(it.get("text"), f"{at}/text", "button.text")
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    check.string(it.get("value"), f"{at}/value", "button.value")
    check.string(it.get("accessibility_label"), f"{at}/accessibility_label", "button.accessibility_label")
    _visible_to(check, it, at)
    menus.confirm(check, it.get("confirm"), f"{at}/confirm")


def _visible_to(check: Check, it: JSON, at: str) -> None:
    for user, where in check.items(it.get("visible_to_user_ids"), f"{at}/visible_to_user_ids", "visible_to_user_ids"):
        check.string(user, where)


def _feedback_buttons(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("positive_button", "negative_button"), ("action_id",))
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    for name in ("positive_button", "negative_button"):
        where = f"{at}/{name}"
        if name in it and check.shape(it[name], where, ("text", "value"), ("accessibility_label",)):
            check.text(it[name].get("text"), f"{where}/text", "feedback.text")
            check.string(it[name].get("value"), f"{where}/value", "feedback.value")
            label = it[name].get("accessibility_label")
            check.string(label, f"{where}/accessibility_label", "button.accessibility_label")


def image_source(check: Check, it: JSON, at: str) -> None:
    """An image comes from exactly one place, and says in words what it shows."""
    if ("image_url" in it) == ("slack_file" in it):
        check.fail(at, "must have exactly one of: image_url, slack_file")
    check.url(it.get("image_url"), f"{at}/image_url", "image.image_url")
    file: Any = it.get("slack_file")
    if file is not None and check.shape(file, f"{at}/slack_file", (), ("id", "url"), typed=False) and len(file) != 1:
        check.fail(f"{at}/slack_file", "must have exactly one of: id, url")
    elif isinstance(file, dict) and check.files is not None and not {file.get("id"), file.get("url")} & {*check.files}:
        check.fail(f"{at}/slack_file", "invalid slack file")
    check.string(it.get("alt_text"), f"{at}/alt_text", "image.alt_text")


def _image(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("alt_text",), ("image_url", "slack_file"))
    image_source(check, it, at)


_ELEMENTS: Mapping[str, Callable[[Check, JSON, str], None]] = {
    "button": _button,
    "icon_button": _icon_button,
    "feedback_buttons": _feedback_buttons,
    "image": _image,
    "overflow": menus.overflow,
    "static_select": menus.static_select,
    "multi_static_select": menus.multi_static_select,
    **{name: menus.entity_select for name in (*_ENTITIES, *(f"multi_{name}" for name in _ENTITIES))},
    "radio_buttons": menus.choices,
    "checkboxes": menus.choices,
    "plain_text_input": inputs.plain_text_input,
    "email_text_input": inputs.address_input,
    "url_text_input": inputs.address_input,
    "number_input": inputs.number_input,
    "rich_text_input": inputs.rich_text_input,
    "datepicker": inputs.datepicker,
    "timepicker": inputs.timepicker,
    "datetimepicker": inputs.datetimepicker,
}


def element(check: Check, it: Any, at: str, allowed: Collection[str]) -> None:
    """One element, of a kind that may stand here."""
    kind = kind_of(it)
    if not isinstance(it, dict) or kind not in allowed or kind not in _ELEMENTS:
        check.unsupported(it, at)
    else:
        _ELEMENTS[kind](check, it, at)
