"""Which revision of the API answers; all differences between revisions are here.

Reads accept every revision's names always. What is left to know: whether threads may be without an account, what the
fields of an entitlement grant are called, and from which end the messages of a thread are paged.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from omnibot.errors import Invalid

REMEMBERED = 3600.0
"""Seconds after which what may have changed by an upgrade of the API is asked again."""

OLD_GRANT_NAMES = {"entitlement_codes": "requested_entitlement_codes", "account_ids": "trading_account_ids"}


class Revision(StrEnum):
    """A revision, or as much as is known of it."""

    V2026_04 = "2026-04"
    V2026_08 = "2026-08"
    V2026_10 = "2026-10"
    EARLIER = "earlier"
    """Before 2026-10."""
    UNKNOWN = "unknown"

    @property
    def threads_without_account(self) -> bool:
        """Whether a thread may be created without an account. Only where it is certain."""
        return self is Revision.V2026_10

    @property
    def repeatable_creates(self) -> bool:
        """Whether the same create with the same Idempotency-Key is done once. Only where it is certain."""
        return self is Revision.V2026_10


class Paging(StrEnum):
    """From which end GET messages begins."""

    OLDEST_FIRST = "oldest first"
    """2026-04."""
    LATEST_FIRST = "latest first"
    """Later: the newest page first, chronological within."""
    UNKNOWN = "unknown"


def revision_of(status: int | None) -> Revision:
    """What the status of GET entitlement-status says: 200 and 404 decide, all else, None too, decides nothing."""
    return {200: Revision.V2026_10, 404: Revision.EARLIER}.get(status or 0, Revision.UNKNOWN)


def wants_old_grant_names(error: Invalid) -> bool:
    """Whether this refusal of POST entitlements (nothing was done then) asks for a field by its 2026-04 name.

    It misses the old name, or, from a server that refuses what it does not know, expects it in place of the new one.
    """
    said = error.api_message or ""
    asks = "missing field" in said or "expected one of" in said
    return error.status == 422 and asks and any(f"`{old}`" in said for old in OLD_GRANT_NAMES.values())


def grant_body(agreement_id: str, codes: Sequence[str], accounts: Sequence[int], *, old_names: bool) -> dict[str, Any]:
    """The body of POST entitlements in either revision's names."""
    body = {"agreement_id": agreement_id, "entitlement_codes": list(codes), "account_ids": list(accounts)}
    return {OLD_GRANT_NAMES.get(name, name): value for name, value in body.items()} if old_names else body


class ApiRevision:
    """What is known about one base URL. The clock is the caller's, in seconds.

    Args:
        setting: `auto`, or a revision that is then taken as certain.
    """

    def __init__(self, setting: str = "auto") -> None:
        self.fixed = None if setting == "auto" else Revision(setting)
        if self.fixed in (Revision.EARLIER, Revision.UNKNOWN):
            raise ValueError(f"not a revision: {setting}")
        self._seen = Revision.UNKNOWN
        self._seen_until = 0.0
        self._old_names_until = 0.0
        self._paging = Paging.UNKNOWN
        self._paging_until = 0.0

    def revision(self, now: float) -> Revision:
        """What is known now."""
        return self.fixed or (self._seen if now < self._seen_until else Revision.UNKNOWN)

    def saw_entitlement_status(self, status: int | None, now: float) -> None:
        """Learn from an answer of GET entitlement-status. 2026-10 is for good: the API does not go back."""
        seen = revision_of(status)
        if seen is not Revision.UNKNOWN and self._seen is not Revision.V2026_10:
            self._seen = seen
            self._seen_until = float("inf") if seen is Revision.V2026_10 else now + REMEMBERED

    def old_grant_names(self, now: float) -> bool:
        """Whether to begin with the names of 2026-04."""
        return self.fixed is Revision.V2026_04 if self.fixed else now < self._old_names_until

    def saw_old_grant_names(self, now: float) -> None:
        """The API has asked for the names of 2026-04."""
        self._old_names_until = now + REMEMBERED

    def paging(self, now: float) -> Paging:
        """From which end messages are paged, as far as known."""
        known = self.revision(now)
        if known is Revision.V2026_04:
            return Paging.OLDEST_FIRST
        if known in (Revision.V2026_08, Revision.V2026_10):
            return Paging.LATEST_FIRST
        return self._paging if now < self._paging_until else Paging.UNKNOWN

    def saw_paging(self, paging: Paging, now: float) -> None:
        """Learn from having followed a page token."""
        self._paging, self._paging_until = paging, now + REMEMBERED
