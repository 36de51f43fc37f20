"""What people read of the rules, word by word: a sentence that is cut, doubled or empty is a bug they see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from omnibot.clearstreet.models.enums import OrderType, Side, TimeInForce
from omnibot.policy import access
from omnibot.policy.model import Policy
from omnibot.policy.rule_context import YOURSELF, allow, cases, deny, listed, shares, spoken, utc, within
from tests.policy.examples import NOW, day, market, order

D = Decimal


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "NOT_A_MEMBER",
            "Omni is here for full members of this workspace only. Ask a colleague in the workspace to ask for you.",
        ),
        (
            "NOT_NAMED",
            "Omni is here for named people of this workspace only, and you are not among them. Ask whoever runs "
            "omnibot to add you.",
        ),
        ("NOT_HERE", "Omni is not to be asked in this channel. Write to me directly instead."),
        (
            "NO_KEY",
            "The shared Clear Street key is not for you. Link your own with `/omni link`, or ask whoever runs omnibot "
            "to let you use the shared one.",
        ),
        (
            "NO_SIGNERS",
            "Nobody may sign agreements for the shared Clear Street key. Link your own key with `/omni link`, or ask "
            "whoever runs omnibot to name consent_signers in its policy.",
        ),
        (
            "NOT_A_SIGNER",
            "Agreements for the shared Clear Street key are signed and revoked by named people only. Ask one of them.",
        ),
    ],
)
def test_a_refusal_says_exactly_this(name: str, sentence: str):
    assert getattr(access, name) == sentence


def test_a_number_of_shares_is_one_share_or_several_shares():
    assert [shares(amount) for amount in (D(1), D(2), D("0.5"), D(1_000))] == [
        "1 share",
        "2 shares",
        "0.5 shares",
        "1,000 shares",
    ]


def test_words_of_the_api_are_words_in_a_sentence_and_at_its_beginning():
    assert spoken(OrderType.TRAILING_STOP_LIMIT) == "Trailing stop limit"
    assert listed([OrderType.TRAILING_STOP_LIMIT, TimeInForce.DAY]) == "trailing stop limit, day"
    assert YOURSELF == "Place the order in Clear Street yourself."


def test_a_rule_passes_or_stops_and_never_something_in_between():
    assert (allow("Fine.").passed, deny("Not fine.").passed) == (True, False)
    assert allow("Fine.").ask == deny("Not fine.").ask == ()


def test_without_a_cap_a_rule_says_that_there_is_none():
    said = within(D(5), None, "It is {}", str)
    assert (said.passed, said.reason) == (True, "No limit is set.")


def test_a_moment_of_another_zone_stays_that_moment():
    there = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert utc(there) == datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    assert utc(datetime(2026, 3, 2, 14, 30)) == datetime(2026, 3, 2, 14, 30, tzinfo=UTC)  # noqa: DTZ001  # so tables keep it


def test_orders_that_go_together_are_counted_together():
    found = cases(Policy(), [(order(), market()), (order(), market())], day(), NOW)
    assert [case.together for case in found] == [2, 2]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("AAPL  261218C00200000", "aapl261218c00200000", True),
        ("AAPL  261218C00200000", "AAPL  261218P00200000", False),
        (None, "", True),
        (None, "XXXX", False),
    ],
)
def test_sales_of_the_same_contract_add_up_however_it_is_spelt(one: str | None, other: str | None, same: bool):
    sale = replace(order(), side=Side.SELL, quantity=D(3))
    first, second = replace(sale, contract=one), replace(sale, contract=other)
    found = cases(Policy(), [(first, market()), (second, market())], day(), NOW)
    assert found[1].sold_before == (D(3) if same else D(0))
