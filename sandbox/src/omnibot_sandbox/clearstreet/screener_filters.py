"""Conditions of the screener: what `{left, op, right}` means for one instrument."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from omnibot_sandbox.clearstreet.catalog import (
    FIELDS,
    OPERATORS,
    OPERATORS_BY_TYPE,
    RATINGS,
    VARIABLES,
    ScreenerField,
    Value,
)
from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.revision import JSON

#: A field and the window or period it is asked for with.
Column = tuple[ScreenerField, str | None]
#: Gives an instrument's value in a column.
Lookup = Callable[[Column], Value]

#: Short forms of older days.
_ALIASES = {
    "LT": "LESS_THAN",
    "LTE": "LESS_OR_EQUAL",
    "GT": "GREATER_THAN",
    "GTE": "GREATER_OR_EQUAL",
    "EQ": "EQUAL",
}
_COUNTS = {"BETWEEN": (2, 2), "NOT_BETWEEN": (2, 2), "ONE_OF": (1, 1000), "IS_NULL": (0, 0), "IS_NOT_NULL": (0, 0)}
_ARGS = ("LEFT_INCLUSIVE", "RIGHT_INCLUSIVE", "LEFT_EXCLUSIVE", "RIGHT_EXCLUSIVE", "CASE_INSENSITIVE")


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter; one without an operator lets everything pass."""

    column: Column
    operator: str | None
    right: tuple[Callable[[Lookup], Value], ...] = ()
    args: frozenset[str] = frozenset()

    def holds(self, lookup: Lookup) -> bool:
        """Whether an instrument passes."""
        value = lookup(self.column)
        if self.operator in (None, "IS_NULL", "IS_NOT_NULL"):
            return self.operator is None or (value is None) == (self.operator == "IS_NULL")
        others = [other(lookup) for other in self.right]
        if value is None or any(other is None for other in others):
            return False
        field, minding_case = self.column[0], "CASE_INSENSITIVE" not in self.args
        if self.operator == "REGEX":
            return re.search(str(others[0]), str(value), re.NOFLAG if minding_case else re.IGNORECASE) is not None
        left, *rights = [rank(field, one, minding_case=minding_case) for one in (value, *others)]
        if self.operator in ("BETWEEN", "NOT_BETWEEN"):
            return self._between(left, *rights) == (self.operator == "BETWEEN")
        return _COMPARISONS[self.operator or ""](left, rights)

    def _between(self, value: Any, low: Any, high: Any) -> bool:
        above = value > low if "LEFT_EXCLUSIVE" in self.args else value >= low
        below = value < high if "RIGHT_EXCLUSIVE" in self.args else value <= high
        return bool(above and below)


_COMPARISONS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "LESS_THAN": lambda left, right: left < right[0],
    "LESS_OR_EQUAL": lambda left, right: left <= right[0],
    "GREATER_THAN": lambda left, right: left > right[0],
    "GREATER_OR_EQUAL": lambda left, right: left >= right[0],
    "EQUAL": lambda left, right: left == right[0],
    "ONE_OF": lambda left, right: left in right,
    "BEGINS_WITH": lambda left, right: left.startswith(right[0]),
    "ENDS_WITH": lambda left, right: left.endswith(right[0]),
    "CONTAINS": lambda left, right: right[0] in left,
}


def read_condition(given: JSON) -> Condition:
    """What one filter means.

    Raises:
        ApiError: 400, it means nothing.
    """
    column, spec, right = read_column(given["left"]), given.get("op"), given.get("right") or []
    if spec is None:
        if right:
            raise ApiError(400, "`op` and `right` must be given together")
        return Condition(column, None)
    field, operator, args = column[0], _operator(spec["name"]), frozenset(spec.get("args") or ())
    if operator not in OPERATORS_BY_TYPE[field.value_type]:
        raise ApiError(400, f"Operator `{operator}` is not valid for field `{field.name}` of type {field.value_type}")
    least, most = _COUNTS.get(operator, (1, 1))
    if not least <= len(right) <= most:
        raise ApiError(400, f"Operator `{operator}` does not take {len(right)} values")
    for arg in args - set(_ARGS):
        raise ApiError(400, f"Unknown operator argument `{arg}`")
    return Condition(column, operator, tuple(_right(one, field, operator) for one in right), args)


