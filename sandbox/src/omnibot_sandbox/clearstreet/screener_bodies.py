"""Reading the body of a screener search: its shape, not yet its sense."""

from __future__ import annotations

from typing import Any

from omnibot_sandbox.clearstreet import bodies
from omnibot_sandbox.clearstreet.bodies import Check
from omnibot_sandbox.clearstreet.catalog import LOOKBACKS, PERIODS
from omnibot_sandbox.clearstreet.revision import JSON


def read_search(raw: str) -> JSON:
    """What is searched for.

    Raises:
        ApiError: 400 or 422, it has the wrong shape.
    """
    optional: dict[str, Check] = {
        "columns": bodies.list_of(_reference),
        "filters": bodies.list_of(_filter),
        "page_size": bodies.integer,
        "page_token": bodies.string,
        "sort_case_sensitive": _boolean,
        "sorts": bodies.list_of(_sort),
    }
    return bodies.check_fields(raw, bodies.read_object(raw), {}, optional, lists_known=False)


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"invalid type: {bodies.describe(value)}, expected a boolean"


def _shape(value: Any, required: dict[str, Check], optional: dict[str, Check]) -> str | None:
    if not isinstance(value, dict):
        return f"invalid type: {bodies.describe(value)}, expected a map"
    missing = [name for name in required if name not in value]
    unknown = [name for name in value if name not in {**required, **optional}]
    if missing or unknown:
        return f"missing field `{missing[0]}`" if missing else f"unknown field `{unknown[0]}`"
    for name, check in {**required, **optional}.items():
        given = value.get(name)
        if (given is not None or name in required) and (complaint := check(given)):
            return complaint
    return None


def _reference(value: Any) -> str | None:
    axes: dict[str, Check] = {
        "lookback": bodies.one_of(*LOOKBACKS),
        "period": bodies.one_of(*PERIODS),
        "value_type": bodies.string,
    }
    return _shape(value, {"name": bodies.string}, axes)


def _sort(value: Any) -> str | None:
    return _shape(value, {"field": _reference}, {"direction": bodies.one_of("ASC", "DESC")})


def _filter(value: Any) -> str | None:
    return _shape(value, {"left": _reference}, {"op": _operator, "right": bodies.list_of(_right)})


def _operator(value: Any) -> str | None:
    return _shape(value, {"name": bodies.string}, {"args": bodies.list_of(bodies.string)})


def _right(value: Any) -> str | None:
    return _shape(value, {}, {"value": _literal, "variable": _variable})


def _literal(value: Any) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if number else bodies.string(value)


def _variable(value: Any) -> str | None:
    axes: dict[str, Check] = {"lookback": bodies.one_of(*LOOKBACKS), "period": bodies.one_of(*PERIODS)}
    return _shape(value, {"name": bodies.string}, {**axes, "modifier": _modifier})


def _modifier(value: Any) -> str | None:
    return _shape(value, {"name": bodies.one_of("ADD", "SUBTRACT"), "args": bodies.list_of(_literal)}, {})
