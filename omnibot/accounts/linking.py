"""Linking a person's own API key: checked with Clear Street, then stored encrypted; and unlinking it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog

from omnibot import telemetry
from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.model import (
    MAY_NOT_LINK,
    UNREADABLE,
    Forgotten,
    KeyRefused,
    KeySeen,
    Link,
    Linked,
    LinkingOff,
    NotChecked,
    NotLinked,
    PageSpent,
    Person,
    Unlinked,
    by_name,
    clean_key,
    link_principal,
)
from omnibot.accounts.service import Rule, everybody
from omnibot.accounts.store import Forget, Saved
from omnibot.clearstreet.models import Account
from omnibot.clearstreet.trading import Trading
from omnibot.errors import ClearStreetError, Invalid, NotEntitled, RateLimited, Unauthorised

log = structlog.get_logger(__name__)

#: Seconds Clear Street gets to say whether it accepts a key.
PATIENCE = 10.0
#: Characters of what was entered that are kept out of the logs, should it be anything but a key.
MOST_TEXT = 4_000

_STORED = "so your key was not checked, and not stored."


class Linking:
    """What people do with their keys.

    Args:
        links: where they go.
        trading: asked whether a key works.
        forget: forget what hangs on links (open tickets, waiting turns), in the transaction that forgets the links.
        may_link: who may use a key of their own.
    """

    def __init__(
        self,
        links: LinkCache,
        trading: Trading,
        *,
        forget: Sequence[Forget] = (),
        may_link: Rule = everybody,
    ) -> None:
        self._links = links
        self._trading = trading
        self._forget = tuple(forget)
        self._may_link = may_link

    async def require(self, person: Person) -> None:
        """See whether this person can link, before asking them for a key.

        Raises:
            LinkingOff: says why not, and who can change that.
        """
        if not await self._may_link(person):
            raise LinkingOff(MAY_NOT_LINK)
        self._links.require_encryption()

    async def link(
        self,
        person: Person,
        text: str,
        *,
        team: str,
        page: str | None = None,
        over: KeySeen | None = None,
        patience: float = PATIENCE,
    ) -> Linked:
        """Link the key that somebody entered, in place of an earlier one.

        Args:
            person: whose it is.
            text: what they entered.
            team: the workspace they are in.
            page: the hash of the one-time page they entered it on; used up if, and only if, the key is stored.
            over: the key they had when they were asked for this one; None: it does not matter.
            patience: seconds Clear Street gets to answer.

        Raises:
            NotLinked: one of its leaves; nothing was stored, and an earlier link stands as it was.
        """
        telemetry.hide(text.strip()[:MOST_TEXT])
        await self.require(person)
        key = clean_key(text)
        telemetry.hide(key)
        accounts = await self._check(key, patience)
        ids = [account.id for account in accounts]
        saved, same = await self._links.save(person, key, team=team, accounts=ids, page=page, over=over)
        if saved is None:
            raise PageSpent("This page was used already, or has expired. Type `/omni link` for a new one.")
        log.info("key_linked", org=person.org, user=person.user, accounts=len(ids), same=same, others=saved.others)
        return _linked(person, accounts, saved, same=same)

    async def mend(self, person: Person, *, team: str, patience: float = PATIENCE) -> Linked:
        """Ask Clear Street about the stored key again; if it accepts it, the link works again.

        Raises:
            NotLinked: one of its leaves; the link stands as it was.
            Unlinked: there is no link.
        """
        link = await self._links.now_of(person)
        if link is None:
            raise Unlinked
        if link.key is None:
            raise KeyRefused(UNREADABLE)
        accounts = await self._check(link.key, patience)
        ids = [account.id for account in accounts]
        saved = await self._links.set_working(person, link.key, team=team, accounts=ids)
        if saved is None:
            # Unlinked, or replaced, while Clear Street was asked.
            raise Unlinked
        log.info("link_mended", org=person.org, user=person.user)
        return _linked(person, accounts, saved, same=True)

    async def _check(self, key: str, patience: float) -> list[Account]:
        """The open accounts of a key that Clear Street accepts."""
        try:
            async with asyncio.timeout(patience):
                accounts = by_name(await self._trading.accounts(key))
        except TimeoutError:
            raise NotChecked(f"Clear Street takes too long to answer, {_STORED} Try again in a minute.") from None
        except ClearStreetError as error:
            refusal = _refusal(error)
        else:
            if accounts:
                return accounts
            refusal = KeyRefused("Clear Street accepts this key, but it sees no open account, so it was not stored.")
        # Raised here, so that nothing of the call hangs on it.
        raise refusal

    async def status(self, person: Person) -> Link | None:
        """A person's link, as it is now."""
        return await self._links.now_of(person)

    async def unlink(self, person: Person, *, since: datetime | None = None) -> Forgotten:
        """Forget a person's key, the accounts they chose with it, and what hangs on it.

        Args:
            since: only the key that was linked then; None: whichever is there.

        Raises:
            KeyChanged: it is another one, and nothing was forgotten.
        """
        forgotten = await self._links.forget(person, self._forget, since=since)
        log.info("key_unlinked", org=person.org, user=person.user, links=forgotten.links)
        return forgotten

    async def forget_person(self, person: Person) -> Forgotten:
        """Forget all the keyring knows of a person: they were deactivated."""
        forgotten = await self._links.forget_person(person, self._forget)
        log.info("person_forgotten", org=person.org, user=person.user, links=forgotten.links)
        return forgotten

    async def forget_team(self, team: str) -> Forgotten:
        """Forget all the keyring knows of a workspace's people: omnibot was uninstalled there."""
        forgotten = await self._links.forget_team(team, self._forget)
        log.info("team_forgotten", team=team, links=forgotten.links)
        return forgotten


def _linked(person: Person, accounts: Sequence[Account], saved: Saved, *, same: bool) -> Linked:
    return Linked(
        principal=link_principal(person),
        accounts=tuple(accounts),
        default=saved.default,
        same_key=same,
        replaced=saved.earlier is not None and not same,
        others=saved.others,
    )


def _refusal(error: ClearStreetError) -> NotLinked:
    api = error.request_id
    match error:
        case Unauthorised():
            return KeyRefused(
                "Clear Street does not accept this key. Check that it is whole, and neither revoked nor expired.",
                request_id=api,
            )
        case NotEntitled():
            return KeyRefused(
                "Clear Street does not let this key see its accounts, so it was not stored.", request_id=api
            )
        case RateLimited():
            return NotChecked(f"Clear Street is busy, {_STORED} Try again in a minute.", request_id=api)
        case Invalid():
            return NotChecked(f"Clear Street did not accept the question, {_STORED}", request_id=api)
        case _:
            return NotChecked(
                f"Clear Street is not answering right now, {_STORED} Try again in a minute.", request_id=api
            )
