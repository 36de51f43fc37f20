"""`/omni orders`: somebody's open tickets and today's orders, visible to them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from omnibot.blocks.layout.builders import actions, button, context, fallback, section, shorten
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.limits import FALLBACK_TEXT
from omnibot.blocks.markdown.escaping import escape
from omnibot.blocks.markdown.plain import fit
from omnibot.blocks.orders.status import decision, link, order_status, progress_of, slack_time, status
from omnibot.clearstreet.models import Order
from omnibot.orders.model import Ticket
from omnibot.orders.order_parser import terms_of
from omnibot.orders.wording import order_words

#: How the action ids begin of the buttons that turn the pages; the value is the page's number.
PAGE_ACTION: Final = "order_list"
#: Entries of a page.
PAGE: Final = 8
#: Characters of a decision in the list, and of where it stands.
_SAID, _STANDS = 300, 200
_NONE: Final = "You have no open orders, and none of today."
_TEACH: Final = (
    "Ask Omni to prepare one, for example:\n> `/omni private Prepare a limit order for 10 AAPL, 1 % below the market`\n"
    "Nothing is sent before it is approved on its card."
)
_PRIVATE: Final = "Only you see this list."


def orders_page(
    tickets: Sequence[Ticket],
    orders: Sequence[Order] = (),
    *,
    now: datetime,
    links: Mapping[str, str] | None = None,
    number: int = 0,
    trouble: str = "",
) -> Page:
    """A page of the list.

    Args:
        tickets: the person's, the newest first: the open ones, and those of today.
        orders: today's at Clear Street, the newest first; those that a ticket placed are told with it.
        now: aware, or UTC without zone.
        links: by ticket id the permalink of its card.
        number: the page's, from 0; one beyond the last is the last.
        trouble: why orders may be missing, in a sentence.
    """
    entries = [_ticket(one, now, (links or {}).get(one.id, "")) for one in tickets]
    known = {one.client_order_id for one in tickets} | {one.order_id for one in tickets if one.order is not None}
    entries += [_order(one) for one in orders if not {one.id, one.client_order_id} & known]
    notes = [context(f"⚠ {escape(shorten(trouble, 300))}")] if trouble else []
    if not entries:
        return Page([section(f"*{_NONE}*\n{_TEACH}"), *notes, context(_PRIVATE)], _NONE)
    last = (len(entries) - 1) // PAGE
    number = min(max(number, 0), last)
    heading = "*Your orders*" + (f" (page {number + 1} of {last + 1})" if last else "")
    blocks: list[Block] = [section(heading), *entries[number * PAGE : (number + 1) * PAGE], *notes]
    turners = [button(f"{PAGE_ACTION}:newer", str(number - 1), "Newer")] if number else []
    turners += [button(f"{PAGE_ACTION}:older", str(number + 1), "Older")] if number < last else []
    if turners:
        blocks.append(actions(turners))
    open_ones = sum(one.open for one in tickets)
    said = f"Your orders: {len(entries)}, of which {open_ones} {'is' if open_ones == 1 else 'are'} open here."
    return Page([*blocks, context(_PRIVATE)], fallback(said, FALLBACK_TEXT))


def home_orders(tickets: Sequence[Ticket], *, now: datetime, links: Mapping[str, str] | None = None) -> list[Block]:
    """The newest of somebody's open tickets, for their App Home, which has no pages to turn."""
    blocks = orders_page(tickets[:PAGE], now=now, links=links).blocks
    return [*blocks, context("`/omni orders` lists all of them.")] if len(tickets) > PAGE else blocks


def _entry(decision: str, told: Sequence[str]) -> Block:
    return section(f"*{_escaped(decision, _SAID)}*\n{' · '.join(filter(None, told))}")


def _escaped(words: str, limit: int) -> str:
    return fit(escape(shorten(words, limit)), limit + 100)


def _ticket(ticket: Ticket, now: datetime, card: str) -> Block:
    stands = status(ticket, now)
    told = [_escaped(stands.words, _STANDS)]
    if ticket.decidable and stands.title != "Expired":
        told.append(f"Expires {slack_time(ticket.expires_at)}")
    else:
        told.append(slack_time(ticket.changed_at or ticket.created_at))
    told.append(link(card, "Open its card"))
    return _entry(decision(ticket), told)


def _order(order: Order) -> Block:
    """An order that no ticket placed."""
    told = [_escaped(order_status(progress_of(order)).words, _STANDS)]
    told += [slack_time(order.created_at)] if order.created_at is not None else []
    told += [f"Account {order.account_id}"] if order.account_id is not None else []
    told.append("not placed through omnibot")
    return _entry(order_words(terms_of(order, 0)), told)
