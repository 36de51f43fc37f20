"""Who may trade, approve and halt: tables."""

from dataclasses import replace

import pytest

from omnibot.policy import access, roles
from omnibot.policy.identities import Authority, Own, PersonKind, Shared, Who
from omnibot.policy.model import Policy
from omnibot.policy.roles import may_approve, may_halt, may_trade
from tests.policy.examples import ANA, BEN, CLEO, DAN, DESK_TRADES, EVE, EVERYBODY, HOME, ROBOT, policy

ANAS = Own(HOME, "U0ANA")


def test_without_a_file_nobody_trades_approves_or_halts():
    for who in EVERYBODY:
        for authority in (Own(who.org, who.user), Shared()):
            assert not may_trade(Policy(), who, authority)
        assert not may_halt(Policy(), who)
        assert not any(may_approve(Policy(), who, owner) for owner in EVERYBODY)
    assert may_trade(Policy(), ANA, ANAS).reason == roles.NOBODY_TRADES


@pytest.mark.parametrize(
    ("more", "who", "authority", "refusal"),
    [
        ("", ANA, ANAS, ""),
        ("", BEN, ANAS, roles.NOT_YOUR_LINK),
        ("", ANA, Shared(), roles.NO_SHARED_ORDERS),
        ("with_shared_key = true", ANA, Shared(), ""),
        ("", EVE, Own(HOME, "U0EVE"), roles.NOT_A_TRADER),
        ("", CLEO, Own(HOME, "U0CLEO"), access.NOT_A_MEMBER),
        ("", DAN, Own(DAN.org, "U0DAN"), access.NOT_A_MEMBER),
        ("", ROBOT, Shared(), access.NOBODY_KNOWN),
        ('[access]\nguests = ["U0ANA"]', replace(ANA, kind=PersonKind.GUEST), ANAS, roles.ONLY_MEMBERS_TRADE),
        ('[access]\nrefused = ["U0ANA"]', ANA, ANAS, access.REFUSED),
        ('[access]\npeople = ["U0BEN"]', ANA, ANAS, access.NOT_NAMED),
    ],
)
def test_who_trades(more: str, who: Who, authority: Authority, refusal: str):
    verdict = may_trade(policy(f"{DESK_TRADES}{more}"), who, authority)
    assert verdict.allowed is (refusal == "")
    assert verdict.reason == refusal


@pytest.mark.parametrize(
    ("who", "owner", "refusal"),
    [
        (ANA, ANA, ""),
        (ANA, BEN, roles.NOT_AN_APPROVER),
        (BEN, ANA, ""),  # trader and approver
        (EVE, ANA, ""),  # approver only
        (EVE, EVE, ""),
        (CLEO, ANA, access.NOT_A_MEMBER),
        (DAN, ANA, access.NOT_A_MEMBER),
        (ROBOT, ANA, access.NOBODY_KNOWN),
        (Who("T0OTHER", "U0ANA", PersonKind.MEMBER, frozenset({"T0OTHER"})), ANA, roles.NOT_AN_APPROVER),
    ],
)
def test_who_approves_whose_tickets(who: Who, owner: Who, refusal: str):
    verdict = may_approve(policy(DESK_TRADES), who, owner)
    assert verdict.allowed is (refusal == "")
    assert verdict.reason == refusal


def test_who_may_not_approve_is_told_who_may():
    assert may_approve(policy(DESK_TRADES), ANA, BEN).ask == ("U0BEN", "U0EVE")


def test_the_owner_of_a_ticket_who_no_longer_trades_cannot_approve_it():
    no_trader = replace(ANA, user="U0FAY")
    assert may_approve(policy(DESK_TRADES), no_trader, no_trader).reason == roles.NOT_A_TRADER


@pytest.mark.parametrize(
    ("more", "who", "refusal"),
    [
        ("", EVE, ""),
        ('[access]\npeople = ["U0ANA"]', EVE, ""),  # who stops trading need not be one of those who ask
        ('[access]\nrefused = ["U0EVE"]', EVE, access.REFUSED),
        ("", replace(EVE, kind=PersonKind.GUEST), roles.ONLY_MEMBERS_TRADE),
        ("", ANA, roles.NOT_A_HALTER),
    ],
)
def test_who_halts(more: str, who: Who, refusal: str):
    verdict = may_halt(policy(f"{DESK_TRADES}{more}"), who)
    assert verdict.allowed is (refusal == "")
    assert verdict.reason == refusal


def test_who_may_not_halt_is_told_who_may_and_where_nobody_may_that_nobody_may():
    assert may_halt(policy(DESK_TRADES), ANA).ask == ("U0EVE",)
    nobody = may_halt(policy(""), ANA)
    assert (nobody.allowed, nobody.reason, nobody.ask) == (False, roles.NO_HALTERS, ())


def test_where_nobody_trades_an_owner_is_told_so():
    assert may_approve(policy(""), ANA, ANA).reason == roles.NOBODY_TRADES
