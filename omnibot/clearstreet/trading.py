"""Clear Street's trading endpoints, as far as the bot uses them."""

from __future__ import annotations

from omnibot.clearstreet import pages
from omnibot.clearstreet.models import resources as read
from omnibot.clearstreet.models.enums import AccountStatus
from omnibot.clearstreet.models.resources import Account
from omnibot.clearstreet.transport import Transport

MAX_ACCOUNTS = 10_000


class Trading:
    """The trading API over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def accounts(self, key: str) -> list[Account]:
        """The accounts this key may see, closed ones left out (GET /v1/accounts, 2026-08 and later).

        Raises:
            ClearStreetError: one of its leaves.
        """
        everything = await pages.walk(
            self._transport, "/v1/accounts", read.accounts, key=key, query={}, limit=MAX_ACCOUNTS
        )
        return [account for account in everything if account.status != AccountStatus.CLOSED]
