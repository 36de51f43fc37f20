"""Sending an approved order exactly once, and looking up unknown outcomes.

The attempt is written down before the call. What the call's outcome is unknown of is looked up by whichever instance is
alive, and never sent again without a human.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from omnibot.accounts.service import Keyring, NoAuthority
from omnibot.clearstreet.models.orders import Order
from omnibot.clearstreet.trading import Trading
from omnibot.errors import ClearStreetError, Malformed, RateLimited, Unauthorised
from omnibot.orders.audit_heads import NOT_SENT, AuditDiffers
from omnibot.orders.authority import NotAuthorised
from omnibot.orders.market_reader import MarketReader
from omnibot.orders.model import (
    LOOKS_OVER,
    UNKNOWN_FOR_LONG,
    Notification,
    Ticket,
    TicketState,
    absent_for_good,
    next_look,
    next_lookup,
)
from omnibot.orders.order_state import kept, progress, took_effect, waits
from omnibot.orders.rejections import refusal
from omnibot.orders.store import TicketStore
from omnibot.policy.facts import OrderAction

log = structlog.get_logger(__name__)

#: Statuses that mean, of a first attempt, that nothing was done.
REFUSED = frozenset({400, 401, 403, 404, 422})
#: Seconds between writing an attempt down and the call; whoever is slower than that leaves the call.
STALE = 1.5
#: Looks after which the requester hears that nobody knows.
UNKNOWN_TOLD = 2
NO_KEY = "The Clear Street key it would have been sent with is not linked any more. Nothing was sent."
SWITCHED_OFF = "Trading was switched off before this was sent. Nothing was sent."
NOT_AUTHORISED = "What would have been sent is not what people approved in Slack. Nothing was sent."
ABSENT = "Clear Street lists no such order: it was not placed. Approve again to send it once more."
ABSENT_CHANGE = "The order shows nothing of it: it was not done. Approve again to send it once more."
BUSY = "Clear Street was too busy to take it, and did nothing. Approve again to send it once more."
LATER = "Nobody approved it again."
LEFT = (
    "It is not known whether this was placed, and nobody looks any more: the Clear Street key it was sent with is not "
    "linked any more. Look at the account's orders in Clear Street."
)


class OrderSubmission:
    """From approved to an outcome.

    Args:
        live: whether orders may be sent at all.
        alert: says something to those who run omnibot.
        waits_for: how long an order that was not placed waits for people.
    """

    def __init__(
        self,
        store: TicketStore,
        trading: Trading,
        keyring: Keyring,
        market: MarketReader,
        *,
        live: bool,
        alert: Callable[[str], Awaitable[None]],
        waits_for: Callable[[], timedelta],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._trading = trading
        self._keyring = keyring
        self._market = market
        self._live = live
        self._alert = alert
        self._waits_for = waits_for
        self._clock = clock

    async def send(self, ticket: Ticket) -> None:
        """Send an approved ticket. Raises OwnershipLost: somebody else has it."""
        try:
            key = await self._keyring.key_of(ticket.principal)
        except NoAuthority:
            await self._store.give_up(ticket, NO_KEY)
            return
        if not self._live:
            await self._store.give_up(ticket, SWITCHED_OFF)
            return
        began = time.monotonic()
        try:
            begun = await self._store.begin(ticket, self._clock())
        except NotAuthorised:
            await self._alert(f"{NOT_AUTHORISED} Run `omnibot audit verify`. The order: {_named(ticket)}.")
            await self._store.give_up(ticket, NOT_AUTHORISED)
            return
        except AuditDiffers:
            # The operators hear of it from whoever watches the audit.
            await self._store.give_up(ticket, NOT_SENT)
            return
        if begun.state is not TicketState.SUBMITTING:
            return
        if time.monotonic() - began > STALE:
            # The lease may not outlast the call any more.
            log.warning("ticket_begun_late", ticket=ticket.id)
            await self._unknown(begun, None)
            return
        heard: list[str | None] = []
        try:
            order = await self._call(key, begun, heard)
        except ClearStreetError as error:
            await self._failed(begun, key, error)
            return
        await self._submitted(begun, order, heard[-1] if heard else None)

    async def _call(self, key: str, ticket: Ticket, heard: list[str | None]) -> Order:
        order_id = ticket.terms.order_id or ""
        match ticket.terms.act:
            case OrderAction.NEW:
                placed = await self._trading.submit_orders(
                    key, ticket.account_id, [ticket.body or {}], note=heard.append
                )
                ours = [order for order in placed if order.client_order_id == ticket.client_order_id]
                if len(ours) != 1:
                    raise Malformed(request_id=heard[-1], status=200)
                return ours[0]
            case OrderAction.MODIFY:
                return await self._trading.replace_order(
                    key, ticket.account_id, order_id, ticket.body or {}, note=heard.append
                )
            case OrderAction.CANCEL:
                return await self._trading.cancel_order(key, ticket.account_id, order_id, note=heard.append)

    async def _failed(self, ticket: Ticket, key: str, error: ClearStreetError) -> None:
        log.info("ticket_failed", ticket=ticket.id, status=error.status, api=error.request_id)
        if isinstance(error, Unauthorised):
            with contextlib.suppress(NoAuthority):
                await self._keyring.judge(ticket.principal, key, error)
        first = ticket.attempts == 1
        if first and isinstance(error, RateLimited):
            await self._not_placed(ticket, BUSY, error.request_id)
        elif first and (error.status in REFUSED or isinstance(error, Unauthorised)):
            await self._store.move(
                ticket,
                TicketState.REJECTED,
                tell=Notification.REJECTED,
                reason=refusal(error),
                request_id=error.request_id,
                facts={"status": error.status, "details": str(error.details)[:2_000]},
            )
        else:
            # A second attempt may be refused because the first one was taken after all.
            await self._unknown(ticket, error)

    async def _unknown(self, ticket: Ticket, error: ClearStreetError | None) -> None:
        await self._store.move(
            ticket,
            TicketState.UNKNOWN,
            after=next_lookup(0),
            unknown_since=ticket.submitted_at or self._clock(),
            looks=0,
            first_look_at=None,
            ops_told=False,
            request_id=error.request_id if error is not None else None,
            facts={"status": error.status if error is not None else None},
        )

    async def _submitted(self, ticket: Ticket, order: Order, request_id: str | None) -> None:
        now = self._clock()
        written = kept(order)
        if ticket.terms.act is OrderAction.MODIFY:
            # The answer shows what is asked for, not what is: that is read again.
            written = {**(ticket.order or {}), "id": order.id, "client_order_id": order.client_order_id}
        been = progress(ticket, order, now)
        over = been.over and ticket.terms.act is not OrderAction.MODIFY
        # Who heard that nobody knows, or that it was not placed, must hear that it was.
        feared = ticket.state is TicketState.NOT_PLACED or (
            ticket.state is TicketState.UNKNOWN and ticket.looks >= UNKNOWN_TOLD
        )
        await self._store.move(
            ticket,
            TicketState.SUBMITTED,
            after=next_look(timedelta(0), waiting=waits(written)),
            tell=been.told if over else Notification.PLACED if feared else None,
            order=written,
            order_id=order.id,
            order_over=over,
            changed_at=now,
            reason=been.reason if over else None,
            request_id=request_id or ticket.request_id,
        )
        log.info("ticket_submitted", ticket=ticket.id, order=order.id, api=request_id)

    async def _not_placed(self, ticket: Ticket, reason: str, request_id: str | None) -> None:
        now = self._clock()
        await self._store.move(
            ticket,
            TicketState.NOT_PLACED,
            tell=Notification.NOT_PLACED,
            after=next_lookup(3),
            reason=reason,
            request_id=request_id,
            expires_at=max(ticket.expires_at, now + self._waits_for()),
        )

    # After an unknown outcome.

    async def recover(self, ticket: Ticket) -> None:
        """A ticket found submitting: whoever made the call died, and it may or may not have happened."""
        await self._unknown(ticket, None)

    async def look_up(self, ticket: Ticket) -> None:
        """Look whether an order of unknown outcome is there; one that was not placed may still turn up."""
        try:
            key = await self._keyring.key_of(ticket.principal)
            order = await self._find(key, ticket)
        except NoAuthority:
            await self._left(ticket)
            return
        except ClearStreetError as error:
            await self._not_seen(ticket, error)
            return
        if order is not None:
            await self._submitted(ticket, order, ticket.request_id)
        else:
            await self._absent(ticket)

    async def _find(self, key: str, ticket: Ticket) -> Order | None:
        if ticket.terms.act is OrderAction.NEW:
            return await self._market.placed(key, ticket)
        known = ticket.order or {}
        order = await self._market.existing(
            key,
            ticket.account_id,
            ticket.terms.order_id or "",
            client_order_id=known.get("client_order_id"),
            since=_made(ticket),
        )
        return order if order is not None and took_effect(ticket, order) else None

    async def _absent(self, ticket: Ticket) -> None:
        now = self._clock()
        if ticket.state is TicketState.NOT_PLACED:
            await self._wait_or_expire(ticket, now)
            return
        looks, first = ticket.looks + 1, ticket.first_look_at or now
        if absent_for_good(looks, first, now):
            await self._not_placed(
                ticket, ABSENT if ticket.terms.act is OrderAction.NEW else ABSENT_CHANGE, ticket.request_id
            )
        elif looks == UNKNOWN_TOLD:
            pace = next_lookup(looks)
            await self._store.move(
                ticket, TicketState.UNKNOWN, tell=Notification.UNKNOWN, after=pace, looks=looks, first_look_at=first
            )
        else:
            # Past the third look, the next one comes when it can decide.
            left = (LOOKS_OVER - (now - first)).total_seconds()
            await self._alert_about(ticket, now)
            await self._store.rest(ticket, min(next_lookup(looks), max(left, 1.0)), looks=looks, first_look_at=first)

    async def _not_seen(self, ticket: Ticket, error: ClearStreetError) -> None:
        """Nothing was seen, so it was no look."""
        now = self._clock()
        log.info("ticket_lookup_failed", ticket=ticket.id, status=error.status, api=error.request_id)
        if isinstance(error, Unauthorised):
            with contextlib.suppress(NoAuthority):
                key = await self._keyring.key_of(ticket.principal)
                await self._keyring.judge(ticket.principal, key, error)
        if ticket.state is TicketState.NOT_PLACED:
            await self._wait_or_expire(ticket, now)
            return
        await self._alert_about(ticket, now)
        wait = error.retry_after if isinstance(error, RateLimited) else 0.0
        await self._store.rest(ticket, max(wait, next_lookup(max(ticket.looks, 1))))

    async def _wait_or_expire(self, ticket: Ticket, now: datetime) -> None:
        if now >= ticket.expires_at:
            await self._store.move(ticket, TicketState.EXPIRED, reason=LATER)
        else:
            left = (ticket.expires_at - now).total_seconds()
            await self._store.rest(ticket, min(next_lookup(3), left))

    async def _alert_about(self, ticket: Ticket, now: datetime) -> None:
        if ticket.ops_told or ticket.unknown_since is None or now - ticket.unknown_since < UNKNOWN_FOR_LONG:
            return
        await self._alert(
            f"For more than a minute it has not been known what became of an order: {_named(ticket)}. omnibot goes on "
            "looking, and does not send it again by itself."
        )
        await self._store.record_ops_told(ticket)

    async def _left(self, ticket: Ticket) -> None:
        """There is no key to look with any more."""
        if ticket.state is TicketState.NOT_PLACED:
            await self._store.move(ticket, TicketState.EXPIRED, tell=Notification.LEFT, reason=LEFT)
            return
        await self._alert(f"{LEFT} The order: {_named(ticket)}.")
        await self._store.move(
            ticket, TicketState.UNKNOWN, tell=Notification.LEFT, order_over=True, ops_told=True, reason=LEFT
        )


def _named(ticket: Ticket) -> str:
    """What operators need to find an order, and nothing of what it is: who may read their channel and log, nobody says.

    `omnibot policy explain` shows the rest to those who may read the database.
    """
    about = f", about order {ticket.terms.order_id}" if ticket.terms.order_id is not None else ""
    return f"ticket {ticket.id}, client order id {ticket.client_order_id}{about}, account {ticket.account_id}"


def _made(ticket: Ticket) -> datetime | None:
    made = (ticket.order or {}).get("created_at")
    moment = datetime.fromisoformat(made) if isinstance(made, str) else None
    return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
