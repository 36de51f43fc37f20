"""Whether account data may be written to a place, judged at the moment of writing, and the words where it may not.

Who reads a channel changes while Omni works. Events drop what is remembered of a channel and of people at once. A final
trusts nothing older than `RECENT` seconds about its channel besides (at most one conversations.info, and one
conversations.members, for each final in a channel), for an event may be late, or heard by another process. What grows
trusts it for a minute.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import TypeVar

from omnibot.blocks.layout.builders import section
from omnibot.blocks.layout.types import Page
from omnibot.policy.access import GUEST_READS, NO_ACCOUNT_DATA, READERS_UNKNOWN, AccountData, Show
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.errors import SLACK_ERRORS, Refusal, SlackFailure, classify
from omnibot.turns.model import Person

T = TypeVar("T")

#: Seconds for which a channel, and its members, are believed when a final is written, and while an answer grows.
RECENT, GROWING = 5.0, 60.0

ELSEWHERE = "Account data is not shown in this channel: the answer is in the asker's direct messages."
GUEST_ELSEWHERE = (
    "A guest or somebody of another company is in this channel, so account data is not shown in it: "
    "the answer is in the asker's direct messages."
)
UNKNOWN_ELSEWHERE = (
    "I cannot tell whether everybody in this channel is a full member, so account data is not shown in it: "
    "the answer is in the asker's direct messages."
)
#: Of an answer that is still being made.
WITHHELD = "Account data is not shown here: the answer comes as a direct message."
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{1,30}", re.ASCII)


def elsewhere(reason: str) -> str:
    """The line that stays where something was asked whose answer is in the asker's direct messages."""
    return {
        GUEST_READS: GUEST_ELSEWHERE,
        READERS_UNKNOWN: UNKNOWN_ELSEWHERE,
        NO_ACCOUNT_DATA: NO_ACCOUNT_DATA,
    }.get(reason, ELSEWHERE)


def card_elsewhere(reason: str) -> str:
    """The line that stays where an order's card, or what was said of an order, stood."""
    why = {
        GUEST_READS: "A guest or somebody of another company is in this channel",
        READERS_UNKNOWN: "I cannot tell whether everybody in this channel is a full member",
    }.get(reason)
    rest = "the order goes on in the direct messages of who asked for it and of those who decide it."
    return f"{why}, so account data is not shown in it: {rest}" if why else f"Account data is not shown here: {rest}"


def why_here(reason: str, channel: str) -> str:
    """Mrkdwn that says in the direct messages why something from a channel is there."""
    there = f"<#{channel}>" if _CHANNEL_ID.fullmatch(channel) else "the channel"
    if reason == GUEST_READS:
        return f"A guest or somebody of another company is in {there}, so account data is not shown there. It is here."
    if reason == READERS_UNKNOWN:
        return (
            f"I cannot tell whether everybody in {there} is a full member, so account data is not shown there. "
            "It is here."
        )
    return f"Account data is not shown in {there}. It is here."


def why_page(reason: str, channel: str) -> Page:
    """The same alone."""
    said = why_here(reason, channel)
    return Page([section(said)], "This is here because account data is not shown where it was.")


def with_reason(page: Page, reason: str, channel: str) -> Page:
    """A page of the direct messages, with why it is there at its end."""
    return Page([*page.blocks, section(why_here(reason, channel))], page.text)


class AccountDataPlaces:
    """The rule book's word on places, at this moment."""

    def __init__(self, access: Authorization) -> None:
        self._access = access

    async def final(self, person: Person, channel: str) -> AccountData:
        """Whether finished account data of somebody may be written there.

        Raises:
            Refusal: Slack may say so in a while.
        """
        return await self._judge(person, channel, RECENT)

    async def growing(self, person: Person, channel: str) -> AccountData:
        """Whether more account data of somebody may be written there while it grows. Raises as `final` does."""
        # Of somebody who joined another process may have heard; that the channel became public is rare, and dearer.
        return await self._judge(person, channel, GROWING, members_age=RECENT)

    async def of_members(self, person: Person, channel: str) -> bool:
        """Whether everybody in a channel may read account data, whoever it is of. Raises as `final` does."""
        return await self._asked(self._access.shows_account_data(person, channel, age=RECENT), False)

    async def _judge(self, person: Person, channel: str, age: float, members_age: float | None = None) -> AccountData:
        # Where Slack does not tell who the asker is, and will not, nothing is for them.
        nothing = AccountData(Show.NEVER, NO_ACCOUNT_DATA)
        asked = self._access.may_see_account_data(person, channel, age=age, members_age=members_age)
        return await self._asked(asked, nothing)

    async def _asked(self, asked: Awaitable[T], otherwise: T) -> T:
        try:
            return await asked
        except SLACK_ERRORS as error:
            verdict = classify(error)
            if verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.BROKEN_APP):
                raise Refusal(verdict) from error
            return otherwise
