"""The stock screener: what can be asked for (the catalog, 2026-10) and what is found (2026-08 and later)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, TypeAdapter, ValidationError

from omnibot.clearstreet.models.scalars import JSON, MaybeText, Text, Words, read_coordinate


def _cell(value: JSON) -> Decimal | str | None:
    if isinstance(value, str):
        return value
    try:
        return read_coordinate(value)
    except ValueError:
        return None


def _word_lists(value: JSON) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        return {}
    lists = {name: words for name, words in value.items() if isinstance(words, list)}
    return {name: tuple(word for word in words if isinstance(word, str)) for name, words in lists.items()}


def _texts(value: JSON) -> dict[str, str]:
    return {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field, with at most one of a window to look back over and a reporting period (FieldRef)."""

    name: str
    lookback: MaybeText = None
    """ONE_DAY, ONE_WEEK, ONE_MONTH, THREE_MONTHS, SIX_MONTHS, YEAR_TO_DATE, ONE_YEAR."""
    period: MaybeText = None
    """QUARTER, TRAILING_TWELVE_MONTHS, ANNUAL."""
    value_type: MaybeText = None
    """DECIMAL, INTEGER, STRING, ANALYST_RATING, DATE; in answers only."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row, with its heading (ScreenerColumn). A number is exact; None is a gap."""

    field: FieldRef
    name: Text = ""
    """The heading."""
    type: MaybeText = None
    """How to show it: CURR_USD, PERCENT, …; None: as it is."""
    value: Annotated[Decimal | str | None, PlainValidator(_cell)] = None


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ScreenerPage:
    """Some rows, and the token of the page that follows; None on the last."""

    rows: tuple[Row, ...]
    next_page_token: str | None = None


@dataclass(frozen=True, slots=True)
class Combination:
    """A window or a period a field can be had with; neither is its present value (Combination, 2026-10)."""

    lookback: MaybeText = None
    period: MaybeText = None


@dataclass(frozen=True, slots=True)
class CatalogField:
    """A field that can be filtered by, sorted by and shown (Catalog, 2026-10)."""

    name: str
    display_name: str
    description: str
    category: str
    format: str
    """CURRENCY, PERCENT, …"""
    value_type: str
    """DECIMAL, INTEGER, STRING, ANALYST_RATING, DATE."""
    combinations: tuple[Combination, ...]
    default_combination: Combination


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything the screener knows (GET screener/catalog, 2026-10). `raw` is the whole catalog as it came."""

    fields: tuple[CatalogField, ...]
    operators_by_value_type: Annotated[Mapping[str, tuple[str, ...]], PlainValidator(_word_lists)]
    """Value type → the operators that fit it."""
    default_response_fields: Words = ()
    """The columns one gets without asking, each a name with the abbreviation of its window or period."""
    suffixes: Annotated[Mapping[str, str], PlainValidator(_texts)] = field(default_factory=dict)
    """Window or period → its abbreviation in `default_response_fields`."""
    variables: Words = ()
    """Built-in variables, such as `today`."""
    raw: JSON = field(default=None, repr=False, compare=False)

    def find(self, name: str) -> CatalogField | None:
        """The field of this name."""
        return next((one for one in self.fields if one.name == name), None)

    def operators(self, name: str) -> tuple[str, ...]:
        """The operators that fit a field; none for a field that does not exist."""
        found = self.find(name)
        return self.operators_by_value_type.get(found.value_type, ()) if found else ()


@dataclass(frozen=True, slots=True)
class _Kind:
    category: Text = ""
    format: Text = ""
    value_type: Text = ""
    combinations: tuple[Combination, ...] = ()
    default_combination: Combination = Combination()


_read_kinds = TypeAdapter(list[_Kind]).validate_python
_NO_KIND = _Kind()


def _one_by_one(value: JSON) -> JSON:
    """The wire's catalog, whose fields are four lists side by side, with a list of fields in their place."""
    if not isinstance(value, dict):
        return value
    columns: Any = value.get("fields")
    if not isinstance(columns, dict) or not isinstance(value.get("kinds"), list):
        raise ValueError("not a catalog")
    try:
        kinds = _read_kinds(value["kinds"])
    except ValidationError:
        raise ValueError("not a catalog") from None
    lists = [columns.get(name) for name in ("name", "display_name", "description", "kind")]
    if not all(isinstance(one, list) for one in lists):
        raise ValueError("not a catalog")
    fields = [_field(name, shown, said, kinds, kind) for name, shown, said, kind in zip(*lists, strict=False)]
    named: Any = value.get("variables")
    variables = [one.get("name") for one in named if isinstance(one, dict)] if isinstance(named, list) else []
    return {**value, "fields": fields, "variables": variables, "raw": value}


def _field(name: JSON, shown: JSON, said: JSON, kinds: list[_Kind], kind: JSON) -> dict[str, Any]:
    known = isinstance(kind, int) and not isinstance(kind, bool) and 0 <= kind < len(kinds)
    its = kinds[kind] if known else _NO_KIND
    return {
        "name": name,
        "display_name": shown if isinstance(shown, str) else str(name),
        "description": said if isinstance(said, str) else "",
        "category": its.category,
        "format": its.format,
        "value_type": its.value_type,
        "combinations": its.combinations,
        "default_combination": its.default_combination,
    }


rows: TypeAdapter[list[Row]] = TypeAdapter(list[Row])
catalog: TypeAdapter[Catalog] = TypeAdapter(Annotated[Catalog, BeforeValidator(_one_by_one)])
