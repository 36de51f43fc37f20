"""What Omni can know about a conversation's account when it is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from omnibot_sandbox.clearstreet.entitlements import Entitlements
from omnibot_sandbox.clearstreet.exchange import Exchange, Order
from omnibot_sandbox.clearstreet.revision import Revision
from omnibot_sandbox.clearstreet.scripts import Situation
from omnibot_sandbox.clearstreet.store import Thread


def situation(thread: Thread, revision: Revision, entitlements: Entitlements, exchange: Exchange) -> Situation:
    """The situation of a thread; one without an account knows nothing."""
    account_id = thread.account_id
    if account_id is None:
        return Situation(revision.name)

    def order(ticker: str | None) -> dict[str, Any] | None:
        own = [one for one in exchange.of(account_id) if not one.over]
        named = [one for one in own if ticker is None or one.instrument.symbol == ticker.upper()]
        return _describe(named[-1]) if named else None

    table = "\n".join(exchange.portfolios.table(account_id))
    return Situation(
        revision.name,
        entitlements.enabled(thread.owner, account_id, revision),
        order,
        {"positions.table": table},
    )


def _describe(order: Order) -> dict[str, Any]:
    limit = order.wanted.amount("limit_price")
    price = limit or order.wanted.amount("stop_price") or Decimal(1)
    better = (price * (1 + order.sign * Decimal("0.005"))).quantize(Decimal("0.01"))
    return {
        "order.id": order.id,
        "order.symbol": order.instrument.symbol,
        "order.side": order.wanted.side,
        "order.left": f"{order.left:f}",
        "order.limit": f"{price:f}",
        "order.better": f"{better:f}",
    }
