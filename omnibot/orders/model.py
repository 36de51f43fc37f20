"""Tickets: their states, and what may happen in each. Pure: no IO, and `now` is a parameter.

proposed → approved → submitting → submitted | rejected | unknown          unknown → submitted | not_placed
   │  ↑ edit            approved → copyable (trading is off)               not_placed → approved | submitted
   └──┴→ declined | expired

An edit supersedes the version before it: whoever presses that one's buttons is told. A ticket sends one order at most,
under one client order id, however often it is approved. `unknown` and `not_placed` are looked up; only a human approves
again, and the same order cannot be placed twice under one client order id.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, cast

from omnibot.accounts.model import Person, person_of
from omnibot.clearstreet.models.enums import (
    InstrumentType,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
    TrailingOffsetType,
    UnknownValue,
)
from omnibot.policy.facts import OrderAction
from omnibot.policy.identities import Authority, Own, Shared
from omnibot.policy.order_rules import RuleVerdict


class TicketState(StrEnum):
    """Where a ticket stands."""

    PROPOSED = "proposed"
    """Waits for people."""
    APPROVED = "approved"
    """About to be sent."""
    SUBMITTING = "submitting"
    """The call is under way, or whoever made it died."""
    UNKNOWN = "unknown"
    """It is not known whether the call did anything: it is being looked up."""
    NOT_PLACED = "not_placed"
    """It did nothing, as three looks say. A human may approve again."""
    SUBMITTED = "submitted"
    """Clear Street has it; the order is followed to its end."""
    REJECTED = "rejected"
    """Clear Street answered that it will not."""
    COPYABLE = "copyable"
    """Approved while trading was off: to be typed in by hand."""
    DECLINED = "declined"
    EXPIRED = "expired"

    @property
    def terminal(self) -> bool:
        """Nothing can happen to the ticket any more; its order may still change."""
        return self in TERMINAL

    @property
    def counts(self) -> bool:
        """Whether it uses up its owner's day. What was not placed might still turn up, until it has expired."""
        return self in COUNTED


TERMINAL = frozenset(
    {TicketState.REJECTED, TicketState.COPYABLE, TicketState.DECLINED, TicketState.EXPIRED, TicketState.SUBMITTED}
)
COUNTED = frozenset(
    {TicketState.APPROVED, TicketState.SUBMITTING, TicketState.UNKNOWN, TicketState.NOT_PLACED, TicketState.SUBMITTED}
)
UNDER_WAY = frozenset({TicketState.APPROVED, TicketState.SUBMITTING, TicketState.UNKNOWN, TicketState.NOT_PLACED})
"""States in which what was approved may still take effect at Clear Street, and does not show there yet."""
DECIDABLE = frozenset({TicketState.PROPOSED, TicketState.NOT_PLACED})
"""States in which people's approval counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is to be done at the market, as far as it is understood; amounts exact, None: not said."""

    act: OrderAction
    account_id: int
    order_id: str | None = None
    """The order that is canceled or changed."""
    symbol: str | None = None
    """Ticker, or OSI symbol of an option."""
    instrument_type: InstrumentType | UnknownValue | None = None
    side: Side | UnknownValue | None = None
    quantity: Decimal | None = None
    order_type: OrderType | UnknownValue | None = None
    time_in_force: TimeInForce | UnknownValue | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    limit_offset: Decimal | None = None
    trailing_offset: Decimal | None = None
    trailing_offset_type: TrailingOffsetType | UnknownValue | None = None
    expires_at: datetime | None = None
    extended_hours: bool | None = None
    position_effect: PositionEffect | UnknownValue | None = None
    strategy: str | None = None
    """Execution strategy: SOR, VWAP, TWAP or DMA."""
    not_understood: tuple[str, ...] = ()
    """Names of fields with a value that cannot be read: with these nothing is ever sent."""


#: The words in which terms are written, by field.
WORDS: Mapping[str, type[StrEnum]] = {
    "act": OrderAction,
    "instrument_type": InstrumentType,
    "side": Side,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
    "trailing_offset_type": TrailingOffsetType,
    "position_effect": PositionEffect,
}
AMOUNTS = ("quantity", "limit_price", "stop_price", "limit_offset", "trailing_offset")


