"""Who acts and where, as Slack says at this moment, and what the policy says of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.policy import access
from omnibot.policy.access import AccountData, Show
from omnibot.policy.model import Policy
from omnibot.policy.people import Authority, ChannelKind, Own, Shared, Verdict, Where, Who
from omnibot.slack.failures import SLACK_ERRORS, Failure, judge
from omnibot.slack.people import People
from omnibot.turns.model import Person

log = structlog.get_logger(__name__)

#: Seconds for which a channel's kind is believed: it may become shared, or public.
CHANNEL_AGE = 60.0
#: Channels, and DMs, kept in memory.
CHANNELS = 5_000


class Access:
    """The rule book, applied to real people and channels.

    Args:
        client: Slack.
        people: profiles.
        policy: the policy of the moment.
        team: the workspace omnibot is installed in.
    """

    def __init__(self, client: AsyncWebClient, people: People, policy: Callable[[], Policy], *, team: str) -> None:
        self._client = client
        self._people = people
        self._policy = policy
        self._team = team
        self._channels: dict[str, tuple[Where, float]] = {}
        #: Whose DM with Omni a channel is; that never changes.
        self._own: dict[str, str] = {}

    @property
    def policy(self) -> Policy:
        """The policy of the moment."""
        return self._policy()

    async def who(self, person: Person, *, team: str | None = None) -> Who:
        """The acting person. Raises what slack_sdk raises.

        Args:
            person: who acts.
            team: the workspace in which they do; None: the one omnibot is installed in.
        """
        profile = await self._people.profile(team or self._team, person.user)
        return Who(person.org, person.user, profile.kind, profile.team)

    async def where(self, channel: str, person: Person) -> Where:
        """What kind of channel that is, for this person. Raises what slack_sdk raises.

        What Slack does not tell us is of unknown kind, and counts as shared.
        """
        if channel.startswith("D"):
            # Two other people's DM looks the same: `/omni` can be typed there too.
            own = self._own.get(person.user) or await self.direct(person)
            return Where(channel, ChannelKind.DIRECT if own == channel else ChannelKind.UNKNOWN, own != channel)
        known = self._channels.get(channel)
        if known is not None and time.monotonic() - known[1] < CHANNEL_AGE:
            return known[0]
        try:
            answer = await self._client.conversations_info(channel=channel)
        except SLACK_ERRORS as error:
            verdict = judge(error)
            if verdict.failure in (Failure.SLOW_DOWN, Failure.UNKNOWN):
                raise
            log.info("channel_unknown", channel=channel, error=verdict.code)
            return Where(channel, ChannelKind.UNKNOWN, None)
        where = read_channel(channel, answer.get("channel"))
        if len(self._channels) >= CHANNELS:
            self._channels.pop(next(iter(self._channels)))
        self._channels[channel] = (where, time.monotonic())
        return where

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

    async def may_ask(self, person: Person, channel: str, *, team: str | None = None) -> Verdict:
        """Whether this person may ask Omni there. Raises what slack_sdk raises."""
        policy, who = self.policy, await self.who(person, team=team)
        allowed = access.may_use(policy, who)
        if not allowed or (policy.access.where is None and policy.access.shared_channels):
            return allowed  # the same everywhere
        return access.may_ask(policy, who, await self.where(channel, person))

    async def may_use(self, person: Person, *, team: str | None = None) -> Verdict:
        """Whether this person may use omnibot, wherever. Raises what slack_sdk raises."""
        return access.may_use(self.policy, await self.who(person, team=team))

    async def may_see_account_data(self, person: Person, channel: str, *, team: str | None = None) -> AccountData:
        """Whether account data may be shown to this person there. Raises what slack_sdk raises."""
        who, where = await self.who(person, team=team), await self.where(channel, person)
        return access.may_see_account_data(self.policy, who, where)

    async def may_sign(self, person: Person, authority: Authority, *, team: str | None = None) -> Verdict:
        """Whether this person may sign and revoke agreements for that link or key. Raises what slack_sdk raises."""
        return access.may_sign(self.policy, await self.who(person, team=team), authority)

    async def hearing_of_accounts(self, person: Person) -> Verdict:
        """Whether this person may hear about accounts at all, in private. Raises what slack_sdk raises."""
        shown = await self.may_see_account_data(person, await self.direct(person))
        return Verdict(shown.show is not Show.NEVER, shown.reason)

    async def linking(self, person: Person) -> Verdict:
        """Whether this person may link a key of their own, and why not. Raises what slack_sdk raises."""
        return access.may_link(self.policy, await self.who(person))

    # The keyring's rules.

    async def may_share(self, person: Person) -> bool:
        """Whether this person may use the shared key. Raises what slack_sdk raises."""
        return isinstance(access.authority_of(self.policy, await self.who(person), has_link=False), Shared)

    async def may_link(self, person: Person) -> bool:
        """Whether this person may use a key of their own. Raises what slack_sdk raises."""
        return bool(await self.linking(person))


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
