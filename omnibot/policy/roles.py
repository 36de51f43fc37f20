"""Who may trade, approve and halt. Pure."""

from __future__ import annotations

from omnibot.policy.access import REFUSED, may_use
from omnibot.policy.identities import YES, AccessResult, Authority, PersonKind, Shared, Who, is_named, user_ids
from omnibot.policy.model import Policy

NOBODY_TRADES = "Nobody trades through omnibot: its policy names no traders. Place the order in Clear Street yourself."
NOT_A_TRADER = (
    "You may not trade through omnibot. Place the order in Clear Street yourself, "
    "or ask whoever runs omnibot to name you among the traders in its policy."
)
ONLY_MEMBERS_TRADE = "Only full members of this workspace can trade."
NOT_YOUR_LINK = "An order goes out with its owner's own Clear Street link, and this link is somebody else's."
NO_SHARED_ORDERS = (
    "Orders are not sent with the shared Clear Street key. Link your own key with `/omni link`, then ask again."
)
NOT_AN_APPROVER = (
    "You may not approve this order: it is for its owner, or for the people named as approvers. Ask one of them."
)
NOT_A_HALTER = "You may not halt or resume trading. Ask one of the people who may."
NO_HALTERS = "Nobody may halt trading: omnibot's policy names no halters. While nobody trades there is nothing to halt."


def may_trade(policy: Policy, who: Who, authority: Authority) -> AccessResult:
    """Whether this person may have orders proposed, and sent with this link or key."""
    trader = is_trader(policy, who)
    return with_authority(policy, who, authority) if trader else trader


def is_trader(policy: Policy, who: Who) -> AccessResult:
    """Whether this person is named as a trader, and may use omnibot at all."""
    member = _member(policy, who)
    if not member:
        return member
    if policy.trading.is_trader(who):
        return YES
    return AccessResult(False, NOT_A_TRADER if policy.trading.traders else NOBODY_TRADES)


def with_authority(policy: Policy, who: Who, authority: Authority) -> AccessResult:
    """Whether this person's orders may be sent with this link or key."""
    if isinstance(authority, Shared):
        return YES if policy.trading.with_shared_key else AccessResult(False, NO_SHARED_ORDERS)
    return YES if authority.belongs_to(who) else AccessResult(False, NOT_YOUR_LINK)


def may_approve(policy: Policy, who: Who, owner: Who) -> AccessResult:
    """Whether this person may approve, edit or decline a ticket of `owner`: a trader their own, an approver any.

    Whether one approval is enough is the rule `four_eyes` of `order_rules`.
    """
    member = _member(policy, who)
    if not member:
        return member
    own = same(who, owner)
    if policy.trading.is_approver(who) or (own and policy.trading.is_trader(who)):
        return YES
    if own:
        return AccessResult(False, NOT_A_TRADER if policy.trading.traders else NOBODY_TRADES)
    return AccessResult(False, NOT_AN_APPROVER, tuple(dict.fromkeys((owner.user, *user_ids(policy.trading.approvers)))))


def may_halt(policy: Policy, who: Who) -> AccessResult:
    """Whether this person may halt all trading, and let it go on. It takes no right to ask."""
    if who.kind is not PersonKind.MEMBER:
        return AccessResult(False, ONLY_MEMBERS_TRADE)
    if any(is_named(entry, who) for entry in policy.access.refused):
        return AccessResult(False, REFUSED)
    halters = policy.trading.halters
    if any(is_named(entry, who) for entry in halters):
        return YES
    return AccessResult(False, NOT_A_HALTER, user_ids(halters)) if halters else AccessResult(False, NO_HALTERS)


def same(one: Who, other: Who) -> bool:
    """Whether these are one person."""
    return (one.org, one.user) == (other.org, other.user)


def _member(policy: Policy, who: Who) -> AccessResult:
    allowed = may_use(policy, who)
    if allowed and who.kind is not PersonKind.MEMBER:
        return AccessResult(False, ONLY_MEMBERS_TRADE)
    return allowed
