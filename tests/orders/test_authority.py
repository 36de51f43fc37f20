"""The database is not authority: whatever is written into it, only what people approved in Slack is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import Person
from omnibot.db.engine import Database, open_database
from omnibot.db.tables import (
    audit,
    audit_heads,
    reservations,
    ticket_authorisations,
    ticket_cards,
    ticket_versions,
    ticket_votes,
    tickets,
)
from omnibot.errors import SettingsError
from omnibot.orders.audit import Audit, Entry, Signer, verify
from omnibot.orders.audit_heads import Head, HeadFile, Heads, read_heads
from omnibot.orders.authority import signed_content
from omnibot.orders.model import ClickOutcome, Ticket, TicketState, content_hash, read_terms, write_terms
from tests.orders.harness import ANA, BEN, BUY, EVE, SIGNER, Safe, link, open_safe, rules

Forge = Callable[[AsyncConnection, Ticket], Any]


async def forged(still: Safe, ticket: Ticket, *changes: Forge) -> Ticket:
    """Somebody writes to the database, and the instance at work does the next thing."""
    async with still.database.transaction() as connection:
        for change in changes:
            await change(connection, ticket)
    return await still.step(ticket)


async def other_content(connection: AsyncConnection, ticket: Ticket) -> None:
    """Another order: more, of something else, at any price; hash and all."""
    written = write_terms(ticket.terms) | {"symbol": "NVDA", "quantity": "900", "order_type": "MARKET"}
    del written["limit_price"]
    body = {**(ticket.body or {}), "symbol": "NVDA", "quantity": "900", "order_type": "MARKET"}
    hashed = content_hash(read_terms(written), body)
    mine = ticket_versions.c.ticket_id == ticket.id
    await connection.execute(update(ticket_versions).where(mine).values(terms=written, body=body, content_hash=hashed))
    mine = ticket_votes.c.ticket_id == ticket.id
    await connection.execute(update(ticket_votes).where(mine).values(content_hash=hashed))


async def other_body(connection: AsyncConnection, ticket: Ticket) -> None:
    """Other bytes behind the same sentence, the hash untouched."""
    body = {**(ticket.body or {}), "quantity": "900"}
    mine = ticket_versions.c.ticket_id == ticket.id
    await connection.execute(update(ticket_versions).where(mine).values(body=body))


async def a_vote(connection: AsyncConnection, ticket: Ticket, user: str = "U0ANA") -> None:
    query = select(ticket_versions.c.content_hash).where(ticket_versions.c.ticket_id == ticket.id)
    hashed = (await connection.execute(query)).scalar_one()
    vote = {"ticket_id": ticket.id, "version": ticket.version, "attempt": ticket.attempts, "org": ANA.org, "user": user}
    more = {
        "team": ticket.team,
        "content_hash": hashed,
        "quote": {},
        "policy_digest": "d",
        "created_at": ticket.created_at,
    }
    await connection.execute(insert(ticket_votes).values(**vote, **more))


async def approved(connection: AsyncConnection, ticket: Ticket) -> None:
    mine = tickets.c.id == ticket.id
    moment = {"approved_at": ticket.created_at}
    await connection.execute(update(tickets).where(mine).values(state=TicketState.APPROVED.value, **moment))


def setting(**values: Any) -> Forge:
    async def change(connection: AsyncConnection, ticket: Ticket) -> None:
        await connection.execute(update(tickets).where(tickets.c.id == ticket.id).values(**values))

    return change


async def refused(still: Safe, ticket: Ticket) -> None:
    """Nothing went out, it says why, the audit has it, and the operators know."""
    now = await still.get(ticket)
    assert still.calls("POST", "PATCH", "DELETE") == []
    assert (now.state, now.reason) == (
        TicketState.EXPIRED,
        "What would have been sent is not what people approved in Slack. Nothing was sent.",
    )
    assert (await still.audited(ticket))[-1] == "expired"
    [alert] = still.cards.alerts
    assert ticket.id in alert
    assert "omnibot audit verify" in alert


async def test_an_order_approved_in_the_database_alone_is_not_sent(still: Safe):
    [ticket] = await still.propose()
    await forged(still, ticket, other_content, a_vote, approved)
    await refused(still, ticket)
    assert not (await still.verified()).sound


@pytest.mark.parametrize(
    "change",
    [
        other_content,
        other_body,
        setting(account_id=19817),
        setting(principal="link:T0HOME:U0BEN"),
        setting(client_order_id="omnibot-another"),
        setting(user="U0BEN"),
    ],
    ids=["content", "bytes", "account", "key", "client order id", "owner"],
)
async def test_what_is_changed_between_approval_and_sending_is_not_sent(still: Safe, change: Forge):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    await forged(still, ticket, change)
    assert still.calls("POST") == []
    assert still.at_exchange == []
    assert (await still.get(ticket)).state is TicketState.EXPIRED
    assert len(still.cards.alerts) == 1


async def test_an_approval_is_made_no_younger_than_it_is(still: Safe):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    approved_at = (await still.get(ticket)).approved_at
    assert approved_at is not None
    await forged(still, ticket, setting(approved_at=approved_at + timedelta(seconds=0.5)))
    await refused(still, ticket)


async def test_an_approval_whose_signature_is_gone_or_is_another_tickets_sends_nothing(still: Safe):
    [one], [other] = await still.propose(), await still.propose()
    for ticket in (one, other):
        await still.approve_and_die(ticket)
    table = ticket_authorisations
    async with still.database.transaction() as connection:
        query = select(table.c.signature).where(table.c.ticket_id == one.id)
        signature = (await connection.execute(query)).scalar_one()
        await connection.execute(update(table).where(table.c.ticket_id == other.id).values(signature=signature))
        await connection.execute(delete(table).where(table.c.ticket_id == one.id))
    for ticket in (one, other):
        assert (await still.step(ticket)).state is TicketState.EXPIRED
    assert still.calls("POST") == []


async def test_an_order_that_went_out_does_not_go_out_again_because_the_database_says_so(still: Safe):
    placed = await still.placed()
    changes = {"state": TicketState.APPROVED.value, "attempts": 1, "owner": None, "lease_until": None}
    await forged(still, placed, setting(**changes, approved_at=still.clock()))
    assert len(still.calls("POST")) == 1
    assert (await still.get(placed)).state is TicketState.NOT_PLACED


async def test_a_second_approval_that_only_the_database_has_does_not_count(still: Safe):
    still.book.current = rules(four_eyes_above='"1"')
    [ticket] = await still.propose()
    async with still.database.transaction() as connection:
        await a_vote(connection, ticket, EVE.user)
    still.orders._draining = True
    click = await still.approve(ticket)
    still.orders._draining = False
    assert click.answer is ClickOutcome.APPROVED, "the rules believe the database"
    await still.store.leases.release([ticket.id])
    await still.step(ticket)
    await refused(still, ticket)


async def test_a_second_approval_with_a_row_of_the_audit_that_nobody_signed_does_not_count(still: Safe):
    still.book.current = rules(four_eyes_above='"1"')
    [ticket] = await still.propose()
    assert (await still.approve(ticket)).answer is ClickOutcome.SECOND_NEEDED
    async with still.database.transaction() as connection:
        newest = select(audit).where(audit.c.ticket_id == ticket.id).order_by(audit.c.seq.desc()).limit(1)
        row = dict((await connection.execute(newest)).mappings().one())
        forged_row = {"seq": 900, "prev_hash": "e" * 64, "hash": "f" * 64}
        record = row["record"].replace(ANA.user, "U0BEN")
        await connection.execute(insert(audit).values(**{**row, **forged_row, "record": record}))
        await a_vote(connection, ticket, "U0BEN")
    still.orders._draining = True
    await still.approve(ticket, EVE)
    still.orders._draining = False
    await still.store.leases.release([ticket.id])
    assert (await still.step(ticket)).state is TicketState.EXPIRED
    assert (still.calls("POST"), len(still.cards.alerts)) == ([], 1)


@pytest.mark.parametrize(
    "other",
    [
        {"id": "another"},
        {"version": 2},
        {"terms": read_terms({"act": "new", "account_id": 19817})},
        {"body": {"quantity": "900"}},
        {"approved_by": (Person(EVE.org, EVE.user),)},
        {"approved_at": None},
        {"account_id": 19817},
        {"client_order_id": "omnibot-another"},
        {"principal": "link:T0HOME:U0BEN"},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_a_signature_is_of_everything_that_a_call_is_made_of(still: Safe, other: dict[str, Any]):
    placed = await still.placed()
    signed = signed_content(placed, 0)
    assert signed_content(replace(placed, content_hash="e" * 64), 0) == signed, (
        "what is stored as it counts for nothing"
    )
    assert signed_content(placed, 1) != signed
    assert signed_content(replace(placed, **other), 0) != signed


async def test_a_vote_for_other_content_does_not_count(still: Safe):
    still.book.current = rules(four_eyes_above='"1"')
    [ticket] = await still.propose()
    async with still.database.transaction() as connection:
        await a_vote(connection, ticket, EVE.user)
        others = ticket_votes.c.user == EVE.user
        await connection.execute(update(ticket_votes).where(others).values(content_hash="e" * 64))
    assert (await still.get(ticket)).approved_by == ()
    assert (await still.approve(ticket)).answer is ClickOutcome.SECOND_NEEDED


async def test_bytes_that_were_exchanged_before_an_honest_approval_are_not_sent(still: Safe):
    [ticket] = await still.propose()
    async with still.database.transaction() as connection:
        await other_content(connection, ticket)
    still.book.current = rules(max_order_notional='"1000000"', max_day_notional='"1000000"')
    [click] = await still.orders.approve([ticket.token], ANA, ticket.team)
    await still.settled()
    assert still.calls("POST") == [], click
    assert (await still.get(ticket)).state is not TicketState.SUBMITTED


async def test_what_is_no_order_is_not_sent_whoever_approved_it(still: Safe):
    [ticket] = await still.propose({**BUY, "side": "SIDEWAYS"})
    assert ticket.body is None
    async with still.database.transaction() as connection:
        await a_vote(connection, ticket)
        await approved(connection, ticket)
        [now] = await still.store.read(connection, tickets.c.id == ticket.id)
        facts = {"approved_by": [f"{ANA.org}/{ANA.user}"]}
        entry = Entry(kind="approved", actor=now.approved_by[0], ticket=now, facts=facts)
        await still.store.note_approvals(connection, entry)
    await still.step(ticket)
    await refused(still, ticket)


async def test_two_honest_approvals_are_sent(still: Safe):
    still.book.current = rules(four_eyes_above='"1"')
    [ticket] = await still.propose()
    assert (await still.approve(ticket)).answer is ClickOutcome.SECOND_NEEDED
    assert (await still.approve(ticket, EVE)).answer is ClickOutcome.APPROVED
    await still.until(ticket, TicketState.SUBMITTED)
    assert (await still.verified()).sound


async def test_a_cancel_that_was_approved_is_sent(still: Safe):
    still.emulator.order_plans["*"] = "never"
    placed = await still.placed()
    [cancel] = await still.propose_about("CANCEL", {"account_id": placed.account_id, "order_id": placed.order_id})
    assert (await still.approve(cancel)).answer is ClickOutcome.APPROVED
    await still.until(cancel, TicketState.SUBMITTED)
    assert [call.split()[0] for call in still.calls("PATCH", "DELETE")] == ["DELETE"]
    assert (await still.verified()).sound


async def test_what_was_approved_before_a_change_of_keys_is_sent_by_whoever_has_the_old_one_too(still: Safe):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    new = "quite another key of the audit, also long"
    still.store.audit = Audit(Signer([new, "a key of the audit that is long enough"]))
    assert (await still.step(ticket)).state is TicketState.SUBMITTED


async def test_without_the_key_it_was_approved_with_nothing_is_sent(still: Safe):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    still.store.audit = Audit(Signer(["quite another key of the audit, also long"]))
    await still.step(ticket)
    await refused(still, ticket)


# -- the head that is remembered --------------------------------------------------------------------------------------


async def cut(database: Database, after: int, *, with_head: bool = True) -> None:
    """The audit's newest rows are removed, and the head set back."""
    async with database.transaction() as connection:
        await connection.execute(delete(audit).where(audit.c.seq > after))
        kept = (await connection.execute(select(audit.c.hash).where(audit.c.seq == after))).scalar_one_or_none()
        if with_head:
            await connection.execute(update(audit_heads).values(seq=after, hash=kept or "0" * 64))


