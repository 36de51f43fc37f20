"""Pure rules of API keys and accounts: who may use which, and what people are told when there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from omnibot.clearstreet.models import Account
from omnibot.errors import OmnibotError

#: The principal of everybody who asks with the operator's shared key.
SHARED = "shared"
_LINK = "link"

#: Characters of an API key.
SHORTEST_KEY, LONGEST_KEY = 8, 512
_KEY = re.compile(r"[\x21-\x7e]+", re.ASCII)
#: What copying from a web page or a chat adds unseen.
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in Slack: the acting user's enterprise, or else team, and the user id."""

    org: str
    user: str


@dataclass(frozen=True, slots=True)
class Place:
    """A Slack thread."""

    team: str
    channel: str
    thread_ts: str


def link_principal(person: Person) -> str:
    """The principal of a person who linked a key of their own: stable, and no secret."""
    return f"{_LINK}:{person.org}:{person.user}"


def person_of(principal: str) -> Person | None:
    """Whose link a principal is; None for the shared key."""
    kind, _, rest = principal.partition(":")
    if kind != _LINK:
        return None
    org, _, user = rest.partition(":")
    return Person(org, user)


@dataclass(frozen=True, slots=True)
class Link:
    """A person's own API key, as far as this process could read it."""

    person: Person
    #: None: no encryption key reads it.
    key: str | None = field(repr=False)
    created_at: datetime
    #: When Clear Street last accepted it at our asking.
    validated_at: datetime
    #: When Clear Street refused it: revoked, or expired.
    broken_at: datetime | None


