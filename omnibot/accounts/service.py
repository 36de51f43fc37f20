"""Whose key and which account a call uses. For now there is one principal: the shared key."""

from __future__ import annotations

import asyncio

import structlog

from omnibot.accounts.model import SHARED, AccountUnclear, choose_account
from omnibot.clearstreet.trading import Trading
from omnibot.errors import ClearStreetError

log = structlog.get_logger(__name__)


class Keyring:
    """Principals, their keys and their accounts."""

    def __init__(self, trading: Trading, *, shared_key: str, shared_account_id: int | None) -> None:
        self._trading = trading
        self._shared_key = shared_key
        self._account_id = shared_account_id
        self._lock = asyncio.Lock()

    def principal_of(self, org: str, user: str) -> str:
        """Whose authority this person's questions use."""
        return SHARED

    def key_of(self, principal: str) -> str:
        """The API key of a principal."""
        return self._shared_key

    def knows_account_of(self, principal: str) -> bool:
        """Whether `account_of` answers at once."""
        return self._account_id is not None

    async def warm(self) -> None:
        """Find out the account before the first question does, and let the operator read what is wrong."""
        try:
            await self.account_of(SHARED)
        except (AccountUnclear, ClearStreetError) as error:
            request_id = error.request_id if isinstance(error, ClearStreetError) else None
            log.error("account_unknown", reason=f"{type(error).__name__}: {error}", api=request_id)

    async def account_of(self, principal: str) -> int:
        """The account a principal's new conversations are about; asked of the API once if it is not configured.

        Raises:
            AccountUnclear: the key sees several open accounts, or none, and nobody chose.
            ClearStreetError: the accounts could not be listed.
        """
        if self._account_id is None:
            async with self._lock:
                if self._account_id is None:
                    self._account_id = choose_account(await self._trading.accounts(self.key_of(principal)))
        return self._account_id


__all__ = ["AccountUnclear", "Keyring"]