async def stopped(still: Safe, ticket: Ticket) -> None:
    """Nothing is approved, with a sentence; the operators hear of it once."""
    click = await still.approve(ticket)
    assert click.answer is ClickOutcome.NOT_ALLOWED
    assert "trading is stopped" in click.message
    await still.orders.watch_audit()
    [alert] = still.cards.alerts
    assert "is not as omnibot wrote it" in alert
    assert still.calls("POST") == []


async def test_a_tail_cut_off_under_the_running_bot_stops_trading(still: Safe):
    [gone], [waits] = await still.propose(), await still.propose()
    async with still.database.transaction() as connection:
        for table in (ticket_cards, ticket_versions):
            key = table.c.id if table is ticket_cards else table.c.ticket_id
            await connection.execute(delete(table).where(key == waits.id))
        await connection.execute(delete(tickets).where(tickets.c.id == waits.id))
    await cut(still.database, 1)
    assert (await still.verified()).sound, "nothing in the database tells"
    await stopped(still, gone)


async def test_an_approval_already_made_is_not_sent_once_the_tail_is_cut_off(still: Safe):
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    await cut(still.database, 1)
    unsent = await still.step(ticket)
    assert still.calls("POST") == []
    assert "trading is stopped" in (unsent.reason or "")


async def test_rows_added_after_a_cut_do_not_make_up_for_it(still: Safe):
    [ticket], _ = await still.propose(), await still.propose()
    await cut(still.database, 1)
    for reason in ("one", "two", "three"):
        await still.orders.halt(EVE, reason)
        await still.orders.resume(EVE)
    await still.settled()
    still.cards.alerts.clear()
    await stopped(still, ticket)


