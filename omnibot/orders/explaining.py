"""Why an order was allowed or denied, from the audit: each rule's result at each approval."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select

from omnibot.db.engine import Database
from omnibot.db.tables import audit, tickets
from omnibot.orders.audit_report import opened
from omnibot.orders.model import Ticket
from omnibot.orders.queries import TicketReader
from omnibot.orders.wording import sentence

NOT_YET = "The rules have not been asked yet: they are, each time somebody approves."


async def explain_database(database_url: str, name: str) -> str | None:
    """As `explain`, of a database. Raises SettingsError when it cannot be opened."""
    async with opened(database_url) as database:
        return await explain(database, name)


async def explain(database: Database, name: str) -> str | None:
    """What the rules said about a ticket, in lines; None: there is none.

    Args:
        name: its id, or the client order id of its order.
    """
    found = await TicketReader(database).find(or_(tickets.c.id == name, tickets.c.client_order_id == name))
    if not found:
        return None
    [ticket] = found
    query = select(audit.c.record).where(audit.c.ticket_id == ticket.id).order_by(audit.c.seq)
    async with database.transaction() as connection:
        records = [json.loads(text) for text in (await connection.execute(query)).scalars()]
    asked = [record for record in records if "verdicts" in record]
    return "\n".join([*_heading(ticket), *(line for record in asked for line in _attempt(record)), *_never(asked)])


def _heading(ticket: Ticket) -> list[str]:
    what = sentence(ticket.terms, account_name=ticket.account_name, before=ticket.before)
    lines = [f"{what}.", f"Ticket {ticket.id}, version {ticket.version}: {ticket.state.value.replace('_', ' ')}."]
    return [*lines, ticket.reason] if ticket.reason else lines


def _attempt(record: Mapping[str, Any]) -> list[str]:
    policy = str(record.get("policy") or "")[:12]
    under = f", policy {policy}" if policy else ""
    lines = ["", f"{record['at']}, version {record['version']}, {record['actor']}: {record['kind']}{under}"]
    if record.get("reason"):
        lines.append(f"  {record['reason']}")
    for name, words in (("shown", "The card showed"), ("quote", "The rules were asked about")):
        quote = record.get(name) or {}
        if quote.get("bid") and quote.get("ask"):
            moment = quote.get("quoted_at") or "nobody knows"
            lines.append(f"  {words} {quote['bid']} to {quote['ask']}, as of {moment}.")
    width = max((len(said["rule"]) for said in record["verdicts"]), default=0)
    return [
        *lines,
        *(
            f"  {'yes' if said['passed'] else 'NO '}  {said['rule']:<{width}}  {said['reason']}"
            for said in record["verdicts"]
        ),
    ]


def _never(asked: list[dict[str, Any]]) -> list[str]:
    return [] if asked else ["", NOT_YET]
