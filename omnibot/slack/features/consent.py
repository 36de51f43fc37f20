"""Who may sign agreements, and where Omni may ask for them: the consent policy of the turn engine."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from omnibot.accounts.model import Person, person_of
from omnibot.policy.access import Show
from omnibot.policy.identities import AccessResult
from omnibot.slack.authorization.service import Authorization, authority
from omnibot.slack.errors import SLACK_ERRORS, SlackFailure, classify
from omnibot.turns.model import NotNow, Turn

T = TypeVar("T")

UNKNOWN = AccessResult(False, "Slack does not tell me who you are, so you cannot sign anything here.")


class SlackConsentPolicy:
    """The rule book's word on agreements, for real people and channels."""

    def __init__(self, access: Authorization) -> None:
        self._access = access

    async def may_be_asked(self, turn: Turn, principal: str) -> bool:
        """Whether they may sign, and are answered where account data may be shown."""
        return bool(await self.may_sign(turn, principal)) and await self._shown_here(turn)

    async def may_read_accounts(self, turn: Turn) -> bool:
        """Whether everybody who reads this turn's answer may read which account it is about; silence is a no."""
        try:
            return await self._shown_here(turn)
        except NotNow:
            return False

    async def _shown_here(self, turn: Turn) -> bool:
        shown = await _now(self._access.may_see_account_data(turn.person, turn.channel))
        return shown is not None and shown.show is Show.HERE

    async def may_sign(self, turn: Turn, principal: str) -> AccessResult:
        """Whether this turn's person may sign for a principal."""
        signs = self._access.may_sign(turn.person, authority(person_of(principal)))
        verdict = await _now(signs)
        return verdict if verdict is not None else UNKNOWN

    async def may_sign_now(self, person: Person, principal: str) -> AccessResult:
        """The same for somebody who clicks. Slack's silence is no permission."""
        try:
            return await self._access.may_sign(person, authority(person_of(principal)))
        except SLACK_ERRORS:
            return AccessResult(False, "Slack does not tell me right now whether you may. Try again in a minute.")

    async def may_look_now(self, person: Person) -> AccessResult:
        """Whether somebody may hear about accounts at all, in private."""
        try:
            return await self._access.hearing_of_accounts(person)
        except SLACK_ERRORS:
            return AccessResult(False, "Slack does not tell me right now who you are. Try again in a minute.")


async def _now(asked: Awaitable[T]) -> T | None:
    try:
        return await asked
    except SLACK_ERRORS as error:
        verdict = classify(error)
        if verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.BROKEN_APP):
            raise NotNow(verdict.wait) from error
        return None