@pytest.mark.parametrize("with_head", [True, False])
async def test_an_emptied_audit_beside_tickets_stops_trading_even_after_a_restart(
    database: Database, emulator: ClearStreetEmulator, with_head: bool
):
    async with open_safe(database, emulator, working=False) as first:
        [ticket] = await first.propose()
    await cut(database, 0, with_head=with_head)
    async with open_safe(database, emulator, working=False) as still:
        assert not (await still.verified()).sound
        await stopped(still, ticket)


async def test_an_empty_audit_without_tickets_is_how_every_database_begins(database: Database):
    async with database.transaction() as connection:
        assert await Heads().check(connection) is None


async def test_a_head_that_names_no_row_or_is_gone_stops_trading(still: Safe):
    [ticket] = await still.propose()
    async with still.database.transaction() as connection:
        await connection.execute(delete(audit_heads))
    await stopped(still, ticket)


async def test_a_newest_row_that_was_rewritten_together_with_the_head_stops_trading(still: Safe):
    [ticket] = await still.propose()
    async with still.database.transaction() as connection:
        await connection.execute(update(audit).values(hash="f" * 64))
        await connection.execute(update(audit_heads).values(hash="f" * 64))
    await stopped(still, ticket)


async def test_what_was_rolled_back_is_not_missed(still: Safe):
    [ticket], _ = await still.propose(), await still.propose()

    async def unlinking_that_fails() -> None:
        async with still.database.transaction() as connection:
            assert (await still.store.forget(connection, [ticket.principal]))["waiting tickets"] == 2
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await unlinking_that_fails()
    await still.orders.watch_audit()
    assert still.cards.alerts == []
    assert (await still.approve(ticket)).answer is ClickOutcome.APPROVED