def read_column(reference: JSON) -> Column:
    """The field a reference names.

    Raises:
        ApiError: 400, there is none, or not with this window or period.
    """
    field = FIELDS.get(reference["name"])
    if field is None:
        raise ApiError(400, f"Unknown field `{reference['name']}`")
    lookback, period = reference.get("lookback"), reference.get("period")
    if lookback and period:
        raise ApiError(400, "At most one of `period` and `lookback` is allowed")
    axis = lookback or period or field.default_axis
    if axis is not None and axis not in field.axes:
        raise ApiError(400, f"Field `{field.name}` is not available for `{axis}`")
    return field, axis


def rank(field: ScreenerField, value: Any, *, minding_case: bool = True) -> Any:
    """Something to compare a value by."""
    if field.value_type == "ANALYST_RATING":
        return -RATINGS.index(value) if value in RATINGS else -len(RATINGS)
    return value.casefold() if isinstance(value, str) and not minding_case else value


def _operator(name: str) -> str:
    upper = name.upper()
    operator = _ALIASES.get(upper, upper)
    if operator not in OPERATORS:
        raise ApiError(400, f"Unknown operator `{name}`")
    return operator


def _right(given: JSON, field: ScreenerField, operator: str) -> Callable[[Lookup], Value]:
    variable = given.get("variable")
    if variable is not None:
        return _variable(variable)
    value: Value = given.get("value")
    _fit(value, field, operator)
    return lambda _: value


def _fit(value: Value, field: ScreenerField, operator: str) -> None:
    match field.value_type:
        case "DECIMAL" | "INTEGER":
            fits = isinstance(value, int | float)
        case "ANALYST_RATING":
            fits = value in RATINGS
        case "DATE":
            fits = isinstance(value, str) and _is_date(value)
        case _:
            fits = isinstance(value, str) and (operator != "REGEX" or _is_pattern(value))
    if not fits:
        raise ApiError(400, f"Value `{value}` does not fit field `{field.name}` of type {field.value_type}")


def _variable(variable: JSON) -> Callable[[Lookup], Value]:
    name, modifier = variable["name"], variable.get("modifier")
    if name in VARIABLES:
        today = datetime.now(UTC).date()
        moment = today if name == "today" else today.replace(month=1, day=1)
        text = (_moved(moment, modifier) if modifier else moment).isoformat()
        return lambda _: text
    if name not in FIELDS:
        raise ApiError(400, f"Unknown variable `{name}`")
    column = read_column(variable)
    amount = _amount(modifier) if modifier else 0.0

    def read(lookup: Lookup) -> Value:
        value = lookup(column)
        return value + amount if amount and isinstance(value, int | float) else value

    return read


def _amount(modifier: JSON) -> float:
    args = modifier["args"]
    if not args or not isinstance(args[0], int | float):
        raise ApiError(400, "A modifier needs a number")
    return float(args[0]) * (1 if modifier["name"] == "ADD" else -1)


def _moved(day: date, modifier: JSON) -> date:
    count = int(_amount(modifier))
    unit = modifier["args"][1] if len(modifier["args"]) > 1 else "DAY"
    match unit:
        case "DAY" | "WEEK":
            return day + timedelta(days=count * (7 if unit == "WEEK" else 1))
        case "MONTH" | "YEAR":
            months = day.year * 12 + day.month - 1 + count * (12 if unit == "YEAR" else 1)
            year, month = divmod(months, 12)
            return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
        case _:
            raise ApiError(400, f"Unknown date unit `{unit}`")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True
