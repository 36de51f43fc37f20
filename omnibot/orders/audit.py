"""The audit: append-only rows, each signed together with the one before it.

A row's hash is an HMAC over the hash before it and the row's own text. The key is outside the database, so that
whoever can write to the database cannot make a row, nor change, remove or insert one without it being found. A tail
that was cut off together with the head is found by comparing with a head that was logged (`audit_head`) or noted, and
by the bots at work (heads.py). What the rows say is compared with the tickets (replay.py).

The key is `OMNIBOT_AUDIT_KEY`, and without it is derived from `OMNIBOT_ENCRYPTION_KEYS`, or from the shared API key.
Each row names the key it was signed with: after a change of keys, the first signs and the others still verify.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person
from omnibot.db.engine import Database
from omnibot.db.tables import audit, audit_heads
from omnibot.errors import SettingsError
from omnibot.orders.audit_heads import START, Head, Heads
from omnibot.orders.audit_replay import Replay
from omnibot.orders.model import Ticket, canonical
from omnibot.settings import SHORTEST_AUDIT_KEY

log = structlog.get_logger(__name__)

_BATCH = 1_000
_PURPOSE = b"omnibot: the audit of orders"
_AUTHORISES = "authorisation of an order"
"""Stands where a row has the hash before it, so that the one signature is never good for the other."""

NO_KEY = (
    "The audit of orders needs a key. Set OMNIBOT_AUDIT_KEY to a secret of at least 32 characters (`openssl rand -hex "
    "32` prints one), or OMNIBOT_ENCRYPTION_KEYS, from which one is derived."
)


class Signer:
    """The operator's keys for the audit: the first signs, any of them verifies.

    Args:
        keys: OMNIBOT_AUDIT_KEY, split at its commas.
        secrets: OMNIBOT_ENCRYPTION_KEYS and the shared API key: used where there are no keys of its own, and to verify
            older rows.

    Raises:
        SettingsError: there is none, or one is too short.
    """

    def __init__(self, keys: Sequence[str], secrets: Sequence[str] = ()) -> None:
        if any(len(key) < SHORTEST_AUDIT_KEY for key in keys):
            raise SettingsError(f"OMNIBOT_AUDIT_KEY is too short: a key has {SHORTEST_AUDIT_KEY} characters at least")
        everything = [*keys, *secrets]
        if not everything:
            raise SettingsError(NO_KEY)
        derived = [hmac.digest(key.encode(), _PURPOSE, "sha256") for key in everything]
        self._keys = {hashlib.sha256(key).hexdigest()[:16]: key for key in reversed(derived)}
        self.key_id = hashlib.sha256(derived[0]).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Signer({self.key_id})"

    @property
    def key_ids(self) -> list[str]:
        """The keys that verify, as rows name them."""
        return list(self._keys)

    def sign(self, previous: str, record: str, key_id: str | None = None) -> str | None:
        """The hash of a row; None: the key it names is not among ours."""
        key = self._keys.get(key_id or self.key_id)
        return None if key is None else hmac.digest(key, f"{previous}\n{record}".encode(), "sha256").hex()

    def authorise(self, content: str, key_id: str | None = None) -> str | None:
        """A signature that lets an order be sent; None: the key it names is not among ours."""
        return self.sign(_AUTHORISES, content, key_id)

    def signed(self, row: Mapping[Any, Any]) -> bool:
        """Whether a row is as one of our keys signed it."""
        signature = self.sign(row["prev_hash"], row["record"], row["key_id"])
        return signature is not None and hmac.compare_digest(signature, row["hash"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was done."""

    kind: str
    """proposed, approved, denied, edited, declined, submitting, submitted, …"""
    actor: Person | None = None
    """Who; None: omnibot itself."""
    ticket: Ticket | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What they saw and what came of it: JSON without floats."""
    unparsed: Mapping[str, Any] | None = None
    """Instead of a ticket that cannot be parsed: its `identity_of`."""

    @property
    def ticket_id(self) -> str | None:
        """Of the ticket that it is about."""
        if self.unparsed is not None:
            return str(self.unparsed["ticket"])
        return None if self.ticket is None else self.ticket.id

    def record(self, seq: int, now: datetime) -> str:
        """The row's text, which is what is signed."""
        ticket = self.ticket
        told: dict[str, Any] = {"seq": seq, "at": now.isoformat(), "kind": self.kind, **self.facts}
        told["actor"] = None if self.actor is None else f"{self.actor.org}/{self.actor.user}"
        if self.unparsed is not None:
            told |= self.unparsed
        elif ticket is not None:
            told |= {
                "ticket": ticket.id,
                "version": ticket.version,
                "attempt": ticket.attempts,
                "content_hash": ticket.content_hash,
                "account": ticket.account_id,
                "owner": f"{ticket.owner.org}/{ticket.owner.user}",
                "principal": ticket.principal,
                "client_order_id": ticket.client_order_id,
                "message_id": ticket.message_id,
            }
        return canonical(told)


