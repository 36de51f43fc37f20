"""Reading rules for single JSON values: amounts without rounding, moments, and fields that may be rubbish.

Two sorts of rule. *Lenient* ones (`Maybe…`, `Flag`, `Moment`, `or_none`) turn rubbish into an absent value, for fields
that may be absent anyhow. *Strict* ones (`Amount`, `Identity`, `Expiry`) refuse it, for fields of which a wrong reading
would mislead: whoever holds the field then becomes an `Unknown…` value that shows its JSON.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, TypeAdapter, ValidationError

JSON = Any
"""Decoded JSON: dict, list, str, int, float (a `Number`), bool or None."""

_PLAIN_DECIMAL = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{1,60})?", re.ASCII)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Number(float):
    """A JSON number with a fraction or exponent that remembers how it was written (`text`), so nothing is rounded."""

    __slots__ = ("text",)
    text: str

    def __reduce__(self) -> tuple[Any, ...]:
        return (read_number, (self.text,))


def read_number(text: str) -> Number | str:
    """A number beyond a float's range stays text, so that the value can be written as JSON again."""
    number = Number(text)
    number.text = text
    return number if math.isfinite(number) else text


def _read_integer(text: str) -> int | str:
    return int(text) if len(text) <= 1000 else text


_fast = json.JSONDecoder(parse_float=read_number, parse_constant=str)
_careful = json.JSONDecoder(parse_float=read_number, parse_constant=str, parse_int=_read_integer)


def decode(body: bytes) -> JSON:
    """Read JSON bytes. Lone surrogates and bytes that are not UTF-8 become U+FFFD.

    Raises:
        ValueError: this is not JSON, or it is nested too deep to be read.
    """
    text = body.decode("utf-8", "replace")
    try:
        value = _read(text)
        return _mended(value) if "\\ud" in text or "\\uD" in text else value
    except RecursionError:
        raise ValueError("nested too deep") from None


def _read(text: str) -> JSON:
    try:
        return _fast.decode(text)
    except ValueError:
        return _careful.decode(text)  # an integer of thousands of digits is the one thing `_fast` refuses wrongly


def _mended(value: JSON) -> JSON:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(item) for name, item in value.items()}
    return value


def read_amount(value: JSON) -> Decimal | str:
    """Exact decimal of a JSON string or number; a string that is no plain finite decimal stays as it is.

    Raises:
        ValueError: neither string nor number.
    """
    if isinstance(value, Number):
        value = value.text
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    elif isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError("not an amount")
    return Decimal(value) if _PLAIN_DECIMAL.fullmatch(value) else value


def read_coordinate(value: JSON) -> Decimal:
    """A chart's number. Raises ValueError for anything that is not a finite number."""
    text = value.text if isinstance(value, Number) else str(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or len(text) > 400:
        raise ValueError("not a coordinate")
    return Decimal(text)


def read_moment(value: JSON) -> datetime | None:
    """ISO 8601 with `T` or a blank, as an aware datetime (UTC where no offset is written); rubbish is None."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_expiry(value: JSON) -> datetime | str:
    """A moment that matters: rubbish stays as the text it was. Raises ValueError for what is not even text."""
    if not isinstance(value, str | datetime):
        raise ValueError("not a moment")
    return read_moment(value) or value


def _maybe_amount(value: JSON) -> Decimal | None:
    try:
        amount = read_amount(value)
    except ValueError:
        return None
    return amount if isinstance(amount, Decimal) else None


def _day(value: JSON) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _identity(value: JSON) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("not an account id")
    return value


def _integer(value: JSON) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) else None


def _words(value: JSON) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()


Amount = Annotated[Decimal | str, PlainValidator(read_amount)]
Coordinate = Annotated[Decimal, PlainValidator(read_coordinate)]
Expiry = Annotated[datetime | str, PlainValidator(read_expiry)]
MaybeAmount = Annotated[Decimal | None, PlainValidator(_maybe_amount)]
"""Exact; None for what is absent or no plain decimal number: an amount that is not understood is not known."""
MaybeDay = Annotated[date | None, PlainValidator(_day)]
Identity = Annotated[int, PlainValidator(_identity)]
Moment = Annotated[datetime | None, PlainValidator(read_moment)]
MaybeText = Annotated[str | None, PlainValidator(_text)]
MaybeInteger = Annotated[int | None, PlainValidator(_integer)]
Text = Annotated[str, PlainValidator(lambda value: value if isinstance(value, str) else "")]
Words = Annotated[tuple[str, ...], PlainValidator(_words)]
Flag = Annotated[bool, PlainValidator(lambda value: value is True)]
MaybeFlag = Annotated[bool | None, PlainValidator(lambda value: value if isinstance(value, bool) else None)]
"""None is not False: nobody knows."""


def or_none(kind: type[Any]) -> PlainValidator:
    """The lenient reading rule of an object inside another: what cannot be read is absent."""
    read_object = TypeAdapter(kind).validate_python

    def read(value: JSON) -> Any:
        try:
            return None if value is None else read_object(value)
        except ValidationError:
            return None

    return PlainValidator(read)


def keeping_raw(value: JSON) -> JSON:
    """Before-rule of values with a `raw` field: hand the JSON object itself along."""
    return {**value, "raw": value} if isinstance(value, dict) else value


KeepingRaw = BeforeValidator(keeping_raw)