async def test_rows_that_other_instances_add_are_no_reason_to_stop(
    new_migrated: Callable[[], str], emulator: ClearStreetEmulator
):
    database = await open_database(new_migrated())
    await link(database, ANA)
    async with (
        open_safe(database, emulator, working=False) as one,
        open_safe(database, emulator, working=False) as other,
    ):
        for _ in range(3):
            for instance in (one, other):
                await instance.placed()
        assert one.cards.alerts + other.cards.alerts == []
        assert (await one.verified()).sound
        # And what the one has seen of the other's rows is missed like its own.
        await one.orders.watch_audit()
        [ticket] = await one.propose()
        await other.orders.watch_audit()
        query = select(audit_heads.c.seq)
        async with database.transaction() as connection:
            seq = (await connection.execute(query)).scalar_one()
        await cut(database, seq - 1)
        assert (await other.approve(ticket)).answer is ClickOutcome.NOT_ALLOWED
    await database.close()


async def test_operators_hear_the_head_each_day(still: Safe):
    await still.propose()
    await still.orders.watch_audit()
    assert still.cards.alerts == []
    for _ in range(2):
        still.clock.forward(24 * 3600)
        await still.orders.watch_audit()
        await still.orders.watch_audit()
    head = (await still.verified()).head
    assert len(still.cards.alerts) == 2
    assert all(head in one for one in still.cards.alerts)


