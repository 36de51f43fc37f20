"""What may stand inside blocks: buttons, menus, images, rich text and table cells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from omnibot.emulator.slack.checking import Check, kind_of
from omnibot.emulator.slack.workspace import JSON

ANY_TEXT = ("plain_text", "mrkdwn")
#: What an input block can ask with.
INPUTS = ("plain_text_input", "static_select", "radio_buttons", "checkboxes")


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
    _confirm(check, it.get("confirm"), f"{at}/confirm")


def _icon_button(check: Check, it: JSON, at: str) -> None:
    more = ("action_id", "value", "confirm", "accessibility_label", "visible_to_user_ids")
    check.shape(it, at, ("icon", "text"), more)
    check.choice(it.get("icon"), f"{at}/icon", ("trash",))
    check.text(it.get("text"), f"{at}/text", "button.text")
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    check.string(it.get("value"), f"{at}/value", "button.value")
    check.string(it.get("accessibility_label"), f"{at}/accessibility_label", "button.accessibility_label")
    _visible_to(check, it, at)
    _confirm(check, it.get("confirm"), f"{at}/confirm")


def _visible_to(check: Check, it: JSON, at: str) -> None:
    for user, where in check.items(it.get("visible_to_user_ids"), f"{at}/visible_to_user_ids", "visible_to_user_ids"):
        check.string(user, where)


def _confirm(check: Check, it: Any, at: str) -> None:
    if it is None or not check.shape(it, at, ("title", "text", "confirm", "deny"), ("style",)):
        return
    check.text(it.get("title"), f"{at}/title", "confirm.title")
    check.text(it.get("text"), f"{at}/text", "confirm.text", ANY_TEXT)
    check.text(it.get("confirm"), f"{at}/confirm", "confirm.confirm")
    check.text(it.get("deny"), f"{at}/deny", "confirm.deny")
    check.choice(it.get("style"), f"{at}/style", ("primary", "danger"))


def _option(check: Check, it: Any, at: str, kinds: Collection[str], *, url: bool = False) -> None:
    if not check.shape(it, at, ("text", "value"), ("description", *(("url",) if url else ()))):
        return
    check.text(it.get("text"), f"{at}/text", "option.text", kinds, choice=True)
    check.string(it.get("value"), f"{at}/value", "option.value")
    check.text(it.get("description"), f"{at}/description", "option.description", kinds)
    check.url(it.get("url"), f"{at}/url", "button.url")


def _overflow(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("options",), ("action_id", "confirm"))
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    for option, where in check.items(it.get("options"), f"{at}/options", "overflow.options"):
        _option(check, option, where, ("plain_text",), url=True)
    _confirm(check, it.get("confirm"), f"{at}/confirm")


def _static_select(check: Check, it: JSON, at: str) -> None:
    fields = ("action_id", "placeholder", "options", "option_groups", "initial_option", "confirm", "focus_on_load")
    check.shape(it, at, (), fields)
    if ("options" in it) == ("option_groups" in it):
        check.fail(at, "must have exactly one of: options, option_groups")
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    check.text(it.get("placeholder"), f"{at}/placeholder", "select.placeholder")
    for option, where in check.items(it.get("options"), f"{at}/options", "select.options"):
        _option(check, option, where, ("plain_text",))
    for group, where in check.items(it.get("option_groups"), f"{at}/option_groups", "select.option_groups"):
        if check.shape(group, where, ("label", "options")):
            check.text(group.get("label"), f"{where}/label", "option_group.label")
            for option, inner in check.items(group.get("options"), f"{where}/options", "select.options"):
                _option(check, option, inner, ("plain_text",))
    if "initial_option" in it:
        _option(check, it["initial_option"], f"{at}/initial_option", ("plain_text",))
    _confirm(check, it.get("confirm"), f"{at}/confirm")


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
    if (
        file is not None
        and check.shape(file, f"{at}/slack_file", (), ("id", "url"))
        and len(file.keys() - {"type"}) != 1
    ):
        check.fail(f"{at}/slack_file", "must have exactly one of: id, url")
    elif isinstance(file, dict) and check.files is not None and not {file.get("id"), file.get("url")} & {*check.files}:
        check.fail(f"{at}/slack_file", "invalid slack file")
    check.string(it.get("alt_text"), f"{at}/alt_text", "image.alt_text")


def _image(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("alt_text",), ("image_url", "slack_file"))
    image_source(check, it, at)


def _plain_text_input(check: Check, it: JSON, at: str) -> None:
    flags, numbers = ("multiline", "focus_on_load"), ("min_length", "max_length")
    check.shape(it, at, (), ("action_id", "initial_value", "placeholder", "dispatch_action_config", *flags, *numbers))
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    check.string(it.get("initial_value"), f"{at}/initial_value", least=0)
    check.text(it.get("placeholder"), f"{at}/placeholder", "select.placeholder")
    for name in flags:
        check.boolean(it.get(name), f"{at}/{name}")
    for name in numbers:
        check.number(it.get(name), f"{at}/{name}", "plain_text_input.max_length")


def _choices(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("options",), ("action_id", "initial_option", "initial_options", "confirm", "focus_on_load"))
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    for option, where in check.items(it.get("options"), f"{at}/options", "choices.options"):
        _option(check, option, where, ANY_TEXT)
    _confirm(check, it.get("confirm"), f"{at}/confirm")


_ELEMENTS: Mapping[str, Callable[[Check, JSON, str], None]] = {
    "button": _button,
    "overflow": _overflow,
    "static_select": _static_select,
    "feedback_buttons": _feedback_buttons,
    "icon_button": _icon_button,
    "image": _image,
    "plain_text_input": _plain_text_input,
    "radio_buttons": _choices,
    "checkboxes": _choices,
}


def element(check: Check, it: Any, at: str, allowed: Collection[str]) -> None:
    """One element, of a kind that may stand here."""
    kind = kind_of(it)
    if not isinstance(it, dict) or kind not in allowed or kind not in _ELEMENTS:
        check.unsupported(it, at)
    else:
        _ELEMENTS[kind](check, it, at)


# -- rich text --------------------------------------------------------------------------------------------------------

_STYLES = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink")
#: Inline kinds: required and optional fields.
_INLINE: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("text",), ("style",)),
    "link": (("url",), ("text", "unsafe", "style")),
    "user": (("user_id",), ("style",)),
    "usergroup": (("usergroup_id",), ("style",)),
    "channel": (("channel_id",), ("style",)),
    "emoji": (("name",), ("unicode", "skin_tone", "style", "url")),
    "broadcast": (("range",), ("style",)),
    "date": (("timestamp", "format"), ("url", "fallback", "style")),
    "color": (("value",), ("style",)),
}
_PARTS: Mapping[str, tuple[str, ...]] = {
    "rich_text_section": (),
    "rich_text_preformatted": ("border", "language"),
    "rich_text_quote": ("border",),
    "rich_text_list": ("style", "indent", "offset", "border"),
}


def rich_text(check: Check, it: JSON, at: str) -> None:
    """A rich_text block, or a table cell that is one."""
    check.shape(it, at, ("elements",), ("block_id",))
    for part, where in check.items(it.get("elements"), f"{at}/elements"):
        _part(check, part, where, _PARTS)


def _part(check: Check, it: Any, at: str, allowed: Collection[str]) -> None:
    kind = kind_of(it)
    if kind not in allowed or kind not in _PARTS:
        check.unsupported(it, at)
        return
    check.shape(it, at, ("elements",), _PARTS[kind])
    if kind == "rich_text_list":
        if "style" not in it:
            check.fail(at, "missing required field: style")
        check.choice(it.get("style"), f"{at}/style", ("bullet", "ordered"))
    for inner, where in check.items(it.get("elements"), f"{at}/elements"):
        if kind == "rich_text_list":
            _part(check, inner, where, ("rich_text_section",))
        else:
            _inline(check, inner, where)


def _inline(check: Check, it: Any, at: str) -> None:
    kind = kind_of(it)
    if kind not in _INLINE:
        check.unsupported(it, at)
        return
    required, optional = _INLINE[kind]
    check.shape(it, at, required, optional)
    for name in required:
        if name == "timestamp":
            if not isinstance(it.get(name, 0), int):
                check.fail(f"{at}/{name}", "must be an integer")
        else:
            check.string(it.get(name), f"{at}/{name}")
    if kind == "broadcast":
        check.choice(it.get("range"), f"{at}/range", ("here", "channel", "everyone"))
    if "style" in it and check.shape(it["style"], f"{at}/style", (), _STYLES):
        for name, value in it["style"].items():
            check.boolean(value, f"{at}/style/{name}")


# -- tables -----------------------------------------------------------------------------------------------------------


def cell(check: Check, it: Any, at: str) -> None:
    """A table cell; null is an empty one, an empty raw_text is refused."""
    if it is None:
        return
    kind = kind_of(it)
    if kind == "rich_text":
        rich_text(check, it, at)
    elif kind == "raw_text":
        check.shape(it, at, ("text",))
        check.string(it.get("text"), f"{at}/text")
    elif kind == "raw_number":
        check.shape(it, at, ("value",), ("text",))
        if isinstance(it.get("value"), bool) or not isinstance(it.get("value", 0), int | float):
            check.fail(f"{at}/value", "must be a number")
        check.string(it.get("text"), f"{at}/text")
    else:
        check.unsupported(it, at)
