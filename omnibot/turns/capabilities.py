"""What Omni may ask of a turn's person (consent, orders), and what follows when it does."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import structlog

from omnibot.clearstreet.models import Message, OpenEntitlementConsent, Part, StructuredActionPart
from omnibot.clearstreet.models.enums import MessageOutcome
from omnibot.consent.model import NewConsent, new_consent
from omnibot.policy.identities import AccessResult
from omnibot.turns.model import ConsentPolicy, Conversation, NotNow, OrderProposals, Turn
from omnibot.turns.rules import proposals

log = structlog.get_logger(__name__)

#: What omnibot can render.
CAPABILITIES: tuple[str, ...] = ("OPEN_CHART", "OPEN_SCREENER")
#: Named only where this person may sign, and is asked in private.
CONSENT = "OPEN_ENTITLEMENT_CONSENT"
#: Named only where this person may trade, and may see what they trade.
ORDERS = "PREFILL_ORDER"
NOBODY_SIGNS = "omnibot is not set up to have agreements signed. Ask whoever runs it."
NOT_KNOWN = "Slack does not tell me right now whether you may sign agreements. Ask your question again in a minute."


async def capabilities(
    consent_policy: ConsentPolicy | None, order_proposals: OrderProposals | None, turn: Turn, conversation: Conversation
) -> tuple[str, ...]:
    """What Omni may ask omnibot to do in its answer to this turn: nothing more than this person may do here."""
    more: list[str] = []
    if conversation.account_id is None:
        return CAPABILITIES
    try:
        if consent_policy is not None and await consent_policy.may_be_asked(turn, conversation.principal):
            more.append(CONSENT)
        if order_proposals is not None and await order_proposals.may_be_asked(turn, conversation):
            more.append(ORDERS)
    except NotNow:
        # Without them the question can be asked all the same.
        log.info("rights_not_known", turn=turn.id)
    return (*CAPABILITIES, *more)


def orders_in(
    order_proposals: OrderProposals | None, conversation: Conversation, message: Message | None, parts: Sequence[Part]
) -> dict[str, Any] | None:
    """What tickets of an answer's orders need to know; None: it proposes none that may become tickets.

    Only a whole, finished message counts: what was said before it is no proposal.
    """
    if (
        order_proposals is None
        or message is None
        or message.outcome != MessageOutcome.COMPLETED
        or not proposals(parts)
    ):
        return None
    return {"principal": conversation.principal, "account_id": conversation.account_id}


def consent_in(parts: Sequence[Part]) -> OpenEntitlementConsent | None:
    """The consent that an answer asks for: the first, for there is one card."""
    for part in parts:
        if isinstance(part, StructuredActionPart) and isinstance(part.action, OpenEntitlementConsent):
            return part.action
    return None


async def consent_asked(
    consent_policy: ConsentPolicy | None, turn: Turn, conversation: Conversation, parts: Sequence[Part]
) -> tuple[dict[str, Any] | None, NewConsent | None]:
    """What an answer's consent comes to: what is stored with the answer, and whom it is asked of.

    Returns:
        None twice where the answer asks for none; else what its reply is drawn from ("id" of the consent, or "why" this
        person cannot sign and whom to "ask"), and the consent to store if they can.
    """
    action = consent_in(parts)
    if action is None:
        return None, None
    try:
        verdict = AccessResult(False, NOBODY_SIGNS)
        if consent_policy is not None:
            verdict = await consent_policy.may_sign(turn, conversation.principal)
    except NotNow:
        verdict = AccessResult(False, NOT_KNOWN)
    if not verdict:
        return {"why": verdict.reason, "ask": list(verdict.ask), "reason": action.reason}, None
    new = new_consent(secrets.token_urlsafe(16), conversation.principal, action)
    return {"id": new.id}, new
