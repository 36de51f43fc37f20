"""Changes of one order: each is judged by the order as it is, so they go one at a time; orders that are approved
together go together or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from omnibot.db.tables import ticket_versions, tickets
from omnibot.orders.model import ClickOutcome, ClickResult, Ticket, TicketState
from omnibot.orders.store import NEWER_CHANGE
from omnibot.policy.identities import Who
from tests.orders.harness import ACCOUNT, ANA, BEN, BUY, TEAM, Safe, rules

PATCH = "PATCH /v1/accounts/{account_id}/orders/{order_id}"


@pytest.fixture(params=["keeps the id", "changes the id"])
async def working(request: pytest.FixtureRequest, still: Safe) -> Ticket:
    """An order to buy 10 at $1, at work at an exchange that keeps or changes the id of an order that is changed.

    An order may come to $5,000, a day to $10,000; above $5,000 two people have to approve.
    """
    still.emulator.order_plans["*"] = "never"
    still.emulator.exchange.replace_keeps_id = request.param == "keeps the id"
    still.book.current = rules(max_order_notional='"5000"', max_day_notional='"10000"', four_eyes_above='"5000"')
    return await still.placed(limit_price="1.00")


async def changing(safe: Safe, placed: Ticket, **entered: str) -> Ticket:
    ticket = (await safe.orders.propose_replace(placed.id, entered, ANA, TEAM)).ticket
    assert ticket is not None
    return ticket


async def at_exchange(safe: Safe) -> set[tuple[str, str]]:
    """Quantity and limit of every order that may still be filled."""
    await safe.settled()
    return {
        (f"{one.wanted.quantity.normalize():f}", f"{one.wanted.amounts['limit_price'].normalize():f}")
        for one in safe.at_exchange
        if not one.over
    }


async def becomes(safe: Safe, working: Ticket, *wanted: tuple[str, str]) -> None:
    """Wait until that is what is at the exchange, which changes orders when they are looked at."""
    async with asyncio.timeout(90):
        while await at_exchange(safe) != set(wanted):
            await safe.due(working)
            await safe.step(working)


async def approve_all(safe: Safe, *waiting: Ticket, clicker: Who = ANA) -> list[ClickResult]:
    return await safe.orders.approve([one.token for one in waiting], clicker, TEAM)


async def test_a_newer_change_of_an_order_takes_the_place_of_one_that_still_waits(still: Safe, working: Ticket):
    first = await changing(still, working, quantity="1000")
    second = await changing(still, working, limit_price="250")
    assert ((await still.get(first)).state, (await still.get(first)).reason) == (TicketState.EXPIRED, NEWER_CHANGE)

    clicks = [await still.approve(first), await still.approve(second)]
    assert [click.answer for click in clicks] == [ClickOutcome.EXPIRED, ClickOutcome.APPROVED]
    await still.until(second, TicketState.SUBMITTED)
    await becomes(still, working, ("10", "250"))
    assert (await still.verified()).sound


async def test_two_changes_of_one_order_that_omni_proposes_at_once_are_never_both_sent(still: Safe, working: Ticket):
    about = {"account_id": ACCOUNT, "order_id": working.order_id}
    waiting = await still.propose_about("MODIFY", about | {"quantity": "1000"}, about | {"limit_price": "250"})
    clicks = await approve_all(still, *waiting)
    assert [click.answer for click in clicks] == [ClickOutcome.EXPIRED, ClickOutcome.DENIED]
    assert NEWER_CHANGE in clicks[0].message
    assert await at_exchange(still) == {("10", "1")}


async def test_a_change_waits_for_another_one_that_is_on_its_way(still: Safe, working: Ticket):
    first = await changing(still, working, quantity="1000")
    await still.approve_and_die(first)
    second = await changing(still, working, limit_price="250")
    click = await still.approve(second)
    assert click.answer is ClickOutcome.DENIED
    assert "on its way" in click.message
    await still.step(first)
    click = await still.approve(second)
    assert click.answer is ClickOutcome.DENIED
    await becomes(still, working, ("1000", "1"))
    assert (await still.approve(second)).answer is ClickOutcome.DENIED
    assert "denied" in await still.audited(second)


async def test_a_change_waits_for_one_of_unknown_outcome(still: Safe, working: Ticket):
    first = await changing(still, working, quantity="1000")
    still.emulator.gate.drop(PATCH, "before")
    await still.approve(first)
    await still.until(first, TicketState.UNKNOWN)
    second = await changing(still, working, limit_price="250")
    assert (await still.approve(second)).answer is ClickOutcome.DENIED
    for _ in range(3):
        first = await still.step(first)
        still.clock.forward(20)
    assert first.state is TicketState.NOT_PLACED
    click = await still.approve(second)
    assert click.answer is ClickOutcome.DENIED
    assert "may still take effect" in click.message

    await still.orders.decline(first.token, ANA, None)
    assert (await still.approve(second)).answer is ClickOutcome.APPROVED
    await still.until(second, TicketState.SUBMITTED)
    await becomes(still, working, ("10", "250"))


async def test_a_cancel_does_not_wait_for_a_change(still: Safe, working: Ticket):
    first = await changing(still, working, quantity="1000")
    still.emulator.gate.drop(PATCH, "before")
    await still.approve(first)
    await still.until(first, TicketState.UNKNOWN)
    cancel = (await still.orders.propose_cancel(working.id, ANA, TEAM)).ticket
    assert cancel is not None
    assert (await still.approve(cancel)).answer is ClickOutcome.APPROVED
    await still.until(cancel, TicketState.SUBMITTED)


async def test_the_database_holds_one_undecided_change_of_an_order(still: Safe, working: Ticket):
    first = await changing(still, working, quantity="1000")
    second = await changing(still, working, limit_price="250")
    with pytest.raises(IntegrityError):
        async with still.database.transaction() as connection:
            await connection.execute(update(tickets).where(tickets.c.id == first.id).values(state="proposed"))
    async with still.database.transaction() as connection:
        await connection.execute(update(tickets).where(tickets.c.id == second.id).values(state="approved"))
    with pytest.raises(IntegrityError):
        async with still.database.transaction() as connection:
            await connection.execute(update(tickets).where(tickets.c.id == first.id).values(state="unknown"))


async def test_what_was_declined_before_the_press_keeps_the_others_from_going_without_it(still: Safe):
    one, other = await still.propose(BUY, {**BUY, "quantity": "5"})
    await still.orders.decline(other.token, ANA, None)
    clicks = await approve_all(still, one, other)
    assert [click.answer for click in clicks] == [ClickOutcome.DENIED, ClickOutcome.DECIDED]
    assert "declined" in clicks[0].message
    assert "5" in clicks[0].message, "which one it was"
    assert (await still.get(one)).state is TicketState.PROPOSED
    assert still.calls("POST") == []
    assert "denied" in await still.audited(one)


@pytest.mark.parametrize("meanwhile", ["declined", "edited"])
async def test_what_changes_between_the_look_and_the_transaction_keeps_the_others_from_going_without_it(
    meanwhile: str, still: Safe, monkeypatch: pytest.MonkeyPatch
):
    one, other = await still.propose(BUY, {**BUY, "quantity": "5"})
    look = still.orders._market.look

    async def look_while_a_colleague_acts(*arguments: Any) -> Any:
        seen = await look(*arguments)
        if meanwhile == "declined":
            await still.orders.decline(other.token, BEN, None)
        else:
            await still.orders.edit(other.token, {"quantity": "150"}, BEN)
        return seen

    monkeypatch.setattr(still.orders._market, "look", look_while_a_colleague_acts)
    clicks = await approve_all(still, one, other)
    assert clicks[0].answer is ClickOutcome.DENIED
    assert meanwhile[:6] in clicks[0].message or "changed" in clicks[0].message
    assert clicks[1].answer is (ClickOutcome.DECIDED if meanwhile == "declined" else ClickOutcome.SUPERSEDED)
    assert clicks[1].message != "It waits for approval."
    assert {(await still.get(each)).state for each in (one, other)} <= {TicketState.PROPOSED, TicketState.DECLINED}
    assert still.calls("POST") == []


@pytest.mark.parametrize("meanwhile", ["edited", "approved by another", "approved by another, and not placed"])
async def test_a_click_counts_for_the_version_and_the_attempt_it_was_made_on(
    meanwhile: str, still: Safe, monkeypatch: pytest.MonkeyPatch
):
    [ticket] = await still.propose()
    look = still.orders._market.look
    acted = False

    async def look_while_a_colleague_acts(*arguments: Any) -> Any:
        nonlocal acted
        seen = await look(*arguments)
        if not acted:
            acted = True
            if meanwhile == "edited":
                await still.orders.edit(ticket.token, {"quantity": "150"}, BEN)
            elif meanwhile == "approved by another":
                await still.approve(ticket, BEN)
            else:
                still.emulator.gate.refuse("POST /v1/accounts/{account_id}/orders", status=429)
                await still.approve(ticket, BEN)
                await still.until(ticket, TicketState.NOT_PLACED)
                still.emulator.gate.clear()
        return seen

    monkeypatch.setattr(still.orders._market, "look", look_while_a_colleague_acts)
    click = await still.approve(ticket)
    assert click.answer is (ClickOutcome.SUPERSEDED if meanwhile == "edited" else ClickOutcome.DECIDED), click
    await still.settled()
    assert len(still.calls("POST")) == (0 if meanwhile == "edited" else 1)


async def test_a_decline_form_that_was_opened_before_the_approval_does_not_decline_what_was_sent_since(still: Safe):
    [ticket] = await still.propose()
    opened = ticket.press
    still.emulator.gate.drop("POST /v1/accounts/{account_id}/orders", "before")
    await still.approve(ticket)
    await still.until(ticket, TicketState.UNKNOWN)
    for _ in range(3):
        ticket = await still.step(ticket)
        still.clock.forward(20)
    assert ticket.state is TicketState.NOT_PLACED
    assert (await still.orders.decline(opened, ANA, None)).answer is ClickOutcome.SUPERSEDED
    assert (await still.get(ticket)).state is TicketState.NOT_PLACED
    assert (await still.orders.decline(ticket.press, ANA, None)).answer is ClickOutcome.DECLINED


async def test_an_order_has_several_names_and_is_changed_by_one_of_them_at_a_time(still: Safe, working: Ticket):
    """Omni may write Clear Street's id, or our client id: it is the same order."""
    by_id = {"account_id": ACCOUNT, "order_id": working.order_id}
    by_client_id = {"account_id": ACCOUNT, "order_id": working.client_order_id}
    waiting = await still.propose_about("MODIFY", by_id | {"quantity": "1000"}, by_client_id | {"limit_price": "250"})
    assert [one.terms.order_id for one in waiting] == [working.order_id, working.order_id]
    clicks = await approve_all(still, *waiting)
    assert [click.answer for click in clicks] == [ClickOutcome.EXPIRED, ClickOutcome.DENIED]
    assert NEWER_CHANGE in clicks[0].message
    assert await at_exchange(still) == {("10", "1")}


