"""Tokens for the one-time link page: for one person, one use and ten minutes; the database holds hashes."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from omnibot import telemetry
from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.model import Person
from omnibot.db.engine import Database
from omnibot.db.tables import link_pages
from omnibot.encryption import Unreadable

#: Seconds for which a page can be used.
LIFETIME = 600.0
#: Keys that may be tried on one page.
MOST_TRIES = 10

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LinkToken:
    """A page that can still be used."""

    #: The hash of its token: names it, and opens nothing.
    page: str
    person: Person
    team: str
    #: Whom the page says it is for.
    name: str


class LinkTokens:
    """Who may enter a key on which page."""

    def __init__(self, database: Database, links: LinkCache) -> None:
        self._database = database
        self._links = links

    async def issue(self, person: Person, *, team: str, name: str) -> str:
        """A token for this person; an earlier one of theirs is void.

        Args:
            person: whose key the page will link.
            team: the workspace they are in.
            name: what the page calls them, so that nobody enters a key for somebody else: "Ana at Acme".

        Raises:
            LinkingOff: nobody can link here.
        """
        sealed = self._links.require_encryption().seal(name)
        token = secrets.token_urlsafe(32)
        telemetry.hide(token)
        row = {
            "token_hash": _hash(token),
            "org": person.org,
            "user": person.user,
            "team": team,
            "sealed_name": sealed,
            "tries": 0,
            "expires_at": self._database.after(LIFETIME),
        }
        mine = (link_pages.c.org == person.org, link_pages.c.user == person.user)
        async with self._database.transaction() as connection:
            await connection.execute(delete(link_pages).where(link_pages.c.expires_at <= self._database.now()))
            await connection.execute(delete(link_pages).where(*mine))
            await connection.execute(insert(link_pages).values(**row))
        return token

    async def look(self, token: str) -> LinkToken | None:
        """Whom a token invites; None: nobody (any more). However often one looks, it is not used up."""
        if not _TOKEN.fullmatch(token):
            return None
        query = select(link_pages).where(*self._usable(token))
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).mappings().first()
        return self._read(row) if row is not None else None

    async def attempt(self, token: str) -> LinkToken | None:
        """As `look`, and counts as a try: somebody enters a key."""
        if not _TOKEN.fullmatch(token):
            return None
        statement = (
            update(link_pages).where(*self._usable(token)).values(tries=link_pages.c.tries + 1).returning(link_pages)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(statement)).mappings().first()
        return self._read(row) if row is not None else None

    def _usable(self, token: str) -> tuple[Any, ...]:
        return (
            link_pages.c.token_hash == _hash(token),
            link_pages.c.expires_at > self._database.now(),
            link_pages.c.tries < MOST_TRIES,
        )

    def _read(self, row: Mapping[Any, Any]) -> LinkToken | None:
        try:
            name = self._links.require_encryption().open(row["sealed_name"])
        except Unreadable:
            # The encryption keys were exchanged meanwhile.
            return None
        return LinkToken(row["token_hash"], Person(row["org"], row["user"]), row["team"], name)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
