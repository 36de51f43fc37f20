"""What people began: found again by them alone, and moved to another Slack thread as a whole."""

from __future__ import annotations

from sqlalchemy import select, update

from omnibot.accounts.account_choices import AccountChoices
from omnibot.accounts.model import Place
from omnibot.db.engine import Database
from omnibot.db.tables import conversations, turns
from omnibot.turns.history import History, PastConversation
from omnibot.turns.model import Person, Turn, TurnState
from omnibot.turns.rows import utcnow
from omnibot.turns.rules import MOVED
from omnibot.turns.store import TurnStore
from tests.turns.conftest import ANA, BEN, new_turn

OLD, NEW = "1700000001.000100", "1700000100.000100"


async def asked(
    store: TurnStore,
    ts: str,
    *,
    person: Person = ANA,
    root: str | None = None,
    principal: str = "shared",
    account_id: int | None = 19816,
) -> Turn:
    """A question that has its conversation."""
    turn_id = await store.accept(new_turn(ts, person=person, thread_ts=root or ts))
    turn = await store.get(turn_id or "")
    assert turn is not None
    return await store.join(
        turn, question=f"q {ts}", channel="C1", thread_ts=root or ts, principal=principal, account_id=account_id
    )


async def done(database: Database, turn: Turn, omni_thread_id: str = "thread-1") -> None:
    """It was answered, in this Omni thread."""
    async with database.transaction() as connection:
        known = update(conversations).where(conversations.c.id == turn.conversation_id)
        await connection.execute(known.values(omni_thread_id=omni_thread_id))
        over = {"state": TurnState.SUCCEEDED.value, "owner": None, "ended_at": utcnow()}
        await connection.execute(update(turns).where(turns.c.id == turn.id).values(**over))


async def began(history: History, person: Person = ANA, principal: str = "shared") -> list[PastConversation]:
    return await history.began(person, principal, team="T1", limit=10)


async def the_one(history: History) -> PastConversation:
    (past,) = await began(history)
    return past


async def test_the_latest_is_first_and_pages_follow_each_other(store: TurnStore, database: Database):
    history = History(database)
    for n in range(5):
        await asked(store, f"170000000{n}.000100")

    everything = await began(history)
    pages = [await history.began(ANA, "shared", team="T1", limit=2, skip=skip) for skip in (0, 2, 4)]

    assert [past.question for past in everything] == [f"q 170000000{n}.000100" for n in (4, 3, 2, 1, 0)]
    assert [past for page in pages for past in page] == everything


async def test_a_conversation_is_found_by_whoever_began_it_and_by_nobody_else(store: TurnStore, database: Database):
    history = History(database)
    await asked(store, OLD)
    await asked(store, "1700000002.000100", person=BEN, root=OLD)

    past = await the_one(history)

    assert past.question == f"q {OLD}"
    assert await began(history, BEN) == []
    assert await history.find(past.id, ANA, "shared", team="T1") == past
    assert await history.find(past.id, BEN, "shared", team="T1") is None


async def test_what_was_asked_with_another_key_or_in_another_workspace_is_not_found(
    store: TurnStore, database: Database
):
    history = History(database)
    await asked(store, OLD, principal="link:T1:U_ANA")

    assert await began(history) == []
    assert len(await began(history, principal="link:T1:U_ANA")) == 1
    assert await history.began(ANA, "link:T1:U_ANA", team="T2", limit=10) == []


async def test_moving_takes_the_omni_thread_along_and_lets_its_person_go_on_without_a_mention(
    store: TurnStore, database: Database
):
    history = History(database)
    turn = await asked(store, OLD)
    await done(database, turn)
    past = await the_one(history)

    assert await history.move(past, ANA, channel="C2", thread_ts=NEW)

    moved = await the_one(history)
    assert (moved.id, moved.channel, moved.thread_ts, moved.omni_thread_id) == (past.id, "C2", NEW, "thread-1")
    assert (moved.question, moved.begun_at) == (past.question, past.begun_at)
    after = "1700000101.000100"
    there = {"channel": "C2", "thread_ts": NEW}
    assert await store.accept(new_turn(after, person=BEN, source_key="ben", **there), only_if_participant=True) is None
    turn_id = await store.accept(new_turn(after, **there), only_if_participant=True)
    follow_up = await store.get(turn_id or "")
    assert follow_up is not None
    joined = await store.join(follow_up, question="on", principal="shared", account_id=19816, **there)
    assert joined.conversation_id == past.id
    assert await store.ahead(joined) == 0


async def test_the_old_slack_thread_begins_anew_and_says_why(store: TurnStore, database: Database):
    history = History(database)
    first = await asked(store, OLD)
    await done(database, first)
    await history.move(await the_one(history), ANA, channel="C2", thread_ts=NEW)

    again = await asked(store, "1700000200.000100", root=OLD)
    bens = await asked(store, "1700000201.000100", root=OLD, person=BEN, principal="link:T1:U_BEN")
    elsewhere = await asked(store, "1700000300.000100")

    assert again.conversation_id != first.conversation_id
    assert (first.notices, again.notices, bens.notices, elsewhere.notices) == ((), (MOVED,), (), ())


async def test_a_conversation_about_no_account_stays_so_where_it_goes_on_until_an_account_is_chosen_there(
    store: TurnStore, database: Database
):
    history, here = History(database), Place("T1", "C2", NEW)
    await done(database, await asked(store, OLD, account_id=None))
    assert not await store.about_no_account(ANA, "shared", Place("T1", "C1", OLD))
    await history.move(await the_one(history), ANA, channel="C2", thread_ts=NEW)

    assert await store.about_no_account(ANA, "shared", here)
    assert not await store.about_no_account(BEN, "link:T1:U_BEN", here)
    await AccountChoices(database).choose(ANA, "shared", 19816, team="T1", place=here)
    assert not await store.about_no_account(ANA, "shared", here)


async def test_a_conversation_about_an_account_stays_about_it_where_it_goes_on(store: TurnStore, database: Database):
    history, here = History(database), Place("T1", "C2", NEW)
    await done(database, await asked(store, OLD))
    await history.move(await the_one(history), ANA, channel="C2", thread_ts=NEW)

    assert not await store.about_no_account(ANA, "shared", here)
    chosen = await AccountChoices(database).chosen(ANA, "shared", here)
    assert chosen is not None
    assert chosen.account_id == 19816


async def test_a_conversation_is_moved_once_from_where_it_was(store: TurnStore, database: Database):
    history = History(database)
    await done(database, await asked(store, OLD))
    past = await the_one(history)

    assert await history.move(past, ANA, channel="C2", thread_ts=NEW)
    assert not await history.move(past, ANA, channel="C3", thread_ts="1700000101.000100")

    assert (await the_one(history)).channel == "C2"
    async with database.transaction() as connection:
        assert (await connection.execute(select(turns.c.id).where(turns.c.channel == "C3"))).all() == []


async def test_a_conversation_with_an_open_question_stays_where_it_is(store: TurnStore, database: Database):
    history = History(database)
    await done(database, await asked(store, OLD))
    await asked(store, "1700000002.000100", root=OLD)
    past = await the_one(history)

    assert await history.busy(past.id)
    assert not await history.move(past, ANA, channel="C2", thread_ts=NEW)


async def test_what_is_pruned_is_listed_without_its_words(store: TurnStore, database: Database):
    history = History(database)
    await done(database, await asked(store, OLD))
    await store.prune(utcnow())

    past = await the_one(history)

    assert past.question is None
    assert await history.last_answered(past.id) is None