def identity_of(row: Any) -> dict[str, Any]:
    """What a record says of a ticket, from the columns of its row and its version's `content_hash`."""
    return {
        "ticket": row.id,
        "version": row.version,
        "attempt": row.attempts,
        "content_hash": row.content_hash,
        "account": row.account_id,
        "owner": f"{row.org}/{row.user}",
        "principal": row.principal,
        "client_order_id": row.client_order_id,
        "message_id": row.message_id,
    }


class Audit:
    """Adds rows, inside the transaction of what they tell about."""

    def __init__(self, signer: Signer, heads: Heads | None = None) -> None:
        self.signer = signer
        self.heads = heads or Heads()

    async def append(self, connection: AsyncConnection, *entries: Entry) -> None:
        """Add rows, as the last thing of a transaction: until it ends, nobody else adds any."""
        if not entries:
            return
        locked = select(audit_heads.c.seq, audit_heads.c.hash).where(audit_heads.c.id == 1).with_for_update()
        seq, head = (await connection.execute(locked)).one()
        await self.heads.continued(connection, Head(seq, head))
        now = datetime.now(UTC)
        rows: list[dict[str, Any]] = []
        for entry in entries:
            seq += 1
            record = entry.record(seq, now)
            signed = self.signer.sign(head, record)
            assert signed is not None  # with our own key
            rows.append(
                {
                    "seq": seq,
                    "prev_hash": head,
                    "hash": signed,
                    "key_id": self.signer.key_id,
                    "ticket_id": entry.ticket_id,
                    "record": record,
                }
            )
            head = signed
        await connection.execute(insert(audit), rows)
        await connection.execute(update(audit_heads).where(audit_heads.c.id == 1).values(seq=seq, hash=head))
        self.heads.remember(connection, Head(seq, head))
        log.info("audit_head", seq=seq, head=head)


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying the audit found."""

    rows: int
    head: str
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was changed, removed, inserted or cut off."""
        return not self.problems


async def rows_of(connection: AsyncConnection) -> AsyncIterator[Mapping[Any, Any]]:
    """Every row, in order."""
    after = None
    while True:
        query = select(audit).order_by(audit.c.seq).limit(_BATCH)
        if after is not None:
            query = query.where(audit.c.seq > after)
        rows = (await connection.execute(query)).mappings().all()
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        after = rows[-1]["seq"]


async def verify(database: Database, signer: Signer, *, heads: Sequence[str] = ()) -> Verified:
    """Look through all rows, and compare what they say with the tickets.

    Args:
        heads: heads that were logged or noted earlier, in their order: they must still be there.
    """
    problems: list[str] = []
    previous, count = START, 0
    known = {START}
    replay = Replay()
    async with database.snapshot() as connection:
        query = select(audit_heads.c.seq, audit_heads.c.hash).where(audit_heads.c.id == 1)
        kept = (await connection.execute(query)).first()
        async for row in rows_of(connection):
            count += 1
            if trouble := _trouble(row, signer, previous=previous, seq=count):
                problems.append(trouble)
                count = row["seq"]
            else:
                replay.add(json.loads(row["record"]))
            previous = row["hash"]
            known.add(previous)
        if kept is None or kept.hash != previous or kept.seq != count:
            problems.append("The newest rows are missing: the audit has been further than this.")
        for head in heads:
            if head not in known:
                problems.append(
                    f"The head {head} is not in the audit: rows after it, or it itself, were cut off or rewritten."
                )
                break
        problems += await replay.compare(connection)
    return Verified(len(known) - 1, previous, tuple(problems))


def _trouble(row: Mapping[Any, Any], signer: Signer, *, previous: str, seq: int) -> str | None:
    if row["seq"] != seq:
        return f"Row {row['seq']} follows row {seq - 1}: rows between them were removed."
    if row["prev_hash"] != previous:
        return f"Row {seq} does not continue the row before it: a row was changed, removed or inserted."
    if signer.sign(previous, row["record"], row["key_id"]) is None:
        return f"Row {seq} was signed with a key ({row['key_id']}) that is not among those set: it cannot be verified."
    if not signer.signed(row):
        return f"Row {seq} is not what was signed: it was changed or inserted."
    record = json.loads(row["record"])
    if record.get("seq") != seq or record.get("ticket") != row["ticket_id"]:
        return f"Row {seq} was moved, or is filed under another ticket."
    return None


COLUMNS = ("seq", "at", "kind", "actor", "ticket", "version", "account", "owner", "content_hash", "hash", "record")


async def export(database: Database, form: str) -> AsyncIterator[str]:
    """The whole audit as text, piece by piece.

    Args:
        form: "csv", with a line of names first, or "json", one object a line.
    """
    if form == "csv":
        yield _csv_line(COLUMNS)
    async with database.snapshot() as connection:
        async for row in rows_of(connection):
            record = json.loads(row["record"])
            if form == "json":
                signed = {"prev_hash": row["prev_hash"], "hash": row["hash"], "key_id": row["key_id"]}
                yield json.dumps({**record, **signed}) + "\n"
            else:
                told = {**record, "hash": row["hash"], "record": row["record"]}
                yield _csv_line([told.get(name) for name in COLUMNS])


def _csv_line(values: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(value) for value in values])
    return line.getvalue()


def _harmless(value: object) -> str:
    """Spreadsheets take text that begins like this for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
