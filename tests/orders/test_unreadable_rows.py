"""A row that this version cannot read stops nothing but itself, and whoever runs omnibot hears of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import text, update

from omnibot.db import rows
from omnibot.db.engine import Database, open_database
from omnibot.db.tables import ticket_cards, ticket_versions, tickets
from omnibot.orders.model import Ticket, TicketState
from tests.orders.harness import ANA, BEN, Notebook, Safe, link, open_safe

Spoil = Callable[[Ticket], Any]


def newer(ticket: Ticket) -> Any:
    """A field that this version has not."""
    return update(ticket_versions).where(ticket_versions.c.ticket_id == ticket.id).values(terms=NEWER)


NEWER = {"act": "new", "account_id": 19816, "basket": "a field of a later version"}


def damaged(ticket: Ticket) -> Any:
    """What is no JSON at all: the driver breaks, and not what reads the row."""
    return text(f"UPDATE tickets SET before = '{{torn' WHERE id = '{ticket.id}'")


async def do(database: Database, statement: Any) -> None:
    async with database.transaction() as connection:
        await connection.execute(statement)


async def six_at_work(safe: Safe) -> tuple[Ticket, list[Ticket]]:
    """One that is about to be spoiled, and five healthy ones."""
    safe.emulator.order_plans["*"] = "never"
    poison, *healthy = [await safe.placed() for _ in range(6)]
    await safe.settled()
    return poison, healthy


async def all_due(database: Database) -> None:
    await do(database, update(tickets).values(due_at=database.after(-60)))


@pytest.mark.parametrize("spoil", [newer, damaged], ids=["newer", "damaged"])
async def test_one_poisoned_ticket_beside_five_healthy_ones_after_a_restart(
    database: Database, emulator: ClearStreetEmulator, spoil: Spoil
):
    async with open_safe(database, emulator, working=False) as first:
        poison, healthy = await six_at_work(first)
    await do(database, spoil(poison))
    await all_due(database)
    for order in list(emulator.exchange.orders.values()):
        emulator.exchange.cancel(order)
    cards = Notebook()
    async with open_safe(database, emulator, cards=cards) as safe:
        for one in healthy:
            await safe.until(one, lambda now: now.order_over)
            await safe.shows(one, lambda now: now.order_over)
        await safe.when(lambda: cards.alerts)
        for _ in range(3):
            await safe.orders.sweep()
            await safe.settled()
    [alert] = cards.alerts
    assert poison.id in alert
    assert poison.client_order_id in alert
    assert "AAPL" not in alert


async def test_a_poisoned_ticket_is_left_alone_for_a_while_and_looked_at_again(
    still: Safe, monkeypatch: pytest.MonkeyPatch
):
    poison, _ = await six_at_work(still)
    await do(still.database, newer(poison))
    await all_due(still.database)
    found, broken = await still.store.claim(limit=50)
    assert (len(found), list(broken)) == (5, [poison.id])
    assert await still.store.put_off(poison.id) is not None
    assert (await still.store.claim(limit=50)) == ([], {})
    monkeypatch.setattr(rows, "AGAIN", 0.0)
    assert await still.store.put_off(poison.id) is None, "operators hear of it once"
    assert list((await still.store.claim(limit=50))[1]) == [poison.id]


async def test_another_process_may_read_what_this_one_cannot(database: Database, emulator: ClearStreetEmulator):
    async with (
        open_safe(database, emulator, working=False) as old,
        open_safe(database, emulator, working=False) as new,
    ):
        poison, _ = await six_at_work(old)
        await do(database, newer(poison))
        await all_due(database)
        await old.orders.sweep()
        await old.settled()
        terms = {"act": "new", "account_id": 19816}
        mine = ticket_versions.c.ticket_id == poison.id
        await do(database, update(ticket_versions).where(mine).values(terms=terms))
        assert poison.id in [one.id for one in (await new.store.claim(limit=50))[0]]


async def test_nobody_is_told_of_a_poisoned_proposal_on_which_no_order_hangs(still: Safe):
    [ticket] = await still.propose()
    await do(still.database, newer(ticket))
    await all_due(still.database)
    await still.orders.sweep()
    await still.settled()
    assert still.cards.alerts == []


async def test_a_poisoned_card_holds_no_other_up(still: Safe):
    one, other = (await still.propose())[0], (await still.propose())[0]
    await still.show_all()
    await do(still.database, update(ticket_cards).where(ticket_cards.c.id == one.id).values(telling="a later word"))
    await still.orders.halt(BEN, None)
    await still.orders.decline(other.token, ANA, "no")
    for _ in range(3):
        await still.orders.sweep()
        await still.settled()
    shown = still.cards.of(other.id)
    assert shown is not None
    assert shown.state is TicketState.DECLINED


async def test_a_poisoned_ticket_keeps_nobody_from_unlinking_or_from_seeing_the_others(still: Safe):
    one, other = (await still.propose())[0], (await still.propose())[0]
    await do(still.database, newer(one))
    assert [ticket.id for ticket in await still.orders.mine(one.owner)] == [other.id]
    async with still.database.transaction() as connection:
        assert (await still.orders.forget(connection, [one.principal]))["waiting tickets"] == 1
    assert (await still.get(other)).state is TicketState.EXPIRED


async def test_a_poisoned_ticket_spoils_no_claim_on_postgresql(
    new_migrated: Callable[[], str], emulator: ClearStreetEmulator
):
    database = await open_database(new_migrated())
    await link(database, ANA)
    async with open_safe(database, emulator, working=False) as safe:
        poison, healthy = await six_at_work(safe)
        await do(database, newer(poison))
        await all_due(database)
        found, broken = await safe.store.claim(limit=50)
        assert ({one.id for one in found}, list(broken)) == ({one.id for one in healthy}, [poison.id])
    await database.close()
