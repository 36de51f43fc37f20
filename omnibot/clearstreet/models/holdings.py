"""What an account holds: balances and positions. An amount of None is not known; it is not zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AliasChoices, Field, TypeAdapter

from omnibot.clearstreet.models.enums import MaybeInstrumentType, MaybePositionType
from omnibot.clearstreet.models.scalars import (
    Identity,
    MaybeAmount,
    MaybeDay,
    MaybeFlag,
    MaybeInteger,
    MaybeText,
    Text,
    or_none,
)


@dataclass(frozen=True, slots=True)
class StartOfDay:
    """Balances as the day began (AccountBalancesSod, all revisions)."""

    asof: MaybeDay = None
    buying_power: MaybeAmount = None
    equity: MaybeAmount = None
    long_market_value: MaybeAmount = None
    short_market_value: MaybeAmount = None
    trade_cash: MaybeAmount = None
    maintenance_margin_excess: MaybeAmount = None
    maintenance_margin_requirement: MaybeAmount = None


@dataclass(frozen=True, slots=True)
class MarginSession:
    """Buying power of a part of the day (MarginSessionDetails, 2026-08 and later)."""

    buying_power: MaybeAmount = None
    multiplier: MaybeAmount = None


@dataclass(frozen=True, slots=True)
class MarginUsage:
    """How much of the margin is in use (MarginDetailsUsage, all revisions)."""

    total: MaybeAmount = None
    used: MaybeAmount = None


@dataclass(frozen=True, slots=True)
class MarginContributor:
    """One underlying's part in the margin (MarginTopContributor, all revisions; only when asked for)."""

    underlying_instrument_id: Text = ""
    initial_margin_requirement: MaybeAmount = None
    maintenance_margin_requirement: MaybeAmount = None
    overnight_margin_requirement: MaybeAmount = None
    market_value: MaybeAmount = None


@dataclass(frozen=True, slots=True)
class MarginDetails:
    """Margin accounts only (MarginDetails, all revisions: session details from 2026-08, overnight ones from 2026-10,
    day trades in 2026-04 only).
    """

    initial_margin_excess: MaybeAmount = None
    initial_margin_requirement: MaybeAmount = None
    maintenance_margin_excess: MaybeAmount = None
    maintenance_margin_requirement: MaybeAmount = None
    overnight_margin_excess: MaybeAmount = None
    overnight_margin_requirement: MaybeAmount = None
    intraday_details: Annotated[MarginSession | None, or_none(MarginSession)] = None
    overnight_details: Annotated[MarginSession | None, or_none(MarginSession)] = None
    usage: Annotated[MarginUsage | None, or_none(MarginUsage)] = None
    top_contributors: Annotated[tuple[MarginContributor, ...] | None, or_none(tuple[MarginContributor, ...])] = None
    day_trade_count: MaybeInteger = None
    day_trade_buying_power_usage: MaybeAmount = None
    pattern_day_trader: MaybeFlag = None


@dataclass(frozen=True, slots=True)
class Balances:
    """What an account is worth and can spend (GET balances, all revisions), in `currency`."""

    account_id: Identity
    currency: Text = ""
    buying_power: MaybeAmount = None
    equity: MaybeAmount = None
    settled_cash: MaybeAmount = None
    trade_cash: MaybeAmount = None
    withdrawable_cash: MaybeAmount = None
    unsettled_credits: MaybeAmount = None
    unsettled_debits: MaybeAmount = None
    open_order_adjustment: MaybeAmount = None
    """What open orders do to the buying power; negative when they use it."""
    long_market_value: MaybeAmount = None
    short_market_value: MaybeAmount = None
    unrealized_pnl: MaybeAmount = None
    daily_change: MaybeAmount = None
    daily_pnl: Annotated[MaybeAmount, Field(validation_alias=AliasChoices("daily_pnl", "daily_total_pnl"))] = None
    """Called `daily_total_pnl` in 2026-04."""
    daily_realized_pnl: MaybeAmount = None
    daily_unrealized_pnl: MaybeAmount = None
    margin_type: MaybeText = None
    """NONE, REG_T, PORTFOLIO_MARGIN, …"""
    multiplier: MaybeAmount = None
    margin_details: Annotated[MarginDetails | None, or_none(MarginDetails)] = None
    sod: Annotated[StartOfDay | None, or_none(StartOfDay)] = None


@dataclass(frozen=True, slots=True)
class Position:
    """A holding (GET positions, all revisions)."""

    symbol: str
    quantity: MaybeAmount
    """Shares or contracts, negative when short. None when it could not be read: then nothing is known of it."""
    account_id: Identity | None = None
    instrument_id: Text = ""
    instrument_type: MaybeInstrumentType = None
    position_type: MaybePositionType = None
    available_quantity: MaybeAmount = None
    """What is free to be sold or bought back."""
    market_value: MaybeAmount = None
    """Negative when short."""
    avg_price: MaybeAmount = None
    cost_basis: MaybeAmount = None
    instrument_price: MaybeAmount = None
    closing_price: MaybeAmount = None
    closing_price_date: MaybeDay = None
    unrealized_pnl: MaybeAmount = None
    unrealized_pnl_pct: MaybeAmount = None
    """Percent of the cost."""
    daily_realized_pnl: MaybeAmount = None
    daily_unrealized_pnl: MaybeAmount = None
    daily_unrealized_pnl_pct: MaybeAmount = None
    underlying_instrument_id: MaybeText = None
    underlying_instrument_type: MaybeInstrumentType = None
    """From 2026-10."""


balances = TypeAdapter(Balances)
positions = TypeAdapter(list[Position])
