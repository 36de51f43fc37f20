"""Who may ask, with whose key, where account data is shown, who signs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from omnibot.policy.identities import (
    YES,
    AccessResult,
    Authority,
    ChannelKind,
    Own,
    PersonKind,
    Readers,
    Refused,
    Shared,
    Where,
    Who,
    is_named,
    user_ids,
)
from omnibot.policy.model import Policy

NOT_A_MEMBER = "Omni is here for full members of this workspace only. Ask a colleague in the workspace to ask for you."
NOT_NAMED = (
    "Omni is here for named people of this workspace only, and you are not among them. "
    "Ask whoever runs omnibot to add you."
)
REFUSED = "Whoever runs omnibot has closed Omni to you. Ask them if you think that is a mistake."
NOBODY_KNOWN = "Slack does not tell me who you are, so I cannot ask Omni for you."
NOT_HERE = "Omni is not to be asked in this channel. Write to me directly instead."
NOT_IN_SHARED = "Omni is not to be asked in channels shared with other companies. Write to me directly instead."
NO_KEY = (
    "The shared Clear Street key is not for you. Link your own with `/omni link`, "
    "or ask whoever runs omnibot to let you use the shared one."
)
NO_KEY_FOR_OUTSIDERS = (
    "There is no Clear Street key that you may ask with. Ask a colleague in the workspace to ask for you."
)


def may_ask(policy: Policy, who: Who, where: Where) -> AccessResult:
    """Whether this person may ask Omni here at all."""
    person = may_use(policy, who)
    return _open_channel(policy, where) if person else person


def may_use(policy: Policy, who: Who) -> AccessResult:
    """Whether this person may use omnibot, wherever."""
    access = policy.access
    if any(is_named(entry, who) for entry in access.refused):
        return AccessResult(False, REFUSED)
    match who.kind:
        case PersonKind.MEMBER:
            return YES if who in access.people else AccessResult(False, NOT_NAMED)
        case PersonKind.GUEST:
            return YES if who in access.guests else AccessResult(False, NOT_A_MEMBER)
        case PersonKind.EXTERNAL:
            return YES if who in access.externals else AccessResult(False, NOT_A_MEMBER)
        case _:
            return AccessResult(False, NOBODY_KNOWN)


def _open_channel(policy: Policy, where: Where) -> AccessResult:
    access = policy.access
    if where.kind is ChannelKind.DIRECT:
        return YES
    if access.where is not None and where.channel not in access.where:
        return AccessResult(False, NOT_HERE)
    if not access.shared_channels and where.shared is not False:
        return AccessResult(False, NOT_IN_SHARED)
    return YES


def may_link(policy: Policy, who: Who) -> AccessResult:
    """Whether this person may link a key of their own."""
    allowed = may_use(policy, who)
    if allowed and who.kind is not PersonKind.MEMBER:
        return AccessResult(False, NO_KEY_FOR_OUTSIDERS)
    return allowed


def authority_of(policy: Policy, who: Who, has_link: bool) -> Authority | Refused:
    """Whose authority this person's calls use: their own link before the shared key.

    A link that somebody made as a full member is not used once they are a guest.
    """
    allowed = may_use(policy, who)
    if not allowed:
        return Refused(allowed.reason)
    if has_link and who.kind is PersonKind.MEMBER:
        return Own(who.org, who.user)
    if _has_shared_key(policy, who):
        return Shared()
    return Refused(NO_KEY if who.kind is PersonKind.MEMBER else NO_KEY_FOR_OUTSIDERS)


def _has_shared_key(policy: Policy, who: Who) -> bool:
    shared = policy.access.shared_key
    if shared.everybody:
        return who.kind is PersonKind.MEMBER
    return who in shared


class Show(StrEnum):
    """Where account data may be shown to somebody who asked for it somewhere."""

    HERE = "here"
    DIRECT = "direct"
    """In the direct messages between this person and Omni, with no more than a stub here."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class AccountData:
    """Whether an answer may hold account data, and where it then goes."""

    show: Show
    reason: str

    def __bool__(self) -> bool:
        return self.show is Show.HERE


NO_ACCOUNT_DATA = "Account data is for full members of this workspace only."
NO_DESK_CHANNEL = "Account data is not shown in this channel: the answer is in your direct messages with me."
GUEST_READS = (
    "A guest or somebody of another company is in this channel, so account data is not shown in it: "
    "the answer is in your direct messages with me."
)
READERS_UNKNOWN = (
    "I cannot tell whether everybody in this channel is a full member, so account data is not shown in it: "
    "the answer is in your direct messages with me."
)


def may_see_account_data(policy: Policy, who: Who, where: Where) -> AccountData:
    """Whether account data may be shown to this person here."""
    if who.kind is not PersonKind.MEMBER or not may_use(policy, who):
        return AccountData(Show.NEVER, NO_ACCOUNT_DATA)
    if shows_account_data(policy, where):
        return AccountData(Show.HERE, "")
    if not depends_on_readers(policy, where):
        return AccountData(Show.DIRECT, NO_DESK_CHANNEL)
    return AccountData(Show.DIRECT, GUEST_READS if where.readers is Readers.OUTSIDERS else READERS_UNKNOWN)


def shows_account_data(policy: Policy, where: Where) -> bool:
    """Whether everybody in the channel may read account data.

    What the policy says; else direct messages with Omni, and private channels and group messages that no other company
    shares and no guest is in.
    """
    if where.kind is ChannelKind.DIRECT:
        return True
    if depends_on_readers(policy, where):
        return where.readers is Readers.MEMBERS
    return where.channel in policy.channels.account_data and where.channel not in policy.channels.no_account_data


def depends_on_readers(policy: Policy, where: Where) -> bool:
    """Whether nothing but who is in the channel decides: neither the policy nor its kind does."""
    named = where.channel in (*policy.channels.no_account_data, *policy.channels.account_data)
    return not named and where.kind in (ChannelKind.PRIVATE, ChannelKind.GROUP) and where.shared is False


NOT_YOURS = "Only the person whose Clear Street link this is can sign or revoke its agreements."
ONLY_MEMBERS_SIGN = "Only full members of this workspace can sign agreements. Ask a colleague in the workspace."
NO_SIGNERS = (
    "Nobody may sign agreements for the shared Clear Street key. Link your own key with `/omni link`, or ask whoever "
    "runs omnibot to name consent_signers in its policy."
)
NOT_A_SIGNER = (
    "Agreements for the shared Clear Street key are signed and revoked by named people only. Ask one of them."
)


def may_sign(policy: Policy, who: Who, authority: Authority) -> AccessResult:
    """Whether this person may sign and revoke agreements for the accounts of that link or key."""
    allowed = may_use(policy, who)
    if not allowed:
        return allowed
    if who.kind is not PersonKind.MEMBER:
        return AccessResult(False, ONLY_MEMBERS_SIGN)
    if isinstance(authority, Own):
        return YES if authority.belongs_to(who) else AccessResult(False, NOT_YOURS)
    signers = policy.consent.consent_signers
    if any(is_named(entry, who) for entry in signers):
        return YES
    return AccessResult(False, NOT_A_SIGNER, user_ids(signers)) if signers else AccessResult(False, NO_SIGNERS)
