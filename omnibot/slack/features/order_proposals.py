"""Orders that Omni proposes in answers, as tickets."""

from __future__ import annotations

from omnibot.accounts.model import person_of
from omnibot.clearstreet.models import Action, read_parts
from omnibot.orders.model import Proposal, Ticket
from omnibot.orders.service import Orders
from omnibot.policy import roles
from omnibot.policy.access import Show
from omnibot.slack.authorization.service import Authorization, authority
from omnibot.slack.errors import SLACK_ERRORS, SlackFailure, classify
from omnibot.turns.model import Conversation, NotNow, Turn, TurnAnswer
from omnibot.turns.rules import proposals, proposed_by_itself


class SlackOrderProposals:
    """The rule book's word on trading for real people and channels, and the way to the tickets."""

    def __init__(self, orders: Orders, access: Authorization) -> None:
        self._orders = orders
        self._access = access

    async def may_be_asked(self, turn: Turn, conversation: Conversation) -> bool:
        """Whether they may trade with this link or key, and are answered where account data may be shown."""
        try:
            who = await self._access.who(turn.person)
            if not roles.may_trade(self._access.policy, who, authority(person_of(conversation.principal))):
                return False
            shown = await self._access.may_see_account_data(turn.person, turn.channel)
        except SLACK_ERRORS as error:
            verdict = classify(error)
            if verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.BROKEN_APP):
                raise NotNow(verdict.wait) from error
            return False
        return shown.show is Show.HERE

    async def propose(self, turn: Turn, answer: TurnAnswer) -> None:
        """Make tickets of what the answer proposes by itself."""
        for part in proposed_by_itself(read_parts(answer.parts)):
            await self._propose(turn, answer, part.action_id, part.action)

    async def open(self, turn: Turn, action_id: str) -> list[Ticket]:
        """Make tickets of what a button of the answer stands for; those it has already where it was pressed before."""
        if turn.answer is None:
            return []
        for part in proposals(read_parts(turn.answer.parts)):
            if part.action_id == action_id:
                return await self._propose(turn, turn.answer, action_id, part.action)
        return []

    async def _propose(self, turn: Turn, answer: TurnAnswer, action_id: str, action: Action) -> list[Ticket]:
        if answer.orders is None or answer.message_id is None:
            return []
        proposal = Proposal(
            message_id=answer.message_id,
            action_id=action_id,
            owner=turn.person,
            team=turn.team,
            channel=turn.channel,
            thread_ts=turn.thread_ts,
            principal=answer.orders["principal"],
            account_id=answer.orders["account_id"],
            turn_id=turn.id,
        )
        return await self._orders.propose(action, proposal)
