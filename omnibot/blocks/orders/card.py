"""The card of a ticket: the decision first, then the details, then the buttons.

Built from typed fields and market data alone. The decision stands in rich text, which knows no marks: nothing that is
called something can dress itself up as something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from omnibot.blocks.layout.builders import context, escaped_parts, fallback, one_line, section, shorten
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.limits import FALLBACK_TEXT
from omnibot.blocks.markdown.escaping import escape
from omnibot.blocks.orders.buttons import NOT_A_SPREAD, all_row, ticket_buttons
from omnibot.blocks.orders.manual_entry import copyable
from omnibot.blocks.orders.status import (
    OrderStatusText,
    decision,
    overdue,
    people,
    reason_words,
    slack_time,
    status,
    utc,
)
from omnibot.clearstreet.models.enums import MarketSession
from omnibot.orders.model import MarketView, Ticket, TicketState
from omnibot.orders.risk_facts import drift, market_facts, notional_and_quantity, order_facts
from omnibot.policy import money
from omnibot.policy.facts import OrderAction, OrderFacts
from omnibot.policy.identities import PersonKind, Who
from omnibot.policy.money import dollars, plain

#: Warnings that are shown, and the characters of each.
_WARNINGS, _WARNING = 8, 200
#: Characters of a decision in a list, and of what an edit changed.
_LINE: Final = 300
_CHECKING: Final = OrderStatusText("Checking…", "The market and your rules are being looked at once more.")
_OFF: Final = "Trading is off here: approving sends nothing, and gives you a ticket to copy."
#: States in which the market matters.
_WEIGHED: Final = frozenset(
    {TicketState.PROPOSED, TicketState.NOT_PLACED, TicketState.APPROVED, TicketState.SUBMITTING}
)
_SESSIONS: Final = {
    MarketSession.OVERNIGHT.value: "overnight session",
    MarketSession.PRE_MARKET.value: "before regular hours",
    MarketSession.REGULAR.value: "regular hours",
    MarketSession.AFTER_HOURS.value: "after regular hours",
}


def order_card(
    ticket: Ticket,
    seen: MarketView | None = None,
    warnings: Sequence[str] = (),
    *,
    now: datetime,
    trading_live: bool,
    checking: bool = False,
    withheld: str | None = None,
    several: int = 1,
) -> Page:
    """The card of a ticket in whatever state it is.

    Args:
        ticket: the ticket, and through it its order.
        seen: what the market says; None: nothing, or it does not matter any more.
        warnings: what a careful colleague would point out.
        now: aware, or UTC without zone.
        trading_live: whether approved orders are sent.
        checking: somebody has just approved, and it is being looked at again: no buttons.
        withheld: why nothing can be pressed here although it waits; None: it can be.
        several: how many orders the same answer proposes.
    """
    waits = ticket.decidable and not overdue(ticket, now)
    stands = _CHECKING if checking else status(ticket, now)
    if waits and withheld is not None:
        stands = OrderStatusText("Nothing can be approved here", shorten(withheld, _WARNING))
    blocks = [_decision(ticket), *_status(ticket, stands, checking=checking)]
    if ticket.state is TicketState.COPYABLE:
        blocks.append(copyable(ticket))
    if ticket.state in _WEIGHED and not overdue(ticket, now):
        blocks += _market(ticket, seen, now)
        blocks += _warnings(ticket, warnings, seen)
    blocks += _edits(ticket)
    if waits and withheld is None and not trading_live:
        blocks.append(context(_OFF))
    origin = _origin(ticket, several=several, waits=waits and withheld is None)
    blocks.append(context(origin) | {"block_id": f"order_origin:{ticket.id}"})
    if not checking and withheld is None:
        blocks += ticket_buttons(ticket, trading_live=trading_live, now=now)
    return Page(blocks, fallback(f"{stands.title.rstrip('…')}: {decision(ticket)}. {stands.more}", FALLBACK_TEXT))


def footer_card(
    tickets: Sequence[Ticket], seen: Mapping[str, MarketView] | None = None, *, now: datetime, trading_live: bool
) -> Page:
    """What stands below the cards of an answer that proposes several orders: how far they are, and “Approve all”.

    Args:
        tickets: of the answer, in order.
        seen: by ticket id what the market says.
        now: aware, or UTC without zone.
        trading_live: whether approved orders are sent.
    """
    waiting = [one for one in tickets if one.decidable and not overdue(one, now)]
    count = len(tickets)
    said = (
        f"{len(waiting)} of {count} orders wait."
        if waiting
        else f"{'Both' if count == 2 else f'All {count}'} orders are decided."
    )
    blocks: list[Block] = [section(f"*{said}*") | {"block_id": "orders_count"}]
    if waiting:
        lines = [_line(shorten(decision(one), _LINE)) for one in waiting]
        blocks.append(_rich("orders_waiting", {"type": "rich_text_list", "style": "bullet", "elements": lines}))
        blocks.append(context(f"{_together(waiting, seen or {})} {NOT_A_SPREAD}".strip()))
    blocks += all_row(tickets, trading_live=trading_live, now=now)
    return Page(blocks, fallback(f"{said} {NOT_A_SPREAD if waiting else ''}", FALLBACK_TEXT))


def _together(waiting: Sequence[Ticket], seen: Mapping[str, MarketView]) -> str:
    moved = money.total(
        notional_and_quantity(one, _owner(one), seen[one.id])[0] if one.id in seen else None for one in waiting
    )
    return "" if moved is None else f"Together they move about {dollars(moved)}."


def _owner(ticket: Ticket) -> Who:
    """The owner as far as amounts need one: no rule is asked about them here."""
    return Who(ticket.owner.org, ticket.owner.user, PersonKind.UNKNOWN)


# -- parts of a card --------------------------------------------------------------------------------------------------


def _decision(ticket: Ticket) -> Block:
    return _rich(f"order_decision:{ticket.id}", _line(decision(ticket), style={"bold": True}))


def _line(inert: str, **style: Any) -> Block:
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": inert, **style}]}


def _rich(block_id: str, element: Block) -> Block:
    return {"type": "rich_text", "block_id": block_id, "elements": [element]}


def _status(ticket: Ticket, stands: OrderStatusText, *, checking: bool) -> list[Block]:
    lines = [section(stands.mrkdwn) | {"block_id": f"order_standing:{ticket.id}"}]
    if not checking and ticket.decidable and ticket.unsendable:
        lines += [section(f"⚠ {part}") for part in escaped_parts(reason_words(ticket.unsendable))]
    return lines


def _market(ticket: Ticket, seen: MarketView | None, now: datetime) -> list[Block]:
    if ticket.terms.act is OrderAction.CANCEL or seen is None:
        return []
    facts = order_facts(ticket, _owner(ticket), (), ())
    told = [("Notional", _notional(facts, seen)), ("Quote", _quote(seen, now))]
    if seen.held is not None:
        told.append(("Held now", plain(seen.held)))
    if seen.session is not None or seen.market_open is not None:
        told.append(("Market", _hours(seen)))
    lines = "\n".join(f"*{name}:* {words}" for name, words in told)
    return [section(lines) | {"block_id": f"order_market:{ticket.id}"}]


def _notional(facts: OrderFacts, seen: MarketView) -> str:
    """Quantity × price × multiplier, and what that comes to."""
    market = market_facts(seen)
    price, worth = money.worst_price(facts, market), money.notional_of(facts, market)
    if price is None or worth is None or facts.quantity is None or facts.multiplier is None:
        return "not known"
    contract = f" × {plain(facts.multiplier)}" if facts.multiplier != 1 else ""
    return f"{dollars(worth)} ({plain(facts.quantity)} × {dollars(price)}{contract})"


def _quote(seen: MarketView, now: datetime) -> str:
    sides = (("bid", seen.bid), ("offer", seen.ask), ("last", seen.last))
    shown = " · ".join(f"{name} {dollars(amount)}" for name, amount in sides if amount is not None)
    if not shown:
        return "none"
    if seen.quoted_at is None:
        return f"{shown}, of unknown age"
    age = max((utc(now) - utc(seen.quoted_at)).total_seconds(), 0)
    return f"{shown}, of {slack_time(seen.quoted_at, '{time_secs}')}, {_age(age)} old when this was written"


def _age(seconds: float) -> str:
    for most, unit, name in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < most:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} days"


def _hours(seen: MarketView) -> str:
    known = _SESSIONS.get(seen.session or "")
    said = known or (f"“{escape(shorten(seen.session, 40))}”" if seen.session else "")
    state = {True: "open", False: "closed", None: "not known whether open"}[seen.market_open]
    return f"{state}, {said}" if said else state


def _warnings(ticket: Ticket, warnings: Sequence[str], seen: MarketView | None) -> list[Block]:
    moved = drift(ticket.seen, seen) if seen is not None and ticket.terms.act is not OrderAction.CANCEL else None
    said = [one_line(line) for line in [*([moved] if moved else []), *warnings]]
    said = [line for line in dict.fromkeys(said) if line]
    if not said:
        return []
    lines = [f"⚠ {shorten(line, _WARNING)}" for line in said[:_WARNINGS]]
    lines += [f"⚠ … and {len(said) - _WARNINGS} more"] if len(said) > _WARNINGS else []
    return [_rich(f"order_warnings:{ticket.id}", _line("\n".join(lines)))]


def _edits(ticket: Ticket) -> list[Block]:
    if not ticket.changes:
        return []
    by = f" by {people(ticket.edited_by)}" if ticket.edited_by else ""
    what = escape(shorten("; ".join(ticket.changes), _LINE))
    return [context(f"Edited{by}: {what}. What was approved before the edit does not count.")]


def _origin(ticket: Ticket, *, several: int, waits: bool) -> str:
    """Who proposed it for whom, who approved it, until when it waits, and its name for those who look after it."""
    owner, asker = people((ticket.owner,)), ticket.asked_for_by
    told = [f"Proposed by Omni for {owner}" if asker is None else f"Asked for by {people((asker,))}, for {owner}"]
    if ticket.approved_by and ticket.state is not TicketState.PROPOSED:
        told.append(f"Approved by {people(ticket.approved_by)}")
    if several > 1:
        told.append(f"Order {ticket.position + 1} of {several}")
    if waits:
        told.append(f"Expires {slack_time(ticket.expires_at)}")
    if ticket.state is TicketState.REJECTED and ticket.request_id:
        told.append(f"Request {escape(shorten(ticket.request_id, 100))}")
    told.append(f"Ticket {escape(ticket.id)}")
    return " · ".join(told)
