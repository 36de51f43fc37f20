"""From accepted to running: the create call, what its failure means, and looking up unknown outcomes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from typing import Any

import structlog

from omnibot.accounts.model import NoAuthority
from omnibot.accounts.service import Keyring
from omnibot.clearstreet.bodies import deep_insights_body, message_body, thread_body
from omnibot.clearstreet.models import Message
from omnibot.clearstreet.models.resources import Created
from omnibot.clearstreet.omni import Omni
from omnibot.errors import ClearStreetError, NotFound, RateLimited, Unavailable
from omnibot.turns.account_data import Exposure
from omnibot.turns.active import Active, StopPressed
from omnibot.turns.cancellation import STOP_PATIENCE, Cancellation
from omnibot.turns.capabilities import capabilities
from omnibot.turns.model import (
    ConsentPolicy,
    Conversation,
    Kind,
    OrderProposals,
    Reply,
    ResponseSnapshot,
    Turn,
    TurnState,
)
from omnibot.turns.rows import utcnow
from omnibot.turns.rules import (
    CLOCKS_DIFFER,
    DEADLINE,
    Verdict,
    after_create_error,
    backoff,
    candidate_threads,
    in_plain_words,
    is_first_question,
    poll_after,
    take_over_message,
)
from omnibot.turns.store import TurnStore

log = structlog.get_logger(__name__)

#: Seconds before each look for a lost create call; after the last one it is sent again.
LOOK_AFTER = (0.0, 3.0, 7.0)
#: Looks that may fail once the turn's time is over (the bot was down, say) before it is given up.
LATE_TRIES = 6
#: How often one turn's create call is sent at most.
MAX_SUBMISSIONS = 4
#: Seconds a create call may take, and must be covered by the lease.
CREATE_TIMEOUT = 10.0
#: Seconds between reads of a busy thread.
BUSY_WAIT = 1.0

NEW_THREAD_NOTICE = (
    "Omni could not continue the earlier conversation, so this is a new one: it has not seen what was said before."
)
RESEARCH_NOTICE = (
    "Research is a conversation of its own with Omni: it has not seen what was said before, and follow-ups here go on "
    "from the research."
)
UNCONFIRMED = (
    "Clear Street did not confirm that it received the question, so there may be an answer that is not shown here."
)

Fail = Callable[[Active, str, str | None], Awaitable[float | None]]


class TurnSubmission:
    """Brings a turn to Omni, once."""

    def __init__(
        self,
        store: TurnStore,
        omni: Omni,
        keyring: Keyring,
        reply: Reply,
        *,
        assure: Callable[[Active, float], Awaitable[None]],
        fail: Fail,
        stopped: Callable[[Active], Awaitable[float | None]],
        canceling: Cancellation,
        consent_policy: ConsentPolicy | None = None,
        order_proposals: OrderProposals | None = None,
    ) -> None:
        self._store = store
        self._omni = omni
        self._keyring = keyring
        self._reply = reply
        self._assure = assure
        self._fail = fail
        self._stopped = stopped
        self._canceling = canceling
        self._consent_policy = consent_policy
        self._order_proposals = order_proposals
        self._exposure = Exposure(omni, consent_policy)

    async def begin(self, active: Active) -> float | None:
        """Write the request down, show that work began, and send it. Returns seconds to the next step."""
        turn, conversation = active.turn, active.conversation
        assert conversation is not None
        # Without a key nothing is begun: such a turn can wait for one.
        key = await self._keyring.key_of(conversation.principal)
        if turn.queue_said and await self._exposure.exposed(turn, conversation, key):
            # Admitted anew, it is answered where that may be read.
            active.turn = await self._store.move(turn, TurnState.ACCEPTED, conversation_id=None)
            return 0.0
        thread_id = None if turn.kind is Kind.DEEP_INSIGHTS else conversation.omni_thread_id
        if turn.kind is Kind.DEEP_INSIGHTS and conversation.omni_thread_id is not None:
            turn = active.turn = await self._notice(turn, RESEARCH_NOTICE)
        may = await capabilities(self._consent_policy, self._order_proposals, turn, conversation)
        submitting = await self._store.submit(
            turn,
            request=_body(turn, conversation.account_id, may, continuing=thread_id is not None),
            thread_id=thread_id,
            deadline=DEADLINE[turn.kind],
        )
        if submitting is None:
            # Edited, or another turn was quicker: the next step sees which, and waits its turn.
            return 0.1
        active.turn = submitting
        self._reply.begin(submitting)
        return await self._send(active)

    async def _send(self, active: Active) -> float | None:
        turn, conversation = active.turn, active.conversation
        assert conversation is not None
        key = await self._keyring.key_of(conversation.principal)
        await self._assure(active, CREATE_TIMEOUT)
        active.sent_here = True
        creating = asyncio.ensure_future(self._create(active, key))
        try:
            async with active.until_stopped(STOP_PATIENCE):
                created = await asyncio.shield(creating)
        except StopPressed:
            self._canceling.undo(active, key, conversation.account_id, creating)
            return 0.0
        except asyncio.CancelledError:
            creating.cancel()
            raise
        except ClearStreetError as error:
            try:
                await self._keyring.judge(conversation.principal, key, error)
            except NoAuthority:
                # Refused, so it did not happen: it can be asked with another key.
                active.turn = await self._store.move(turn, TurnState.ACCEPTED)
                raise
            return await self._after_error(active, error)
        if not await self._run(active, created.thread_id, created.response_id, created.user_message_id):
            # The API named a thread or message that is another turn's: nothing of that kind may be believed.
            return await self._fail(active, UNCONFIRMED, None)
        return poll_after(turn.kind, 0, 0, random.random())

    async def _create(self, active: Active, key: str) -> Created:
        turn, conversation = active.turn, active.conversation
        assert conversation is not None
        assert turn.request is not None
        account_id, thread_id = conversation.account_id, turn.request_thread_id
        if thread_id is None:
            return await self._omni.create_thread(key, account_id, turn.request, idempotency_key=turn.idempotency_key)
        return await self._omni.create_message(
            key, account_id, thread_id, turn.request, idempotency_key=turn.idempotency_key
        )

    async def _run(self, active: Active, thread_id: str, response_id: str | None, message_id: str) -> bool:
        """Omni has it. False: that thread or message belongs to another turn already."""
        running = await self._store.started(
            active.turn, thread_id=thread_id, response_id=response_id, user_message_id=message_id
        )
        if running is None:
            log.warning("turn_take_over_lost", turn=active.turn.id, thread=thread_id)
            return False
        active.began(running)
        active.conversation = await self._store.conversation(running.conversation_id or "")
        log.info("turn_running", turn=running.id, response=response_id)
        return True

    async def _after_error(self, active: Active, error: ClearStreetError) -> float | None:
        verdict = after_create_error(error, continuing=active.turn.request_thread_id is not None)
        log.info("turn_create_failed", turn=active.turn.id, verdict=verdict, status=error.status, api=error.request_id)
        active.request_id = error.request_id
        match verdict:
            case Verdict.WAIT:
                assert isinstance(error, RateLimited)
                if self._out_of_time(active.turn, error.retry_after):
                    return await self._fail(active, in_plain_words(error), error.request_id)
                self._note(active, "Clear Street is busy: the question waits for its turn …")
                return await self._again(active, error.retry_after)
            case Verdict.BUSY:
                return await self._busy(active, error)
            case Verdict.UNKNOWN:
                self._note(active, "Clear Street has not confirmed the question yet: looking it up …")
                active.failures += 1
                active.looks = 0
                return await self._look(active)
            case Verdict.GONE:
                return await self._new_thread(active)
            case Verdict.REFUSED:
                return await self._fail(active, in_plain_words(error), error.request_id)

    async def _again(self, active: Active, wait: float) -> float:
        """Back to accepted: the create call certainly did not happen (or nothing was found of it)."""
        active.turn = await self._store.move(active.turn, TurnState.ACCEPTED)
        active.looks = 0
        return wait

    # 409.

    async def _busy(self, active: Active, error: ClearStreetError) -> float | None:
        """Omni refused because of the thread: somebody's response is active, or the thread's scope changed."""
        turn, conversation = active.turn, active.conversation
        assert conversation is not None
        assert turn.request_thread_id is not None
        if self._out_of_time(turn, BUSY_WAIT):
            return await self._fail(active, in_plain_words(error), error.request_id)
        try:
            if turn.submissions > 1 and (found := await self._take_over_message(active)) is not None:
                return await self._take(active, found)
            response = await self._omni.active_response(
                await self._keyring.key_of(conversation.principal), conversation.account_id, turn.request_thread_id
            )
        except NotFound:
            return await self._new_thread(active)
        except ClearStreetError:
            # Still submitting: the next step looks again.
            return BUSY_WAIT
        if response is not None:
            active.idle_reads = 0
            self._note(active, "Omni is still busy with an earlier question of this conversation …")
            return await self._again(active, BUSY_WAIT)
        active.idle_reads += 1
        if active.idle_reads > 2:
            return await self._new_thread(active)
        return await self._again(active, BUSY_WAIT)

    async def _new_thread(self, active: Active) -> float | None:
        """The Omni thread cannot be continued: go on in a new one, and say so."""
        active.idle_reads = 0
        await self._store.forget_omni_thread(active.turn)
        active.turn = await self._notice(active.turn, NEW_THREAD_NOTICE)
        active.conversation = await self._store.conversation(active.turn.conversation_id or "")
        return 0.0

    async def _notice(self, turn: Turn, notice: str) -> Turn:
        """Accepted (again), with something to be said beside the answer, once."""
        notices = [*turn.notices, *([] if notice in turn.notices else [notice])]
        if turn.state is TurnState.ACCEPTED and len(notices) == len(turn.notices):
            return turn
        return await self._store.move(turn, TurnState.ACCEPTED, notices=notices)

    # After an unknown outcome.

    async def recover(self, active: Active) -> float | None:
        """A turn found submitting: its create call may or may not have happened."""
        if active.turn.cancel_requested_at is not None:
            return await self._stop(active)
        self._reply.begin(active.turn)
        try:
            delay = await self._look(active)
        except StopPressed:
            return 0.0
        left = active.time_left(utcnow())
        return delay if delay is None or left == 0.0 else min(delay, left)

    async def _stop(self, active: Active) -> float | None:
        """If Omni shows the question by now, its answer is stopped like any other; else the turn ends unanswered."""
        active.click_stop()
        found: Message | None = None
        with suppress(StopPressed, ClearStreetError):
            if active.heard is None:
                async with active.until_stopped(STOP_PATIENCE):
                    found = await self._find(active)
        return await self._take(active, found) if found is not None else await self._stopped(active)

    async def _look(self, active: Active) -> float | None:
        turn = active.turn
        late = self._out_of_time(turn, 0)
        if late and active.looked:
            return await self._fail(active, UNCONFIRMED, active.request_id)
        if active.looks == 0:
            active.looks = 1
            return LOOK_AFTER[0] if active.failures <= 1 else backoff(active.failures, first=0.5, most=5.0)
        assert active.conversation is not None
        key = await self._keyring.key_of(active.conversation.principal)
        try:
            async with active.until_stopped():
                found = await self._find(active)
        except ClearStreetError as error:
            await self._keyring.judge(active.conversation.principal, key, error)
            return await self._look_failed(active, error, late=late)
        if found is not None:
            return await self._take(active, found)
        return await self._not_found(active, late=late)

    async def _look_failed(self, active: Active, error: ClearStreetError, *, late: bool) -> float | None:
        """Nothing was seen, so it was no look; unless Omni will not be looked at by us at all."""
        if not isinstance(error, Unavailable | RateLimited):
            return await self._fail(active, in_plain_words(error), error.request_id)
        active.failures += 1
        if late and active.failures > LATE_TRIES:
            return await self._fail(active, UNCONFIRMED, error.request_id)
        wait = backoff(active.failures, first=0.5, most=5.0)
        return error.retry_after if isinstance(error, RateLimited) and not late else wait

    async def _not_found(self, active: Active, *, late: bool) -> float | None:
        """Omni shows nothing of the lost call (yet)."""
        turn, conversation = active.turn, active.conversation
        assert conversation is not None
        active.looks += 1
        active.looked = True
        if late:
            return await self._fail(active, UNCONFIRMED, active.request_id)
        if turn.request_thread_id is None and await self._repeatable(conversation):
            # The same request under the same key: done once, however often it is sent.
            return await self._send(active)
        if active.looks <= len(LOOK_AFTER) and (active.sent_here or not _sent_long_ago(turn)):
            return LOOK_AFTER[active.looks - 1]
        if turn.submissions >= MAX_SUBMISSIONS:
            return await self._fail(active, UNCONFIRMED, active.request_id)
        return await self._again(active, 0.0)

    async def _repeatable(self, conversation: Conversation) -> bool:
        key = await self._keyring.key_of(conversation.principal)
        return (await self._omni.supports(key)).repeatable_creates

    async def _find(self, active: Active) -> Message | None:
        """The USER message that the lost create call made, if Omni shows one."""
        if active.turn.request_thread_id is not None:
            return await self._take_over_message(active)
        assert active.conversation is not None
        if await self._repeatable(active.conversation):
            return None
        return await self._take_over_thread(active)

    async def _take_over_message(self, active: Active) -> Message | None:
        turn, conversation = active.turn, active.conversation
        assert conversation is not None
        assert turn.request_thread_id is not None
        messages = await self._omni.latest_messages(
            await self._keyring.key_of(conversation.principal), conversation.account_id, turn.request_thread_id
        )
        _, taken = await self._store.known_omni_ids(conversation)
        found = take_over_message(messages, text=turn.question or "", above_seq=conversation.last_seq, taken=taken)
        return replace(found, thread_id=turn.request_thread_id) if found is not None else None

    async def _take(self, active: Active, message: Message) -> float:
        """Go on with the response to a USER message that is ours."""
        conversation = active.conversation
        assert conversation is not None
        key = await self._keyring.key_of(conversation.principal)
        try:
            async with active.until_stopped(STOP_PATIENCE):
                response = await self._omni.active_response(key, conversation.account_id, message.thread_id)
        except (ClearStreetError, StopPressed):
            # Which response is asked again once it runs.
            response = None
        # The API may leave out whose answer it is; a thread has one active response, and its newest question is ours.
        ours = response is not None and response.user_message_id in ("", message.id)
        response_id = response.id if response is not None and ours else None
        log.info("turn_taken_over", turn=active.turn.id, message=message.id, response=response_id)
        if await self._run(active, message.thread_id, response_id, message.id):
            return 0.0
        # Somebody else's after all: it is known now, so the next look passes over it.
        return 1.0

    async def _take_over_thread(self, active: Active) -> Message | None:
        """The thread that a lost create-thread made: unknown to us, since our call, with our first question."""
        turn, conversation = active.turn, active.conversation
        assert conversation is not None
        assert turn.submitted_at is not None
        key = await self._keyring.key_of(conversation.principal)
        known, _ = await self._store.known_omni_ids(conversation)
        earliest = turn.submitted_at.replace(tzinfo=UTC) - CLOCKS_DIFFER
        threads = await self._omni.list_threads(key, conversation.account_id, active_since=earliest)
        ticker = turn.event.get("ticker") if turn.kind is Kind.DEEP_INSIGHTS else None
        for thread in candidate_threads(threads, since=turn.submitted_at, known=known):
            messages = await self._omni.latest_messages(key, conversation.account_id, thread.id)
            first = min(messages, key=lambda m: m.seq, default=None)
            if first is None or first.role != "USER":
                continue
            if is_first_question(first, kind=turn.kind, question=turn.question or "", ticker=ticker):
                # A message may come without its thread_id; we know it.
                return replace(first, thread_id=thread.id)
        return None

    # Small things.

    def _note(self, active: Active, sentence: str) -> None:
        self._reply.progress(active.turn, ResponseSnapshot("queued", "", ()), sentence)

    @staticmethod
    def _out_of_time(turn: Turn, wait: float) -> bool:
        if turn.deadline_at is None:
            return False
        return (turn.deadline_at - utcnow()).total_seconds() <= wait


def _sent_long_ago(turn: Turn) -> bool:
    """Whether one look is as good as all of them: a process that keeps dying never comes to the last one."""
    if turn.submissions != 1 or turn.submitted_at is None:
        # Sent again since, and nobody wrote down when.
        return False
    return (utcnow() - turn.submitted_at).total_seconds() > CREATE_TIMEOUT + sum(LOOK_AFTER)


def _body(turn: Turn, account_id: int | None, may: Sequence[str], *, continuing: bool) -> dict[str, Any]:
    if turn.kind is Kind.DEEP_INSIGHTS:
        return deep_insights_body(
            account_id, ticker=turn.event["ticker"], thesis=turn.event.get("thesis"), capabilities=may
        )
    if continuing:
        return message_body(account_id, text=turn.question or "", capabilities=may)
    return thread_body(account_id, text=turn.question or "", capabilities=may)
