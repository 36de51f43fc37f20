"""After an order is placed: its card follows it to its end, cancels and changes go the same way."""

from __future__ import annotations

from decimal import Decimal

import aiohttp
import pytest

from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.model import Person
from omnibot.accounts.store import LinkStore
from omnibot.db.engine import Database
from omnibot.encryption import Encryption
from omnibot.orders.model import ClickOutcome, Notification, Ticket, TicketState
from tests.orders.harness import ACCOUNT, ANA, BEN, COLLEAGUE, ENCRYPTION_KEY, EVE, KEY, TEAM, Safe

CANCEL = "DELETE /v1/accounts/{account_id}/orders/{order_id}"
REPLACE = "PATCH /v1/accounts/{account_id}/orders/{order_id}"


async def canceling(safe: Safe, placed: Ticket) -> Ticket:
    click = await safe.orders.propose_cancel(placed.id, ANA, TEAM)
    assert click.ticket is not None, click
    return click.ticket


async def test_a_card_shows_each_step_of_its_order(safe: Safe):
    safe.emulator.order_plans["*"] = {"steps": [{"at": 0, "status": "NEW"}, {"at": 10**9, "fill": "40%"}]}
    placed = await safe.placed()
    await safe.shows(placed, lambda now: (now.order or {}).get("status") == "NEW")
    safe.emulator.pace = 0
    partly = await safe.shows(placed, lambda now: (now.order or {}).get("status") == "PARTIALLY_FILLED")
    assert (partly.order or {})["filled"] == "4"
    assert partly.open


async def test_an_order_the_venue_rejects_says_why(safe: Safe):
    safe.emulator.order_plans["*"] = "reject"
    placed = await safe.placed()
    over = await safe.until(placed, lambda now: now.order_over)
    assert "price too far from the market" in (over.reason or "")
    await safe.told(placed, Notification.REJECTED)


async def test_an_order_is_canceled_from_its_card_by_way_of_an_approval(safe: Safe):
    safe.emulator.order_plans["*"] = "never"
    placed = await safe.placed()
    ticket = await canceling(safe, placed)
    assert safe.calls("DELETE") == []
    assert ticket.before is not None
    click = await safe.approve(ticket)
    assert click.answer is ClickOutcome.APPROVED
    assert click.message.startswith("Approved: Cancel the order to buy 10 AAPL at a limit of $250.00")
    await safe.until(ticket, lambda now: now.order_over)
    await safe.until(placed, lambda now: now.order_over)
    await safe.told(placed, Notification.CANCELED)
    assert (ticket.id, Notification.CANCELED) not in safe.cards.told, "nobody hears the same twice"


async def test_two_clicks_on_cancel_are_one_ticket(safe: Safe):
    safe.emulator.order_plans["*"] = "never"
    placed = await safe.placed()
    assert (await canceling(safe, placed)).id == (await canceling(safe, placed)).id


async def test_a_colleague_cannot_ask_for_a_cancel(safe: Safe):
    safe.emulator.order_plans["*"] = "never"
    placed = await safe.placed()
    click = await safe.orders.propose_cancel(placed.id, COLLEAGUE, TEAM)
    assert click.answer is ClickOutcome.NOT_ALLOWED
    click = await safe.orders.propose_replace(placed.id, {"quantity": "5"}, COLLEAGUE, TEAM)
    assert click.answer is ClickOutcome.NOT_ALLOWED
    assert len(await safe.orders.mine(placed.owner)) == 1


async def test_neither_a_halt_nor_four_eyes_keep_an_order_from_being_canceled(safe: Safe):
    safe.emulator.order_plans["*"] = "never"
    placed = await safe.placed()
    await safe.orders.halt(EVE, None)
    ticket = await canceling(safe, placed)
    assert (await safe.approve(ticket)).answer is ClickOutcome.APPROVED
    await safe.until(ticket, lambda now: now.order_over)


