"""What each rule about prices and amounts says, word by word, and the amounts in it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from omnibot.clearstreet.models.enums import OrderType, Side
from omnibot.policy.facts import Instrument
from omnibot.policy.order_rules import Rule, check_orders
from tests.policy.examples import ANA, BEN, DESK_TRADES, NOW, day, judge, limits, market, order, policy

D = Decimal
LATER = "Try again while the market is open."


def reason(rule: Rule, **asked: Any) -> str:
    [verdict] = [one for one in judge(**asked) if one.rule is rule]
    return verdict.reason


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bid": None}, f"There is no quote with bid and offer to check the order against. {LATER}"),
        ({"quoted_at": None}, f"It is not known how old the quote is. {LATER}"),
        (
            {"quoted_at": NOW + timedelta(seconds=16)},
            "The quote is from the future: a clock is wrong. Ask whoever runs omnibot.",
        ),
        ({"quoted_at": NOW - timedelta(seconds=16)}, f"The quote is 16 s old, and may be 15 s at most. {LATER}"),
        ({"quoted_at": NOW}, "The quote is 0 s old."),
        ({"quoted_at": NOW + timedelta(seconds=3)}, "The quote is 0 s old."),
    ],
)
def test_of_the_quote(changes: dict[str, Any], said: str):
    assert reason(Rule.QUOTE, at=market(**changes)) == said


def test_of_a_price_that_is_missing():
    said = "A price that this type of order needs is missing. Edit the order."
    assert reason(Rule.PRICE, of=order(limit_price=None)) == said


@pytest.mark.parametrize(
    ("rule", "more", "changes", "said"),
    [
        (Rule.SYMBOL, {"deny_symbols": '["AAPL"]'}, {}, "AAPL may not be traded here."),
        (Rule.INSTRUMENT, {}, {}, "Shares may be traded."),
        (
            Rule.INSTRUMENT,
            {"options": "true"},
            {"instrument": Instrument.OPTION, "contract": "AAPL  251219C00190000", "multiplier": D(100)},
            "Options may be traded.",
        ),
        (
            Rule.SESSION,
            {"sessions": '["regular"]'},
            {"extended_hours": True},
            "Orders for extended hours may not be sent. Edit the order.",
        ),
        (
            Rule.SESSION,
            {"sessions": '["regular"]'},
            {"extended_hours": False},
            "Orders for regular trading hours may be sent.",
        ),
    ],
)
def test_of_what_may_be_traded_and_when(rule: Rule, more: dict[str, Any], changes: dict[str, Any], said: str):
    assert reason(rule, text=limits(**more), of=order(**changes)) == said


@pytest.mark.parametrize(
    ("side", "said"),
    # A buy meets the offer and a sale the bid, each 4 from the middle at 79.
    [(Side.BUY, "5.0633 %"), (Side.SELL, "5.0633 %")],
)
def test_an_order_at_the_market_is_weighed_at_its_own_side_of_the_quote(side: Side, said: str):
    wide = market(bid=D(75), ask=D(83))
    at_market = order(side=side, order_type=OrderType.MARKET, limit_price=None)
    assert reason(Rule.PRICE, of=at_market, at=wide).startswith(f"The price is {said} worse than the market")


@pytest.mark.parametrize(
    ("more", "held", "said"),
    [
        (limits(short_sales="true"), D(0), "Short sales are allowed."),
        (DESK_TRADES, D(99), "Only 99 of this can be sold"),
        (DESK_TRADES, D(150), "150 of this can be sold without a short sale."),
        (
            DESK_TRADES,
            None,
            "It is not known how much of this is held, so that it might be a short sale. Try again in a minute.",
        ),
    ],
)
def test_of_a_sale(more: str, held: Decimal | None, said: str):
    assert reason(Rule.SHORT_SALE, text=more, of=order(side=Side.SELL), at=market(sellable=held)).startswith(said)


def test_of_a_sale_that_is_said_to_be_short():
    said = "This is a short sale, and those are not allowed."
    assert reason(Rule.SHORT_SALE, of=order(side=Side.SELL_SHORT)) == said


def test_of_the_day_it_says_whether_one_order_or_several_come_to_it():
    assert reason(Rule.DAY_QUANTITY) == "With this order the owner's day comes to 300 shares, at most 1,500 shares."
    pair = [(order(), market()), (order(), market())]
    for verdicts in check_orders(policy(DESK_TRADES), pair, day(), NOW):
        [said] = [one.reason for one in verdicts if one.rule is Rule.DAY_QUANTITY]
        assert said == "With these 2 orders together the owner's day comes to 400 shares, at most 1,500 shares."


@pytest.mark.parametrize(
    ("threshold", "changes", "said"),
    [
        (None, {}, "No second approval is asked for."),
        ('"25000"', {}, "No second approval is needed up to $25,000.00."),
        ('"1000"', {"approved_by": (ANA, BEN)}, "A second person has approved."),
        ('"1000"', {}, "This is worth $18,750.00: above $1,000.00 two people approve"),
        ('"1000"', {"quantity": None}, "The order's worth is not known: above $1,000.00 two people approve"),
    ],
)
def test_of_the_second_pair_of_eyes(threshold: str | None, changes: dict[str, Any], said: str):
    text = limits(**{} if threshold is None else {"four_eyes_above": threshold})
    if threshold is None:
        text = "\n".join(line for line in DESK_TRADES.splitlines() if "four_eyes_above" not in line)
    assert reason(Rule.FOUR_EYES, text=text, of=order(**changes)).startswith(said)
