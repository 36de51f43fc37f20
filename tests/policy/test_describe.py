"""A policy in sentences."""

from omnibot.policy.describe import summary
from omnibot.policy.model import Policy
from tests.policy.examples import DESK_TRADES, policy


def test_without_a_file_it_says_that_members_ask_and_nobody_trades_or_signs():
    said = summary(Policy())
    for sentence in (
        "Full members of the workspace may ask.",
        "No guests may ask.",
        "No people of other companies may ask.",
        "For the shared key nobody may sign.",
        "Nobody may trade.",
    ):
        assert sentence in said


def test_traders_and_their_limits_are_said():
    said = summary(
        policy(DESK_TRADES + '[[trading.trader]]\nid = "U0BEN"\nmax_order_notional = "10.5"\noptions = true')
    )
    for sentence in (
        "These may trade: U0ANA, U0BEN.",
        "On the account 19816.",
        "An order is worth $50,000.00 at most.",
        "Never these symbols: CLST.",
        "Orders worth more than $25,000.00 need a second approval.",
        "All trading may be halted by U0EVE.",
    ):
        assert sentence in said
    bens = said.partition("Different for U0BEN:")[2]
    assert "An order is worth $10.50 at most." in bens
    assert "Options are allowed." in bens
    assert "Short sales" not in bens


def test_what_may_not_have_been_meant_is_remarked_upon():
    said = summary(
        policy(
            """
            [access]
            people = ["U0BEN"]
            guests = ["U0CLEO"]
            refused = ["U0EVE"]
            """
            + DESK_TRADES.replace('approvers = ["U0BEN", "U0EVE"]', 'approvers = ["U0BEN"]')
        )
    ).partition("Worth a second look")[2]
    assert "have no key to ask with" in said
    assert 'U0ANA has a part in this, and may not ask: "people" does not name them.' in said
    assert 'U0EVE has a part in this, and is among the "refused".' in said
    assert "U0BEN is the only approver" in said


def test_a_policy_without_such_things_has_no_remarks():
    assert "Worth a second look" not in summary(policy(DESK_TRADES))
    whole_team = policy('[access]\npeople = ["T0HOME"]\n' + DESK_TRADES)
    assert "Worth a second look" not in summary(whole_team)
