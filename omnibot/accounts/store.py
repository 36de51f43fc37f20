"""Linked API keys in SQL: encrypted keys, and no secret in the clear."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, not_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Forgotten, KeyChanged, KeySeen, Person, link_principal
from omnibot.db.engine import Database
from omnibot.db.tables import account_choices, link_pages, links

#: Forgets what hangs on links, by their principals, in the transaction that forgets them; says how much it was.
Forget = Callable[[AsyncConnection, Sequence[str]], Awaitable[Mapping[str, int]]]


@dataclass(frozen=True, slots=True)
class SealedLink:
    """A row of `links`. Times are UTC without zone."""

    person: Person
    team: str
    sealed: str = field(repr=False)
    fingerprint: str = field(repr=False)
    created_at: datetime
    validated_at: datetime
    broken_at: datetime | None


@dataclass(frozen=True, slots=True)
class Saved:
    """What was there before, and what is there now."""

    #: The fingerprint of the key that was there; None: there was no link.
    earlier: str | None
    #: Other people's links with the same key.
    others: int
    #: The account chosen in general.
    default: int | None


class LinkStore:
    """What the keyring remembers of links."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = sqlite_insert if database.single_process else postgresql_insert

    async def read(self, person: Person) -> SealedLink | None:
        """A person's link."""
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(links).where(_of(links.c, person)))).mappings().first()
        return _read(row) if row is not None else None

    async def save(
        self,
        person: Person,
        *,
        team: str,
        sealed: str,
        fingerprints: Sequence[str],
        accounts: Collection[int],
        page: str | None = None,
        over: KeySeen | None = None,
    ) -> Saved | None:
        """Store a key that Clear Street has just accepted, in place of an earlier one.

        Args:
            person: whose it is.
            team: the workspace they link it in.
            sealed: the key, encrypted.
            fingerprints: those it may have been stored with; the first is stored.
            accounts: the open ones it sees: choices of others are forgotten, and an only one is chosen.
            page: the hash of the one-time page it was entered on; used up with the same stroke.
            over: only in place of this one, or where the same key is there already; None: of whichever is there.

        Returns:
            What was there before, and is now; None: the page cannot be used (any more), and nothing was stored.

        Raises:
            KeyChanged: another key is there than `over`, and nothing was stored.
        """
        async with self._database.transaction() as connection:
            if page is not None and not await self._use_page(connection, page, person):
                return None
            query = select(links.c.fingerprint, links.c.created_at).where(_of(links.c, person)).with_for_update()
            row = (await connection.execute(query)).first()
            earlier: str | None = row.fingerprint if row is not None else None
            since = row.created_at if row is not None else None
            if over is not None and over.since != since and earlier not in fingerprints:
                raise KeyChanged
            now = self._database.now()
            values: dict[str, Any] = {
                "team": team,
                "sealed": sealed,
                "fingerprint": fingerprints[0],
                "created_at": now,
                "validated_at": now,
                "broken_at": None,
            }
            statement = self._insert(links).values(org=person.org, user=person.user, **values)
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[links.c.org, links.c.user],
                    # The same key entered again is as old as it was.
                    set_=values | ({"created_at": links.c.created_at} if earlier in fingerprints else {}),
                )
            )
            default = await self._keep_choices(connection, person, team, accounts)
            same = links.c.fingerprint.in_(fingerprints)
            query_others = select(func.count()).select_from(links).where(same, not_(_of(links.c, person)))
            others = int((await connection.execute(query_others)).scalar_one())
            return Saved(earlier, others, default)

    async def _use_page(self, connection: AsyncConnection, page: str, person: Person) -> bool:
        used = await connection.execute(
            delete(link_pages)
            .where(
                link_pages.c.token_hash == page,
                _of(link_pages.c, person),
                link_pages.c.expires_at > self._database.now(),
            )
            .returning(link_pages.c.token_hash)
        )
        return used.first() is not None

    async def _keep_choices(
        self, connection: AsyncConnection, person: Person, team: str, accounts: Collection[int]
    ) -> int | None:
        """Forget choices of other accounts, choose an only one, and say which is chosen in general."""
        choice, principal = account_choices.c, link_principal(person)
        mine = and_(_of(choice, person), choice.principal == principal)
        await connection.execute(delete(account_choices).where(mine, choice.account_id.not_in(list(accounts))))
        if len(accounts) == 1:
            (only,) = accounts
            row = {
                "org": person.org,
                "user": person.user,
                "principal": principal,
                "channel": "",
                "thread_ts": "",
                "team": team,
                "account_id": only,
                "chosen_at": self._database.now(),
            }
            await connection.execute(self._insert(account_choices).values(**row).on_conflict_do_nothing())
        query = select(choice.account_id).where(mine, choice.channel == "", choice.thread_ts == "")
        return (await connection.execute(query)).scalar_one_or_none()

    async def forget_link(self, person: Person, hooks: Sequence[Forget], *, since: datetime | None = None) -> Forgotten:
        """Forget a person's link, the accounts chosen with it, and what hangs on it.

        Args:
            since: only the key that was linked then; None: whichever is there.

        Raises:
            KeyChanged: it is another one, and nothing was forgotten.
        """
        async with self._database.transaction() as connection:
            query = select(links.c.created_at).where(_of(links.c, person)).with_for_update()
            there = (await connection.execute(query)).scalar_one_or_none()
            if None not in (since, there) and there != since:
                raise KeyChanged
            choice = account_choices.c
            await connection.execute(
                delete(account_choices).where(_of(choice, person), choice.principal == link_principal(person))
            )
            await connection.execute(delete(link_pages).where(_of(link_pages.c, person)))
            return await _forget_links(connection, _of(links.c, person), hooks)

    async def forget_person(self, person: Person, hooks: Sequence[Forget]) -> Forgotten:
        """Forget everything the keyring knows of a person."""
        async with self._database.transaction() as connection:
            for table in (account_choices, link_pages):
                await connection.execute(delete(table).where(_of(table.c, person)))
            return await _forget_links(connection, _of(links.c, person), hooks)

    async def forget_team(self, team: str, hooks: Sequence[Forget]) -> Forgotten:
        """Forget everything the keyring knows of a workspace's people."""
        async with self._database.transaction() as connection:
            for table in (account_choices, link_pages):
                await connection.execute(delete(table).where(table.c.team == team))
            return await _forget_links(connection, links.c.team == team, hooks)

    async def set_broken(self, person: Person, fingerprints: Collection[str]) -> bool:
        """Clear Street refused this key. False: that is known, or it is not the person's key (any more)."""
        statement = (
            update(links)
            .where(_of(links.c, person), links.c.fingerprint.in_(fingerprints), links.c.broken_at.is_(None))
            .values(broken_at=self._database.now())
            .returning(links.c.org)
        )
        async with self._database.transaction() as connection:
            return (await connection.execute(statement)).first() is not None

    async def set_working(
        self, person: Person, fingerprints: Collection[str], *, team: str, accounts: Collection[int]
    ) -> Saved | None:
        """Clear Street accepts this key (again), and it sees these accounts. None: the person has it no more."""
        statement = (
            update(links)
            .where(_of(links.c, person), links.c.fingerprint.in_(fingerprints))
            .values(validated_at=self._database.now(), broken_at=None)
            .returning(links.c.fingerprint)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(statement)).first()
            if row is None:
                return None
            default = await self._keep_choices(connection, person, team, accounts)
            return Saved(row.fingerprint, 0, default)

    async def count(self) -> tuple[int, int]:
        """How many links there are, and how many of them are broken."""
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(func.count(), func.count(links.c.broken_at)))).one()
        return int(row[0]), int(row[1])

    # For the rotation of encryption keys.

    async def batch(self, after: Person | None, limit: int) -> list[SealedLink]:
        """The links that follow a person's, in the order of their people."""
        query = select(links).order_by(links.c.org, links.c.user).limit(limit)
        if after is not None:
            query = query.where(tuple_(links.c.org, links.c.user) > tuple_(after.org, after.user))
        async with self._database.transaction() as connection:
            return [_read(row) for row in (await connection.execute(query)).mappings()]

    async def reseal(self, link: SealedLink, *, sealed: str, fingerprint: str) -> bool:
        """Store the same key in another encryption. False: the row was changed meanwhile."""
        statement = (
            update(links)
            .where(_of(links.c, link.person), links.c.sealed == link.sealed)
            .values(sealed=sealed, fingerprint=fingerprint)
            .returning(links.c.org)
        )
        async with self._database.transaction() as connection:
            return (await connection.execute(statement)).first() is not None


async def _forget_links(connection: AsyncConnection, which: ColumnElement[bool], hooks: Sequence[Forget]) -> Forgotten:
    rows = (await connection.execute(delete(links).where(which).returning(links.c.org, links.c.user))).all()
    principals = [link_principal(Person(org, user)) for org, user in rows]
    waiting_turns: dict[str, int] = {}
    for hook in hooks if principals else ():
        for what, count in (await hook(connection, principals)).items():
            waiting_turns[what] = waiting_turns.get(what, 0) + count
    return Forgotten(len(principals), {what: count for what, count in waiting_turns.items() if count})


def _of(columns: Any, person: Person) -> ColumnElement[bool]:
    return and_(columns.org == person.org, columns.user == person.user)


def _read(row: Mapping[Any, Any]) -> SealedLink:
    return SealedLink(
        person=Person(row["org"], row["user"]),
        team=row["team"],
        sealed=row["sealed"],
        fingerprint=row["fingerprint"],
        created_at=row["created_at"],
        validated_at=row["validated_at"],
        broken_at=row["broken_at"],
    )
