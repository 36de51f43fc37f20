"""The buttons of order cards: each names one version of one ticket; approving asks for confirmation.

The value of a button is the token of the version it is for, with the mark of that version (`Ticket.press`); of “Approve
all” all of those; of the buttons of a working order the id of its ticket, with the mark. The mark ends the names of the
button and of its block too: see `blocks.layout.button_versions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from omnibot.blocks.layout.builders import actions, button, shorten
from omnibot.blocks.layout.button_versions import BETWEEN, ClickedButton, mark_of, marked_button, named
from omnibot.blocks.layout.modals import plain
from omnibot.blocks.layout.types import Block
from omnibot.blocks.limits import BUTTON_VALUE, size
from omnibot.blocks.orders.status import decision, overdue, progress
from omnibot.clearstreet.models.enums import OrderStatus
from omnibot.orders.model import Ticket, TicketState
from omnibot.orders.order_parser import EDITABLE
from omnibot.policy.facts import OrderAction

APPROVE: Final = "order_approve"
EDIT: Final = "order_edit"
DECLINE: Final = "order_decline"
APPROVE_ALL: Final = "order_approve_all"
#: On the card of a working order.
CANCEL: Final = "order_cancel"
REPLACE: Final = "order_replace"

#: Of a dialog that asks whether somebody means it. Documented.
_CONFIRM_TEXT, _CONFIRM_TITLE = 300, 100
NOT_A_SPREAD: Final = "They are not a spread: each is sent by itself, and some may be filled while others are not."
_NOTHING_SENT: Final = " Trading is off: nothing is sent."
_GOING: Final = (OrderStatus.PENDING_CANCEL, OrderStatus.FILLED)


def ticket_buttons(ticket: Ticket, *, trading_live: bool, now: datetime) -> list[Block]:
    """The row of what can be done with a ticket, or with its order; [] for nothing."""
    if ticket.decidable:
        elements = [] if overdue(ticket, now) else _of_waiting(ticket, trading_live=trading_live)
    elif ticket.state is TicketState.SUBMITTED and not ticket.order_over:
        elements = _of_working(ticket)
    else:
        elements = []
    if not elements:
        return []
    row = actions([marked_button(element, ticket.mark) for element in elements])
    return [row | {"block_id": named(f"order_buttons:{ticket.id}", ticket.mark)}]


def approvable(ticket: Ticket) -> bool:
    """Whether approving it could send anything, and all of what would be done can be read on its card."""
    return ticket.decidable and ticket.unsendable is None and not decision(ticket).endswith("…")


def all_row(tickets: Sequence[Ticket], *, trading_live: bool, now: datetime) -> list[Block]:
    """“Approve all”, for those of an answer's tickets that can be approved; [] where that is fewer than two."""
    ready = [one for one in tickets if one.state is TicketState.PROPOSED and approvable(one) and not overdue(one, now)]
    value = BETWEEN.join(one.press for one in ready)
    if len(ready) < 2 or size(value) > BUTTON_VALUE:
        return []
    made = button(APPROVE_ALL, value, f"Approve all {len(ready)}")
    text = _all_words([decision(one) for one in ready], "" if trading_live else _NOTHING_SENT)
    made |= {"style": "primary", "confirm": _confirm(f"Approve {len(ready)} orders?", text, "Approve all")}
    mark = mark_of([ClickedButton(one.token, one.mark) for one in ready])
    return [actions([marked_button(made, mark)]) | {"block_id": named("orders_buttons", mark)}]


def _of_waiting(ticket: Ticket, *, trading_live: bool) -> list[Block]:
    first = ticket.state is TicketState.PROPOSED
    elements = []
    if approvable(ticket):
        elements.append(_approve(ticket, "Approve" if first else "Approve again", trading_live=trading_live))
    if first and _mendable(ticket):
        elements.append(button(EDIT, ticket.press, "Edit"))
    if first:
        elements.append(button(DECLINE, ticket.press, "Decline"))
    return elements


def _approve(ticket: Ticket, label: str, *, trading_live: bool) -> Block:
    said = decision(ticket)
    tail = "." + ("" if trading_live else _NOTHING_SENT)
    text = said + tail if size(said + tail) <= _CONFIRM_TEXT else _cut(said, tail)
    made = button(APPROVE, ticket.press, label, accessibility_label=f"{label}: {said}")
    return made | {"style": "primary", "confirm": _confirm(f"{label}?", text, label)}


def _cut(said: str, tail: str) -> str:
    rest = f" All of it is on the card{tail}"
    return shorten(said, _CONFIRM_TEXT - size(rest)) + rest


def _mendable(ticket: Ticket) -> bool:
    """Whether an edit could make, or leave, it something that can be sent."""
    can = EDITABLE[ticket.terms.act]
    terms = ticket.terms
    whole = terms.act is not OrderAction.NEW or (terms.symbol is not None and terms.side is not None)
    return bool(can) and whole and all(name in can for name in terms.not_understood)


def _of_working(ticket: Ticket) -> list[Block]:
    if ticket.terms.act is OrderAction.CANCEL or ticket.order_id is None or progress(ticket).status in _GOING:
        return []
    about = str(ClickedButton(ticket.id, ticket.mark))
    return [
        button(CANCEL, about, "Cancel order…") | {"style": "danger"},
        button(REPLACE, about, "Change order…"),
    ]


def _confirm(title: str, text: str, yes: str) -> Block:
    return {
        "title": plain(shorten(title, _CONFIRM_TITLE)),
        "text": plain(text),
        "confirm": plain(yes),
        "deny": plain("Not yet"),
    }


def _all_words(decisions: Sequence[str], tail: str) -> str:
    """Every sentence that fits into the dialog; of more the first ones, and the number of the others."""
    listed = [f"{number}. {said}." for number, said in enumerate(decisions, start=1)]
    whole = "\n".join([*listed, f"{NOT_A_SPREAD}{tail}"])
    if size(whole) <= _CONFIRM_TEXT:
        return whole
    end = f"They are not a spread.{tail}"
    for count in range(len(listed), 0, -1):
        left = len(listed) - count
        text = "\n".join([*listed[:count], *([f"… and {left} more, on their cards."] if left else []), end])
        if size(text) <= _CONFIRM_TEXT:
            return text
    return f"{len(listed)} orders, as their cards say.\n{end}"
