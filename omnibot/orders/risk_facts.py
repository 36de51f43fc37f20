"""Tickets as the policy rules see them, and warnings for the approver. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from omnibot.clearstreet.models.enums import InstrumentType, PositionEffect, Side, UnknownValue
from omnibot.clearstreet.models.options import STANDARD_MULTIPLIER, read_option
from omnibot.orders.model import MarketView, Terms, Ticket
from omnibot.orders.order_parser import NO_ACCOUNT, afterwards, misfits
from omnibot.orders.wording import moment_words, underlying
from omnibot.policy import money
from omnibot.policy.facts import Instrument, MarketFacts, OrderAction, OrderFacts
from omnibot.policy.identities import Who
from omnibot.policy.money import dollars, percent
from omnibot.policy.rule_context import ticker

_SHARES = (None, InstrumentType.COMMON_STOCK, InstrumentType.PREFERRED_STOCK)


def order_facts(ticket: Ticket, owner: Who, approved_by: Iterable[Who], edited_by: Iterable[Who]) -> OrderFacts:
    """What the rules are told about a ticket; of a change, the order as it would be afterwards."""
    terms, strange = ticket.terms, [*ticket.terms.not_understood, *misfits(ticket.terms, ticket.before)]
    if terms.act is OrderAction.MODIFY:
        after = afterwards(ticket.before, terms)
        if after is None:
            strange.append("order_id")
        terms = after or terms
    if ticket.unsendable and not strange:
        strange.append("order")
    instrument, multiplier = _instrument(terms)
    return OrderFacts(
        act=ticket.terms.act,
        owner=owner,
        authority=ticket.authority,
        account_id=None if ticket.account_id == NO_ACCOUNT else ticket.account_id,
        symbol=underlying(terms),
        contract=terms.symbol if instrument is Instrument.OPTION else None,
        instrument=instrument,
        multiplier=multiplier,
        side=_side(terms),
        quantity=terms.quantity,
        order_type=terms.order_type,
        time_in_force=terms.time_in_force,
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
        limit_offset=terms.limit_offset,
        trailing_offset=terms.trailing_offset,
        trailing_offset_type=terms.trailing_offset_type,
        expires_at=terms.expires_at,
        extended_hours=terms.extended_hours,
        not_understood=tuple(strange),
        approved_by=tuple(approved_by),
        edited_by=tuple(edited_by),
    )


def _instrument(terms: Terms) -> tuple[Instrument | None, Decimal | None]:
    option = read_option(terms.symbol)
    if option is not None and terms.instrument_type in (None, InstrumentType.OPTION):
        return Instrument.OPTION, None if option.adjusted else Decimal(STANDARD_MULTIPLIER)
    if option is None and terms.instrument_type in _SHARES:
        return Instrument.SHARE, Decimal(1)
    return None, None


def _side(terms: Terms) -> Side | UnknownValue | None:
    """A sale that opens a position is a short one, whatever the revision calls it."""
    if terms.side is Side.SELL and terms.position_effect is PositionEffect.OPEN:
        return Side.SELL_SHORT
    return terms.side


def market_facts(seen: MarketView, on_their_way: Decimal | None = None) -> MarketFacts:
    """What the rules are told about the market.

    Args:
        on_their_way: what tickets sell that are not among the open orders yet.
    """
    sellable = seen.sellable
    if sellable is not None:
        sellable = max(sellable - (on_their_way or Decimal(0)), Decimal(0))
    return MarketFacts(
        seen.bid,
        seen.ask,
        seen.quoted_at,
        sellable,
        undated=seen.undated,
        trading_now=seen.trading_now,
        opens=None if seen.opens_at is None else moment_words(seen.opens_at),
    )


def holding(terms: Terms) -> str:
    """In what a position of this is held: one spelling of the symbol."""
    return held_in(terms.symbol)


def held_in(symbol: str | None) -> str:
    """As `holding`, of a symbol."""
    option = read_option(symbol)
    return option.symbol if option else (ticker(symbol) or symbol or "")


def sells(terms: Terms, before: Terms | None) -> bool:
    """Whether it takes from a position."""
    about = before if terms.act is OrderAction.MODIFY and before else terms
    return about.side is not Side.BUY and terms.act is not OrderAction.CANCEL


def notional_and_quantity(ticket: Ticket, owner: Who, seen: MarketView) -> tuple[Decimal | None, Decimal | None]:
    """What the ticket moves: money and shares. None: not known. A cancel moves nothing."""
    if ticket.terms.act is OrderAction.CANCEL:
        return Decimal(0), Decimal(0)
    facts = order_facts(ticket, owner, (), ())
    return money.notional_of(facts, market_facts(seen)), money.shares_of(facts)


# -- warnings ---------------------------------------------------------------------------------------------------------

#: Share of the buying power (or of the equity) above which an order is large.
LARGE = Decimal("0.25")
DRIFT = Decimal(25)
"""Basis points by which the market may have moved since the card, before it is said."""
REVIEW = Decimal(100)
"""Basis points by which it may have moved, before the card has to be read again: nobody has seen this price."""


def warnings(
    ticket: Ticket, owner: Who, seen: MarketView, *, now: datetime, max_quote_age: timedelta, several: bool = False
) -> list[str]:
    """What a careful colleague would point out, the gravest first; none for a cancel."""
    if ticket.terms.act is OrderAction.CANCEL:
        return []
    return [
        *_about_quote(seen, now, max_quote_age),
        *_about_hours(ticket, seen),
        *_about_size(ticket, owner, seen),
        *_about_sale(ticket, seen),
        *(["Each order stands for itself: they are not a spread."] if several else []),
    ]


def _about_quote(seen: MarketView, now: datetime, most: timedelta) -> list[str]:
    if seen.bid is None or seen.ask is None:
        return [seen.trouble or "There is no quote with bid and offer."]
    if seen.quoted_at is None:
        return ["It is not known how old the quote is."]
    if seen.undated and seen.trading_now is not True:
        return ["Clear Street does not say how old the quote is, and the order cannot trade now."]
    age = now - seen.quoted_at
    return [f"The quote is {age.total_seconds():.0f} s old."] if age > most else []


def _about_hours(ticket: Ticket, seen: MarketView) -> list[str]:
    said = []
    if seen.market_open is False:
        said.append("The market is closed: the order waits for it to open.")
    if seen.market_open is None:
        said.append("It is not known whether the market is open.")
    if ticket.terms.extended_hours:
        said.append("It may trade outside regular hours, where there are fewer offers and prices move more.")
    return said


def _about_size(ticket: Ticket, owner: Who, seen: MarketView) -> list[str]:
    moved, _ = notional_and_quantity(ticket, owner, seen)
    if moved is None:
        return ["What the order is worth is not known."]
    if sells(ticket.terms, ticket.before) or seen.buying_power is None:
        return []
    if moved > seen.buying_power:
        return [f"It is worth more than the account's buying power of {dollars(seen.buying_power)}."]
    if moved > LARGE * seen.buying_power:
        return [f"It is large: {dollars(moved)} of a buying power of {dollars(seen.buying_power)}."]
    return []


def _about_sale(ticket: Ticket, seen: MarketView) -> list[str]:
    if not sells(ticket.terms, ticket.before):
        return []
    said = []
    if seen.sellable is None:
        said.append("It is not known how much of this is held.")
    elif ticket.terms.quantity is not None and ticket.terms.quantity > seen.sellable:
        said.append("It sells more than is held and free: that is a short sale.")
        if seen.short_sale_restricted is None:
            said.append("It is not known whether short sales are restricted right now.")
    if seen.short_sale_restricted:
        said.append("Short sales of this are restricted right now.")
    return said


def drift(shown: Mapping[str, Any] | None, seen: MarketView, *, least: Decimal = DRIFT) -> str | None:
    """How far the market has moved since the card showed a quote, where that is worth a word.

    Args:
        shown: the quote on the card, as `Seen.quote` wrote it.
        least: basis points below which it is not.
    """
    middle, before = seen.middle, _middle(shown)
    if before is None or middle is None or before <= 0:
        return None
    moved = (middle - before) / before * money.WHOLE
    if abs(moved) < least:
        return None
    return f"The market has {'risen' if moved > 0 else 'fallen'} by {percent(abs(moved))} since this card was drawn."


def _middle(shown: Mapping[str, Any] | None) -> Decimal | None:
    try:
        bid, ask = (Decimal(str((shown or {})[side])) for side in ("bid", "ask"))
    except (KeyError, InvalidOperation):
        return None
    known = [money.known(bid), money.known(ask)]
    return None if None in known else (bid + ask) / 2