async def test_a_change_by_an_id_the_order_had_before_is_a_change_of_the_order_as_it_is(still: Safe, working: Ticket):
    old = working.order_id
    first = await changing(still, working, quantity="20")
    await still.approve(first)
    await becomes(still, working, ("20", "1"))
    [second] = await still.propose_about("MODIFY", {"account_id": ACCOUNT, "order_id": old, "limit_price": "2"})
    [now] = [one for one in still.at_exchange if not one.over]
    assert second.terms.order_id == now.id
    assert second.before is not None
    assert second.before.quantity == 20


async def test_a_change_waits_as_long_as_clear_street_has_not_made_the_one_before(
    still: Safe, working: Ticket, monkeypatch: pytest.MonkeyPatch
):
    """However long that is: at a closed market the exchange keeps both, and makes them together."""
    monkeypatch.setattr("omnibot_sandbox.clearstreet.exchange._ANSWERED", 1e9)
    first = await changing(still, working, quantity="1000")
    assert (await still.approve(first)).answer is ClickOutcome.APPROVED
    await still.until(first, TicketState.SUBMITTED)
    still.clock.forward(90)
    second = await changing(still, working, limit_price="250")
    click = await still.approve(second)
    assert click.answer is ClickOutcome.DENIED
    assert "still on its way" in click.message
    cancel = (await still.orders.propose_cancel(working.id, ANA, TEAM)).ticket
    assert cancel is not None
    assert (await still.approve(cancel)).answer is ClickOutcome.APPROVED


