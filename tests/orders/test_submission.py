"""From Approve to an order, on the real (emulated) exchange."""

from __future__ import annotations

from omnibot.orders.model import Answered, State, Told
from tests.orders.safe import ANA, Safe


async def test_an_approved_order_is_placed_once_and_followed_until_it_is_filled(safe: Safe):
    safe.emulator.order_plans["*"] = "fill"
    [ticket] = await safe.propose()
    click = await safe.approve(ticket)
    assert click.answer is Answered.APPROVED
    assert "Buy 10 AAPL at a limit of $250.00" in click.message
    filled = await safe.until(ticket, lambda now: now.order_over)
    assert filled.order is not None
    assert (filled.state, filled.order["status"], filled.order["filled"]) == (State.SUBMITTED, "FILLED", "10")
    assert [order.client_order_id for order in safe.at_exchange] == [ticket.client_order_id]
    await safe.told(ticket, Told.FILLED)
    await safe.when(lambda: safe.cards.of(ticket.id).order_over)
    kinds = await safe.audited(ticket)
    assert kinds[:4] == ["proposed", "approved", "submitting", "submitted"]
    assert (await safe.verified()).sound
    assert ANA.user in {one.user for one in filled.approved_by} or filled.decided_by is not None
