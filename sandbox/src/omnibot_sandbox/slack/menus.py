"""Elements to choose with: menus, radio buttons, checkboxes, pickers of people and channels, and their dialogs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from omnibot_sandbox.slack.checking import Check
from omnibot_sandbox.slack.workspace import JSON

ANY_TEXT = ("plain_text", "mrkdwn")
_PLAIN = ("plain_text",)


def confirm(check: Check, it: Any, at: str) -> None:
    """The dialog that asks whether somebody means it; an absent one is fine."""
    if it is None or not check.shape(it, at, ("title", "text", "confirm", "deny"), ("style",), typed=False):
        return
    check.text(it.get("title"), f"{at}/title", "confirm.title")
    check.text(it.get("text"), f"{at}/text", "confirm.text", ANY_TEXT)
    check.text(it.get("confirm"), f"{at}/confirm", "confirm.confirm")
    check.text(it.get("deny"), f"{at}/deny", "confirm.deny")
    check.choice(it.get("style"), f"{at}/style", ("primary", "danger"))


def common(check: Check, it: JSON, at: str, fields: Collection[str] = (), required: Collection[str] = ()) -> None:
    """What all elements share that people choose or type with."""
    check.shape(it, at, required, ("action_id", "confirm", "focus_on_load", "placeholder", *fields))
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    check.text(it.get("placeholder"), f"{at}/placeholder", "select.placeholder")
    check.boolean(it.get("focus_on_load"), f"{at}/focus_on_load")
    confirm(check, it.get("confirm"), f"{at}/confirm")


def overflow(check: Check, it: JSON, at: str) -> None:
    """The menu behind three dots."""
    check.shape(it, at, ("options",), ("action_id", "confirm"))
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    for option, where in check.items(it.get("options"), f"{at}/options", "overflow.options"):
        _option(check, option, where, _PLAIN, url=True)
    confirm(check, it.get("confirm"), f"{at}/confirm")


def static_select(check: Check, it: JSON, at: str) -> None:
    """A menu of fixed options."""
    common(check, it, at, ("options", "option_groups", "initial_option"))
    _options(check, it, at)
    _initial(check, it, at, "initial_option")


def multi_static_select(check: Check, it: JSON, at: str) -> None:
    """A menu of fixed options of which one may choose several."""
    common(check, it, at, ("options", "option_groups", "initial_options", "max_selected_items"))
    _options(check, it, at)
    _initial(check, it, at, "initial_options")
    check.number(it.get("max_selected_items"), f"{at}/max_selected_items", least=1)


def entity_select(check: Check, it: JSON, at: str) -> None:
    """A menu of the workspace's people, conversations or public channels; "multi_" ones take several."""
    kind = str(it["type"])
    many = kind.startswith("multi_")
    what = kind.removeprefix("multi_").removesuffix("_select")
    initial = f"initial_{what}" if many else f"initial_{what.removesuffix('s')}"
    more = ("default_to_current_conversation", "filter") if what == "conversations" else ()
    urls = () if many or what == "users" else ("response_url_enabled",)
    common(check, it, at, (initial, *more, *urls, *(("max_selected_items",) if many else ())))
    if many:
        check.number(it.get("max_selected_items"), f"{at}/max_selected_items", least=1)
        for an_id, where in check.items(it.get(initial), f"{at}/{initial}"):
            check.string(an_id, where)
    else:
        check.string(it.get(initial), f"{at}/{initial}")
    for name in ("default_to_current_conversation", "response_url_enabled"):
        check.boolean(it.get(name), f"{at}/{name}")
    _filter(check, it.get("filter"), f"{at}/filter")


def choices(check: Check, it: JSON, at: str) -> None:
    """Radio buttons or checkboxes."""
    initial = "initial_option" if it["type"] == "radio_buttons" else "initial_options"
    check.shape(it, at, ("options",), ("action_id", initial, "confirm", "focus_on_load"))
    check.string(it.get("action_id"), f"{at}/action_id", "action_id")
    for option, where in check.items(it.get("options"), f"{at}/options", "choices.options"):
        _option(check, option, where, ANY_TEXT)
    _initial(check, it, at, initial)
    check.boolean(it.get("focus_on_load"), f"{at}/focus_on_load")
    confirm(check, it.get("confirm"), f"{at}/confirm")


def options_of(element: JSON) -> list[JSON]:
    """The options of a menu or of radio buttons, its groups' included."""
    grouped = [option for group in element.get("option_groups") or () for option in group["options"]]
    return [*(element.get("options") or ()), *grouped]


def _options(check: Check, it: JSON, at: str) -> None:
    if ("options" in it) == ("option_groups" in it):
        check.fail(at, "must have exactly one of: options, option_groups")
    for option, where in check.items(it.get("options"), f"{at}/options", "select.options"):
        _option(check, option, where, _PLAIN)
    for group, where in check.items(it.get("option_groups"), f"{at}/option_groups", "select.option_groups"):
        if check.shape(group, where, ("label", "options"), typed=False):
            check.text(group.get("label"), f"{where}/label", "option_group.label")
            for option, inner in check.items(group.get("options"), f"{where}/options", "select.options"):
                _option(check, option, inner, _PLAIN)


def _option(check: Check, it: Any, at: str, kinds: Collection[str], *, url: bool = False) -> None:
    if not check.shape(it, at, ("text", "value"), ("description", *(("url",) if url else ())), typed=False):
        return
    check.text(it.get("text"), f"{at}/text", "option.text", kinds, choice=True)
    check.string(it.get("value"), f"{at}/value", "option.value")
    check.text(it.get("description"), f"{at}/description", "option.description", kinds)
    check.url(it.get("url"), f"{at}/url", "button.url")


def _initial(check: Check, it: JSON, at: str, name: str) -> None:
    """What is chosen from the start is among the options, to the letter; an empty list is refused too."""
    if it.get(name) is None or any(problem.pointer.startswith(at) for problem in check.problems):
        return  # the options themselves are wrong
    chosen = it[name] if name == "initial_options" else [it[name]]
    offered = options_of(it)
    if not isinstance(chosen, list) or not chosen or any(option not in offered for option in chosen):
        check.fail(f"{at}/{name}", "must be one of the provided options")


def _filter(check: Check, it: Any, at: str) -> None:
    flags = ("exclude_external_shared_channels", "exclude_bot_users")
    if it is None or not check.shape(it, at, (), ("include", *flags), typed=False):
        return
    if not it:
        check.fail(at, "must have at least one of: include, " + ", ".join(flags))
    for kind, where in check.items(it.get("include"), f"{at}/include"):
        check.choice(kind, where, ("im", "mpim", "private", "public"))
    for name in flags:
        check.boolean(it.get(name), f"{at}/{name}")
