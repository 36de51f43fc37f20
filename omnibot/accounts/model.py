"""Pure rules of the keyring."""

from __future__ import annotations

from collections.abc import Sequence

from omnibot.clearstreet.models import Account
from omnibot.errors import OmnibotError

#: The principal of everybody who asks with the operator's shared key.
SHARED = "shared"


class AccountUnclear(OmnibotError):
    """omnibot does not know which account to ask about: whoever runs it must set CLEAR_STREET_ACCOUNT_ID."""


def choose_account(accounts: Sequence[Account]) -> int:
    """The only open account.

    Raises:
        AccountUnclear: there are several, or none.
    """
    open_accounts = [account for account in accounts if account.status != "CLOSED"]
    if len(open_accounts) == 1:
        return open_accounts[0].id
    count = len(open_accounts) or "no"
    message = (
        f"omnibot's API key sees {count} open accounts, so it does not know which one to ask about. "
        "Whoever runs it must set CLEAR_STREET_ACCOUNT_ID."
    )
    raise AccountUnclear(message)
