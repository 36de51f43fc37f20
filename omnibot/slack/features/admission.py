"""Admission: who asks, whether they may, what they ask, and where the reply goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog

from omnibot.accounts.key_detection import KEY_SEEN, holds_key
from omnibot.blocks.messages import one_line_page, root_page
from omnibot.slack.authorization.account_data import elsewhere, with_reason
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.authorization.users import Users
from omnibot.slack.delivery.messages import DIRECT, ROOT, STUB, Messages
from omnibot.slack.errors import SLACK_ERRORS, Refusal, SlackFailure, classify
from omnibot.slack.inbound.text import KEY, REFUSED, mentioned_users, misplaced_command, question_text
from omnibot.turns.model import Admitted, NotNow, Surface, Turn, TurnedAway

log = structlog.get_logger(__name__)

MISPLACED: Final = "Nothing was done: trading is as it was. To do it, type `/omni {}`."
NOTHING_ASKED = (
    "What would you like to know? Mention me with a question, such as “what is the price of AAPL?”, "
    "or type `/omni help`."
)
ONLY_A_FILE = "I cannot read files yet. Tell me in words what you would like to know."
UNKNOWN_PERSON = (
    "Slack does not tell me who you are, or lets me answer you nowhere, so I cannot ask Omni for you. "
    "Invite me into the channel, or write to me directly."
)


class SlackAdmission:
    """The `FrontDesk` of the turns, on Slack."""

    def __init__(self, people: Users, access: Authorization, posts: Messages, *, bot_user_id: str) -> None:
        self._people = people
        self._access = access
        self._posts = posts
        self._bot_user_id = bot_user_id

    async def admit(self, turn: Turn) -> Admitted | TurnedAway:
        """Authorise the asker, read the question, and for a command post the root message its answer hangs on."""
        try:
            return await self._admit(turn)
        except SLACK_ERRORS as error:
            verdict = classify(error)
        except Refusal as refusal:
            verdict = refusal.verdict
        log.info("admission_refused_by_slack", turn=turn.id, error=verdict.code)
        if verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.BROKEN_APP):
            raise NotNow(verdict.wait)
        return TurnedAway(UNKNOWN_PERSON)

    async def _admit(self, turn: Turn) -> Admitted | TurnedAway:
        if turn.event.get(REFUSED) == KEY or holds_key(turn.question or ""):
            return TurnedAway(KEY_SEEN)
        allowed = await self._access.may_ask(turn.person, turn.channel)
        if not allowed:
            return TurnedAway(allowed.reason)
        question = turn.question if turn.question is not None else await self._read(turn)
        if holds_key(question):
            return TurnedAway(KEY_SEEN)
        if (command := misplaced_command(question)) is not None:
            return TurnedAway(MISPLACED.format(command))
        if not question.strip():
            return TurnedAway(ONLY_A_FILE if turn.event.get("files") else NOTHING_ASKED)
        channel, thread_ts = turn.channel, turn.thread_ts
        if thread_ts is None:
            channel, thread_ts = await self._root(turn, question)
        shown = await self._access.may_see_account_data(turn.person, channel)
        return Admitted(question, channel, thread_ts, shown.show)

    async def direct(self, turn: Turn, admitted: Admitted, thread: tuple[str, str] | None) -> Admitted:
        """Show the question in the asker's DM, and where it was asked that it is answered there."""
        try:
            own, root = thread or (await self._access.direct(turn.person), None)
            slots = await self._posts.load(turn.id)
            reason = (await self._access.may_see_account_data(turn.person, admitted.channel)).reason
            page = root_page(asker=turn.person.user, question=admitted.question, kind=turn.kind.value)
            page = with_reason(page, reason, admitted.channel)
            ts = await self._posts.write(turn, slots, DIRECT, page, channel=own, thread_ts=root)
            stub = one_line_page(elsewhere(reason))
            await self._posts.write(turn, slots, STUB, stub, channel=admitted.channel, thread_ts=admitted.thread_ts)
        except SLACK_ERRORS as error:
            raise NotNow(classify(error).wait) from error
        except Refusal as refusal:
            raise NotNow(refusal.verdict.wait) from refusal
        return replace(admitted, channel=own, thread_ts=root or ts)

    async def _read(self, turn: Turn) -> str:
        names = await self._people.names(turn.team, mentioned_users(turn.event))
        return question_text(turn.event, bot_user_id=self._bot_user_id, names=names)

    async def _root(self, turn: Turn, question: str) -> tuple[str, str]:
        """Post (or find) the message that shows a command's question; in the asker's DM where the bot cannot post."""
        slots = await self._posts.load(turn.id)
        page = root_page(asker=turn.person.user, question=question, kind=turn.kind.value)
        post = slots.get(ROOT)
        if post is None and turn.surface is Surface.PRIVATE:
            channel = await self._access.direct(turn.person)
        else:
            channel = post.channel if post is not None else turn.channel
        try:
            return channel, await self._posts.write(turn, slots, ROOT, page, channel=channel, thread_ts=None)
        except Refusal as refusal:
            if refusal.verdict.failure is not SlackFailure.CLOSED:
                raise
            closed = refusal
        # A channel whose id begins like a DM's may be other people's: only the bot's own with the asker is the asker's.
        own = await self._access.direct(turn.person)
        if own == channel:
            raise closed
        await self._posts.forget(turn.id, slots, ROOT, own)
        return own, await self._posts.write(turn, slots, ROOT, page, channel=own, thread_ts=None)


def research_question(ticker: str, thesis: str | None) -> str:
    """How a deep insight is named in Slack."""
    return f"Deep insights on {ticker}: {thesis}" if thesis else f"Deep insights on {ticker}"
