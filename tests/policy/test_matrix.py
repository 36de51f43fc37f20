"""Sort of person × place × action, under a policy that names all of them: allowed, or the exact refusal."""

from collections.abc import Callable

import pytest

from omnibot.policy import access, roles
from omnibot.policy.access import NO_ACCOUNT_DATA, NO_DESK_CHANNEL, may_ask, may_link, may_see_account_data, may_sign
from omnibot.policy.identities import AccessResult, Own, Shared, Where, Who
from omnibot.policy.roles import may_approve, may_halt, may_trade
from tests.policy.examples import (
    ANA,
    CLEO,
    DAN,
    DESK,
    DIRECT,
    GROUP,
    PERHAPS_SHARED,
    PUBLIC,
    ROBOT,
    SHARED,
    policy,
)

ALL_NAMED = policy(
    """
    [access]
    guests = ["U0CLEO"]
    externals = ["U0DAN"]
    shared_key = ["U0ANA", "U0CLEO", "U0DAN", "U0ROBOT"]
    shared_channels = false
    [consent]
    consent_signers = ["U0ANA", "U0CLEO", "U0DAN", "U0ROBOT"]
    [trading]
    traders = ["U0ANA", "U0CLEO", "U0DAN", "U0ROBOT"]
    approvers = ["U0ANA", "U0CLEO", "U0DAN", "U0ROBOT"]
    halters = ["U0ANA", "U0CLEO", "U0DAN", "U0ROBOT"]
    accounts = "any"
    max_order_notional = "unlimited"
    max_day_notional = "unlimited"
    """
)

YES = ""
OPEN, CLOSED = (DIRECT, DESK, GROUP, PUBLIC), (SHARED, PERHAPS_SHARED)
UNKNOWN = access.NOBODY_KNOWN


def ask(who: Who, where: Where) -> str:
    return may_ask(ALL_NAMED, who, where).reason


def see(who: Who, where: Where) -> str:
    return may_see_account_data(ALL_NAMED, who, where).reason


@pytest.mark.parametrize(
    ("action", "places", "member", "guest", "external", "unknown"),
    [
        (ask, OPEN, YES, YES, YES, UNKNOWN),
        (ask, CLOSED, *[access.NOT_IN_SHARED] * 3, UNKNOWN),
        (see, (DIRECT, DESK, GROUP), YES, *[NO_ACCOUNT_DATA] * 3),
        (see, (PUBLIC, SHARED, PERHAPS_SHARED), NO_DESK_CHANNEL, *[NO_ACCOUNT_DATA] * 3),
    ],
)
def test_what_depends_on_the_place(
    action: Callable[[Who, Where], str], places: tuple[Where, ...], member: str, guest: str, external: str, unknown: str
):
    for where in places:
        for who, refusal in ((ANA, member), (CLEO, guest), (DAN, external), (ROBOT, unknown)):
            assert action(who, where) == refusal, (who.kind, where.channel)


def own(who: Who) -> Own:
    return Own(who.org, who.user)


@pytest.mark.parametrize(
    ("action", "member", "outsider"),
    [
        (lambda who: may_link(ALL_NAMED, who), YES, access.NO_KEY_FOR_OUTSIDERS),
        (lambda who: may_sign(ALL_NAMED, who, own(who)), YES, access.ONLY_MEMBERS_SIGN),
        (lambda who: may_sign(ALL_NAMED, who, Shared()), YES, access.ONLY_MEMBERS_SIGN),
        (lambda who: may_trade(ALL_NAMED, who, own(who)), YES, roles.ONLY_MEMBERS_TRADE),
        (lambda who: may_trade(ALL_NAMED, who, Shared()), roles.NO_SHARED_ORDERS, roles.ONLY_MEMBERS_TRADE),
        (lambda who: may_approve(ALL_NAMED, who, who), YES, roles.ONLY_MEMBERS_TRADE),
        (lambda who: may_approve(ALL_NAMED, who, ANA), YES, roles.ONLY_MEMBERS_TRADE),
    ],
    ids=["link", "sign own", "sign shared", "trade own", "trade shared", "approve own", "approve Ana's"],
)
def test_what_depends_on_the_person_alone(action: Callable[[Who], AccessResult], member: str, outsider: str):
    assert action(ANA).reason == member
    assert [action(who).reason for who in (CLEO, DAN)] == [outsider] * 2
    assert action(ROBOT).reason == UNKNOWN


def test_only_full_members_halt():
    assert [may_halt(ALL_NAMED, who).allowed for who in (ANA, CLEO, DAN, ROBOT)] == [True, False, False, False]
