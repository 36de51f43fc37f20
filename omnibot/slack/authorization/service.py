"""Who acts and where, as Slack says at this moment, and what the policy allows them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.policy import access
from omnibot.policy.access import AccountData, Show
from omnibot.policy.identities import (
    MOST_MEMBERS,
    AccessResult,
    Authority,
    ChannelKind,
    Own,
    Readers,
    Shared,
    Where,
    Who,
)
from omnibot.policy.model import Policy
from omnibot.slack.authorization.users import PROFILE_AGE, Users
from omnibot.slack.errors import SLACK_ERRORS, SlackFailure, classify
from omnibot.turns.model import Person

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

#: Seconds for which a channel's kind is believed: it may become shared, or public.
CHANNEL_AGE = 60.0
#: Seconds for which the list of a channel's members is believed: another process may have heard who joined.
MEMBERS_AGE = 5.0
#: Channels, and DMs, kept in memory.
CHANNELS = 5_000


class Authorization:
    """The rule book, applied to real people and channels.

    Args:
        client: Slack.
        people: profiles.
        policy: the policy of the moment.
        team: the workspace omnibot is installed in.
    """

    def __init__(self, client: AsyncWebClient, people: Users, policy: Callable[[], Policy], *, team: str) -> None:
        self._client = client
        self._people = people
        self._policy = policy
        self._team = team
        self._channels: dict[str, tuple[Where, float]] = {}
        #: None: not known, or too many.
        self._members: dict[str, tuple[frozenset[str] | None, float]] = {}
        #: Grows with every change told: an answer asked for before it is not remembered.
        self._changes = 0
        #: Whose DM with Omni a channel is; that never changes.
        self._own: dict[str, str] = {}

    @property
    def policy(self) -> Policy:
        """The policy of the moment."""
        return self._policy()

    async def who(self, person: Person, *, age: float = PROFILE_AGE) -> Who:
        """The acting person, as seen from the workspace omnibot is installed in, whatever workspace a payload names.

        Args:
            age: seconds for which what Slack said about them is believed.

        Raises what slack_sdk raises.
        """
        profile = await self._people.profile(self._team, person.user, age=age)
        return Who(person.org, person.user, profile.kind, profile.homes)

    async def where(self, channel: str, person: Person, *, age: float = CHANNEL_AGE) -> Where:
        """What kind of channel that is, for this person, as Slack said at most `age` seconds ago.

        Raises what slack_sdk raises.

        What Slack does not tell us is of unknown kind, and counts as shared.
        """
        if channel.startswith("D"):
            # Two other people's DM looks the same: `/omni` can be typed there too.
            own = self._own.get(person.user) or await self.direct(person)
            return Where(channel, ChannelKind.DIRECT if own == channel else ChannelKind.UNKNOWN, own != channel)
        known = self._channels.get(channel)
        if known is not None and time.monotonic() - known[1] < age:
            return known[0]
        before = self._changes
        try:
            answer = await self._client.conversations_info(channel=channel)
        except SLACK_ERRORS as error:
            verdict = classify(error)
            if verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN):
                raise
            log.info("channel_unknown", channel=channel, error=verdict.code)
            return Where(channel, ChannelKind.UNKNOWN, None)
        where = read_channel(channel, answer.get("channel"))
        if before == self._changes:
            _keep(self._channels, channel, where)
        return where

    # Who reads along.

    async def readers(self, channel: str, *, age: float = MEMBERS_AGE) -> Readers:
        """Who is in a channel, as Slack said at most `age` seconds ago.

        Raises what slack_sdk raises when it may say so later.
        """
        members = await self._members_of(channel, age)
        if members is None:
            return Readers.UNKNOWN
        try:
            asked = [self._people.profile(self._team, user) for user in sorted(members)]
            insiders = {profile.insider for profile in await asyncio.gather(*asked)}
        except SLACK_ERRORS as error:
            if classify(error).failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN):
                raise
            return Readers.UNKNOWN
        if False in insiders:
            return Readers.OUTSIDERS
        return Readers.UNKNOWN if None in insiders or not insiders else Readers.MEMBERS

    async def _members_of(self, channel: str, age: float) -> frozenset[str] | None:
        known = self._members.get(channel)
        if known is not None and time.monotonic() - known[1] < age:
            return known[0]
        before = self._changes
        try:
            found = await self._ask_members(channel)
        except SLACK_ERRORS as error:
            verdict = classify(error)
            if verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN):
                raise
            log.info("members_unknown", channel=channel, error=verdict.code)
            return None
        if before == self._changes:
            _keep(self._members, channel, found)
        return found

    async def _ask_members(self, channel: str) -> frozenset[str] | None:
        """Everybody in it; None: too many, or an answer that is no list of ids."""
        found: set[str] = set()
        cursor: str | None = None
        while True:
            answer = await self._client.conversations_members(channel=channel, limit=MOST_MEMBERS + 1, cursor=cursor)
            page = answer.get("members")
            if not isinstance(page, list) or not all(isinstance(user, str) for user in page):
                return None
            before, more = len(found), (answer.get("response_metadata") or {}).get("next_cursor")
            found.update(page)
            if len(found) > MOST_MEMBERS or (more and len(found) == before):
                return None
            if not more:
                return frozenset(found)
            cursor = str(more)

    def forget_channel(self, channel: str) -> None:
        """Somebody joined or left it, or its kind changed: ask anew."""
        self._changes += 1
        self._channels.pop(channel, None)
        self._members.pop(channel, None)

    def forget_user(self, user: str) -> None:
        """Somebody's role changed, or they left: ask anew."""
        self._people.forget(user)

    async def direct(self, person: Person) -> str:
        """The channel of the direct messages between this person and Omni. Raises what slack_sdk raises."""
        known = self._own.get(person.user)
        if known is None:
            answer = await self._client.conversations_open(users=person.user)
            known = str(answer["channel"]["id"])
            if len(self._own) >= CHANNELS:
                self._own.pop(next(iter(self._own)))
            self._own[person.user] = known
        return known

    async def may_ask(self, person: Person, channel: str) -> AccessResult:
        """Whether this person may ask Omni there. Raises what slack_sdk raises."""
        policy, who = self.policy, await self.who(person)
        allowed = access.may_use(policy, who)
        if not allowed or (policy.access.where is None and policy.access.shared_channels):
            return allowed  # the same everywhere
        return access.may_ask(policy, who, await self.where(channel, person))

    async def may_use(self, person: Person) -> AccessResult:
        """Whether this person may use omnibot, wherever. Raises what slack_sdk raises."""
        return access.may_use(self.policy, await self.who(person))

    async def may_see_account_data(
        self, person: Person, channel: str, *, age: float | None = None, members_age: float | None = None
    ) -> AccountData:
        """Whether account data may be shown to this person there. Raises what slack_sdk raises.

        Args:
            person: for whom it is.
            channel: where it would be written.
            age: seconds for which what Slack said about the channel and its members is believed; None: as ever.
            members_age: of its members, where that is another.
        """
        who = await self.who(person) if age is None else await self.who(person, age=age)
        where = await self._read_by(person, channel, age, members_age)
        return access.may_see_account_data(self.policy, who, where)

    async def shows_account_data(self, person: Person, channel: str, *, age: float | None = None) -> bool:
        """Whether everybody there may read account data, whoever it is of. As `may_see_account_data`."""
        return access.shows_account_data(self.policy, await self._read_by(person, channel, age))

    async def _read_by(
        self, person: Person, channel: str, age: float | None, members_age: float | None = None
    ) -> Where:
        """The channel, with its readers where they decide."""
        believed = {} if age is None else {"age": age}
        where = await self.where(channel, person, **believed)
        if access.depends_on_readers(self.policy, where):
            members = believed if members_age is None else {"age": members_age}
            where = replace(where, readers=await self.readers(channel, **members))
        return where

    async def may_sign(self, person: Person, authority: Authority) -> AccessResult:
        """Whether this person may sign and revoke agreements for that link or key. Raises what slack_sdk raises."""
        return access.may_sign(self.policy, await self.who(person), authority)

    async def hearing_of_accounts(self, person: Person) -> AccessResult:
        """Whether this person may hear about accounts at all, in private. Raises what slack_sdk raises."""
        shown = await self.may_see_account_data(person, await self.direct(person))
        return AccessResult(shown.show is not Show.NEVER, shown.reason)

    async def linking(self, person: Person) -> AccessResult:
        """Whether this person may link a key of their own, and why not. Raises what slack_sdk raises."""
        return access.may_link(self.policy, await self.who(person))

    # The keyring's rules.

    async def may_share(self, person: Person) -> bool:
        """Whether this person may use the shared key. Raises what slack_sdk raises."""
        return isinstance(access.authority_of(self.policy, await self.who(person), has_link=False), Shared)

    async def may_link(self, person: Person) -> bool:
        """Whether this person may use a key of their own. Raises what slack_sdk raises."""
        return bool(await self.linking(person))


