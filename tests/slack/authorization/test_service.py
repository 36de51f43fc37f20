"""Who reads a channel along, as Slack says it, and how soon a change of that counts."""

from typing import Any

import pytest

from omnibot.policy.access import GUEST_READS, NO_DESK_CHANNEL, READERS_UNKNOWN, Show
from omnibot.policy.identities import MOST_MEMBERS, ChannelKind, Own, PersonKind, Shared, Where
from omnibot.policy.model import Policy
from omnibot.policy.parser import read_policy
from omnibot.slack.authorization.account_data import AccountDataPlaces
from omnibot.slack.authorization.service import Authorization, read_channel
from omnibot.slack.authorization.users import Users
from omnibot.slack.delivery.metadata import Post, find, metadata
from omnibot.turns.model import Person
from tests.slack.conftest import Desktop


def access_of(desktop: Desktop) -> Authorization:
    return Authorization(desktop.client, Users(desktop.client), Policy, team=desktop.slack.team_id)


async def reason(desktop: Desktop, access: Authorization, channel: str = "trading", team: str | None = None) -> str:
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


INSIDE = {"is_private": True, "is_ext_shared": False, "is_pending_ext_shared": False, "is_shared": False}


@pytest.mark.parametrize(
    ("said", "kind", "shared"),
    [
        (INSIDE, ChannelKind.PRIVATE, False),
        (INSIDE | {"is_private": False}, ChannelKind.PUBLIC, False),
        (INSIDE | {"is_mpim": True}, ChannelKind.GROUP, False),
        (INSIDE | {"is_ext_shared": True}, ChannelKind.PRIVATE, True),
        (INSIDE | {"is_pending_ext_shared": True}, ChannelKind.PRIVATE, True),
        (INSIDE | {"pending_shared": ["T0PARTNER"]}, ChannelKind.PRIVATE, True),
        (INSIDE | {"pending_connected_team_ids": ["T0PARTNER"]}, ChannelKind.PRIVATE, True),
        # Shared with other workspaces of the same organisation only.
        ({"is_private": True, "is_shared": True}, ChannelKind.PRIVATE, False),
        ({"is_private": True, "is_org_shared": True}, ChannelKind.PRIVATE, False),
        ({"is_private": True}, ChannelKind.PRIVATE, None),
        ({"is_ext_shared": False}, ChannelKind.UNKNOWN, False),
        # Somebody's DM: whose, is looked up, and not taken from here.
        (INSIDE | {"is_im": True}, ChannelKind.UNKNOWN, None),
        (None, ChannelKind.UNKNOWN, None),
        ([], ChannelKind.UNKNOWN, None),
    ],
)
def test_a_channel_is_what_slack_says_of_it_and_what_it_leaves_open_is_not_known(
    said: Any, kind: ChannelKind, shared: bool | None
):
    assert read_channel("C1", said) == Where("C1", kind, shared)


async def test_a_dm_is_a_persons_own_only_if_it_is_the_one_with_omni(desktop: Desktop):
    access, team = access_of(desktop), desktop.slack.team_id
    ana, ben = (Person(team, desktop.slack.workspace.user(name).id) for name in ("ana", "ben"))
    own = await access.direct(ana)
    assert await access.where(own, ana) == Where(own, ChannelKind.DIRECT, False)
    assert await access.where(own, ben) == Where(own, ChannelKind.UNKNOWN, True)


async def test_of_a_channel_that_slack_does_not_tell_only_the_id_is_known(desktop: Desktop):
    ana = Person(desktop.slack.team_id, desktop.slack.workspace.user("ana").id)
    assert await access_of(desktop).where("C0NOWHERE", ana) == Where("C0NOWHERE", ChannelKind.UNKNOWN, None)


async def test_slack_is_asked_once_about_a_channel_and_its_members_within_seconds(desktop: Desktop):
    access = access_of(desktop)
    assert [await reason(desktop, access) for _ in range(3)] == [""] * 3
    asked = [call.name for call in desktop.slack.calls]
    assert (asked.count("conversations.info"), asked.count("conversations.members")) == (1, 1)


async def test_a_question_is_asked_where_the_policy_allows_it_and_nowhere_else(desktop: Desktop):
    trading, research = (desktop.slack.workspace.channel(name).id for name in ("trading", "research"))
    policy = read_policy(f'version = 1\n[access]\nwhere = ["{trading}"]'.encode(), "test")
    access = Authorization(desktop.client, Users(desktop.client), lambda: policy, team=desktop.slack.team_id)
    ana = Person(desktop.slack.team_id, desktop.slack.workspace.user("ana").id)
    assert await access.may_ask(ana, trading)
    assert not await access.may_ask(ana, research)


async def test_people_sign_for_their_own_link_and_for_no_others(desktop: Desktop):
    access, team = access_of(desktop), desktop.slack.team_id
    ana, ben = (Person(team, desktop.slack.workspace.user(name).id) for name in ("ana", "ben"))
    assert await access.may_sign(ana, Own(ana.org, ana.user))
    assert not await access.may_sign(ana, Own(ben.org, ben.user))
    assert not await access.may_sign(ana, Shared())


async def test_a_message_of_another_app_that_copied_our_metadata_is_not_taken_for_ours(desktop: Desktop):
    turn = await desktop.turn()
    post = Post(turn.channel, None, None)
    copied = await desktop.slack.other_bot_says("trading", "I am the answer", thread_ts=turn.thread_ts)
    message = desktop.slack.workspace.message("trading", copied)
    message.metadata = metadata(turn, "answer", post)
    assert await find(desktop.client, turn, "answer", post, turn.thread_ts) is None
    message.user = desktop.slack.bot_user_id
    assert await find(desktop.client, turn, "answer", post, turn.thread_ts) == copied


async def test_of_a_change_of_role_that_another_process_heard_whoever_decides_about_orders_asks_anew(desktop: Desktop):
    access, ben = access_of(desktop), desktop.slack.workspace.user("ben").id
    person = Person(desktop.slack.team_id, ben)
    assert (await access.who(person)).kind is PersonKind.MEMBER
    desktop.slack.change_role("ben", guest=True)
    assert (await access.who(person, age=0.0)).kind is PersonKind.GUEST


async def test_of_a_guest_who_joined_another_process_heard_and_a_growing_answer_asks_anew(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
):
    places, trading = AccountDataPlaces(access_of(desktop)), desktop.slack.workspace.channel("trading").id
    ana = Person(desktop.slack.team_id, desktop.slack.workspace.user("ana").id)
    assert (await places.growing(ana, trading)).show is Show.HERE
    await desktop.slack.join("cleo", "trading")
    monkeypatch.setattr("omnibot.slack.authorization.account_data.RECENT", 0.0)
    assert (await places.growing(ana, trading)).show is Show.DIRECT
