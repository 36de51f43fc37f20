"""SQL rows to tickets, and Omni's data to rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy.engine import RowMapping

from omnibot.accounts.model import Person
from omnibot.orders.model import Ticket, TicketState, read_terms


def read_ticket(row: RowMapping, versions: Sequence[RowMapping], votes: Sequence[RowMapping]) -> Ticket:
    """A ticket from its row, and the rows of its versions and votes (and perhaps of others')."""
    own = [one for one in versions if one["ticket_id"] == row["id"]]
    # People vote before the attempt that they allow is counted.
    attempt = row["attempts"] - (row["state"] in _SENT)
    [current] = [one for one in own if one["version"] == row["version"]]
    approvals = [
        Person(vote["org"], vote["user"])
        for vote in votes
        if (vote["ticket_id"], vote["version"], vote["attempt"]) == (row["id"], row["version"], attempt)
        and vote["content_hash"] == current["content_hash"]
    ]
    edits = [Person(one["org"], one["user"]) for one in own if one["user"] is not None]
    return Ticket(
        owner=Person(row["org"], row["user"]),
        state=TicketState(row["state"]),
        terms=read_terms(current["terms"]),
        before=None if row["before"] is None else read_terms(row["before"]),
        changes=tuple(current["changes"]),
        edited_by=tuple(dict.fromkeys(edits)),
        approved_by=tuple(approvals),
        decided_by=None if row["decided_user"] is None else Person(row["decided_org"], row["decided_user"]),
        **{name: current[name] for name in ("token", "body", "unsendable", "content_hash")},
        **{name: row[name] for name in _PLAIN},
    )


_SENT = frozenset({TicketState.SUBMITTING, TicketState.UNKNOWN, TicketState.SUBMITTED, TicketState.REJECTED})
_PLAIN = (
    *("id", "message_id", "action_id", "position", "team", "channel", "thread_ts", "turn_id", "principal"),
    *("account_id", "account_name", "version", "client_order_id", "reason", "attempts", "looks", "first_look_at"),
    *("submitted_at", "unknown_since", "ops_told", "request_id", "order", "order_over", "changed_at", "seen"),
    *("approved_at", "serial", "created_at", "expires_at", "ended_at"),
)


def short(id: str, longest: int) -> str:
    """An id of Omni's, however long it is and whatever is in it."""
    return id if len(id) <= longest and id.isprintable() else hashlib.sha256(id.encode("utf-8", "replace")).hexdigest()
