"""Rules on prices and amounts: quotes, collar, short sales, caps, four eyes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from omnibot.clearstreet.models.enums import OrderType, Side
from omnibot.policy import money, roles
from omnibot.policy.facts import MarketFacts, OrderFacts
from omnibot.policy.identities import user_ids
from omnibot.policy.money import dollars, plain
from omnibot.policy.rule_context import LATER, RuleContext, RuleResult, allow, deny, shares, utc, within

NO_SESSION = (
    "Clear Street's calendar does not say in which exchange session this order would work, so that it is not known "
    "what its owner may still do in it. Try again in a minute."
)

# -- prices -----------------------------------------------------------------------------------------------------------


def quote(case: RuleContext) -> RuleResult:
    if money.quote_of(case.market) is None:
        return deny(f"There is no quote with bid and offer to check the order against. {LATER}")
    quoted, most = case.market.quoted_at, case.policy.trading.max_quote_age_seconds
    if quoted is None:
        return deny(f"It is not known how old the quote is. {LATER}")
    if case.market.undated and case.market.trading_now is not True:
        return deny(_closed(case.market))
    age = (case.now - utc(quoted)).total_seconds()
    if age < -most:
        return deny("The quote is from the future: a clock is wrong. Ask whoever runs omnibot.")
    if age > most:
        return deny(f"The quote is {age:.0f} s old, and may be {most} s at most. {LATER}")
    return allow(f"The quote is {max(age, 0.0):.0f} s old.")


def _closed(market: MarketFacts) -> str:
    undated = "Clear Street does not say how old this quote is, so that it counts only while the order can trade"
    if market.trading_now is None:
        return f"{undated}, and it is not known whether the market is open. Try again in a minute."
    when = LATER if market.opens is None else f"Come back when regular trading begins: {market.opens}."
    return f"{undated}, and now it cannot. {when}"


def price(case: RuleContext) -> RuleResult:
    order, collar = case.order, case.limits.price_collar
    if not money.has_prices(order):
        return deny("A price that this type of order needs is missing. Edit the order.")
    if collar is None:
        return allow("No price collar is set.")
    distance = _distance(order, case.market)
    if distance is None:
        return deny(f"The price cannot be compared with the market: there is no quote. {LATER}")
    said, allowed = f"The price is {money.percent(distance)} worse than the market", money.percent(collar)
    if distance > collar:
        return deny(f"{said}, and may be {allowed} at most. Edit the order.")
    return allow(f"{said}, at most {allowed}.")


def _distance(order: OrderFacts, market: MarketFacts) -> Decimal | None:
    """Basis points by which a trade could be worse than the middle of the market, or than the stop once it is hit."""
    quote = money.quote_of(market)
    if quote is None:
        return None
    bid, ask = quote
    middle = (bid + ask) / 2
    limit, stop = money.positive(order.limit_price), money.positive(order.stop_price)
    buys = order.side is Side.BUY
    match order.order_type:
        case OrderType.LIMIT:
            price = limit
        case OrderType.STOP_LIMIT:
            price = limit
            middle = middle if stop is None else max(middle, stop) if buys else min(middle, stop)
        case OrderType.TRAILING_STOP_LIMIT:
            # The limit stands this far from wherever the stop will be.
            offset = abs(money.known(order.limit_offset) or Decimal(0))
            price = middle + offset if buys else middle - offset
        case _:
            price = ask if buys else bid
    if price is None:
        return None
    worse = price - middle if buys else middle - price
    return max(worse, Decimal(0)) / middle * money.WHOLE


def short_sale(case: RuleContext) -> RuleResult:
    order = case.order
    if order.side is Side.BUY:
        return allow("A buy is no short sale.")
    if case.limits.short_sales:
        return allow("Short sales are allowed.")
    if order.side is not Side.SELL:
        return deny("This is a short sale, and those are not allowed.")
    quantity, sellable = money.positive(order.quantity), money.known(case.market.sellable)
    if quantity is None or sellable is None or case.sold_before is None:
        return deny(
            "It is not known how much of this is held, so that it might be a short sale. Try again in a minute."
        )
    left = max(sellable - case.sold_before, Decimal(0))
    if quantity > left:
        return deny(f"Only {plain(left)} of this can be sold without a short sale, and those are not allowed.")
    return allow(f"{plain(left)} of this can be sold without a short sale.")


# -- how much ---------------------------------------------------------------------------------------------------------


def order_notional(case: RuleContext) -> RuleResult:
    return within(
        money.notional_of(case.order, case.market), case.limits.max_order_notional, "The order is worth {}", dollars
    )


def day_notional(case: RuleContext) -> RuleResult:
    used = _used(case.day.notional_used)
    return _within_day(case, money.total((used, case.all_notional)), case.limits.max_day_notional, dollars)


def day_quantity(case: RuleContext) -> RuleResult:
    used = _used(case.day.quantity_used)
    return _within_day(case, money.total((used, case.all_shares)), case.limits.max_day_quantity, shares)


def _used(amount: Decimal | None) -> Decimal | None:
    amount = money.known(amount)
    return amount if amount is not None and amount >= 0 else None


def _within_day(
    case: RuleContext, amount: Decimal | None, cap: Decimal | None, say: Callable[[Decimal], str]
) -> RuleResult:
    if cap is not None and not case.day.session_known:
        return deny(NO_SESSION)
    what = "this order" if case.together == 1 else f"these {case.together} orders together"
    return within(amount, cap, f"With {what} the owner's day comes to {{}}", say)


def four_eyes(case: RuleContext) -> RuleResult:
    threshold, worth = case.limits.four_eyes_above, case.all_notional
    if threshold is None:
        return allow("No second approval is asked for.")
    if worth is not None and worth <= threshold:
        return allow(f"No second approval is needed up to {dollars(threshold)}.")
    if _approved_by_two(case):
        return allow("A second person has approved.")
    said = "The order's worth is not known" if worth is None else f"This is worth {dollars(worth)}"
    return deny(
        f"{said}: above {dollars(threshold)} two people approve, one of them an approver who neither owns nor "
        "edited the order.",
        user_ids(case.policy.trading.approvers),
    )


def _approved_by_two(case: RuleContext) -> bool:
    order, trade = case.order, case.policy.trading
    valid = [who for who in order.approved_by if roles.may_approve(case.policy, who, order.owner)]
    # By user ids alone: whoever is named with another workspace is no second person.
    involved = {one.user for one in (order.owner, *order.edited_by)}
    second = any(trade.is_approver(who) and who.user not in involved for who in valid)
    return second and len({who.user for who in valid}) >= 2
