"""Which orders a list call wants: its query string, read once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.exchange import Order
from omnibot_sandbox.clearstreet.instruments import Instrument
from omnibot_sandbox.clearstreet.market import Market
from omnibot_sandbox.clearstreet.revision import Revision

STATUSES = (
    "PENDING_NEW",
    "NEW",
    "PARTIALLY_FILLED",
    "FILLED",
    "CANCELED",
    "REJECTED",
    "EXPIRED",
    "PENDING_CANCEL",
    "PENDING_REPLACE",
    "REPLACED",
    "DONE_FOR_DAY",
    "STOPPED",
    "SUSPENDED",
    "CALCULATED",
    "OTHER",
)
#: What waiting is called in 2026-10, and what it was called before.
WAITING = {"QUEUED": "PENDING_NEW", "PENDING_TRIGGER": "NEW"}


@dataclass(frozen=True, slots=True)
class OrderSearch:
    """What orders must be like; None and empty ask for nothing."""

    revision: Revision
    ids: frozenset[str]
    statuses: frozenset[str]
    symbol: str | None
    instrument_type: str | None
    instruments: tuple[Instrument | None, ...]
    underlyings: tuple[Instrument | None, ...]
    since: datetime | None
    until: datetime | None

    def finds(self, order: Order) -> bool:
        """Whether the order is one of those."""
        instrument = order.instrument
        return all(
            (
                not self.ids or bool(self.ids & {order.id, order.client_order_id}),
                not self.statuses or write_status(order.status, self.revision) in self.statuses,
                self.symbol in (None, instrument.symbol),
                self.instrument_type in (None, instrument.type),
                not self.instruments or instrument in self.instruments,
                not self.underlyings
                or (instrument.underlying is not None and instrument.underlying in self.underlyings),
                self.since is None or order.created_at >= self.since,
                self.until is None or order.created_at <= self.until,
            )
        )


def read_search(query: dict[str, str], revision: Revision, market: Market) -> OrderSearch:
    """What a list call wants.

    Raises:
        ApiError: 400, it wants what cannot be.
    """
    if any(name.startswith("updated_at") for name in query):
        raise ApiError(400, "updated_at: this imitation cannot filter by it")
    statuses = _words(query, "status")
    for status in statuses:
        if status not in STATUSES and not (revision.intents and status in WAITING):
            raise ApiError(400, f"Failed to deserialize query string: status: unknown variant `{status}`")
    return OrderSearch(
        revision,
        frozenset(_words(query, "order_ids")) if revision.order_ids else frozenset(),
        frozenset(statuses),
        query.get("symbol"),
        query.get("instrument_type"),
        tuple(market.instruments.find(one) for one in _words(query, "instrument_ids")),
        tuple(market.instruments.find(one) for one in _words(query, "underlying_instrument_ids")),
        _moment(query, "from"),
        _moment(query, "to"),
    )


def write_status(status: str, revision: Revision) -> str:
    """A status as a revision calls it."""
    return status if revision.intents else WAITING.get(status, status)


def _words(query: dict[str, str], name: str) -> list[str]:
    return [word for word in query.get(name, "").split(",") if word]


def _moment(query: dict[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        moment: datetime | None = datetime.fromisoformat(query[name])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ApiError(400, f"Failed to deserialize query string: {name}: premature end of input")
    return moment
