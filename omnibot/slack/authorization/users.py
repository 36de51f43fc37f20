"""User profiles: what Slack says about somebody, as far as rights and names need it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from omnibot.policy.identities import PersonKind

#: Seconds for which a profile is believed.
PROFILE_AGE = 60.0
#: And where it decides about an order: another process may have heard of the change.
ROLE_AGE = 5.0
#: Names looked up for one message, and profiles asked for at a time.
NAMES, ASKING = 20, 5
#: Profiles kept in memory.
PROFILES = 5_000


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack's users.info says about somebody, as far as rights and names need it."""

    name: str
    kind: PersonKind
    #: Their workspaces and their enterprise, as far as Slack says.
    homes: frozenset[str] = frozenset()
    #: Whether a channel that they are in stays one of full members alone; None: Slack does not say.
    insider: bool | None = None


def read_profile(user: Any, *, team: str) -> Profile:
    """Judge a users.info answer, as seen from a workspace. Who is not surely a member is none."""
    if not isinstance(user, dict):
        return Profile("someone", PersonKind.UNKNOWN)
    inner = user.get("profile")
    profile: dict[str, Any] = inner if isinstance(inner, dict) else {}
    names = (profile.get("display_name"), user.get("real_name"), profile.get("real_name"), user.get("name"))
    name = next((str(n) for n in names if n), "someone")
    return Profile(name, _kind(user, team), _homes(user), _insider(user, team))


def _kind(user: dict[str, Any], team: str) -> PersonKind:
    if user.get("deleted") or user.get("is_bot"):
        return PersonKind.UNKNOWN
    if user.get("is_stranger") or team not in _teams(user):
        return PersonKind.EXTERNAL
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return PersonKind.GUEST
    return PersonKind.MEMBER


def _insider(user: dict[str, Any], team: str) -> bool | None:
    """Apps of the workspace count as insiders: whoever installed them let them read. Who has left reads nothing."""
    if user.get("is_stranger") or team not in _teams(user):
        return False
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return False
    if user.get("deleted") is True or user.get("is_bot") is True:
        return True
    return True if user.get("is_restricted") is False and user.get("is_ultra_restricted") is False else None


def _homes(user: dict[str, Any]) -> frozenset[str]:
    enterprise = user.get("enterprise_user")
    of_all = enterprise.get("enterprise_id") if isinstance(enterprise, dict) else None
    return frozenset(home for home in (*_teams(user), of_all) if isinstance(home, str) and home)


def _teams(user: dict[str, Any]) -> list[Any]:
    enterprise = user.get("enterprise_user")
    more = enterprise.get("teams") if isinstance(enterprise, dict) else None
    return [user.get("team_id"), *(more if isinstance(more, list) else [])]


class Users:
    """Profiles, asked of Slack once in a while."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str], tuple[Profile, float]] = {}
        self._asking = asyncio.Semaphore(ASKING)
        #: Grows with every change told: an answer asked for before it is not remembered.
        self._changes = 0

    async def profile(self, team: str, user: str, *, age: float = PROFILE_AGE) -> Profile:
        """The profile of somebody, as seen from a workspace, as Slack said at most `age` seconds ago.

        A change of it is delivered to one process: what decides something asks for a small age, so that it counts in
        all of them. Raises what slack_sdk raises.
        """
        known = self._known.get((team, user))
        if known is not None and time.monotonic() - known[1] < age:
            return known[0]
        async with self._asking:
            before = self._changes
            answer = await self._client.users_info(user=user)
        profile = read_profile(answer.get("user"), team=team)
        if before != self._changes:
            return profile
        if len(self._known) >= PROFILES:
            self._known.pop(next(iter(self._known)))
        self._known[team, user] = (profile, time.monotonic())
        return profile

    def forget(self, user: str) -> None:
        """Somebody changed: ask anew, whatever is remembered or on its way."""
        self._changes += 1
        for known in [known for known in self._known if known[1] == user]:
            del self._known[known]

    async def names(self, team: str, users: list[str]) -> dict[str, str]:
        """Display names of these people; those Slack does not tell are left out."""
        asked = list(dict.fromkeys(users))[:NAMES]
        found = await asyncio.gather(*(self.profile(team, user) for user in asked), return_exceptions=True)
        return {user: p.name for user, p in zip(asked, found, strict=True) if isinstance(p, Profile)}
