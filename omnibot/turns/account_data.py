"""Whether what Omni says may hold account data; unknown counts as yes."""

from __future__ import annotations

from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.revision import Revision
from omnibot.errors import ClearStreetError
from omnibot.turns.model import ConsentPolicy, Conversation, Turn


class Exposure:
    """Asks where the answer is read, and only where account data may not be whether Omni sees the account at all."""

    def __init__(self, omni: Omni, consent_policy: ConsentPolicy | None) -> None:
        self._omni = omni
        self._consent_policy = consent_policy

    async def of(self, turn: Turn, conversation: Conversation | None, key: str) -> bool:
        """Whether what Omni says to this turn may hold account data."""
        if conversation is None or conversation.account_id is None:
            return False
        if self._consent_policy is None or await self._consent_policy.may_read_accounts(turn):
            return True
        return await self.enabled(key, conversation.account_id)

    async def exposed(self, turn: Turn, conversation: Conversation, key: str) -> bool:
        """Whether it may, and is read where it may not be shown."""
        if (
            conversation.account_id is None
            or self._consent_policy is None
            or await self._consent_policy.may_read_accounts(turn)
        ):
            return False
        return await self.enabled(key, conversation.account_id)

    async def enabled(self, key: str, account_id: int) -> bool:
        """Whether Omni, asked about an account, may see it."""
        try:
            revision = await self._omni.revision(key)
            if revision is Revision.UNKNOWN or revision.threads_without_account:
                # Nobody says whether data is enabled by default, and it could have been asked without the account.
                return True
            return bool(await self._omni.entitlements(key, account_id))
        except ClearStreetError:
            return True
