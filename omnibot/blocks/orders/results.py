"""Results of clicks on orders, outcomes for the people involved, and alerts for the operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from omnibot.blocks.layout.builders import (
    context,
    escaped_parts,
    fallback,
    live_mention,
    one_line,
    section,
    shorten,
)
from omnibot.blocks.layout.modals import View, kept_view, modal
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.limits import FALLBACK_TEXT
from omnibot.blocks.markdown.escaping import escape
from omnibot.blocks.orders.manual_entry import NAMES
from omnibot.blocks.orders.status import PEOPLE, decision, link, people, status
from omnibot.orders.model import ClickOutcome, ClickResult, Ticket, TicketState
from omnibot.policy.facts import OrderAction
from omnibot.policy.order_rules import RuleVerdict

#: Reasons that are listed, and characters of a sentence.
_REASONS, _SENTENCE = 6, 200
_DEFAULTS: Final[Mapping[ClickOutcome, str]] = {
    ClickOutcome.APPROVED: "Approved. It is on its way.",
    ClickOutcome.SECOND_NEEDED: "Your approval is written down. A second person has to approve it too.",
    ClickOutcome.COPYABLE: "Approved. Trading is off here, so nothing was sent: the card holds a ticket to copy.",
    ClickOutcome.EDITED: "Changed. The card shows the new version, which has to be approved afresh.",
    ClickOutcome.DECLINED: "Declined. Nothing is sent.",
    ClickOutcome.DONE: "Done.",
    ClickOutcome.NOT_ALLOWED: "You may not do this.",
    ClickOutcome.DENIED: "This order may not be sent as it is.",
    ClickOutcome.INVALID: "This makes no order yet.",
    ClickOutcome.EXPIRED: "This has expired, and nothing was sent. Ask again for a fresh one.",
    ClickOutcome.SUPERSEDED: "This button is of an earlier version. Look at the card as it is now.",
    ClickOutcome.DECIDED: "This was decided already.",
    ClickOutcome.DONE: "Done.",
    ClickOutcome.UNKNOWN: "omnibot does not know this order any more. Ask again for a fresh one.",
    ClickOutcome.DONE: "Done.",
}
#: Answers after which the reasons of rules are worth saying.
_EXPLAINED: Final = frozenset(
    {ClickOutcome.NOT_ALLOWED, ClickOutcome.DENIED, ClickOutcome.SECOND_NEEDED, ClickOutcome.INVALID}
)


# -- clicks -----------------------------------------------------------------------------------------------------------


def click_answer(click: ClickResult) -> Page:
    """The private answer to whoever clicked: what came of it, why, and whom to ask."""
    said = click_words(click)
    return Page(_click_blocks(click), fallback(said, FALLBACK_TEXT))


def click_view(click: ClickResult, title: str = "Order") -> View:
    """The same in a modal."""
    return modal(title, _click_blocks(click))


def stays(click: ClickResult | str) -> bool:
    """Whether a form stays, with all that was entered, because it can be mended, read once more or sent again."""
    return isinstance(click, str) or click.answer in (ClickOutcome.INVALID, ClickOutcome.SUPERSEDED)


def form_again(shown: Mapping[str, Any], click: ClickResult | str) -> View:
    """What stands where a form was: the form once more if it stays, else what came of it.

    Args:
        shown: the form as Slack sends it.
        click: what came of it; a sentence where nothing could be done.
    """
    if isinstance(click, str):
        return kept_view(shown, click)
    if not stays(click):
        return click_view(click)
    now = [click.ticket] if click.answer is ClickOutcome.SUPERSEDED and click.ticket is not None else []
    return kept_view(shown, click_words(click), *reasons(click)[:_REASONS], now=[_as_it_is(ticket) for ticket in now])


def click_words(click: ClickResult) -> str:
    """What came of a click, in a sentence or two."""
    return one_line(click.message) or _DEFAULTS[click.answer]


def reasons(click: ClickResult) -> list[str]:
    """Why not: what failed, a sentence each, without what the answer says itself."""
    if click.answer not in _EXPLAINED:
        return []
    said = click_words(click)
    told = [shorten(one.reason, _SENTENCE) for one in _failed(click.verdicts) if one_line(one.reason) not in said]
    told += [
        f"{NAMES.get(name, shorten(name, 40))}: {shorten(problem, _SENTENCE)}"
        for name, problem in click.problems.items()
    ]
    return [one for one in dict.fromkeys(told) if one]


def against(click: ClickResult) -> list[str]:
    """What the rules say against an order as it would be, a sentence each."""
    return list(dict.fromkeys(shorten(one.reason, _SENTENCE) for one in _failed(click.verdicts)))


def _failed(verdicts: tuple[RuleVerdict, ...]) -> list[RuleVerdict]:
    return [verdict for verdict in verdicts if not verdict.passed]


def _click_blocks(click: ClickResult) -> list[Block]:
    told, said = reasons(click), click_words(click)
    several = [one for one in against(click) if one]
    if click.answer is ClickOutcome.DENIED and len(several) > 1 and said.startswith(several[0]):
        # Several reasons are easier to read as a list than in one breath.
        cause = one_line(click.seen.trouble or "") if click.seen is not None else ""
        told = [cause, *several] if cause and cause in said else several
        said = _DEFAULTS[click.answer]
    blocks = [section(part) for part in escaped_parts(shorten(said, 1_000))[:2]]
    if click.answer in (ClickOutcome.DECIDED, ClickOutcome.SUPERSEDED) and click.ticket is not None:
        blocks.append(section(_as_it_is(click.ticket)))
    blocks += [section(f"• {escape(one)}") for one in told[:_REASONS]]
    blocks += [context(f"… and {len(told) - _REASONS} more reasons")] if len(told) > _REASONS else []
    asked = [one for verdict in _failed(click.verdicts) for one in verdict.ask]
    able = list(filter(None, map(live_mention, dict.fromkeys([*click.ask, *asked]))))
    if able and click.answer in _EXPLAINED:
        blocks.append(context(f"Who can help: {', '.join(able[:PEOPLE])}"))
    return blocks


def _as_it_is(ticket: Ticket) -> str:
    """How a ticket stands, for somebody who came too late; who decided it."""
    if ticket.state is TicketState.PROPOSED:
        return f"It now reads: {escape(shorten(decision(ticket), _SENTENCE))}."
    by = ticket.approved_by if ticket.state is not TicketState.DECLINED else ()
    approved = f"Approved by {people(by)}. " if by else ""
    return approved + status(ticket, ticket.created_at).mrkdwn


def second_page(ticket: Ticket, approvers: Sequence[str]) -> Page:
    """A call for a second pair of eyes, below the card.

    Args:
        ticket: approved by somebody, and not by enough people.
        approvers: Slack user ids of those who may approve it too.
    """
    called = " ".join(filter(None, map(live_mention, approvers)))
    said = "A second person has to approve this order. Read its card above, then approve or decline it there."
    told = [section(f"{called} {said}"), *(section(part) for part in escaped_parts(decision(ticket) + "."))]
    return Page(told, fallback(f"{said} {decision(ticket)}.", FALLBACK_TEXT))


# -- outcomes ---------------------------------------------------------------------------------------------------------


def outcome_page(ticket: Ticket, *, mention: bool = True, card: str = "") -> Page:
    """What the requester hears in the thread, or in their own messages: what became of their order.

    Args:
        ticket: as it stands now; what is said goes by its state, and by that of its order.
        mention: whether the requester is called.
        card: its permalink, where this stands elsewhere.
    """
    told = status(ticket, ticket.created_at)
    mentioned = live_mention(ticket.owner.user) if mention else ""
    blocks = [section(" ".join(filter(None, [mentioned, told.mrkdwn])))]
    blocks += [section(part) for part in escaped_parts(f"{_ABOUT[ticket.terms.act]}: {decision(ticket)}.")]
    notes = [_next_step(ticket), link(card, "The card")]
    if any(notes):
        blocks.append(context(" · ".join(filter(None, notes))))
    return Page(blocks, fallback(f"{told.words} {decision(ticket)}.", FALLBACK_TEXT))


_ABOUT: Final = {OrderAction.NEW: "The order", OrderAction.CANCEL: "Asked for", OrderAction.MODIFY: "Asked for"}


def _next_step(ticket: Ticket) -> str:
    """What can be done about it."""
    match ticket.state:
        case TicketState.NOT_PLACED:
            return "Approve it again on its card, or let it expire."
        case TicketState.UNKNOWN:
            return "You need not do anything: what comes of it is told here."
        case TicketState.REJECTED:
            return "Ask Omni for a changed order to try again."
        case _:
            return ""
