"""Consents: states, documents, and what is enabled for which account. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from omnibot.accounts.model import Person
from omnibot.clearstreet.models import OpenEntitlementConsent
from omnibot.clearstreet.models.resources import Agreement, Entitlement, EntitlementStatus
from omnibot.errors import OmnibotError
from omnibot.policy.identities import AccessResult


class ConsentState(StrEnum):
    """Where a consent stands: asked → signing → granted (or asked again), asked → declined | closed."""

    ASKED = "asked"
    #: The grant is about to be made, under way, or of unknown outcome.
    SIGNING = "signing"
    GRANTED = "granted"
    #: They pressed "Not now".
    DECLINED = "declined"
    #: They closed the document without signing it.
    CLOSED = "closed"

    @property
    def settled(self) -> bool:
        """True when nothing can happen to it any more."""
        return self in (ConsentState.GRANTED, ConsentState.DECLINED, ConsentState.CLOSED)


@dataclass(frozen=True, slots=True)
class NewConsent:
    """What is known when an answer asks for consent."""

    #: Opaque; carried by buttons.
    id: str
    principal: str
    agreement_key: str
    reason: str
    codes: tuple[str, ...]
    #: The accounts that Omni named.
    accounts: tuple[int, ...]


def new_consent(id: str, principal: str, action: OpenEntitlementConsent) -> NewConsent:
    """What an answer asks a person to sign."""
    return NewConsent(
        id,
        principal,
        action.agreement_key,
        action.reason,
        tuple(dict.fromkeys(action.entitlement_codes)),
        tuple(dict.fromkeys(action.account_ids)),
    )


@dataclass(frozen=True, slots=True)
class Consent:
    """One row of `consents`. Times are UTC without zone."""

    id: str
    turn_id: str
    team: str
    person: Person
    principal: str
    agreement_key: str
    reason: str
    codes: tuple[str, ...]
    accounts: tuple[int, ...]
    state: ConsentState
    asked_at: datetime
    agreement_id: str | None = None
    agreement_version: int | None = None
    agreement_sha256: str | None = None
    signed_accounts: tuple[int, ...] = ()
    #: A Slack user id.
    signed_by: str | None = None
    signing_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What people see of a consent."""

    id: str
    person: Person
    state: ConsentState
    reason: str
    #: Names of the accounts: of those signed for, or else of those asked for.
    accounts: tuple[str, ...]
    signed_by: str | None = None
    version: int | None = None
    ended_at: datetime | None = None
    #: They have signed before, and Clear Street did not get it.
    failed: bool = False


