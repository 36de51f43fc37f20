"""Amounts at the edge of what is reckoned with, and prices of the types that are rare."""

from decimal import Decimal
from typing import Any

import pytest

from omnibot.clearstreet.models.enums import OrderType, Side, TrailingOffsetType
from omnibot.policy.money import known, percent, plain, worst_price
from omnibot.policy.order_rules import Rule
from tests.policy.examples import judge, market, order

D = Decimal
TRAILING: dict[str, Any] = {
    "order_type": OrderType.TRAILING_STOP_LIMIT,
    "limit_price": None,
    "trailing_offset": D(100),
    "trailing_offset_type": TrailingOffsetType.BPS,
    "limit_offset": D(0),
}


@pytest.mark.parametrize(("amount", "there"), [("1E59", True), ("1E60", False), ("1E-60", True), ("1E-61", False)])
def test_an_amount_with_more_digits_than_any_market_has_is_not_known(amount: str, there: bool):
    assert known(D(amount)) == (D(amount) if there else None)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("1" * 30, ",".join(["111"] * 10)),
        ("1" * 31, "1.111E+30"),
        ("1E30", "1" + ",000" * 10),
        ("1E31", "1.000E+31"),
        ("100", "100"),
        ("1.50", "1.5"),
    ],
)
def test_an_amount_is_written_out_as_long_as_people_can_read_it(amount: str, written: str):
    assert plain(D(amount)) == written


def test_any_amount_of_basis_points_can_be_said():
    assert percent(D("1E40")) == "1.000E+38 %"


def test_a_sale_whose_limit_and_stop_are_below_the_market_is_worth_what_the_market_gives():
    low = order(side=Side.SELL, order_type=OrderType.STOP_LIMIT, limit_price=D(90), stop_price=D(91))
    assert worst_price(low, market(bid=D(100), ask=D(101))) == D(100)


@pytest.mark.parametrize(("offset", "price"), [(D(0), D(202)), (D(3), D(205)), (D(-3), D(205))])
def test_a_trailing_limit_costs_the_offer_with_both_distances(offset: Decimal, price: Decimal):
    trailing = order(**{**TRAILING, "limit_offset": offset})
    assert worst_price(trailing, market(bid=D(199), ask=D(200))) == price


def test_a_trailing_limit_at_the_stop_itself_is_no_worse_than_the_market():
    [said] = [one for one in judge(of=order(**TRAILING)) if one.rule is Rule.PRICE]
    assert said.reason.startswith("The price is 0 % worse than the market")
