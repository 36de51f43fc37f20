"""From running to the end: polling, cancelling, the deadline, the final message, delivery."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from omnibot import telemetry
from omnibot.accounts.model import NoAuthority
from omnibot.accounts.service import Keyring
from omnibot.clearstreet.models import (
    ErrorStatus,
    Message,
    Part,
    Response,
    ThinkingPart,
    dump_part,
    read_action,
)
from omnibot.clearstreet.omni import Omni
from omnibot.consent.model import NewConsent
from omnibot.errors import ClearStreetError, Invalid, NotEntitled, NotFound, RateLimited, Unauthorised
from omnibot.market_data.service import Markets
from omnibot.turns.account_data import Exposure
from omnibot.turns.active import Active, StopPressed
from omnibot.turns.buttons import Buttons
from omnibot.turns.cancellation import STOP_PATIENCE, Cancellation
from omnibot.turns.capabilities import consent_asked, orders_in
from omnibot.turns.market_lookup import ACTION_PATIENCE, MARKET_CARD_PATIENCE, look_up, look_up_all
from omnibot.turns.model import (
    ConsentPolicy,
    Kind,
    OfferedButton,
    OrderProposals,
    Outcome,
    Reply,
    ResponseSnapshot,
    TurnAnswer,
    TurnState,
    Undeliverable,
)
from omnibot.turns.rows import utcnow
from omnibot.turns.rules import (
    answer_to,
    backoff,
    in_plain_words,
    is_late,
    joined_text,
    offers,
    poll_after,
    snapshot_of,
    to_look_up,
)
from omnibot.turns.store import TurnStore

log = structlog.get_logger(__name__)

#: Seconds between the three tries for the final message.
FINAL_TRIES = (0.0, 0.4, 1.2)
#: Seconds between looks whether Omni has stopped.
STOP_POLL = 0.15
#: Seconds Omni gets to hear that its time is over before the turn ends without it.
OVERDUE_PATIENCE = 2.0

#: Looks, a second apart, for an answer that has no response, before it counts as lost.
HISTORY_LOOKS = 8
#: Seconds for which an answer is offered to Slack.
DELIVERY_PATIENCE = 3600.0

#: Stands for "the turn goes on" where a number or None would mean something else.
_NOT_YET = -1.0


class Polling:
    """Follows one response to its end and hands the answer to the reply."""

    def __init__(
        self,
        store: TurnStore,
        buttons: Buttons,
        omni: Omni,
        markets: Markets,
        keyring: Keyring,
        reply: Reply,
        *,
        canceling: Cancellation,
        consent_policy: ConsentPolicy | None = None,
        order_proposals: OrderProposals | None = None,
    ) -> None:
        self._store = store
        self._buttons = buttons
        self._omni = omni
        self._markets = markets
        self._keyring = keyring
        self._reply = reply
        self._canceling = canceling
        self._consent_policy = consent_policy
        self._order_proposals = order_proposals
        self._exposure = Exposure(omni, consent_policy)

    async def _authority(self, active: Active) -> tuple[str, int | None]:
        assert active.conversation is not None
        return await self._keyring.key_of(active.conversation.principal), active.conversation.account_id

    async def _account_name(self, active: Active) -> str | None:
        """What the account is called, for those who may choose between several. Never costs the answer.

        It is not named where account data may not be shown: of an account that Omni cannot see it is asked there too.
        """
        conversation = active.conversation
        if conversation is None or conversation.account_id is None:
            return None
        patience = STOP_PATIENCE if active.stop_pressed else MARKET_CARD_PATIENCE
        try:
            async with asyncio.timeout(patience):
                name = await self._keyring.name_of(conversation.principal, conversation.account_id)
                if (
                    name is None
                    or self._consent_policy is None
                    or await self._consent_policy.may_read_accounts(active.turn)
                ):
                    return name
        except (NoAuthority, ClearStreetError, TimeoutError):
            return None
        return None

    async def _about_account(self, active: Active) -> bool:
        """Whether what Omni says may hold account data; what is not known in time counts as yes."""
        if active.conversation is None or active.conversation.account_id is None:
            return False
        patience = STOP_PATIENCE if active.stop_pressed else MARKET_CARD_PATIENCE
        try:
            async with asyncio.timeout(patience):
                key, _ = await self._authority(active)
                return await self._exposure.of(active.turn, active.conversation, key)
        except (NoAuthority, TimeoutError):
            return True

    # Polling.

    async def poll(self, active: Active) -> float | None:
        """Look at the response once. Returns seconds to the next step, None when the turn has ended."""
        if active.turn.cancel_requested_at is not None:
            return await self._stop(active)
        try:
            delay = await self._look(active)
        except StopPressed:
            return 0.0
        # Nobody, the API's Retry-After included, makes us wait past the deadline.
        return None if delay is None else min(delay, active.time_left(utcnow()))

    async def _look(self, active: Active) -> float | None:
        if active.overdue(utcnow()):
            return await self._overdue(active)
        if active.turn.response_id is None and not await self._find_response(active):
            return await self._from_history(active, None)
        turn = active.turn
        assert turn.response_id is not None
        key, account_id = await self._authority(active)
        telemetry.POLLS.inc()
        try:
            async with active.until_stopped():
                response = await self._omni.get_response(key, account_id, turn.response_id, retries=False)
        except ClearStreetError as error:
            assert active.conversation is not None
            await self._keyring.judge(active.conversation.principal, key, error)
            return await self._poll_failed(active, error)
        active.failures = 0
        if active.about_account is None:
            active.about_account = await self._about_account(active)
        if response.terminal:
            return await self._conclude(active, response)
        self._look_at(active, response)
        now = time.monotonic()
        return poll_after(turn.kind, now - active.running_since, now - active.changed_at, random.random())

    def _look_at(self, active: Active, response: Response) -> None:
        active.output_message_id = response.output_message_id or active.output_message_id
        if response.parts == active.parts and response.status == active.status:
            return
        active.parts, active.status, active.changed_at = response.parts, str(response.status), time.monotonic()
        active.snapshot = replace(snapshot_of(response), about_account=active.about_account is not False)
        self._reply.progress(active.turn, active.snapshot)

    async def _poll_failed(self, active: Active, error: ClearStreetError) -> float | None:
        active.request_id = error.request_id
        match error:
            case RateLimited():
                return error.retry_after
            case NotFound():
                return await self._from_history(active, error)
            case Unauthorised() | NotEntitled() | Invalid():
                return await self.fail(active, in_plain_words(error), error.request_id)
            case _:
                active.failures += 1
                if active.failures == 3:
                    note = "Clear Street is not answering right now; still trying …"
                    self._reply.progress(active.turn, active.snapshot or ResponseSnapshot("running", "", ()), note)
                return backoff(active.failures, first=0.5, most=5.0)

    async def _find_response(self, active: Active) -> bool:
        """A turn that was adopted without its response: take the thread's active one if it is ours."""
        assert active.conversation is not None
        if active.conversation.omni_thread_id is None:
            return False
        key, account_id = await self._authority(active)
        try:
            async with active.until_stopped(STOP_PATIENCE):
                response = await self._omni.active_response(key, account_id, active.conversation.omni_thread_id)
        except ClearStreetError:
            return False
        if response is None or response.user_message_id not in ("", active.turn.user_message_id):
            return False
        active.turn = await self._store.move(active.turn, TurnState.RUNNING, response_id=response.id)
        return True

    # Stopping.

    async def _stop(self, active: Active) -> float | None:
        """End with what Omni makes of the stop within the patience of who pressed it, or else with what was said."""
        active.click_stop()
        if active.turn.response_id is None and (message := await self._found_instead(active)) is not None:
            return await self._end_with(active, Outcome.SUCCEEDED, message, (), None)
        response, message = await self._stopped_response(active)
        if response is not None:
            active.output_message_id = response.output_message_id or active.output_message_id
            active.parts = _fuller(response.parts, active.parts)
            if response.terminal:
                return await self._end_with(active, _outcome_of(response), message, active.parts, response.error)
        return await self._end(active, Outcome.CANCELED, active.parts, reason=_stopped_by(active))

    async def _found_instead(self, active: Active) -> Message | None:
        """A turn whose response nobody knows: find it, or else the answer in case it is there already."""
        with suppress(StopPressed, ClearStreetError):
            if not await self._find_response(active):
                async with active.until_stopped(STOP_PATIENCE):
                    return await self._answer_in_history(active)
        return None

    async def _stopped_response(self, active: Active) -> tuple[Response | None, Message | None]:
        """What the response holds now that Omni is told to stop, and its finalised message if there is one already."""
        response: Response | None = None
        message: Message | None = None
        if active.turn.response_id is None:
            return None, None
        key, account_id = await self._authority(active)
        heard = self._canceling.tell(active, key, account_id)
        with suppress(StopPressed):
            async with active.until_stopped(STOP_PATIENCE):
                await _within(heard, STOP_PATIENCE / 2)
                while response is None or not response.terminal:
                    with suppress(ClearStreetError):
                        response = await self._omni.get_response(
                            key, account_id, active.turn.response_id, retries=False
                        )
                    await asyncio.sleep(0 if response is not None and response.terminal else STOP_POLL)
                message = await self._final_message(active, response)
        return response, message

    async def _overdue(self, active: Active) -> float | None:
        """Omni has had its time. What it said by now is delivered: all of it, if it finished while nobody looked."""
        if (ended := await self._last_look(active)) != _NOT_YET:
            return ended
        if active.turn.response_id is not None:
            key, account_id = await self._authority(active)
            await _within(self._canceling.tell(active, key, account_id), OVERDUE_PATIENCE)
            if (ended := await self._last_look(active)) != _NOT_YET:
                return ended
        minutes = 15 if active.turn.kind is Kind.DEEP_INSIGHTS else 3
        reason = f"Omni took longer than {minutes} minutes, so omnibot stopped waiting. Ask again, perhaps in parts."
        return await self._end(active, Outcome.FAILED, active.parts, reason=reason)

    async def _last_look(self, active: Active) -> float | None:
        """Take what the response holds now, before the turn ends without it. `_NOT_YET` when it is not finished."""
        key, account_id = await self._authority(active)
        message: Message | None = None
        response: Response | None = None
        try:
            async with active.until_stopped():
                if active.turn.response_id is None:
                    message = await self._answer_in_history(active)
                else:
                    response = await self._omni.get_response(key, account_id, active.turn.response_id, retries=False)
        except ClearStreetError as error:
            active.request_id = error.request_id
            return _NOT_YET
        if message is not None:
            return await self._end_with(active, Outcome.SUCCEEDED, message, (), None)
        if response is None:
            return _NOT_YET
        if response.terminal and response.status != "canceled":
            return await self._conclude(active, response)
        active.output_message_id = response.output_message_id or active.output_message_id
        active.parts = _fuller(response.parts, active.parts)
        return _NOT_YET

    # The end.

    async def _conclude(self, active: Active, response: Response) -> float | None:
        """The response is terminal: take the finalised message, or else what the response holds."""
        self._look_at(active, response)
        async with active.until_stopped():
            message = await self._final_message(active, response)
        return await self._end_with(active, _outcome_of(response), message, response.parts, response.error)

    async def _final_message(self, active: Active, response: Response) -> Message | None:
        key, account_id = await self._authority(active)
        for wait in FINAL_TRIES:
            await asyncio.sleep(wait)
            try:
                if response.output_message_id:
                    return await self._omni.get_message(key, account_id, response.output_message_id)
                if (message := await self._answer_in_history(active)) is not None:
                    return message
            except ClearStreetError as error:
                log.info("final_message_missing", turn=active.turn.id, status=error.status, api=error.request_id)
        try:
            return await self._answer_in_history(active)
        except ClearStreetError:
            return None

    async def _answer_in_history(self, active: Active) -> Message | None:
        assert active.conversation is not None
        assert active.conversation.omni_thread_id is not None
        key, account_id = await self._authority(active)
        messages = await self._omni.latest_messages(key, account_id, active.conversation.omni_thread_id)
        for message in messages:
            if message.id == active.turn.user_message_id:
                return answer_to(messages, message.seq)
        return None

    async def _from_history(self, active: Active, error: NotFound | None) -> float | None:
        """No response to poll (adopted after its end, or forgotten by the API): the thread's history decides."""
        try:
            async with active.until_stopped():
                message = await self._answer_in_history(active)
        except NotFound as gone:
            return await self.fail(active, in_plain_words(gone), gone.request_id)
        except RateLimited as busy:
            return busy.retry_after
        except ClearStreetError as failed:
            active.failures += 1
            if active.overdue(utcnow()):
                return await self.fail(active, in_plain_words(failed), failed.request_id)
            return backoff(active.failures, first=0.5, most=5.0)
        if message is not None:
            return await self._end_with(active, Outcome.SUCCEEDED, message, (), None)
        active.history_looks += 1
        if active.history_looks < HISTORY_LOOKS:
            return 1.0
        return await self.fail(active, "Omni no longer knows this answer.", error.request_id if error else None)

    async def _end_with(
        self,
        active: Active,
        outcome: Outcome,
        message: Message | None,
        parts: Sequence[Part],
        error: ErrorStatus | None,
    ) -> float | None:
        if message is not None:
            if message.outcome == "errored":
                outcome = Outcome.FAILED
            elif message.outcome == "canceled":
                outcome = Outcome.CANCELED
            # A failed or canceled message may be emptier than what was already shown.
            parts = _fuller(message.parts, parts)
            error = message.error or error
        reason = None
        if outcome is Outcome.FAILED:
            said = error.message.strip() if error and error.message else ""
            code = f" ({error.code})" if error and error.code else ""
            reason = f"Omni could not finish this answer{': ' + said if said else '.'}{code}"
        elif outcome is Outcome.CANCELED:
            reason = _stopped_by(active)
        return await self._end(active, outcome, parts, reason=reason, message=message)

    async def fail(self, active: Active, reason: str, request_id: str | None) -> float | None:
        """End the turn with an error in plain words, keeping what Omni already said."""
        return await self._end(active, Outcome.FAILED, active.parts, reason=reason, request_id=request_id)

    async def cancel_before_start(self, active: Active) -> float | None:
        """End a turn that Omni never saw, with a reply that says so."""
        return await self._end(active, Outcome.CANCELED, (), reason=_stopped_by(active))

    async def _end(
        self,
        active: Active,
        outcome: Outcome,
        parts: Sequence[Part],
        *,
        reason: str | None,
        message: Message | None = None,
        request_id: str | None = None,
    ) -> float | None:
        turn = active.turn
        shown = [part for part in parts if not isinstance(part, ThinkingPart)]
        market_cards = await self._market_cards(active, shown) if outcome is Outcome.SUCCEEDED else []
        consent, asked, orders = None, None, None
        if outcome is Outcome.SUCCEEDED and active.conversation is not None:
            consent, asked = await consent_asked(self._consent_policy, turn, active.conversation, shown)
            orders = orders_in(self._order_proposals, active.conversation, message, shown)
        about_account = active.about_account or bool(orders and orders["account_id"] is not None)
        if not about_account and shown:
            # What was not so when it began may be so by now.
            about_account = await self._about_account(active)
        answer = TurnAnswer(
            outcome=outcome,
            parts=[dump_part(part) for part in shown],
            reason=reason,
            stopped_by=turn.canceled_by if outcome is Outcome.CANCELED else None,
            notices=list(turn.notices),
            request_id=request_id,
            late=is_late(turn.submitted_at, utcnow()),
            message_id=message.id if message else active.output_message_id,
            market_cards=market_cards,
            account=await self._account_name(active) if turn.submitted_at is not None else None,
            consent=consent,
            orders=orders,
            about_account=about_account,
        )
        return await self._finalize(active, answer, shown, message.seq if message else None, asked)

    async def _finalize(
        self,
        active: Active,
        answer: TurnAnswer,
        parts: Sequence[Part],
        last_seq: int | None,
        consent: NewConsent | None = None,
    ) -> float | None:
        turn = active.turn
        found = offers(
            parts,
            answer.market_cards,
            outcome=answer.outcome,
            kind=turn.kind,
            mint=lambda: secrets.token_urlsafe(16),
            consent=consent is not None,
            orders=answer.orders is not None,
        )
        active.turn = await self._store.finalize(turn, answer, found, last_seq, consent)
        log.info("turn_finalizing", turn=turn.id, outcome=answer.outcome.value)
        return await self._deliver(active, found)

    # What comes from the market.

    async def _market_cards(self, active: Active, parts: Sequence[Part]) -> list[dict[str, Any]]:
        """What stands beside the words of an answer by itself. The answer waits for it, but not for long."""
        if not to_look_up(parts):
            return []
        key, _ = await self._authority(active)
        return await look_up_all(self._markets, key, parts)

    async def carry_out(self, active: Active) -> float | None:
        """Run the structured action that a button stood for; what comes of it is the reply."""
        turn = active.turn
        self._reply.begin(turn)
        key, _ = await self._authority(active)
        market_card = await look_up(self._markets, key, read_action(turn.event), ACTION_PATIENCE)
        failed = market_card["kind"] == "failed"
        answer = TurnAnswer(
            outcome=Outcome.FAILED if failed else Outcome.SUCCEEDED,
            reason=f"Could not get {market_card['what']}. {market_card['reason']}" if failed else None,
            request_id=market_card["request_id"] if failed else None,
            market_cards=[] if failed else [{**market_card, "part": None}],
            about_account=False,
        )
        return await self._finalize(active, answer, (), None)

    async def deliver(self, active: Active) -> float | None:
        """Deliver a stored answer (again)."""
        return await self._deliver(active, await self._buttons.of(active.turn.id))

    async def _deliver(self, active: Active, offers: Sequence[OfferedButton]) -> float | None:
        turn = active.turn
        assert turn.answer is not None
        now = time.monotonic()
        active.delivering_since = active.delivering_since or now
        try:
            again_in = await self._reply.finish(turn, turn.answer, offers)
        except Undeliverable as error:
            await self.give_up(active, str(error))
            return None
        if again_in is not None:
            if now - active.delivering_since > DELIVERY_PATIENCE:
                await self.give_up(active, "too long")
                return None
            active.deliveries += 1
            return max(again_in, backoff(active.deliveries, first=0.25, most=30.0))
        if turn.answer.orders is not None and self._order_proposals is not None:
            # Before the turn ends: whoever finishes it proposes them, and only what the answer shows.
            await self._order_proposals.propose(turn, turn.answer)
        active.turn = await self._store.move(turn, TurnState(turn.answer.outcome.value))
        telemetry.ENDED.labels(active.turn.state.value).inc()
        log.info("turn_ended", turn=turn.id, state=active.turn.state.value)
        return None

    async def give_up(self, active: Active, why: str) -> None:
        """Slack takes the answer nowhere: the turn ends all the same, so that its conversation can go on."""
        log.error("reply_undeliverable", turn=active.turn.id, why=why)
        active.turn = await self._store.move(active.turn, TurnState.FAILED)
        telemetry.ENDED.labels("undeliverable").inc()


def _outcome_of(response: Response) -> Outcome:
    return {"succeeded": Outcome.SUCCEEDED, "canceled": Outcome.CANCELED}.get(str(response.status), Outcome.FAILED)


def _fuller(parts: tuple[Part, ...], before: Sequence[Part]) -> tuple[Part, ...]:
    """`parts`, unless they have no words and those before them had: a stopped answer may be emptier than before."""
    return parts if joined_text(parts) or not joined_text(before) else tuple(before)


async def _within(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _stopped_by(active: Active) -> str:
    return "Stopped by" if active.turn.canceled_by else "The answer was stopped."
