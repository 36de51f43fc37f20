"""Creating tickets: from what Omni proposes, and from what people ask for on an order's card."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from omnibot.accounts.model import Person, account_name
from omnibot.accounts.service import AccountUnclear, Keyring, NoAuthority
from omnibot.clearstreet.models.orders import Order
from omnibot.clearstreet.revision import Revision
from omnibot.errors import ClearStreetError
from omnibot.orders.market_reader import PATIENCE, MarketReader
from omnibot.orders.model import (
    ClickOutcome,
    ClickResult,
    Proposal,
    Terms,
    Ticket,
    TicketState,
    client_order_id,
    content_hash,
)
from omnibot.orders.order_parser import (
    NO_ACCOUNT,
    body_of,
    edited,
    misfits,
    read_drafts,
    terms_of,
    understood,
)
from omnibot.orders.order_state import kept
from omnibot.orders.store import Content, NewTicket, TicketStore
from omnibot.policy.facts import OrderAction

log = structlog.get_logger(__name__)

NOT_OPEN = "This order is over, so that there is nothing to cancel or to change."
NO_ORDER = "There is no order yet that could be canceled or changed."
UNREADABLE = "Clear Street does not say how this order stands, so that it cannot be changed now. Try again in a minute."
NO_SUCH_PRICE = "This type of order has no such price."
NOTHING_NEW = "Nothing would be different."
#: Seconds in which Omni's orders are looked up before their tickets are made without knowing them.
READING = 5.0
#: How the message ids begin of tickets that a card proposes; its ticket's id follows.
ASKED_ON_CARD = "ticket:"


class TicketFactory:
    """Mints tickets.

    Args:
        lasts: how long a ticket waits for people.
    """

    def __init__(
        self,
        store: TicketStore,
        keyring: Keyring,
        market: MarketReader,
        *,
        lasts: Callable[[], timedelta],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._market = market
        self._lasts = lasts
        self._clock = clock

    async def propose(self, action: Any, proposal: Proposal) -> list[Ticket]:
        """Tickets of a `prefill_order` action, in its order; the same ones however often it is proposed."""
        drafts = read_drafts(action, proposal.account_id)
        there = {ticket.position: ticket for ticket in await self._store.of_action(proposal)}
        made = await self._store.positions_of_action(proposal)
        fresh = [draft for draft in drafts if draft.position not in made]
        if fresh:
            revision = await self._revision(proposal.principal)
            minted = await asyncio.gather(
                *(self._minted(proposal, one.position, one.terms, one.raw, None) for one in fresh)
            )
            for one in minted:
                there[one.position] = await self._mint(proposal, one, revision)
        # Not those that were made and cannot be parsed by this version.
        return [there[draft.position] for draft in drafts if draft.position in there]

    async def cancel(self, ticket: Ticket, clicker: Person, team: str) -> ClickResult:
        """A ticket that cancels the order of this one."""
        return await self._about(ticket, clicker, team, OrderAction.CANCEL, {})

    async def change(self, ticket: Ticket, entered: Mapping[str, Any], clicker: Person, team: str) -> ClickResult:
        """A ticket that changes the order of this one to what was entered."""
        return await self._about(ticket, clicker, team, OrderAction.MODIFY, entered)

    async def _about(
        self, ticket: Ticket, clicker: Person, team: str, act: OrderAction, entered: Mapping[str, Any]
    ) -> ClickResult:
        order_id = ticket.order_id
        if ticket.state is not TicketState.SUBMITTED or order_id is None:
            return ClickResult(answer=ClickOutcome.DENIED, message=NO_ORDER, ticket=ticket)
        order = await self.order_of(ticket.principal, ticket.account_id, order_id, ticket.order)
        if order is not None and order.over:
            return ClickResult(answer=ClickOutcome.DENIED, message=NOT_OPEN, ticket=ticket)
        terms = Terms(act=act, account_id=ticket.account_id, order_id=order.id if order else order_id)
        if act is OrderAction.MODIFY:
            if order is None:
                return ClickResult(answer=ClickOutcome.DENIED, message=UNREADABLE, ticket=ticket)
            terms, problems = changed(terms, terms_of(order, ticket.account_id), entered, self._clock())
            if problems:
                message = problems.get("", "This cannot be sent as it is.")
                return ClickResult(answer=ClickOutcome.INVALID, message=message, ticket=ticket, problems=problems)
        proposal = Proposal(
            message_id=f"{ASKED_ON_CARD}{ticket.id}",
            action_id=await self._free_action(ticket, act, terms),
            owner=ticket.owner,
            team=ticket.team,
            channel=ticket.channel,
            thread_ts=ticket.thread_ts,
            principal=ticket.principal,
            account_id=ticket.account_id,
            turn_id=ticket.turn_id,
        )
        minted = replace(await self._minted(proposal, 0, terms, None, order), author=clicker)
        made = await self._mint(proposal, minted, await self._revision(ticket.principal))
        log.info("ticket_about_order", ticket=made.id, about=ticket.id, act=act.value, team=team)
        return ClickResult(answer=ClickOutcome.DONE, message="Approve it to have it done.", ticket=made)

    async def _free_action(self, ticket: Ticket, act: OrderAction, terms: Terms) -> str:
        """The name of an action of a card: the same while its ticket is not decided, so that two clicks are one.

        What is asked for is part of it: two people who ask for different changes at once have not asked for one.
        """
        message_id = f"{ASKED_ON_CARD}{ticket.id}"
        made = [one for one in await self._store.of_message(message_id) if one.terms.act is act]
        waiting = [one for one in made if one.decidable and one.terms == terms]
        number = await self._store.count_of_message(message_id, act)
        return waiting[0].action_id if waiting else f"{act.value}:{number}:{content_hash(terms, None)[:16]}"

    async def order_of(
        self,
        principal: str,
        account_id: int,
        order_id: str,
        known: Mapping[str, Any] | None = None,
        *,
        within: float = PATIENCE,
    ) -> Order | None:
        """An order as it stands; None: there is none, or it cannot be said within so many seconds."""
        try:
            async with asyncio.timeout(within):
                key = await self._keyring.key_of(principal)
                client_id = (known or {}).get("client_order_id") or None
                return await self._market.existing(key, account_id, order_id, client_order_id=client_id, since=None)
        except (NoAuthority, ClearStreetError, TimeoutError) as error:
            log.info("order_unread", order=order_id, error=type(error).__name__)
            return None

    async def _minted(
        self, proposal: Proposal, position: int, terms: Terms, raw: Any, order: Order | None
    ) -> NewTicket:
        if order is None and terms.order_id is not None and terms.account_id != NO_ACCOUNT:
            # Nobody waits for this one.
            order = await self.order_of(proposal.principal, terms.account_id, terms.order_id, within=READING)
        if order is not None and terms.order_id is not None:
            # An order has several names: its id, our client id, and the ids it had before it was replaced. Changes of
            # one order are told apart from those of another by one of them, and that is what is sent.
            terms = replace(terms, order_id=order.id)
        before = None if order is None else terms_of(order, terms.account_id)
        return NewTicket(
            position=position,
            terms=understood(terms, before),
            proposed=raw,
            before=before,
            order=None if order is None else kept(order),
            account_name=await self._name(proposal.principal, terms.account_id),
        )

    async def _name(self, principal: str, account_id: int) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                accounts = await self._keyring.accounts_of(principal)
        except (NoAuthority, AccountUnclear, ClearStreetError, TimeoutError):
            return ""
        return next((account_name(account) for account in accounts if account.id == account_id), "")

    async def _revision(self, principal: str) -> Revision:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._market.revision(await self._keyring.key_of(principal))
        except (NoAuthority, ClearStreetError, TimeoutError):
            return Revision.UNKNOWN

    async def content(self, ticket: Ticket, terms: Terms) -> Content:
        """Terms as they would be sent by this ticket."""
        return content(terms, ticket.client_order_id, await self._revision(ticket.principal))

    async def _mint(self, proposal: Proposal, minted: NewTicket, revision: Revision) -> Ticket:
        now, ticket_id = self._clock(), secrets.token_hex(12)
        written = content(minted.terms, client_order_id(ticket_id), revision)
        ticket, new = await self._store.mint(
            proposal, minted, written, ticket_id=ticket_id, now=now, expires_at=now + self._lasts()
        )
        if new:
            log.info("ticket_made", ticket=ticket.id, act=minted.terms.act.value, turn=proposal.turn_id)
        return ticket


def content(terms: Terms, client_id: str, revision: Revision) -> Content:
    """Terms and the exact bytes of them."""
    body, why_not = body_of(terms, client_id, revision)
    return Content(terms=terms, body=body, unsendable=why_not)


def changed(terms: Terms, before: Terms, entered: Mapping[str, Any], now: datetime) -> tuple[Terms, dict[str, str]]:
    """A replacement's terms with what was entered, as far as it differs from the order, and what is wrong with it."""
    new, problems = edited(terms, entered, now.replace(tzinfo=UTC))
    same: dict[str, Any] = {name: None for name in entered if getattr(new, name, None) == getattr(before, name, None)}
    new = replace(new, **same)
    for name in misfits(new, before):
        problems.setdefault(name, NO_SUCH_PRICE)
    if not problems and new == terms:
        problems[""] = NOTHING_NEW
    return new, problems
