"""Consents: shows agreements, signs them for accounts, looks up unknown outcomes, revokes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from omnibot.accounts.model import SHARED, NoAuthority, Person, account_name
from omnibot.accounts.service import Keyring
from omnibot.clearstreet.models.resources import Account, Agreement, Entitlement, EntitlementStatus
from omnibot.clearstreet.omni import Omni
from omnibot.consent.model import (
    GONE,
    NO_ACCOUNTS,
    NO_SUCH_GRANT,
    NOT_ASKED,
    NOT_YOUR_ACCOUNT,
    OTHER_KEY,
    SIGNED,
    UNDER_WAY,
    CannotSign,
    Card,
    Consent,
    ConsentState,
    Document,
    Overview,
    Shown,
    Unconfirmed,
    account_consents,
    current_document,
    is_granted,
    listed,
)
from omnibot.consent.store import ConsentStore
from omnibot.db.engine import Database
from omnibot.db.rows import PutOff, read_apart
from omnibot.errors import (
    ClearStreetError,
    Conflict,
    Invalid,
    NotEntitled,
    NotFound,
    RateLimited,
    Unauthorised,
    Unavailable,
)
from omnibot.policy.identities import AccessResult
from omnibot.scheduler import Scheduler

log = structlog.get_logger(__name__)

#: Seconds between looks at signatures of unknown outcome, and at cards to draw anew.
SWEEP = 5.0
#: Seconds after which a signature that Clear Street does not show was not made.
NOT_MADE = 30.0
#: Seconds between prunings.
PRUNE = 3600.0

#: Says whether a person may sign and revoke for a principal.
MaySign = Callable[[Person, str], Awaitable[AccessResult]]
MayLook = Callable[[Person], Awaitable[AccessResult]]
#: Told of a consent that has changed: draws its card anew, and lets go what waited for it.
Changed = Callable[[Consent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A document before somebody's eyes, and the accounts it can be signed for."""

    consent: Consent
    document: Document
    accounts: tuple[Account, ...]

    @property
    def named(self) -> list[tuple[int, str]]:
        """Ids and names of the accounts."""
        return [(account.id, account_name(account)) for account in self.accounts]


NEWER = "Clear Street has a new version of this agreement. Nothing was signed: read the new one."
OTHER_ACCOUNTS = (
    "The accounts that this agreement can be signed for have changed. Nothing was signed: read it again, and choose."
)


class OutOfDate(CannotSign):
    """The agreement, or the accounts to sign it for, have changed since they were shown."""

    def __init__(self, reading: Reading, why: str = NEWER) -> None:
        super().__init__(why)
        self.reading = reading


