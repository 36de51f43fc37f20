"""What our models made of a JSON value, held against that value: is anything lost, changed or not understood?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from omnibot.clearstreet.models import (
    ActionButton,
    Balances,
    ChartPayload,
    Message,
    OpenEntitlementConsent,
    OpenScreener,
    Response,
    StructuredActionPart,
    SuggestedActionsPart,
    UnknownAction,
    UnknownPart,
    UnknownValue,
    dump_part,
)
from omnibot.clearstreet.models.resources import Entitlement

JSON = Any

#: Where on the wire a field lives, when that is not under its own name.
_PLACES: dict[tuple[type, str], list[tuple[str, ...]]] = {
    (ActionButton, "button_id"): [("buttonId",)],
    (ActionButton, "prompt"): [("prompt", "prompt")],
    (ActionButton, "action_id"): [("structuredAction", "actionId")],
    (ActionButton, "item_id"): [("itemId",)],
    (ChartPayload, "chart_id"): [("chartId",)],
    (ChartPayload, "data_chart"): [("dataChart",)],
    (ChartPayload, "symbol_chart"): [("symbolChart",)],
    (ChartPayload, "buttons"): [("actionButtons",)],
    (ChartPayload, "item_id"): [("itemId",)],
    (SuggestedActionsPart, "buttons"): [("payload", "actionButtons")],
    (Message, "parts"): [("content", "parts")],
    (Response, "parts"): [("content", "parts")],
    (Balances, "daily_pnl"): [("daily_pnl",), ("daily_total_pnl",)],
    (Entitlement, "account_id"): [("account_id",), ("trading_account_id",)],
    (OpenEntitlementConsent, "account_ids"): [("account_ids",), ("trading_account_ids",)],
    (OpenEntitlementConsent, "entitlement_codes"): [("entitlement_codes",), ("requested_entitlement_codes",)],
    (OpenScreener, "columns"): [("columns",), ("field_filter",)],
}
_NOTHING: tuple[Any, ...] = (None, "", (), [], False)


def complaints(value: Any, original: JSON, where: str = "") -> list[str]:
    """Every place where the model says something else than the JSON it was read from; none is an empty list."""
    return list(_complaints(value, original, where))


def _complaints(value: Any, original: JSON, where: str) -> Iterator[str]:
    if isinstance(value, UnknownPart | UnknownAction | UnknownValue):
        yield f"{where} was not understood: {original!r}"
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from _in_fields(value, original, where)
    elif isinstance(value, tuple) and isinstance(original, list):
        if len(value) != len(original):
            yield f"{where} has {len(value)} items instead of {len(original)}"
        for place, (one, its) in enumerate(zip(value, original, strict=False)):
            yield from _complaints(one, its, f"{where}[{place}]")
    elif not _same(value, original):
        yield f"{where} is {value!r} instead of {original!r}"


def _in_fields(value: Any, original: JSON, where: str) -> Iterator[str]:
    read: set[str] = {"type", "action_type"}
    if isinstance(value, StructuredActionPart):
        [action] = original["action"].values()
        yield from _complaints(value.action, action, f"{where}.action")
        read.add("action")
    for field in dataclasses.fields(value):
        if field.name in ("raw", "action"):
            continue
        places = _PLACES.get((type(value), field.name), [(field.name,)])
        place = next((place for place in places if place[0] in original), places[0])
        read.add(place[0])
        yield from _complaints(getattr(value, field.name), _at(original, place), f"{where}.{field.name}")
        if field.name == "parts":
            dumped = [dump_part(part) for part in value.parts]
            if dumped != (_at(original, place) or []):
                yield f"{where}.parts are written as {dumped!r}"
    for name in original.keys() - read:
        yield f"{where}.{name} is not read"


def _at(original: JSON, place: tuple[str, ...]) -> JSON:
    for step in place:
        original = original.get(step) if isinstance(original, dict) else None
    return original


def _same(value: Any, original: JSON) -> bool:
    if isinstance(value, datetime):
        return value == datetime.fromisoformat(original)
    if isinstance(value, date):
        return value == date.fromisoformat(original)
    if isinstance(value, Decimal):
        return float(value) == original if isinstance(original, float | int) else value == Decimal(original)
    if isinstance(original, str | list) and not original:
        return value in _NOTHING
    return value == original or (original is None and value in _NOTHING)
