"""Orders and what becomes of them: they follow a plan or meet the market. Nothing happens but when somebody looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from omnibot_sandbox.clearstreet.instruments import Instrument
from omnibot_sandbox.clearstreet.market import Market
from omnibot_sandbox.clearstreet.order_bodies import Wanted, changed
from omnibot_sandbox.clearstreet.order_plans import OrderPlan, OrderPlans, Step
from omnibot_sandbox.clearstreet.portfolios import Portfolios
from omnibot_sandbox.clearstreet.store import Identifiers

#: Statuses after which nothing more happens.
OVER = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "REPLACED"})
#: Scripted seconds until the venue has an order, until it can fill, until the rest of a large one does, and until what
#: was asked about an order is done.
_REACHED, _FILLING, _SECOND_FILL, _ANSWERED = 0.3, 1.0, 3.0, 0.4
#: Of so many shares and more, part fills first.
_LARGE = 500
_FIRST_SHARE = Decimal("0.4")


@dataclass(slots=True)
class Order:
    """One order and how far it has got."""

    id: str
    account_id: int
    client_order_id: str
    instrument: Instrument
    wanted: Wanted
    plan: OrderPlan | None
    #: time.monotonic() of its acceptance.
    accepted: float
    created_at: datetime
    updated_at: datetime
    status: str = "PENDING_NEW"
    filled: Decimal = Decimal(0)
    #: Sum of quantity × price of its fills.
    paid: Decimal = Decimal(0)
    details: list[str] = field(default_factory=list)
    #: Steps of its plan that have happened.
    steps_done: int = 0
    #: What was asked about it and when: new amounts, or None to cancel.
    asked: tuple[dict[str, Any] | None, float] | None = None
    #: Its status before that.
    status_before: str = ""
    #: It was at the venue while the market was open.
    worked: bool = False
    triggered: bool = False
    #: Best price since it is there, of trailing orders, and when that was.
    watermark: Decimal | None = None
    watermark_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Nothing more happens."""
        return self.status in OVER

    @property
    def left(self) -> Decimal:
        """What is still to be filled."""
        return Decimal(0) if self.over else self.wanted.quantity - self.filled

    @property
    def sign(self) -> int:
        """1 for a purchase, -1 for a sale."""
        return 1 if self.wanted.side == "BUY" else -1

    @property
    def average(self) -> Decimal | None:
        """Average price of its fills."""
        return self.paid / self.filled if self.filled else None

    @property
    def trailing_stop(self) -> Decimal | None:
        """Where a trailing order would trigger now."""
        offset = self.wanted.amount("trailing_offset")
        if self.watermark is None or offset is None:
            return None
        distance = self.watermark * offset / 10_000 if self.wanted.trailing_offset_type == "BPS" else offset
        return self.watermark + self.sign * distance

    @property
    def limit(self) -> Decimal | None:
        """The worst price it takes; None: any."""
        stop, offset = self.trailing_stop, self.wanted.amount("limit_offset")
        if stop is not None and offset is not None:
            return stop + self.sign * offset
        return self.wanted.amount("limit_price")


