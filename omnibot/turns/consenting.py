"""What a turn has to do with consent: whether Omni may ask for it, and what follows when it does."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import structlog

from omnibot.clearstreet.models import OpenEntitlementConsent, Part, StructuredActionPart
from omnibot.entitlements.model import NewConsent, new_consent
from omnibot.policy.people import Verdict
from omnibot.turns.model import Conversation, Notary, NotNow, Turn

log = structlog.get_logger(__name__)

#: What omnibot can render.
CAPABILITIES: tuple[str, ...] = ("OPEN_CHART", "OPEN_SCREENER")
#: Named only where this person may sign, and is asked in private.
CONSENT = "OPEN_ENTITLEMENT_CONSENT"
NOBODY_SIGNS = "omnibot is not set up to have agreements signed. Ask whoever runs it."
NOT_KNOWN = "Slack does not tell me right now whether you may sign agreements. Ask your question again in a minute."


async def capabilities(notary: Notary | None, turn: Turn, conversation: Conversation) -> tuple[str, ...]:
    """What Omni may ask omnibot to do in its answer to this turn."""
    if notary is None or conversation.account_id is None:
        return CAPABILITIES
    try:
        asked = await notary.may_be_asked(turn, conversation.principal)
    except NotNow:
        # Without it the question can be asked all the same.
        log.info("consent_not_offered", turn=turn.id)
        return CAPABILITIES
    return (*CAPABILITIES, CONSENT) if asked else CAPABILITIES


def consent_in(parts: Sequence[Part]) -> OpenEntitlementConsent | None:
    """The consent that an answer asks for: the first, for there is one card."""
    for part in parts:
        if isinstance(part, StructuredActionPart) and isinstance(part.action, OpenEntitlementConsent):
            return part.action
    return None


async def consent_asked(
    notary: Notary | None, turn: Turn, conversation: Conversation, parts: Sequence[Part]
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
        verdict = Verdict(False, NOBODY_SIGNS)
        if notary is not None:
            verdict = await notary.may_sign(turn, conversation.principal)
    except NotNow:
        verdict = Verdict(False, NOT_KNOWN)
    if not verdict:
        return {"why": verdict.reason, "ask": list(verdict.ask), "reason": action.reason}, None
    new = new_consent(secrets.token_urlsafe(16), conversation.principal, action)
    return {"id": new.id}, new
