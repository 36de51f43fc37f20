"""Decrypted API keys, cached for seconds: what another instance changes takes effect within that time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from omnibot.accounts.model import NO_ENCRYPTION, Forgotten, KeySeen, Link, LinkingOff, Person
from omnibot.accounts.store import Forget, LinkStore, Saved, SealedLink
from omnibot.encryption import Encryption, Unreadable

#: Seconds for which a link is believed without a look into the database: at most so long is an unlinked key in use.
FRESH = 3.0
#: Seconds after which keys that nobody asks for are dropped from memory.
IDLE = 60.0


@dataclass(slots=True)
class _Entry:
    link: Link | None = None
    #: On the clock, when the database was asked.
    read_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class LinkCache:
    """Everybody's links. One for each process, so that its own changes count at once.

    Args:
        store: where they are.
        encryption: None: nobody can link, and what was linked cannot be read.
        clock: seconds, never going back.
    """

    def __init__(
        self, store: LinkStore, encryption: Encryption | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._encryption = encryption
        self._clock = clock
        self._entries: dict[Person, _Entry] = {}
        #: Counts what this process changed: a look that began before is out of date when it ends.
        self._changes = 0
        self._swept_at = clock()

    @property
    def possible(self) -> bool:
        """Whether people can link."""
        return self._encryption is not None

    def __repr__(self) -> str:
        return f"Links({len(self._entries)} in memory)"

    async def of(self, person: Person) -> Link | None:
        """A person's link, as it was in the database `FRESH` seconds ago at the earliest."""
        self._sweep()
        entry = self._entries.setdefault(person, _Entry())
        if self._clock() - entry.read_at >= FRESH:
            async with entry.lock:
                if self._clock() - entry.read_at >= FRESH:
                    await self._look(person, entry)
        return entry.link

    async def now_of(self, person: Person) -> Link | None:
        """A person's link, as it is in the database."""
        self.changed(person)
        return await self.of(person)

    async def _look(self, person: Person, entry: _Entry) -> None:
        began, changes = self._clock(), self._changes
        row = await self._store.read(person)
        entry.link = self._open(row) if row is not None else None
        entry.read_at = began if changes == self._changes else float("-inf")

    def _open(self, row: SealedLink) -> Link:
        key = None
        if self._encryption is not None:
            try:
                key = self._encryption.open(row.sealed)
            except Unreadable:
                key = None
        return Link(row.person, key, row.created_at, row.validated_at, row.broken_at)

    def changed(self, person: Person | None = None) -> None:
        """Look again at the next question: at this person's link, or (None) at everybody's."""
        self._changes += 1
        for entry in self._entries.values() if person is None else filter(None, [self._entries.get(person)]):
            entry.read_at, entry.link = float("-inf"), None

    def _sweep(self) -> None:
        now = self._clock()
        if now - self._swept_at < IDLE:
            return
        self._swept_at = now
        idle = [person for person, e in self._entries.items() if now - e.read_at >= IDLE and not e.lock.locked()]
        for person in idle:
            del self._entries[person]

    # Changes.

    def require_encryption(self) -> Encryption:
        """What keys are sealed with.

        Raises:
            LinkingOff: nothing.
        """
        if self._encryption is None:
            raise LinkingOff(NO_ENCRYPTION)
        return self._encryption

    async def save(
        self,
        person: Person,
        key: str,
        *,
        team: str,
        accounts: Collection[int],
        page: str | None,
        over: KeySeen | None = None,
    ) -> tuple[Saved | None, bool]:
        """Store a key that works, encrypted; see `LinkStore.save`. Also says whether it is the one that was there.

        Raises:
            LinkingOff: there is nothing to encrypt it with.
            KeyChanged: see `LinkStore.save`.
        """
        encryption = self.require_encryption()
        marks = encryption.fingerprints(key)
        try:
            sealed = encryption.seal(key)
            saved = await self._store.save(
                person, team=team, sealed=sealed, fingerprints=marks, accounts=accounts, page=page, over=over
            )
        finally:
            self.changed(person)
        return saved, saved is not None and saved.earlier in marks

    async def set_broken(self, person: Person, key: str) -> bool:
        """Clear Street refused this key. False: that is known, or it is not the person's key (any more)."""
        if self._encryption is None:
            return False
        try:
            return await self._store.set_broken(person, self._encryption.fingerprints(key))
        finally:
            self.changed(person)

    async def set_working(self, person: Person, key: str, *, team: str, accounts: Collection[int]) -> Saved | None:
        """Clear Street accepts this key (again); see `LinkStore.set_working`."""
        marks = self.require_encryption().fingerprints(key)
        try:
            return await self._store.set_working(person, marks, team=team, accounts=accounts)
        finally:
            self.changed(person)

    async def forget(self, person: Person, hooks: Sequence[Forget], *, since: datetime | None = None) -> Forgotten:
        """Forget a person's link; see `LinkStore.forget_link`."""
        try:
            return await self._store.forget_link(person, hooks, since=since)
        finally:
            self.changed(person)

    async def forget_person(self, person: Person, hooks: Sequence[Forget]) -> Forgotten:
        """Forget a person; see `LinkStore.forget_person`."""
        try:
            return await self._store.forget_person(person, hooks)
        finally:
            self.changed(person)

    async def forget_team(self, team: str, hooks: Sequence[Forget]) -> Forgotten:
        """Forget a workspace; see `LinkStore.forget_team`."""
        try:
            return await self._store.forget_team(team, hooks)
        finally:
            self.changed()
