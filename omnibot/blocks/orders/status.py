"""The status of a ticket and of its order, in plain words; the API's own codes are never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from omnibot.accounts.model import Person
from omnibot.blocks.layout.builders import live_mention, one_line, shorten
from omnibot.blocks.markdown.escaping import escape
from omnibot.clearstreet.models.enums import OrderStatus, UnknownValue
from omnibot.clearstreet.models.orders import Order
from omnibot.orders.model import LOOKS, Ticket, TicketState
from omnibot.orders.order_parser import afterwards
from omnibot.orders.wording import sentence
from omnibot.policy import money
from omnibot.policy.facts import OrderAction
from omnibot.policy.money import dollars, plain

#: Characters of a decision (only hostile ones need more), of an account's name in it, and of a reason.
DECISION, ACCOUNT, REASON = 1_200, 60, 400

_LINK: Final = re.compile(r"https?://[^\s<>|\"]{1,1000}")
#: People of a kind who are named.
PEOPLE: Final = 5

_CODE: Final = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{4,})(?:: *(.*))?", re.ASCII | re.DOTALL)
#: Machine codes of refusals, and what to do about them. There is no closed list of codes.
_REFUSALS: Final = {
    "BUYING_POWER": "The account's buying power is not enough for it. Try a smaller quantity.",
    "SELF_MATCH": "It would trade with another open order of the same account. Cancel that one first.",
    "INVALID_TICK_SIZE": "Its price is not a multiple of the smallest step in which this is priced.",
    "LIQUIDATION_ONLY": "Positions in this can only be closed, not opened.",
    "OPTIONS_LEVEL_EXCEEDED": "The account may not trade options of this kind.",
    "UNSUPPORTED_SECURITY": "Clear Street does not trade this in this way; it may be that it cannot be sold short.",
    "INSUFFICIENT_LOCATE_INVENTORY": "Not enough shares could be borrowed to sell it short.",
}


@dataclass(frozen=True, slots=True)
class OrderStatusText:
    """Where something stands."""

    title: str
    """A few words without a full stop."""
    more: str = ""
    """Sentences."""
    by: tuple[Person, ...] = ()
    """Who brought it there."""

    @property
    def words(self) -> str:
        """All of it, without the people."""
        return f"{self.title}{_stop(self.title)} {self.more}".strip()

    @property
    def mrkdwn(self) -> str:
        """All of it, escaped, the people as live mentions."""
        title = escape(self.title)
        stop = _stop(self.title)
        by = f"*{title}* by {people(self.by)}{stop}" if self.by else f"*{title}{stop}*"
        return f"{by} {escape(self.more)}".strip()


def _stop(title: str) -> str:
    return "" if title.endswith(("…", ".")) else "."


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an order has got. None: not known."""

    status: OrderStatus | UnknownValue | None
    filled: Decimal = Decimal(0)
    total: Decimal | None = None
    average: Decimal | None = None
    details: tuple[str, ...] = ()
    releases_at: datetime | None = None


# -- words ------------------------------------------------------------------------------------------------------------


def decision(ticket: Ticket) -> str:
    """What approving the ticket does: one inert line without a full stop, ready for plain text."""
    name = shorten(ticket.account_name, ACCOUNT)
    return shorten(sentence(ticket.terms, account_name=name, before=ticket.before), DECISION)


def people(these: tuple[Person, ...]) -> str:
    """Live mentions: “@ana and @ben”."""
    named = [live_mention(person.user) or "somebody" for person in dict.fromkeys(these)]
    if len(named) > PEOPLE:
        named = [*named[:PEOPLE], f"{len(named) - PEOPLE} more"]
    return " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]])) if named else "nobody"


