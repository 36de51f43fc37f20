"""Omni AI, one method an endpoint. How a call is made is `transport`'s business, what differs is `revision`'s.

In every method `key` is the API key whose authority is used and `account_id` the trading account, None for a
conversation without one (2026-10 only). Every method raises leaves of `ClearStreetError` and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from omnibot.clearstreet import pagination
from omnibot.clearstreet.envelope import Answer
from omnibot.clearstreet.models import resources as read
from omnibot.clearstreet.models.resources import (
    Agreement,
    Created,
    Entitlement,
    EntitlementStatus,
    Feedback,
    Message,
    Response,
    Thread,
)
from omnibot.clearstreet.revision import Revision, grant_body, wants_old_grant_names
from omnibot.clearstreet.transport import Transport
from omnibot.errors import ClearStreetError, Invalid, NotFound, RateLimited, Unavailable

ROOT = "/v1/omni-ai"
THREADS = f"{ROOT}/threads"
THREAD = f"{THREADS}/{{thread_id}}"
RESPONSE = f"{ROOT}/responses/{{response_id}}"
MESSAGE = f"{ROOT}/messages/{{message_id}}"
ENTITLEMENTS = f"{ROOT}/entitlements"
STATUS = f"{ROOT}/entitlement-status"


MAX_THREADS = 10_000


class Omni:
    """Omni AI over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._revision = transport.revision
        self._asking = asyncio.Lock()

    # Threads

    async def list_threads(
        self, key: str, account_id: int | None, *, active_since: datetime | None = None
    ) -> list[Thread]:
        """The account's threads, latest first (by creation until 2026-08, by last activity after).

        Args:
            active_since: an aware moment; threads whose last activity is older may be missing.

        Raises:
            Incomplete: there are more than can be read.
        """
        return await pagination.whole(
            self._transport,
            THREADS,
            read.threads,
            key=key,
            query={"account_id": account_id},
            limit=MAX_THREADS,
            enough=lambda thread: _idle_since(thread, active_since),
        )

    async def get_thread(self, key: str, account_id: int | None, thread_id: str) -> Thread:
        """One thread's title and times. Raises NotFound."""
        answer = await self._get(THREAD, key, account_id, thread_id=thread_id)
        return answer.read(read.thread)

    async def create_thread(
        self, key: str, account_id: int | None, body: Mapping[str, Any], *, idempotency_key: str | None
    ) -> Created:
        """Begin a conversation with a first question; `body` comes from `bodies` and is sent as it is, at most once.

        Raises:
            Unavailable: it is not known whether the thread exists now.
            ValueError: the body names another account than `account_id`.
        """
        return await self._create(THREADS, {}, key, account_id, body, idempotency_key)

    async def active_response(self, key: str, account_id: int | None, thread_id: str) -> Response | None:
        """The response being written in a thread, None when it is idle. Raises NotFound when there is no thread."""
        try:
            answer = await self._get(f"{THREAD}/response", key, account_id, thread_id=thread_id)
        except NotFound:  # 2026-04 answers so for an idle thread too
            await self.get_thread(key, account_id, thread_id)
            return None
        return answer.read(read.maybe_response)

    # Messages

    async def list_messages(
        self, key: str, account_id: int | None, thread_id: str, *, limit: int = 1000
    ) -> list[Message]:
        """The thread's finalised messages, chronological; of a longer thread the newest `limit`. Raises NotFound."""
        return await self.latest_messages(key, account_id, thread_id, count=limit)

    async def latest_messages(
        self, key: str, account_id: int | None, thread_id: str, *, count: int = 20
    ) -> list[Message]:
        """The newest `count` finalised messages, chronological, whichever end the API begins at. Raises NotFound."""
        return await pagination.newest(
            self._transport,
            f"{THREAD}/messages",
            key=key,
            ids={"thread_id": thread_id},
            query={"account_id": account_id},
            count=count,
        )

    async def create_message(
        self, key: str, account_id: int | None, thread_id: str, body: Mapping[str, Any], *, idempotency_key: str | None
    ) -> Created:
        """Ask the next question of a thread; `body` comes from `bodies` and is sent as it is, at most once.

        Raises:
            Conflict: a response is active, or (2026-10) the account is not the thread's; nothing was accepted.
            Unavailable: it is not known whether the question was accepted.
            ValueError: the body names another account than `account_id`.
        """
        ids = {"thread_id": thread_id}
        return await self._create(f"{THREAD}/messages", ids, key, account_id, body, idempotency_key)

    async def get_message(self, key: str, account_id: int | None, message_id: str) -> Message:
        """One finalised message. Raises NotFound, also while it is still being written."""
        answer = await self._get(MESSAGE, key, account_id, message_id=message_id)
        return answer.read(read.message)

    async def send_feedback(
        self,
        key: str,
        account_id: int | None,
        message_id: str,
        *,
        score: int,
        comment: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Feedback:
        """Rate a finalised ASSISTANT message: `score` is -1, 0, +1, or 1 to 5."""
        fields = {"account_id": account_id, "score": score, "comment": comment, "metadata": metadata}
        body = {name: value for name, value in fields.items() if value is not None}
        path, ids = f"{MESSAGE}/feedback", {"message_id": message_id}
        answer = await self._transport.call("POST", path, key=key, ids=ids, body=body)
        return answer.read(read.feedback)

    # Responses

    async def get_response(
        self, key: str, account_id: int | None, response_id: str, *, retries: bool = True
    ) -> Response:
        """A snapshot of a response. With `retries` off it is asked once: a poll loop has its own rhythm."""
        answer = await self._transport.call(
            "GET",
            RESPONSE,
            key=key,
            ids={"response_id": response_id},
            query={"account_id": account_id},
            retries=retries,
        )
        return answer.read(read.response)

    async def cancel_response(self, key: str, account_id: int | None, response_id: str) -> bool:
        """Stop a response. False: it was over already, which is a success too. Safe to repeat; not repeated here."""
        answer = await self._transport.call(
            "DELETE", RESPONSE, key=key, ids={"response_id": response_id}, query={"account_id": account_id}
        )
        return answer.read(read.canceled).canceled

    # Entitlements: of the key's owner, not of one account

    async def entitlements(self, key: str, account_id: int | None = None) -> list[Entitlement]:
        """The active grants, of one account or of all."""
        old = self._revision.old_grant_names(_now())
        query = {"trading_account_id" if old else "account_id": account_id}
        answer = await self._transport.call("GET", ENTITLEMENTS, key=key, query=query)
        grants = answer.read_whole(read.entitlements)
        # A revision that does not know the parameter's name lists all.
        return [grant for grant in grants if account_id is None or grant.account_id == account_id]

    async def create_entitlements(
        self, key: str, *, agreement_id: str, entitlement_codes: Sequence[str], account_ids: Sequence[int]
    ) -> list[Entitlement]:
        """Record consent to an agreement for these accounts: an upsert. The resulting grants."""
        old = self._revision.old_grant_names(_now())
        try:
            return await self._grant(key, grant_body(agreement_id, entitlement_codes, account_ids, old_names=old))
        except Invalid as error:
            if old or self._revision.fixed or not wants_old_grant_names(error):
                raise
        self._revision.saw_old_grant_names(_now())
        return await self._grant(key, grant_body(agreement_id, entitlement_codes, account_ids, old_names=True))

    async def delete_entitlement(self, key: str, entitlement_id: str) -> bool:
        """Revoke a grant. Raises NotFound, and Conflict when it was inactive already (2026-08)."""
        path, ids = f"{ENTITLEMENTS}/{{entitlement_id}}", {"entitlement_id": entitlement_id}
        answer = await self._transport.call("DELETE", path, key=key, ids=ids)
        return answer.read(read.revoked).revoked

    async def agreements(self, key: str) -> list[Agreement]:
        """The agreements that can be signed now; none is an empty list (2026-08 answers 404 then)."""
        try:
            answer = await self._transport.call("GET", f"{ROOT}/entitlement-agreements", key=key)
        except NotFound:
            return []
        return answer.read_whole(read.agreements)

    async def entitlement_status(self, key: str, account_id: int | None = None) -> list[EntitlementStatus]:
        """What is enabled, of one account or of all (2026-10). Raises NotFound in earlier revisions."""
        return await self._entitlement_status(key, account_id, retries=True)

    async def opt_out(
        self, key: str, *, account_ids: Sequence[int], entitlement_codes: Sequence[str]
    ) -> list[EntitlementStatus]:
        """Disable entitlements for accounts (2026-10). Raises NotFound in earlier revisions."""
        body = {"account_ids": list(account_ids), "entitlement_codes": list(entitlement_codes)}
        answer = await self._transport.call("POST", f"{ENTITLEMENTS}/opt-out", key=key, body=body)
        return answer.read_whole(read.entitlement_statuses)

    # Revisions

    async def supports(self, key: str) -> Revision:
        """Which revision answers: asked once, with this key; `unknown` when this key could not find out."""
        try:
            return await self.revision(key)
        except (Unavailable, RateLimited):
            return Revision.UNKNOWN

    async def revision(self, key: str) -> Revision:
        """The same for those who can ask again: `unknown` only when this key may not find out.

        Raises:
            Unavailable, RateLimited: nobody could, just now.
        """
        async with self._asking:
            known = self._revision.revision(_now())
            if known is not Revision.UNKNOWN:
                return known
            try:  # what the answer says about the revision is noted on the way
                await self._entitlement_status(key, None, retries=False)
            except (Unavailable, RateLimited):
                if self._revision.revision(_now()) is Revision.UNKNOWN:
                    raise
            except ClearStreetError:
                pass
            return self._revision.revision(_now())

    # How the above is done

    async def _get(self, path: str, key: str, account_id: int | None, **ids: str) -> Answer:
        return await self._transport.call("GET", path, key=key, ids=ids, query={"account_id": account_id})

    async def _create(
        self,
        path: str,
        ids: Mapping[str, str],
        key: str,
        account_id: int | None,
        body: Mapping[str, Any],
        idempotency_key: str | None,
    ) -> Created:
        if body.get("account_id") != account_id:
            raise ValueError("the stored body is for another account")
        answer = await self._transport.call("POST", path, key=key, ids=ids, body=body, idempotency_key=idempotency_key)
        return answer.read(read.created)

    async def _grant(self, key: str, body: Mapping[str, Any]) -> list[Entitlement]:
        answer = await self._transport.call("POST", ENTITLEMENTS, key=key, body=body)
        return answer.read_whole(read.entitlements)

    async def _entitlement_status(self, key: str, account_id: int | None, *, retries: bool) -> list[EntitlementStatus]:
        query = {"account_id": account_id}
        try:
            answer = await self._transport.call("GET", STATUS, key=key, query=query, retries=retries)
        except NotFound as error:
            self._revision.saw_entitlement_status(error.status, _now())
            raise
        self._revision.saw_entitlement_status(answer.status, _now())
        return answer.read_whole(read.entitlement_statuses)


def _idle_since(thread: Thread, moment: datetime | None) -> bool:
    """Whether a thread, and with it all after it, whatever they are sorted by, was quiet before this."""
    last = thread.updated_at
    return moment is not None and last is not None and last.tzinfo is not None and last < moment


def _now() -> float:
    return asyncio.get_running_loop().time()
