"""What allows an approved ticket to be sent: a signature with the audit key over everything the call is made of.

It is written in the transaction that approves, and looked at in the one that begins to send: what the database says by
itself, however it came to say so, sends nothing.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.db.tables import audit, reservations, ticket_authorisations
from omnibot.orders.audit import Entry, Signer
from omnibot.orders.audit_replay import Approval, reserved_in, votes_in, written
from omnibot.orders.model import Ticket, TicketState, canonical, content_hash
from omnibot.policy.facts import OrderAction


class NotAuthorised(Exception):
    """What would be sent is not what people approved."""


async def authorise(connection: AsyncConnection, signer: Signer, entries: Sequence[Entry]) -> list[Entry]:
    """Sign the tickets that were just approved, and add what they use up of the day to the audit's rows about them."""
    told: list[Entry] = []
    for entry in entries:
        ticket = entry.ticket
        if ticket is None or ticket.state is not TicketState.APPROVED or entry.kind != TicketState.APPROVED.value:
            told.append(entry)
            continue
        mine = (ticket_authorisations.c.ticket_id == ticket.id, ticket_authorisations.c.attempt == ticket.attempts)
        await connection.execute(delete(ticket_authorisations).where(*mine))
        row = {"ticket_id": ticket.id, "attempt": ticket.attempts, "key_id": signer.key_id}
        signature = signer.authorise(signed_content(ticket, ticket.attempts))
        await connection.execute(ticket_authorisations.insert().values(**row, signature=signature))
        query = select(reservations).where(reservations.c.ticket_id == ticket.id)
        reserved = reserved_in((await connection.execute(query)).mappings().first())
        told.append(replace(entry, facts={**entry.facts, "reserved": reserved}))
    return told


async def require_authority(connection: AsyncConnection, signer: Signer, ticket: Ticket) -> None:
    """Look whether a ticket, submitting and as it will be sent, is what people approved.

    Raises:
        NotAuthorised: it is not.
    """
    attempt = ticket.attempts - 1
    mine = (ticket_authorisations.c.ticket_id == ticket.id, ticket_authorisations.c.attempt == attempt)
    row = (await connection.execute(select(ticket_authorisations).where(*mine))).first()
    expected = None if row is None else signer.authorise(signed_content(ticket, attempt), row.key_id)
    if row is None or expected is None or not hmac.compare_digest(expected, row.signature):
        raise NotAuthorised
    query = select(audit).where(audit.c.ticket_id == ticket.id).order_by(audit.c.seq)
    rows = (await connection.execute(query)).mappings().all()
    records = [json.loads(one["record"]) for one in rows if signer.signed(one)]
    allowed = _whole(ticket) and _was_written(ticket, records) and _was_approved(ticket, attempt, records)
    if not allowed or _was_begun(ticket, records) or not _same_editors(ticket, records):
        raise NotAuthorised


def signed_content(ticket: Ticket, attempt: int) -> str:
    """Everything that a call is made of, and who allowed it, when. What is stored as its hash counts for nothing."""
    return canonical(
        {
            "ticket": ticket.id,
            "version": ticket.version,
            "attempt": attempt,
            "content": content_hash(ticket.terms, ticket.body),
            "approvers": sorted(written(one) for one in ticket.approved_by),
            "approved_at": ticket.approved_at.isoformat() if ticket.approved_at is not None else None,
            "account": ticket.account_id,
            "client_order_id": ticket.client_order_id,
            "principal": ticket.principal,
        }
    )


def _whole(ticket: Ticket) -> bool:
    """Whether there is something to send, about this ticket's own order."""
    match ticket.terms.act:
        case OrderAction.NEW:
            return ticket.body is not None and ticket.body.get("id") == ticket.client_order_id
        case OrderAction.MODIFY:
            return bool(ticket.body and ticket.terms.order_id)
        case OrderAction.CANCEL:
            return bool(ticket.terms.order_id)


def _was_written(ticket: Ticket, records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether omnibot proposed this content, or somebody edited it to this: a row of the audit says so."""
    content = {
        "version": ticket.version,
        "content_hash": content_hash(ticket.terms, ticket.body),
        "owner": written(ticket.owner),
        "account": ticket.account_id,
        "principal": ticket.principal,
        "client_order_id": ticket.client_order_id,
    }
    return any(
        one["kind"] in ("proposed", "edited")
        and one["ticket"] == ticket.id
        and all(one.get(name) == value for name, value in content.items())
        for one in records
    )


def _same_editors(ticket: Ticket, records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether those who wrote its content are those the audit tells of: whoever edited it is no second pair of eyes."""
    wrote = {one["actor"] for one in records if one["kind"] in ("proposed", "edited") and one["ticket"] == ticket.id}
    return {written(one) for one in ticket.edited_by} == wrote - {None}


def _was_begun(ticket: Ticket, records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether this attempt was sent already, whatever its row says now: an approval is good for one call."""
    sent = (one for one in records if one["kind"] == TicketState.SUBMITTING.value and one["ticket"] == ticket.id)
    return any(one.get("attempt") == ticket.attempts for one in sent)


def _was_approved(ticket: Ticket, attempt: int, records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each who approved it did: rows of the audit say so."""
    votes = votes_in([one for one in records if one["ticket"] == ticket.id])
    approval = Approval(ticket.version, attempt, content_hash(ticket.terms, ticket.body))
    return bool(ticket.approved_by) and all((approval, written(one)) in votes for one in ticket.approved_by)
