"""Clicks: who may what, on which version, and how each is answered."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest
from omnibot_sandbox.clearstreet.accounts import account
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.faults import Refuse
from sqlalchemy import select

from omnibot.accounts.model import Person
from omnibot.db.engine import Database
from omnibot.db.tables import audit
from omnibot.orders.explaining import explain
from omnibot.orders.model import ClickOutcome, MarketView, Notification, TicketState
from omnibot.orders.service import UNDECIDED
from omnibot.policy.identities import Who
from omnibot.policy.order_rules import Rule
from tests.orders.harness import (
    ACCOUNT,
    ANA,
    BEN,
    BUY,
    CLEO,
    COLLEAGUE,
    DAN,
    EVE,
    KEY,
    TEAM,
    Book,
    Safe,
    open_emulator,
    open_safe,
    rules,
)

TWO_EYES_MORE = {"four_eyes_above": '"1000"'}


@pytest.mark.parametrize("who", [CLEO, DAN, COLLEAGUE], ids=["a guest", "an external", "a colleague"])
async def test_who_may_not_is_told_so_and_changes_nothing(still: Safe, who: Who):
    [ticket] = await still.propose()
    for click in (
        await still.approve(ticket, who),
        await still.orders.edit(ticket.token, {"quantity": "1"}, who),
        await still.orders.preview(ticket.token, {"quantity": "1"}, who),
        await still.orders.decline(ticket.token, who, None),
    ):
        assert click.answer is ClickOutcome.NOT_ALLOWED
        assert click.message
    assert (await still.get(ticket)).serial == 1


@pytest.mark.parametrize("who", [ANA, BEN, EVE], ids=["the owner", "an approver who trades", "an approver"])
async def test_the_owner_and_approvers_may(still: Safe, who: Who):
    [ticket] = await still.propose()
    assert (await still.approve(ticket, who)).answer is ClickOutcome.APPROVED


async def test_a_trader_may_not_approve_another_traders_order(still: Safe):
    [bens] = await still.propose(owner=BEN)
    click = await still.approve(bens, ANA)
    assert (click.answer, set(click.ask)) == (ClickOutcome.NOT_ALLOWED, {BEN.user, EVE.user})


async def test_a_button_of_nothing_is_answered(still: Safe):
    [click] = await still.orders.approve(["no-such-token"], ANA, TEAM)
    assert click.answer is ClickOutcome.UNKNOWN
    assert (await still.orders.decline("no-such-token", ANA, None)).answer is ClickOutcome.UNKNOWN


async def test_the_same_action_proposed_twice_is_the_same_ticket(still: Safe):
    proposal = still.proposal()
    action = {"prefill_order": {"action_type": "NEW", "orders": [BUY, {**BUY, "quantity": "5"}]}}
    first, again = await asyncio.gather(*(still.orders.propose(action, proposal) for _ in range(2)))
    assert [one.id for one in first] == [one.id for one in again]
    assert [str(one.terms.quantity) for one in first] == ["10", "5"]


async def test_an_id_that_omni_proposes_is_never_sent(still: Safe):
    [ticket] = await still.propose({**BUY, "id": "omnis-own-id"})
    await still.approve(ticket)
    await still.until(ticket, TicketState.SUBMITTED)
    assert [order.client_order_id for order in still.at_exchange] == [ticket.client_order_id]


async def test_an_edit_makes_a_version_whose_predecessors_buttons_are_superseded(still: Safe):
    [ticket] = await still.propose()
    click = await still.orders.edit(ticket.token, {"quantity": "20", "limit_price": "249.5"}, ANA)
    assert click.answer is ClickOutcome.EDITED
    assert click.message == "Edited: quantity 10 → 20, limit price $250.00 → $249.50."
    assert (await still.approve(ticket)).answer is ClickOutcome.SUPERSEDED
    assert click.ticket is not None
    assert (await still.approve(click.ticket)).answer is ClickOutcome.APPROVED
    await still.until(ticket, TicketState.SUBMITTED)
    [order] = still.at_exchange
    assert (str(order.wanted.quantity), str(order.wanted.amount("limit_price"))) == ("20", "249.5")


async def test_the_same_form_of_the_same_person_that_two_instances_get_is_answered_alike_and_used_once(still: Safe):
    [ticket] = await still.propose()
    asked = [still.orders.edit(ticket.token, {"quantity": "7"}, ANA) for _ in range(2)]
    edits = [*await asyncio.gather(*asked), await still.orders.edit(ticket.token, {"quantity": "7"}, ANA)]
    assert [edit.answer for edit in edits] == [ClickOutcome.EDITED] * 3
    now = await still.get(ticket)
    assert (now.version, now.terms.quantity) == (2, Decimal(7))
    for entered, who in (({"quantity": "8"}, ANA), ({"quantity": "7"}, BEN), ({"quantity": "none"}, ANA)):
        assert (await still.orders.edit(ticket.token, entered, who)).answer is ClickOutcome.SUPERSEDED

    asked = [still.orders.decline(now.token, ANA, "No.") for _ in range(2)]
    declines = [*await asyncio.gather(*asked), await still.orders.decline(now.token, ANA, "No.")]
    assert [decline.answer for decline in declines] == [ClickOutcome.DECLINED] * 3
    assert (await still.orders.decline(now.token, BEN, "No.")).answer is ClickOutcome.DECIDED
    assert await still.audited(ticket) == ["proposed", "edited", "declined"]


async def test_an_edit_that_makes_no_sense_says_where(still: Safe):
    [ticket] = await still.propose()
    for work in (still.orders.preview, still.orders.edit):
        click = await work(ticket.token, {"quantity": "-1", "limit_price": "cheap", "symbol": "TSLA"}, ANA)
        assert click.answer is ClickOutcome.INVALID
        assert set(click.problems) == {"quantity", "limit_price", "symbol"}
    assert (await still.orders.edit(ticket.token, {"quantity": "10"}, ANA)).message == "Nothing would be different."
    assert (await still.get(ticket)).version == 1


@pytest.mark.parametrize("strange", ["nowhere near", "9" * 40])
async def test_an_edit_of_a_change_drops_nothing_that_was_not_understood(still: Safe, strange: str):
    still.emulator.order_plans["*"] = "never"
    placed = await still.placed(limit_price="1.00")
    about = {"account_id": ACCOUNT, "order_id": placed.order_id, "quantity": "20", "limit_price": strange}
    [ticket] = await still.propose_about("MODIFY", about)
    assert ticket.terms.not_understood == ("limit_price",)

    for entered in ({"quantity": "30"}, {"quantity": "30", "limit_price": ""}, {"quantity": "30", "limit_price": " "}):
        click = await still.orders.edit(ticket.token, entered, ANA)
        assert click.answer is ClickOutcome.INVALID
        assert "does not understand: limit_price" in click.message
    assert (await still.get(ticket)).version == ticket.version
    assert still.calls("PATCH") == []

    # Whoever writes it anew says what it is to be.
    click = await still.orders.edit(ticket.token, {"quantity": "30", "limit_price": "1.10"}, ANA)
    assert click.answer is ClickOutcome.EDITED
    assert click.ticket is not None
    assert click.ticket.body == {"quantity": "30", "limit_price": "1.10"}


async def test_a_preview_writes_nothing_and_says_what_the_rules_would(still: Safe):
    [ticket] = await still.propose()
    click = await still.orders.preview(ticket.token, {"quantity": "1000"}, ANA)
    assert click.answer is ClickOutcome.EDITED
    assert {one.rule for one in click.verdicts if not one.passed} == {Rule.ORDER_NOTIONAL, Rule.DAY_NOTIONAL}
    assert click.ticket is not None
    assert click.ticket.changes == ("quantity 10 → 1,000",)
    assert (await still.get(ticket)).serial == 1
    assert await still.audited(ticket) == ["proposed"]


async def test_what_the_policy_forbids_is_denied_with_the_reason_and_written_down(still: Safe):
    [ticket] = await still.propose({**BUY, "quantity": "1000"})
    click = await still.approve(ticket)
    assert click.answer is ClickOutcome.DENIED
    assert "$250,000.00" in click.message
    assert (await still.get(ticket)).state is TicketState.PROPOSED
    assert await still.audited(ticket) == ["proposed", "denied"]
    assert still.calls("POST") == []


async def test_without_a_quote_nothing_is_approved(still: Safe):
    still.emulator.market.set("null", "AAPL")
    [ticket] = await still.propose()
    click = await still.approve(ticket)
    assert click.answer is ClickOutcome.DENIED
    assert "quote" in click.message


async def test_two_people_approve_what_is_worth_much(still: Safe):
    still.book.current = rules(**TWO_EYES_MORE)
    [ticket] = await still.propose()
    first = await still.approve(ticket)
    assert (first.answer, set(first.ask)) == (ClickOutcome.SECOND_NEEDED, {BEN.user, EVE.user})
    assert (await still.approve(ticket)).answer is ClickOutcome.SECOND_NEEDED, "once more is nobody else"
    assert (await still.approve(ticket, EVE)).answer is ClickOutcome.APPROVED


async def test_two_people_who_approve_at_once_are_two(still: Safe):
    still.book.current = rules(**TWO_EYES_MORE)
    [ticket] = await still.propose()
    clicks = await asyncio.gather(still.approve(ticket, ANA), still.approve(ticket, EVE))
    assert {click.answer for click in clicks} == {ClickOutcome.SECOND_NEEDED, ClickOutcome.APPROVED}


async def test_an_edit_resets_approvals_and_its_editor_is_no_second_pair_of_eyes(still: Safe):
    still.book.current = rules(**TWO_EYES_MORE)
    [ticket] = await still.propose()
    await still.approve(ticket)
    edited = (await still.orders.edit(ticket.token, {"quantity": "11"}, BEN)).ticket
    assert edited is not None
    assert edited.approved_by == ()
    assert (await still.approve(edited, ANA)).answer is ClickOutcome.SECOND_NEEDED
    assert (await still.approve(edited, BEN)).answer is ClickOutcome.SECOND_NEEDED
    assert (await still.approve(edited, EVE)).answer is ClickOutcome.APPROVED


async def test_orders_approved_together_are_checked_as_a_sum_and_sent_one_by_one(still: Safe):
    still.book.current = rules(max_day_notional='"6000"')
    tickets = await still.propose({**BUY, "quantity": "10"}, {**BUY, "quantity": "10"}, {**BUY, "quantity": "10"})
    clicks = await still.orders.approve([one.token for one in tickets], ANA, TEAM)
    assert [click.answer for click in clicks] == [ClickOutcome.DENIED] * 3
    clicks = await still.orders.approve([one.token for one in tickets[:2]], ANA, TEAM)
    assert [click.answer for click in clicks] == [ClickOutcome.APPROVED] * 2
    for ticket in tickets[:2]:
        await still.until(ticket, TicketState.SUBMITTED)
    posts = [call for call in still.emulator.calls if call.name.startswith("POST") and "/orders" in call.name]
    assert [len(call.args["body"]) for call in posts] == [1, 1]
    assert (await still.approve(tickets[2])).answer is ClickOutcome.DENIED, "the day is used up"


@pytest.mark.parametrize("less", ["canceled", "smaller"])
async def test_what_an_order_was_goes_on_counting_while_it_is_canceled_or_made_smaller(safe: Safe, less: str):
    safe.book.current = rules(max_day_notional='"6000"')
    safe.emulator.order_plans["*"] = "never"
    placed = await safe.placed(quantity="20")
    if less == "canceled":
        asked = await safe.orders.propose_cancel(placed.id, ANA, TEAM)
    else:
        asked = await safe.orders.propose_replace(placed.id, {"quantity": "1"}, ANA, TEAM)
    assert asked.ticket is not None
    [more] = await safe.propose()
    both = await safe.orders.approve([asked.ticket.token, more.token], ANA, TEAM)
    assert [click.answer for click in both] == [ClickOutcome.DENIED] * 2
    assert (await safe.approve(more)).answer is ClickOutcome.DENIED
    assert (await safe.approve(asked.ticket)).answer is ClickOutcome.APPROVED


async def test_whoever_asks_for_a_cancel_stands_on_its_card_and_in_the_audit(safe: Safe):
    safe.emulator.order_plans["*"] = "never"
    placed = await safe.placed()
    cancel = (await safe.orders.propose_cancel(placed.id, BEN, TEAM)).ticket
    assert cancel is not None
    assert cancel.asked_for_by == Person(BEN.org, BEN.user)
    query = select(audit.c.record).where(audit.c.ticket_id == cancel.id)
    async with safe.database.transaction() as connection:
        record = json.loads((await connection.execute(query)).scalars().one())
    assert record["actor"] == f"{BEN.org}/{BEN.user}"
    assert (await safe.propose())[0].asked_for_by is None


async def test_many_approvals_at_once_never_exceed_the_day(still: Safe):
    still.book.current = rules(max_day_notional='"6000"')
    tickets = [(await still.propose())[0] for _ in range(5)]
    clicks = await asyncio.gather(*(still.approve(one) for one in tickets))
    assert sum(click.answer is ClickOutcome.APPROVED for click in clicks) == 2
    await still.settled()
    assert len(still.at_exchange) == 2


async def test_what_is_held_is_sold_once(still: Safe):
    still.emulator.order_plans["*"] = "never"
    sale = {**BUY, "side": "SELL", "quantity": "100", "limit_price": "300.00"}
    first, second = await still.propose(sale, sale)
    clicks = await asyncio.gather(still.approve(first), still.approve(second))
    assert {click.answer for click in clicks} == {ClickOutcome.APPROVED, ClickOutcome.DENIED}
    await still.settled()
    [third] = await still.propose({**sale, "quantity": "21"})
    assert (await still.approve(third)).answer is ClickOutcome.DENIED
    [fourth] = await still.propose({**sale, "quantity": "20"})
    assert (await still.approve(fourth)).answer is ClickOutcome.APPROVED


async def test_what_one_account_sells_another_still_holds(still: Safe):
    other = ACCOUNT + 2
    still.emulator.order_plans["*"] = "never"
    still.emulator.keys[KEY].append(account(other, "Other"))
    still.emulator.portfolios.hold(other, "AAPL", "100", "200")
    still.book.current = rules(accounts=f"[{ACCOUNT}, {other}]")
    await still.links.save(Person(ANA.org, ANA.user), KEY, team=TEAM, accounts=[ACCOUNT, other], page=None)
    sale = {**BUY, "side": "SELL", "quantity": "100", "limit_price": "300.00"}
    [here], [there] = await still.propose(sale), await still.propose(sale, account_id=other)
    assert [(await still.approve(one)).answer for one in (here, there)] == [ClickOutcome.APPROVED] * 2
    await still.settled()
    assert len(still.at_exchange) == 2


async def test_what_an_approved_change_will_sell_counts_before_it_is_sent(still: Safe):
    still.emulator.order_plans["*"] = "never"
    sale = {**BUY, "side": "SELL", "quantity": "50", "limit_price": "300.00"}
    placed = await still.placed(**sale)
    change = (await still.orders.propose_replace(placed.id, {"quantity": "100"}, ANA, TEAM)).ticket
    assert change is not None
    await still.approve_and_die(change)
    [other] = await still.propose(sale)
    assert (await still.approve(other)).answer is ClickOutcome.DENIED


async def test_a_declined_ticket_says_by_whom_and_why_and_its_owner_hears_it(safe: Safe):
    [ticket] = await safe.propose()
    click = await safe.orders.decline(ticket.token, EVE, "too early")
    assert click.answer is ClickOutcome.DECLINED
    late = await safe.approve(ticket)
    assert (late.answer, late.message) == (ClickOutcome.DECIDED, "It was declined. too early")
    assert late.ticket is not None
    assert late.ticket.decided_by == Person(EVE.org, EVE.user)
    await safe.told(ticket, Notification.DECLINED)


async def test_a_ticket_that_nobody_decides_expires_by_itself(still: Safe):
    [ticket] = await still.propose()
    still.clock.forward(601)
    assert (await still.approve(ticket)).answer is ClickOutcome.EXPIRED
    assert (await still.step(ticket)).state is TicketState.EXPIRED
    assert (await still.approve(ticket)).answer is ClickOutcome.EXPIRED


async def test_the_alarm_clock_expires_what_is_due(safe: Safe):
    [ticket] = await safe.propose()
    await safe.due(ticket)
    assert (await safe.until(ticket, TicketState.EXPIRED)).reason == UNDECIDED
    await safe.shows(ticket, lambda now: now.state is TicketState.EXPIRED)


async def test_only_the_named_halt_and_resume(still: Safe):
    for who in (ANA, BEN, CLEO, DAN):
        assert (await still.orders.halt(who, None)).answer is ClickOutcome.NOT_ALLOWED
    assert (await still.orders.halt(EVE, "news")).answer is ClickOutcome.DONE
    assert (await still.orders.halt(EVE, "news")).answer is ClickOutcome.DECIDED
    [ticket] = await still.propose()
    assert (await still.approve(ticket)).answer is ClickOutcome.DENIED
    assert (await still.orders.resume(EVE)).answer is ClickOutcome.DONE
    assert (await still.approve(ticket)).answer is ClickOutcome.APPROVED
    await still.settled()
    assert len(still.cards.alerts) == 2
    async with still.database.transaction() as connection:
        query = select(audit.c.record).where(audit.c.ticket_id.is_(None)).order_by(audit.c.seq)
        rows = [json.loads(one) for one in (await connection.execute(query)).scalars()]
    assert [(one["kind"], one["reason"]) for one in rows] == [("halted", "news"), ("resumed", None)], rows


async def test_what_cannot_be_read_is_not_known_and_says_why(still: Safe):
    still.emulator.gate.every("GET /v1/accounts/{account_id}/balances", 1, Refuse(400))
    [ticket] = await still.propose()
    seen = (await still.orders.look([ticket]))[ticket.id]
    assert seen.buying_power is None
    assert seen.bid is not None
    assert seen.held == 120
    assert "balances" in (seen.trouble or "")


async def test_a_symbol_that_does_not_exist_spoils_no_other_quote(still: Safe):
    tickets = await still.propose({**BUY, "symbol": "NOSUCHTHING"}, BUY)
    seen = await still.orders.look(tickets)
    assert [seen[one.id].bid is None for one in tickets] == [True, False]


async def test_a_card_that_could_not_be_shown_is_shown_later_and_an_outcome_told_again(safe: Safe):
    safe.cards.breaks |= {"show": 1, "tell": 1}
    safe.emulator.order_plans["*"] = "fill"
    placed = await safe.placed()
    await safe.shows(placed, lambda now: now.order_over)
    await safe.told(placed, Notification.FILLED)
    assert safe.cards.told.count((placed.id, Notification.FILLED)) == 1


async def test_a_card_to_be_decided_shows_the_market(safe: Safe):
    [ticket] = await safe.propose()
    await safe.shows(ticket, lambda now: now.state is TicketState.PROPOSED)
    seen = safe.cards.shown[0][1]
    assert seen is not None
    assert (seen.bid is not None, seen.market_open, seen.session) == (True, True, "regular")


@pytest.mark.parametrize(("price", "said"), [("400.00", "risen"), ("100.00", "fallen")])
async def test_a_card_whose_market_is_not_there_any_more_is_read_again_first(still: Safe, price: str, said: str):
    [ticket] = await still.propose({**BUY, "order_type": "MARKET", "limit_price": None})
    await still.show_all()
    still.emulator.market.move("AAPL", price)
    click = await still.approve(await still.get(ticket))
    assert click.answer is ClickOutcome.DENIED
    assert f"The market has {said} by" in click.message
    assert (await still.get(ticket)).state is TicketState.PROPOSED
    await still.show_all()  # now the card says how the market is
    assert (await still.approve(await still.get(ticket))).answer is ClickOutcome.APPROVED
    await still.until(ticket, TicketState.SUBMITTED)
    assert len(still.at_exchange) == 1


async def test_a_market_that_has_hardly_moved_needs_no_second_reading(still: Safe):
    [ticket] = await still.propose()
    await still.show_all()
    middle = (still.cards.shown[-1][1] or MarketView(at=still.clock())).middle
    assert middle is not None
    still.emulator.market.move("AAPL", str(middle * Decimal("1.005")))
    assert (await still.approve(await still.get(ticket))).answer is ClickOutcome.APPROVED


async def test_a_moved_market_keeps_no_order_from_being_canceled(safe: Safe):
    ticket = await safe.placed(limit_price="1.00")
    cancel = (await safe.orders.propose_cancel(ticket.id, ANA, TEAM)).ticket
    assert cancel is not None
    safe.emulator.market.move("AAPL", "900.00")
    assert (await safe.approve(cancel)).answer is ClickOutcome.APPROVED


async def test_who_tried_to_approve_what_is_not_theirs_stands_in_the_audit(still: Safe):
    [ticket] = await still.propose()
    assert (await still.approve(ticket, COLLEAGUE)).answer is ClickOutcome.NOT_ALLOWED
    assert await still.audited(ticket) == ["proposed", "refused"]
    assert COLLEAGUE.user in (await explain(still.database, ticket.id) or "")
    assert (await still.verified()).sound


async def test_the_audit_tells_what_the_card_showed_from_what_the_rules_were_asked_about(still: Safe):
    [ticket] = await still.propose()
    await still.show_all()
    shown = (await still.get(ticket)).seen
    assert shown is not None
    await still.approve(ticket)
    query = select(audit.c.record).where(audit.c.ticket_id == ticket.id)
    async with still.database.transaction() as connection:
        records = [json.loads(one) for one in (await connection.execute(query)).scalars()]
    [approved] = [one for one in records if one["kind"] == "approved"]
    assert approved["shown"] == shown
    assert approved["quote"]["asked_at"] != shown["asked_at"]
    told = await explain(still.database, ticket.id) or ""
    assert f"The card showed {shown['bid']} to {shown['ask']}" in told
    assert "The rules were asked about" in told


@pytest.mark.parametrize("revision", ["2026-04", "2026-08"])
async def test_earlier_revisions_are_traded_with_in_their_own_words(database: Database, revision: str):
    async with (
        open_emulator(revision=revision) as emulator,
        open_safe(database, emulator, book=Book(rules())) as safe,
    ):
        safe.emulator.order_plans["*"] = "fill"
        placed = await safe.placed()
        await safe.until(placed, lambda now: now.order_over)
        assert len(safe.at_exchange) == 1


async def test_omnis_words_that_nobody_understands_are_never_sent(still: Safe, emulator: ClearStreetEmulator):
    [ticket] = await still.propose({**BUY, "side": "HEDGE"})
    click = await still.approve(ticket)
    assert click.answer is ClickOutcome.DENIED
    assert emulator.exchange.orders == {}