class Exchange:
    """All orders of all accounts."""

    def __init__(self, market: Market, portfolios: Portfolios, ids: Identifiers, pace: Callable[[], float]) -> None:
        self.market = market
        self.portfolios = portfolios
        self._ids = ids
        self._pace = pace
        #: Every order, oldest first.
        self.orders: dict[str, Order] = {}
        #: What becomes of orders, by client id, symbol or "*".
        self.plans = OrderPlans()
        #: Seconds after which an accepted order can be found; not multiplied by the pace.
        self.list_lag = 0.0
        #: Whether a replaced order keeps its id, instead of ending as REPLACED beside a new one.
        self.replace_keeps_id = False

    def draw_id(self) -> str:
        """An id for an order to be."""
        return self._ids.draw()

    def place(self, id: str, account_id: int, wanted: Wanted, instrument: Instrument) -> Order:
        """Accept an order."""
        now, client_id = datetime.now(UTC), wanted.client_order_id or id
        plan = self.plans.choose(client_id, instrument.symbol)
        order = Order(id, account_id, client_id, instrument, wanted, plan, time.monotonic(), now, now)
        self.orders[id] = order
        return order

    def of(self, account_id: int, *, visible: bool = False) -> list[Order]:
        """An account's orders as they stand now; with `visible`, those that can be found already."""
        self.settle()
        now = time.monotonic()
        own = [order for order in self.orders.values() if order.account_id == account_id]
        return [order for order in own if not visible or now - order.accepted >= self.list_lag]

    def find(self, account_id: int, id: str, *, visible: bool = False) -> Order | None:
        """The order of this id, or the open order of this client id."""
        own = self.of(account_id, visible=visible)
        exact = next((order for order in own if order.id == id), None)
        by_client = (order for order in reversed(own) if order.client_order_id == id and not order.over)
        return exact or next(by_client, None)

    def cancel(self, order: Order) -> None:
        """Ask for an open order to be canceled."""
        if order.status != "PENDING_CANCEL":
            self._ask(order, "PENDING_CANCEL", None)

    def replace(self, order: Order, changes: dict[str, Any]) -> None:
        """Ask for an open order to be replaced."""
        self._ask(order, "PENDING_REPLACE", changes)

    def settle(self) -> None:
        """Let everything happen whose time has come."""
        for order in list(self.orders.values()):
            if not order.over:
                self._advance(order)

    def tied_up(self, account_id: int) -> Decimal:
        """Buying power that the account's open purchases and short sales use."""
        own = [order for order in self.orders.values() if order.account_id == account_id and not order.over]
        return sum((self.cost(one) for one in own if one.wanted.side != "SELL"), Decimal(0))

    def cost(self, order: Order) -> Decimal:
        """What the open part of an order may come to."""
        price = order.limit or order.wanted.amount("stop_price") or self.market.last(order.instrument)
        return order.left * price * order.instrument.multiplier

    # -- time ---------------------------------------------------------------------------------------------------------

    def _ask(self, order: Order, status: str, changes: dict[str, Any] | None) -> None:
        if order.asked is None:
            order.status_before = order.status
        order.asked = (changes, time.monotonic())
        self._set(order, status)

    def _elapsed(self, since: float) -> float:
        pace = self._pace()
        return (time.monotonic() - since) / pace if pace > 0 else float("inf")

    def _advance(self, order: Order) -> None:
        """What was asked about an order is done at its time: what would have come later does not come before it."""
        elapsed, until = self._elapsed(order.accepted), float("inf")
        answered = order.asked is not None and self._elapsed(order.asked[1]) >= _ANSWERED
        if order.asked is not None:
            until = elapsed - self._elapsed(order.asked[1]) + _ANSWERED if self._pace() > 0 else elapsed
        if order.plan is not None:
            self._follow(order, order.plan, min(elapsed, until))
        else:
            self._trade(order, min(elapsed, until))
        if answered and not order.over:
            self._answer(order)

    def _follow(self, order: Order, plan: OrderPlan, elapsed: float) -> None:
        for step in plan.steps[order.steps_done :]:
            if step.at > elapsed or order.over:
                return
            order.steps_done += 1
            self._take(order, step)

    def _take(self, order: Order, step: Step) -> None:
        order.details += step.details
        quantity = step.quantity(order.wanted.quantity, order.left)
        if quantity > 0:
            self._fill(order, quantity, step.price or self._fair(order))
        if step.status is None or order.over:
            return
        if order.asked is None or step.status in OVER:
            self._set(order, step.status)
        else:
            order.status_before = step.status

    def _answer(self, order: Order) -> None:
        assert order.asked is not None
        plan, (changes, _) = order.plan or OrderPlan(), order.asked
        order.asked = None
        if changes is None:
            self._answer_cancel(order, plan.on_cancel)
        elif plan.on_replace == "refuse":
            order.details.append("Replace rejected by the venue")
            self._set(order, order.status_before)
        else:
            self._exchange(order, changes)

    def _answer_cancel(self, order: Order, how: str) -> None:
        if how == "fill":
            self._fill(order, order.left, self._fair(order))
        elif how == "refuse":
            order.details.append("Cancel rejected by the venue")
            self._set(order, order.status_before)
        else:
            order.details.append("Canceled by user")
            self._set(order, "CANCELED")

    def _exchange(self, order: Order, changes: Mapping[str, Any]) -> None:
        wanted = changed(order.wanted, changes)
        status = order.status_before if order.status_before in ("QUEUED", "PENDING_TRIGGER", "NEW") else "NEW"
        status = "PARTIALLY_FILLED" if order.filled else status
        if self.replace_keeps_id:
            order.wanted = wanted
            self._set(order, "FILLED" if order.filled >= wanted.quantity else status)
            return
        new = replace(order, id=self.draw_id(), wanted=wanted, details=[], asked=None, created_at=datetime.now(UTC))
        self._set(order, "REPLACED")
        # It reports the fills of the order it took the place of, as replaced orders do.
        self.orders[new.id] = new
        self._set(new, "FILLED" if new.filled >= wanted.quantity else status)

    # -- the market ---------------------------------------------------------------------------------------------------

    def _trade(self, order: Order, elapsed: float) -> None:
        if elapsed < _REACHED:
            return
        trading = self.market.trading(extended=bool(order.wanted.extended_hours))
        if self._ended(order, trading=trading):
            return
        if not trading:
            self._wait(order, "QUEUED")
        elif not self._triggered(order):
            order.worked = True
            self._wait(order, "PENDING_TRIGGER")
        else:
            order.worked = True
            self._wait(order, "PARTIALLY_FILLED" if order.filled else "NEW")
            if elapsed >= _FILLING:
                self._match(order, elapsed)

    def _ended(self, order: Order, *, trading: bool) -> bool:
        expires, time_in_force = order.wanted.expires_at, order.wanted.time_in_force
        day_over = order.worked and not trading and time_in_force not in ("GOOD_TILL_CANCEL", "GOOD_TILL_DATE")
        if day_over or (expires is not None and time_in_force == "GOOD_TILL_DATE" and datetime.now(UTC) >= expires):
            order.details.append("Order expired")
            self._set(order, "EXPIRED")
            return True
        return False

    def _wait(self, order: Order, status: str) -> None:
        if order.asked is None and order.status != status:
            self._set(order, status)

    def _triggered(self, order: Order) -> bool:
        kind, last = order.wanted.order_type, self.market.last(order.instrument)
        if kind.startswith("TRAILING") and not order.triggered:
            better = order.watermark is None or (last - order.watermark) * order.sign < 0
            if better:
                order.watermark, order.watermark_at = last, datetime.now(UTC)
        stop = order.trailing_stop if kind.startswith("TRAILING") else order.wanted.amount("stop_price")
        if stop is None or kind == "LIMIT":
            return True
        order.triggered = order.triggered or (last - stop) * order.sign >= 0
        return order.triggered

    def _match(self, order: Order, elapsed: float) -> None:
        price = self._marketable(order)
        at_once = order.wanted.time_in_force in ("IMMEDIATE_OR_CANCEL", "FILL_OR_KILL")
        if price is None:
            if at_once:
                order.details.append("Nothing to trade with at this price")
                self._set(order, "CANCELED")
            return
        if order.wanted.time_in_force in ("AT_THE_OPENING", "AT_THE_CLOSE"):
            return
        large = order.wanted.quantity >= _LARGE and not at_once
        if large and elapsed < _SECOND_FILL:
            first = (order.wanted.quantity * _FIRST_SHARE).to_integral_value()
            self._fill(order, first - order.filled, price)
        else:
            self._fill(order, order.left, price)

    def _marketable(self, order: Order) -> Decimal | None:
        quote, limit = self.market.quote(order.instrument), order.limit
        price = quote.ask if order.sign > 0 else quote.bid
        if price is None or (limit is not None and (price - limit) * order.sign > 0):
            return None
        return price

    def _fair(self, order: Order) -> Decimal:
        marketable = self._marketable(order)
        return marketable or order.limit or self.market.last(order.instrument)

    def _fill(self, order: Order, quantity: Decimal, price: Decimal) -> None:
        if quantity <= 0:
            return
        order.filled += quantity
        order.paid += quantity * price
        self.portfolios.of(order.account_id).fill(order.instrument, quantity * order.sign, price)
        if order.filled >= order.wanted.quantity:
            order.asked = None
            self._set(order, "FILLED")
        elif order.asked is None:
            self._set(order, "PARTIALLY_FILLED")
        else:
            order.status_before = "PARTIALLY_FILLED"
            order.updated_at = datetime.now(UTC)

    @staticmethod
    def _set(order: Order, status: str) -> None:
        order.status = status
        order.updated_at = datetime.now(UTC)
