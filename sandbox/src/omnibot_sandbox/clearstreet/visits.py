"""One call on its way through a handler: who asks, in which revision, with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from omnibot_sandbox.clearstreet.bodies import read_integer
from omnibot_sandbox.clearstreet.errors import FORBIDDEN, ApiError
from omnibot_sandbox.clearstreet.paging import cut
from omnibot_sandbox.clearstreet.revision import Revision
from omnibot_sandbox.clearstreet.store import Thread

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The envelope's `data`, and what its metadata holds besides the request id."""

    data: Any
    metadata: JSON
    #: Whether every revision says `error: null` beside it.
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """One authenticated call."""

    key: str
    accounts: list[JSON]
    revision: Revision
    path: dict[str, str]
    query: dict[str, str]
    idempotency_key: str | None
    #: The body as it came.
    raw: str
    page_size: int

    def allow(self, account_id: int | None) -> int | None:
        """The account id, if it is one of this caller's.

        Raises:
            ApiError: 403, it is not.
        """
        if account_id is not None and all(account["id"] != account_id for account in self.accounts):
            raise ApiError(403, FORBIDDEN)
        return account_id

    def account(self) -> int | None:
        """The account the query string names, which may be left out only in revisions that allow it."""
        required = not self.revision.account_optional
        return self.allow(read_integer(self.query, "account_id", required=required))

    def account_in_path(self) -> int:
        """The account the path names, whoever's it is."""
        text = self.path["account_id"]
        try:
            return int(text)
        except ValueError:
            complaint = f"Cannot parse `account_id` with value `{text}`: invalid digit found in string"
            raise ApiError(400, complaint) from None

    def open_account(self, account_id: int) -> JSON:
        """One of this caller's accounts, for something only an open one can do.

        Raises:
            ApiError: 403, it is not open.
        """
        account = next(account for account in self.accounts if account["id"] == account_id)
        if account.get("status") != "ACTIVE":
            raise ApiError(403, FORBIDDEN)
        return account

    def sees(self, thread: Thread, account_id: int | None) -> bool:
        """May this call, made for this account, know of the thread?

        The newest revision authorises by the thread's own account, whichever the call names.
        """
        return thread.owner == self.key and (self.revision.account_optional or thread.account_id == account_id)

    def page(self, items: list[Any], *, newest_first: bool) -> tuple[list[Any], JSON]:
        """The page of `items` (oldest first) this call asks for, and its metadata."""
        return cut(items, self.query, self.page_size, newest_first=newest_first, nulls=self.revision.explicit_nulls)


#: Does what one endpoint does, at once: an emulated call takes effect in one piece or not at all.
Handler = Callable[[Visit], Answer]


def answer(data: Any, metadata: JSON | None = None) -> Answer:
    """An answer, usually without further metadata."""
    return Answer(data, metadata or {})
