"""Several processes on one PostgreSQL, and one exchange: whatever they do at once, there is one order."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from omnibot.db.engine import open_database
from omnibot.orders.model import Ticket, TicketState
from tests.orders.harness import ANA, BEN, Safe, link, open_safe

SUBMIT = "POST /v1/accounts/{account_id}/orders"


class Rival:
    """Another process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(90):
            while line := await self.process.stdout.readline():
                said = line.decode().strip()
                if said == "ready" or said.isdigit():  # the rest is its log
                    return said
        raise AssertionError("it died")

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")


@pytest.fixture
async def here(new_migrated: Callable[[], str], emulator: ClearStreetEmulator) -> AsyncIterator[Safe]:
    """An instance in this process, whose timer does not run, on PostgreSQL."""
    database = await open_database(new_migrated())
    await link(database, ANA, BEN)
    async with open_safe(database, emulator, working=False) as safe:
        yield safe
    await database.close()


@asynccontextmanager
async def rival(safe: Safe, ticket: Ticket, times: int) -> AsyncIterator[Rival]:
    """A process that is about to approve a ticket."""
    url = safe.database.engine.url.render_as_string(hide_password=False)
    arguments = (url, safe.emulator.base_url, str(times), ticket.token)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.orders.second_process", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    one = Rival(process)
    try:
        assert await one.says() == "ready"
        yield one
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_twenty_approvals_of_one_card_from_two_processes_are_one_order(here: Safe):
    here.emulator.order_plans["*"] = "never"
    [ticket] = await here.propose()
    async with rival(here, ticket, 10) as first, rival(here, ticket, 10) as second:
        first.go()
        second.go()
        approved = sorted([int(await first.says()), int(await second.says())])
        assert approved == [0, 1]
        await here.until(ticket, TicketState.SUBMITTED)
    assert [order.client_order_id for order in here.at_exchange] == [ticket.client_order_id]
    assert len(here.calls("POST")) == 1
    assert (await here.audited(ticket)).count("approved") == 1
    assert (await here.verified()).sound


@pytest.mark.parametrize("point", ["before", "after"])
async def test_what_a_killed_process_was_sending_another_looks_up(here: Safe, point: str):
    here.emulator.order_plans["*"] = "never"
    [ticket] = await here.propose()
    hold = here.emulator.gate.hold(SUBMIT, point)  # type: ignore[arg-type]  # one of the two
    async with rival(here, ticket, 1) as other:
        other.go()
        await hold.reached()
        other.process.kill()
        await other.process.wait()
        hold.drop()
    # Its lease runs out, or the server says that it is dead.
    async with asyncio.timeout(60):
        while (taken := await here.store.take(ticket.id)) is None:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.2)
    assert taken.state is TicketState.SUBMITTING
    await here.orders.step(taken)
    for _ in range(3):
        await here.step(ticket)
        here.clock.forward(20)
    assert (await here.get(ticket)).state is (TicketState.SUBMITTED if point == "after" else TicketState.NOT_PLACED)
    assert len(here.at_exchange) == (1 if point == "after" else 0)
    assert (await here.verified()).sound
