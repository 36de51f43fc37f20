"""Quotes, the collar, short sales, caps and the second pair of eyes: tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from omnibot.clearstreet.models.enums import OrderType, Side, TrailingOffsetType, UnknownValue
from omnibot.policy.facts import UNSEEN
from omnibot.policy.identities import Own, PersonKind, Who
from omnibot.policy.order_rules import Decision, Rule, decide
from tests.policy.examples import ANA, BEN, CLEO, EVE, HOME, NOW, day, failed, judge, limits, market, order

D = Decimal


# The quote.


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"bid": None}, False),
        ({"ask": None}, False),
        ({"bid": D(0)}, False),
        ({"bid": D(188)}, False),  # above the offer
        ({"bid": D("187.60")}, True),
        ({"quoted_at": None}, False),
        ({"quoted_at": NOW - timedelta(seconds=15)}, True),
        ({"quoted_at": NOW - timedelta(seconds=15, microseconds=1)}, False),
        ({"quoted_at": NOW + timedelta(seconds=15)}, True),  # clocks differ
        ({"quoted_at": NOW + timedelta(seconds=16)}, False),
        ({"quoted_at": NOW.replace(tzinfo=None)}, True),  # the tables keep UTC without zone
        ({"quoted_at": datetime.min.replace(tzinfo=UTC)}, False),
        ({"undated": True, "trading_now": True}, True),
        ({"undated": True, "trading_now": False}, False),
        ({"undated": True, "trading_now": None}, False),
        ({"undated": False, "trading_now": False}, True),  # it says itself how old it is
    ],
    ids=str,
)
def test_a_quote_is_there_makes_sense_and_is_fresh(changes: dict[str, Any], passes: bool):
    verdicts = judge(at=market(**changes))
    assert (Rule.QUOTE not in failed(verdicts)) is passes
    assert (decide(verdicts) is Decision.GO) is passes


def test_an_order_at_a_market_nobody_saw_is_denied():
    assert failed(judge(at=UNSEEN)) >= {Rule.QUOTE, Rule.PRICE, Rule.ORDER_NOTIONAL}


# The collar: the middle of the market is 187.50, so 5 % are 9.375.


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({"limit_price": D("196.875")}, True),
        ({"limit_price": D("196.876")}, False),
        ({"limit_price": D("18.75")}, True),  # waits far below the market
        ({"side": Side.SELL, "limit_price": D("178.125")}, True),
        ({"side": Side.SELL, "limit_price": D("178.124")}, False),
        ({"side": Side.SELL, "limit_price": D(250)}, True),
        ({"order_type": OrderType.MARKET, "limit_price": None}, True),
        ({"order_type": OrderType.STOP, "limit_price": None, "stop_price": D(195)}, True),
        ({"order_type": OrderType.STOP, "limit_price": None}, False),
        # A stop-limit is compared with the market there will be once the stop is hit.
        ({"order_type": OrderType.STOP_LIMIT, "limit_price": D(210), "stop_price": D(200)}, True),
        ({"order_type": OrderType.STOP_LIMIT, "limit_price": D(211), "stop_price": D(200)}, False),
        ({"order_type": OrderType.STOP_LIMIT, "limit_price": D(197), "stop_price": D(150)}, False),
        ({"order_type": OrderType.STOP_LIMIT, "limit_price": D(196), "stop_price": D(150)}, True),
        ({"order_type": OrderType.STOP_LIMIT, "side": Side.SELL, "limit_price": D(179), "stop_price": D(250)}, True),
        ({"order_type": OrderType.STOP_LIMIT, "side": Side.SELL, "limit_price": D(171), "stop_price": D(180)}, True),
        ({"order_type": OrderType.STOP_LIMIT, "side": Side.SELL, "limit_price": D(170), "stop_price": D(180)}, False),
        ({"order_type": OrderType.STOP_LIMIT, "stop_price": None}, False),
    ],
    ids=str,
)
def test_no_order_trades_further_from_the_market_than_the_collar(changes: dict[str, Any], passes: bool):
    assert (Rule.PRICE not in failed(judge(of=order(**changes)))) is passes


TRAILING: dict[str, Any] = {"order_type": OrderType.TRAILING_STOP, "limit_price": None, "trailing_offset": D(2)}


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({**TRAILING, "trailing_offset_type": TrailingOffsetType.PRICE}, True),
        ({**TRAILING, "trailing_offset_type": TrailingOffsetType.BPS}, True),
        ({**TRAILING, "trailing_offset_type": None}, False),
        ({**TRAILING, "trailing_offset_type": UnknownValue("TICKS")}, False),
        ({**TRAILING, "trailing_offset_type": TrailingOffsetType.PRICE, "trailing_offset": None}, False),
    ],
    ids=str,
)
def test_a_trailing_stop_needs_its_offset_and_the_offsets_unit(changes: dict[str, Any], passes: bool):
    assert (Rule.PRICE not in failed(judge(of=order(**changes)))) is passes


@pytest.mark.parametrize(("offset", "passes"), [(D(9), True), (D(-9), True), (D(10), False), (D(-10), False)])
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_the_limit_of_a_trailing_stop_limit_stays_within_the_collar_of_its_stop(
    side: Side, offset: Decimal, passes: bool
):
    trailing = {
        **TRAILING,
        "order_type": OrderType.TRAILING_STOP_LIMIT,
        "trailing_offset_type": TrailingOffsetType.PRICE,
        "limit_offset": offset,
        "side": side,
    }
    assert (Rule.PRICE not in failed(judge(of=order(**trailing)))) is passes
    assert Rule.PRICE in failed(judge(of=order(**{**trailing, "limit_offset": None})))


def test_a_market_order_is_denied_when_the_quote_is_too_wide():
    wide = market(bid=D(150), ask=D(225))
    assert Rule.PRICE in failed(judge(of=order(order_type=OrderType.MARKET, limit_price=None), at=wide))


def test_a_collar_may_be_in_basis_points_or_absent():
    above = order(limit_price=D("188.50"))
    assert Rule.PRICE in failed(judge(limits(price_collar='"50bps"'), of=above))
    assert Rule.PRICE not in failed(judge(limits(price_collar='"60bps"'), of=above))
    assert Rule.PRICE not in failed(judge(limits(price_collar='"none"'), of=order(limit_price=D(400))))


# Short sales.


@pytest.mark.parametrize(
    ("side", "quantity", "sellable", "passes"),
    [
        (Side.SELL, D(100), D(150), True),
        (Side.SELL, D(150), D(150), True),
        (Side.SELL, D("150.001"), D(150), False),
        (Side.SELL, D(1), D(0), False),
        (Side.SELL, D(1), D(-100), False),
        (Side.SELL, D(1), None, False),
        (Side.SELL, D(1), D("NaN"), False),
        (Side.SELL_SHORT, D(1), D(150), False),
        (Side.BUY, D(1), None, True),
    ],
)
def test_selling_more_than_is_held_is_a_short_sale(side: Side, quantity: Decimal, sellable: Any, passes: bool):
    selling, held = order(side=side, quantity=quantity), market(sellable=sellable)
    assert (Rule.SHORT_SALE not in failed(judge(of=selling, at=held))) is passes
    assert Rule.SHORT_SALE not in failed(judge(limits(short_sales="true"), of=selling, at=held))


# Caps.


@pytest.mark.parametrize(
    ("changes", "worth"),
    [
        ({"limit_price": D(180)}, D(18_000)),
        ({"side": Side.SELL, "limit_price": D(180)}, D(18_740)),  # it will trade at the bid
        ({"side": Side.SELL, "limit_price": D(190)}, D(19_000)),
        ({"order_type": OrderType.MARKET, "limit_price": None}, D(18_760)),
        ({"order_type": OrderType.MARKET, "limit_price": None, "side": Side.SELL}, D(18_740)),
        ({"order_type": OrderType.STOP, "limit_price": None, "stop_price": D(195)}, D(19_500)),
        ({"order_type": OrderType.STOP, "limit_price": None, "stop_price": D(100)}, D(18_760)),
        ({"order_type": OrderType.STOP, "limit_price": None, "stop_price": D(100), "side": Side.SELL}, D(18_740)),
        ({"order_type": OrderType.STOP, "limit_price": None, "stop_price": D(200), "side": Side.SELL}, D(20_000)),
        ({"order_type": OrderType.STOP_LIMIT, "limit_price": D(196), "stop_price": D(195)}, D(19_600)),
        ({**TRAILING, "trailing_offset_type": TrailingOffsetType.PRICE}, D(18_960)),
        ({**TRAILING, "trailing_offset_type": TrailingOffsetType.BPS, "trailing_offset": D(100)}, D("18947.6")),
        (
            {
                **TRAILING,
                "trailing_offset_type": TrailingOffsetType.PRICE,
                "order_type": OrderType.TRAILING_STOP_LIMIT,
                "limit_offset": D(1),
            },
            D(19_060),
        ),
    ],
    ids=str,
)
def test_what_an_order_is_worth_at_most_and_that_the_cap_is_that_exactly(changes: dict[str, Any], worth: Decimal):
    proposed = order(**changes)
    assert Rule.ORDER_NOTIONAL not in failed(judge(limits(max_order_notional=f'"{worth}"'), of=proposed))
    just_less = f'"{worth - D("0.00000001")}"'
    assert Rule.ORDER_NOTIONAL in failed(judge(limits(max_order_notional=just_less), of=proposed))


@pytest.mark.parametrize(
    ("used", "passes"),
    [(D(0), True), (D(81_250), True), (D("81250.01"), False), (None, False), (D(-1), False), (D("NaN"), False)],
)
def test_a_day_holds_no_more_than_its_cap(used: Decimal | None, passes: bool):
    assert (Rule.DAY_NOTIONAL not in failed(judge(on=day(notional_used=used)))) is passes


@pytest.mark.parametrize(("used", "passes"), [(D(1400), True), (D("1400.5"), False), (None, False), (D(-1), False)])
def test_a_day_holds_no_more_shares_than_its_cap(used: Decimal | None, passes: bool):
    assert (Rule.DAY_QUANTITY not in failed(judge(on=day(quantity_used=used)))) is passes


def test_amounts_are_summed_and_multiplied_without_rounding():
    tiny = order(quantity=D("100." + "0" * 38 + "1"), limit_price=D(250), order_type=OrderType.LIMIT)
    verdicts = judge(limits(max_order_notional='"25000"', price_collar='"none"', four_eyes_above='"25000"'), of=tiny)
    assert {Rule.ORDER_NOTIONAL, Rule.FOUR_EYES} <= failed(verdicts)


def test_unlimited_needs_no_knowledge():
    text = limits(
        max_order_notional='"unlimited"',
        max_day_notional='"unlimited"',
        max_day_quantity='"unlimited"',
        four_eyes_above='"never"',
    )
    assert failed(judge(text, on=day(notional_used=None, quantity_used=None))) == set()


@pytest.mark.parametrize(("cap", "rule"), [("notional", Rule.DAY_NOTIONAL), ("quantity", Rule.DAY_QUANTITY)])
def test_a_cap_of_the_day_needs_to_know_the_session(cap: str, rule: Rule):
    free = {"max_day_notional": '"unlimited"', "max_day_quantity": '"unlimited"'}
    unknown = day(session_known=False)
    assert failed(judge(limits(**free), on=unknown)) == set()
    del free[f"max_day_{cap}"]
    assert failed(judge(limits(**free), on=unknown)) == {rule}


def test_an_order_worth_the_threshold_itself_needs_no_second_approval():
    assert failed(judge(limits(four_eyes_above='"18750"'))) == set()
    assert failed(judge(limits(four_eyes_above='"18749.99"'))) == {Rule.FOUR_EYES}


# Four eyes: 200 × 187.50 is 37,500, above 25,000.

LARGE = {"quantity": D(200)}


@pytest.mark.parametrize(
    ("approved_by", "edited_by", "passes"),
    [
        ((), (), False),
        ((ANA,), (), False),
        ((ANA, ANA), (), False),
        ((BEN,), (), False),
        ((ANA, BEN), (), True),
        ((BEN, ANA), (), True),
        ((BEN, EVE), (), True),
        ((ANA, BEN), (BEN,), False),
        ((ANA, BEN, EVE), (BEN,), True),
        ((ANA, CLEO), (), False),
        ((ANA, replace(BEN, kind=PersonKind.GUEST)), (), False),  # no longer a full member
        ((ANA, Who("T0OTHER", "U0FAY", PersonKind.MEMBER, frozenset({"T0OTHER"}))), (), False),
        # One person, whichever workspace a click names.
        ((BEN, replace(BEN, org="T0OTHER")), (), False),
        ((ANA, BEN), (replace(BEN, org="T0OTHER"),), False),
    ],
    ids=str,
)
def test_a_large_order_needs_a_second_person(approved_by: tuple[Who, ...], edited_by: tuple[Who, ...], passes: bool):
    verdicts = judge(of=order(**LARGE, approved_by=approved_by, edited_by=edited_by))
    assert failed(verdicts) == (set() if passes else {Rule.FOUR_EYES})
    assert decide(verdicts) is (Decision.GO if passes else Decision.SECOND_APPROVAL)


def test_an_approver_does_not_second_an_order_of_their_own():
    bens = order(**LARGE, owner=BEN, authority=Own(HOME, "U0BEN"))
    assert decide(judge(of=replace(bens, approved_by=(BEN, ANA)))) is Decision.SECOND_APPROVAL
    assert decide(judge(of=replace(bens, approved_by=(replace(BEN, org="T0OTHER"), ANA)))) is Decision.SECOND_APPROVAL
    assert decide(judge(of=replace(bens, approved_by=(BEN, EVE)))) is Decision.GO


def test_the_second_person_cannot_help_an_order_that_another_rule_denies():
    verdicts = judge(of=order(**LARGE, account_id=7))
    assert failed(verdicts) == {Rule.ACCOUNT, Rule.FOUR_EYES}
    assert decide(verdicts) is Decision.DENY


def test_who_can_give_the_second_approval_is_named():
    verdict = judge(of=order(**LARGE))[-1]
    assert verdict.rule is Rule.FOUR_EYES
    assert verdict.ask == ("U0BEN", "U0EVE")
