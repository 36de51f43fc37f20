"""Whoever dies between any two steps, there is one order or none, and a card that tells the truth."""

from __future__ import annotations

import contextlib

from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from omnibot.db.engine import Database
from omnibot.orders.model import Ticket, TicketState
from tests.orders.crashing import Killed, Life
from tests.orders.harness import ANA, TEAM, Notebook, Safe, open_safe

#: More steps than an order's life has.
MANY = 200


async def live_through(safe: Safe, ticket: Ticket) -> None:
    """Everything from the click to the end of the order."""
    await safe.orders.approve([ticket.token], ANA, TEAM)
    await safe.settled()
    for _ in range(3):
        taken = await safe.store.take(ticket.id)
        if taken is not None:
            await safe.orders.step(taken)
    await safe.orders.sweep()
    await safe.settled()


async def finish(safe: Safe, ticket: Ticket) -> Ticket:
    """What whoever is still alive makes of it."""
    for _ in range(8):
        if (await safe.get(ticket)).state is not TicketState.PROPOSED:  # that waits for people
            await safe.step(ticket)
        await safe.settled()
        safe.clock.forward(12)
    await safe.show_all()
    return await safe.get(ticket)


async def test_a_kill_between_any_two_steps_ends_with_one_order_or_none_and_a_truthful_card(
    database: Database, emulator: ClearStreetEmulator
):
    emulator.order_plans["*"] = "fill"
    emulator.pace = 0
    ends: set[TicketState] = set()
    for left in range(1, MANY):
        cards, life = Notebook(), Life()
        async with open_safe(database, emulator, working=False, cards=cards, life=life) as mortal:
            [ticket] = await mortal.propose()
            await mortal.settled()
            life.left = left
            with contextlib.suppress(Killed):
                await live_through(mortal, ticket)
            await mortal.settled()
            died = life.over
        async with open_safe(database, emulator, working=False, cards=cards) as other:
            now = await finish(other, ticket)
            placed = [order for order in other.at_exchange if order.client_order_id == ticket.client_order_id]
            assert len(placed) <= 1, f"killed after {left} steps"
            ends.add(now.state)
            if placed:
                assert now.order is not None, f"killed after {left} steps: {now.state}"
                assert (now.state, now.order["status"]) == (TicketState.SUBMITTED, "FILLED"), (
                    f"killed after {left} steps"
                )
            else:
                assert now.state in (TicketState.PROPOSED, TicketState.NOT_PLACED, TicketState.EXPIRED), (
                    f"killed after {left} steps"
                )
            shown = cards.of(ticket.id)
            assert shown is not None
            assert (shown.state, shown.order) == (now.state, now.order), f"killed after {left} steps"
            assert (await other.verified()).sound
        if not died:
            break
    else:
        raise AssertionError("it never got to its end")
    assert left > 20, "an order's life has more steps"
    assert {TicketState.PROPOSED, TicketState.NOT_PLACED, TicketState.SUBMITTED} <= ends
