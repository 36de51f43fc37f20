"""What a click is answered where it changes nothing, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from omnibot.orders.model import Answered, Click, State, Ticket
from omnibot.orders.wording import sentence
from omnibot.policy.order_rules import RuleVerdict

NO_SUCH = "omnibot does not know this order any more. Ask Omni again."
SUPERSEDED = "This order changed, read it again: the buttons of the newest version count."
TOO_OLD = "This proposal has expired. Ask Omni again for a fresh one."
EDITING = "It was sent once already, so that it can only be approved again as it is, or declined."
#: Reasons that one answer names.
REASONS = 3

_DECIDED = {
    State.APPROVED: "It is approved already, and about to be sent.",
    State.SUBMITTING: "It is approved already, and being sent.",
    State.UNKNOWN: "It was approved and sent, and omnibot is finding out what came of it.",
    State.SUBMITTED: "It was approved, and is with Clear Street.",
    State.REJECTED: "It was approved, and Clear Street refused it.",
    State.COPYABLE: "It was approved, to be typed in by hand.",
    State.DECLINED: "It was declined.",
    State.EXPIRED: TOO_OLD,
    State.NOT_PLACED: "It was approved and sent, but not placed.",
    State.PROPOSED: "It waits for approval.",
}


def said_of(ticket: Ticket) -> str:
    """The ticket's one sentence."""
    return sentence(ticket.terms, account_name=ticket.account_name, before=ticket.before)


def why_not(ticket: Ticket, version: int, now: datetime) -> Click | None:
    """Why a button does nothing any more; None: it does.

    Args:
        version: the one that the button is of.
        now: UTC without zone.
    """
    if not ticket.decidable:
        return decided(ticket)
    if ticket.expires_at <= now:
        return Click(answer=Answered.EXPIRED, message=TOO_OLD, ticket=ticket)
    if ticket.version != version:
        return Click(answer=Answered.SUPERSEDED, message=SUPERSEDED, ticket=ticket)
    return None


def not_as_shown(ticket: Ticket, mark: str) -> Click | None:
    """Why a press counts for nothing: the card showed something else. An empty mark says nothing of the card."""
    if not mark or mark == ticket.mark:
        return None
    return Click(answer=Answered.SUPERSEDED, message=SUPERSEDED, ticket=ticket)


def decided(ticket: Ticket) -> Click:
    """Somebody was quicker, or time was. Who it was, `ticket` says."""
    answer = Answered.EXPIRED if ticket.state is State.EXPIRED else Answered.DECIDED
    message = _DECIDED[ticket.state]
    if ticket.reason and ticket.state in (State.DECLINED, State.REJECTED, State.EXPIRED):
        message = f"{message} {ticket.reason}"
    return Click(answer=answer, message=message, ticket=ticket)


def no_such() -> Click:
    """A button of nothing."""
    return Click(answer=Answered.UNKNOWN, message=NO_SUCH)


def reasons(verdicts: Sequence[RuleVerdict]) -> str:
    """Why the rules do not let it pass."""
    return " ".join([verdict.reason for verdict in verdicts if not verdict.passed][:REASONS])


def helpers(verdicts: Sequence[RuleVerdict]) -> tuple[str, ...]:
    """Slack user ids of those who can help."""
    return tuple(dict.fromkeys(user for verdict in verdicts if not verdict.passed for user in verdict.ask))
