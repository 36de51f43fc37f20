"""Two instances on one PostgreSQL, and one exchange: what they decide at the same moment comes to no more than what one
of them could have decided, and whoever is too late gets an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.accounts import account
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.model import Person
from omnibot.accounts.store import LinkStore
from omnibot.db.engine import open_database
from omnibot.encryption import Encryption
from omnibot.orders import submission
from omnibot.orders.model import ClickOutcome, ClickResult, Ticket, TicketState
from omnibot.policy.identities import Who
from tests.orders.harness import (
    ACCOUNT,
    ANA,
    BEN,
    BUY,
    ENCRYPTION_KEY,
    EVE,
    KEY,
    TEAM,
    Safe,
    open_safe,
    rules,
)

OTHER_ACCOUNT = ACCOUNT + 2
PATCH = "PATCH /v1/accounts/{account_id}/orders/{order_id}"


@pytest.fixture
async def both(
    new_migrated: Callable[[], str], emulator: ClearStreetEmulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Safe, Safe]]:
    """Two instances, each with connections of its own; their timers do not run, and orders rest."""
    # How long a busy machine takes from the lease to the call is no matter of races.
    monkeypatch.setattr(submission, "STALE", 60.0)
    emulator.order_plans["*"] = "never"
    emulator.keys[KEY].append(account(OTHER_ACCOUNT, "Other"))
    url = new_migrated()
    async with contextlib.AsyncExitStack() as stack:
        safes = []
        for _ in range(2):
            database = await open_database(url)
            stack.push_async_callback(database.close)
            safes.append(await stack.enter_async_context(open_safe(database, emulator, working=False)))
        here, there = safes
        links = LinkCache(LinkStore(here.database), Encryption([ENCRYPTION_KEY]))
        for who in (ANA, BEN):
            person = Person(who.org, who.user)
            await links.save(person, KEY, team=TEAM, accounts=[ACCOUNT, OTHER_ACCOUNT], page=None)
        there.clock = here.clock
        there.cards = here.cards
        yield here, there


def deciding_at_once(both: tuple[Safe, Safe], count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no approval, edit or decline begin its transaction before so many are about to."""
    everybody = asyncio.Barrier(count)

    async def ready() -> None:
        async with asyncio.timeout(60):
            await everybody.wait()

    for safe in both:
        look = safe.orders._market.look

        async def look_and_wait(*arguments: Any, look: Any = look) -> Any:
            seen = await look(*arguments)
            await ready()
            return seen

        monkeypatch.setattr(safe.orders._market, "look", look_and_wait)
        for name in ("edit", "decline"):
            write = getattr(safe.store, name)

            async def wait_and_write(*arguments: Any, write: Any = write) -> Any:
                await ready()
                return await write(*arguments)

            monkeypatch.setattr(safe.store, name, wait_and_write)


def govern(both: tuple[Safe, Safe], **changes: str) -> None:
    for safe in both:
        safe.book.current = rules(accounts=f"[{ACCOUNT}, {OTHER_ACCOUNT}]", **changes)


async def settled(both: tuple[Safe, Safe]) -> None:
    for safe in both:
        await safe.settled()


