"""Who is this, may they ask, what do they ask, and where does the reply go: the front desk of the turns."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.messages import root_page
from omnibot.slack.failures import SLACK_ERRORS, Failure, judge
from omnibot.slack.posts import ROOT, Posts, Refusal
from omnibot.slack.question import mentioned_users, question_text
from omnibot.turns.model import Admitted, NotNow, Surface, Turn, TurnedAway

log = structlog.get_logger(__name__)

#: Seconds for which a profile is believed.
PROFILE_AGE = 600.0
#: Names looked up for one message, and profiles asked for at a time.
NAMES, ASKING = 20, 5
#: Profiles kept in memory.
PROFILES = 5_000

NOTHING_ASKED = (
    "What would you like to know? Mention me with a question, such as “what is the price of AAPL?”, "
    "or type `/omni help`."
)
ONLY_A_FILE = "I cannot read files yet. Tell me in words what you would like to know."
UNKNOWN_PERSON = (
    "Slack does not tell me who you are, or lets me answer you nowhere, so I cannot ask Omni for you. "
    "Invite me into the channel, or write to me directly."
)
NOT_A_MEMBER = "Omni is here for full members of this workspace only. Ask a colleague in the workspace to ask for you."


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack's users.info says about somebody, as far as rights and names need it."""

    name: str
    full_member: bool


def read_profile(user: Any, *, team: str) -> Profile:
    """Judge a users.info answer: guests, strangers, bots and the deactivated are no full members."""
    if not isinstance(user, dict):
        return Profile("someone", False)
    inner = user.get("profile")
    profile: dict[str, Any] = inner if isinstance(inner, dict) else {}
    names = (profile.get("display_name"), user.get("real_name"), profile.get("real_name"), user.get("name"))
    name = next((str(n) for n in names if n), "someone")
    outside = any(
        user.get(flag) for flag in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
    )
    enterprise = user.get("enterprise_user")
    teams = {user.get("team_id"), *(enterprise.get("teams") or [] if isinstance(enterprise, dict) else [])}
    return Profile(name, not outside and team in teams)


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


class Desk:
    """The `FrontDesk` of the turns, on Slack."""

    def __init__(self, client: AsyncWebClient, people: People, posts: Posts, *, bot_user_id: str) -> None:
        self._client = client
        self._people = people
        self._posts = posts
        self._bot_user_id = bot_user_id

    async def admit(self, turn: Turn) -> Admitted | TurnedAway:
        """Authorise the asker, read the question, and for a command post the root message its answer hangs on."""
        try:
            return await self._admit(turn)
        except SLACK_ERRORS as error:
            verdict = judge(error)
        except Refusal as refusal:
            verdict = refusal.verdict
        log.info("admission_refused_by_slack", turn=turn.id, error=verdict.code)
        if verdict.failure in (Failure.SLOW_DOWN, Failure.UNKNOWN, Failure.BROKEN_APP):
            raise NotNow(verdict.wait)
        return TurnedAway(UNKNOWN_PERSON)

    async def _admit(self, turn: Turn) -> Admitted | TurnedAway:
        profile = await self._people.profile(turn.team, turn.person.user)
        if not profile.full_member:
            return TurnedAway(NOT_A_MEMBER)
        question = turn.question if turn.question is not None else await self._read(turn)
        if not question.strip():
            return TurnedAway(ONLY_A_FILE if turn.event.get("files") else NOTHING_ASKED)
        if turn.thread_ts is not None:
            return Admitted(question, turn.channel, turn.thread_ts)
        channel, thread_ts = await self._root(turn, question)
        return Admitted(question, channel, thread_ts)

    async def _read(self, turn: Turn) -> str:
        names = await self._people.names(turn.team, mentioned_users(turn.event))
        return question_text(turn.event, bot_user_id=self._bot_user_id, names=names)

    async def _root(self, turn: Turn, question: str) -> tuple[str, str]:
        """Post (or find) the message that shows a command's question; in the asker's DM where the bot cannot post."""
        slots = await self._posts.load(turn.id)
        page = root_page(asker=turn.person.user, question=question, kind=turn.kind.value)
        post = slots.get(ROOT)
        if post is None and turn.surface is Surface.PRIVATE:
            channel = await self._dm(turn)
        else:
            channel = post.channel if post is not None else turn.channel
        try:
            return channel, await self._posts.write(turn, slots, ROOT, page, channel=channel, thread_ts=None)
        except Refusal as refusal:
            if refusal.verdict.failure is not Failure.CLOSED_DOOR:
                raise
            closed = refusal
        # A channel whose id begins like a DM's may be other people's: only the bot's own with the asker is the asker's.
        own = await self._dm(turn)
        if own == channel:
            raise closed
        await self._posts.forget(turn.id, slots, ROOT, own)
        return own, await self._posts.write(turn, slots, ROOT, page, channel=own, thread_ts=None)

    async def _dm(self, turn: Turn) -> str:
        answer = await self._client.conversations_open(users=turn.person.user)
        return str(answer["channel"]["id"])


def research_question(ticker: str, thesis: str | None) -> str:
    """How a deep insight is named in Slack."""
    return f"Deep insights on {ticker}: {thesis}" if thesis else f"Deep insights on {ticker}"


__all__ = ["Desk", "People", "Profile", "read_profile", "research_question"]
