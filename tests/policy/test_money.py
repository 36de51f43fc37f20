"""Money is exact from the file to the verdict."""

import typing
from dataclasses import fields
from decimal import Decimal

import pytest

from omnibot.policy.facts import DayFacts, MarketFacts, OrderFacts
from omnibot.policy.model import Limits, Trading
from omnibot.policy.money import dollars, percent, plain, product, total


def types_in(annotation: object) -> set[object]:
    """The annotation and everything inside it."""
    found: set[object] = {annotation}
    for inner in typing.get_args(annotation):
        found |= types_in(inner)
    return found


def test_nothing_that_rules_are_told_or_limited_by_is_a_float():
    for kind in (OrderFacts, MarketFacts, DayFacts):
        hints = typing.get_type_hints(kind)
        assert hints.keys() == {field.name for field in fields(kind)}
        assert all(float not in types_in(hint) for hint in hints.values())
    for model in (Limits, Trading):
        assert all(float not in types_in(field.annotation) for field in model.model_fields.values())


def test_sums_and_products_are_exact_or_unknown():
    long = Decimal("1." + "0" * 59 + "1")
    assert product(long, long, long) == Decimal(
        "1.000000000000000000000000000000000000000000000000000000000003"
        "000000000000000000000000000000000000000000000000000000000003"
        "000000000000000000000000000000000000000000000000000000000001"
    )
    assert total((Decimal("1E+50"), Decimal("1E-50"))) != Decimal("1E+50")
    assert product(long, None) is None
    assert total((long, None)) is None
    assert total(()) == 0


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0", "$0.00"),
        ("1234567.5", "$1,234,567.50"),
        ("0.00000001", "$0.00000001"),
        ("100000.001", "$100,000.001"),
        ("1E+3", "$1,000.00"),
        ("1E+50", "$1.000E+50"),
    ],
)
def test_money_is_written_without_rounding_as_long_as_people_can_read_it(amount: str, written: str):
    assert dollars(Decimal(amount)) == written


def test_plain_numbers_carry_no_digits_that_say_nothing():
    assert plain(Decimal("100.00")) == "100"
    assert plain(Decimal("1000.50")) == "1,000.5"


def test_a_percentage_just_above_a_limit_does_not_read_like_the_limit():
    assert percent(Decimal(500)) == "5 %"
    assert percent(Decimal("500.000001")) == "5.0001 %"
