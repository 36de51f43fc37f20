"""What the trading rules are told about an order, the market and the day. None means unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from omnibot.clearstreet.models.enums import OrderType, Side, TimeInForce, TrailingOffsetType, UnknownValue
from omnibot.policy.identities import Authority, Who


class OrderAction(StrEnum):
    """What is proposed to be done at the market."""

    NEW = "new"
    MODIFY = "modify"
    """The facts are those of the order as it would be afterwards."""
    CANCEL = "cancel"


class Instrument(StrEnum):
    """What is traded, as far as the rules tell things apart."""

    SHARE = "share"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One order, from typed fields only; amounts exactly as they would be sent."""

    act: OrderAction
    owner: Who
    """Whose ticket it is, as Slack says now."""
    authority: Authority
    """Whose link or key would send it."""
    account_id: int | None
    symbol: str | None = None
    """Ticker; of an option the ticker of what it is an option on."""
    contract: str | None = None
    """Of an option its whole symbol: what a position is held in."""
    instrument: Instrument | None = None
    multiplier: Decimal | None = None
    """Shares that one unit of quantity is for: 1 for shares."""
    side: Side | UnknownValue | None = None
    quantity: Decimal | None = None
    order_type: OrderType | UnknownValue | None = None
    time_in_force: TimeInForce | UnknownValue | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    limit_offset: Decimal | None = None
    trailing_offset: Decimal | None = None
    trailing_offset_type: TrailingOffsetType | UnknownValue | None = None
    expires_at: datetime | None = None
    extended_hours: bool | None = None
    """None: the order does not say, which is no."""
    not_understood: tuple[str, ...] = ()
    """Names of fields that carry a value omnibot cannot read or does not know."""
    approved_by: tuple[Who, ...] = ()
    """Who has approved exactly these bytes, the person clicking now included, as Slack says now."""
    edited_by: tuple[Who, ...] = ()
    """Who made this version what it is: their approval is no second pair of eyes."""


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """What the market and the account say about one order. `UNSEEN` where there was no answer."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    quoted_at: datetime | None = None
    """When the quote was so: by the market, or where the API does not say (`undated`), when it was asked for."""
    sellable: Decimal | None = None
    """What may be sold without being short: the position, less what other open or approved orders sell; 0 for none."""
    undated: bool = False
    """The quote has no time of its own, so that `quoted_at` says nothing about its age."""
    trading_now: bool | None = None
    """The market is open in a session in which the order works."""
    opens: str | None = None
    """When regular hours begin next, in words, where they have not begun."""


UNSEEN = MarketFacts()


@dataclass(frozen=True, slots=True)
class DayFacts:
    """The owner's exchange session so far: tickets approved, submitting, unknown and submitted, whatever came of them.

    The session is the one in which the orders that are checked would work first, not the date of their approval.

    A ticket that is being checked, and the order that it modifies, do not count.
    """

    halted: bool | None
    notional_used: Decimal | None
    quantity_used: Decimal | None
    """In shares: quantity times multiplier."""
    session_known: bool = True
    """Whether it is known in which session the orders that are checked would work."""
