"""The API's closed lists of words, and what we make of a word that is not on the list.

A field typed `Side | UnknownValue` holds a member when we know the word, else the word itself as `UnknownValue`. Both
are strings, so both can be shown; `isinstance(value, UnknownValue)` asks whether to trust it. Members of every
generation are listed together: what a generation calls a thing is for the reader of the value to weigh.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import PlainValidator


class UnknownValue(str):
    """A word of the API that this version of omnibot does not know."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"UnknownValue({str(self)!r})"


class ResponseStatus(StrEnum):
    """Where a response is (GET /v1/omni-ai/responses/{id}, all generations)."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class MessageOutcome(StrEnum):
    """How a finalised message ended; USER messages carry one too (all generations)."""

    COMPLETED = "completed"
    ERRORED = "errored"
    CANCELED = "canceled"


class MessageRole(StrEnum):
    """Who wrote a message (all generations)."""

    USER = "USER"
    ASSISTANT = "ASSISTANT"


class Capability(StrEnum):
    """What the client says it can carry out, sent with every create (all generations)."""

    PREFILL_ORDER = "PREFILL_ORDER"
    OPEN_CHART = "OPEN_CHART"
    OPEN_SCREENER = "OPEN_SCREENER"
    OPEN_ENTITLEMENT_CONSENT = "OPEN_ENTITLEMENT_CONSENT"


class OrderType(StrEnum):
    """How an order is priced (all generations)."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    TRAILING_STOP = "TRAILING_STOP"
    TRAILING_STOP_LIMIT = "TRAILING_STOP_LIMIT"


class Side(StrEnum):
    """Which way an order goes. SELL_SHORT and OTHER left the API in 2026-10."""

    BUY = "BUY"
    SELL = "SELL"
    SELL_SHORT = "SELL_SHORT"
    OTHER = "OTHER"


class TimeInForce(StrEnum):
    """How long an order works. AT_THE_… until 2026-08, crossings in 2026-04 only, AT_OPEN and AT_CLOSE from 2026-10."""

    DAY = "DAY"
    GOOD_TILL_CANCEL = "GOOD_TILL_CANCEL"
    IMMEDIATE_OR_CANCEL = "IMMEDIATE_OR_CANCEL"
    FILL_OR_KILL = "FILL_OR_KILL"
    GOOD_TILL_DATE = "GOOD_TILL_DATE"
    AT_THE_OPENING = "AT_THE_OPENING"
    AT_THE_CLOSE = "AT_THE_CLOSE"
    GOOD_TILL_CROSSING = "GOOD_TILL_CROSSING"
    GOOD_THROUGH_CROSSING = "GOOD_THROUGH_CROSSING"
    AT_CROSSING = "AT_CROSSING"
    AT_OPEN = "AT_OPEN"
    AT_CLOSE = "AT_CLOSE"


class InstrumentType(StrEnum):
    """What is traded (2026-04 only)."""

    COMMON_STOCK = "COMMON_STOCK"
    PREFERRED_STOCK = "PREFERRED_STOCK"
    OPTION = "OPTION"
    CASH = "CASH"
    OTHER = "OTHER"


class PositionEffect(StrEnum):
    """Whether an order opens or closes a position (`position_effect` in 2026-04, `position_intent` in 2026-10)."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"


class TrailingOffsetType(StrEnum):
    """Unit of a trailing offset: an amount in the quote currency, or basis points (all generations)."""

    PRICE = "PRICE"
    BPS = "BPS"


class AccountStatus(StrEnum):
    """Whether an account can be used (GET /v1/accounts, 2026-08 and later)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    CLOSED = "CLOSED"


def word(kind: type[StrEnum]) -> PlainValidator:
    """The reading rule of a list: a known word becomes its member, an unknown one `UnknownValue`, no word an error."""
    known: dict[str, StrEnum] = {member.value: member for member in kind}

    def read(value: Any) -> StrEnum | UnknownValue:
        if not isinstance(value, str):
            raise ValueError("not a word")
        return known.get(value) or UnknownValue(value)

    return PlainValidator(read)


AnyResponseStatus = Annotated[ResponseStatus | UnknownValue, word(ResponseStatus)]
AnyMessageOutcome = Annotated[MessageOutcome | UnknownValue, word(MessageOutcome)]
AnyMessageRole = Annotated[MessageRole | UnknownValue, word(MessageRole)]
AnyOrderType = Annotated[OrderType | UnknownValue, word(OrderType)]
AnySide = Annotated[Side | UnknownValue, word(Side)]
AnyTimeInForce = Annotated[TimeInForce | UnknownValue, word(TimeInForce)]
AnyInstrumentType = Annotated[InstrumentType | UnknownValue, word(InstrumentType)]
AnyPositionEffect = Annotated[PositionEffect | UnknownValue, word(PositionEffect)]
AnyTrailingOffsetType = Annotated[TrailingOffsetType | UnknownValue, word(TrailingOffsetType)]
AnyAccountStatus = Annotated[AccountStatus | UnknownValue, word(AccountStatus)]
