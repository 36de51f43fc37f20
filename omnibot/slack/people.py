"""Profiles: what Slack says about somebody, as far as rights and names need it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from omnibot.policy.people import PersonKind

#: Seconds for which a profile is believed.
PROFILE_AGE = 60.0
#: Names looked up for one message, and profiles asked for at a time.
NAMES, ASKING = 20, 5
#: Profiles kept in memory.
PROFILES = 5_000


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack's users.info says about somebody, as far as rights and names need it."""

    name: str
    kind: PersonKind
    #: Their own workspace, where Slack says it.
    team: str | None = None


def read_profile(user: Any, *, team: str) -> Profile:
    """Judge a users.info answer, as seen from a workspace. Who is not surely a member is none."""
    if not isinstance(user, dict):
        return Profile("someone", PersonKind.UNKNOWN)
    inner = user.get("profile")
    profile: dict[str, Any] = inner if isinstance(inner, dict) else {}
    names = (profile.get("display_name"), user.get("real_name"), profile.get("real_name"), user.get("name"))
    name = next((str(n) for n in names if n), "someone")
    home = user.get("team_id")
    return Profile(name, _kind(user, team), home if isinstance(home, str) else None)


def _kind(user: dict[str, Any], team: str) -> PersonKind:
    if user.get("deleted") or user.get("is_bot"):
        return PersonKind.UNKNOWN
    enterprise = user.get("enterprise_user")
    more = enterprise.get("teams") if isinstance(enterprise, dict) else None
    teams = [user.get("team_id"), *(more if isinstance(more, list) else [])]
    if user.get("is_stranger") or team not in teams:
        return PersonKind.EXTERNAL
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return PersonKind.GUEST
    return PersonKind.MEMBER


class People:
    """Profiles, asked of Slack once in a while."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str], tuple[Profile, float]] = {}
        self._asking = asyncio.Semaphore(ASKING)

    async def profile(self, team: str, user: str) -> Profile:
        """The profile of somebody, as seen from a workspace. Raises what slack_sdk raises."""
        known = self._known.get((team, user))
        if known is not None and time.monotonic() - known[1] < PROFILE_AGE:
            return known[0]
        async with self._asking:
            answer = await self._client.users_info(user=user)
        profile = read_profile(answer.get("user"), team=team)
        if len(self._known) >= PROFILES:
            self._known.pop(next(iter(self._known)))
        self._known[team, user] = (profile, time.monotonic())
        return profile

    async def names(self, team: str, users: list[str]) -> dict[str, str]:
        """Display names of these people; those Slack does not tell are left out."""
        asked = list(dict.fromkeys(users))[:NAMES]
        found = await asyncio.gather(*(self.profile(team, user) for user in asked), return_exceptions=True)
        return {user: p.name for user, p in zip(asked, found, strict=True) if isinstance(p, Profile)}
