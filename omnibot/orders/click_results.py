"""Results of clicks that change nothing, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from omnibot.orders.model import ClickOutcome, ClickResult, Ticket, TicketState
from omnibot.orders.wording import sentence
from omnibot.policy.order_rules import RuleVerdict

NO_SUCH = "omnibot does not know this order any more. Ask Omni again."
SUPERSEDED = "This order changed, read it again: the buttons of the newest version count."
TOO_OLD = "This proposal has expired. Ask Omni again for a fresh one."
EDITING = "It was sent once already, so that it can only be approved again as it is, or declined."
#: Reasons that one answer names.
REASONS = 3

_DECIDED = {
    TicketState.APPROVED: "It is approved already, and about to be sent.",
    TicketState.SUBMITTING: "It is approved already, and being sent.",
    TicketState.UNKNOWN: "It was approved and sent, and omnibot is finding out what came of it.",
    TicketState.SUBMITTED: "It was approved, and is with Clear Street.",
    TicketState.REJECTED: "It was approved, and Clear Street refused it.",
    TicketState.COPYABLE: "It was approved, to be typed in by hand.",
    TicketState.DECLINED: "It was declined.",
    TicketState.EXPIRED: TOO_OLD,
    TicketState.NOT_PLACED: "It was approved and sent, but not placed.",
    TicketState.PROPOSED: "It waits for approval.",
}


def said_of(ticket: Ticket) -> str:
    """The ticket's one sentence."""
    return sentence(ticket.terms, account_name=ticket.account_name, before=ticket.before)


def why_not(ticket: Ticket, version: int, now: datetime) -> ClickResult | None:
    """Why a button does nothing any more; None: it does.

    Args:
        version: the one that the button is of.
        now: UTC without zone.
    """
    if not ticket.decidable:
        return decided(ticket)
    if ticket.expires_at <= now:
        return ClickResult(answer=ClickOutcome.EXPIRED, message=TOO_OLD, ticket=ticket)
    if ticket.version != version:
        return ClickResult(answer=ClickOutcome.SUPERSEDED, message=SUPERSEDED, ticket=ticket)
    return None


def not_as_shown(ticket: Ticket, mark: str) -> ClickResult | None:
    """Why a press counts for nothing: the card showed something else. An empty mark says nothing of the card."""
    if not mark or mark == ticket.mark:
        return None
    return ClickResult(answer=ClickOutcome.SUPERSEDED, message=SUPERSEDED, ticket=ticket)


def decided(ticket: Ticket) -> ClickResult:
    """Somebody was quicker, or time was. Who it was, `ticket` says."""
    answer = ClickOutcome.EXPIRED if ticket.state is TicketState.EXPIRED else ClickOutcome.DECIDED
    message = _DECIDED[ticket.state]
    if ticket.reason and ticket.state in (TicketState.DECLINED, TicketState.REJECTED, TicketState.EXPIRED):
        message = f"{message} {ticket.reason}"
    return ClickResult(answer=answer, message=message, ticket=ticket)


def no_such() -> ClickResult:
    """A button of nothing."""
    return ClickResult(answer=ClickOutcome.UNKNOWN, message=NO_SUCH)


def reasons(verdicts: Sequence[RuleVerdict]) -> str:
    """Why the rules do not let it pass."""
    return " ".join([verdict.reason for verdict in verdicts if not verdict.passed][:REASONS])


def helpers(verdicts: Sequence[RuleVerdict]) -> tuple[str, ...]:
    """Slack user ids of those who can help."""
    return tuple(dict.fromkeys(user for verdict in verdicts if not verdict.passed for user in verdict.ask))