def slack_time(moment: datetime, form: str = "{date_short_pretty} at {time}") -> str:
    """A moment (UTC where it has no zone) in the reader's own time; as mrkdwn."""
    at = utc(moment)
    spelled = (f"{at:%Y-%m-%d %H:%M:%S}" if "secs" in form else f"{at:%Y-%m-%d %H:%M}") + " UTC"
    seconds = int(at.timestamp())
    # Slack takes no moment before 1970, and none of more than ten digits.
    return f"<!date^{seconds}^{form}|{spelled}>" if 0 <= seconds < 10**10 else spelled


def link(url: str, label: str) -> str:
    """A link as mrkdwn; "" where there is no address to go to."""
    return f"<{url.replace('&', '&amp;')}|{label}>" if _LINK.fullmatch(url) else ""


def utc(moment: datetime) -> datetime:
    """A moment with its zone; without one it is UTC."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        # Within a day of the first or the last year there is.
        return moment.replace(tzinfo=UTC)


def reason_words(reason: str | None) -> str:
    """Why something was refused, as one line of plain words; what has a known machine code, in ours."""
    words = one_line(reason or "")
    code = _CODE.fullmatch(words)
    if code is not None:
        known = _REFUSALS.get(code[1])
        words = known or f"Clear Street says “{code[1]}”" + (f": {code[2]}" if code[2] else "")
    words = words if len(words) <= REASON else words[: REASON - 1].rstrip() + "…"
    return words if not words or words.endswith((".", "!", "?", "…")) else f"{words}."


# -- orders -----------------------------------------------------------------------------------------------------------


def progress(ticket: Ticket) -> Progress:
    """How far the order of a ticket has got, from what is written down of it; strange values count as not known."""
    held: Mapping[str, Any] = ticket.order or {}
    status, details = held.get("status"), held.get("details")
    lines = [details] if isinstance(details, str) else details if isinstance(details, list | tuple) else []
    return Progress(
        status=_status(status),
        filled=_amount(held.get("filled")) or Decimal(0),
        total=_amount(held.get("quantity")) or _quantity(ticket),
        average=_amount(held.get("average")),
        details=tuple(str(line) for line in lines if line),
    )


def progress_of(order: Order) -> Progress:
    """How far an order has got, as Clear Street says."""
    return Progress(
        status=order.status,
        filled=money.known(order.filled_quantity) or Decimal(0),
        total=money.known(order.quantity),
        average=money.known(order.average_fill_price),
        details=tuple(order.details),
        releases_at=order.releases_at,
    )


def order_status(order: Progress) -> OrderStatusText:
    """Where an order is."""
    simple = _ORDERS.get(order.status) if isinstance(order.status, OrderStatus) else None
    if simple is not None:
        return OrderStatusText(simple[0], _more(simple[1], _filled_so_far(order)))
    match order.status:
        case None:
            return OrderStatusText("Clear Street has it")
        case OrderStatus.FILLED:
            return OrderStatusText(f"Filled: {_share(order)}")
        case OrderStatus.PARTIALLY_FILLED:
            return OrderStatusText(f"Partly filled: {_share(order)}", "The rest is working.")
        case OrderStatus.REJECTED:
            return OrderStatusText("Rejected", _more(_why(order), _filled_so_far(order)))
        case OrderStatus.CANCELED | OrderStatus.EXPIRED:
            title = "Canceled" if order.status is OrderStatus.CANCELED else "Expired"
            return OrderStatusText(title, _more(_why(order), _filled_so_far(order) or "Nothing was filled."))
        case _:
            # Not a word of ours, so it is quoted.
            said = shorten(str(order.status), 40) or "?"
            return OrderStatusText(f"Clear Street says “{said}”", _filled_so_far(order))


#: What needs no more than words.
_ORDERS: Final[Mapping[OrderStatus, tuple[str, str]]] = {
    OrderStatus.PENDING_NEW: ("Accepted by Clear Street", "It is on its way to the market."),
    OrderStatus.QUEUED: ("Waiting to be released", "Mostly that is for the market to open."),
    OrderStatus.PENDING_TRIGGER: ("Waiting for its stop price", ""),
    OrderStatus.NEW: ("Working", ""),
    OrderStatus.PENDING_CANCEL: ("Being canceled", "It may still be filled."),
    OrderStatus.PENDING_REPLACE: ("Being changed", "It may still be filled as it was."),
    OrderStatus.REPLACED: ("Over: another order took its place", ""),
    OrderStatus.DONE_FOR_DAY: ("Done for today", ""),
    OrderStatus.STOPPED: ("Stopped by the market", ""),
    OrderStatus.SUSPENDED: ("Suspended by the market", ""),
    OrderStatus.CALCULATED: ("Done for today", "What it came to is being worked out."),
    OrderStatus.OTHER: ("In a state for which Clear Street has no word", ""),
}


def _more(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _share(order: Progress) -> str:
    share = plain(order.filled) + ("" if order.total is None else f" of {plain(order.total)}")
    return share + ("" if order.average is None else f" at an average of {dollars(order.average)}")


def _filled_so_far(order: Progress) -> str:
    return f"Filled: {_share(order)}." if order.filled > 0 else ""


def _why(order: Progress) -> str:
    said = [detail for detail in order.details[:5] if detail.strip().lower() != _OF_COURSE]
    return shorten(" ".join(map(reason_words, said)), REASON)


#: Of an order that is canceled: no more than that.
_OF_COURSE: Final = "canceled by user"


def _status(value: Any) -> OrderStatus | UnknownValue | None:
    known: Mapping[str, OrderStatus] = {member.value: member for member in OrderStatus}
    return known.get(value) or UnknownValue(value) if isinstance(value, str) else None


def _amount(value: Any) -> Decimal | None:
    """An exact amount; a float is none."""
    if not isinstance(value, str | Decimal):
        return None
    try:
        return money.known(Decimal(value))
    except InvalidOperation:
        return None


def _quantity(ticket: Ticket) -> Decimal | None:
    about = afterwards(ticket.before, ticket.terms) if ticket.terms.act is OrderAction.MODIFY else ticket.before
    return money.known((about or ticket.terms).quantity)


# -- tickets ----------------------------------------------------------------------------------------------------------


def status(ticket: Ticket, now: datetime) -> OrderStatusText:
    """Where a ticket is; of a submitted one, where its order is.

    Args:
        now: aware, or UTC without zone.
    """
    match ticket.state:
        case TicketState.PROPOSED if overdue(ticket, now):
            return OrderStatusText("Expired", _TOO_LATE)
        case TicketState.PROPOSED if ticket.approved_by:
            return OrderStatusText(
                "Approved so far", "A second person has to approve it before it is sent.", ticket.approved_by
            )
        case TicketState.NOT_PLACED:
            return _not_placed(ticket)
        case TicketState.SUBMITTED:
            return _submitted(ticket)
        case TicketState.REJECTED:
            return OrderStatusText("Rejected", _more(reason_words(ticket.reason), _NOTHING[ticket.terms.act]))
        case TicketState.DECLINED:
            by = () if ticket.decided_by is None else (ticket.decided_by,)
            return OrderStatusText("Declined", reason_words(ticket.reason), by)
        case TicketState.EXPIRED:
            return OrderStatusText("Expired", reason_words(ticket.reason) or _TOO_LATE)
        case TicketState.UNKNOWN:
            given_up = reason_words(ticket.reason) if ticket.order_over else ""
            return OrderStatusText(_UNKNOWN[ticket.terms.act], given_up or _LOOKED_UP)
        case _:
            return _STANDINGS[ticket.state]


def overdue(ticket: Ticket, now: datetime) -> bool:
    """Whether it waits for people who are too late."""
    return ticket.decidable and utc(now) >= utc(ticket.expires_at)


_TOO_LATE: Final = "Nobody approved it in time, and nothing was sent. Ask again for a fresh one."
_LOOKED_UP: Final = (
    "Clear Street's answer did not arrive, so it is being looked up. Nothing is sent again in the meantime."
)
_NOTHING: Final = {
    OrderAction.NEW: "No order was placed.",
    OrderAction.CANCEL: "The order stands as it was.",
    OrderAction.MODIFY: "The order stands as it was.",
}
_UNKNOWN: Final = {
    OrderAction.NEW: "It is not known whether this order was placed",
    OrderAction.CANCEL: "It is not known whether this order was canceled",
    OrderAction.MODIFY: "It is not known whether this order was changed",
}
_STANDINGS: Final[Mapping[TicketState, OrderStatusText]] = {
    TicketState.PROPOSED: OrderStatusText("Waiting for approval"),
    TicketState.APPROVED: OrderStatusText("Sending…"),
    TicketState.SUBMITTING: OrderStatusText("Sending…"),
    TicketState.COPYABLE: OrderStatusText("Approved, but not sent", "Trading is off here: to be placed by hand."),
}


def _not_placed(ticket: Ticket) -> OrderStatusText:
    """Why, as is written down; what may be done about it; who has done so already."""
    asked = f"Clear Street was asked {LOOKS} times and knows nothing of it."
    title, once = _NOT_DONE[ticket.terms.act]
    why = reason_words(ticket.reason) or f"{asked} Approve it again to send it once more."
    if ticket.approved_by:
        why = _more("A second person has to approve it too.", why)
        return OrderStatusText("Approved again so far", _more(why, once), ticket.approved_by)
    return OrderStatusText(title, _more(why, once))


_NOT_DONE: Final = {
    OrderAction.NEW: ("Not placed", "The same order cannot be placed twice."),
    OrderAction.CANCEL: ("Not canceled", ""),
    OrderAction.MODIFY: ("Not changed", ""),
}


def _submitted(ticket: Ticket) -> OrderStatusText:
    held = progress(ticket)
    if ticket.terms.act is OrderAction.CANCEL and held.status is OrderStatus.FILLED:
        return OrderStatusText(f"Filled before it could be canceled: {_share(held)}")
    if ticket.terms.act is OrderAction.CANCEL and held.status is None:
        return OrderStatusText("Being canceled", "It may still be filled.")
    if ticket.order_over and not (isinstance(held.status, OrderStatus) and held.status in _OVER):
        return _let_go(ticket)
    stands = order_status(held)
    return replace(stands, more=_more(stands.more, _changed_since(ticket)))


def _changed_since(ticket: Ticket) -> str:
    """What another card made of the order that this one placed."""
    if ticket.terms.act is not OrderAction.NEW:
        return ""
    now = [(name, _amount((ticket.order or {}).get(field))) for field, name in _CHANGING.items()]
    was = [getattr(ticket.terms, field) for field in _CHANGING]
    told = [
        f"{name} {plain(amount) if name == 'quantity' else dollars(amount)}"
        for (name, amount), before in zip(now, was, strict=True)
        if amount is not None and before is not None and amount != before
    ]
    return f"Changed since: {', '.join(told)}." if told else ""


_CHANGING: Final = {"quantity": "quantity", "limit_price": "limit", "stop_price": "stop"}


def _let_go(ticket: Ticket) -> OrderStatusText:
    """Of a ticket that is done, or given up, while its order goes on."""
    if ticket.reason:
        return OrderStatusText(_UNDONE[ticket.terms.act], reason_words(ticket.reason))
    return OrderStatusText(_DONE[ticket.terms.act])


_OVER: Final = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.REPLACED}
)
_DONE: Final = {OrderAction.NEW: "Clear Street has it", OrderAction.CANCEL: "Canceled", OrderAction.MODIFY: "Changed"}
_UNDONE: Final = {
    OrderAction.NEW: "Followed no more",
    OrderAction.CANCEL: "Not canceled",
    OrderAction.MODIFY: "Not changed",
}