async def test_a_cancel_that_comes_too_late_says_so(safe: Safe):
    safe.emulator.order_plans["*"] = "too_late_to_cancel"
    placed = await safe.placed()
    ticket = await canceling(safe, placed)
    await safe.approve(ticket)
    late = await safe.until(ticket, lambda now: now.order_over)
    assert late.reason == "It was filled before it could be canceled."
    await safe.told(placed, Notification.FILLED)


async def test_a_cancel_that_the_venue_refuses_says_so_and_the_order_goes_on(still: Safe):
    still.emulator.order_plans["*"] = "cancel_refused"
    placed = await still.placed()
    ticket = await canceling(still, placed)
    await still.approve(ticket)
    await still.until(ticket, TicketState.SUBMITTED)
    still.emulator.pace = 0
    assert not (await still.step(ticket)).order_over
    still.clock.forward(31)
    refused = await still.step(ticket)
    assert refused.order_over
    assert "not canceled" in (refused.reason or "")
    assert not (await still.step(placed)).order_over


async def test_a_cancel_of_unknown_outcome_is_read_from_the_order(still: Safe):
    still.emulator.order_plans["*"] = "never"
    placed = await still.placed()
    ticket = await canceling(still, placed)
    still.emulator.gate.drop(CANCEL, "after")
    await still.approve(ticket)
    await still.until(ticket, TicketState.UNKNOWN)
    assert (await still.step(ticket)).state is TicketState.SUBMITTED
    assert len(still.calls("DELETE")) == 1


async def test_a_cancel_that_never_arrived_is_not_placed_and_can_be_approved_again(still: Safe):
    still.emulator.order_plans["*"] = "never"
    placed = await still.placed()
    ticket = await canceling(still, placed)
    still.emulator.gate.drop(CANCEL, "before")
    await still.approve(ticket)
    await still.until(ticket, TicketState.UNKNOWN)
    for _ in range(3):
        ticket = await still.step(ticket)
        still.clock.forward(20)
    assert ticket.state is TicketState.NOT_PLACED
    await still.approve(ticket)
    await still.until(ticket, TicketState.SUBMITTED)
    assert len(still.calls("DELETE")) == 2


@pytest.mark.parametrize("keeps_id", [False, True], ids=["a new order", "the same order"])
async def test_a_replaced_order_is_read_again_and_both_cards_know_it(safe: Safe, keeps_id: bool):
    safe.emulator.exchange.replace_keeps_id = keeps_id
    safe.emulator.order_plans["*"] = "never"
    placed = await safe.placed()
    click = await safe.orders.propose_replace(placed.id, {"limit_price": "251", "quantity": "10"}, ANA, TEAM)
    ticket = click.ticket
    assert ticket is not None, click
    assert ticket.body == {"limit_price": "251"}, "what stays as it is is not sent"
    click = await safe.approve(ticket)
    assert "limit price $251.00 (was $250.00)" in click.message
    await safe.told(ticket, Notification.CHANGED)
    now = await safe.until(placed, lambda now: Decimal((now.order or {})["limit_price"]) == 251)
    assert now.open
    assert ((now.order or {})["id"] == (placed.order or {})["id"]) == keeps_id
    again = await canceling(safe, now)
    await safe.approve(again)
    await safe.until(placed, lambda now: now.order_over)
    await safe.told(placed, Notification.CANCELED)


async def test_a_replacement_that_the_venue_refuses_says_so(still: Safe):
    still.emulator.order_plans["*"] = "replace_refused"
    placed = await still.placed()
    click = await still.orders.propose_replace(placed.id, {"limit_price": "251"}, ANA, TEAM)
    assert click.ticket is not None
    await still.approve(click.ticket)
    await still.until(click.ticket, TicketState.SUBMITTED)
    still.emulator.pace = 0
    still.clock.forward(31)
    refused = await still.step(click.ticket)
    assert refused.order_over
    assert "Replace rejected by the venue" in (refused.reason or "")


