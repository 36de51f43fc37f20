"""Lists of the exchange that were not read to their end: nothing is concluded from what they do not show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.order_bodies import Wanted
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.faults import Refuse

from omnibot.db.engine import Database
from omnibot.orders.model import LOOKS, LOOKS_OVER, ClickOutcome, Ticket, TicketState
from tests.orders.harness import ACCOUNT, BUY, Safe, open_emulator, open_safe

ORDERS = "GET /v1/accounts/{account_id}/orders"
POSITIONS = "GET /v1/accounts/{account_id}/positions"
STATUS = "GET /v1/omni-ai/entitlement-status"
SALE = {**BUY, "side": "SELL", "quantity": "120", "limit_price": "300.00"}
REVISIONS = ["2026-04", "2026-08", "2026-10"]


def plant(emulator: ClearStreetEmulator, count: int, *, status: str, side: str = "BUY", quantity: int = 1) -> None:
    """Orders that the account has, each newer than those there."""
    emulator.order_plans["*"] = "never"
    apple = emulator.market.instruments.find("AAPL")
    assert apple is not None
    for _ in range(count):
        wanted = Wanted("LIMIT", Decimal(quantity), side, "GOOD_TILL_CANCEL", "AAPL", None, {"limit_price": Decimal(1)})
        emulator.exchange.place(emulator.exchange.draw_id(), ACCOUNT, wanted, apple).status = status


def lists(*orders: Any, **metadata: Any) -> Refuse:
    """The exchange lists these."""
    return Refuse(200, {"data": list(orders), "metadata": {"request_id": "r", **metadata}})


async def sell(safe: Safe) -> tuple[ClickOutcome, str]:
    """All 120 shares that are held."""
    [ticket] = await safe.propose(SALE)
    click = await safe.approve(ticket)
    return click.answer, click.message


@pytest.mark.parametrize("revision", REVISIONS)
async def test_after_a_restart_what_open_orders_sell_is_not_sold_again(database: Database, revision: str):
    """The revision is not known yet, and the open sale is listed behind a thousand older orders."""
    async with open_emulator(revision=revision) as emulator:
        plant(emulator, 1000, status="FILLED")
        plant(emulator, 1, status="NEW", side="SELL", quantity=120)
        async with open_safe(database, emulator, working=False, revision="auto") as safe:
            [ticket] = await safe.propose(SALE)
            assert (await safe.approve(ticket)).answer is ClickOutcome.DENIED
        async with open_safe(database, emulator, working=False, revision="auto") as safe:
            click = await safe.approve(ticket)
    assert (click.answer, "Only 0 of this can be sold" in click.message) == (ClickOutcome.DENIED, True)


async def test_an_open_sale_behind_a_thousand_open_orders_counts(still: Safe):
    plant(still.emulator, 1000, status="NEW")
    plant(still.emulator, 1, status="NEW", side="SELL", quantity=120)

    answer, message = await sell(still)
    assert (answer, "Only 0 of this can be sold" in message) == (ClickOutcome.DENIED, True)


async def test_nothing_is_sold_while_the_revision_is_not_known(database: Database, emulator: ClearStreetEmulator):
    rule = emulator.gate.every(STATUS, 1, Refuse(503))
    async with open_safe(database, emulator, working=False, revision="auto") as safe:
        assert (await sell(safe))[0] is ClickOutcome.DENIED

        emulator.gate.remove(rule)
        assert (await sell(safe))[0] is ClickOutcome.APPROVED


@pytest.mark.parametrize("pattern", [ORDERS, POSITIONS])
async def test_nothing_is_sold_from_a_list_without_an_end(still: Safe, pattern: str):
    rule = still.emulator.gate.every(pattern, 1, lists(next_page_token="x"))
    answer, message = await sell(still)
    assert answer is ClickOutcome.DENIED
    assert "known" in message

    still.emulator.gate.remove(rule)
    assert (await sell(still))[0] is ClickOutcome.APPROVED


async def test_nothing_is_sold_beside_an_open_order_of_several_legs(still: Safe):
    """Any of its legs may sell it."""
    spread = {"id": "spread", "status": "NEW", "side": "BUY", "quantity": "1"}
    rule = still.emulator.gate.every(ORDERS, 1, lists(spread))
    assert (await sell(still))[0] is ClickOutcome.DENIED

    still.emulator.gate.remove(rule)
    assert (await sell(still))[0] is ClickOutcome.APPROVED


async def unknown(safe: Safe) -> Ticket:
    """An order whose POST arrived and whose answer was lost."""
    safe.emulator.gate.drop("POST /v1/accounts/{account_id}/orders", "after")
    [ticket] = await safe.propose()
    assert (await safe.approve(ticket)).answer is ClickOutcome.APPROVED
    await safe.settled()
    ticket = await safe.get(ticket)
    assert ticket.state is TicketState.UNKNOWN
    return ticket


async def looked(safe: Safe, ticket: Ticket) -> Ticket:
    """The ticket after more looks than decide, over a longer time."""
    for _ in range(2 * LOOKS):
        safe.clock.forward(LOOKS_OVER.total_seconds())
        await safe.due(ticket)
        ticket = await safe.step(ticket)
    return ticket


@pytest.mark.parametrize("page", [[], [{"id": "theirs", "status": "FILLED", "client_order_id": "theirs"}]])
async def test_an_order_is_not_absent_from_a_list_without_an_end(still: Safe, page: list[Any]):
    still.emulator.order_plans["*"] = "never"
    ticket = await unknown(still)

    rule = still.emulator.gate.every(ORDERS, 1, lists(*page, next_page_token="x"))
    ticket = await looked(still, ticket)
    assert (ticket.state, ticket.looks) == (TicketState.UNKNOWN, 0)

    still.emulator.gate.remove(rule)
    assert (await looked(still, ticket)).state is TicketState.SUBMITTED
    assert len(still.at_exchange) == 1


async def test_an_order_with_another_client_id_never_stands_for_ours(still: Safe):
    still.emulator.order_plans["*"] = "never"
    ticket = await unknown(still)
    theirs = {"id": "theirs", "status": "NEW", "client_order_id": f"{ticket.client_order_id}-2"}
    rule = still.emulator.gate.every(ORDERS, 1, lists(theirs))
    await look(still, ticket)
    still.emulator.gate.remove(rule)
    found = await look(still, ticket)
    assert (found.state, found.order_id) == (TicketState.SUBMITTED, still.at_exchange[0].id)


async def look(safe: Safe, ticket: Ticket) -> Ticket:
    """The ticket after one look."""
    await safe.due(ticket)
    return await safe.step(ticket)
