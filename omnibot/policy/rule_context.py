"""One order with everything its rules look at, and the type of their results. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from omnibot.clearstreet.models.enums import Side
from omnibot.policy import field_types, money, roles
from omnibot.policy.facts import DayFacts, MarketFacts, OrderAction, OrderFacts
from omnibot.policy.model import Limits, Policy
from omnibot.policy.money import plain

YOURSELF = "Place the order in Clear Street yourself."
LATER = "Try again while the market is open."


@dataclass(frozen=True, slots=True)
class RuleContext:
    """One order and all that its rules look at."""

    policy: Policy
    limits: Limits
    order: OrderFacts
    market: MarketFacts
    day: DayFacts
    now: datetime
    together: int
    """How many orders are approved together."""
    all_notional: Decimal | None
    """Of everything approved together; None when one of them is not known."""
    all_shares: Decimal | None
    sold_before: Decimal | None
    """What orders before this one, approved together with it, sell of the same."""


def cases(
    policy: Policy, orders: Sequence[tuple[OrderFacts, MarketFacts]], day: DayFacts, now: datetime
) -> list[RuleContext]:
    """Orders that are approved together, each with what all of them come to."""
    moving = [(order, market) for order, market in orders if order.act is not OrderAction.CANCEL]
    all_notional = money.total(money.notional_of(order, market) for order, market in moving)
    all_shares = money.total(money.shares_of(order) for order, _ in moving)
    if any(not roles.same(order.owner, orders[0][0].owner) for order, _ in orders):
        # Their days differ, and only one of them is known.
        all_notional = all_shares = None
    return [
        RuleContext(
            policy=policy,
            limits=policy.trading.limits_of(order.owner),
            order=order,
            market=market,
            day=day,
            now=utc(now),
            together=len(moving),
            all_notional=all_notional,
            all_shares=all_shares,
            sold_before=_sold([one for one, _ in orders[:index]], order),
        )
        for index, (order, market) in enumerate(orders)
    ]


def _sold(earlier: Sequence[OrderFacts], order: OrderFacts) -> Decimal | None:
    held = _holding(order)
    sales = [o for o in earlier if o.act is not OrderAction.CANCEL and o.side is not Side.BUY and _holding(o) == held]
    return money.total(money.positive(sale.quantity) for sale in sales)


def _holding(order: OrderFacts) -> tuple[int | None, str | None, str]:
    return order.account_id, ticker(order.symbol), "".join((order.contract or "").upper().split())


def ticker(symbol: str | None) -> str | None:
    """A symbol as the policy writes it, so that no spelling slips past a list; None for what is no ticker."""
    written = re.sub(r"[ /-]", ".", (symbol or "").strip().upper())
    return written if field_types.SYMBOL.fullmatch(written) else None


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What a rule says about a case."""

    passed: bool
    reason: str
    ask: tuple[str, ...] = ()


def allow(reason: str) -> RuleResult:
    """The rule lets it pass."""
    return RuleResult(True, reason)


def deny(reason: str, ask: tuple[str, ...] = ()) -> RuleResult:
    """The rule stops it."""
    return RuleResult(False, reason, ask)


def within(amount: Decimal | None, cap: Decimal | None, sentence: str, say: Callable[[Decimal], str]) -> RuleResult:
    """Whether an amount keeps to a cap. `sentence` has one place for the amount, `say` writes amounts."""
    if cap is None:
        return allow("No limit is set.")
    if amount is None:
        return deny(f"It is not known whether the order keeps within the limit of {say(cap)}. Try again in a minute.")
    said = sentence.format(say(amount))
    if amount > cap:
        return deny(f"{said}, and may be {say(cap)} at most. Edit the order, or ask whoever runs omnibot.")
    return allow(f"{said}, at most {say(cap)}.")


def spoken(word: StrEnum) -> str:
    """A word of the API, to begin a sentence with."""
    return word.value.replace("_", " ").capitalize()


def listed(words: Sequence[StrEnum]) -> str:
    """Words of the API inside a sentence."""
    return ", ".join(word.value.replace("_", " ").lower() for word in words)


def shares(amount: Decimal) -> str:
    """A number of shares."""
    return f"{plain(amount)} {'share' if amount == 1 else 'shares'}"


def utc(moment: datetime) -> datetime:
    """An aware moment; without zone it is UTC."""
    return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment
