"""From Approve to an order, on the real (emulated) exchange: once, or not at all, and never guessed."""

from __future__ import annotations

import httpx
import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.faults import Refuse
from sqlalchemy import delete, update

from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.model import Person
from omnibot.accounts.store import LinkStore
from omnibot.db.engine import Database
from omnibot.db.tables import halts, tickets
from omnibot.encryption import Encryption
from omnibot.orders import submission
from omnibot.orders.model import ClickOutcome, Notification, Ticket, TicketState
from omnibot.orders.store import TOO_LATE
from tests.orders.harness import ACCOUNT, ANA, BUY, ENCRYPTION_KEY, EVE, KEY, Safe, open_safe

SUBMIT = "POST /v1/accounts/{account_id}/orders"
LIST = "GET /v1/accounts/{account_id}/orders"


async def approved(still: Safe, **changes: str) -> Ticket:
    """A ticket that was approved and sent, for better or worse."""
    [ticket] = await still.propose({**BUY, **changes})
    click = await still.approve(ticket)
    assert click.answer is ClickOutcome.APPROVED, click
    return await still.until(ticket, lambda now: now.state not in (TicketState.APPROVED, TicketState.SUBMITTING))


async def looked_for(still: Safe, ticket: Ticket) -> Ticket:
    """As many looks as it takes, in as many seconds."""
    for _ in range(3):
        ticket = await still.step(ticket)
        still.clock.forward(20)
    return ticket


async def test_an_approved_order_is_placed_once_and_followed_until_it_is_filled(safe: Safe):
    safe.emulator.order_plans["*"] = "fill"
    [ticket] = await safe.propose()
    click = await safe.approve(ticket)
    assert click.answer is ClickOutcome.APPROVED
    assert "Buy 10 AAPL at a limit of $250.00" in click.message
    filled = await safe.until(ticket, lambda now: now.order_over)
    assert filled.order is not None
    assert (filled.state, filled.order["status"], filled.order["filled"]) == (TicketState.SUBMITTED, "FILLED", "10")
    assert [order.client_order_id for order in safe.at_exchange] == [ticket.client_order_id]
    await safe.told(ticket, Notification.FILLED)
    await safe.shows(ticket, lambda now: now.order_over)
    assert (await safe.audited(ticket))[:4] == ["proposed", "approved", "submitting", "submitted"]
    assert filled.request_id is not None
    assert (await safe.verified()).sound


async def test_the_client_order_id_is_stored_before_the_call(still: Safe):
    hold = still.emulator.gate.hold(SUBMIT, "before")
    [ticket] = await still.propose()
    await still.approve(ticket)
    call = await hold.reached()
    stored = await still.get(ticket)
    assert (stored.state, stored.attempts) == (TicketState.SUBMITTING, 1)
    assert call.args["body"][0]["id"] == stored.client_order_id
    hold.release()
    await still.until(ticket, TicketState.SUBMITTED)


async def test_an_order_goes_out_with_the_key_of_its_owner_whoever_approves(still: Safe, database: Database):
    [ticket] = await still.propose()
    assert (await still.approve(ticket, EVE)).answer is ClickOutcome.APPROVED
    await still.until(ticket, TicketState.SUBMITTED)
    [call] = [one for one in still.emulator.calls if one.name == SUBMIT]
    assert call.headers["Authorization"] == "Bearer demo-key"
    assert (await still.get(ticket)).decided_by == Person(EVE.org, EVE.user)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("BUYING_POWER", "The account's buying power is too small."),
        ("LIQUIDATION_ONLY", "Positions can only be closed, not opened."),
        ("SOMETHING_NEW", "Clear Street refused it with SOMETHING_NEW"),
    ],
)
async def test_a_first_refusal_is_a_rejection_with_the_reason_in_plain_words(safe: Safe, code: str, said: str):
    safe.emulator.order_plans["*"] = f"refuse:{code}"
    [ticket] = await safe.propose()
    await safe.approve(ticket)
    rejected = await safe.until(ticket, TicketState.REJECTED)
    assert said in (rejected.reason or "")
    assert safe.at_exchange == []
    assert len(safe.calls("POST")) == 1
    await safe.told(ticket, Notification.REJECTED)


async def test_facts_of_a_refusal_stand_in_its_reason(safe: Safe):
    [ticket] = await safe.propose({**BUY, "limit_price": "250.001"})
    await safe.approve(ticket)
    rejected = await safe.until(ticket, TicketState.REJECTED)
    assert rejected.reason == "AAPL is priced in steps of $0.01, and $250.001 is none of them."


async def test_an_order_that_was_taken_but_never_answered_is_found_and_not_sent_again(safe: Safe):
    safe.emulator.gate.drop(SUBMIT, "after")
    [ticket] = await safe.propose()
    await safe.approve(ticket)
    found = await safe.until(ticket, TicketState.SUBMITTED)
    assert found.order is not None
    assert [order.id for order in safe.at_exchange] == [found.order["id"]]
    assert len(safe.calls("POST")) == 1
    assert "unknown" in await safe.audited(ticket)


@pytest.mark.parametrize("status", [409, 500, 503])
async def test_an_answer_that_leaves_it_open_is_looked_up(still: Safe, status: int):
    still.emulator.gate.refuse(SUBMIT, status=status)
    ticket = await approved(still)
    assert ticket.state is TicketState.UNKNOWN
    assert (await still.approve(ticket)).answer is ClickOutcome.DECIDED


async def test_three_looks_over_half_a_minute_without_the_order_mean_that_it_was_not_placed(still: Safe):
    still.emulator.gate.drop(SUBMIT, "before")
    ticket = await approved(still)
    assert (await still.step(ticket)).state is TicketState.UNKNOWN
    assert (await still.step(ticket)).state is TicketState.UNKNOWN
    assert (await still.step(ticket)).state is TicketState.UNKNOWN, "three looks within a moment prove nothing"
    still.clock.forward(31)
    gone = await still.step(ticket)
    assert (gone.state, still.at_exchange) == (TicketState.NOT_PLACED, [])
    assert "Approve again" in (gone.reason or "")


async def test_looks_that_failed_are_no_looks(still: Safe):
    still.emulator.gate.drop(SUBMIT, "before")
    ticket = await approved(still)
    still.emulator.gate.every(LIST, 1, Refuse(400))
    for _ in range(4):
        assert (await still.step(ticket)).looks == 0
        still.clock.forward(31)
    assert (await still.get(ticket)).state is TicketState.UNKNOWN


async def test_what_was_not_placed_is_sent_again_only_by_a_human_and_under_the_same_id(still: Safe):
    still.emulator.gate.drop(SUBMIT, "before")
    ticket = await looked_for(still, await approved(still))
    assert ticket.state is TicketState.NOT_PLACED
    assert len(still.calls("POST")) == 1
    assert (await still.approve(ticket)).answer is ClickOutcome.APPROVED
    again = await still.until(ticket, TicketState.SUBMITTED)
    assert [order.client_order_id for order in still.at_exchange] == [ticket.client_order_id]
    assert again.attempts == 2


async def test_what_turns_up_after_it_was_given_up_is_taken_for_what_it_is(still: Safe):
    still.emulator.exchange.list_lag = 10**6
    still.emulator.gate.drop(SUBMIT, "after")
    ticket = await looked_for(still, await approved(still))
    assert ticket.state is TicketState.NOT_PLACED
    still.emulator.exchange.list_lag = 0
    assert (await still.step(ticket)).state is TicketState.SUBMITTED


async def test_whoever_heard_that_it_was_not_placed_hears_that_it_was(still: Safe):
    still.emulator.exchange.list_lag = 10**6
    still.emulator.gate.drop(SUBMIT, "after")
    ticket = await looked_for(still, await approved(still))
    await still.show_all()
    assert still.cards.told == [(ticket.id, Notification.NOT_PLACED)]
    still.emulator.exchange.list_lag = 0
    assert (await still.step(ticket)).state is TicketState.SUBMITTED
    await still.show_all()
    assert still.cards.told[1:] == [(ticket.id, Notification.PLACED)]


async def test_whoever_heard_that_nobody_knows_hears_that_it_was_placed(still: Safe):
    still.emulator.exchange.list_lag = 10**6
    still.emulator.gate.drop(SUBMIT, "after")
    ticket = await approved(still)
    for _ in range(2):
        await still.step(ticket)
    await still.show_all()
    assert still.cards.told == [(ticket.id, Notification.UNKNOWN)]
    still.emulator.exchange.list_lag = 0
    await still.step(ticket)
    await still.show_all()
    assert still.cards.told[1:] == [(ticket.id, Notification.PLACED)]


async def test_what_is_found_at_the_first_look_worries_nobody(still: Safe):
    still.emulator.gate.drop(SUBMIT, "after")
    ticket = await approved(still)
    assert (await still.step(ticket)).state is TicketState.SUBMITTED
    await still.show_all()
    assert still.cards.told == []


async def test_approving_what_was_placed_unseen_makes_no_second_order(still: Safe):
    still.emulator.exchange.list_lag = 10**6
    still.emulator.gate.drop(SUBMIT, "after")
    ticket = await looked_for(still, await approved(still))
    assert (await still.approve(ticket)).answer is ClickOutcome.APPROVED
    ticket = await still.until(ticket, TicketState.UNKNOWN)  # the 409 says nothing of which order there is
    still.emulator.exchange.list_lag = 0
    assert (await still.step(ticket)).state is TicketState.SUBMITTED
    assert len(still.at_exchange) == 1


async def test_a_second_attempt_that_is_refused_is_looked_up_first(still: Safe):
    still.emulator.exchange.list_lag = 10**6
    still.emulator.gate.drop(SUBMIT, "after")
    ticket = await looked_for(still, await approved(still))
    still.emulator.gate.refuse(SUBMIT, status=400)
    await still.approve(ticket)
    ticket = await still.until(ticket, TicketState.UNKNOWN)
    still.emulator.exchange.list_lag = 0
    assert (await still.step(ticket)).state is TicketState.SUBMITTED


async def test_an_edit_of_what_may_have_been_sent_is_refused(still: Safe):
    still.emulator.gate.drop(SUBMIT, "before")
    ticket = await looked_for(still, await approved(still))
    click = await still.orders.edit(ticket.token, {"quantity": "5"}, ANA)
    assert (click.answer, (await still.get(ticket)).version) == (ClickOutcome.DECIDED, 1)


async def test_what_nobody_approves_again_expires(still: Safe):
    still.emulator.gate.drop(SUBMIT, "before")
    ticket = await looked_for(still, await approved(still))
    still.clock.forward(11 * 60)
    expired = await still.step(ticket)
    assert (expired.state, expired.reason) == (TicketState.EXPIRED, "Nobody approved it again.")


async def test_a_busy_clear_street_did_nothing_and_says_so(still: Safe):
    still.emulator.gate.refuse(SUBMIT, status=429)
    ticket = await approved(still)
    assert (ticket.state, still.at_exchange) == (TicketState.NOT_PLACED, [])
    assert "too busy" in (ticket.reason or "")


async def test_operators_hear_once_of_what_is_unknown_for_more_than_a_minute(still: Safe):
    still.emulator.gate.drop(SUBMIT, "before")
    still.emulator.gate.every(LIST, 1, Refuse(400))
    ticket = await approved(still)
    await still.step(ticket)
    assert still.cards.alerts == []
    still.clock.forward(61)
    still.cards.breaks["alert"] = 1
    with pytest.raises(RuntimeError):
        await still.step(ticket)
    await still.store.rest(await still.get(ticket), 0)
    for _ in range(2):
        await still.step(ticket)
    [alert] = still.cards.alerts
    assert ticket.client_order_id in alert
    assert ticket.id in alert
    assert "AAPL" not in alert, "the channel and the log are read by who knows whom"


@pytest.mark.parametrize("seconds", [21, -3600], ids=["too late", "its clock was set back"])
async def test_what_was_not_sent_soon_after_its_approval_is_not_sent_any_more(
    seconds: float, still: Safe, monkeypatch: pytest.MonkeyPatch
):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    moved = still.database.after(seconds)
    monkeypatch.setattr(still.database, "now", lambda: moved)
    late = await still.step(ticket)
    assert (late.state, late.reason, still.calls("POST")) == (TicketState.EXPIRED, TOO_LATE, [])


async def test_a_card_that_expired_by_the_databases_clock_is_not_approved_by_a_machine_whose_clock_is_behind(
    still: Safe,
):
    [ticket] = await still.propose()
    still.clock.forward(-3600)
    async with still.database.transaction() as connection:
        past = update(tickets).where(tickets.c.id == ticket.id).values(expires_at=still.database.after(-1))
        await connection.execute(past)
    click = await still.approve(ticket)
    assert click.answer is not ClickOutcome.APPROVED
    assert (await still.get(ticket)).state is TicketState.PROPOSED
    assert still.calls("POST") == []


async def test_a_halt_stops_what_is_approved_but_not_sent(still: Safe):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    assert (await still.orders.halt(EVE, "news")).answer is ClickOutcome.DONE
    halted = await still.step(ticket)
    assert (halted.state, still.calls("POST")) == (TicketState.DECLINED, [])
    assert halted.decided_by is None


async def test_nothing_is_sent_while_it_is_not_known_whether_trading_is_halted(still: Safe):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    async with still.database.transaction() as connection:
        await connection.execute(delete(halts))
    assert (await still.step(ticket)).state is TicketState.DECLINED
    assert still.calls("POST") == []


async def test_whoever_writes_an_attempt_down_too_slowly_leaves_the_call(still: Safe, monkeypatch: pytest.MonkeyPatch):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    monkeypatch.setattr(submission, "STALE", 0.0)
    late = await still.step(ticket)
    assert (late.state, late.attempts, still.calls("POST")) == (TicketState.UNKNOWN, 1, [])
    gone = await looked_for(still, late)
    assert (gone.state, still.at_exchange) == (TicketState.NOT_PLACED, [])


@pytest.mark.parametrize("ours", [0, 2])
async def test_an_answer_without_exactly_one_order_of_ours_is_looked_up(still: Safe, ours: int):
    await still.placed()
    async with httpx.AsyncClient(base_url=still.emulator.base_url) as api:
        listed = await api.get(f"/v1/accounts/{ACCOUNT}/orders", headers={"Authorization": f"Bearer {KEY}"})
    [one] = listed.json()["data"]
    [ticket] = await still.propose()
    mine = [{**one, "client_order_id": ticket.client_order_id, "id": f"order-{place}"} for place in range(ours)]
    still.emulator.gate.refuse(SUBMIT, "after", status=200, body={**listed.json(), "data": [one, *mine]})
    assert (await still.approve(ticket)).answer is ClickOutcome.APPROVED
    assert (
        await still.until(ticket, lambda now: now.state not in (TicketState.APPROVED, TicketState.SUBMITTING))
    ).order is None
    found = await still.step(ticket)
    assert found.state is TicketState.SUBMITTED
    assert (found.order or {})["id"] in {order.id for order in still.at_exchange}


async def test_of_several_orders_in_the_answer_ours_is_taken(still: Safe):
    other = await still.placed()
    async with httpx.AsyncClient(base_url=still.emulator.base_url) as api:
        listed = await api.get(f"/v1/accounts/{ACCOUNT}/orders", headers={"Authorization": f"Bearer {KEY}"})
    [one] = listed.json()["data"]
    [ticket] = await still.propose()
    mine = {**one, "client_order_id": ticket.client_order_id, "id": "order-of-ours"}
    still.emulator.gate.refuse(SUBMIT, "after", status=200, body={**listed.json(), "data": [one, mine]})
    await still.approve(ticket)
    taken = await still.until(ticket, TicketState.SUBMITTED)
    assert (taken.order or {})["id"] == "order-of-ours"
    assert (other.order or {})["id"] == one["id"]


