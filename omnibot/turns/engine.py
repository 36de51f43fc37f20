"""The turn engine: accept, click, stop, edit; and the scheduler loop that advances each turn to its end.

The ordinary sweep claims whatever is due or orphaned: after a crash nothing else is needed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Any, assert_never

import structlog
from sqlalchemy.exc import SQLAlchemyError

from omnibot import telemetry
from omnibot.accounts.model import AccountUnclear, LinkBroken, NoAuthority, Place
from omnibot.accounts.service import Keyring
from omnibot.clearstreet.omni import Omni
from omnibot.db.leases import LEASE, RENEW
from omnibot.db.presence import Presence
from omnibot.db.rows import read_apart
from omnibot.db.tables import OPEN_STATES, turns
from omnibot.errors import OwnershipLost
from omnibot.market_data.service import Markets
from omnibot.scheduler import Scheduler
from omnibot.turns.active import Active, StopPressed
from omnibot.turns.admission import Admission
from omnibot.turns.answer_actions import AnswerActions
from omnibot.turns.buttons import Buttons
from omnibot.turns.cancellation import Cancellation
from omnibot.turns.model import (
    AdmissionPort,
    ConsentPolicy,
    HeldFor,
    Kind,
    NewTurn,
    OrderProposals,
    Person,
    Pressed,
    Reply,
    Stopped,
    Surface,
    Turn,
    TurnState,
)
from omnibot.turns.polling import Polling
from omnibot.turns.rows import utcnow
from omnibot.turns.rules import backoff
from omnibot.turns.store import TurnStore
from omnibot.turns.submission import TurnSubmission
from omnibot.turns.waiting import count_held

log = structlog.get_logger(__name__)

#: Seconds between sweeps, and between looks for what other instances were asked to stop.
SWEEP, STOPS = 1.0, 0.25
#: Seconds between looks whether what held turns wait for is there; whoever brings it about looks at once.
RELEASE = 5.0
#: Seconds between prunings of what is older than the retention.
PRUNE = 3600.0
#: Turns claimed by one statement.
CLAIM = 250
#: Seconds after which a waiting turn checks by itself whether it may begin.
WAITING = 2.0
#: Seconds after which a step that broke is tried again, doubling up to the second.
RETRY_AFTER, MAX_RETRY_AFTER = 0.5, 30.0
#: Steps of one turn that may break in a row; then it ends with an apology (about two minutes).
MAX_FAILURES = 8
BROKEN_LINK = "Clear Street refused your API key while Omni was answering you. Link another one, or check it again."
HELD_TOO_LONG = "Your question waited for you for a day, and was dropped. Ask it again when you like."
BROKEN = "Something went wrong inside omnibot, so there is no answer. Ask again, or tell whoever runs it ({reference})."


class Turns:
    """All turns this instance owns."""

    def __init__(
        self,
        store: TurnStore,
        omni: Omni,
        keyring: Keyring,
        scheduler: Scheduler,
        presence: Presence,
        *,
        markets: Markets,
        admission: AdmissionPort,
        reply: Reply,
        retention: timedelta,
        consent_policy: ConsentPolicy | None = None,
        order_proposals: OrderProposals | None = None,
    ) -> None:
        self._store = store
        self._presence = presence
        self._retention = retention
        self._scheduler = scheduler
        self._reply = reply
        self._active: dict[str, Active] = {}
        self._steps: set[asyncio.Task[None]] = set()
        self._failures: dict[str, int] = {}
        self._draining = False
        self._buttons = Buttons(store)
        canceling = Cancellation(omni, in_background=self._in_background)
        self._polling = Polling(
            store,
            self._buttons,
            omni,
            markets,
            keyring,
            reply,
            canceling=canceling,
            consent_policy=consent_policy,
            order_proposals=order_proposals,
        )
        self._admission = Admission(
            store,
            self._buttons,
            admission,
            omni,
            keyring,
            reply,
            fail=self._polling.fail,
            in_background=self._in_background,
        )
        #: What people do with finished answers.
        self.answer_actions = AnswerActions(store, self._buttons, omni, keyring)
        self._submission = TurnSubmission(
            store,
            omni,
            keyring,
            reply,
            assure=self.assure,
            fail=self._polling.fail,
            stopped=self._polling.cancel_before_start,
            canceling=canceling,
            consent_policy=consent_policy,
            order_proposals=order_proposals,
        )

    def start(self) -> None:
        """Begin to sweep and to renew leases."""
        self._scheduler.every("turns:sweep", SWEEP, self._sweep)
        self._scheduler.every(
            "turns:stops", SWEEP if self._store.database.single_process else STOPS, self._notice_stops
        )
        self._scheduler.every("turns:renew", RENEW, self._renew)
        self._scheduler.at("turns:first-sweep", 0, self._sweep)
        self._scheduler.every("turns:release", RELEASE, self.release)
        self._scheduler.every("turns:prune", PRUNE, self._prune)
        self._scheduler.at("turns:first-prune", 30, self._prune)

    async def drain(self, grace: float = 10.0) -> None:
        """Stop claiming, let what is under way end, give every lease back."""
        self._draining = True
        for name in (
            "turns:sweep",
            "turns:first-sweep",
            "turns:stops",
            "turns:release",
            "turns:prune",
            "turns:first-prune",
        ):
            await self._scheduler.finish(name)
        for turn_id in self._active:
            self._scheduler.forget(_timer(turn_id))
        if self._steps:
            _, late = await asyncio.wait(self._steps, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._scheduler.finish("turns:renew")
        try:
            await self._store.leases.release(list(self._active))
        except SQLAlchemyError as error:
            # They run out by themselves.
            log.warning("release_failed", error=type(error).__name__)
        for turn_id in list(self._active):
            self._drop(turn_id)
        await self._presence.drop()

    async def collect(self) -> None:
        """Bring the gauges up to date."""
        telemetry.LEASES.set(len(self._active))
        for state, count in (await self._store.count_open()).items():
            telemetry.TURNS.labels(state.value).set(count)

    # What people do. Each is one statement before the ack.

    async def accept(self, new: NewTurn, *, only_if_participant: bool = False) -> bool:
        """Make a question durable. False: it is already here, or not for us."""
        turn_id = await self._store.accept(new, only_if_participant=only_if_participant)
        return self._own(turn_id) if not new.withdrawn else turn_id is not None

    async def press(self, token: str, *, team: str, person: Person, now_ts: str) -> Pressed:
        """Ask what a button asks, as the person who clicked."""
        if self._own(await self._buttons.accept(token, team=team, person=person, now_ts=now_ts)):
            return Pressed.TAKEN
        return await self._buttons.why_not(token, person)

    async def edit(self, source_key: str, event: Mapping[str, Any], edited_ts: str) -> bool:
        """The asker edited a message: if its turn still waits, its question changes. False: none waits."""
        if turn_id := await self._store.edit_waiting(source_key, event, edited_ts):
            self._schedule_now(turn_id)
        return turn_id is not None

    async def withdraw(self, source_key: str) -> bool:
        """The asker deleted a message: if its turn still waits, it ends without a word. False: none waits."""
        if turn_id := await self._store.cancel_waiting(source_key):
            self._schedule_now(turn_id)
        return turn_id is not None

    async def stop(self, person: Person, channel: str) -> tuple[int, int]:
        """Stop all of a person's turns in a channel. Returns how many were at work and how many waited."""
        return _counted(self._stop(await self._store.request_cancel(person, channel)))

    async def stop_thread(self, person: Person, channel: str, thread_ts: str, *, until_ts: str) -> tuple[int, int]:
        """Stop a person's turns in one thread, but for those asked after `until_ts`. Returns as `stop` does."""
        stopped = await self._store.request_cancel(person, channel, thread_ts=thread_ts, until_ts=until_ts)
        return _counted(self._stop(stopped))

    async def stop_turn(self, turn_id: str, person: Person, channel: str) -> Stopped:
        """Stop one of a person's turns, and none of those that wait behind it."""
        if not self._stop(await self._store.request_cancel(person, channel, turn_id=turn_id)):
            return Stopped.NOTHING
        return Stopped.HERE if turn_id in self._active else Stopped.ELSEWHERE

    def _stop(self, stopped: Mapping[str, TurnState]) -> Mapping[str, TurnState]:
        for turn_id in stopped:
            if (active := self._active.get(turn_id)) is not None:
                self._reply.stopping(active.turn)
                active.click_stop()
            self._schedule_now(turn_id)
        return stopped

    async def release(self) -> None:
        """Go on with the turns whose people have done meanwhile what was asked of them."""
        try:
            released = await self._store.release()
        except SQLAlchemyError as error:
            log.warning("release_failed", error=type(error).__name__)
            return
        if released:
            log.info("turns_released", turns=released)
            await self._sweep()

    async def held_of(self, person: Person) -> int:
        """How many of a person's questions wait for their link, or their choice of an account."""
        return await count_held(self._store.database, person)

    async def place_of(self, turn_id: str, person: Person) -> Place | None:
        """The Slack thread of a turn, for its asker; None: it has none yet, or is not theirs."""
        turn = await self._store.get(turn_id)
        if turn is None or turn.person != person or turn.thread_ts is None:
            return None
        return Place(turn.team, turn.channel, turn.thread_ts)

    async def consent_changed(self, turn_id: str) -> None:
        """The consent that this turn's answer asks for was given or refused: go on, and show it."""
        await self.release()
        await self._admission.redraw(turn_id)

    def _own(self, turn_id: str | None) -> bool:
        if turn_id is None:
            return False
        self._scheduler.at(_timer(turn_id), 0, self._take_up, turn_id)
        return True

    # Ownership.

    async def _take_up(self, turn_id: str) -> None:
        """Begin with a turn this instance has just stored (perhaps a while ago: the loop may have stalled)."""
        began = time.monotonic()
        if self._draining or turn_id not in await self._store.leases.renew([turn_id]):
            return
        turn = await self._store.get(turn_id)
        if turn is not None and not turn.state.terminal:
            self._take_over(turn, began + LEASE)

    def _take_over(self, turn: Turn, lease_until: float) -> None:
        if turn.id in self._active:
            return
        self._active[turn.id] = Active(turn, lease_until)
        if turn.state is not TurnState.ACCEPTED:
            log.info("turn_taken_over", turn=turn.id, state=turn.state.value)
        self._schedule_now(turn.id)

    def _drop(self, turn_id: str) -> None:
        self._active.pop(turn_id, None)
        self._failures.pop(turn_id, None)
        self._scheduler.forget(_timer(turn_id))
        self._reply.drop(turn_id)

    async def _sweep(self) -> None:
        """Claim what is due and nobody's, and notice what others want stopped."""
        try:
            if not await self._presence.hold():
                # While the lock was gone others may have taken our turns for orphans: look before the next write.
                for active in self._active.values():
                    active.lease_until = 0.0
            while not self._draining:
                began = time.monotonic()
                ids = await self._store.leases.claim(
                    turns.c.state.in_(OPEN_STATES), limit=CLAIM, always_due=turns.c.state != TurnState.HELD.value
                )
                found, broken = await read_apart(ids, self._store.read_all)
                for turn in found:
                    self._take_over(turn, began + LEASE)
                for turn_id, error in broken.items():
                    # Written by another version: leave it, and do the rest.
                    log.error("row_unreadable", turn=turn_id, error=f"{type(error).__name__}: {error}")
                    await self._store.leases.put_off(turn_id)
                if len(ids) < CLAIM:
                    break
        except SQLAlchemyError as error:
            log.warning("sweep_failed", error=type(error).__name__)

    async def _notice_stops(self) -> None:
        """See what other processes were asked to stop of ours."""
        try:
            for turn in await self._store.canceled_among(self._active.keys()):
                self._notice_cancel(turn)
        except SQLAlchemyError as error:
            log.warning("stops_unseen", error=type(error).__name__)

    def _notice_cancel(self, turn: Turn) -> None:
        active = self._active.get(turn.id)
        if active is not None and active.turn.cancel_requested_at is None:
            self._reply.stopping(turn)
            active.click_stop()
            self._schedule_now(turn.id)

    async def _prune(self) -> None:
        """Forget what people asked and Omni said once it is old."""
        try:
            pruned = await self._store.prune(utcnow() - self._retention)
        except SQLAlchemyError as error:
            log.warning("prune_failed", error=type(error).__name__)
        else:
            if pruned:
                log.info("turns_pruned", count=pruned)

    async def _renew(self) -> None:
        began = time.monotonic()
        try:
            kept = await self._store.leases.renew(list(self._active))
        except SQLAlchemyError as error:
            log.warning("renewal_failed", error=type(error).__name__)
            return
        for turn_id, active in list(self._active.items()):
            if turn_id in kept:
                active.lease_until = began + LEASE
            elif active.lease_until < began:
                log.warning("lease_lost", turn=turn_id)
                self._drop(turn_id)

    async def assure(self, active: Active, seconds: float) -> None:
        """See to it that the lease outlasts a call of this length.

        Raises:
            OwnershipLost: somebody else has the turn.
        """
        if active.lease_until - time.monotonic() > seconds:
            return
        began = time.monotonic()
        if active.turn.id not in await self._store.leases.renew([active.turn.id]):
            raise OwnershipLost
        active.lease_until = began + LEASE

    async def assure_id(self, turn_id: str, seconds: float) -> None:
        """As `assure`, for the reply, which knows turns by id.

        Raises:
            OwnershipLost: this instance does not work on the turn (any more).
        """
        active = self._active.get(turn_id)
        if active is None:
            raise OwnershipLost
        await self.assure(active, seconds)

    # Steps.

    def _schedule_now(self, turn_id: str) -> None:
        """Take the next step of a turn now."""
        active = self._active.get(turn_id)
        if active is None or self._draining:
            return
        active.stale = True
        if active.stepping:
            active.again = True
        else:
            self._arm(turn_id, 0)

    def _arm(self, turn_id: str, seconds: float) -> None:
        self._active[turn_id].due = time.monotonic() + seconds
        self._scheduler.at(_timer(turn_id), seconds, self._schedule, turn_id)

    async def _schedule(self, turn_id: str) -> None:
        active = self._active.get(turn_id)
        if active is None or active.stepping or self._draining:
            return
        telemetry.TIMER_LAG.observe(max(0.0, time.monotonic() - active.due))
        active.stepping = True
        self._in_background(self._run_step(active))

    async def _run_step(self, active: Active) -> None:
        turn_id = active.turn.id
        delay: float | None = RETRY_AFTER
        try:
            delay = await self._step(active)
            self._failures.pop(turn_id, None)
        except OwnershipLost:
            # Either another instance has it, or its row changed under us (edited, canceled): the row knows.
            delay = await self._reread(active)
        except Exception:
            # A step that breaks must not lose the turn: whatever it was, the row is still there and still ours.
            delay = await self._retry_later(active)
        finally:
            active.stepping = False
            again, active.again = active.again, False
            if self._active.get(turn_id) is active and not self._draining:
                if delay is None:
                    self._drop(turn_id)
                else:
                    self._arm(turn_id, 0 if again else delay)
        if delay is None and active.turn.conversation_id is not None:
            await self._wake_next(active.turn.conversation_id)

    async def _retry_later(self, active: Active) -> float | None:
        """A step broke: try again later, and when that does not help end the turn with an apology."""
        turn_id = active.turn.id
        count = self._failures[turn_id] = self._failures.get(turn_id, 0) + 1
        delay = backoff(count, first=RETRY_AFTER, most=MAX_RETRY_AFTER)
        log.exception("step_failed", turn=turn_id, state=active.turn.state.value, again_in=delay)
        if count >= MAX_FAILURES and active.turn.state in (TurnState.ACCEPTED, TurnState.SUBMITTING, TurnState.RUNNING):
            active.stale = True
            try:
                return await self._admission.apologise(active, BROKEN.format(reference=turn_id), None)
            except Exception:
                log.exception("apology_failed", turn=turn_id)
        elif count >= MAX_FAILURES and active.turn.state is TurnState.FINALIZING:
            # Whatever is wrong with this answer, the questions behind it must not wait for ever.
            try:
                await self._polling.give_up(active, "broken")
            except Exception:
                log.exception("giving_up_failed", turn=turn_id)
            else:
                return None
        return delay

    async def _reread(self, active: Active) -> float | None:
        turn_id = active.turn.id
        began = time.monotonic()
        try:
            mine = turn_id in await self._store.leases.renew([turn_id])
            turn = await self._store.get(turn_id) if mine else None
        except SQLAlchemyError:
            return RETRY_AFTER
        if turn is None or turn.state.terminal:
            log.info("turn_given_up", turn=turn_id)
            self._drop(turn_id)
            return None
        active.turn, active.lease_until = turn, began + LEASE
        return 0.0

    async def _wake_next(self, conversation_id: str) -> None:
        try:
            waiting = await self._store.waiting_in(conversation_id)
        except SQLAlchemyError as error:
            # They also look by themselves.
            log.warning("wake_failed", error=type(error).__name__)
            return
        for turn_id in waiting:
            self._schedule_now(turn_id)

    async def _step(self, active: Active) -> float | None:
        """Do the next thing for a turn. Returns seconds to the one after, None when it has ended."""
        try:
            return await self._next(active)
        except NoAuthority as error:
            log.info("turn_without_key", turn=active.turn.id, state=active.turn.state.value)
            if active.turn.state is TurnState.ACCEPTED and error.curable:
                await self._hold(active, HeldFor.LINK, str(error))
                return None
            if isinstance(error, LinkBroken) and error.newly:
                await self._reply.tell_privately(active.turn, BROKEN_LINK, prompt=HeldFor.LINK)
            return await self._admission.apologise(active, str(error), None)
        except AccountUnclear as error:
            await self._hold(active, HeldFor.ACCOUNT, str(error))
            return None
        except StopPressed:
            # The row says so by now.
            return 0.0

    async def _hold(self, active: Active, held_for: HeldFor, why: str) -> None:
        """Only the asker can bring about what is missing: tell them alone, and wait."""
        await self._reply.retract(active.turn)
        await self._reply.tell_privately(active.turn, f"{why} Your question waits for that.", prompt=held_for)
        active.turn = await self._store.hold(active.turn, held_for)
        log.info("turn_held", turn=active.turn.id, held_for=held_for.value)

    async def _held(self, active: Active) -> None:
        """A held turn is due: its asker stopped it, or has not come for a day."""
        if active.turn.cancel_requested_at is None:
            await self._reply.tell_privately(active.turn, HELD_TOO_LONG)
        active.turn = await self._store.move(active.turn, TurnState.CANCELED)
        log.info("turn_dropped", turn=active.turn.id)

    async def _next(self, active: Active) -> float | None:
        if active.stale or active.turn.state is TurnState.ACCEPTED:
            active.stale = False
            active.turn = await self._store.get(active.turn.id) or active.turn
            # The turn before this one may have opened the Omni thread since.
            active.conversation = None
        if active.conversation is None and active.turn.conversation_id is not None:
            active.conversation = await self._store.conversation(active.turn.conversation_id)
        match active.turn.state:
            case TurnState.ACCEPTED:
                return await self._accepted(active)
            case TurnState.SUBMITTING:
                return await self._submission.recover(active)
            case TurnState.RUNNING:
                return await self._polling.poll(active)
            case TurnState.FINALIZING:
                return await self._polling.deliver(active)
            case TurnState.HELD:
                await self._held(active)
                return None
            case TurnState.SUCCEEDED | TurnState.FAILED | TurnState.CANCELED:
                return None
            case _:
                assert_never(active.turn.state)

    async def _accepted(self, active: Active) -> float | None:
        if active.turn.cancel_requested_at is not None:
            return await self._canceled_early(active)
        if active.turn.question is None or active.turn.conversation_id is None:
            return await self._admission.admit(active)
        if active.turn.kind is Kind.ACTION:
            return await self._polling.carry_out(active)
        if await self._store.ahead(active.turn):
            return await self._queue(active)
        return await self._submission.begin(active)

    async def _canceled_early(self, active: Active) -> float | None:
        """Omni never saw it. Where Slack already shows something, it is ended properly, else nothing is said."""
        shown = active.turn.surface in (Surface.COMMAND, Surface.PRIVATE, Surface.PRESS) or active.turn.submissions
        if shown and active.turn.conversation_id is not None:
            return await self._polling.cancel_before_start(active)
        await self._reply.retract(active.turn)
        active.turn = await self._store.move(active.turn, TurnState.CANCELED)
        return None

    async def _queue(self, active: Active) -> float:
        """Others are before it: say so once, then wait to be poked (and look now and then)."""
        if not active.turn.queue_said:
            active.turn = await self._store.move(active.turn, TurnState.ACCEPTED, queue_said=True)
            await self._reply.tell_privately(active.turn, "Got it. Omni answers this after the question before it.")
        return WAITING

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this beside the steps; nobody waits for it but the drain."""
        task = asyncio.ensure_future(work)
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)


def _counted(stopped: Mapping[str, TurnState]) -> tuple[int, int]:
    waiting = sum(state in (TurnState.ACCEPTED, TurnState.HELD) for state in stopped.values())
    return len(stopped) - waiting, waiting


def _timer(turn_id: str) -> str:
    return f"turn:{turn_id}"