async def test_heads_go_to_a_file_which_is_compared_after_a_restart(
    database: Database, emulator: ClearStreetEmulator, tmp_path: Path
):
    path = tmp_path / "heads"
    async with open_safe(database, emulator, working=False) as first:
        first.store.audit.heads = Heads(HeadFile(path))
        await first.propose()
        await first.orders.watch_audit()
        [ticket] = await first.propose()
        for _ in range(2):
            await first.orders.watch_audit()
        noted = [line.split()[1] for line in path.read_text().splitlines()]
        assert len(noted) == 2
        assert (await verify(database, SIGNER, heads=noted)).sound
    with path.open("a") as file:
        file.write("17 torn")
    for sound in (True, False):
        async with open_safe(database, emulator, working=False) as again:
            again.store.audit.heads = Heads(HeadFile(path))
            await again.orders.watch_audit()
            assert (again.cards.alerts == []) is sound
            if not sound:
                await stopped(again, ticket)
        if sound:
            await cut(database, 1)
    found = await verify(database, SIGNER, heads=noted)
    assert noted[1] in " ".join(found.problems)


def test_a_file_of_heads_is_its_owners_alone_and_goes_on_after_a_line_that_a_crash_cut_off(tmp_path: Path):
    path, first, second = tmp_path / "heads", Head(1, "a" * 64), Head(2, "b" * 64)
    assert HeadFile(path).last is None
    assert path.stat().st_mode & 0o777 == 0o600
    HeadFile(path).add(first)
    with path.open("a") as file:
        file.write("2 torn")
    file_again = HeadFile(path)
    assert file_again.last == first
    file_again.add(second)
    assert file_again.last == second
    assert read_heads(path) == [first, second]
    assert path.read_text().splitlines()[1] == "2 torn"


def test_a_file_that_holds_no_heads_is_none_and_says_so(tmp_path: Path):
    path = tmp_path / "notes"
    path.write_text("call Ana\n")
    with pytest.raises(SettingsError, match=r"OMNIBOT_AUDIT_HEAD_FILE: \S+notes holds no heads"):
        HeadFile(path)
    assert path.read_text() == "call Ana\n"
    with pytest.raises(SettingsError, match=r"notes holds no heads of an audit"):
        read_heads(path)
    with pytest.raises(SettingsError, match=r"OMNIBOT_AUDIT_HEAD_FILE: \S+ cannot be used \(Is a directory\)"):
        HeadFile(tmp_path)
    with pytest.raises(SettingsError, match=r"none cannot be read \(No such file or directory\)"):
        read_heads(tmp_path / "none")


# -- what the tables say, against what the audit says -----------------------------------------------------------------


async def unchanged(connection: AsyncConnection, ticket: Ticket) -> None:
    """Nothing."""


async def no_vote(connection: AsyncConnection, ticket: Ticket) -> None:
    await connection.execute(delete(ticket_votes).where(ticket_votes.c.ticket_id == ticket.id))


async def eves_vote(connection: AsyncConnection, ticket: Ticket) -> None:
    await a_vote(connection, ticket, EVE.user)


async def another_votes(connection: AsyncConnection, ticket: Ticket) -> None:
    await connection.execute(update(ticket_votes).where(ticket_votes.c.ticket_id == ticket.id).values(user="U0BEN"))


async def less_used_up(connection: AsyncConnection, ticket: Ticket) -> None:
    await connection.execute(update(reservations).values(notional="1"))


async def nothing_used_up(connection: AsyncConnection, ticket: Ticket) -> None:
    await connection.execute(delete(reservations))


async def no_rows(connection: AsyncConnection, ticket: Ticket) -> None:
    await connection.execute(delete(audit))
    await connection.execute(update(audit_heads).values(seq=0, hash="0" * 64))


async def no_ticket(connection: AsyncConnection, ticket: Ticket) -> None:
    for table in (ticket_authorisations, ticket_votes, reservations, ticket_versions):
        await connection.execute(delete(table).where(table.c.ticket_id == ticket.id))
    await connection.execute(delete(ticket_cards).where(ticket_cards.c.id == ticket.id))
    await connection.execute(delete(tickets).where(tickets.c.id == ticket.id))


OTHER_OWNER = ": its owner, account, key or client order id is not what the audit says."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (unchanged, None),
        (no_vote, ": an approval is gone that the audit tells of."),
        (eves_vote, ": it has an approval that the audit does not tell of."),
        (another_votes, ": an approval is gone that the audit tells of."),
        (less_used_up, ": what it uses up of the day is not what was written as it was approved."),
        (nothing_used_up, ": what it uses up of the day is gone."),
        (no_rows, " is in no row of the audit."),
        (no_ticket, " is gone; the audit tells of it."),
        (other_content, ": its versions are not those that the audit tells of."),
        (other_body, ": what a version says is not what was written then."),
        (setting(state="declined"), ": it is declined in version 1; the audit says submitted in version 1."),
        (setting(attempts=7), ": 7 attempts are counted; the audit says 1."),
        (setting(user="U0BEN"), OTHER_OWNER),
        (setting(account_id=1), OTHER_OWNER),
    ],
)
async def test_verifying_compares_every_ticket_with_its_rows(still: Safe, change: Forge, said: str | None):
    placed = await still.placed()
    async with still.database.transaction() as connection:
        await change(connection, placed)
    problems = (await still.verified()).problems
    assert problems == () if said is None else f"Ticket {placed.id}{said}" in problems, problems


