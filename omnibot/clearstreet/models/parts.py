"""Content parts: the pieces of an answer, in the order Omni sends them.

Source: MessageContentPart and ResponseContentPart of all three revisions; names inside chart and suggested-actions
payloads are camelCase on the wire. A part we cannot read is an `UnknownPart` with its JSON; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AliasChoices, Field, PlainValidator, TypeAdapter, ValidationError

from omnibot.clearstreet.models.actions import Action, read_action
from omnibot.clearstreet.models.scalars import JSON, Coordinate, Flag, KeepingRaw, MaybeText, Text, Words

_T = TypeVar("_T")


class _Readable(Generic[_T]):
    """A list's reading rule that leaves out what cannot be read (the part's `raw` still has it)."""

    def __init__(self, kind: type[_T]) -> None:
        self._read: Callable[[Any], _T] = TypeAdapter(kind).validate_python

    def __call__(self, value: JSON) -> tuple[_T, ...]:
        found: list[_T] = []
        for item in value if isinstance(value, list | tuple) else ():
            try:
                found.append(self._read(item))
            except ValidationError:
                continue
        return tuple(found)


def _inner(name: str) -> PlainValidator:
    """The text under `name` of an object that may be null, or rubbish."""

    def read(value: JSON) -> str | None:
        text = value.get(name) if isinstance(value, dict) else value
        return text if isinstance(text, str) and text else None

    return PlainValidator(read)


@dataclass(frozen=True, slots=True)
class ActionButton:
    """A button under an answer or a chart (ActionButton, all revisions).

    `button_id` is unique only within its part. `prompt` is the next question to ask; `action_id` names a structured
    action of the same message. Either, both or neither may be there.
    """

    button_id: Annotated[Text, Field(validation_alias=AliasChoices("buttonId", "button_id"))]
    label: str
    prompt: Annotated[str | None, _inner("prompt")] = None
    action_id: Annotated[
        str | None, _inner("actionId"), Field(validation_alias=AliasChoices("structuredAction", "action_id"))
    ] = None
    item_id: Annotated[MaybeText, Field(validation_alias=AliasChoices("itemId", "item_id"))] = None
    clicked: Flag = False


Buttons = Annotated[
    tuple[ActionButton, ...],
    PlainValidator(_Readable(ActionButton)),
    Field(validation_alias=AliasChoices("actionButtons", "buttons")),
]


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One point: `x` is a label or a date as Omni wrote it, `y` exact."""

    x: str
    y: Coordinate


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """A named line of points. Points without a readable y are gaps and left out."""

    name: Text = ""
    points: Annotated[tuple[ChartPoint, ...], PlainValidator(_Readable(ChartPoint))] = ()


@dataclass(frozen=True, slots=True)
class DataChart:
    """A chart that brings its own numbers."""

    series: Annotated[tuple[ChartSeries, ...], PlainValidator(_Readable(ChartSeries))] = ()


@dataclass(frozen=True, slots=True)
class SymbolChart:
    """A chart of a symbol's price, without numbers (2026-04)."""

    symbol: str
    timeframe: MaybeText = None


def _or_none(kind: type[Any]) -> PlainValidator:
    read_all = _Readable(kind)
    return PlainValidator(lambda value: next(iter(read_all([value])), None))


@dataclass(frozen=True, slots=True)
class ChartPayload:
    """What a chart shows: `data_chart`, `symbol_chart` or, when neither could be read, nothing (ChartPayload)."""

    chart_id: Annotated[Text, Field(validation_alias=AliasChoices("chartId", "chart_id"))] = ""
    data_chart: Annotated[
        DataChart | None, _or_none(DataChart), Field(validation_alias=AliasChoices("dataChart", "data_chart"))
    ] = None
    symbol_chart: Annotated[
        SymbolChart | None, _or_none(SymbolChart), Field(validation_alias=AliasChoices("symbolChart", "symbol_chart"))
    ] = None
    buttons: Buttons = ()
    clicked: Flag = False
    item_id: Annotated[MaybeText, Field(validation_alias=AliasChoices("itemId", "item_id"))] = None


