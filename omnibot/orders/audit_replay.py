"""Replays the audit's rows of each ticket and compares the result with the tables.

Nothing is sent without an approval of the same content, version and attempt; no ticket is without rows, and none of the
rows without a ticket: tickets are never forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person
from omnibot.db.rows import read_apart
from omnibot.db.tables import reservations, ticket_versions, ticket_votes, tickets
from omnibot.orders.model import TicketState, content_hash, read_terms

_BATCH = 200
_IDENTITY = ("owner", "account", "principal", "client_order_id")
_STATES = {state.value for state in TicketState}
_VOTES = {"voted", "approved", "copyable"}
_SAID = {"denied", "refused"}
"""What was said to somebody, about the ticket as they saw it."""
_AFTER_A_CALL = {TicketState.UNKNOWN.value, TicketState.SUBMITTED.value, TicketState.REJECTED.value}
_ENDS_AN_APPROVAL = {TicketState.EXPIRED.value, TicketState.DECLINED.value, TicketState.NOT_PLACED.value, "edited"}


class Approval(NamedTuple):
    """What an approval is of; rows of earlier releases do not say the attempt."""

    version: int
    attempt: int | None
    content_hash: str


def written(person: Person) -> str:
    """A person, as rows of the audit name them."""
    return f"{person.org}/{person.user}"


def votes_in(records: Sequence[Mapping[str, Any]]) -> set[tuple[Approval, str]]:
    """What was approved in these rows, and by whom."""
    return {(_approval(one), str(one["actor"])) for one in records if one["kind"] in _VOTES}


def reserved_in(row: RowMapping | None) -> dict[str, Any] | None:
    """What an approval uses up, as rows of the audit say it."""
    return None if row is None else {str(name): str(value) for name, value in row.items() if name != "ticket_id"}


def _approval(record: Mapping[str, Any]) -> Approval:
    return Approval(record["version"], record.get("attempt"), record["content_hash"])


class _Story:
    """One ticket, as the audit tells of it."""

    def __init__(self, first: Mapping[str, Any]) -> None:
        self.identity = {name: first[name] for name in _IDENTITY}
        self.versions: dict[int, str] = {}
        self.version = 0
        self.attempts: int | None = None
        self.state: str | None = None
        self.votes: set[tuple[Approval, str]] = set()
        self.approval: Approval | None = None
        self.was_approved = False
        self.reserved: dict[str, Any] | None = None
        self.sent = False

    def tell(self, record: Mapping[str, Any]) -> str | None:
        """Go on with the next row; returns what does not fit."""
        kind, now = record["kind"], _approval(record)
        trouble = self._content(record, kind, now)
        if kind in _VOTES:
            self.votes.add((now, str(record["actor"])))
        if kind == TicketState.APPROVED.value:
            trouble = trouble or self._approved(record, now)
        elif kind == TicketState.SUBMITTING.value:
            trouble = trouble or self._submitting(now)
        elif kind in _AFTER_A_CALL and not self.sent:
            trouble = trouble or f"it says {kind}, and no row says that it was being sent"
        elif kind in _ENDS_AN_APPROVAL:
            self.approval = None
        if kind not in _SAID:
            self.version, self.attempts = now.version, now.attempt
        if kind in _STATES:
            self.state = kind
        return trouble

    def _content(self, record: Mapping[str, Any], kind: str, now: Approval) -> str | None:
        if {name: record[name] for name in _IDENTITY} != self.identity:
            return "its owner, account, key or client order id is another than before"
        if kind == "proposed" and self.versions:
            return "it was proposed twice"
        if kind in ("proposed", "edited"):
            self.versions[now.version] = now.content_hash
        elif self.versions.get(now.version) != now.content_hash:
            return f"its content is not that of version {now.version}"
        return None

    def _approved(self, record: Mapping[str, Any], now: Approval) -> str | None:
        self.approval, self.was_approved, self.reserved = now, True, record.get("reserved")
        people = record.get("approved_by") or []
        if not people or any((now, one) not in self.votes for one in people):
            return "it was approved with an approval that no row tells of"
        return None

    def _submitting(self, now: Approval) -> str | None:
        approval, self.approval, self.sent = self.approval, None, True
        if approval is not None and None in (approval.attempt, now.attempt):
            approval, now = approval._replace(attempt=None), now._replace(attempt=None)
        elif now.attempt is not None:
            now = now._replace(attempt=now.attempt - 1)
        return None if approval == now else "it was sent without an approval of the same content, version and attempt"


class Replay:
    """Every ticket, as the audit tells of it."""

    def __init__(self) -> None:
        self._stories: dict[str, _Story] = {}
        self._problems: list[str] = []

    def add(self, record: Mapping[str, Any]) -> None:
        """The next row, which is as it was signed."""
        ticket = record.get("ticket")
        if ticket is None:
            return
        if ticket not in self._stories:
            self._stories[ticket] = _Story(record)
        if trouble := self._stories[ticket].tell(record):
            self._problems.append(f"Row {record['seq']}, ticket {ticket}: {trouble}.")

    async def compare(self, connection: AsyncConnection) -> list[str]:
        """What does not fit, in the rows or between them and the tables."""
        known = set((await connection.execute(select(tickets.c.id))).scalars())
        told = set(self._stories)
        problems = [*self._problems, *(f"Ticket {one} is gone; the audit tells of it." for one in sorted(told - known))]
        problems += [f"Ticket {one} is in no row of the audit." for one in sorted(known - told)]
        both = sorted(told & known)
        for place in range(0, len(both), _BATCH):
            problems += await self._batch(connection, both[place : place + _BATCH])
        return problems

    async def _batch(self, connection: AsyncConnection, ids: Sequence[str]) -> list[str]:
        plain = (tickets.c.org, tickets.c.user, tickets.c.principal, tickets.c.account_id, tickets.c.client_order_id)
        query = select(tickets.c.id, *plain, tickets.c.state, tickets.c.version, tickets.c.attempts)
        rows = {row.id: row for row in await connection.execute(query.where(tickets.c.id.in_(ids)))}

        async def read(some: Sequence[str]) -> list[tuple[str, int, str, str]]:
            found = await connection.execute(select(ticket_versions).where(ticket_versions.c.ticket_id.in_(some)))
            return [_version(row) for row in found.mappings()]

        versions, broken = await read_apart(ids, read)
        cast = (await connection.execute(select(ticket_votes).where(ticket_votes.c.ticket_id.in_(ids)))).mappings()
        votes = [(row["ticket_id"], _vote(row)) for row in cast]
        used = await connection.execute(select(reservations).where(reservations.c.ticket_id.in_(ids)))
        reserved = {row["ticket_id"]: reserved_in(row) for row in used.mappings()}
        problems = []
        for one in ids:
            story = self._stories[one]
            found = [
                _row_trouble(story, rows[one]),
                "a version of it cannot be read" if one in broken else None,
                None if one in broken else _version_trouble(story, [row for row in versions if row[0] == one]),
                _vote_trouble(story, {vote for ticket, vote in votes if ticket == one}),
                _reservation_trouble(story, reserved.get(one)),
            ]
            problems += [f"Ticket {one}: {trouble}." for trouble in found if trouble]
        return problems


def _version(row: RowMapping) -> tuple[str, int, str, str]:
    content = content_hash(read_terms(row["terms"]), row["body"])
    return row["ticket_id"], row["version"], row["content_hash"], content


def _vote(row: RowMapping) -> tuple[Approval, str]:
    approval = Approval(row["version"], row["attempt"], row["content_hash"])
    return approval, written(Person(row["org"], row["user"]))


def _row_trouble(story: _Story, row: Any) -> str | None:
    identity = {
        "owner": written(Person(row.org, row.user)),
        "account": row.account_id,
        "principal": row.principal,
        "client_order_id": row.client_order_id,
    }
    if identity != story.identity:
        return "its owner, account, key or client order id is not what the audit says"
    if row.state != story.state or row.version != story.version:
        return f"it is {row.state} in version {row.version}; the audit says {story.state} in version {story.version}"
    if story.attempts is not None and row.attempts != story.attempts:
        return f"{row.attempts} attempts are counted; the audit says {story.attempts}"
    return None


def _version_trouble(story: _Story, rows: Sequence[tuple[str, int, str, str]]) -> str | None:
    if {version: stored for _, version, stored, _ in rows} != story.versions:
        return "its versions are not those that the audit tells of"
    if any(content != stored for _, _, stored, content in rows):
        return "what a version says is not what was written then"
    return None


def _vote_trouble(story: _Story, found: set[tuple[Approval, str]]) -> str | None:
    any_attempt = {(approval._replace(attempt=None), who) for approval, who in found}
    if any(vote not in (any_attempt if vote[0].attempt is None else found) for vote in story.votes):
        return "an approval is gone that the audit tells of"
    unsaid = {(approval, who) for approval, who in story.votes if approval.attempt is None}
    if any(vote not in story.votes and (vote[0]._replace(attempt=None), vote[1]) not in unsaid for vote in found):
        return "it has an approval that the audit does not tell of"
    return None


def _reservation_trouble(story: _Story, found: dict[str, Any] | None) -> str | None:
    if (found is not None) != story.was_approved:
        return (
            "what it uses up of the day is there, and it was never approved"
            if found
            else ("what it uses up of the day is gone")
        )
    if story.reserved is not None and found != story.reserved:
        return "what it uses up of the day is not what was written as it was approved"
    return None
