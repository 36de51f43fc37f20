"""Exact amounts: which can be trusted, notionals, formatting."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_UP, Context, Decimal

from omnibot.clearstreet.models.enums import OrderType, Side, TrailingOffsetType
from omnibot.policy.facts import MarketFacts, OrderFacts

#: Digits that an amount may have before or after its point; no market has more.
DIGITS = 60
_EXACT = Context(prec=20 * DIGITS)
#: Digits that people can still read.
LONGEST = 30
WHOLE = Decimal(10_000)
"""Basis points in the whole."""


def known(amount: Decimal | None) -> Decimal | None:
    """The amount if it is one to reckon with: finite, of sane size."""
    if not isinstance(amount, Decimal) or not amount.is_finite():
        return None
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)  # finite
    return amount if exponent >= -DIGITS and amount.adjusted() < DIGITS else None


def positive(amount: Decimal | None) -> Decimal | None:
    """As `known`, and more than nothing."""
    amount = known(amount)
    return amount if amount is not None and amount > 0 else None


def product(*factors: Decimal | None) -> Decimal | None:
    """The exact product; None when a factor is not known."""
    result = Decimal(1)
    for factor in factors:
        if factor is None:
            return None
        result = _EXACT.multiply(result, factor)
    return result


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum; None when one of them is not known."""
    result = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        result = _EXACT.add(result, amount)
    return result


def quote_of(market: MarketFacts) -> tuple[Decimal, Decimal] | None:
    """Bid and ask, if both are there and make sense."""
    bid, ask = positive(market.bid), positive(market.ask)
    return (bid, ask) if bid is not None and ask is not None and bid <= ask else None


def shares_of(order: OrderFacts) -> Decimal | None:
    """How many shares the order is for; None when it cannot be known."""
    return product(positive(order.quantity), positive(order.multiplier))


def worst_price(order: OrderFacts, market: MarketFacts) -> Decimal | None:
    """The price at which an order would move the most money, as far as the order and the market say it.

    A buy pays its limit at most; without one it pays the offer, or its stop where that is higher. A sale gets its
    limit at least, and otherwise about the bid.
    """
    quote = quote_of(market)
    if quote is None or not has_prices(order):
        return None
    bid, ask = quote
    limit, stop = positive(order.limit_price), positive(order.stop_price)
    if order.side is not Side.BUY:
        return max(bid, limit or bid, stop or bid)
    match order.order_type:
        case OrderType.LIMIT | OrderType.STOP_LIMIT:
            return limit
        case OrderType.STOP:
            return max(ask, stop or ask)
        case OrderType.TRAILING_STOP:
            return total((ask, trailing_distance(order, ask)))
        case OrderType.TRAILING_STOP_LIMIT:
            above = abs(known(order.limit_offset) or Decimal(0))
            return total((ask, trailing_distance(order, ask), above))
        case _:
            return ask


def has_prices(order: OrderFacts) -> bool:
    """Whether every price that the order's type needs is there."""
    limit, stop = positive(order.limit_price), positive(order.stop_price)
    match order.order_type:
        case OrderType.MARKET:
            return True
        case OrderType.LIMIT:
            return limit is not None
        case OrderType.STOP:
            return stop is not None
        case OrderType.STOP_LIMIT:
            return limit is not None and stop is not None
        case OrderType.TRAILING_STOP:
            return trailing_distance(order, Decimal(1)) is not None
        case OrderType.TRAILING_STOP_LIMIT:
            return trailing_distance(order, Decimal(1)) is not None and known(order.limit_offset) is not None
        case _:
            return False


def trailing_distance(order: OrderFacts, price: Decimal) -> Decimal | None:
    """How far a trailing stop stays behind a price."""
    offset = positive(order.trailing_offset)
    match order.trailing_offset_type:
        case TrailingOffsetType.PRICE:
            return offset
        case TrailingOffsetType.BPS:
            return product(offset, price, 1 / WHOLE)
        case _:
            return None


def notional_of(order: OrderFacts, market: MarketFacts) -> Decimal | None:
    """What the order is worth: quantity × price × multiplier; None when one of them is not known."""
    return product(shares_of(order), worst_price(order, market))


def dollars(amount: Decimal) -> str:
    """An amount of money for people; never rounded."""
    return f"${plain(amount, places=2)}"


def percent(points: Decimal) -> str:
    """Basis points for people, rounded up to what tells them from a limit."""
    return f"{plain(_EXACT.divide(points, Decimal(100)).quantize(Decimal('0.0001'), ROUND_UP, _EXACT))} %"


def plain(amount: Decimal, *, places: int = 0) -> str:
    """An amount with its thousands apart and no digits that say nothing, but at least so many behind the point."""
    if len(amount.as_tuple().digits) > LONGEST or abs(amount.adjusted()) > LONGEST:
        return f"{amount:.3E}"
    whole, _, behind = f"{amount:,f}".partition(".")
    behind = behind.rstrip("0").ljust(places, "0")
    return f"{whole}.{behind}" if behind else whole