class Consents:
    """Everything people do about agreements.

    Args:
        database: where consents are remembered.
        omni: the API.
        keyring: whose key is used, and which accounts it sees.
        may_sign: asked whenever somebody acts, as who they are then.
        may_look: says who may hear about accounts at all.
        retention: how long what nobody signed is kept.
    """

    def __init__(
        self,
        database: Database,
        omni: Omni,
        keyring: Keyring,
        *,
        may_sign: MaySign,
        may_look: MayLook,
        retention: timedelta,
    ) -> None:
        self._store = ConsentStore(database)
        self._omni = omni
        self._keyring = keyring
        self._may_sign = may_sign
        self._may_look = may_look
        self._retention = retention
        self._changed: Changed | None = None
        self._put_off = PutOff()

    def start(self, scheduler: Scheduler, changed: Changed) -> None:
        """Begin to look for what a crash, or an API that does not answer, left open."""
        self._changed = changed
        scheduler.at("consents:first-sweep", 0.5, self.sweep)
        scheduler.every("consents:sweep", SWEEP, self.sweep)
        scheduler.every("consents:prune", PRUNE, self._prune)

    # What people see.

    async def card(self, turn_id: str) -> Card | None:
        """What this turn's answer asks for, as it stands now."""
        consent = await self._store.of_turn(turn_id)
        if consent is None:
            return None
        ids = consent.signed_accounts or consent.accounts
        names = await self._names(consent.principal)
        return Card(
            id=consent.id,
            person=consent.person,
            state=consent.state,
            reason=consent.reason,
            accounts=tuple(names.get(id, f"account {id}") for id in ids),
            signed_by=consent.signed_by,
            version=consent.agreement_version,
            ended_at=consent.ended_at,
            failed=consent.state is ConsentState.ASKED and consent.signing_at is not None,
        )

    async def _names(self, principal: str) -> dict[int, str]:
        try:
            return {account.id: account_name(account) for account in await self._keyring.accounts_of(principal)}
        except (NoAuthority, ClearStreetError):
            return {}

    async def is_as_shown(self, consent_id: str, *, failed: bool) -> bool:
        """Whether a card that says (or does not say) that a signature failed still says how it is."""
        consent = await self._store.get(consent_id)
        if consent is None or consent.state is not ConsentState.ASKED:
            return True  # what becomes of a press then, its state says
        return failed is (consent.signing_at is not None)

    # Signing.

    async def read(self, consent_id: str, person: Person) -> Reading:
        """The document as it is now, for somebody who may sign it.

        Raises:
            CannotSign: why not.
        """
        consent = await self._theirs(consent_id, person)
        match consent.state:
            case ConsentState.SIGNING:
                raise CannotSign(UNDER_WAY)
            case ConsentState.GRANTED:
                raise CannotSign(SIGNED)
            case ConsentState.DECLINED | ConsentState.CLOSED:
                raise CannotSign(GONE)
            case ConsentState.ASKED:
                return await self._reading(consent)

    async def _theirs(self, consent_id: str, person: Person) -> Consent:
        consent = await self._store.get(consent_id)
        if consent is None:
            raise CannotSign(GONE)
        if consent.person != person:
            raise CannotSign(NOT_ASKED, (consent.person.user,))
        verdict = await self._may_sign(person, consent.principal)
        if not verdict:
            raise CannotSign(verdict.reason, verdict.ask)
        return consent

    async def _reading(self, consent: Consent) -> Reading:
        try:
            if await self._keyring.principal_of(consent.person) != consent.principal:
                raise CannotSign(OTHER_KEY)
            key = await self._keyring.key_of(consent.principal)
            document = current_document(await self._agreements(consent.principal, key), consent.agreement_key)
            accounts = await self._keyring.accounts_of(consent.principal)
        except NoAuthority as error:
            raise CannotSign(str(error)) from error
        except ClearStreetError as error:
            raise CannotSign(in_plain_words(error)) from error
        if not accounts:
            raise CannotSign(NO_ACCOUNTS)
        return Reading(consent, document, tuple(accounts))

    async def _agreements(self, principal: str, key: str) -> list[Agreement]:
        try:
            return await self._omni.agreements(key)
        except ClearStreetError as error:
            await self._keyring.judge(principal, key, error)
            raise

    async def sign(self, consent_id: str, person: Person, shown: Shown, accounts: Sequence[int]) -> Consent:
        """Sign what was shown, for these accounts. Once it returns, what waited for it can go on.

        Raises:
            OutOfDate: there is a newer document than the one shown, or there are other accounts.
            CannotSign: why nothing was signed.
            Unconfirmed: it is not known yet; the sweep finds out.
        """
        reading = await self.read(consent_id, person)
        if not shown.is_unchanged(reading.document):
            raise OutOfDate(reading)
        if shown.accounts != listed(reading.named):
            raise OutOfDate(reading, OTHER_ACCOUNTS)
        if not accounts or not set(accounts) <= {account.id for account in reading.accounts}:
            raise CannotSign(NOT_YOUR_ACCOUNT)
        codes = reading.consent.codes or reading.document.codes
        key = await self._key(reading.consent.principal)
        signing = await self._store.begin(reading.consent, reading.document, codes, list(dict.fromkeys(accounts)))
        if signing is None:
            raise CannotSign(UNDER_WAY)
        return await self._grant(signing, key)

    async def _key(self, principal: str) -> str:
        try:
            return await self._keyring.key_of(principal)
        except NoAuthority as error:
            raise CannotSign(str(error)) from error

    async def _grant(self, signing: Consent, key: str) -> Consent:
        try:
            await self._omni.create_entitlements(
                key,
                agreement_id=signing.agreement_id or "",
                entitlement_codes=signing.codes,
                account_ids=signing.signed_accounts,
            )
        except (Unavailable, Conflict) as error:
            log.warning("consent_unconfirmed", consent=signing.id, status=error.status, api=error.request_id)
            return await self._confirm(signing)
        except ClearStreetError as error:
            log.info("consent_refused", consent=signing.id, status=error.status, api=error.request_id)
            await self._store.not_granted(signing.id)
            try:
                await self._keyring.judge(signing.principal, key, error)
            except NoAuthority as broken:
                raise CannotSign(str(broken)) from error
            raise CannotSign(in_plain_words(error)) from error
        return await self._granted(signing)

    async def _confirm(self, signing: Consent) -> Consent:
        try:
            if await self._is_granted(signing):
                return await self._granted(signing)
        except (ClearStreetError, NoAuthority) as error:
            log.info("consent_not_looked_up", consent=signing.id, error=type(error).__name__)
        raise Unconfirmed(signing)

    async def _is_granted(self, signing: Consent) -> bool:
        key = await self._keyring.key_of(signing.principal)
        grants = await self._omni.entitlements(key)
        return is_granted(grants, signing.agreement_id or "", signing.codes, signing.signed_accounts)

    async def _granted(self, signing: Consent) -> Consent:
        consent = await self._store.granted(signing.id)
        if consent is not None:
            log.info("consent_granted", consent=consent.id, version=consent.agreement_version, turn=consent.turn_id)
            return consent
        return await self._store.get(signing.id) or signing

    async def refuse(self, consent_id: str, person: Person, how: ConsentState) -> Consent:
        """They do not want to sign (now).

        Raises:
            CannotSign: it was asked of somebody else, or is signed already.
        """
        consent = await self._store.get(consent_id)
        if consent is None:
            raise CannotSign(GONE)
        if consent.person != person:
            raise CannotSign(NOT_ASKED, (consent.person.user,))
        refused = await self._store.refuse(consent_id, how)
        if refused is not None:
            log.info("consent_refused_by_person", consent=consent_id, how=how.value)
            return refused
        consent = await self._store.get(consent_id) or consent
        if consent.state in (ConsentState.SIGNING, ConsentState.GRANTED):
            raise CannotSign(UNDER_WAY if consent.state is ConsentState.SIGNING else SIGNED)
        return consent

    async def waits(self, consent: Consent) -> bool:
        """Whether the question that asked still waits for it: it may have been stopped, or dropped."""
        return await self._store.waits(consent.id)

    # What was left open.

    async def sweep(self) -> None:
        """Find out about signatures of unknown outcome, and draw cards that show something older."""
        try:
            ids = await self._store.pending(self._put_off.ids)
            found, broken = await read_apart(ids, self._store.read_all)
            for consent, age in found:
                try:
                    await self._finish(consent, age)
                except SQLAlchemyError:
                    raise
                except Exception as error:
                    broken[consent.id] = error
            for consent_id, why in broken.items():
                # It stops nothing but itself.
                log.error("row_unreadable", consent=consent_id, error=f"{type(why).__name__}: {why}")
                self._put_off.add(consent_id)
        except SQLAlchemyError as error:
            log.warning("consent_sweep_failed", error=type(error).__name__)

    async def _finish(self, consent: Consent, age: float) -> None:
        settled = await self._settle(consent, age) if consent.state is ConsentState.SIGNING else consent
        if settled is not None:
            await self.tell(settled)

    async def tell(self, consent: Consent) -> None:
        """Let the answer that asked show how it stands, and whatever waited go on."""
        if self._changed is not None:
            await self._changed(consent)
        await self._store.drawn(consent)

    async def _settle(self, signing: Consent, age: float) -> Consent | None:
        """What became of a signature; None: not known yet."""
        try:
            if await self._is_granted(signing):
                return await self._store.granted(signing.id)
        except Unauthorised as error:
            log.info("consent_not_looked_up", consent=signing.id, status=error.status)
        except NoAuthority:
            log.info("consent_not_looked_up", consent=signing.id)
        except ClearStreetError as error:
            log.info("consent_not_looked_up", consent=signing.id, status=error.status, api=error.request_id)
            return None
        if age < NOT_MADE:
            return None
        log.warning("consent_not_made", consent=signing.id)
        return await self._store.not_granted(signing.id)

    async def _prune(self) -> None:
        try:
            await self._store.prune(datetime.now(UTC).replace(tzinfo=None) - self._retention)
        except SQLAlchemyError as error:
            log.warning("consent_prune_failed", error=type(error).__name__)

    # Managing.

    async def overview(self, person: Person) -> Overview:
        """What is enabled for the accounts that this person's questions use.

        Raises:
            CannotSign: they are to hear nothing about accounts.
            NoAuthority: they have no key to look with.
            ClearStreetError: Clear Street does not say.
        """
        allowed = await self._may_look(person)
        if not allowed:
            raise CannotSign(allowed.reason, allowed.ask)
        principal = await self._keyring.principal_of(person)
        key = await self._keyring.key_of(principal)
        accounts = [(account.id, account_name(account)) for account in await self._keyring.accounts_of(principal)]
        try:
            grants, statuses = await self._enabled(key)
            agreements = await self._omni.agreements(key)
        except ClearStreetError as error:
            await self._keyring.judge(principal, key, error)
            raise
        versions = await self._store.versions(principal)
        versions |= {one.agreement_id: one.version for one in agreements if one.version is not None}
        verdict = await self._may_sign(person, principal)
        return Overview(account_consents(accounts, grants, statuses, versions), verdict, principal == SHARED)

    async def _enabled(self, key: str) -> tuple[list[Entitlement], list[EntitlementStatus] | None]:
        grants = await self._omni.entitlements(key)
        try:
            return grants, await self._omni.entitlement_status(key)
        except NotFound:
            return grants, None

    async def revoke(self, person: Person, entitlement_id: str) -> None:
        """Take one grant back.

        Raises:
            CannotSign: why not.
        """
        principal, key = await self._authority(person)
        try:
            await self._omni.delete_entitlement(key, entitlement_id)
        except (NotFound, Conflict) as error:
            raise CannotSign(NO_SUCH_GRANT) from error
        except ClearStreetError as error:
            await self._refused(principal, key, error)
        log.info("consent_revoked", org=person.org, user=person.user, entitlement=entitlement_id)

    async def opt_out(self, person: Person, account_id: int) -> None:
        """Keep Omni from the data of one account (2026-10).

        Raises:
            CannotSign: why not.
        """
        principal, key = await self._authority(person)
        try:
            statuses = await self._omni.entitlement_status(key, account_id)
            codes = [s.entitlement_code for s in statuses if s.account_id == account_id and s.enabled]
            if not codes:
                raise CannotSign(NO_SUCH_GRANT)
            await self._omni.opt_out(key, account_ids=[account_id], entitlement_codes=codes)
        except ClearStreetError as error:
            await self._refused(principal, key, error)
        log.info("consent_opted_out", org=person.org, user=person.user)

    async def _authority(self, person: Person) -> tuple[str, str]:
        try:
            principal = await self._keyring.principal_of(person)
            verdict = await self._may_sign(person, principal)
            if not verdict:
                raise CannotSign(verdict.reason, verdict.ask)
            return principal, await self._keyring.key_of(principal)
        except NoAuthority as error:
            raise CannotSign(str(error)) from error

    async def _refused(self, principal: str, key: str, error: ClearStreetError) -> None:
        try:
            await self._keyring.judge(principal, key, error)
        except NoAuthority as broken:
            raise CannotSign(str(broken)) from error
        raise CannotSign(in_plain_words(error)) from error


def in_plain_words(error: ClearStreetError) -> str:
    """What a person is told about an API error, and what to do next."""
    match error:
        case RateLimited():
            words = "Clear Street is handling too many requests right now. Try again in a minute."
        case Unauthorised():
            words = "Clear Street does not accept omnibot's API key. Ask whoever runs omnibot to renew it."
        case NotEntitled():
            words = "Clear Street does not let this API key do that. Ask whoever runs omnibot."
        case Invalid():
            said = f" It says: “{error.api_message}”" if error.api_message else ""
            words = f"Clear Street did not accept it, and nothing was changed.{said}"
        case _:
            words = "Clear Street is not answering right now. Try again in a minute."
    return f"{words} (request {error.request_id})" if error.request_id else words