async def test_rows_that_tell_of_sending_without_an_approval_of_the_same_content_are_found(still: Safe):
    """As a bot of somebody who has the key would write them."""
    [ticket] = await still.propose()
    await still.approve_and_die(ticket)
    begun = await still.get(ticket)
    log = still.store.audit
    others: list[dict[str, Any]] = [{"content_hash": "e" * 64}, {"version": 2}, {"attempts": 2}]
    for other in others:
        sent = replace(begun, **{"attempts": 1, **other})
        async with still.database.transaction() as connection:
            await log.append(connection, Entry(kind="submitting", ticket=sent))
        problems = (await still.verified()).problems
        assert any("without an approval of the same" in one or "its content is not" in one for one in problems), other
        async with still.database.transaction() as connection:
            seq = (await connection.execute(select(audit_heads.c.seq))).scalar_one()
        await cut(still.database, seq - 1)


async def test_a_second_proposal_of_one_ticket_is_found(still: Safe):
    [ticket] = await still.propose()
    async with still.database.transaction() as connection:
        await still.store.audit.append(connection, Entry(kind="proposed", ticket=ticket))
    assert any(one.endswith(f"ticket {ticket.id}: it was proposed twice.") for one in (await still.verified()).problems)


async def test_the_life_of_an_order_with_edits_second_attempts_and_changes_is_sound(still: Safe):
    [ticket] = await still.propose()
    click = await still.orders.edit(ticket.token, {**BUY, "quantity": "5"}, ANA)
    assert click.ticket is not None, click
    still.emulator.gate.drop("POST /v1/accounts/{account_id}/orders", "before")
    await still.approve(click.ticket)
    now = await still.until(ticket, TicketState.UNKNOWN)
    for _ in range(3):
        now = await still.step(ticket)
        still.clock.forward(20)
    assert now.state is TicketState.NOT_PLACED
    assert (await still.approve(now)).answer is ClickOutcome.APPROVED
    await still.until(ticket, TicketState.SUBMITTED)
    found = await still.verified()
    assert found.problems == ()


@pytest.mark.parametrize("act", ["NEW", "MODIFY"])
async def test_an_approval_is_good_for_one_call_whatever_its_row_says_afterwards(still: Safe, act: str):
    """Within the seconds in which an approval counts, somebody sets the row back."""
    still.emulator.order_plans["*"] = "never"
    sent, method = await still.placed(), "POST"
    if act == "MODIFY":
        about = {"account_id": sent.account_id, "order_id": sent.order_id, "quantity": "20"}
        [sent] = await still.propose_about("MODIFY", about)
        method = "PATCH"
        assert (await still.approve(sent)).answer is ClickOutcome.APPROVED
        sent = await still.until(sent, TicketState.SUBMITTED)
    before = len(still.calls(method))
    async with still.database.transaction() as connection:
        back = {"state": "approved", "attempts": 0, "owner": None, "lease_until": None, "order_over": False}
        await connection.execute(update(tickets).where(tickets.c.id == sent.id).values(**back))
    await still.step(sent)
    assert len(still.calls(method)) == before


async def test_whoever_edited_an_order_does_not_approve_it_although_the_row_names_nobody(still: Safe):
    still.book.current = rules(four_eyes_above='"1"')
    [ticket] = await still.propose()
    await still.orders.edit(ticket.token, {"quantity": "20"}, BEN)
    ticket = await still.get(ticket)
    assert (await still.approve(ticket)).answer is ClickOutcome.SECOND_NEEDED
    async with still.database.transaction() as connection:
        edited = (ticket_versions.c.ticket_id == ticket.id, ticket_versions.c.version == 2)
        await connection.execute(update(ticket_versions).where(*edited).values(org=None, user=None))
    await still.approve(ticket, BEN)
    await still.settled()
    await still.step(ticket)
    assert still.calls("POST") == []
