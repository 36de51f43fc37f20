"""The policy's result for a proposed order, rule by rule. Pure; what is unknown is denied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from omnibot.policy import eligibility, exposure
from omnibot.policy.facts import DayFacts, MarketFacts, OrderAction, OrderFacts
from omnibot.policy.model import Policy
from omnibot.policy.rule_context import RuleContext, RuleResult, allow, cases


class Rule(StrEnum):
    """The rules, in the order in which verdicts come."""

    TRADER = "trader"
    AUTHORITY = "authority"
    ACCOUNT = "account"
    HALT = "halt"
    UNDERSTOOD = "understood"
    SYMBOL = "symbol"
    INSTRUMENT = "instrument"
    ORDER_TYPE = "order_type"
    TIME_IN_FORCE = "time_in_force"
    SESSION = "session"
    QUANTITY = "quantity"
    QUOTE = "quote"
    PRICE = "price"
    SHORT_SALE = "short_sale"
    ORDER_NOTIONAL = "order_notional"
    DAY_NOTIONAL = "day_notional"
    DAY_QUANTITY = "day_quantity"
    FOUR_EYES = "four_eyes"


#: All that is asked about a cancel: who, with whose key, on which account.
ABOUT_CANCELS = frozenset({Rule.TRADER, Rule.AUTHORITY, Rule.ACCOUNT})


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What one rule says."""

    rule: Rule
    passed: bool
    reason: str
    """A sentence for a person, whichever way it went."""
    ask: tuple[str, ...] = ()
    """Slack user ids of those who can help."""


class Decision(StrEnum):
    """What the verdicts come to."""

    GO = "go"
    SECOND_APPROVAL = "second_approval"
    """Nothing speaks against the order, but somebody else has to approve it too."""
    DENY = "deny"


def decide(verdicts: Sequence[RuleVerdict]) -> Decision:
    """All must pass; only four eyes can be waited for. No verdicts at all are no permission."""
    failed = {verdict.rule for verdict in verdicts if not verdict.passed}
    if not verdicts or failed - {Rule.FOUR_EYES}:
        return Decision.DENY
    return Decision.SECOND_APPROVAL if failed else Decision.GO


def check_order(
    policy: Policy, order: OrderFacts, market: MarketFacts, day: DayFacts, now: datetime
) -> list[RuleVerdict]:
    """Every rule's verdict about one order, in the order of `Rule`."""
    return check_orders(policy, [(order, market)], day, now)[0]


def check_orders(
    policy: Policy, orders: Sequence[tuple[OrderFacts, MarketFacts]], day: DayFacts, now: datetime
) -> list[list[RuleVerdict]]:
    """Every rule's verdicts about orders of one owner that are approved together.

    Caps per order hold for each; caps per day, the four-eyes threshold and what may be sold hold for all of them
    together, so that no order becomes allowed by being cut in pieces.

    Args:
        now: aware, or UTC without zone; so is every moment in the facts.
    """
    return [[_verdict(case, rule) for rule in Rule] for case in cases(policy, orders, day, now)]


def _verdict(case: RuleContext, rule: Rule) -> RuleVerdict:
    if case.order.act is OrderAction.CANCEL and rule not in ABOUT_CANCELS:
        said = allow("Not asked about a cancel.")
    else:
        said = _RULES[rule](case)
    return RuleVerdict(rule, said.passed, said.reason, said.ask)


_RULES: Mapping[Rule, Callable[[RuleContext], RuleResult]] = {
    Rule.TRADER: eligibility.trader,
    Rule.AUTHORITY: eligibility.authority,
    Rule.ACCOUNT: eligibility.account,
    Rule.HALT: eligibility.halt,
    Rule.UNDERSTOOD: eligibility.understood,
    Rule.SYMBOL: eligibility.symbol,
    Rule.INSTRUMENT: eligibility.instrument,
    Rule.ORDER_TYPE: eligibility.order_type,
    Rule.TIME_IN_FORCE: eligibility.time_in_force,
    Rule.SESSION: eligibility.session,
    Rule.QUANTITY: eligibility.quantity,
    Rule.QUOTE: exposure.quote,
    Rule.PRICE: exposure.price,
    Rule.SHORT_SALE: exposure.short_sale,
    Rule.ORDER_NOTIONAL: exposure.order_notional,
    Rule.DAY_NOTIONAL: exposure.day_notional,
    Rule.DAY_QUANTITY: exposure.day_quantity,
    Rule.FOUR_EYES: exposure.four_eyes,
}
