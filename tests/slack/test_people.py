"""Whom Slack is asked about, and how often."""

import asyncio

from omnibot.slack.people import ASKING, NAMES, People
from tests.slack.conftest import Desktop


def asked(desktop: Desktop) -> list[str]:
    """Whom Slack was asked about, in order."""
    return [call.args["user"] for call in desktop.slack.calls if call.name == "users.info"]


async def test_of_a_message_that_mentions_many_people_only_so_many_are_looked_up_a_few_at_a_time(desktop: Desktop):
    people = [f"U0NOBODY{n:02}" for n in range(NAMES + 10)]
    ana = desktop.slack.workspace.user("ana")
    looking = desktop.slack.gate.hold("users.info", count=NAMES)
    names = asyncio.ensure_future(People(desktop.client).names(desktop.slack.team_id, [ana.id, *people, ana.id]))
    await desktop.slack.wait_for(lambda: len(looking.calls) == ASKING)
    assert len(asked(desktop)) == ASKING
    looking.release()
    assert await names == {ana.id: ana.name}
    assert asked(desktop) == [ana.id, *people[: NAMES - 1]]


async def test_a_person_mentioned_twice_is_looked_up_once_and_not_again_soon(desktop: Desktop):
    ana, ben = (desktop.slack.workspace.user(name) for name in ("ana", "ben"))
    people = People(desktop.client)
    expected = {ana.id: ana.name, ben.id: ben.name}
    assert await people.names(desktop.slack.team_id, [ana.id, ben.id, ana.id]) == expected
    assert await people.names(desktop.slack.team_id, [ben.id, ana.id]) == expected
    assert sorted(asked(desktop)) == sorted([ana.id, ben.id])


async def test_people_slack_does_not_tell_are_left_out(desktop: Desktop):
    ana = desktop.slack.workspace.user("ana")
    desktop.slack.gate.refuse("users.info", status=500)
    assert await People(desktop.client).names(desktop.slack.team_id, [ana.id]) == {}
