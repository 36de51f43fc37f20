"""Consents in SQL. Each transition is one guarded UPDATE."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person
from omnibot.consent.model import Consent, ConsentState, Document, NewConsent
from omnibot.db.engine import Database
from omnibot.db.tables import consents, turns

#: Consents settled by one sweep.
BATCH = 50


async def insert_consent(
    connection: AsyncConnection, new: NewConsent, *, turn_id: str, again_id: str, team: str, person: Person
) -> None:
    """Remember what an answer asks for, in the transaction that stores the answer."""
    await connection.execute(
        insert(consents).values(
            id=new.id,
            turn_id=turn_id,
            again_id=again_id,
            team=team,
            org=person.org,
            user=person.user,
            principal=new.principal,
            agreement_key=new.agreement_key,
            reason=new.reason,
            codes=list(new.codes),
            accounts=list(new.accounts),
            state=ConsentState.ASKED.value,
            asked_at=_utcnow(),
            pending=False,
        )
    )


async def forget_consents(connection: AsyncConnection, principals: Sequence[str]) -> dict[str, int]:
    """Forget everything asked and signed by these principals, in the transaction that forgets their links.

    The questions that waited for it end by themselves.
    """
    gone = await connection.execute(
        delete(consents).where(consents.c.principal.in_(principals)).returning(consents.c.id)
    )
    return {"consents": len(gone.all())}


class ConsentStore:
    """The consents table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, consent_id: str) -> Consent | None:
        """The consent as the database has it now."""
        return await self._one(consents.c.id == consent_id)

    async def of_turn(self, turn_id: str) -> Consent | None:
        """What this turn's answer asked for."""
        return await self._one(consents.c.turn_id == turn_id)

    async def _one(self, which: Any) -> Consent | None:
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(consents).where(which))).mappings().first()
        return _read(row) if row else None

    async def begin(
        self, consent: Consent, document: Document, codes: Sequence[str], accounts: Sequence[int]
    ) -> Consent | None:
        """Write down exactly what is about to be signed. None: somebody was quicker."""
        return await self._move(
            consent.id,
            (ConsentState.ASKED,),
            ConsentState.SIGNING,
            codes=list(codes),
            agreement_id=document.agreement_id,
            agreement_version=document.version,
            agreement_sha256=document.sha256,
            signed_accounts=list(accounts),
            signed_by=consent.person.user,
            signing_at=self._database.now(),
            pending=True,
        )

    async def granted(self, consent_id: str) -> Consent | None:
        """Clear Street has it; whatever waits for it goes on. None: that is known already."""
        return await self._move(
            consent_id, (ConsentState.SIGNING,), ConsentState.GRANTED, ended_at=_utcnow(), pending=True
        )

    async def not_granted(self, consent_id: str) -> Consent | None:
        """Clear Street certainly does not have it: it can be signed again. That it was tried stays known."""
        return await self._move(
            consent_id,
            (ConsentState.SIGNING,),
            ConsentState.ASKED,
            agreement_id=None,
            agreement_version=None,
            agreement_sha256=None,
            signed_accounts=None,
            signed_by=None,
            pending=True,
        )

    async def refuse(self, consent_id: str, how: ConsentState) -> Consent | None:
        """They do not want to: DECLINED, or CLOSED. None: it is under way, or over."""
        return await self._move(consent_id, (ConsentState.ASKED,), how, ended_at=_utcnow(), pending=True)

    async def _move(
        self, consent_id: str, come_from: Collection[ConsentState], to: ConsentState, **changes: Any
    ) -> Consent | None:
        statement = (
            update(consents)
            .where(consents.c.id == consent_id, consents.c.state.in_([state.value for state in come_from]))
            .values(state=to.value, **changes)
            .returning(consents)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(statement)).mappings().first()
        return _read(row) if row else None

    async def waits(self, consent_id: str) -> bool:
        """Whether the question that is asked again after it still waits."""
        query = (
            select(turns.c.id)
            .join(consents, consents.c.again_id == turns.c.id)
            .where(consents.c.id == consent_id, turns.c.state == "held", turns.c.cancel_requested_at.is_(None))
        )
        async with self._database.transaction() as connection:
            return (await connection.execute(query)).first() is not None

    async def drawn(self, consent: Consent) -> None:
        """Its card shows this state."""
        statement = (
            update(consents)
            .where(
                consents.c.id == consent.id,
                consents.c.state == consent.state.value,
                consents.c.state != ConsentState.SIGNING.value,
            )
            .values(pending=False)
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement)

    async def pending(self, besides: Sequence[str]) -> list[str]:
        """Ids of those with something left to do, the oldest first, but for these."""
        left = consents.c.pending.is_(True)
        query = select(consents.c.id).where(left, consents.c.id.not_in(besides)).order_by(consents.c.asked_at)
        async with self._database.transaction() as connection:
            return list((await connection.execute(query.limit(BATCH))).scalars())

    async def read_all(self, ids: Sequence[str]) -> list[tuple[Consent, float]]:
        """These, and for signatures the seconds since they were begun; raises when one of them cannot be read."""
        query = select(consents, self._database.now().label("now")).where(consents.c.id.in_(ids))
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query.order_by(consents.c.asked_at))).mappings().all()
        return [(_read(row), _age(row)) for row in rows]

    async def versions(self, principal: str) -> dict[str, int]:
        """Versions of the agreements that were signed here, by agreement id."""
        query = select(consents.c.agreement_id, consents.c.agreement_version).where(
            consents.c.principal == principal, consents.c.state == ConsentState.GRANTED.value
        )
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).all()
        return {row[0]: row[1] for row in rows if row[0] and row[1] is not None}

    async def prune(self, before: datetime) -> None:
        """Forget what nobody signed, and why Omni asked for what somebody did."""
        old = consents.c.asked_at < before
        unsigned = or_(
            *[consents.c.state == s.value for s in (ConsentState.ASKED, ConsentState.DECLINED, ConsentState.CLOSED)]
        )
        async with self._database.transaction() as connection:
            await connection.execute(delete(consents).where(old, unsigned))
            await connection.execute(update(consents).where(old, consents.c.reason != "").values(reason=""))


def _age(row: RowMapping) -> float:
    begun = row["signing_at"]
    return (row["now"] - begun).total_seconds() if begun is not None else 0.0


def _read(row: Mapping[Any, Any] | RowMapping) -> Consent:
    return Consent(
        id=row["id"],
        turn_id=row["turn_id"],
        team=row["team"],
        person=Person(row["org"], row["user"]),
        principal=row["principal"],
        agreement_key=row["agreement_key"],
        reason=row["reason"],
        codes=tuple(row["codes"]),
        accounts=tuple(row["accounts"]),
        state=ConsentState(row["state"]),
        asked_at=row["asked_at"],
        agreement_id=row["agreement_id"],
        agreement_version=row["agreement_version"],
        agreement_sha256=row["agreement_sha256"],
        signed_accounts=tuple(row["signed_accounts"] or ()),
        signed_by=row["signed_by"],
        signing_at=row["signing_at"],
        ended_at=row["ended_at"],
    )


def _utcnow() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
