"""Orders as Clear Street holds them. Only the id and the status are required: with them an order can be followed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

from pydantic import TypeAdapter

from omnibot.clearstreet.models.enums import (
    AnyOrderStatus,
    MaybeInstrumentType,
    MaybeOrderType,
    MaybeQueueState,
    MaybeSide,
    MaybeTimeInForce,
    MaybeTrailingOffsetType,
    OrderStatus,
)
from omnibot.clearstreet.models.scalars import (
    JSON,
    Identity,
    KeepingRaw,
    MaybeAmount,
    MaybeFlag,
    MaybeText,
    Moment,
    Text,
    Words,
)

OVER = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.REPLACED}
)
"""Statuses after which an order does not change any more."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order and how far it has got (GET, POST, PATCH and DELETE of orders; all revisions).

    An amount of None is absent or was no plain decimal number: not known. `raw` is the whole order as it came.
    """

    id: str
    """Clear Street's own. After a replace the same client id may name another order: go by this."""
    status: AnyOrderStatus
    account_id: Identity | None = None
    client_order_id: Text = ""
    """The `id` it was submitted with, or one Clear Street made."""
    symbol: MaybeText = None
    """Ticker, or OSI symbol of an option. None for orders of several legs."""
    instrument_id: MaybeText = None
    instrument_type: MaybeInstrumentType = None
    underlying_instrument_id: MaybeText = None
    """Of options."""
    underlying_instrument_type: MaybeInstrumentType = None
    """From 2026-10."""
    side: MaybeSide = None
    order_type: MaybeOrderType = None
    time_in_force: MaybeTimeInForce = None
    quantity: MaybeAmount = None
    """Shares or contracts."""
    filled_quantity: MaybeAmount = None
    leaves_quantity: MaybeAmount = None
    """What is still to be filled; 0 once the order is over."""
    average_fill_price: MaybeAmount = None
    limit_price: MaybeAmount = None
    stop_price: MaybeAmount = None
    limit_offset: MaybeAmount = None
    trailing_offset: MaybeAmount = None
    trailing_offset_type: MaybeTrailingOffsetType = None
    trailing_limit_px: MaybeAmount = None
    trailing_stop_px: MaybeAmount = None
    trailing_watermark_px: MaybeAmount = None
    trailing_watermark_ts: Moment = None
    expires_at: Moment = None
    extended_hours: MaybeFlag = None
    strategy: JSON = None
    """Execution strategy, `{"type": "SOR" | "VWAP" | "TWAP" | "DMA", …}` (2026-10)."""
    queue_state: MaybeQueueState = None
    releases_at: Moment = None
    venue: Text = ""
    """MIC code."""
    details: Words = ()
    """Why it was rejected or canceled, in Clear Street's words."""
    created_at: Moment = None
    updated_at: Moment = None
    raw: JSON = field(default=None, repr=False, compare=False)

    @property
    def over(self) -> bool:
        """It will not change any more. An unknown status is not over."""
        return self.status in OVER

    @property
    def filled(self) -> Decimal:
        """How much is filled, as far as it is known."""
        return self.filled_quantity or Decimal(0)


order: TypeAdapter[Order] = TypeAdapter(Annotated[Order, KeepingRaw])
orders: TypeAdapter[list[Order]] = TypeAdapter(list[Annotated[Order, KeepingRaw]])
