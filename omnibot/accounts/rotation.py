"""Re-encrypting every linked API key with the first encryption key, while bots run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from omnibot.accounts.model import Person
from omnibot.accounts.store import LinkStore, SealedLink
from omnibot.db.engine import open_database
from omnibot.db.migrate import require_current
from omnibot.encryption import Encryption, Unreadable

#: Links read at a time.
BATCH = 100
#: People named in the report.
NAMED = 10
#: Looks at a link that somebody keeps changing.
TRIES = 5


@dataclass(slots=True)
class Rotation:
    """What a rotation did."""

    #: Encrypted anew.
    rotated: int = 0
    #: Were encrypted with the first key before.
    current: int = 0
    #: No key reads them: these people have to link again.
    unreadable: list[Person] = field(default_factory=list)
    #: Changed too often meanwhile: rotate again.
    restless: list[Person] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the first key now reads every linked key; the audit of orders may still need the others."""
        return not self.unreadable and not self.restless


def describe(report: Rotation) -> str:
    """For the operator; names people by their Slack ids, and no keys."""
    lines = [f"{report.rotated} encrypted with the first key now, {report.current} were before."]
    if report.unreadable:
        lines.append(
            f"{len(report.unreadable)} cannot be read with any of the keys: {_named(report.unreadable)}. Add the key "
            "they were encrypted with and rotate again, or let these people link again."
        )
    if report.restless:
        lines.append(f"{len(report.restless)} kept changing: {_named(report.restless)}. Rotate again.")
    return "\n".join(lines)


def _named(people: Sequence[Person]) -> str:
    names = ", ".join(f"{person.user} of {person.org}" for person in people[:NAMED])
    return names if len(people) <= NAMED else f"{names} and {len(people) - NAMED} more"


async def rotate(store: LinkStore, encryption: Encryption) -> Rotation:
    """Go through all links.

    Each is one guarded statement: after a kill one simply begins again, and no key that is linked meanwhile is lost.
    """
    report = Rotation()
    last: Person | None = None
    while batch := await store.batch(last, BATCH):
        for link in batch:
            await _reseal(store, encryption, link, report)
        last = batch[-1].person
    return report


async def _reseal(store: LinkStore, encryption: Encryption, row: SealedLink, report: Rotation) -> None:
    link: SealedLink | None = row
    for _ in range(TRIES):
        if link is None:
            # Unlinked meanwhile.
            return
        try:
            key = encryption.open(link.sealed)
        except Unreadable:
            report.unreadable.append(link.person)
            return
        fingerprint = encryption.fingerprint(key)
        if encryption.is_current(link.sealed) and link.fingerprint == fingerprint:
            report.current += 1
            return
        if await store.reseal(link, sealed=encryption.seal(key), fingerprint=fingerprint):
            report.rotated += 1
            return
        link = await store.read(link.person)
    report.restless.append(row.person)


async def rotate_database(database_url: str, keys: list[str]) -> Rotation:
    """`omnibot keys rotate`.

    Raises:
        SettingsError: the database cannot be used.
    """
    # Beside a running bot, on SQLite too: it waits for the other's transactions.
    database = await open_database(database_url, exclusive=False)
    try:
        await require_current(database)
        return await rotate(LinkStore(database), Encryption(keys))
    finally:
        await database.close()
