"""Turns that wait for a person's link: counted for them, and forgotten with it."""

from __future__ import annotations

from omnibot.accounts.model import SHARED, Person, link_principal
from omnibot.db.engine import Database
from omnibot.turns.model import HeldFor, TurnState
from omnibot.turns.store import TurnStore
from omnibot.turns.waiting import count_held, forget_held
from tests.turns.conftest import ANA, BEN
from tests.turns.test_store import accepted


async def held(store: TurnStore, ts: str, held_for: HeldFor, person: Person = ANA) -> str:
    turn = await accepted(store, ts, person=person)
    return (await store.hold(turn, held_for)).id


async def test_only_what_waits_for_the_persons_link_or_account_is_counted(database: Database, store: TurnStore):
    await held(store, "1700000001.000100", HeldFor.LINK)
    await held(store, "1700000002.000100", HeldFor.ACCOUNT)
    await held(store, "1700000003.000100", HeldFor.CONSENT)
    await held(store, "1700000004.000100", HeldFor.LINK, BEN)
    await accepted(store, "1700000005.000100")
    assert await count_held(database, ANA) == 2
    await store.request_cancel(ANA, "C1")
    assert await count_held(database, ANA) == 0
    assert await count_held(database, BEN) == 1


async def test_with_a_link_what_waits_for_it_is_forgotten_words_and_all(database: Database, store: TurnStore):
    mine = await held(store, "1700000001.000100", HeldFor.LINK)
    consent = await held(store, "1700000002.000100", HeldFor.CONSENT)
    bens = await held(store, "1700000003.000100", HeldFor.LINK, BEN)
    async with database.transaction() as connection:
        assert await forget_held(connection, [link_principal(ANA)]) == {"waiting questions": 1}
        assert await forget_held(connection, [SHARED]) == {}
    turns = [await store.get(turn_id) for turn_id in (mine, consent, bens)]
    assert [turn.state for turn in turns if turn] == [TurnState.CANCELED, TurnState.HELD, TurnState.HELD]
    assert turns[0] is not None
    assert (turns[0].event, turns[0].question) == ({}, None)
    assert turns[0].ended_at is not None