def _keep(known: dict[str, tuple[_T, float]], channel: str, found: _T) -> None:
    if len(known) >= CHANNELS:
        known.pop(next(iter(known)))
    known[channel] = (found, time.monotonic())


def authority(principal_person: Person | None) -> Authority:
    """Whose authority a principal is: a person's own link, or (None) the shared key."""
    return Shared() if principal_person is None else Own(principal_person.org, principal_person.user)


def read_channel(channel: str, said: Any) -> Where:
    """Judge a conversations.info answer; whatever it leaves open counts as unknown, and as shared."""
    if not isinstance(said, dict):
        return Where(channel, ChannelKind.UNKNOWN, None)
    flags = ("is_ext_shared", "is_pending_ext_shared", "is_shared", "is_org_shared")
    outside = [flag for flag in flags[:2] if said.get(flag)]
    invited = said.get("pending_shared") or said.get("pending_connected_team_ids")
    shared = bool(outside or invited) if any(flag in said for flag in flags) else None
    if said.get("is_im"):
        # Ours with somebody; whose, `where` has looked at.
        return Where(channel, ChannelKind.UNKNOWN, None)
    if said.get("is_mpim"):
        kind = ChannelKind.GROUP
    elif "is_private" not in said:
        kind = ChannelKind.UNKNOWN
    else:
        kind = ChannelKind.PRIVATE if said["is_private"] else ChannelKind.PUBLIC
    return Where(channel, kind, shared)
