"""Structured actions: what Omni asks the client to carry out after a person agrees.

Source: StructuredAction of all three revisions. Anything in an action that cannot be read makes the whole action an
`UnknownAction` with its JSON: half an order, or half of several, must never look like an order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from pydantic import AliasChoices, Field, StrictBool, TypeAdapter, ValidationError

from omnibot.clearstreet.models.enums import (
    AnyInstrumentType,
    AnyOrderType,
    AnyPositionEffect,
    AnySide,
    AnyTimeInForce,
    AnyTrailingOffsetType,
)
from omnibot.clearstreet.models.scalars import (
    JSON,
    Amount,
    Expiry,
    Identity,
    KeepingRaw,
    MaybeInteger,
    MaybeText,
    Words,
)


@dataclass(frozen=True, slots=True)
class _FromWire:
    """An order as it came, beside its typed fields."""

    raw: JSON = field(default=None, repr=False, compare=False, kw_only=True)

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """Names of fields that carry a value and that we do not understand: a reason not to act on the order."""
        known = {one.name for one in fields(self)} | _ALSO_KNOWN
        sent = self.raw if isinstance(self.raw, dict) else {}
        return tuple(name for name, value in sent.items() if name not in known and value is not None)


_ALSO_KNOWN = {"position_intent"}


@dataclass(frozen=True, slots=True)
class NewOrder(_FromWire):
    """One order of PREFILL_ORDER NEW. Amounts are exact; a `str` amount is one that is no plain decimal number.

    Source: NewOrderRequest (2026-04, 2026-08), PrefillNewOrderRequest (2026-10). It names no account: that is the
    conversation's.
    """

    order_type: AnyOrderType
    quantity: Amount
    """Shares (may be fractional) or option contracts."""
    side: AnySide
    time_in_force: AnyTimeInForce
    symbol: str | None = None
    """Ticker, or OSI symbol of an option."""
    instrument_id: str | None = None
    instrument_type: AnyInstrumentType | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    limit_offset: Amount | None = None
    """Signed, for trailing stop-limits."""
    trailing_offset: Amount | None = None
    """In the unit of `trailing_offset_type`."""
    trailing_offset_type: AnyTrailingOffsetType | None = None
    expires_at: Expiry | None = None
    """For GOOD_TILL_DATE. A `str` is a moment we could not read."""
    extended_hours: StrictBool | None = None
    position_effect: Annotated[
        AnyPositionEffect | None, Field(validation_alias=AliasChoices("position_effect", "position_intent"))
    ] = None
    strategy: dict[str, Any] | None = None
    """Execution strategy, `{"type": "SOR" | "VWAP" | "TWAP" | "DMA", …}` (2026-10)."""
    id: str | None = None
    """An id Omni proposes; never ours to send."""
    item_id: MaybeText = None


@dataclass(frozen=True, slots=True)
class CancelOrder(_FromWire):
    """One order of PREFILL_ORDER CANCEL (all revisions)."""

    account_id: Identity
    order_id: str
    item_id: MaybeText = None


@dataclass(frozen=True, slots=True)
class ModifyOrder(_FromWire):
    """One order of PREFILL_ORDER MODIFY (2026-08; in 2026-10 account and order may be missing). None: unchanged."""

    account_id: Identity | None = None
    order_id: str | None = None
    quantity: Amount | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    limit_offset: Amount | None = None
    trailing_offset: Amount | None = None
    trailing_offset_type: AnyTrailingOffsetType | None = None
    item_id: MaybeText = None


@dataclass(frozen=True, slots=True)
class PrefillNew:
    """Propose new orders (`prefill_order`, action_type NEW)."""

    orders: tuple[Annotated[NewOrder, KeepingRaw], ...]


@dataclass(frozen=True, slots=True)
class PrefillCancel:
    """Propose cancelling orders (`prefill_order`, action_type CANCEL)."""

    orders: tuple[Annotated[CancelOrder, KeepingRaw], ...]


@dataclass(frozen=True, slots=True)
class PrefillModify:
    """Propose changing orders (`prefill_order`, action_type MODIFY; 2026-08 and later)."""

    orders: tuple[Annotated[ModifyOrder, KeepingRaw], ...]


@dataclass(frozen=True, slots=True)
class OpenChart:
    """Show the chart of a symbol (`open_chart`, all revisions). `timeframe`: "1D", "1W", "3M", "5Y" and the like."""

    symbol: str
    timeframe: MaybeText = None
    extras: Any = None
    item_id: MaybeText = None


@dataclass(frozen=True, slots=True)
class ScreenerFilter:
    """One condition of a screener: `field` `operator` `value`, in Omni's words, not the screener endpoint's."""

    field: str
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class OpenScreener:
    """Show a stock screener (`open_screener`). `columns` was called `field_filter` in 2026-04."""

    filters: tuple[ScreenerFilter, ...]
    columns: Annotated[Words, Field(validation_alias=AliasChoices("columns", "field_filter"))] = ()
    sort_by: MaybeText = None
    sort_direction: MaybeText = None
    """ASC or DESC."""
    page_size: MaybeInteger = None
    item_id: MaybeText = None


@dataclass(frozen=True, slots=True)
class OpenEntitlementConsent:
    """Ask for consent (`open_entitlement_consent`).

    2026-04 says `requested_entitlement_codes` and `trading_account_ids`, later ones the names used here.
    """

    agreement_key: str
    entitlement_codes: Annotated[
        tuple[str, ...], Field(validation_alias=AliasChoices("entitlement_codes", "requested_entitlement_codes"))
    ]
    account_ids: Annotated[
        tuple[Identity, ...], Field(validation_alias=AliasChoices("account_ids", "trading_account_ids"))
    ]
    reason: str = ""
    item_id: MaybeText = None


@dataclass(frozen=True, slots=True)
class UnknownAction:
    """An action we cannot read. `kind` is its name (`open_chart`, `prefill_order NEW`, …) as far as it has one."""

    kind: str
    raw: JSON


Action = PrefillNew | PrefillCancel | PrefillModify | OpenChart | OpenScreener | OpenEntitlementConsent | UnknownAction

_READERS: Mapping[str, Callable[[Any], Action]] = {
    "prefill_order NEW": TypeAdapter(PrefillNew).validate_python,
    "prefill_order CANCEL": TypeAdapter(PrefillCancel).validate_python,
    "prefill_order MODIFY": TypeAdapter(PrefillModify).validate_python,
    "open_chart": TypeAdapter(OpenChart).validate_python,
    "open_screener": TypeAdapter(OpenScreener).validate_python,
    "open_entitlement_consent": TypeAdapter(OpenEntitlementConsent).validate_python,
}


def read_action(raw: JSON) -> Action:
    """The action in its one-key object, `{"open_chart": {…}}`. Never raises."""
    if not isinstance(raw, dict) or len(raw) != 1:
        return UnknownAction("", raw)
    [(kind, payload)] = raw.items()
    if kind == "prefill_order" and isinstance(payload, dict):
        kind = f"{kind} {payload.get('action_type')}"
    try:
        return _READERS[kind](payload)
    except (KeyError, ValidationError):
        return UnknownAction(kind, raw)
