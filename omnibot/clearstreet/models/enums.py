"""The API's closed lists of words, and what we make of a word that is not on the list.

A field typed `Side | UnknownValue` holds a member when we know the word, else the word itself as `UnknownValue`. Both
are strings, so both can be shown; `isinstance(value, UnknownValue)` asks whether to trust it. Members of every
revision are listed together: what a revision calls a thing is for the reader of the value to weigh.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import PlainValidator


class UnknownValue(str):
    """A word of the API that this version of omnibot does not know."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"UnknownValue({str(self)!r})"


class ResponseStatus(StrEnum):
    """Where a response is (GET /v1/omni-ai/responses/{id}, all revisions)."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class MessageOutcome(StrEnum):
    """How a finalised message ended; USER messages carry one too (all revisions)."""

    COMPLETED = "completed"
    ERRORED = "errored"
    CANCELED = "canceled"


class MessageRole(StrEnum):
    """Who wrote a message (all revisions)."""

    USER = "USER"
    ASSISTANT = "ASSISTANT"


class Capability(StrEnum):
    """What the client says it can carry out, sent with every create (all revisions)."""

    PREFILL_ORDER = "PREFILL_ORDER"
    OPEN_CHART = "OPEN_CHART"
    OPEN_SCREENER = "OPEN_SCREENER"
    OPEN_ENTITLEMENT_CONSENT = "OPEN_ENTITLEMENT_CONSENT"


class OrderType(StrEnum):
    """How an order is priced (all revisions). OTHER stands in orders as they are read; nobody can send it."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    TRAILING_STOP = "TRAILING_STOP"
    TRAILING_STOP_LIMIT = "TRAILING_STOP_LIMIT"
    OTHER = "OTHER"


class Side(StrEnum):
    """Which way an order goes. SELL_SHORT and OTHER left the API in 2026-10."""

    BUY = "BUY"
    SELL = "SELL"
    SELL_SHORT = "SELL_SHORT"
    OTHER = "OTHER"


class TimeInForce(StrEnum):
    """How long an order works. AT_THE_… until 2026-08, crossings in 2026-04 only, AT_OPEN and AT_CLOSE from 2026-10.

    OTHER stands in orders as they are read; nobody can send it.
    """

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
    OTHER = "OTHER"


class InstrumentType(StrEnum):
    """What is traded. PREFERRED_STOCK and OTHER are of 2026-04, INDEX is later. Proposed orders say it in 2026-04."""

    COMMON_STOCK = "COMMON_STOCK"
    PREFERRED_STOCK = "PREFERRED_STOCK"
    INDEX = "INDEX"
    OPTION = "OPTION"
    CASH = "CASH"
    OTHER = "OTHER"


class PositionEffect(StrEnum):
    """Whether an order opens or closes a position (`position_effect` in 2026-04, `position_intent` in 2026-10)."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"


class TrailingOffsetType(StrEnum):
    """Unit of a trailing offset: an amount in the quote currency, or basis points (all revisions)."""

    PRICE = "PRICE"
    BPS = "BPS"


class OrderStatus(StrEnum):
    """Where an order is (all revisions; QUEUED and PENDING_TRIGGER from 2026-10)."""

    PENDING_NEW = "PENDING_NEW"
    """Accepted by Clear Street, not yet by the venue."""
    QUEUED = "QUEUED"
    """Waiting for its release, mostly for the market to open."""
    PENDING_TRIGGER = "PENDING_TRIGGER"
    """Waiting for its stop price."""
    NEW = "NEW"
    """Working at the venue, nothing filled."""
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    PENDING_CANCEL = "PENDING_CANCEL"
    """Asked to be canceled; may still fill."""
    PENDING_REPLACE = "PENDING_REPLACE"
    """Asked to be replaced; may still fill as it was."""
    REPLACED = "REPLACED"
    """Over: another order took its place."""
    DONE_FOR_DAY = "DONE_FOR_DAY"
    STOPPED = "STOPPED"
    SUSPENDED = "SUSPENDED"
    CALCULATED = "CALCULATED"
    OTHER = "OTHER"


class QueueState(StrEnum):
    """Whether a queued order was released (all revisions)."""

    AWAITING_RELEASE = "AWAITING_RELEASE"
    RELEASED = "RELEASED"


class PositionType(StrEnum):
    """Which way a position is held (all revisions)."""

    LONG = "LONG"
    SHORT = "SHORT"


class MarketType(StrEnum):
    """A market with hours of its own (all revisions; event contracts from 2026-10)."""

    US_EQUITIES = "us_equities"
    US_OPTIONS = "us_options"
    US_EVENT_CONTRACTS = "us_event_contracts"


class MarketSession(StrEnum):
    """Part of a trading day (all revisions; `overnight` from 2026-10)."""

    OVERNIGHT = "overnight"
    PRE_MARKET = "pre_market"
    REGULAR = "regular"
    AFTER_HOURS = "after_hours"


class DayType(StrEnum):
    """What kind of day it is for a market (all revisions)."""

    TRADING_DAY = "TRADING_DAY"
    EARLY_CLOSE = "EARLY_CLOSE"
    HOLIDAY = "HOLIDAY"
    WEEKEND = "WEEKEND"


class AccountStatus(StrEnum):
    """Whether an account can be used (GET /v1/accounts, 2026-08 and later)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    CLOSED = "CLOSED"


def _reader(kind: type[StrEnum]) -> Callable[[str], StrEnum | UnknownValue]:
    known: dict[str, StrEnum] = {member.value: member for member in kind}
    return lambda value: known.get(value) or UnknownValue(value)


def word(kind: type[StrEnum]) -> PlainValidator:
    """The reading rule of a list: a known word becomes its member, an unknown one `UnknownValue`, no word an error."""
    read_word = _reader(kind)

    def read(value: Any) -> StrEnum | UnknownValue:
        if not isinstance(value, str):
            raise ValueError("not a word")
        return read_word(value)

    return PlainValidator(read)


def maybe_word(kind: type[StrEnum]) -> PlainValidator:
    """The lenient reading rule of a list: as `word`, but no word is None."""
    read_word = _reader(kind)
    return PlainValidator(lambda value: read_word(value) if isinstance(value, str) else None)


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
AnyOrderStatus = Annotated[OrderStatus | UnknownValue, word(OrderStatus)]

MaybeOrderType = Annotated[OrderType | UnknownValue | None, maybe_word(OrderType)]
MaybeSide = Annotated[Side | UnknownValue | None, maybe_word(Side)]
MaybeTimeInForce = Annotated[TimeInForce | UnknownValue | None, maybe_word(TimeInForce)]
MaybeInstrumentType = Annotated[InstrumentType | UnknownValue | None, maybe_word(InstrumentType)]
MaybeTrailingOffsetType = Annotated[TrailingOffsetType | UnknownValue | None, maybe_word(TrailingOffsetType)]
MaybeQueueState = Annotated[QueueState | UnknownValue | None, maybe_word(QueueState)]
MaybePositionType = Annotated[PositionType | UnknownValue | None, maybe_word(PositionType)]
MaybeMarketType = Annotated[MarketType | UnknownValue | None, maybe_word(MarketType)]
MaybeMarketSession = Annotated[MarketSession | UnknownValue | None, maybe_word(MarketSession)]
MaybeDayType = Annotated[DayType | UnknownValue | None, maybe_word(DayType)]
