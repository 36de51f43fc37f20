"""Which API key and which account a call to Clear Street uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from omnibot.accounts.account_choices import AccountChoices, Chosen
from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.model import (
    GONE,
    REFUSED,
    SHARED,
    UNREADABLE,
    AccountFixed,
    AccountUnclear,
    Link,
    LinkBroken,
    NoAuthority,
    NoSuchAccount,
    NoWayIn,
    Person,
    Place,
    Unlinked,
    account_name,
    by_name,
    choose_account,
    link_principal,
    person_of,
)
from omnibot.clearstreet.models import Account
from omnibot.clearstreet.trading import Trading
from omnibot.errors import ClearStreetError, Unauthorised

log = structlog.get_logger(__name__)

#: Seconds for which a list of accounts is believed.
ACCOUNTS_FRESH = 60.0
#: Lists of accounts kept in memory.
LISTINGS = 1_000


#: Says whether a person may.
Rule = Callable[[Person], Awaitable[bool]]


async def everybody(_person: Person) -> bool:
    """The rule where there is no other."""
    return True


@dataclass(slots=True)
class _Listing:
    """The accounts that a principal's key sees."""

    key: str = field(default="", repr=False)
    accounts: tuple[Account, ...] = field(default=(), repr=False)
    read_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Keyring:
    """Principals, their keys and their accounts.

    Args:
        trading: asked for the accounts of a key.
        shared_key: the operator's key; None: everybody needs a link.
        shared_account_id: the account of everybody who uses it; None: each may choose, if it sees several.
        links: people's own keys; None: there are none.
        choices: the accounts people chose; None: nobody can choose.
        may_share: who may use the shared key. Asked for every question.
        may_link: who may use a key of their own. Who may not is treated as if they had none.
    """

    def __init__(
        self,
        trading: Trading,
        *,
        shared_key: str | None,
        shared_account_id: int | None,
        links: LinkCache | None = None,
        choices: AccountChoices | None = None,
        may_share: Rule = everybody,
        may_link: Rule = everybody,
    ) -> None:
        self._trading = trading
        self._shared_key = shared_key
        self._shared_account_id = shared_account_id
        self._links = links
        self._choices = choices
        self._may_share = may_share
        self._may_link = may_link
        self._listings: dict[str, _Listing] = {}
        self._broke: Callable[[Person], None] | None = None
        #: The only account of the shared key, once it is known.
        self._only: int | None = None

    def __repr__(self) -> str:
        return f"Keyring(shared={self._shared_key is not None})"

    def on_broken(self, told: Callable[[Person], None]) -> None:
        """Have this told of everybody whose link turns out not to work; it returns at once."""
        self._broke = told

    # Whose authority.

    async def principal_of(self, person: Person) -> str:
        """Whose authority this person's questions use: their own link, else the shared key if they may.

        Raises:
            Unlinked: neither.
            LinkBroken: they have a link that does not work; nobody falls back from it to the shared key.
        """
        may_link = await self._may_link(person)
        link = await self._link_of(person) if may_link else None
        if link is not None:
            _key_in(link)
            return link_principal(person)
        if self._shared_key is not None and await self._may_share(person):
            return SHARED
        can_link = self._links is not None and self._links.possible and may_link
        raise Unlinked() if can_link else NoWayIn()

    async def key_of(self, principal: str) -> str:
        """The API key of a principal. Ask before every call: a key is unlinked everywhere within seconds.

        Raises:
            Unlinked: the link was forgotten.
            LinkBroken: its key does not work.
        """
        person = person_of(principal)
        if person is None:
            if self._shared_key is None:
                raise Unlinked
            return self._shared_key
        link = await self._link_of(person)
        if link is None:
            raise Unlinked(GONE)
        return _key_in(link)

    async def _link_of(self, person: Person) -> Link | None:
        return await self._links.of(person) if self._links is not None else None

    async def judge(self, principal: str, key: str, error: ClearStreetError) -> None:
        """See what a failed call says about the key it used. Returns if it says nothing.

        Raises:
            LinkBroken: Clear Street does not accept it; it is a link, and is marked as broken.
        """
        if isinstance(error, Unauthorised) and person_of(principal) is not None:
            raise LinkBroken(newly=await self.set_broken(principal, key))

    async def set_broken(self, principal: str, key: str) -> bool:
        """Clear Street answered 401 to this key of a link.

        Returns:
            True for the first to notice. False: it is known, or the link has another key by now.
        """
        person = person_of(principal)
        if person is None or self._links is None:
            return False
        newly = await self._links.set_broken(person, key)
        if newly:
            log.warning("link_broken", org=person.org, user=person.user)
            if self._broke is not None:
                self._broke(person)
        return newly

    # Which account.

    async def warm(self) -> None:
        """Find out the shared key's account before the first question does; let the operator read what is wrong."""
        if self._shared_key is None or self._shared_account_id is not None:
            return
        try:
            await self._only_account(SHARED)
        except (AccountUnclear, ClearStreetError) as error:
            request_id = error.request_id if isinstance(error, ClearStreetError) else None
            log.error("account_unknown", reason=f"{type(error).__name__}: {error}", api=request_id)

    def account_is_fixed(self, principal: str) -> bool:
        """Whether whoever runs omnibot has chosen the account of all who ask with this key."""
        return self._choices is None or (principal == SHARED and self._shared_account_id is not None)

    async def known_account_of(self, principal: str, person: Person, place: Place | None = None) -> int | None:
        """The account of `account_of` if no call to Clear Street is needed to know it, else None."""
        if (fixed := self.fixed_account(principal)) is not None:
            return fixed
        if self._choices is not None and (chosen := await self._choices.chosen(person, principal, place)) is not None:
            return None if await self._is_older_than_key(principal, chosen) else chosen.account_id
        return self._only if principal == SHARED else None

    async def _is_older_than_key(self, principal: str, chosen: Chosen) -> bool:
        """Whether a conversation's account was found with another key than the one that is linked now."""
        owner = person_of(principal)
        if owner is None or chosen.in_use_since is None:
            return False
        link = await self._link_of(owner)
        return link is not None and chosen.in_use_since < link.created_at

    async def account_of(self, principal: str, person: Person, place: Place | None = None) -> int:
        """The account a question is about.

        It is the one chosen for the Slack thread, else the one the conversation there is about, else the person's
        general choice, else the only one there is. A conversation's account that the key does not see (any more) counts
        for nothing once another key is linked.

        Args:
            principal: whose authority the question uses.
            person: who asks.
            place: the Slack thread of the conversation; None: in general.

        Raises:
            AccountUnclear: the key sees several open accounts, or none, and nobody chose.
            NoAuthority: there is no key to look with.
            ClearStreetError: the accounts could not be listed.
        """
        known = await self.known_account_of(principal, person, place)
        if known is None and self._choices is not None:
            in_use = await self._choices.chosen(person, principal, place)
            if in_use is not None and await self.sees(principal, in_use.account_id):
                return in_use.account_id
            known = await self.known_account_of(principal, person)
        return known if known is not None else await self._only_account(principal)

    async def _only_account(self, principal: str) -> int:
        only = choose_account(await self.accounts_of(principal), principal=principal)
        if principal == SHARED:
            self._only = only
        return only

    async def accounts_of(self, principal: str) -> list[Account]:
        """The open accounts of a principal's key, by name; a list may be a minute old.

        Raises:
            NoAuthority: there is no key to look with.
            ClearStreetError: the accounts could not be listed.
        """
        listing = self._listing(principal)
        async with listing.lock:
            key = await self.key_of(principal)
            if listing.key != key or time.monotonic() - listing.read_at >= ACCOUNTS_FRESH:
                began = time.monotonic()
                try:
                    accounts = by_name(await self._trading.accounts(key))
                except ClearStreetError as error:
                    await self.judge(principal, key, error)
                    raise
                listing.key, listing.accounts, listing.read_at = key, tuple(accounts), began
            return list(listing.accounts)

    async def name_of(self, principal: str, account_id: int) -> str | None:
        """What people call an account; None where there is no other to confuse it with.

        Raises:
            NoAuthority, ClearStreetError: as `accounts_of`.
        """
        if principal == SHARED:
            return None  # everybody's is the same one
        accounts = await self.accounts_of(principal)
        if len(accounts) < 2:
            return None
        return next((account_name(account) for account in accounts if account.id == account_id), None)

    def fixed_account(self, principal: str) -> int | None:
        """The account everybody with this principal asks about, where the operator has set one."""
        return self._shared_account_id if principal == SHARED else None

    async def sees(self, principal: str, account_id: int) -> bool:
        """Whether a principal's questions may (still) be about this account.

        Raises:
            NoAuthority, ClearStreetError: as `accounts_of`.
        """
        fixed = self.fixed_account(principal)
        if fixed is not None:
            return account_id == fixed
        return any(account.id == account_id for account in await self.accounts_of(principal))

    def _listing(self, principal: str) -> _Listing:
        listing = self._listings.pop(principal, None) or _Listing()
        # The latest asked for last: whoever was not asked for longest goes first.
        self._listings[principal] = listing
        if len(self._listings) > LISTINGS:
            del self._listings[next(iter(self._listings))]
        return listing

    async def choose_account(
        self, person: Person, account_id: int, *, team: str, place: Place | None = None
    ) -> Account:
        """Ask about this account from now on: in one Slack thread, or (no place) wherever nothing else was chosen.

        Args:
            person: who chooses, for their own questions alone.
            account_id: one of `accounts_of` their principal.
            team: the workspace they are in.
            place: the thread; its next question begins a new Omni thread.

        Raises:
            AccountFixed: they use the shared key, and its account is set.
            NoSuchAccount: their key does not see it, or it is closed.
            NoAuthority, ClearStreetError: as `accounts_of`.
        """
        principal = await self.principal_of(person)
        choices = self._choices
        if choices is None or self.account_is_fixed(principal):
            raise AccountFixed
        for account in await self.accounts_of(principal):
            if account.id == account_id:
                await choices.choose(person, principal, account_id, team=team, place=place)
                return account
        raise NoSuchAccount


def _key_in(link: Link) -> str:
    if link.key is None:
        raise LinkBroken(UNREADABLE)
    if link.broken_at is not None:
        raise LinkBroken(REFUSED)
    return link.key


__all__ = ["AccountUnclear", "Keyring", "NoAuthority"]
