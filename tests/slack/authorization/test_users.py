"""Whom Slack is asked about, and how often."""

import asyncio
from typing import Any

import pytest

from omnibot.policy.identities import PersonKind
from omnibot.slack.authorization.users import ASKING, NAMES, Profile, Users, read_profile
from tests.slack.conftest import Desktop


def asked(desktop: Desktop) -> list[str]:
    """Whom Slack was asked about, in order."""
    return [call.args["user"] for call in desktop.slack.calls if call.name == "users.info"]


async def test_of_a_message_that_mentions_many_people_only_so_many_are_looked_up_a_few_at_a_time(desktop: Desktop):
    people = [f"U0NOBODY{n:02}" for n in range(NAMES + 10)]
    ana = desktop.slack.workspace.user("ana")
    checking = desktop.slack.gate.hold("users.info", count=NAMES)
    names = asyncio.ensure_future(Users(desktop.client).names(desktop.slack.team_id, [ana.id, *people, ana.id]))
    await desktop.slack.wait_for(lambda: len(checking.calls) == ASKING)
    assert len(asked(desktop)) == ASKING
    checking.release()
    assert await names == {ana.id: ana.name}
    assert asked(desktop) == [ana.id, *people[: NAMES - 1]]


async def test_a_person_mentioned_twice_is_looked_up_once_and_not_again_soon(desktop: Desktop):
    ana, ben = (desktop.slack.workspace.user(name) for name in ("ana", "ben"))
    people = Users(desktop.client)
    expected = {ana.id: ana.name, ben.id: ben.name}
    assert await people.names(desktop.slack.team_id, [ana.id, ben.id, ana.id]) == expected
    assert await people.names(desktop.slack.team_id, [ben.id, ana.id]) == expected
    assert (await people.profile(desktop.slack.team_id, ben.id)).name == ben.name
    assert sorted(asked(desktop)) == sorted([ana.id, ben.id])


async def test_people_slack_does_not_tell_are_left_out(desktop: Desktop):
    ana = desktop.slack.workspace.user("ana")
    desktop.slack.gate.refuse("users.info", status=500)
    assert await Users(desktop.client).names(desktop.slack.team_id, [ana.id]) == {}


MEMBER = {"team_id": "T0HOME", "name": "ana", "is_restricted": False, "is_ultra_restricted": False}


@pytest.mark.parametrize(
    ("said", "kind", "insider"),
    [
        ({}, PersonKind.MEMBER, True),
        ({"is_restricted": True}, PersonKind.GUEST, False),
        ({"is_ultra_restricted": True}, PersonKind.GUEST, False),
        ({"is_stranger": True}, PersonKind.EXTERNAL, False),
        ({"team_id": "T0PARTNER"}, PersonKind.EXTERNAL, False),
        ({"team_id": "T0PARTNER", "enterprise_user": {"teams": ["T0HOME"]}}, PersonKind.MEMBER, True),
        ({"team_id": "T0PARTNER", "enterprise_user": {"teams": ["T0OTHER"]}}, PersonKind.EXTERNAL, False),
        ({"team_id": None}, PersonKind.EXTERNAL, False),
        ({"deleted": True}, PersonKind.UNKNOWN, True),
        ({"is_bot": True}, PersonKind.UNKNOWN, True),
        ({"is_bot": True, "team_id": "T0PARTNER"}, PersonKind.UNKNOWN, False),
        ({"is_restricted": None}, PersonKind.MEMBER, None),
        ({"is_ultra_restricted": None}, PersonKind.MEMBER, None),
        ({"is_restricted": None, "is_bot": False, "deleted": False}, PersonKind.MEMBER, None),
    ],
)
def test_who_somebody_is_as_seen_from_the_workspace(said: dict[str, Any], kind: PersonKind, insider: bool | None):
    found = read_profile(MEMBER | said, team="T0HOME")
    assert (found.kind, found.insider) == (kind, insider)


@pytest.mark.parametrize("said", [None, [], "U0ANA"])
def test_an_answer_that_is_no_profile_is_of_nobody_known(said: Any):
    assert read_profile(said, team="T0HOME") == Profile("someone", PersonKind.UNKNOWN)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"profile": {"display_name": "Ana B", "real_name": "Ana Blue"}, "real_name": "Ana Bloom"}, "Ana B"),
        ({"profile": {"display_name": "", "real_name": "Ana Blue"}, "real_name": "Ana Bloom"}, "Ana Bloom"),
        ({"profile": {"real_name": "Ana Blue"}}, "Ana Blue"),
        ({"profile": None}, "ana"),
        ({"name": ""}, "someone"),
    ],
)
def test_somebody_is_called_what_they_call_themselves(said: dict[str, Any], name: str):
    found = read_profile(MEMBER | said, team="T0HOME")
    assert (found.name, found.homes) == (name, frozenset({"T0HOME"}))
