"""How an answer appears: progress while Omni works (streaming.py), and the complete final.

Drafts are coalesced (the latest wins) and paced; a final waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.account.consent import card_page
from omnibot.blocks.account.prompts import ACCOUNT_ACTION, LINK_ACTION, prompt_page
from omnibot.blocks.answers.reply import is_private
from omnibot.blocks.layout.fallbacks import older_page, plain_page, words_only
from omnibot.blocks.layout.types import Page
from omnibot.blocks.messages import one_line_page
from omnibot.clearstreet.models import read_parts
from omnibot.consent.model import Card, ConsentState
from omnibot.slack.authorization.account_data import AccountDataPlaces
from omnibot.slack.delivery.agent_status import AgentStatus
from omnibot.slack.delivery.ephemeral import tell_privately
from omnibot.slack.delivery.files import Pictures
from omnibot.slack.delivery.messages import ROOT, SLACK_TIMEOUT, Messages
from omnibot.slack.delivery.metadata import Post
from omnibot.slack.delivery.rate_limits import WriteBudget
from omnibot.slack.delivery.rendering import Rendering
from omnibot.slack.delivery.routes import NotYet, Routes, shows_answer, thread_of
from omnibot.slack.delivery.streaming import PROGRESS, Draft, slot_of
from omnibot.slack.errors import Refusal, SlackFailure
from omnibot.turns.model import HeldFor, OfferedButton, ResponseSnapshot, Turn, TurnAnswer, Undeliverable
from omnibot.turns.rules import proposed_by_itself

log = structlog.get_logger(__name__)

#: Shows a turn's consent as it stands now.
CardOf = Callable[[str], Awaitable[Card | None]]
#: The slot of a card that is shown apart from its answer.
CONSENT = "consent"
_PROMPTS = {HeldFor.LINK: LINK_ACTION, HeldFor.ACCOUNT: ACCOUNT_ACTION}
#: Tries of one write within one call of `finish`, before the turn's timer takes over.
TRIES = 6
#: Seconds between tries to take a placeholder away, whatever Slack asks for.
RETRACTION_PATIENCE = 2.0
#: What stays where an answer stood that is in the direct messages.
IN_DM = "The answer is in your direct messages."


class SlackReply:
    """The `Reply` of the turns, on Slack."""

    def __init__(
        self,
        client: AsyncWebClient,
        posts: Messages,
        budget: WriteBudget,
        pictures: Pictures,
        *,
        chart_url: str | None = None,
        card_of: CardOf | None = None,
        rendering: Rendering | None = None,
        places: AccountDataPlaces | None = None,
    ) -> None:
        self._client = client
        self._places = places
        self._posts = posts
        self._pictures = pictures
        self._chart_url = chart_url
        self._card_of = card_of
        self._rendering = rendering or Rendering(posts.database)
        self._budget = budget
        self._sessions = AgentStatus(client, budget)
        self._drafts: dict[str, Draft] = {}
        self._routes = Routes(client, posts, self._sessions, places)
        #: Progress writes under way, of forgotten turns too.
        self._tasks: set[asyncio.Task[None]] = set()

    def _draft(self, turn: Turn) -> Draft:
        draft = self._drafts.get(turn.id)
        if draft is None:
            draft = self._drafts[turn.id] = Draft(turn, self._posts, self._budget, self._sessions, places=self._places)
        draft.turn = turn
        return draft

    def drop(self, turn_id: str) -> None:
        """Forget a turn; a write under way ends by itself."""
        self._routes.forget(turn_id)
        self._sessions.forget(turn_id)
        draft = self._drafts.pop(turn_id, None)
        if draft is not None:
            draft.close()

    async def close(self) -> None:
        """Let the progress writes under way end; those that only wait for their time do not begin."""
        for draft in self._drafts.values():
            draft.close()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=SLACK_TIMEOUT)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._sessions.close(SLACK_TIMEOUT)

    # Progress.

    def begin(self, turn: Turn) -> None:
        """Show that work has begun."""
        self.progress(turn, ResponseSnapshot("queued", "", ()))

    def progress(self, turn: Turn, snapshot: ResponseSnapshot, note: str | None = None) -> None:
        """Show the latest when its time has come."""
        self._keep(self._draft(turn).offer(snapshot, note))

    def stopping(self, turn: Turn) -> None:
        """Say at once that Stop was heard, where anything is shown of this turn."""
        if (draft := self._drafts.get(turn.id)) is not None:
            self._keep(draft.stop())

    def _keep(self, task: asyncio.Task[None] | None) -> None:
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # The final.

    async def finish(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> float | None:
        """Deliver every page of the answer. Seconds to the next try when Slack did not take one."""
        draft = self._draft(turn)
        draft.close()
        async with draft.lock:
            slots = await draft.slots()
            card = await self._card(turn, answer)
            if (card is not None and card.state is ConsentState.ASKED) or _proposes(answer):
                self._sessions.suspend(turn)
            try:
                pages = await self._pages(turn, answer, buttons, card)
                wait, withheld = await self._deliver(turn, answer, slots, pages)
                if wait is None and card is not None and not withheld:
                    wait = await self._ask_privately(turn, slots, card)
            except NotYet as not_yet:
                return not_yet.wait
            except Undeliverable:
                self._rest(turn, slots)
                raise
        if wait is None:
            self._rest(turn, slots)
        return wait

    def _rest(self, turn: Turn, slots: Mapping[str, Post]) -> None:
        """Say that the work is over, unless the end of a stream has said so, or nobody heard that it had begun."""
        self._sessions.end(turn, said=PROGRESS not in slots or slots[PROGRESS].rests)

    async def _pages(
        self,
        turn: Turn,
        answer: TurnAnswer,
        buttons: Sequence[OfferedButton],
        card: Card | None,
        *,
        presses: bool = True,
    ) -> list[Page]:
        pictures, url = await self._pictures.of(turn, answer), self._chart_url
        return await self._rendering.pages(
            turn, answer, buttons, pictures=pictures, chart_url=url, presses=presses, consent=card
        )

    async def _card(self, turn: Turn, answer: TurnAnswer) -> Card | None:
        """What the answer asks somebody to sign, as it stands now."""
        if self._card_of is None or answer.consent is None or "id" not in answer.consent:
            return None
        return await self._card_of(turn.id)

    async def _ask_privately(self, turn: Turn, slots: dict[str, Post], card: Card) -> float | None:
        """Where others read the answer, the card goes to the asker's DM. Seconds to the next try."""
        if is_private(turn):
            return None
        try:
            own = slots[CONSENT].channel if CONSENT in slots else await self._routes.dm_of(turn)
            await self._posts.write(turn, slots, CONSENT, card_page(card), channel=own, thread_ts=None)
        except Refusal as refusal:
            if refusal.verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.BROKEN_APP):
                return refusal.verdict.wait
            log.warning("consent_card_refused", turn=turn.id, error=refusal.verdict.code)
        return None

    async def _deliver(
        self, turn: Turn, answer: TurnAnswer, slots: dict[str, Post], pages: Sequence[Page]
    ) -> tuple[float | None, bool]:
        """Write the pages where they may be read, judged before each.

        Returns:
            Seconds to the next try, None when all of them stand; and whether a line stands there in their place.
        """
        route = await self._routes.judge(turn, answer, slots)
        written = pages if route.withheld is None else [one_line_page(route.withheld)]
        late = answer.late or route.line is not None
        for number, page in enumerate(written):
            if number and (await self._routes.judge(turn, answer, slots)).kind != route.kind:
                return await self._deliver(turn, answer, slots, pages)
            wait = await self._deliver_page(turn, slots, _slot(number, slots, late=late), page)
            if wait is not None:
                return wait, False
        if route.line is None and (wait := await self._shrink(turn, slots, late=late)) is not None:
            return wait, False
        return await self._tidy(turn, slots, len(written), late=late), route.withheld is not None

    async def _deliver_page(self, turn: Turn, slots: dict[str, Post], slot: str, page: Page) -> float | None:
        try:
            return await self._write(turn, slots, slot, page)
        except Undeliverable:
            page, session = one_line_page("Slack does not take this answer."), self._sessions.after(turn)
            await self._posts.amend(turn, slots, PROGRESS, page, session=session)
            raise

    async def _shrink(self, turn: Turn, slots: dict[str, Post], *, late: bool) -> float | None:
        """Where the answer does not stand in its draft, that says where it is. Seconds to the next try."""
        first = slots.get("answer:0")
        if first is None or PROGRESS not in slots:
            return None
        here = late and first.channel == slots[PROGRESS].channel
        page = one_line_page("The answer is below." if here else IN_DM)
        try:
            await self._posts.rewrite(turn, slots, PROGRESS, page, session=self._sessions.after(turn))
        except Refusal as refusal:
            if refusal.verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.STREAM_OPEN):
                return refusal.verdict.wait
        return None

    async def _tidy(self, turn: Turn, slots: dict[str, Post], pages: int, *, late: bool) -> float | None:
        """Take away what holds no page of the answer: of a longer draft, or of a delivery in more pages."""
        for slot in _surplus(slots, pages, late=late):
            session = self._sessions.after(turn)
            try:
                thread_ts = thread_of(turn, slots, slots[slot].channel)
                await self._posts.remove(turn, slots, slot, thread_ts=thread_ts, session=session)
            except Refusal as refusal:
                if refusal.verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN):
                    return refusal.verdict.wait
        return None

    async def _write(self, turn: Turn, slots: dict[str, Post], slot: str, page: Page) -> float | None:
        """Write one page of the final, whatever it takes. Seconds to the next try, None when it stands."""
        simpler = iter((older_page, plain_page, words_only))
        wait = 1.0
        for _ in range(TRIES):
            post = slots.get(slot)
            channel = post.channel if post is not None else self._routes.channel_of(turn, slots)
            thread_ts = thread_of(turn, slots, channel)
            try:
                session = self._sessions.after(turn)
                await self._posts.write(turn, slots, slot, page, channel=channel, thread_ts=thread_ts, session=session)
                return None
            except Refusal as refusal:
                verdict = refusal.verdict
            wait = verdict.wait
            match verdict.failure:
                case SlackFailure.SLOW_DOWN | SlackFailure.BROKEN_APP:
                    return wait
                case SlackFailure.UNKNOWN:
                    await asyncio.sleep(0.3)
                case SlackFailure.STREAM_OPEN | SlackFailure.STREAM_OVER:
                    continue  # the next try ends the stream first, or knows by now that it has ended
                case SlackFailure.MESSAGE_GONE:
                    await self._posts.forget(turn.id, slots, slot, channel)
                case SlackFailure.BAD_BLOCKS | SlackFailure.REFUSED if (simplify := next(simpler, None)) is not None:
                    page = simplify(page)
                case SlackFailure.CLOSED | SlackFailure.BAD_BLOCKS | SlackFailure.REFUSED:
                    try:
                        slot = await self._move_to_dm(turn, slots, slot, channel, verdict.code)
                    except Refusal as refusal:
                        return refusal.verdict.wait
        return wait

    async def _move_to_dm(self, turn: Turn, slots: dict[str, Post], slot: str, channel: str, code: str) -> str:
        """Where the page cannot be shown, the asker's own DM is the last resort. Returns the slot to write there.

        Raises:
            Undeliverable: that was the DM, or there is none.
            Refusal: Slack is busy.
        """
        try:
            own = await self._routes.dm_of(turn)
        except Refusal as refusal:
            if refusal.verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.BROKEN_APP):
                raise
            own = channel
        if own == channel:
            raise Undeliverable(code)
        if slot.startswith(PROGRESS):
            # The placeholder stays where it is, and will say where the answer went.
            slot = f"answer:{slot.removeprefix(PROGRESS).removeprefix(':') or 0}"
        if slot in slots and slots[slot].channel != own:
            await self._posts.forget(turn.id, slots, slot, own)
        self._routes.moved[turn.id] = own
        return slot

    def resume(self, turn: Turn) -> None:
        """Nobody is waited for any more."""
        self._sessions.resume(turn)

    async def redraw(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> None:
        """Show a delivered reply as it is now (who pressed which button): in the messages it has, or fewer."""
        slots = await self._posts.load(turn.id)
        card = await self._card(turn, answer)
        if await self._routes.may_redraw(turn, answer, slots):
            await self._redraw(turn, answer, buttons, slots, card)
        if card is not None:
            await self._posts.amend(turn, slots, CONSENT, card_page(card), session=self._sessions.after(turn))
            if card.state.settled:
                self._sessions.resume(turn)

    async def _redraw(
        self,
        turn: Turn,
        answer: TurnAnswer,
        buttons: Sequence[OfferedButton],
        slots: dict[str, Post],
        card: Card | None,
    ) -> None:
        pages = await self._pages(turn, answer, buttons, card)
        if any(_slot(number, slots, late=answer.late) not in slots for number in range(len(pages))):
            # The lines that say who pressed push words off the last message: the marks on the buttons must do.
            pages = await self._pages(turn, answer, buttons, card, presses=False)
        where = [_slot(number, slots, late=answer.late) for number in range(len(pages))]
        if not slots.keys() >= set(where):
            log.info("redraw_too_long", turn=turn.id, pages=len(pages))
            return
        session = self._sessions.after(turn)
        shown = [
            await self._posts.amend(turn, slots, slot, page, session=session)
            for slot, page in zip(where, pages, strict=True)
        ]
        if all(shown):
            for slot in _surplus(slots, len(pages), late=answer.late):
                await self._posts.drop(turn, slots, slot)

    async def retract(self, turn: Turn) -> None:
        """Take the placeholder away; the question ends without an answer."""
        draft = self._draft(turn)
        draft.close()
        async with draft.lock:
            slots = await draft.slots()
            begun = slots.get(PROGRESS)
            # A command's root is known before its turn is joined to a conversation.
            thread_ts = turn.thread_ts or (slots[ROOT].ts if ROOT in slots else None)
            turn = replace(turn, thread_ts=thread_ts)
            await self._take_away(turn, slots)
            self._sessions.end(turn, said=begun is None or begun.rests)

    async def _take_away(self, turn: Turn, slots: dict[str, Post]) -> None:
        for _ in range(TRIES):
            if PROGRESS not in slots:
                return
            session = self._sessions.after(turn)
            try:
                await self._posts.remove(turn, slots, PROGRESS, thread_ts=turn.thread_ts, session=session)
            except Refusal as refusal:
                if refusal.verdict.failure not in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN):
                    page = one_line_page("This question was dropped.")
                    await self._posts.amend(turn, slots, PROGRESS, page, session=session)
                    return
                await asyncio.sleep(min(refusal.verdict.wait, RETRACTION_PATIENCE))

    async def tell_privately(self, turn: Turn, sentence: str, *, prompt: HeldFor | None = None) -> None:
        """Tell the asker alone; in a DM if the channel is closed to us."""
        blocks = prompt_page(sentence, _PROMPTS[prompt], turn.id).blocks if prompt in _PROMPTS else None
        thread_ts = turn.thread_ts if turn.thread_ts != turn.message_ts else None
        await tell_privately(
            self._client,
            channel=turn.channel,
            user=turn.person.user,
            sentence=sentence,
            thread_ts=thread_ts,
            blocks=blocks,
        )


def _proposes(answer: TurnAnswer) -> bool:
    """Whether cards of orders follow it, for somebody to decide."""
    return answer.orders is not None and bool(proposed_by_itself(read_parts(answer.parts)))


def _slot(number: int, slots: Mapping[str, Post], *, late: bool) -> str:
    """Where a page of the final goes.

    The short answer grows into its draft; the long-awaited one is a new post, for edits notify nobody.
    """
    draft, own = slot_of(number), f"answer:{number}"
    return draft if draft in slots and own not in slots and not late else own


def _surplus(slots: Mapping[str, Post], pages: int, *, late: bool) -> list[str]:
    """Slots beside the first that hold no page of an answer of so many pages."""
    kept = {_slot(number, slots, late=late) for number in range(pages)}
    return [name for name in slots if shows_answer(name) and name not in kept]
