"""Who reads a channel along, as Slack says it, and how soon a change of that counts."""

import pytest

from omnibot.policy.access import GUEST_READS, NO_DESK_CHANNEL, READERS_UNKNOWN, Show
from omnibot.policy.model import Policy
from omnibot.policy.people import MOST_MEMBERS
from omnibot.slack.access import Access
from omnibot.slack.marks import Post, find, metadata
from omnibot.slack.people import People
from omnibot.turns.model import Person
from tests.slack.conftest import Desktop


def access_of(desktop: Desktop) -> Access:
    return Access(desktop.client, People(desktop.client), Policy, team=desktop.slack.team_id)


async def reason(desktop: Desktop, access: Access, channel: str = "trading", team: str | None = None) -> str:
    ana = Person(team or desktop.slack.team_id, desktop.slack.workspace.user("ana").id)
    return (await access.may_see_account_data(ana, desktop.slack.workspace.channel(channel).id)).reason


async def test_a_private_channel_shows_account_data_while_no_guest_is_in_it(desktop: Desktop):
    access, trading = access_of(desktop), desktop.slack.workspace.channel("trading").id
    assert await reason(desktop, access) == ""
    await desktop.slack.join("cleo", "trading")
    access.forget_channel(trading)
    assert await reason(desktop, access) == GUEST_READS
    await desktop.slack.leave("cleo", "trading")
    access.forget_channel(trading)
    assert await reason(desktop, access) == ""
    assert await reason(desktop, access, "advisers") == GUEST_READS
    assert await reason(desktop, access, "research") == NO_DESK_CHANNEL


async def test_somebody_of_another_company_closes_a_channel_and_an_app_of_the_workspace_does_not(desktop: Desktop):
    channel, access = desktop.slack.workspace.channel("trading"), access_of(desktop)
    assert desktop.slack.workspace.user("newsbot").id in channel.members
    assert await reason(desktop, access) == ""
    channel.members.add(desktop.slack.workspace.user("dan").id)
    access.forget_channel(channel.id)
    assert await reason(desktop, access) == GUEST_READS


async def test_whoever_becomes_a_guest_counts_as_one_at_once(desktop: Desktop):
    access, ben = access_of(desktop), desktop.slack.workspace.user("ben").id
    assert await reason(desktop, access) == ""
    desktop.slack.change_role("ben", guest=True)
    access.forget_user(ben)
    assert await reason(desktop, access) == GUEST_READS
    person = Person(desktop.slack.team_id, ben)
    trading = desktop.slack.workspace.channel("trading").id
    assert (await access.may_see_account_data(person, trading)).show is Show.NEVER


async def test_a_channel_of_too_many_or_whose_members_slack_does_not_tell_shows_none(desktop: Desktop):
    channel = desktop.slack.workspace.channel("trading")
    channel.members |= {f"U0MANY{n:04}" for n in range(MOST_MEMBERS)}
    assert await reason(desktop, access_of(desktop)) == READERS_UNKNOWN
    assert not [c for c in desktop.slack.calls if c.name == "users.info" and "U0MANY" in str(c.args)]
    desktop.slack.gate.refuse("conversations.members", status=200, body={"ok": False, "error": "missing_scope"})
    assert await reason(desktop, access_of(desktop)) == READERS_UNKNOWN


async def test_a_guest_on_a_later_page_of_the_members_is_seen(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    ask = desktop.client.conversations_members
    monkeypatch.setattr(desktop.client, "conversations_members", lambda **given: ask(**{**given, "limit": 1}))
    assert await reason(desktop, access_of(desktop), "advisers") == GUEST_READS
    assert len([c for c in desktop.slack.calls if c.name == "conversations.members"]) == 4
    assert await reason(desktop, access_of(desktop)) == ""


async def test_a_person_is_judged_by_the_installed_workspace_whatever_workspace_they_name(desktop: Desktop):
    dan = desktop.slack.workspace.user("dan")
    for org in (desktop.slack.team_id, dan.team_id):
        assert not await access_of(desktop).may_use(Person(org, dan.id))


async def test_a_message_of_another_app_that_copied_our_metadata_is_not_taken_for_ours(desktop: Desktop):
    turn = await desktop.turn()
    post = Post(turn.channel, None, None)
    copied = await desktop.slack.other_bot_says("trading", "I am the answer", thread_ts=turn.thread_ts)
    message = desktop.slack.workspace.message("trading", copied)
    message.metadata = metadata(turn, "answer", post)
    assert await find(desktop.client, turn, "answer", post, turn.thread_ts) is None
    message.user = desktop.slack.bot_user_id
    assert await find(desktop.client, turn, "answer", post, turn.thread_ts) == copied