async def damage(safe: Safe, ticket: Ticket) -> None:
    """A newer version has written what this one cannot parse."""
    newer = {"act": "modify", "account_id": ACCOUNT, "basket": "x"}
    async with safe.database.transaction() as connection:
        await connection.execute(
            update(ticket_versions).where(ticket_versions.c.ticket_id == ticket.id).values(terms=newer)
        )


@pytest.mark.parametrize("asked", ["on the card", "by Omni"])
async def test_a_change_that_cannot_be_parsed_keeps_its_order_neither_from_a_cancel_nor_from_a_change(
    still: Safe, working: Ticket, asked: str
):
    about = {"account_id": ACCOUNT, "order_id": working.order_id}
    if asked == "on the card":
        damaged = await changing(still, working, quantity="20")
    else:
        [damaged] = await still.propose_about("MODIFY", about | {"quantity": "20"})
    await damage(still, damaged)

    change = await changing(still, working, quantity="30")
    [proposed] = await still.propose_about("CANCEL", about)
    assert proposed.decidable
    cancel = (await still.orders.propose_cancel(working.id, ANA, TEAM)).ticket
    assert cancel is not None
    assert (await still.get(change)).state is TicketState.EXPIRED
    assert (await still.approve(cancel)).answer is ClickOutcome.APPROVED
    await still.until(cancel, TicketState.SUBMITTED)
    # What was damaged is found; its expiry, which was made without parsing it, is as the audit tells.
    damages = [f"Ticket {damaged.id}: a version of it cannot be read."]
    assert list((await still.verified()).problems) == damages


async def test_a_submitted_change_that_cannot_be_parsed_keeps_its_order_from_changes_and_not_from_a_cancel(
    still: Safe, working: Ticket
):
    first = await changing(still, working, quantity="20")
    await still.approve(first)
    await still.until(first, TicketState.SUBMITTED)
    await damage(still, first)
    second = await changing(still, working, limit_price="2")
    # With an id of its own the changed order is another one, which shows that the change was made.
    shown = not still.emulator.exchange.replace_keeps_id
    assert (await still.approve(second)).answer is (ClickOutcome.APPROVED if shown else ClickOutcome.DENIED)
    cancel = (await still.orders.propose_cancel(working.id, ANA, TEAM)).ticket
    assert cancel is not None
    assert (await still.approve(cancel)).answer is ClickOutcome.APPROVED
