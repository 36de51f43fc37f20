"""Where a final goes: into the thread of the question, or to the asker's DM; and what is left in the thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.answers.reply import is_private
from omnibot.blocks.messages import one_line_page, root_page
from omnibot.slack.authorization.account_data import AccountDataPlaces, elsewhere, with_reason
from omnibot.slack.delivery.agent_status import AgentStatus
from omnibot.slack.delivery.messages import DIRECT, STUB, Messages
from omnibot.slack.delivery.metadata import Post
from omnibot.slack.delivery.streaming import PROGRESS
from omnibot.slack.errors import SLACK_ERRORS, Refusal, SlackFailure, classify
from omnibot.turns.model import Show, Turn, TurnAnswer, Undeliverable

#: Refusals after which the same is tried again in a while.
_LATER = (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.STREAM_OPEN, SlackFailure.BROKEN_APP)


@dataclass(frozen=True, slots=True)
class Route:
    """Where an answer goes."""

    #: It goes to the asker's DM, and this stays where it was asked.
    line: str | None = None
    #: It is shown nowhere, and this is said instead.
    withheld: str | None = None

    @property
    def kind(self) -> tuple[bool, bool]:
        """The same for the same way, whatever is said of it."""
        return self.line is not None, self.withheld is not None


class NotYet(Exception):
    """Slack does not say, or do, what is needed before anything of an answer is written."""

    def __init__(self, wait: float) -> None:
        super().__init__()
        #: Seconds after which to try again.
        self.wait = wait


class Routes:
    """The ways of all finals of this process."""

    def __init__(
        self, client: AsyncWebClient, posts: Messages, sessions: AgentStatus, places: AccountDataPlaces | None
    ) -> None:
        self._client = client
        self._posts = posts
        self._sessions = sessions
        self._places = places
        #: By turn, the asker's DM where the answer went there.
        self.moved: dict[str, str] = {}

    def forget(self, turn_id: str) -> None:
        """The turn is over, or somebody else's."""
        self.moved.pop(turn_id, None)

    async def judge(self, turn: Turn, answer: TurnAnswer, slots: dict[str, Post]) -> Route:
        """Judge once more where account data may be written, now that it is about to be.

        Where it may not be any more, the question and the reason are shown in the asker's DM, everything shown of the
        answer where it was asked is replaced by a line that says so, and the pages follow in the DM. What was once
        moved stays there: nothing is shown twice.

        Raises:
            NotYet: Slack does not say, or do it, right now.
            Undeliverable: it may not be shown here, and the asker has no DM with us.
        """
        if self._places is None or not answer.about_account:
            return Route()
        try:
            shown = await self._places.final(turn.person, turn.channel)
            if shown.show is Show.NEVER:
                return Route(withheld=shown.reason)
            if is_private(turn) or (shown.show is Show.HERE and DIRECT not in slots):
                return Route()
            line = elsewhere(shown.reason)
            await self._move(turn, slots, shown.reason, line)
        except Refusal as refusal:
            if refusal.verdict.failure in _LATER:
                raise NotYet(refusal.verdict.wait) from refusal
            await self._cover(turn, slots, "Slack does not take this answer.")
            raise Undeliverable(refusal.verdict.code) from refusal
        return Route(line)

    async def may_redraw(self, turn: Turn, answer: TurnAnswer, slots: Mapping[str, Post]) -> bool:
        """Whether a delivered answer may be written again where it stands; else it stays as it is."""
        if self._places is None or not answer.about_account:
            return True
        stands = next((slots[name].channel for name in ("answer:0", PROGRESS) if name in slots), turn.channel)
        try:
            return (await self._places.final(turn.person, stands)).show is Show.HERE
        except Refusal:
            return False

    async def _move(self, turn: Turn, slots: dict[str, Post], reason: str, line: str) -> None:
        own = self.moved.get(turn.id) or await self.dm_of(turn)
        self.moved[turn.id] = own
        if DIRECT not in slots or slots[DIRECT].ts is None:
            page = root_page(asker=turn.person.user, question=turn.question or "", kind=turn.kind.value)
            page = with_reason(page, reason, turn.channel)
            await self._posts.write(turn, slots, DIRECT, page, channel=own, thread_ts=None)
        await self._cover(turn, slots, line)
        for slot in [name for name, post in slots.items() if shows_answer(name) and post.channel == turn.channel]:
            await self._remove(turn, slots, slot)

    async def _cover(self, turn: Turn, slots: dict[str, Post], line: str) -> None:
        """Say a line where the answer was to grow, in place of what stands there. Raises Refusal to try it later."""
        session = self._sessions.after(turn)
        for slot in (PROGRESS, STUB) if PROGRESS in slots else (STUB,):
            try:
                page, channel, thread_ts = one_line_page(line), turn.channel, turn.thread_ts
                await self._posts.write(turn, slots, slot, page, channel=channel, thread_ts=thread_ts, session=session)
                return
            except Refusal as refusal:
                if refusal.verdict.failure in _LATER:
                    raise

    async def _remove(self, turn: Turn, slots: dict[str, Post], slot: str) -> None:
        channel, session = slots[slot].channel, self._sessions.after(turn)
        thread_ts = thread_of(turn, slots, channel)
        try:
            await self._posts.remove(turn, slots, slot, thread_ts=thread_ts, session=session)
        except Refusal as refusal:
            if refusal.verdict.failure in _LATER:
                raise
            # It is not ours to delete: what was shown while that was allowed stays.
            await self._posts.forget(turn.id, slots, slot, self.moved.get(turn.id, channel))

    def channel_of(self, turn: Turn, slots: Mapping[str, Post]) -> str:
        """Where the next page goes: beside the pages before it."""
        if turn.id in self.moved:
            return self.moved[turn.id]
        last = [post.channel for name, post in sorted(slots.items()) if name.startswith("answer:")]
        return last[-1] if last else turn.channel

    async def dm_of(self, turn: Turn) -> str:
        """The asker's DM with us. Raises Refusal."""
        try:
            answer = await self._client.conversations_open(users=turn.person.user)
        except SLACK_ERRORS as error:
            raise Refusal(classify(error)) from error
        return str(answer["channel"]["id"])


def shows_answer(slot: str) -> bool:
    """Whether the slot holds words of the answer beside the draft's first message, which says where the answer is."""
    return slot.startswith((f"{PROGRESS}:", "answer:"))


def thread_of(turn: Turn, slots: Mapping[str, Post], channel: str) -> str | None:
    """The thread in which a page of the answer stands there: of the question, or of what shows it in the DM."""
    if channel == turn.channel:
        return turn.thread_ts
    root = slots.get(DIRECT)
    return root.ts if root is not None and root.channel == channel else None
