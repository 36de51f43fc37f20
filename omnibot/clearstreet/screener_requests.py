"""Screener requests: Omni's `open_screener` in the words of POST screener. Pure.

Omni says field, operator and value (`market_cap`, `gte`, 10000000000); the endpoint wants `{left, op, right}` with its
own operators, and refuses what its catalog does not know. What has no counterpart is kept apart, to be shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from omnibot.clearstreet.models.actions import OpenScreener, ScreenerFilter
from omnibot.clearstreet.models.scalars import JSON, read_amount, read_coordinate
from omnibot.clearstreet.models.screener import Catalog, CatalogField, FieldRef

Value = Decimal | str

_OPERATORS = {
    "LESS_THAN": ("lt", "<", "less_than", "below", "under"),
    "LESS_OR_EQUAL": ("lte", "le", "<=", "≤", "less_or_equal", "less_than_or_equal", "at_most", "max"),
    "GREATER_THAN": ("gt", ">", "greater_than", "above", "over"),
    "GREATER_OR_EQUAL": ("gte", "ge", ">=", "≥", "greater_or_equal", "greater_than_or_equal", "at_least", "min"),
    "EQUAL": ("eq", "=", "==", "equal", "equals", "is"),
    "BETWEEN": ("between", "range"),
    "NOT_BETWEEN": ("not_between",),
    "ONE_OF": ("in", "one_of", "any_of"),
    "REGEX": ("regex", "matches"),
    "BEGINS_WITH": ("begins_with", "starts_with"),
    "ENDS_WITH": ("ends_with",),
    "CONTAINS": ("contains", "like"),
    "IS_NULL": ("is_null",),
    "IS_NOT_NULL": ("is_not_null", "not_null", "exists"),
}
_BY_WORD = {word: operator for operator, words in _OPERATORS.items() for word in words}
#: How many values each takes; None: one or more.
_COUNTS: dict[str, int | None] = {"BETWEEN": 2, "NOT_BETWEEN": 2, "ONE_OF": None, "IS_NULL": 0, "IS_NOT_NULL": 0}
#: Omni does not know how the endpoint writes its words.
_IN_ANY_CASE = ("EQUAL", "ONE_OF", "BEGINS_WITH", "ENDS_WITH", "CONTAINS")
_NUMBERS = ("DECIMAL", "INTEGER")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition in the endpoint's words."""

    field: FieldRef
    operator: str
    values: tuple[Value, ...] = ()
    any_case: bool = False
    """Compare text without minding capitals."""


@dataclass(frozen=True, slots=True)
class Screening:
    """A screener request, and what of Omni's wish is not in it."""

    filters: tuple[Filter, ...]
    columns: tuple[FieldRef, ...] = ()
    sort: FieldRef | None = None
    descending: bool = True
    page_size: int | None = None
    left_out: tuple[ScreenerFilter, ...] = ()
    """Filters without a counterpart: the result is wider than Omni meant."""
    unknown_fields: tuple[str, ...] = ()
    """Columns, and a field to sort by, that the catalog does not know."""


def screening(action: OpenScreener, catalog: Catalog | None) -> Screening:
    """What Omni asks for, in the endpoint's words.

    Args:
        catalog: None where there is none (2026-08): then fields are taken by Omni's names, and the endpoint refuses
            those it does not know.
    """
    translated = [(one, _filter(one, catalog)) for one in action.filters]
    columns = [(name, find_field(name, catalog)) for name in action.columns]
    sort = find_field(action.sort_by, catalog) if action.sort_by else None
    unknown = [name for name, found in columns if found is None]
    if action.sort_by and sort is None:
        unknown.append(action.sort_by)
    return Screening(
        filters=tuple(found for _, found in translated if found is not None),
        columns=tuple(found for _, found in columns if found is not None),
        sort=sort,
        descending=(action.sort_direction or "DESC").upper() != "ASC",
        page_size=action.page_size,
        left_out=tuple(one for one, found in translated if found is None),
        unknown_fields=tuple(dict.fromkeys(unknown)),
    )


def screener_body(wanted: Screening, *, page_size: int | None = None) -> dict[str, Any]:
    """The body of POST screener (2026-08 and later).

    Args:
        page_size: rows; by default what Omni asked for, else the endpoint's default.
    """
    size = wanted.page_size if page_size is None else page_size
    direction = "DESC" if wanted.descending else "ASC"
    body: dict[str, Any] = {
        "filters": [_write_filter(one) for one in wanted.filters] or None,
        "columns": [_reference(one) for one in wanted.columns] or None,
        "sorts": None if wanted.sort is None else [{"field": _reference(wanted.sort), "direction": direction}],
        "page_size": size if size is not None and size > 0 else None,
    }
    return {name: value for name, value in body.items() if value is not None}


def find_field(name: str, catalog: Catalog | None) -> FieldRef | None:
    """The field that Omni means: by its name, its heading, or its name with the abbreviation of a window or period."""
    plain = _plain(name)
    if catalog is None:
        return FieldRef(plain) if plain else None
    for one in catalog.fields:
        if plain in (_plain(one.name), _plain(one.display_name)):
            return FieldRef(one.name)
    for one in catalog.fields:
        for combination in one.combinations:
            axis = combination.lookback or combination.period or ""
            words = [word for word in (axis, catalog.suffixes.get(axis)) if word]
            if plain in (f"{_plain(one.name)}_{_plain(word)}" for word in words):
                return FieldRef(one.name, combination.lookback, combination.period)
    return None


def _filter(wanted: ScreenerFilter, catalog: Catalog | None) -> Filter | None:
    field = find_field(wanted.field, catalog)
    word = wanted.operator.strip()
    operator = word.upper() if word.upper() in _OPERATORS else _BY_WORD.get(_plain(word) or word)
    if field is None or operator is None:
        return None
    described = catalog.find(field.name) if catalog else None
    if catalog and operator not in catalog.operators(field.name):
        return None
    values = _values(wanted.value, operator, described)
    if values is None:
        return None
    text = operator in _IN_ANY_CASE and (described is None or described.value_type == "STRING")
    return Filter(field, operator, values, any_case=text and any(isinstance(value, str) for value in values))


def _values(value: JSON, operator: str, field: CatalogField | None) -> tuple[Value, ...] | None:
    count = _COUNTS.get(operator, 1)
    if count == 0:
        return ()
    listed = value if isinstance(value, list | tuple) else [value]
    read = [_value(one, field) for one in listed]
    found = tuple(one for one in read if one is not None)
    wrong = len(found) < len(read) or not found or (count is not None and len(found) != count)
    return None if wrong else found


def _value(value: JSON, field: CatalogField | None) -> Value | None:
    numeric = field is not None and field.value_type in _NUMBERS
    if isinstance(value, str):
        if not numeric:
            return value
        amount = read_amount(value)
        return amount if isinstance(amount, Decimal) else None
    try:
        return read_coordinate(value)
    except ValueError:
        return None


def _write_filter(one: Filter) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": one.operator}
    if one.any_case:
        spec["args"] = ["CASE_INSENSITIVE"]
    right = {"right": [{"value": _write(value)} for value in one.values]} if one.values else {}
    return {"left": _reference(one.field), "op": spec, **right}


def _write(value: Value) -> int | float | str:
    """A number as JSON's number. The endpoint compares floats: what is lost here it could not have seen."""
    if isinstance(value, str):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _reference(field: FieldRef) -> dict[str, str]:
    named = {"name": field.name, "lookback": field.lookback, "period": field.period}
    return {name: value for name, value in named.items() if value is not None}


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
