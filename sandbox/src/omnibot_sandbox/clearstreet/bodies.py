"""Reading request bodies and query strings as strictly as the API's own (Rust) deserializer does, and in its words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from omnibot_sandbox.clearstreet.errors import ApiError

JSON = dict[str, Any]
#: Looks at one value and returns a complaint, or None.
Check = Callable[[Any], str | None]

_MAX_CONTEXT_BYTES = 64 * 1024
_MAX_CONTEXT_DEPTH = 32


def read_json(raw: str) -> Any:
    """The body, or 400."""
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        raise ApiError(400, f"Failed to parse the request body as JSON: {_syntax_complaint(raw, error)}") from error


def read_object(raw: str) -> JSON:
    """The body as a JSON object, or 400."""
    body = read_json(raw)
    if not isinstance(body, dict):
        raise mismatch(raw, f"invalid type: {describe(body)}, expected a JSON object")
    return body


def read_body(raw: str, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> JSON:
    """The body's fields, each checked; null in an optional field counts as absent.

    Unknown fields are refused. The API itself may be more lenient there, but a caller that sends what nobody reads
    has made a mistake, and a test should hear of it.
    """
    return check_fields(raw, read_object(raw), required, optional or {})


def check_fields(
    raw: str,
    body: JSON,
    required: Mapping[str, Check],
    optional: Mapping[str, Check],
    *,
    where: str = "",
    lists_known: bool = True,
) -> JSON:
    """The fields of the body, or of an object inside it, each checked; as `read_body` does it.

    Args:
        where: begins each complaint.
        lists_known: whether a complaint about an unknown field says which there are.
    """
    known: dict[str, Check] = {**required, **optional}
    # Missing before unknown: a caller that speaks another revision's names must hear which field this one lacks.
    for name in required:
        if name not in body:
            raise mismatch(raw, f"{where}missing field `{name}`")
    for name in body:
        if name not in known:
            expected = f", expected one of {_ticked(known)}" if lists_known else ""
            raise mismatch(raw, f"{where}unknown field `{name}`{expected}")
    for name, value in body.items():
        if value is None and name in optional and known[name] is not capabilities:
            continue
        complaint = known[name](value)
        if complaint:
            raise mismatch(raw, f"{where}{name}: {complaint}")
    return {name: value for name, value in body.items() if value is not None}


def read_integer(query: dict[str, str], name: str, *, required: bool = False) -> int | None:
    """One integer of the query string, or 400."""
    if name not in query:
        if required:
            raise ApiError(400, f"Failed to deserialize query string: missing field `{name}`")
        return None
    value = query[name]
    try:
        return int(value)
    except ValueError:
        reason = "invalid digit found in string" if value else "cannot parse integer from empty string"
        raise ApiError(400, f"Failed to deserialize query string: {name}: {reason}") from None


def integer(value: Any) -> str | None:
    """A whole number (and no bool: Python counts those as numbers)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return None
    return f"invalid type: {describe(value)}, expected i64"


def string(value: Any) -> str | None:
    """A string."""
    return None if isinstance(value, str) else f"invalid type: {describe(value)}, expected a string"


def anything(value: Any) -> str | None:
    """Any JSON."""
    return None


def one_of(*names: str) -> Check:
    """One of these strings."""

    def check(value: Any) -> str | None:
        if value in names:
            return None
        return string(value) or f"unknown variant `{value}`, expected {_one_of(names)}"

    return check


def list_of(check: Check) -> Check:
    """A list whose items all pass."""

    def check_all(value: Any) -> str | None:
        if not isinstance(value, list):
            return f"invalid type: {describe(value)}, expected a sequence"
        return next((complaint for complaint in map(check, value) if complaint), None)

    return check_all


#: What a caller can do with an answer.
capabilities = list_of(one_of("PREFILL_ORDER", "OPEN_CHART", "OPEN_SCREENER", "OPEN_ENTITLEMENT_CONSENT"))
#: What may be granted.
codes = list_of(one_of("omni.account_data"))


def target(value: Any) -> str | None:
    """What deep insights are about."""
    if not isinstance(value, dict):
        return f"invalid type: {describe(value)}, expected struct DeepInsightsTarget"
    for name, check in {"type": one_of("ticker"), "ticker": string}.items():
        if name not in value:
            return f"missing field `{name}`"
        if complaint := check(value[name]):
            return complaint
    return None


def context(value: Any) -> str | None:
    """Snapshots attached to a question."""
    items = value.get("items") if isinstance(value, dict) else None
    if not isinstance(items, list):
        return "missing field `items`"
    if not 1 <= len(items) <= 4:
        return "context must hold one to four items"
    for item in items:
        missing = [name for name in ("kind", "label", "data") if not isinstance(item, dict) or name not in item]
        if missing:
            return f"missing field `{missing[0]}`"
        if complaint := string(item["kind"]) or string(item["label"]):
            return complaint
        if not isinstance(item["data"], dict):
            return f"data: invalid type: {describe(item['data'])}, expected a map"
        if _depth(item["data"]) > _MAX_CONTEXT_DEPTH:
            return "context data is nested too deeply"
    if len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()) > _MAX_CONTEXT_BYTES:
        return "context is larger than 64 KiB"
    return None


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def mismatch(raw: str, complaint: str) -> ApiError:
    """422: the body is JSON, but not what it should be."""
    line, column = _end(raw.rstrip())
    target_type = "Failed to deserialize the JSON body into the target type"
    return ApiError(422, f"{target_type}: {complaint} at line {line} column {column}")


def _syntax_complaint(raw: str, error: json.JSONDecodeError) -> str:
    if error.msg.startswith("Illegal trailing comma"):
        # From Python 3.13 on the error stands at the comma; before, and in the API, at what follows it.
        behind = raw[error.pos + 1 :]
        error = json.JSONDecodeError("", raw, error.pos + 1 + len(behind) - len(behind.lstrip()))
    before = raw[: error.pos].rstrip()
    if error.pos >= len(raw.rstrip()) or error.msg.startswith("Unterminated"):
        line, column = _end(raw)
        what = "an object" if raw.lstrip().startswith("{") else "a value"
        return f"EOF while parsing {what} at line {line} column {column}"
    complaint = "expected value"
    if before.endswith(",") and raw[error.pos] in "}]":
        complaint = "trailing comma"
    return f"{complaint} at line {error.lineno} column {error.colno}"


def _end(text: str) -> tuple[int, int]:
    """Line and column of the last character; columns count characters already read on that line."""
    return text.count("\n") + 1, len(text) - text.rfind("\n") - 1


def describe(value: Any) -> str:
    """A value as complaints name it."""
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{value}`"
        case str():
            return f"string {json.dumps(value, ensure_ascii=False)}"
        case list():
            return "sequence"
        case _:
            return "map"


def _ticked(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _one_of(names: tuple[str, ...]) -> str:
    return _ticked(names) if len(names) == 1 else f"one of {_ticked(names)}"