@dataclass(frozen=True, slots=True)
class _Payload:
    """`buttons` lives inside the part's `payload` on the wire."""

    buttons: Buttons = ()


@dataclass(frozen=True, slots=True)
class TextPart:
    """Markdown; may hold private links such as `[AAPL](ticker:AAPL)`, and may be empty while Omni is writing."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingPart:
    """What Omni is doing, a line each. Only in responses, also in succeeded ones, also after the text."""

    thoughts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StructuredActionPart:
    """An action for the client, named by buttons through `action_id`. `clicked…` and `item_id` came in 2026-10."""

    action_id: str
    action: Annotated[Action, PlainValidator(read_action)]
    clicked: Flag = False
    clicked_item_ids: Words = ()
    item_id: MaybeText = None
    raw: JSON = field(default=None, repr=False, compare=False)
    """The whole part as it came."""


@dataclass(frozen=True, slots=True)
class ChartPart:
    """A chart in the answer. `raw` is the whole part as it came."""

    payload: ChartPayload
    raw: JSON = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SuggestedActionsPart:
    """Follow-ups at the end of an answer. `raw` is the whole part as it came."""

    buttons: tuple[ActionButton, ...]
    raw: JSON = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class CustomPart:
    """Anything: the API's escape hatch."""

    payload: JSON


@dataclass(frozen=True, slots=True)
class UnknownPart:
    """A part we cannot read. `type` is its name, empty when it has none."""

    type: str
    raw: JSON


Part = TextPart | ThinkingPart | StructuredActionPart | ChartPart | SuggestedActionsPart | CustomPart | UnknownPart

_read_payload = TypeAdapter(_Payload).validate_python


def _suggested(raw: dict[str, Any]) -> SuggestedActionsPart:
    return SuggestedActionsPart(_read_payload(raw["payload"]).buttons, raw)


_READERS: Mapping[str, Callable[[Any], Part]] = {
    "text": TypeAdapter(TextPart).validate_python,
    "thinking": TypeAdapter(ThinkingPart).validate_python,
    "structured_action": TypeAdapter(Annotated[StructuredActionPart, KeepingRaw]).validate_python,
    "chart": TypeAdapter(Annotated[ChartPart, KeepingRaw]).validate_python,
    "suggested_actions": _suggested,
    "custom": TypeAdapter(CustomPart).validate_python,
}


def read_part(raw: JSON) -> Part:
    """One part from its JSON object. Never raises."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(kind, str):
        return UnknownPart("", raw)
    try:
        return _READERS[kind](raw)
    except (KeyError, ValidationError):
        return UnknownPart(kind, raw)


def read_parts(content: JSON) -> tuple[Part, ...]:
    """The parts of a `content` object; null is none, and content that is no list of parts is one `UnknownPart`."""
    if content is None:
        return ()
    parts = content.get("parts", content) if isinstance(content, dict) else content
    if parts is None:
        return ()
    if not isinstance(parts, list):
        return () if parts == {} else (UnknownPart("", content),)
    return tuple([read_part(part) for part in parts])


Parts = Annotated[
    tuple[Part, ...], PlainValidator(read_parts), Field(validation_alias=AliasChoices("content", "parts"))
]


def dump_part(part: Part) -> JSON:
    """The part as JSON that `read_part` reads back to an equal part; of a part that was read, not built by hand.

    Through `json.dumps` a fraction that came as a number, not as text, keeps a float's 17 digits.
    """
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ThinkingPart(thoughts):
            return {"type": "thinking", "thoughts": list(thoughts)}
        case CustomPart(payload):
            return {"type": "custom", "payload": payload}
        case StructuredActionPart() | ChartPart() | SuggestedActionsPart() | UnknownPart():
            return part.raw