@dataclass(frozen=True, slots=True)
class Linked:
    """What came of linking (or mending) a key."""

    principal: str
    #: The open accounts it sees, by name.
    accounts: tuple[Account, ...]
    #: The account new conversations are about; None: the person has to choose.
    default: int | None
    #: There was a link before, with this very key or with another one.
    same_key: bool = False
    replaced: bool = False
    #: So many other people have linked the same key.
    others: int = 0


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten."""

    #: Links.
    links: int
    #: What hung on them, counted by whoever forgot it: {"open tickets": 2}.
    waiting_turns: Mapping[str, int] = field(default_factory=dict)


# Why a call has no key. Each sentence is for the person, and for them alone.

LINK_YOURS = "Link yours with `/omni link`."
UNLINKED = f"You have not linked a Clear Street API key, so I cannot ask Omni for you. {LINK_YOURS}"
NO_WAY_IN = (
    "You may not use the shared Clear Street API key here, and you cannot link your own. Ask whoever runs omnibot."
)
GONE = f"Your Clear Street API key is no longer linked, so I cannot go on with this. {LINK_YOURS}"
REFUSED = (
    "Clear Street no longer accepts your API key: it was revoked, or has expired. Link a new one with `/omni link`."
)
UNREADABLE = (
    "omnibot can no longer read your Clear Street API key, because the keys it was encrypted with are gone. "
    "Link it again with `/omni link`."
)


class NoAuthority(OmnibotError):
    """There is no key to ask Omni with for this person; `str(error)` tells them why, and what to do."""

    #: Whether a key they link would help.
    curable = True


class Unlinked(NoAuthority):
    """They have no link (any more), and may not use the shared key."""

    def __init__(self, message: str = UNLINKED) -> None:
        super().__init__(message)


class NoWayIn(NoAuthority):
    """They may use neither the shared key nor one of their own."""

    curable = False

    def __init__(self) -> None:
        super().__init__(NO_WAY_IN)


class LinkBroken(NoAuthority):
    """They have a link, but its key does not work (any more).

    Args:
        message: what to tell the person.
        newly: nobody knew before; True once for each break.
    """

    def __init__(self, message: str = REFUSED, *, newly: bool = False) -> None:
        super().__init__(message)
        self.newly = newly


# Why a key was not linked.


class NotLinked(OmnibotError):
    """The key was not linked, and nothing was stored; `str(error)` tells the person why, and what to do.

    Args:
        message: the sentence.
        request_id: Clear Street's, where it was asked.
    """

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id


class LinkingOff(NotLinked):
    """Nobody can link here, or this person may not."""


class NotAKey(NotLinked):
    """What was entered cannot be an API key; Clear Street was not asked."""


class KeyRefused(NotLinked):
    """Clear Street does not accept the key, or it sees no open account."""


class NotChecked(NotLinked):
    """Clear Street could not be asked."""


class PageSpent(NotLinked):
    """The one-time page was used, or has expired."""


class KeyChanged(NotLinked):
    """Another key was linked, or it was forgotten, since somebody looked."""

    def __init__(self) -> None:
        super().__init__("Your key changed since this was shown, so nothing was done. Look at the one you have now.")


@dataclass(frozen=True, slots=True)
class KeySeen:
    """The key that somebody had when they looked, by the moment it was linked; None: they had none."""

    since: datetime | None


NO_ENCRYPTION = (
    "Linking is off, because omnibot has nothing to encrypt your key with. Whoever runs it must set "
    "OMNIBOT_ENCRYPTION_KEYS; `omnibot keys new` prints a key for it."
)
MAY_NOT_LINK = "You may not link an API key of your own here. Ask whoever runs omnibot."


def clean_key(text: str) -> str:
    """An API key as somebody pasted it.

    Raises:
        NotAKey: says what is wrong without showing what was entered.
    """
    key = text.strip().strip(_UNSEEN).strip()
    if not key:
        raise NotAKey("There is no key. Paste your Clear Street API key.")
    if len(key) > LONGEST_KEY:
        raise NotAKey(f"This is too long for an API key ({LONGEST_KEY} characters at most). Paste the key alone.")
    if any(character.isspace() for character in key):
        raise NotAKey("There is a space or a line break inside. Paste the key alone, without “Bearer”, in one piece.")
    if not _KEY.fullmatch(key):
        raise NotAKey("There are characters inside that no API key has. Copy it once more from Clear Street.")
    if len(key) < SHORTEST_KEY:
        raise NotAKey("This is too short for an API key. Paste all of it.")
    return key


# Accounts.


class AccountUnclear(OmnibotError):
    """omnibot does not know which account to ask about.

    Args:
        message: what to tell the person.
        choices: the open accounts there are, by name; none: there is nothing to choose.
    """

    def __init__(self, message: str, choices: Sequence[Account] = ()) -> None:
        super().__init__(message)
        self.choices = tuple(choices)


class NoSuchAccount(OmnibotError):
    """This account cannot be chosen: the key does not see it (any more), or it is closed."""


class AccountFixed(OmnibotError):
    """Whoever runs omnibot has chosen the account of the shared key. Link your own key to ask about yours."""


def by_name(accounts: Sequence[Account]) -> list[Account]:
    """The accounts that can be asked about, in the order people look for them."""
    open_accounts = [account for account in accounts if account.status != "CLOSED"]
    return sorted(open_accounts, key=lambda account: (account_name(account).casefold(), account.id))


def account_name(account: Account) -> str:
    """What people call it."""
    return account.full_name.strip() or account.short_name.strip() or f"Account {account.id}"


def choose_account(accounts: Sequence[Account], *, principal: str = SHARED) -> int:
    """The only open account.

    Raises:
        AccountUnclear: there are several, or none.
    """
    choices = by_name(accounts)
    if len(choices) == 1:
        return choices[0].id
    count = len(choices) or "no"
    if principal != SHARED:
        do = "Choose one with `/omni account`." if choices else "Link another one with `/omni link`."
        raise AccountUnclear(f"Your Clear Street API key sees {count} open accounts. {do}", choices)
    message = (
        f"omnibot's API key sees {count} open accounts, so it does not know which one to ask about. "
        "Whoever runs it must set CLEAR_STREET_ACCOUNT_ID."
    )
    raise AccountUnclear(message, choices)
