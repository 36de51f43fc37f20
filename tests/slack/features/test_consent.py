"""Who may sign, and where they may be asked to: the rule book's word, applied to real people and channels."""

from dataclasses import replace

import pytest

from omnibot.accounts.model import SHARED, link_principal
from omnibot.policy.model import Consent, Policy
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.authorization.users import Users
from omnibot.slack.features.consent import SlackConsentPolicy
from omnibot.turns.model import NotNow, Person, Turn
from tests.slack.conftest import Desktop


def consent_policy(desktop: Desktop, *signers: str) -> SlackConsentPolicy:
    policy = Policy(consent=Consent(consent_signers=tuple(person(desktop, name).user for name in signers)))
    people = Users(desktop.client)
    return SlackConsentPolicy(Authorization(desktop.client, people, lambda: policy, team=desktop.slack.team_id))


def person(desktop: Desktop, name: str) -> Person:
    user = desktop.slack.workspace.user(name)
    return Person(user.team_id, user.id)


@pytest.mark.parametrize(
    ("name", "channel", "signers", "asked"),
    [
        ("ana", "trading", ("ana",), True),
        ("ana", "research", ("ana",), False),  # public
        ("ben", "trading", ("ana",), False),
        ("ana", "trading", (), False),
    ],
)
async def test_under_the_shared_key_only_signers_are_asked_and_only_where_account_data_may_be_shown(
    desktop: Desktop, name: str, channel: str, signers: tuple[str, ...], asked: bool
):
    turn = await desktop.turn(user=name, channel=channel)
    assert await consent_policy(desktop, *signers).may_be_asked(turn, SHARED) is asked


async def test_in_direct_messages_a_signer_is_asked(desktop: Desktop):
    dm = desktop.slack.workspace.dm("ana").id
    turn = replace(await desktop.turn(user="ana"), channel=dm)
    assert await consent_policy(desktop, "ana").may_be_asked(turn, SHARED)


async def test_an_account_is_named_where_its_data_may_be_shown_and_not_while_slack_is_silent(desktop: Desktop):
    rules = consent_policy(desktop)
    assert await rules.may_read_accounts(await desktop.turn(user="ana", channel="trading"))
    assert not await rules.may_read_accounts(await desktop.turn(user="ana", channel="research"))
    assert not await rules.may_read_accounts(await desktop.turn(user="cleo", channel="advisers"))
    desktop.slack.gate.refuse("users.info", status=500, count=10)
    silent = consent_policy(desktop)  # remembers nobody
    assert not await silent.may_read_accounts(await desktop.turn(user="ben", channel="trading"))


async def test_with_a_key_of_ones_own_one_signs_for_oneself_and_nobody_else(desktop: Desktop):
    turn: Turn = await desktop.turn(user="ben")
    rules = consent_policy(desktop)
    assert await rules.may_sign(turn, link_principal(person(desktop, "ben")))
    refused = await rules.may_sign(turn, link_principal(person(desktop, "ana")))
    assert not refused
    assert refused.reason


async def test_who_may_not_sign_learns_whom_to_ask(desktop: Desktop):
    turn = await desktop.turn(user="ben")
    refused = await consent_policy(desktop, "ana").may_sign(turn, SHARED)
    assert refused.ask == (person(desktop, "ana").user,)


async def test_while_slack_is_silent_a_turn_waits_and_a_click_is_refused(desktop: Desktop):
    turn = await desktop.turn(user="ana")
    desktop.slack.gate.refuse("users.info", status=503, count=100)
    rules = consent_policy(desktop, "ana")
    with pytest.raises(NotNow):
        await rules.may_sign(turn, SHARED)
    refused = await rules.may_sign_now(person(desktop, "ana"), SHARED)
    assert not refused
    assert "Try again" in refused.reason
    assert not await rules.may_look_now(person(desktop, "ana"))


async def test_full_members_may_look_and_people_of_other_companies_may_not(desktop: Desktop):
    rules = consent_policy(desktop)
    assert await rules.may_look_now(person(desktop, "ben"))
    assert not await rules.may_look_now(person(desktop, "dan"))