def write_terms(terms: Terms) -> dict[str, Any]:
    """Terms as JSON."""
    written: dict[str, Any] = {}
    for one in fields(terms):
        value = getattr(terms, one.name)
        if value is None or value == ():
            continue
        if isinstance(value, Decimal):
            value = f"{value:f}"
        elif isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, str):
            value = str(value.value if isinstance(value, StrEnum) else value)
        written[one.name] = value
    return written


def read_terms(written: Mapping[str, Any]) -> Terms:
    """Terms from their JSON."""
    values: dict[str, Any] = dict(written)
    for name, kind in WORDS.items():
        if name in values:
            known: dict[str, StrEnum] = {member.value: member for member in kind}
            values[name] = known.get(values[name]) or UnknownValue(values[name])
    for name in AMOUNTS:
        if name in values:
            values[name] = Decimal(values[name])
    if "expires_at" in values:
        values["expires_at"] = datetime.fromisoformat(values["expires_at"])
    values["not_understood"] = tuple(values.get("not_understood", ()))
    return Terms(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """What the market and the account said about one ticket at one moment. None: not known."""

    at: datetime
    """When it was asked for."""
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    quoted_at: datetime | None = None
    undated: bool = False
    """The quote has no time of its own: `quoted_at` is when it was asked for, and says nothing about its age."""
    short_sale_restricted: bool | None = None
    held: Decimal | None = None
    """The position, negative when short."""
    sellable: Decimal | None = None
    """The position less what open orders sell; tickets on their way are taken off in the approve transaction."""
    open_client_ids: tuple[str, ...] = ()
    """Client ids of the open orders that are in `sellable`."""
    buying_power: Decimal | None = None
    equity: Decimal | None = None
    market_open: bool | None = None
    """In the regular session."""
    session: str | None = None
    trading_now: bool | None = None
    """In a session in which this order works."""
    session_day: date | None = None
    """The exchange's date of the session in which this order would work first: the day it counts for."""
    opens_at: datetime | None = None
    """When the regular hours of that session begin; None: they have begun, or it is not known."""
    trouble: str | None = None
    """Why something is missing, in words."""

    @property
    def middle(self) -> Decimal | None:
        """Between bid and ask."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2

    def quote(self) -> dict[str, Any]:
        """What is written down of it."""
        shown = {"bid": self.bid, "ask": self.ask, "last": self.last}
        moments = {"quoted_at": self.quoted_at, "asked_at": self.at}
        return {
            **{name: None if amount is None else f"{amount:f}" for name, amount in shown.items()},
            **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
        }


def read_quote(written: Mapping[str, Any]) -> MarketView:
    """What `Seen.quote` wrote down; the rest of it is not known."""
    bid, ask, last = (None if (amount := written[name]) is None else Decimal(amount) for name in ("bid", "ask", "last"))
    quoted = written["quoted_at"]
    return MarketView(
        at=datetime.fromisoformat(written["asked_at"]),
        bid=bid,
        ask=ask,
        last=last,
        quoted_at=None if quoted is None else datetime.fromisoformat(quoted),
    )


#: What is written down of an order that is at work, and that forms about it show.
_SEEN_AT_WORK = ("quantity", "limit_price", "stop_price")


def _amount_in(order: Mapping[str, Any], name: str) -> Decimal | None:
    """An amount of a written-down order; None: there is none, or none that makes sense."""
    try:
        amount = Decimal(str(order.get(name)))
    except InvalidOperation:
        return None
    return amount.normalize() if amount.is_finite() and amount > 0 else None


#: Between the token of a version, or the id of a ticket, and the mark of what was on the screen.
MARKED = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One proposed order action, and what became of it. Moments are UTC without zone."""

    id: str
    message_id: str
    action_id: str
    position: int
    """Its place among the orders of the action."""
    owner: Person
    team: str
    channel: str
    thread_ts: str | None
    turn_id: str | None
    principal: str
    account_id: int
    account_name: str
    state: TicketState
    version: int
    token: str
    """What buttons of this version carry."""
    content_hash: str
    terms: Terms
    body: dict[str, Any] | None
    """Exactly what is sent; None: a cancel, or nothing can be sent."""
    unsendable: str | None
    """Why nothing can be sent, in words."""
    before: Terms | None
    """The order that is canceled or changed, as it was."""
    client_order_id: str
    changes: tuple[str, ...] = ()
    """What the newest edit changed."""
    edited_by: tuple[Person, ...] = ()
    approved_by: tuple[Person, ...] = ()
    """Of this version, and of this attempt: of one that was made, those who allowed it."""
    decided_by: Person | None = None
    reason: str | None = None
    """Why it was declined, rejected, …: in plain words."""
    attempts: int = 0
    """How often a call may have been made, or was to be made once more."""
    looks: int = 0
    first_look_at: datetime | None = None
    submitted_at: datetime | None = None
    unknown_since: datetime | None = None
    ops_told: bool = False
    request_id: str | None = None
    order: dict[str, Any] | None = None
    """What is known of the order at Clear Street: id, status, filled, average, details."""
    order_over: bool = False
    """The order is followed no more: it is over, or there is no key any more to look with (`reason` says so)."""
    changed_at: datetime | None = None
    """When the order last changed."""
    seen: dict[str, Any] | None = None
    """The quote the card showed: as `Seen.quote`."""
    approved_at: datetime | None = None
    serial: int = 0
    """Counts its changes."""
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    @property
    def mark(self) -> str:
        """The version that its card shows, by number, attempt and content: short, and in the names of its buttons.

        An order that is at work in other amounts than the ticket says is another version.
        """
        mark = f"{self.version}.{self.attempts}.{self.content_hash[:16]}"
        working = self.working
        if working == self._as_sent:
            return mark
        told = ",".join(str(getattr(working, name)) for name in _SEEN_AT_WORK)
        return f"{mark}.{hashlib.sha256(told.encode()).hexdigest()[:8]}"

    @property
    def working(self) -> Terms:
        """Its order as it was last seen at Clear Street; what was not seen of it, as the ticket says."""
        sent = self._as_sent
        if self.state is not TicketState.SUBMITTED:
            return sent
        seen = {name: (getattr(sent, name), _amount_in(self.order or {}, name)) for name in _SEEN_AT_WORK}
        other = {name: now for name, (was, now) in seen.items() if was is not None and now not in (None, was)}
        return replace(sent, **cast(Any, other))

    @property
    def _as_sent(self) -> Terms:
        """The order once the ticket is done."""
        if self.terms.act is OrderAction.MODIFY and self.before is not None:
            given = {name: value for name in AMOUNTS if (value := getattr(self.terms, name)) is not None}
            return replace(self.before, **given)
        return self.before or self.terms

    @property
    def press(self) -> str:
        """What a button of its card carries while it waits: the token, and the version on the screen."""
        return f"{self.token}{MARKED}{self.mark}"

    @property
    def open(self) -> bool:
        """Something may still happen to it, or to its order."""
        return (not self.state.terminal or self.state is TicketState.SUBMITTED) and not self.order_over

    @property
    def decidable(self) -> bool:
        """Whether it waits for people."""
        return self.state in DECIDABLE

    @property
    def asked_for_by(self) -> Person | None:
        """Who asked for it on the card of an order; None: Omni proposed it."""
        return next(iter(self.edited_by), None) if self.message_id.startswith("ticket:") else None

    @property
    def order_id(self) -> str | None:
        """Clear Street's id of the order it placed or is about."""
        return (self.order or {}).get("id") or self.terms.order_id

    @property
    def authority(self) -> Authority:
        """Whose key sends it."""
        person = person_of(self.principal)
        return Shared() if person is None else Own(person.org, person.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Where orders come from: an answer's structured action, or a card."""

    message_id: str
    """Of Omni's finalised message; "ticket:…" when a card proposes."""
    action_id: str
    owner: Person
    team: str
    channel: str
    thread_ts: str | None
    principal: str
    account_id: int | None
    """The conversation's."""
    turn_id: str | None = None


class Notification(StrEnum):
    """What the requester hears of, where an edit of a card would not notify them."""

    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    """By Clear Street, by the venue; of a cancel or a change: it was not done."""
    EXPIRED = "expired"
    """The order, or an approval that came to nothing."""
    CHANGED = "changed"
    """The order is what a replacement wanted."""
    DECLINED = "declined"
    """By somebody else."""
    UNKNOWN = "unknown"
    """It is not known whether the order was placed."""
    NOT_PLACED = "not_placed"
    PLACED = "placed"
    """What was said to be unknown, or not placed, is with Clear Street after all."""
    LEFT = "left"
    """Nobody follows the order any more: the key it would be looked at with is gone."""


class ClickOutcome(StrEnum):
    """How a click is answered."""

    APPROVED = "approved"
    """It is on its way."""
    SECOND_NEEDED = "second_needed"
    """The approval is written down; somebody else has to approve too."""
    COPYABLE = "copyable"
    """Trading is off: here is what to type."""
    EDITED = "edited"
    DECLINED = "declined"
    NOT_ALLOWED = "not_allowed"
    """This person may not."""
    DENIED = "denied"
    """The order may not, as it is."""
    INVALID = "invalid"
    """The edit makes no sense; `problems` says where."""
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    """The button is of an earlier version."""
    DECIDED = "decided"
    """Somebody was quicker."""
    UNKNOWN = "unknown"
    """There is no such ticket."""
    DONE = "done"
    """Trading was halted, or resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickResult:
    """The answer to a click."""

    answer: ClickOutcome
    message: str
    """A sentence for the person who clicked."""
    ticket: Ticket | None = None
    verdicts: tuple[RuleVerdict, ...] = ()
    ask: tuple[str, ...] = ()
    """Slack user ids of those who can help."""
    seen: MarketView | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    """By field of an edit, what is wrong with it."""


# -- identity ---------------------------------------------------------------------------------------------------------


def client_order_id(ticket_id: str) -> str:
    """The one client order id of a ticket: at most 64 characters, unique per account for ever."""
    return f"omnibot-{ticket_id}"


def canonical(value: Any) -> str:
    """JSON in one spelling only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def content_hash(terms: Terms, body: Mapping[str, Any] | None) -> str:
    """SHA-256 of what an approval is about: what is done, on which account, to which order, in which exact bytes."""
    content = {"action": terms.act.value, "account": terms.account_id, "order": terms.order_id, "body": body}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


# -- time -------------------------------------------------------------------------------------------------------------

#: What was approved and not begun to be sent for so long is not sent any more: its quote and checks are old.
CLOCK_STEP = timedelta(seconds=1)
"""By which a clock may go back between two looks without anything being meant by it."""
APPROVAL_LASTS = timedelta(seconds=20)
#: So many listings without the order, over at least so long, mean that it was not placed.
LOOKS, LOOKS_OVER = 3, timedelta(seconds=30)
#: Time after which somebody has to hear of an unknown outcome.
UNKNOWN_FOR_LONG = timedelta(seconds=60)

#: How old a change of the order is, and after how many seconds it is looked at again.
_PACE = (
    (timedelta(seconds=10), 1),
    (timedelta(minutes=1), 2),
    (timedelta(minutes=10), 5),
    (timedelta(hours=1), 20),
    (timedelta(days=1), 60),
)
_SLOWEST = 900


def utcnow() -> datetime:
    """This machine's clock, UTC without zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def absent_for_good(looks: int, first_look_at: datetime | None, now: datetime) -> bool:
    """Whether an order that was looked for so often is not there."""
    return looks >= LOOKS and first_look_at is not None and now - first_look_at >= LOOKS_OVER


def next_lookup(looks: int) -> int:
    """Seconds until an order of unknown outcome is looked up again."""
    return (1, 4, 10, 15)[min(looks, 3)]


def next_look(since_change: timedelta, *, waiting: bool) -> int:
    """Seconds until an order that works is looked at again: the quieter it is, the more seldom.

    Args:
        since_change: how long it has looked the same.
        waiting: it waits for the market to open.
    """
    pace = next((seconds for age, seconds in _PACE if since_change < age), _SLOWEST)
    return max(pace, 60) if waiting else pace