async def test_whoever_approved_again_before_a_halt_has_not_approved_what_comes_after_it(still: Safe):
    still.emulator.gate.drop(SUBMIT, "before")
    ticket = await looked_for(still, await approved(still))
    await still.show_all()
    await still.approve_and_die(ticket)
    await still.orders.halt(EVE, None)
    halted = await still.step(ticket)
    assert (halted.state, halted.approved_by) == (TicketState.NOT_PLACED, ())
    await still.show_all()
    assert still.cards.told == [(ticket.id, Notification.NOT_PLACED)] * 2
    await still.orders.resume(EVE)
    assert (await still.approve(halted)).answer is ClickOutcome.APPROVED
    await still.until(ticket, TicketState.SUBMITTED)
    assert [order.client_order_id for order in still.at_exchange] == [ticket.client_order_id]


async def test_without_its_owners_key_nothing_is_sent(still: Safe, database: Database):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    links = LinkCache(LinkStore(database), Encryption([ENCRYPTION_KEY]))
    await links.forget(Person(ANA.org, ANA.user), [])
    still.forget_keys()
    unsent = await still.step(ticket)
    assert (unsent.state, still.calls("POST")) == (TicketState.EXPIRED, [])
    assert "not linked" in (unsent.reason or "")


async def test_unlinking_expires_what_waits_in_the_same_transaction(still: Safe, database: Database):
    [ticket] = await still.propose()
    links = LinkCache(LinkStore(database), Encryption([ENCRYPTION_KEY]))
    forgotten = await links.forget(Person(ANA.org, ANA.user), [still.orders.forget])
    assert forgotten.waiting_turns["waiting tickets"] == 1
    assert (await still.get(ticket)).state is TicketState.EXPIRED
    assert (await still.approve(ticket)).answer is ClickOutcome.EXPIRED


async def test_while_trading_is_off_approving_ends_in_a_copyable_ticket_and_no_call(
    database: Database, emulator: ClearStreetEmulator
):
    async with open_safe(database, emulator, live=False) as safe:
        [ticket] = await safe.propose()
        click = await safe.approve(ticket)
        assert click.answer is ClickOutcome.COPYABLE
        assert "Buy 10 AAPL at a limit of $250.00" in click.message
        copyable = await safe.until(ticket, TicketState.COPYABLE)
        await safe.shows(ticket, lambda now: now.state is TicketState.COPYABLE)
        assert safe.calls("POST", "PATCH", "DELETE", "GET") == []
        assert not copyable.open


async def test_what_may_still_turn_up_is_not_given_out_to_be_typed_in_by_hand(
    still: Safe, database: Database, emulator: ClearStreetEmulator
):
    still.emulator.exchange.list_lag = 10**6
    still.emulator.gate.drop(SUBMIT, "after")
    ticket = await looked_for(still, await approved(still))
    async with open_safe(database, emulator, live=False, working=False, clock=still.clock) as off:
        click = await off.approve(ticket)
        assert (click.answer, (await off.get(ticket)).state) == (ClickOutcome.DENIED, TicketState.NOT_PLACED)
        assert "may still turn up" in click.message
    assert len(still.at_exchange) == 1


async def test_what_was_approved_before_trading_was_switched_off_is_not_sent(
    database: Database, emulator: ClearStreetEmulator
):
    async with open_safe(database, emulator, working=False) as safe:
        [ticket] = await safe.propose()
        await safe.approve_and_die(ticket)
    async with open_safe(database, emulator, live=False, working=False) as other:
        assert (await other.step(ticket)).state is TicketState.EXPIRED
        assert other.calls("POST") == []
