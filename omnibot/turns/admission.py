"""Admission of a turn: who asks what in which conversation, or why not."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from omnibot.accounts.model import SHARED, AccountUnclear, Place
from omnibot.accounts.service import Keyring
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.revision import Revision
from omnibot.errors import ClearStreetError, OmnibotError, RateLimited, Unavailable
from omnibot.policy.access import NO_ACCOUNT_DATA, Show
from omnibot.turns.active import Active
from omnibot.turns.buttons import Buttons
from omnibot.turns.model import AdmissionPort, Admitted, Kind, NotNow, Reply, Turn, TurnedAway, TurnState
from omnibot.turns.rows import utcnow
from omnibot.turns.rules import MAX_WAITING_IN_CONVERSATION, MAX_WAITING_OF_PERSON, backoff, in_plain_words
from omnibot.turns.store import TurnStore
from omnibot.turns.submission import Fail

log = structlog.get_logger(__name__)

#: Seconds admission may fail (Slack or Clear Street away) before the asker gets an error instead.
ADMISSION_PATIENCE = 180.0
#: Seconds for which Clear Street may keep to itself which revision answers, before an answer moves for that.
REVISION_PATIENCE = 20.0


class Admission:
    """Turns a stored message into a question of a conversation."""

    def __init__(
        self,
        store: TurnStore,
        buttons: Buttons,
        admission: AdmissionPort,
        omni: Omni,
        keyring: Keyring,
        reply: Reply,
        *,
        fail: Fail,
        in_background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._store = store
        self._buttons = buttons
        self._desk = admission
        self._omni = omni
        self._keyring = keyring
        self._reply = reply
        self._fail = fail
        self._in_background = in_background

    async def admit(self, active: Active) -> float | None:
        """Authorise the asker, read the question, find the conversation. Returns seconds to the next step."""
        turn = active.turn
        try:
            admitted = await self._desk.admit(turn)
            if isinstance(admitted, TurnedAway):
                await self._turn_away(active, admitted)
                return None
        except NotNow as error:
            return await self._not_admitted(active, error, None)
        principal = await self._keyring.principal_of(turn.person)
        account_id: int | None
        try:
            if admitted.show is Show.HERE:
                account_id = await self._account_of(active, admitted, principal)
            else:
                away = await self._guard(active, admitted, principal)
                if isinstance(away, TurnedAway):
                    await self._turn_away(active, away)
                    return None
                admitted, account_id = away
        except AccountUnclear as error:
            if error.choices and principal != SHARED:
                raise  # theirs to choose: the turn is held
            return await self._not_admitted(active, error, admitted, principal)
        except (ClearStreetError, NotNow) as error:
            return await self._not_admitted(active, error, admitted, principal)
        await self._join(active, admitted, principal, account_id)
        if turn.pressed is not None and (under := await self._buttons.mark(turn.pressed, turn.person.user)):
            self._in_background(self.redraw(under))
        # Whatever was changed meanwhile (an edit, a stop) is read before anything else happens.
        return None if await self._too_many(active) else 0.0

    async def _account_of(self, active: Active, admitted: Admitted, principal: str) -> int | None:
        person, place = active.turn.person, Place(active.turn.team, admitted.channel, admitted.thread_ts)
        if active.turn.message_ts != place.thread_ts and await self._store.about_no_account(person, principal, place):
            return None
        known = await self._keyring.known_account_of(principal, person, place)
        if known is None:
            # It may take a while: show that work has begun, and remember where, or the next question passes it.
            await self._settle(active, admitted)
            self._reply.begin(active.turn)
            async with active.until_stopped():
                known = await self._keyring.account_of(principal, person, place)
        return known

    async def _guard(
        self, active: Active, admitted: Admitted, principal: str
    ) -> tuple[Admitted, int | None] | TurnedAway:
        """Where account data may not be shown, Omni is asked without an account. If it cannot be, the answer moves.

        Returns:
            Where the question is asked, and about which account; or why it cannot be.
        """
        turn = active.turn
        if turn.kind is Kind.ACTION:
            return admitted, None
        key = await self._keyring.key_of(principal)
        revision = await self._revision(turn, admitted.show, key)
        if revision.threads_without_account:
            return admitted, None
        place = Place(turn.team, admitted.channel, admitted.thread_ts)
        account_id = await self._keyring.account_of(principal, turn.person, place)
        # Where it is not known which revision answers, it is not known either whether data is enabled by default.
        if revision is not Revision.UNKNOWN and not await self._granted(principal, key, account_id):
            return admitted, account_id
        if admitted.show is Show.NEVER:
            return TurnedAway(NO_ACCOUNT_DATA)
        before = await self._store.direct_thread(turn.person, admitted.channel, admitted.thread_ts)
        return await self._desk.direct(turn, admitted, before), account_id

    async def _revision(self, turn: Turn, show: Show, key: str) -> Revision:
        """Which revision answers. An API that fails for a moment moves nobody's answer, and turns nobody away.

        Raises:
            Unavailable, RateLimited: ask again in a while.
        """
        try:
            return await self._omni.revision(key)
        except (Unavailable, RateLimited):
            if show is Show.NEVER or 0 <= _waited(turn) < REVISION_PATIENCE:
                raise
            return Revision.UNKNOWN

    async def _granted(self, principal: str, key: str, account_id: int) -> bool:
        try:
            return bool(await self._omni.entitlements(key, account_id))
        except ClearStreetError as error:
            await self._keyring.judge(principal, key, error)
            raise

    async def _settle(self, active: Active, admitted: Admitted) -> None:
        """A command has its thread now; all others had theirs from the start."""
        turn = active.turn
        if turn.thread_ts is None:
            where = {"channel": admitted.channel, "asked_in": turn.channel, "thread_ts": admitted.thread_ts}
            active.turn = await self._store.move(turn, TurnState.ACCEPTED, **where)

    async def _join(self, active: Active, admitted: Admitted, principal: str, account_id: int | None) -> None:
        turn = active.turn
        moved = turn.thread_ts is not None and (turn.channel, turn.thread_ts) != (admitted.channel, admitted.thread_ts)
        active.turn = await self._store.join(
            turn,
            asked_thread_ts=turn.thread_ts if moved else None,
            question=admitted.question,
            channel=admitted.channel,
            thread_ts=admitted.thread_ts,
            principal=principal,
            account_id=account_id,
        )

    async def _turn_away(self, active: Active, away: TurnedAway) -> None:
        log.info("turn_turned_away", turn=active.turn.id)
        await self._reply.retract(active.turn)
        await self._reply.tell_privately(active.turn, away.sentence)
        # What a stranger said is not kept.
        active.turn = await self._store.move(active.turn, TurnState.CANCELED, event={}, question=None)

    async def _not_admitted(
        self, active: Active, error: OmnibotError, admitted: Admitted | None, principal: str = ""
    ) -> float | None:
        """Slack or Clear Street does not say who this is, or about which account: wait a while, then say so."""
        waited = _waited(active.turn)
        active.failures += 1
        log.info("turn_not_admitted", turn=active.turn.id, error=type(error).__name__, waited=round(waited))
        if isinstance(error, Unavailable | RateLimited | NotNow) and 0 <= waited < ADMISSION_PATIENCE:
            asked = {RateLimited: "retry_after", NotNow: "wait"}.get(type(error), "")
            wait = backoff(active.failures, first=0.5, most=10.0)
            return min(max(wait, float(getattr(error, asked, 0.0))), ADMISSION_PATIENCE - waited + 1)
        if admitted is not None:
            # Without an account it cannot be asked; but it has a thread, and gets its one reply there, with a Retry.
            await self._join(active, admitted, principal, None)
        words = in_plain_words(error) if isinstance(error, ClearStreetError) else str(error)
        return await self.apologise(active, words, error.request_id if isinstance(error, ClearStreetError) else None)

    async def _too_many(self, active: Active) -> bool:
        turn = active.turn
        before_me = (await self._store.waiting_in(turn.conversation_id or "")).index(turn.id)
        if before_me > MAX_WAITING_IN_CONVERSATION:
            sentence = (
                f"{MAX_WAITING_IN_CONVERSATION} questions are already waiting in this conversation, so this one was "
                "not taken. Ask it again when some are answered."
            )
        elif await self._store.waiting_of(turn.person) > MAX_WAITING_OF_PERSON:
            sentence = (
                f"{MAX_WAITING_OF_PERSON} of your questions are already waiting, so this one was not taken. "
                "Ask it again when some are answered."
            )
        else:
            return False
        await self._reply.retract(turn)
        await self._reply.tell_privately(turn, sentence)
        active.turn = await self._store.move(turn, TurnState.CANCELED)
        return True

    async def apologise(self, active: Active, words: str, request_id: str | None) -> float | None:
        """End a turn with an error: in its thread once it was admitted, else to the asker alone."""
        if active.turn.conversation_id is not None:
            return await self._fail(active, words, request_id)
        await self._reply.retract(active.turn)
        await self._reply.tell_privately(active.turn, words)
        active.turn = await self._store.move(active.turn, TurnState.FAILED, event={}, question=None)
        return None

    async def redraw(self, turn_id: str) -> None:
        """Show an answer in Slack as it is now: who pressed its buttons, what was signed. Best effort."""
        try:
            turn = await self._store.get(turn_id)
            if turn is not None and turn.answer is not None and turn.state.terminal:
                await self._reply.redraw(turn, turn.answer, await self._buttons.of(turn_id))
        except Exception:
            log.exception("redraw_failed", turn=turn_id)


def _waited(turn: Turn) -> float:
    """Seconds since the question came; below nought where clocks disagree."""
    return (utcnow() - turn.created_at).total_seconds()
