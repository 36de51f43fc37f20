"""The last audit row this process saw, which the table has to continue.

Whoever can write to the database can cut off the newest rows and set the head back, and nothing in there tells. The
running bot does: it remembers the head, in memory and, if set, in a file.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.db.engine import when_committed
from omnibot.db.tables import audit, audit_heads, tickets
from omnibot.errors import OmnibotError, SettingsError

log = structlog.get_logger(__name__)

START = "0" * 64
"""The hash before the first row's."""
_LINE = re.compile(r"(\d{1,18}) ([0-9a-f]{64}) \S+", re.ASCII)

STOPPED = (
    "Nothing was approved: the record of what was done with orders is not as omnibot wrote it, so trading is stopped. "
    "Ask whoever runs omnibot. Cancel open orders at Clear Street until then."
)
"""Said to whoever approves."""
NOT_SENT = (
    "The record of what was done with orders is not as omnibot wrote it, so trading is stopped. Nothing was sent."
)


class AuditDiffers(OmnibotError):
    """The audit in the database does not continue what this process knows of it."""


@dataclass(frozen=True, slots=True)
class Head:
    """A row of the audit: its number, and the hash that covers it and everything before it."""

    seq: int
    hash: str


_NONE = Head(0, START)


class HeadFile:
    """Heads in a file that is only ever added to: a line each, with number, hash and time.

    Raises:
        SettingsError: it cannot be read or written to, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with open(path, "ab+", opener=_for_its_owner) as file:
                file.seek(0)
                text = file.read()
                if text and not text.endswith(b"\n"):
                    # A line that a crash cut off.
                    file.write(b"\n")
        except OSError as error:
            raise SettingsError(f"OMNIBOT_AUDIT_HEAD_FILE: {path} cannot be used ({error.strerror})") from None
        found = _read(text)
        if text.strip() and not found:
            raise SettingsError(f"OMNIBOT_AUDIT_HEAD_FILE: {path} holds no heads of an audit, but something else")
        self.last = found[-1] if found else None

    def add(self, head: Head) -> None:
        """Write a head down; it survives a power cut once this returns."""
        with open(self._path, "a", encoding="ascii", opener=_for_its_owner) as file:
            file.write(f"{head.seq} {head.hash} {datetime.now(UTC).isoformat(timespec='seconds')}\n")
            file.flush()
            os.fsync(file.fileno())
        self.last = head


def read_heads(path: Path) -> list[Head]:
    """The heads in a file.

    Raises:
        SettingsError: it cannot be read, or there are none.
    """
    try:
        found = _read(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror})") from None
    if not found:
        raise SettingsError(f"{path} holds no heads of an audit")
    return found


def _read(text: bytes) -> list[Head]:
    lines = text.decode("ascii", "replace").split("\n")
    return [Head(int(match[1]), match[2]) for line in lines if (match := _LINE.fullmatch(line))]


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class Heads:
    """What this process knows of the audit.

    Args:
        file: where heads are written down, too; the last one in it is known from the start.
    """

    def __init__(self, file: HeadFile | None = None) -> None:
        self._file = file
        self.known = file.last if file is not None else None
        self.trouble: str | None = None
        """Why this process trades no more; stays until it ends."""

    async def check(self, connection: AsyncConnection) -> str | None:
        """Compare the database with what is known, in one statement, as the first thing of a transaction.

        Rows that other instances added are known from then on.

        Returns:
            What is wrong; None: nothing.
        """
        # What is known may grow while the database answers.
        known = self.known or _NONE
        there = select(audit.c.hash).where(audit.c.seq == known.seq).scalar_subquery()
        newest = select(audit.c.hash).where(audit.c.seq == audit_heads.c.seq).scalar_subquery()
        any_ticket = exists(select(tickets.c.id)).label("any_ticket")
        query = select(audit_heads.c.seq, audit_heads.c.hash, there, newest, any_ticket).where(audit_heads.c.id == 1)
        row = (await connection.execute(query)).first()
        if row is None:
            self._differs("its head is gone")
        elif row[0] == 0 and row.any_ticket:
            self._differs("it is empty, and there are tickets")
        else:
            head = Head(row[0], row[1])
            self._compare(head, known, {known.seq: row[2], head.seq: row[3]})
            self._learn(head)
        return self.trouble

    async def continued(self, connection: AsyncConnection, head: Head) -> None:
        """Compare the head, which is locked, with what is known: rows are about to be added to it.

        It may be of this very transaction, and be known to nobody yet.
        """
        known = self.known or _NONE
        # After the lock, in a statement of its own: what others added before it is seen.
        query = select(audit.c.seq, audit.c.hash).where(audit.c.seq.in_({known.seq, head.seq}))
        self._compare(head, known, {row.seq: row.hash for row in await connection.execute(query)})

    def _compare(self, head: Head, known: Head, hashes: Mapping[int, str | None]) -> None:
        """Args: hashes: those of the rows of both, by number."""
        if head.seq < known.seq or (known.seq and hashes.get(known.seq) != known.hash):
            self._differs(f"row {known.seq} ({known.hash}), which was there, is gone or was rewritten")
        elif (hashes.get(head.seq) if head.seq else START) != head.hash:
            self._differs(f"its head names row {head.seq} ({head.hash}), and there is no such row")

    def _differs(self, why: str) -> None:
        if self.trouble is None:
            log.error("audit_differs", why=why)
            self.trouble = (
                f"The audit of orders in the database is not as omnibot wrote it: {why}. Trading is stopped: nothing "
                "is approved or sent, cancels neither. Run `omnibot audit verify`, find out who changed the database, "
                "and restart omnibot once it is mended."
            )

    def remember(self, connection: AsyncConnection, head: Head) -> None:
        """Know a head once the transaction that wrote it is committed."""
        when_committed(connection, lambda: self._learn(head))

    def _learn(self, head: Head) -> None:
        if self.trouble is None and (self.known is None or head.seq > self.known.seq):
            self.known = head

    async def write_down(self) -> str | None:
        """Add what is known to the file, if there is one. Returns why that was not possible."""
        file, known = self._file, self.known
        if file is None or known is None or known == file.last or self.trouble is not None:
            return None
        try:
            await asyncio.to_thread(file.add, known)
        except OSError as error:
            log.warning("audit_head_unwritten", error=str(error))
            return f"OMNIBOT_AUDIT_HEAD_FILE: the audit's head cannot be written down ({error.strerror})."
        return None
