"""Who acts and where in Slack, as far as the rules need it, and their results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: Members of a channel who are looked up, one by one; a larger one shows no account data unless the policy names it.
MOST_MEMBERS = 50


class PersonKind(StrEnum):
    """What somebody is to the workspace that omnibot is installed in."""

    MEMBER = "member"
    """A full member, not deactivated."""
    GUEST = "guest"
    """Single-channel or multi-channel guest."""
    EXTERNAL = "external"
    """Of another company, through Slack Connect."""
    UNKNOWN = "unknown"
    """A bot, somebody deactivated, or Slack does not say: may nothing."""


@dataclass(frozen=True, slots=True)
class Who:
    """The acting person, as Slack says at this moment: never the installed workspace, never an e-mail address."""

    org: str
    """By what their rows are kept: enterprise, or else team, as the payload says. It gives no rights."""
    user: str
    kind: PersonKind
    homes: frozenset[str] = frozenset()
    """Their workspaces and enterprise, as Slack's users.info says: what entries of the policy are about."""


class ChannelKind(StrEnum):
    """What sort of conversation a channel is."""

    DIRECT = "direct"
    """The direct messages between one person and Omni; not those between two people, where `/omni` can be typed too."""
    GROUP = "group"
    """A direct message of several people."""
    PRIVATE = "private"
    PUBLIC = "public"
    UNKNOWN = "unknown"


class Readers(StrEnum):
    """Who reads a channel, beside the one who asks."""

    MEMBERS = "members"
    """Full members of the workspace, and apps installed in it, alone."""
    OUTSIDERS = "outsiders"
    """A guest, or somebody of another company, is among them."""
    UNKNOWN = "unknown"
    """Slack does not say, or they are too many to be looked up: counts as outsiders."""


@dataclass(frozen=True, slots=True)
class Where:
    """The channel in which an answer is to appear, or a button was pressed."""

    channel: str
    kind: ChannelKind
    shared: bool | None
    """Whether another company is in it, or invited. None: Slack did not say, which counts as yes."""
    readers: Readers = Readers.UNKNOWN
    """Looked up only where it decides something."""


@dataclass(frozen=True, slots=True)
class AccessResult:
    """What a rule says."""

    allowed: bool
    reason: str
    """Why, and for a refusal what to do next: a sentence for the person. Empty when allowed and not worth a word."""
    ask: tuple[str, ...] = ()
    """Slack user ids of those who can help, from the policy file."""

    def __bool__(self) -> bool:
        return self.allowed


YES = AccessResult(True, "")


@dataclass(frozen=True, slots=True)
class Own:
    """The person's own link."""

    org: str
    user: str

    def belongs_to(self, who: Who) -> bool:
        """Whether it is this person's."""
        return (self.org, self.user) == (who.org, who.user)


@dataclass(frozen=True, slots=True)
class Shared:
    """The shared key."""


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no key this person may use."""

    reason: str
    ask: tuple[str, ...] = ()


Authority = Own | Shared
"""Whose authority a call uses."""


@dataclass(frozen=True, slots=True)
class Group:
    """People, as the policy names them: everybody of a kind, or those with these ids."""

    everybody: bool = False
    ids: tuple[str, ...] = ()

    def __contains__(self, who: Who) -> bool:
        return self.everybody or any(is_named(entry, who) for entry in self.ids)

    @property
    def empty(self) -> bool:
        """Nobody at all."""
        return not self.everybody and not self.ids


EVERYBODY, NOBODY = Group(everybody=True), Group()


def is_named(entry: str, who: Who) -> bool:
    """Whether an id of the policy means this person.

    `U…` is the user, `T…/U…` the user of that team or enterprise only, `T…` everybody of that team or enterprise.
    """
    # Not by `who.org`: that is what a payload says, and only names whose rows are whose.
    home, slash, user = entry.partition("/")
    if slash:
        return home in who.homes and user == who.user
    return entry in who.homes if entry.startswith(("T", "E")) else entry == who.user


def user_ids(entries: tuple[str, ...]) -> tuple[str, ...]:
    """The Slack user ids among the entries, without their teams."""
    return tuple(entry.rpartition("/")[2] for entry in entries if "/" in entry or not entry.startswith(("T", "E")))
