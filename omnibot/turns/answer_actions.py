"""What people do with a finished answer: rate it, export its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from omnibot.accounts.model import NoAuthority
from omnibot.accounts.service import Keyring
from omnibot.clearstreet.omni import Omni
from omnibot.errors import ClearStreetError
from omnibot.turns.buttons import Buttons
from omnibot.turns.model import Person, Surface, Turn
from omnibot.turns.rules import in_plain_words
from omnibot.turns.store import TurnStore

log = structlog.get_logger(__name__)

OLD = "This answer is too old: its data is no longer kept. Ask the question again."


@dataclass(frozen=True, slots=True)
class Export:
    """Data of an answer that somebody wants as a file."""

    turn: Turn
    #: A part of the answer, or a market card below it, as JSON.
    part: dict[str, Any] | None = None
    market_card: Mapping[str, Any] | None = None


class AnswerActions:
    """Rates and gives away what finished turns hold."""

    def __init__(self, store: TurnStore, buttons: Buttons, omni: Omni, keyring: Keyring) -> None:
        self._store = store
        self._buttons = buttons
        self._omni = omni
        self._keyring = keyring

    async def rate(self, turn_id: str, *, team: str, person: Person, score: int, comment: str | None) -> str | None:
        """Tell Clear Street what a person thinks of an answer; the latest counts.

        Args:
            turn_id: the answer's turn.
            team: the workspace it must be of.
            person: who rates it.
            score: +1 or -1.
            comment: their words, if any.

        Returns:
            Why that did not work, in plain words; None when it did.
        """
        turn = await self._store.get(turn_id)
        if turn is None or turn.team != team or not _may_see(turn, person):
            return "This answer is not there any more, so it cannot be rated."
        if turn.answer is None or turn.answer.message_id is None or turn.conversation_id is None:
            return "This answer is too old to be rated."
        conversation = await self._store.conversation(turn.conversation_id)
        try:
            key = await self._keyring.key_of(conversation.principal)
            await self._omni.send_feedback(
                key, conversation.account_id, turn.answer.message_id, score=score, comment=comment or None
            )
        except NoAuthority:
            return "This answer can no longer be rated: the API key it was asked with is not linked any more."
        except ClearStreetError as error:
            log.info("feedback_failed", turn=turn.id, status=error.status, api=error.request_id)
            request = f" (request {error.request_id})" if error.request_id else ""
            return f"Your rating did not reach Clear Street. {in_plain_words(error)}{request}"
        log.info("feedback_sent", turn=turn.id, score=score)
        return None

    async def export(self, token: str, *, team: str, person: Person) -> Export | None:
        """What an export button stands for; None when it is gone, or not this person's to have."""
        found = await self._buttons.find(token, team=team)
        if found is None or found[1].kind != "export":
            return None
        turn = await self._store.get(found[0])
        if turn is None or turn.answer is None or not _may_see(turn, person):
            return None
        kind, _, number = found[1].button_id.partition(":")
        things = turn.answer.parts if kind == "part" else turn.answer.market_cards
        try:
            thing = things[int(number)]
        except (ValueError, IndexError):
            return None
        return Export(turn, part=thing) if kind == "part" else Export(turn, market_card=thing)

    async def order_of(self, token: str, *, team: str) -> tuple[Turn, str] | None:
        """The turn whose answer has this button, and the id of the action that proposes what the button opens."""
        found = await self._buttons.find(token, team=team)
        if found is None or found[1].kind != "order" or found[1].action_id is None:
            return None
        turn = await self._store.get(found[0])
        return None if turn is None or turn.answer is None else (turn, found[1].action_id)

    async def turn_of(self, token: str, *, team: str) -> str | None:
        """The turn whose answer has this button; None when it is gone."""
        found = await self._buttons.find(token, team=team)
        return found[0] if found else None


def _may_see(turn: Turn, person: Person) -> bool:
    """What was asked in private is the asker's alone."""
    return turn.surface is not Surface.PRIVATE or turn.person == person