async def test_a_replacement_of_unknown_outcome_is_read_from_the_order(still: Safe):
    still.emulator.order_plans["*"] = "never"
    placed = await still.placed()
    click = await still.orders.propose_replace(placed.id, {"limit_price": "251"}, ANA, TEAM)
    assert click.ticket is not None
    still.emulator.gate.drop(REPLACE, "after")
    await still.approve(click.ticket)
    await still.until(click.ticket, TicketState.UNKNOWN)
    assert (await still.step(click.ticket)).state is TicketState.SUBMITTED


async def test_a_replacement_is_not_approved_once_its_order_has_changed(still: Safe):
    still.emulator.order_plans["*"] = "never"
    placed = await still.placed()
    ticket = (await still.orders.propose_replace(placed.id, {"quantity": "20"}, ANA, TEAM)).ticket
    assert ticket is not None
    [order] = still.at_exchange
    key = {"Authorization": f"Bearer {KEY}"}
    url = f"{still.emulator.base_url}/v1/accounts/{ACCOUNT}/orders/{order.id}"
    async with aiohttp.ClientSession(headers=key) as session, session.patch(url, json={"limit_price": "251"}) as answer:
        assert answer.status == 200, "Clear Street's own app does that"
    still.emulator.pace = 0
    click = await still.approve(ticket)
    assert click.answer is ClickOutcome.DENIED
    assert "not as it was" in click.message
    assert len(still.calls("PATCH")) == 1


async def test_whoever_entered_a_replacement_is_no_second_pair_of_eyes_for_it(still: Safe):
    still.emulator.order_plans["*"] = "never"
    placed = await still.placed()
    ticket = (await still.orders.propose_replace(placed.id, {"quantity": "20"}, BEN, TEAM)).ticket
    assert ticket is not None
    assert ticket.edited_by == (Person(BEN.org, BEN.user),)


async def test_omnis_cancel_names_the_order_it_is_about(still: Safe):
    still.emulator.order_plans["*"] = "never"
    placed = await still.placed()
    order_id = placed.order_id
    [ticket] = await still.propose_about("CANCEL", {"account_id": 19816, "order_id": order_id})
    assert ticket.before is not None
    assert ticket.before.symbol == "AAPL"
    [unknown] = await still.propose_about("CANCEL", {"account_id": 19816, "order_id": "no-such-order"})
    assert unknown.before is None


async def test_an_order_whose_owner_unlinked_is_handed_over_with_a_warning(safe: Safe, database: Database):
    safe.emulator.order_plans["*"] = "never"
    placed = await safe.placed()
    links = LinkCache(LinkStore(database), Encryption([ENCRYPTION_KEY]))
    forgotten = await links.forget(Person(ANA.org, ANA.user), [safe.orders.forget])
    assert forgotten.waiting_turns["open orders"] == 1
    left = await safe.until(placed, lambda now: now.order_over)
    assert "followed no more" in (left.reason or "")
    await safe.told(placed, Notification.LEFT)
    assert not left.open


async def test_an_order_of_unknown_outcome_whose_owner_unlinked_goes_to_the_operators(still: Safe, database: Database):
    still.emulator.gate.drop("POST /v1/accounts/{account_id}/orders", "before")
    [ticket] = await still.propose()
    await still.approve(ticket)
    await still.until(ticket, TicketState.UNKNOWN)
    links = LinkCache(LinkStore(database), Encryption([ENCRYPTION_KEY]))
    await links.forget(Person(ANA.org, ANA.user), [still.orders.forget])
    still.forget_keys()
    left = await still.step(ticket)
    assert (left.state, left.open) == (TicketState.UNKNOWN, False)
    assert len(still.cards.alerts) == 1


async def test_my_orders_are_my_open_tickets_and_todays_orders_of_the_account(safe: Safe):
    safe.emulator.order_plans["*"] = "never"
    placed = await safe.placed()
    [waiting] = await safe.propose()
    [bens] = await safe.propose(owner=BEN)
    ana = Person(ANA.org, ANA.user)
    assert {one.id for one in await safe.orders.mine(ana)} == {placed.id, waiting.id}
    assert [one.client_order_id for one in await safe.orders.todays_orders(ana)] == [placed.client_order_id]
    assert [one.id for one in await safe.orders.mine(bens.owner)] == [bens.id]
