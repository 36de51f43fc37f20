"""Elements to type into, and pickers of days and times."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from omnibot_sandbox.slack import rich_text
from omnibot_sandbox.slack.checking import Check
from omnibot_sandbox.slack.menus import common
from omnibot_sandbox.slack.workspace import JSON

DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def plain_text_input(check: Check, it: JSON, at: str) -> None:
    """Free text in a line or several."""
    numbers = ("min_length", "max_length")
    common(check, it, at, ("initial_value", "multiline", "dispatch_action_config", *numbers))
    check.string(it.get("initial_value"), f"{at}/initial_value", least=0)
    check.boolean(it.get("multiline"), f"{at}/multiline")
    for name in numbers:
        check.number(it.get(name), f"{at}/{name}", "plain_text_input.max_length")
    _dispatch(check, it.get("dispatch_action_config"), f"{at}/dispatch_action_config")


def address_input(check: Check, it: JSON, at: str) -> None:
    """An e-mail address or a URL."""
    common(check, it, at, ("initial_value", "dispatch_action_config"))
    check.string(it.get("initial_value"), f"{at}/initial_value", least=0)
    _dispatch(check, it.get("dispatch_action_config"), f"{at}/dispatch_action_config")


def number_input(check: Check, it: JSON, at: str) -> None:
    """A number; its bounds and its first value are strings."""
    numbers = ("initial_value", "min_value", "max_value")
    common(check, it, at, ("dispatch_action_config", *numbers), ("is_decimal_allowed",))
    check.boolean(it.get("is_decimal_allowed"), f"{at}/is_decimal_allowed")
    for name in numbers:
        check.string(it.get(name), f"{at}/{name}")
        if isinstance(it.get(name), str) and number(it[name]) is None:
            check.fail(f"{at}/{name}", "must be a number")
    least, most = number(it.get("min_value")), number(it.get("max_value"))
    if least is not None and most is not None and least > most:
        check.fail(f"{at}/min_value", "must not be greater than max_value")
    _dispatch(check, it.get("dispatch_action_config"), f"{at}/dispatch_action_config")


def number(text: Any) -> Decimal | None:
    """The number a string holds; None when it holds none."""
    try:
        value = Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def rich_text_input(check: Check, it: JSON, at: str) -> None:
    """Formatted text."""
    lines = ("min_lines", "max_lines")
    common(check, it, at, ("initial_value", "dispatch_action_config", *lines), ("action_id",))
    rich_text.entity(check, it.get("initial_value"), f"{at}/initial_value")
    for name in lines:
        check.number(it.get(name), f"{at}/{name}", "rich_text_input.lines", least=1)
    _dispatch(check, it.get("dispatch_action_config"), f"{at}/dispatch_action_config")


def datepicker(check: Check, it: JSON, at: str) -> None:
    """A day."""
    common(check, it, at, ("initial_date",))
    _pattern(check, it.get("initial_date"), f"{at}/initial_date", DATE)


def timepicker(check: Check, it: JSON, at: str) -> None:
    """A time of day."""
    common(check, it, at, ("initial_time", "timezone"))
    _pattern(check, it.get("initial_time"), f"{at}/initial_time", TIME)
    check.string(it.get("timezone"), f"{at}/timezone")


def datetimepicker(check: Check, it: JSON, at: str) -> None:
    """A moment, in seconds since 1970: ten digits. It has no placeholder."""
    check.shape(it, at, (), ("action_id", "initial_date_time", "confirm", "focus_on_load"))
    common(check, {name: value for name, value in it.items() if name != "initial_date_time"}, at)
    moment = it.get("initial_date_time")
    check.number(moment, f"{at}/initial_date_time")
    if isinstance(moment, int) and not isinstance(moment, bool) and len(str(moment)) != 10:
        check.fail(f"{at}/initial_date_time", "must be a UNIX timestamp of 10 digits")


def _pattern(check: Check, value: Any, at: str, pattern: re.Pattern[str]) -> None:
    check.string(value, at)
    if isinstance(value, str) and value and not pattern.fullmatch(value):
        check.fail(at, "must match the required format")


def _dispatch(check: Check, it: Any, at: str) -> None:
    if it is None or not check.shape(it, at, ("trigger_actions_on",), typed=False):
        return
    for moment, where in check.items(it.get("trigger_actions_on"), f"{at}/trigger_actions_on"):
        check.choice(moment, where, ("on_enter_pressed", "on_character_entered"))
