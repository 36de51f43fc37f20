"""Clear Street's published OpenAPI, 2026-08: its operations, its schemas made plain, and values made from them."""

from __future__ import annotations

import json
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

JSON = Any
HERE = Path(__file__).parent
DOCUMENT = json.loads((HERE / "openapi.json").read_text("utf-8"))
COMPONENTS: dict[str, JSON] = DOCUMENT["components"]["schemas"]

#: Method and path of each operation, by its id.
OPERATIONS = {
    operation["operationId"]: (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
#: Every status each operation documents, but for 500.
STATUSES = {
    operation["operationId"]: {int(status) for status in operation["responses"]} - {500}
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
}


def literal(folder: str, name: str) -> JSON:
    """One example as it is printed."""
    return json.loads((HERE / folder / f"{name}.json").read_text("utf-8"))


def literals(folder: str) -> list[str]:
    """The names of all examples."""
    return sorted(path.stem for path in (HERE / folder).glob("*.json"))


def answer_schema(operation: str, status: int) -> JSON:
    """What an answer looks like: nothing but what the document lists, nothing required missing.

    The document gives the schema of an error without its envelope; its examples have one, as BaseResponse says.
    """
    method, path = OPERATIONS[operation]
    response = DOCUMENT["paths"][path][method.lower()]["responses"][str(status)]
    schema = response["content"]["application/json"]["schema"]
    if status == 200:
        return plain(schema)
    envelope = plain(COMPONENTS["BaseResponse"])
    return {
        **envelope,
        "properties": {**envelope["properties"], "error": plain(schema)},
        "required": ["error", "metadata"],
    }


@cache
def component(name: str) -> JSON:
    """A component schema, plain."""
    return plain(COMPONENTS[name])


def plain(schema: JSON) -> JSON:
    """The schema without references and `allOf`; an object is closed: it has the listed properties and no others.

    `type: object` without properties means "any JSON" in this document: its examples put a string and a number there.
    """
    if "$ref" in schema:
        return component(schema["$ref"].rsplit("/", 1)[1])
    if "allOf" in schema:
        merged: JSON = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
        for member in map(plain, schema["allOf"]):
            merged["properties"] |= member["properties"]
            merged["required"] = merged["required"] + member["required"]
        return merged
    if "oneOf" in schema:
        choices = [plain(choice) for choice in schema["oneOf"]]
        return choices[0] if len(choices) == 1 else {"oneOf": choices}
    if "object" in schema["type"]:
        if "properties" not in schema:
            return {}
        properties = {name: plain(inner) for name, inner in schema["properties"].items()}
        required = schema.get("required", [])
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {**schema, "items": plain(schema["items"])} if schema["type"] == "array" else schema


_scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
_anything = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
)
#: The document calls most moments plain strings; its examples show what they are. A blank for the T was seen.
_moments = st.datetimes(timezones=st.just(UTC)).flatmap(lambda at: st.sampled_from([str(at), at.isoformat()]))
_amounts = st.decimals(-(10**15), 10**15, places=4, allow_nan=False, allow_infinity=False).map(lambda one: f"{one:f}")
#: The document calls amounts plain strings; its examples show what they are. So do these ends of their names.
_AMOUNT_ENDS = (
    *("_price", "_px", "_offset", "_basis", "_value", "_cash", "_credits", "_debits", "_adjustment", "_change"),
    *("_pnl", "_pnl_pct", "quantity", "buying_power", "_excess", "_requirement", "_close", "_close_unadjusted"),
)
_AMOUNT_NAMES = {
    *("price", "equity", "multiplier", "total", "used", "bid", "ask", "midpoint", "change", "change_percent", "iv"),
    *("delta", "gamma", "vega", "theta", "rho"),
}
_FORMATS: dict[str, st.SearchStrategy[str]] = {
    "uuid": st.uuids(version=4).map(str),
    "date-time": _moments,
    "date": st.dates().map(lambda day: day.isoformat()),
    "byte": st.binary(max_size=6).map(lambda raw: raw.hex()),
}


def values(schema: JSON) -> st.SearchStrategy[JSON]:
    """Everything a plain schema allows."""
    if not schema:
        return _anything
    if "oneOf" in schema:
        return st.one_of([values(choice) for choice in schema["oneOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of_type(kind, schema) for kind in kinds])


def _of_type(kind: str, schema: JSON) -> st.SearchStrategy[JSON]:
    match kind:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            bits = 31 if schema.get("format") == "int32" else 63
            return st.integers(schema.get("minimum", -(2**bits)), 2**bits - 1)
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "string":
            text = st.text(min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 12), 12))
            return _FORMATS.get(schema.get("format", ""), text)
        case "array":
            return st.lists(values(schema["items"]), max_size=3)
    fields = {name: _named(name, inner) for name, inner in schema["properties"].items()}
    required = {name: fields.pop(name) for name in schema["required"]}
    return st.fixed_dictionaries(required, optional=fields)


def _named(name: str, schema: JSON) -> st.SearchStrategy[JSON]:
    kinds = schema.get("type", [])
    if "string" not in kinds:
        return values(schema)
    meant: st.SearchStrategy[JSON] | None = None
    if name.endswith("_at"):
        meant = _moments
    elif "format" not in schema and "enum" not in schema and (name in _AMOUNT_NAMES or name.endswith(_AMOUNT_ENDS)):
        meant = _amounts
    if meant is None:
        return values(schema)
    return meant | st.none() if "null" in kinds else meant
