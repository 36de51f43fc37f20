"""Which account a person asks about, in SQL: chosen for one Slack thread, in use there, or chosen in general."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, select, union_all
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from omnibot.accounts.model import Person, Place
from omnibot.db.engine import Database
from omnibot.db.tables import account_choices, conversations

#: Where the account of the thread's own conversation ranks.
_IN_USE = 2


@dataclass(frozen=True, slots=True)
class Chosen:
    """The account to ask about."""

    account_id: int
    #: It is the one in use in the thread, since then (UTC without zone); None: somebody chose it.
    in_use_since: datetime | None = None


class AccountChoices:
    """What people chose."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = sqlite_insert if database.single_process else postgresql_insert

    async def choose(
        self, person: Person, principal: str, account_id: int, *, team: str, place: Place | None = None
    ) -> None:
        """Ask about this account from now on: in one thread, or (no place) wherever nothing else was chosen."""
        where = {
            "org": person.org,
            "user": person.user,
            "principal": principal,
            "channel": place.channel if place else "",
            "thread_ts": place.thread_ts if place else "",
        }
        what = {"account_id": account_id, "team": team, "chosen_at": self._database.now()}
        statement = self._insert(account_choices).values(**where, **what)
        async with self._database.transaction() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=[account_choices.c[name] for name in where], set_=what)
            )

    async def chosen(self, person: Person, principal: str, place: Place | None) -> Chosen | None:
        """The account to ask about: chosen for the thread, else the one in use there, else chosen in general."""
        choice, talk = account_choices.c, conversations.c
        mine = (choice.org == person.org, choice.user == person.user, choice.principal == principal)
        general = select(literal(3).label("rank"), choice.account_id, choice.chosen_at.label("at")).where(
            *mine, choice.channel == "", choice.thread_ts == ""
        )
        query = general
        if place is not None:
            here = select(literal(1).label("rank"), choice.account_id, choice.chosen_at.label("at")).where(
                *mine, choice.channel == place.channel, choice.thread_ts == place.thread_ts
            )
            going_on = select(literal(_IN_USE).label("rank"), talk.account_id, talk.created_at.label("at")).where(
                talk.team == place.team,
                talk.channel == place.channel,
                talk.thread_ts == place.thread_ts,
                talk.principal == principal,
                # 0 stands for "no account".
                talk.account_id != 0,
            )
            found = union_all(here, going_on, general).subquery()
            query = select(found.c.rank, found.c.account_id, found.c.at)
            query = query.order_by(found.c.rank, found.c.at.desc()).limit(1)
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).first()
        return Chosen(int(row.account_id), row.at if row.rank == _IN_USE else None) if row is not None else None
