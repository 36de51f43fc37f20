"""What the market and the account say about tickets: read-only, in parallel, one call for each need.

Nothing here raises for want of an answer: what could not be read is None, and `MarketView.trouble` says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from omnibot.accounts.service import Keyring, NoAuthority
from omnibot.clearstreet.market import MAX_SNAPSHOTS, MarketData
from omnibot.clearstreet.models.enums import MarketSession, MarketType, OrderStatus, Side
from omnibot.clearstreet.models.holdings import Balances, Position
from omnibot.clearstreet.models.market import MarketHours, Snapshot
from omnibot.clearstreet.models.options import read_option
from omnibot.clearstreet.models.orders import Order
from omnibot.clearstreet.revision import Revision
from omnibot.clearstreet.trading import Trading
from omnibot.errors import ClearStreetError, NotFound
from omnibot.orders.model import MarketView, Ticket
from omnibot.orders.order_parser import NO_ACCOUNT
from omnibot.orders.order_state import newest
from omnibot.orders.risk_facts import held_in, sells
from omnibot.orders.sessions import session_of
from omnibot.policy.facts import OrderAction

#: Seconds that any of it may take: people wait for it, and are to be answered within three.
PATIENCE = 2.2
#: So much earlier than a ticket may an order of its seem to have been made: clocks differ.
MARGIN = timedelta(days=1)
#: Revisions that do not say how old a quote is: while the market is open it is taken to be as old as the question.
_UNDATED = (Revision.V2026_04, Revision.V2026_08, Revision.EARLIER)
TOO_SLOW = "Clear Street took too long to answer."

ApiRevision = Callable[[str], Awaitable[Revision]]
"""Which revision of the API answers, asked with this key."""


@dataclass(slots=True)
class _Heard:
    """The answers about one account of one key."""

    quotes: dict[str, Snapshot] = field(default_factory=dict)
    balances: Balances | None = None
    positions: list[Position] | None = None
    orders: list[Order] | None = None
    hours: list[MarketHours] | None = None
    revision: Revision = Revision.UNKNOWN
    trouble: dict[str, str] = field(default_factory=dict)
    """By need, why there is no answer."""


class MarketReader:
    """Reads quotes, balances, positions, open orders and hours with the key of a ticket's owner."""

    def __init__(
        self,
        trading: Trading,
        markets: MarketData,
        keyring: Keyring,
        *,
        revision: ApiRevision,
        clock: Callable[[], datetime],
    ) -> None:
        self._trading = trading
        self._markets = markets
        self._keyring = keyring
        self.revision = revision
        self._clock = clock

    async def look(self, tickets: Sequence[Ticket]) -> dict[str, MarketView]:
        """What is to be known about these tickets now, by their ids; of a cancel nothing is."""
        at = self._clock().replace(tzinfo=UTC)
        groups: dict[tuple[str, int], list[Ticket]] = {}
        for ticket in tickets:
            if ticket.terms.act is not OrderAction.CANCEL:
                groups.setdefault((ticket.principal, ticket.account_id), []).append(ticket)
        heard = await asyncio.gather(*(self._ask(*group, own) for group, own in groups.items()))
        by_group = dict(zip(groups, heard, strict=True))
        seen = {}
        for ticket in tickets:
            answers = by_group.get((ticket.principal, ticket.account_id))
            asked = answers is not None and ticket.terms.act is not OrderAction.CANCEL
            seen[ticket.id] = _seen(ticket, answers, at) if asked and answers else MarketView(at=at)
        return seen

    async def _ask(self, principal: str, account_id: int, tickets: Sequence[Ticket]) -> _Heard:
        heard = _Heard()
        try:
            key = await self._keyring.key_of(principal)
        except NoAuthority as error:
            heard.trouble["key"] = str(error)
            return heard
        symbols = list(dict.fromkeys(filter(None, map(symbol_of, tickets))))
        needs = [
            self._need(heard, "quote", self._quotes(heard, key, symbols)),
            self._need(heard, "market hours", self._hours(heard, key)),
            self._need(heard, "revision", self._revision(heard, key)),
        ]
        if account_id != NO_ACCOUNT:
            selling = any(sells(one.terms, one.before) for one in tickets)
            needs += [
                self._need(heard, "balances", self._balances(heard, key, account_id)),
                self._need(heard, "positions", self._holdings(heard, key, account_id, selling=selling)),
            ]
        await asyncio.gather(*needs)
        return heard

    @staticmethod
    async def _need(heard: _Heard, name: str, asking: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await asking
        except ClearStreetError as error:
            said = "Clear Street does not know it." if isinstance(error, NotFound) else str(error)
            heard.trouble[name] = said
        except TimeoutError:
            heard.trouble[name] = TOO_SLOW

    async def _quotes(self, heard: _Heard, key: str, symbols: Sequence[str]) -> None:
        asked = [one for one in symbols if "," not in one][:MAX_SNAPSHOTS]
        try:
            found = await self._markets.snapshots(key, asked)
        except NotFound:
            # One that does not exist spoils the answer for all: each for itself, then.
            if len(asked) == 1:
                raise
            answers = await asyncio.gather(
                *(self._markets.snapshots(key, [one]) for one in asked), return_exceptions=True
            )
            found = [snapshot for answer in answers if isinstance(answer, list) for snapshot in answer]
        heard.quotes |= {held_in(one.symbol): one for one in found}

    async def _hours(self, heard: _Heard, key: str) -> None:
        heard.hours = await self._markets.market_hours(key)

    async def _revision(self, heard: _Heard, key: str) -> None:
        heard.revision = await self.revision(key)

    async def _balances(self, heard: _Heard, key: str, account_id: int) -> None:
        heard.balances = await self._trading.balances(key, account_id)

    async def _holdings(self, heard: _Heard, key: str, account_id: int, *, selling: bool) -> None:
        if selling:
            # First the orders: what fills in between is then missing from the position, and never counted as free.
            heard.orders = await self.open_orders(key, account_id)
        heard.positions = await self._trading.positions(key, account_id)

    # Orders.

    async def open_orders(self, key: str, account_id: int) -> list[Order]:
        """All orders of an account that are not over yet.

        Raises:
            Incomplete: which they are is not known.
            ClearStreetError: they could not be read.
        """
        await self.revision(key)  # which the words to ask with depend on
        return await self._trading.open_orders(key, account_id)

    async def placed(self, key: str, ticket: Ticket) -> Order | None:
        """The order that a ticket placed, found by its client id at any time; None: none is listed.

        Raises:
            ClearStreetError: it could not be looked for.
        """
        since = ticket.created_at.replace(tzinfo=UTC) - MARGIN
        ids = [ticket.client_order_id]
        found = await self._trading.list_orders(key, ticket.account_id, order_ids=ids, since=since)
        return newest(one for one in found if one.client_order_id == ticket.client_order_id)

    async def existing(
        self, key: str, account_id: int, order_id: str, *, client_order_id: str | None = None, since: datetime | None
    ) -> Order | None:
        """An order by Clear Street's id, or, once it was replaced, what took its place; None: there is none.

        Args:
            client_order_id: of the order, where it is known already.
            since: when it was made, aware, where that is known.

        Raises:
            ClearStreetError: it could not be looked for.
        """
        order: Order | None = None
        try:
            order = await self._trading.get_order(key, account_id, order_id)
        except NotFound:
            if client_order_id is None:
                return None
        if order is not None and order.status != OrderStatus.REPLACED:
            return order
        client_id = order.client_order_id if order is not None else client_order_id
        if not client_id or "," in client_id:
            return order
        start = order.created_at if order is not None else since
        start = None if start is None else start - MARGIN
        found = await self._trading.list_orders(key, account_id, order_ids=[client_id], since=start)
        return newest(one for one in found if one.client_order_id == client_id) or order


def symbol_of(ticket: Ticket) -> str | None:
    """What is traded: of a change, what the order trades."""
    return ticket.terms.symbol or (ticket.before.symbol if ticket.before is not None else None)


def _seen(ticket: Ticket, heard: _Heard, at: datetime) -> MarketView:
    symbol = held_in(symbol_of(ticket))
    snapshot = heard.quotes.get(symbol)
    quote = snapshot.last_quote if snapshot is not None else None
    held = _held(heard.positions, symbol)
    hours = _market_of(heard.hours, symbol)
    status = hours.status if hours is not None else None
    session = status.current_session if status is not None else None
    any_open = None if status is None else status.is_open
    is_open = None if any_open is None else any_open and session == MarketSession.REGULAR
    extended = _extended(ticket)
    working = session_of(hours, at, extended=extended)
    undated = quote is not None and quote.timestamp is None and heard.revision in _UNDATED
    return MarketView(
        at=at,
        bid=quote.bid if quote else None,
        ask=quote.ask if quote else None,
        last=snapshot.last if snapshot else None,
        quoted_at=None if quote is None else at if undated else quote.timestamp,
        undated=undated,
        short_sale_restricted=snapshot.short_sale_restricted if snapshot else None,
        held=held,
        sellable=_sellable(ticket, held, heard.orders, symbol),
        open_client_ids=tuple(one.client_order_id for one in heard.orders or () if one.client_order_id),
        buying_power=heard.balances.buying_power if heard.balances else None,
        equity=heard.balances.equity if heard.balances else None,
        market_open=is_open,
        session=None if session is None else str(session),
        trading_now=any_open if extended else is_open,
        session_day=working.day if working is not None else None,
        opens_at=working.opens_at if working is not None else None,
        trouble=_trouble(heard, quoted=quote is not None),
    )


def _extended(ticket: Ticket) -> bool:
    """Whether it works outside regular hours; an option does not, whatever the order says."""
    about = ticket.before if ticket.terms.act is OrderAction.MODIFY and ticket.before is not None else ticket.terms
    return about.extended_hours is True and read_option(about.symbol) is None


def _market_of(hours: Sequence[MarketHours] | None, symbol: str) -> MarketHours | None:
    wanted = MarketType.US_EQUITIES if read_option(symbol) is None else MarketType.US_OPTIONS
    own = [one for one in hours or () if one.market == wanted]
    return next(iter([*own, *(hours or ())]), None)


def _held(positions: Sequence[Position] | None, symbol: str) -> Decimal | None:
    if positions is None:
        return None
    held = Decimal(0)
    for position in positions:
        if held_in(position.symbol) == symbol:
            if position.quantity is None:
                return None
            held += position.quantity
    return held


def _sellable(ticket: Ticket, held: Decimal | None, orders: Sequence[Order] | None, symbol: str) -> Decimal | None:
    """The position less what open orders sell, but for the order that is being changed."""
    if held is None or orders is None:
        return None
    left = held
    for order in orders:
        if order.symbol is None:
            return None  # of several legs: any of them may sell it
        if order.side == Side.BUY or held_in(order.symbol) != symbol or order.id == ticket.terms.order_id:
            continue
        selling = order.leaves_quantity if order.leaves_quantity is not None else order.quantity
        if selling is None:
            return None
        left -= selling
    return max(left, Decimal(0))


def _trouble(heard: _Heard, *, quoted: bool) -> str | None:
    if "key" in heard.trouble:
        return heard.trouble["key"]
    said = [f"There is no answer about {name}: {why}" for name, why in heard.trouble.items() if name != "revision"]
    if not quoted and "quote" not in heard.trouble:
        said.insert(0, "Clear Street has no quote for it.")
    return " ".join(said) or None
