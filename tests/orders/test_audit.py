"""The audit: whatever is done to its rows is found, and it can be read by people and programs."""

from __future__ import annotations

import csv
import json

import pytest
from sqlalchemy import delete, insert, select, text, update

from omnibot.db.tables import audit, audit_heads
from omnibot.errors import SettingsError
from omnibot.orders.audit import Signer, export, verify
from omnibot.orders.explaining import explain
from omnibot.orders.model import TicketState
from tests.orders.harness import BUY, EVE, SIGNER, Safe


async def written(still: Safe) -> None:
    """Some rows."""
    [ticket] = await still.propose()
    await still.approve(ticket)
    await still.until(ticket, TicketState.SUBMITTED)
    await still.orders.halt(EVE, "=HYPERLINK(1)")
    await still.settled()


async def do(still: Safe, statement) -> None:
    async with still.database.transaction() as connection:
        await connection.execute(statement)


async def test_an_untouched_audit_is_sound(still: Safe):
    await written(still)
    found = await still.verified()
    assert (found.sound, found.rows) == (True, 5)


async def test_an_edited_row_is_found(still: Safe):
    await written(still)
    record = "replace(record, 'approved', 'declined')"
    await do(still, text(f"UPDATE audit SET record = {record} WHERE seq = 2"))
    found = await still.verified()
    assert "Row 2 is not what was signed" in found.problems[0]


async def test_a_row_filed_under_another_ticket_is_found(still: Safe):
    await written(still)
    await do(still, update(audit).where(audit.c.seq == 2).values(ticket_id="another"))
    assert not (await still.verified()).sound


async def test_a_removed_row_is_found(still: Safe):
    await written(still)
    await do(still, delete(audit).where(audit.c.seq == 3))
    assert "rows between them were removed" in (await still.verified()).problems[0]


async def test_an_inserted_row_is_found(still: Safe):
    await written(still)
    async with still.database.transaction() as connection:
        last = (await connection.execute(select(audit).order_by(audit.c.seq.desc()).limit(1))).mappings().one()
        forged = {**last, "seq": last["seq"] + 1, "prev_hash": last["hash"], "hash": "f" * 64}
        await connection.execute(insert(audit).values(**forged))
    assert not (await still.verified()).sound


async def test_a_cut_tail_is_found_by_the_head_that_is_kept(still: Safe):
    await written(still)
    await do(still, delete(audit).where(audit.c.seq > 3))
    assert "The newest rows are missing" in (await still.verified()).problems[0]


async def test_a_tail_cut_together_with_the_head_is_found_by_a_head_that_was_noted(still: Safe):
    await written(still)
    noted = (await still.verified()).head
    async with still.database.transaction() as connection:
        await connection.execute(delete(audit).where(audit.c.seq > 4))
        head = (await connection.execute(select(audit.c.hash).where(audit.c.seq == 4))).scalar_one()
        await connection.execute(update(audit_heads).values(seq=4, hash=head))
    assert (await still.verified()).sound, "nothing in the database tells"
    found = await verify(still.database, SIGNER, heads=[noted])
    assert noted in found.problems[0]


async def test_with_another_key_nothing_verifies_and_with_the_old_one_behind_a_new_all_does(still: Safe):
    await written(still)
    other = Signer(["quite another key of the audit, also long"])
    assert "cannot be verified" in (await verify(still.database, other)).problems[0]
    both = Signer(["quite another key of the audit, also long", "a key of the audit that is long enough"])
    assert (await verify(still.database, both)).sound


async def test_each_approval_tells_what_was_seen_and_what_each_rule_said(still: Safe):
    await written(still)
    async with still.database.transaction() as connection:
        rows = [json.loads(one) for one in (await connection.execute(select(audit.c.record))).scalars()]
    approved = next(row for row in rows if row["kind"] == "approved")
    assert approved["quote"]["bid"]
    assert len(approved["content_hash"]) == 64
    assert {k: approved["verdicts"][0][k] for k in ("rule", "passed")} == {"rule": "trader", "passed": True}
    assert approved["policy"] == still.book.digest
    assert next(row for row in rows if row["kind"] == "submitted")["request_id"]


async def test_an_export_is_for_programs_and_for_spreadsheets(still: Safe):
    await written(still)
    lines = [json.loads(line) async for line in export(still.database, "json")]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
    table = list(csv.DictReader([line async for line in export(still.database, "csv")]))
    assert [row["kind"] for row in table] == ["proposed", "approved", "submitting", "submitted", "halted"]
    assert json.loads(table[1]["record"])["verdicts"]


async def test_a_ticket_is_explained_rule_by_rule(still: Safe):
    [ticket] = await still.propose({**BUY, "quantity": "1000"})
    assert "have not been asked yet" in (await explain(still.database, ticket.id) or "")
    await still.approve(ticket)
    for name in (ticket.id, ticket.client_order_id):
        told = await explain(still.database, name) or ""
        assert "NO   order_notional" in told
        assert "yes  trader" in told
    assert await explain(still.database, "no-such-ticket") is None


def test_an_audit_without_a_good_key_is_refused():
    with pytest.raises(SettingsError, match="openssl rand"):
        Signer([])
    with pytest.raises(SettingsError, match="too short"):
        Signer(["short"])
    assert "x" * 40 not in repr(Signer(["x" * 40]))