async def approve_everywhere(both: tuple[Safe, Safe], waiting: list[Ticket], *people: Who) -> Counter[ClickOutcome]:
    """Each of them approved at once, by turns here and there, and by turns by these people."""
    presses = (
        both[place % 2].approve(ticket, people[place // 2 % len(people)]) for place, ticket in enumerate(waiting)
    )
    clicks = await asyncio.gather(*presses)
    await settled(both)
    return Counter(click.answer for click in clicks)


async def sound(both: tuple[Safe, Safe]) -> None:
    verified = await both[0].verified()
    assert verified.sound, verified.problems


async def test_twenty_approvals_at_once_do_not_exceed_the_day_whichever_accounts_they_are_of(
    both: tuple[Safe, Safe], monkeypatch: pytest.MonkeyPatch
):
    here, _ = both
    govern(both, max_day_notional='"7500"')
    deciding_at_once(both, 20, monkeypatch)
    waiting = []
    for place in range(20):
        # Four in turn: each account is approved of from both instances.
        about = (ACCOUNT, OTHER_ACCOUNT)[place // 2 % 2]
        waiting += await here.propose({**BUY, "quantity": "4"}, account_id=about)
    assert {one.account_id for one in waiting} == {ACCOUNT, OTHER_ACCOUNT}
    assert await approve_everywhere(both, waiting, ANA, BEN, EVE) == {ClickOutcome.APPROVED: 7, ClickOutcome.DENIED: 13}
    sent = [(one.wanted.quantity, one.wanted.amount("limit_price")) for one in here.at_exchange]
    assert sent == [(Decimal(4), Decimal(250))] * 7
    assert len(here.calls("POST")) == 7
    await sound(both)


async def test_what_an_account_holds_is_sold_once_by_whichever_of_its_traders(
    both: tuple[Safe, Safe], monkeypatch: pytest.MonkeyPatch
):
    here, _ = both
    govern(both, max_day_notional='"1000000"')
    deciding_at_once(both, 12, monkeypatch)
    # Of 120 held, 30 each, by twelve presses of two owners.
    waiting = []
    for place in range(12):
        sale = {**BUY, "side": "SELL", "quantity": "30", "limit_price": "300.00"}
        waiting += await here.propose(sale, owner=(ANA, BEN)[place // 2 % 2])
    assert await approve_everywhere(both, waiting, ANA, BEN) == {ClickOutcome.APPROVED: 4, ClickOutcome.DENIED: 8}
    assert sum(one.wanted.quantity for one in here.at_exchange) == 120
    await sound(both)


async def test_an_edit_and_an_approval_at_once_are_one_of_the_two(
    both: tuple[Safe, Safe], monkeypatch: pytest.MonkeyPatch
):
    here, there = both
    waiting = await here.propose(*[{**BUY, "quantity": "1"}] * 8)
    deciding_at_once(both, 16, monkeypatch)
    edits = (here.orders.edit(one.token, {"quantity": "2"}, BEN) for one in waiting)
    presses = (there.approve(one) for one in waiting)
    said = await asyncio.gather(*presses, *edits)
    await settled(both)
    for ticket, press, edit in zip(waiting, said[:8], said[8:], strict=True):
        now = await here.get(ticket)
        sent = [one.wanted.quantity for one in here.at_exchange if one.client_order_id == ticket.client_order_id]
        if press.answer is ClickOutcome.APPROVED:
            assert edit.answer is ClickOutcome.DECIDED
            assert (now.version, sent) == (1, [Decimal(1)])
        else:
            assert (press.answer, edit.answer) == (ClickOutcome.SUPERSEDED, ClickOutcome.EDITED)
            assert (now.version, now.state, sent) == (2, TicketState.PROPOSED, [])
    await sound(both)


async def test_an_edit_that_is_written_while_an_approval_is_judged_waits_and_is_too_late(
    both: tuple[Safe, Safe], monkeypatch: pytest.MonkeyPatch
):
    here, there = both
    [ticket] = await here.propose()
    edits: list[asyncio.Task[ClickResult]] = []
    market = here.orders._approvals._market

    async def market_while_a_colleague_edits(*arguments: Any) -> Any:
        if not edits:
            # The approval has read the ticket in its transaction, and has not written anything yet.
            edits.append(asyncio.create_task(there.orders.edit(ticket.token, {"quantity": "150"}, BEN)))
            await asyncio.wait(edits, timeout=0.5)
        return await market(*arguments)

    monkeypatch.setattr(here.orders._approvals, "_market", market_while_a_colleague_edits)
    assert (await here.approve(ticket)).answer is ClickOutcome.APPROVED
    assert (await edits[0]).answer is ClickOutcome.DECIDED
    await settled(both)
    assert [one.wanted.quantity for one in here.at_exchange] == [10]
    await sound(both)


async def test_of_several_edits_at_once_one_counts(both: tuple[Safe, Safe], monkeypatch: pytest.MonkeyPatch):
    here, there = both
    deciding_at_once(both, 3, monkeypatch)
    for ticket in await here.propose(*[{**BUY, "quantity": "1"}] * 5):
        said = await asyncio.gather(
            here.orders.edit(ticket.token, {"quantity": "20"}, ANA),
            there.orders.edit(ticket.token, {"quantity": "30"}, BEN),
            here.orders.edit(ticket.token, {"quantity": "40"}, EVE),
        )
        assert sorted(click.answer for click in said) == sorted([ClickOutcome.EDITED] + [ClickOutcome.SUPERSEDED] * 2)
        now = await here.get(ticket)
        [won] = [click.ticket for click in said if click.answer is ClickOutcome.EDITED]
        assert won is not None
        assert (now.version, now.terms, now.edited_by) == (2, won.terms, won.edited_by)
        assert len(now.edited_by) == 1
    await sound(both)


@pytest.fixture(params=["keeps the id", "changes the id"])
async def working(request: pytest.FixtureRequest, both: tuple[Safe, Safe]) -> Ticket:
    """An order to buy 10 at $1; an order may come to $5,000."""
    here, _ = both
    here.emulator.exchange.replace_keeps_id = request.param == "keeps the id"
    govern(both, max_order_notional='"5000"', max_day_notional='"20000"')
    return await here.placed(limit_price="1.00")


async def test_two_changes_of_one_order_that_are_asked_for_at_once_are_one_that_waits(
    both: tuple[Safe, Safe], working: Ticket
):
    here, there = both
    asked = await asyncio.gather(
        here.orders.propose_replace(working.id, {"quantity": "1000"}, ANA, TEAM),
        there.orders.propose_replace(working.id, {"limit_price": "250"}, BEN, TEAM),
        here.orders.propose_replace(working.id, {"limit_price": "100"}, ANA, TEAM),
        there.orders.propose_cancel(working.id, BEN, TEAM),
    )
    assert {click.answer for click in asked} == {ClickOutcome.DONE}
    made = [await here.get(click.ticket) for click in asked if click.ticket is not None]
    assert Counter(one.state for one in made) == {TicketState.PROPOSED: 1, TicketState.EXPIRED: 3}
    await sound(both)


async def test_two_changes_of_one_order_approved_at_once_are_one(
    both: tuple[Safe, Safe], working: Ticket, monkeypatch: pytest.MonkeyPatch
):
    here, there = both
    first = (await here.orders.propose_replace(working.id, {"quantity": "1000"}, ANA, TEAM)).ticket
    assert first is not None
    here.emulator.gate.refuse(PATCH, status=429)
    await here.approve(first)
    first = await here.until(first, TicketState.NOT_PLACED)
    here.emulator.gate.clear()
    second = (await there.orders.propose_replace(working.id, {"limit_price": "250"}, BEN, TEAM)).ticket
    assert second is not None
    # Both may be decided: one that was not placed may be sent again.
    deciding_at_once(both, 2, monkeypatch)
    one, other = await asyncio.gather(here.approve(first), there.approve(second))
    assert (one.answer, other.answer) == (ClickOutcome.APPROVED, ClickOutcome.DENIED)
    await settled(both)
    assert len(here.calls("PATCH")) == 2, "the one that was refused, and its second attempt"
    await sound(both)


async def test_a_change_approved_while_another_is_asked_for_and_approved_is_the_only_one_sent(
    both: tuple[Safe, Safe], working: Ticket
):
    here, there = both
    first = (await here.orders.propose_replace(working.id, {"quantity": "1000"}, ANA, TEAM)).ticket
    assert first is not None

    async def ask_and_approve() -> ClickResult:
        asked = await there.orders.propose_replace(working.id, {"limit_price": "250"}, BEN, TEAM)
        assert asked.ticket is not None, asked
        return await there.approve(asked.ticket, BEN)

    one, other = await asyncio.gather(here.approve(first), ask_and_approve())
    await settled(both)
    assert [one.answer, other.answer].count(ClickOutcome.APPROVED) == 1, (one, other)
    assert len(here.calls("PATCH")) == 1
    await sound(both)


async def test_a_decline_and_an_approval_of_all_at_once_are_one_of_the_two(
    both: tuple[Safe, Safe], monkeypatch: pytest.MonkeyPatch
):
    here, there = both
    deciding_at_once(both, 8, monkeypatch)
    sets = [await here.propose(*[{**BUY, "quantity": "1"}] * 3) for _ in range(4)]
    presses = (here.orders.approve([one.token for one in three], ANA, TEAM) for three in sets)

    declines = (there.orders.decline(three[1].token, BEN, None) for three in sets)
    pressed, declined_all = await asyncio.gather(asyncio.gather(*presses), asyncio.gather(*declines))
    await settled(both)
    for three, clicks, declined in zip(sets, pressed, declined_all, strict=True):
        states = [(await here.get(one)).state for one in three]
        if declined.answer is ClickOutcome.DECLINED:
            assert [one.answer for one in clicks] == [ClickOutcome.DENIED, ClickOutcome.DECIDED, ClickOutcome.DENIED]
            assert states == [TicketState.PROPOSED, TicketState.DECLINED, TicketState.PROPOSED]
        else:
            assert declined.answer is ClickOutcome.DECIDED
            assert {one.answer for one in clicks} == {ClickOutcome.APPROVED}
            assert states == [TicketState.SUBMITTED] * 3
    ids = {one.client_order_id for one in here.at_exchange}
    assert all(len(ids & {one.client_order_id for one in three}) in (0, 3) for three in sets)
    await sound(both)