class CannotSign(OmnibotError):
    """Nothing was signed; `str(error)` tells the person why, and what to do.

    Args:
        message: the sentence.
        ask: Slack user ids of those who can help.
    """

    def __init__(self, message: str, ask: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.ask = tuple(ask)


class Unconfirmed(OmnibotError):
    """Clear Street has not confirmed the signature yet. It is being looked up: the card will say what became of it.

    Args:
        consent: as it stands meanwhile.
    """

    def __init__(self, consent: Consent) -> None:
        super().__init__(UNCONFIRMED)
        self.consent = consent


UNCONFIRMED = (
    "Clear Street has not confirmed the signature yet. It is being looked up: the card will say what became of it."
)
GONE = "This is no longer open: it was answered, or is too old. Ask your question again."
UNDER_WAY = "Your signature is on its way to Clear Street: the card will say what became of it."
SIGNED = "You have signed this already."
NOT_ASKED = "This was asked of somebody else, and only they can answer it."
OTHER_KEY = (
    "Your questions use another Clear Street key by now than when this was asked. Ask your question again: if Omni "
    "still needs your consent, it asks anew."
)
NO_AGREEMENT = (
    "Clear Street offers no such agreement to sign at the moment. Ask your question again later, or tell whoever runs "
    "omnibot."
)
MISMATCH = (
    "The document that Clear Street sent is not the one its fingerprint (sha256) names, so it is not shown and cannot "
    "be signed. Nothing was signed. Tell whoever runs omnibot."
)
NO_ACCOUNTS = "Your Clear Street key sees no open account to share."
NOT_YOUR_ACCOUNT = "One of these accounts is not yours (any more). Nothing was signed. Open the document again."
NO_SUCH_GRANT = "This is not enabled any more. The list is up to date now."


@dataclass(frozen=True, slots=True)
class Document:
    """An agreement as it is shown, its fingerprint checked."""

    agreement_id: str
    title: str
    version: int | None
    content: str
    sha256: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """Which document a person had before their eyes, and which accounts to sign it for."""

    agreement_id: str
    version: int | None
    sha256: str
    #: By name, as `listed` writes them down.
    accounts: str

    def is_unchanged(self, document: Document) -> bool:
        """Whether that document is the one to sign now."""
        return (self.agreement_id, self.version, self.sha256) == (
            document.agreement_id,
            document.version,
            document.sha256,
        )


def listed(accounts: Sequence[tuple[int, str]]) -> str:
    """Accounts as they are shown, ids and names, in a few hex digits."""
    shown = "\x1f".join(f"{id}:{name}" for id, name in accounts)
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fingerprint(content: str) -> str:
    """SHA-256 of a document, as hex digits."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def current_document(agreements: Sequence[Agreement], key: str) -> Document:
    """The newest agreement of that key.

    Raises:
        CannotSign: there is none, or its document is not the one its fingerprint names.
    """
    fitting = [agreement for agreement in agreements if agreement.agreement_key == key]
    if not fitting:
        raise CannotSign(NO_AGREEMENT)
    # Among equals the one the API names last.
    newest = max(enumerate(fitting), key=lambda entry: (entry[1].version or 0, entry[0]))[1]
    digest = fingerprint(newest.document_content)
    if digest != newest.document_sha256.strip().lower():
        raise CannotSign(MISMATCH)
    return Document(
        newest.agreement_id, newest.title, newest.version, newest.document_content, digest, newest.entitlement_codes
    )


def is_granted(
    grants: Iterable[Entitlement], agreement_id: str, codes: Collection[str], accounts: Iterable[int]
) -> bool:
    """Whether all of that is granted under this agreement."""
    have = {(grant.account_id, grant.entitlement_code) for grant in grants if grant.agreement_id == agreement_id}
    wanted = {(account, code) for account in accounts for code in codes}
    return bool(wanted) and wanted <= have


# What is enabled.


class ConsentStatus(StrEnum):
    """Whether Omni may see the data of an account, and why."""

    #: Somebody signed.
    GRANTED = "granted"
    #: Nobody signed anything that is on record, and Clear Street enables it all the same.
    BY_DEFAULT = "by default"
    #: Somebody opted out.
    OPTED_OUT = "opted out"
    #: Nobody signed, and nothing is enabled without.
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Granted:
    """One grant on record."""

    entitlement_id: str
    code: str
    granted_at: datetime | None
    #: None: nobody knows any more.
    version: int | None


@dataclass(frozen=True, slots=True)
class AccountConsent:
    """What is enabled for one account."""

    account_id: int
    name: str
    status: ConsentStatus
    grants: tuple[Granted, ...]
    #: Codes that can be opted out of; empty where grants are revoked one by one.
    can_opt_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overview:
    """What one person's key lets Omni see."""

    accounts: tuple[AccountConsent, ...]
    #: Whether this person may sign and revoke here.
    may_sign: AccessResult
    shared: bool


def account_consents(
    accounts: Sequence[tuple[int, str]],
    grants: Sequence[Entitlement],
    statuses: Sequence[EntitlementStatus] | None,
    versions: Mapping[str, int],
) -> tuple[AccountConsent, ...]:
    """What is enabled for each account.

    Args:
        accounts: ids and names, in the order to show them.
        grants: on record.
        statuses: what is enabled; None where the API does not say (before 2026-10), and only grants count.
        versions: of agreements, by id.
    """
    return tuple(_account_consent(id, name, grants, statuses, versions) for id, name in accounts)


def _account_consent(
    account_id: int,
    name: str,
    grants: Sequence[Entitlement],
    statuses: Sequence[EntitlementStatus] | None,
    versions: Mapping[str, int],
) -> AccountConsent:
    own = tuple(
        Granted(grant.entitlement_id, grant.entitlement_code, grant.granted_at, versions.get(grant.agreement_id))
        for grant in grants
        if grant.account_id == account_id
    )
    said = [status for status in statuses or () if status.account_id == account_id]
    if not said:
        # The API does not say what is enabled: what was signed is all that is known.
        return AccountConsent(account_id, name, ConsentStatus.GRANTED if own else ConsentStatus.OFF, own)
    enabled = tuple(status.entitlement_code for status in said if status.enabled)
    if not enabled:
        return AccountConsent(account_id, name, ConsentStatus.OPTED_OUT, own)
    signed = {grant.code for grant in own}
    status = ConsentStatus.GRANTED if signed >= set(enabled) else ConsentStatus.BY_DEFAULT
    return AccountConsent(account_id, name, status, own, enabled)
