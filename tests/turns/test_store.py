"""Every "only once" of the store, tried by several at a time."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from omnibot.db.engine import Database
from omnibot.db.tables import OPEN_STATES, turns
from omnibot.errors import OwnershipLost
from omnibot.turns.buttons import Buttons
from omnibot.turns.model import OfferedButton, Outcome, Pressed, Surface, Turn, TurnAnswer, TurnState
from omnibot.turns.rows import utcnow
from omnibot.turns.store import TurnStore
from tests.turns.conftest import ANA, BEN, new_turn


async def accepted(store: TurnStore, ts: str = "1700000001.000100", **over: object) -> Turn:
    turn_id = await store.accept(new_turn(ts, **over))
    assert turn_id is not None
    turn = await store.get(turn_id)
    assert turn is not None
    return turn


async def joined(store: TurnStore, ts: str = "1700000001.000100", **over: object) -> Turn:
    turn = await accepted(store, ts, **over)
    return await store.join(
        turn, question="q", channel="C1", thread_ts=turn.thread_ts or "", principal="shared", account_id=19816
    )


async def submitting(store: TurnStore, ts: str = "1700000001.000100", **over: object) -> Turn:
    turn = await joined(store, ts, **over)
    submitted = await store.submit(turn, request={"text": "q"}, thread_id=None, deadline=timedelta(minutes=3))
    assert submitted is not None
    return submitted


async def test_one_post_delivered_ten_times_at_once_is_one_turn(store: TurnStore):
    ids = await asyncio.gather(*(store.accept(new_turn()) for _ in range(10)))
    assert len([i for i in ids if i is not None]) == 1


async def test_a_follow_up_is_stored_only_for_somebody_who_takes_part_in_the_thread(store: TurnStore):
    follow_up = new_turn("1700000002.000100")
    assert await store.accept(follow_up, only_if_participant=True) is None
    await accepted(store)
    assert await store.accept(follow_up, only_if_participant=True) is not None
    stranger = new_turn("1700000003.000100", person=BEN)
    assert await store.accept(stranger, only_if_participant=True) is None


async def test_a_turn_waits_for_earlier_ones_and_for_whoever_is_at_work(store: TurnStore):
    first = await joined(store)
    second = await joined(store, "1700000002.000100")
    assert await store.ahead(first) == 0
    assert await store.ahead(second) == 1
    unread = await accepted(store, "1700000001.500000")
    assert await store.ahead(second) == 2
    await store.move(unread, TurnState.CANCELED)
    await store.move(first, TurnState.CANCELED)
    assert await store.ahead(second) == 0


async def test_an_earlier_message_that_arrives_late_waits_for_the_turn_at_work(store: TurnStore):
    await submitting(store, "1700000005.000100")
    late = await joined(store, "1700000004.000100")
    assert await store.ahead(late) == 1


async def test_a_held_turn_is_passed_by_later_ones(store: TurnStore):
    first = await joined(store)
    await store.move(first, TurnState.HELD, held_for="link")
    second = await joined(store, "1700000002.000100")
    assert await store.ahead(second) == 0


async def test_only_one_of_ten_equal_transitions_succeeds(store: TurnStore):
    turn = await joined(store)
    tried = await asyncio.gather(*(store.move(turn, TurnState.CANCELED) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(t, Turn) for t in tried) == 1
    assert sum(isinstance(t, OwnershipLost) for t in tried) == 9


async def test_who_does_not_own_a_turn_cannot_move_it(database: Database, store: TurnStore):
    turn = await joined(store)
    with pytest.raises(OwnershipLost):
        await TurnStore(database, "other").move(turn, TurnState.CANCELED)


async def test_a_question_edited_while_it_is_being_submitted_is_not_sent_in_its_old_words(store: TurnStore):
    turn = await joined(store)
    assert await store.edit_waiting(turn.source_key, {"text": "price of AMD?"}, "1.2") == turn.id
    assert await store.submit(turn, request={}, thread_id=None, deadline=timedelta(minutes=3)) is None
    edited = await store.get(turn.id)
    assert edited is not None
    assert (edited.question, edited.event) == (None, {"text": "price of AMD?"})


async def test_an_edit_after_submission_changes_nothing(store: TurnStore):
    turn = await submitting(store)
    assert await store.edit_waiting(turn.source_key, {"text": "other"}, "1.2") is None


async def test_a_question_edited_while_it_is_being_authorised_is_read_again(store: TurnStore):
    turn = await accepted(store)
    await store.edit_waiting(turn.source_key, {"text": "new"}, "1.2")
    with pytest.raises(OwnershipLost):
        await store.join(turn, question="old", channel="C1", thread_ts="1", principal="shared", account_id=1)


async def test_an_older_edit_that_comes_again_changes_nothing(store: TurnStore):
    turn = await accepted(store)
    assert await store.edit_waiting(turn.source_key, {"text": "newest"}, "1.3") == turn.id
    assert await store.edit_waiting(turn.source_key, {"text": "older"}, "1.2") is None


async def test_two_turns_of_a_conversation_are_never_at_omni_together(store: TurnStore):
    first, second = await joined(store), await joined(store, "1700000002.000100")
    tried = await asyncio.gather(
        *(store.submit(t, request={}, thread_id=None, deadline=timedelta(minutes=3)) for t in (first, second))
    )
    assert sum(t is not None for t in tried) == 1


async def test_a_private_question_can_be_asked_again_by_its_asker_only(store: TurnStore):
    turn = await submitting(store, surface=Surface.PRIVATE)
    running = await store.started(turn, thread_id="th", response_id="r", user_message_id="m1")
    assert running is not None
    await store.finalize(running, TurnAnswer(Outcome.FAILED), [button("retry", kind="retry")], None)
    assert await Buttons(store).accept("retry", team="T1", person=BEN, now_ts="1700000099.000100") is None
    assert await Buttons(store).accept("retry", team="T1", person=ANA, now_ts="1700000099.000100") is not None


async def test_errors_of_the_database_carry_no_words_of_people(store: TurnStore, database: Database):
    async with database.transaction() as connection:
        for name in ("posts", "buttons", "uploads", "consents"):
            await connection.exec_driver_sql(f"DROP TABLE {name}")
        await connection.exec_driver_sql("DROP TABLE turns")
    with pytest.raises(SQLAlchemyError) as failed:
        await store.accept(new_turn(event={"text": "sell all of it"}))
    assert "sell all" not in str(failed.value)


async def test_the_same_request_keeps_its_idempotency_key_and_another_gets_its_own(store: TurnStore):
    turn = await submitting(store)
    back = await store.move(turn, TurnState.ACCEPTED)
    again = await store.submit(back, request={"text": "q"}, thread_id=None, deadline=timedelta(minutes=3))
    assert again is not None
    assert again.idempotency_key == turn.idempotency_key
    assert again.submissions == 2
    assert again.deadline_at == turn.deadline_at
    back = await store.move(again, TurnState.ACCEPTED)
    other = await store.submit(back, request={"text": "new"}, thread_id=None, deadline=timedelta(minutes=3))
    assert other is not None
    assert other.idempotency_key != turn.idempotency_key


async def test_one_omni_message_is_adopted_by_one_turn_only(store: TurnStore):
    first = await submitting(store)
    second = await submitting(store, "1700000009.000100", thread_ts="1700000009.000100")
    assert await store.started(first, thread_id="th1", response_id="r", user_message_id="m1") is not None
    assert await store.started(second, thread_id="th2", response_id="r", user_message_id="m1") is None


async def test_one_omni_thread_belongs_to_one_conversation_only(store: TurnStore):
    first = await submitting(store)
    other = await accepted(store, "1700000009.000100", thread_ts="1700000009.000100")
    other = await store.join(
        other, question="q", channel="C1", thread_ts="1700000009.000100", principal="shared", account_id=19816
    )
    sent = await store.submit(other, request={}, thread_id=None, deadline=timedelta(minutes=3))
    assert sent is not None
    assert await store.started(first, thread_id="th", response_id="r", user_message_id="m1") is not None
    assert await store.started(sent, thread_id="th", response_id="r", user_message_id="m2") is None


async def finalized(store: TurnStore, *offers: OfferedButton) -> Turn:
    turn = await submitting(store)
    running = await store.started(turn, thread_id="th", response_id="r", user_message_id="m1")
    assert running is not None
    return await store.finalize(running, TurnAnswer(Outcome.SUCCEEDED, [{"type": "text", "text": "hi"}]), offers, 2)


def button(token: str, kind: str = "prompt") -> OfferedButton:
    return OfferedButton(token, 0, kind, 0, "b", "More", prompt="Tell me more")


async def test_ten_clicks_of_one_person_are_one_turn_and_another_persons_click_is_another(store: TurnStore):
    await finalized(store, button("tok"))
    clicks = await asyncio.gather(
        *(Buttons(store).accept("tok", team="T1", person=ANA, now_ts="1700000099.000100") for _ in range(10))
    )
    taken = [c for c in clicks if c is not None]
    assert len(taken) == 1
    assert await Buttons(store).why_not("tok", ANA) is Pressed.ALREADY
    pressed = await store.get(taken[0])
    assert pressed is not None
    assert (pressed.question, pressed.channel, pressed.thread_ts) == ("Tell me more", "C1", "1700000001.000100")
    assert await Buttons(store).accept("tok", team="T1", person=BEN, now_ts="1700000099.000200") is not None


async def test_a_button_can_be_pressed_again_once_its_answer_is_there(store: TurnStore):
    await finalized(store, button("tok"))
    first = await Buttons(store).accept("tok", team="T1", person=ANA, now_ts="1700000099.000100")
    assert first is not None
    turn = await store.get(first)
    assert turn is not None
    await store.move(turn, TurnState.CANCELED)
    assert await Buttons(store).why_not("tok", ANA) is Pressed.GONE
    assert await Buttons(store).accept("tok", team="T1", person=ANA, now_ts="1700000099.000300") is not None


@pytest.mark.parametrize(("token", "team"), [("unknown", "T1"), ("tok", "T_OTHER"), ("words", "T1")])
async def test_buttons_that_ask_nothing_or_belong_elsewhere_make_no_turn(store: TurnStore, token: str, team: str):
    await finalized(store, button("tok"), OfferedButton("words", 1, "words", 0, "b2", "Only words"))
    assert await Buttons(store).accept(token, team=team, person=ANA, now_ts="1700000099.000100") is None


async def test_retry_asks_the_same_question_again_as_whoever_presses(store: TurnStore):
    await finalized(store, button("retry", kind="retry"))
    turn_id = await Buttons(store).accept("retry", team="T1", person=BEN, now_ts="1700000099.000100")
    assert turn_id is not None
    turn = await store.get(turn_id)
    assert turn is not None
    assert (turn.question, turn.person) == ("q", BEN)


async def test_who_pressed_is_remembered_once_and_in_order(store: TurnStore):
    turn = await finalized(store, button("tok"))
    assert await Buttons(store).mark("tok", "U_ANA") == turn.id
    assert await Buttons(store).mark("tok", "U_ANA") is None
    assert await Buttons(store).mark("tok", "U_BEN") == turn.id
    assert (await Buttons(store).of(turn.id))[0].pressed_by == ("U_ANA", "U_BEN")


async def test_stop_reaches_every_open_turn_of_a_person_in_the_channel_and_nobody_elses(store: TurnStore):
    working = await submitting(store)
    waiting = await joined(store, "1700000002.000100")
    await joined(store, "1700000003.000100", person=BEN)
    stopped = await store.request_cancel(ANA, "C1")
    assert stopped == {working.id: TurnState.SUBMITTING, waiting.id: TurnState.ACCEPTED}
    assert await store.request_cancel(ANA, "C1") == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_dead_process_left_is_claimed_at_once_on_sqlite(database: Database, store: TurnStore):
    turn = await joined(store)
    survivor = TurnStore(database, "survivor")
    ids = await survivor.leases.claim(turns.c.state.in_(OPEN_STATES), limit=10)
    assert ids == [turn.id]
    assert await survivor.leases.claim(turns.c.state.in_(OPEN_STATES), limit=10) == []
    assert await store.leases.renew([turn.id]) == set()
    assert await survivor.leases.renew([turn.id]) == {turn.id}


async def test_a_lease_that_was_not_renewed_runs_out(database: Database, store: TurnStore):
    turn = await joined(store)
    async with database.transaction() as connection:
        await connection.execute(update(turns).values(lease_until=database.after(-1)))
    ids = await store.leases.claim(turns.c.state.in_(OPEN_STATES), limit=10)
    assert ids == [turn.id]


async def test_ended_turns_are_nobodys(store: TurnStore):
    turn = await joined(store)
    await store.move(turn, TurnState.CANCELED)
    assert await store.leases.claim(turns.c.state.in_(OPEN_STATES), limit=10) == []


async def test_amounts_survive_storage_exactly(store: TurnStore):
    from decimal import Decimal

    turn = await submitting(store)
    running = await store.started(turn, thread_id="th", response_id="r", user_message_id="m1")
    assert running is not None
    part = {"type": "chart", "y": Decimal("0.1000000000000000055511151231257827")}
    stored = await store.finalize(running, TurnAnswer(Outcome.SUCCEEDED, [part]), (), None)
    assert stored.answer is not None
    assert stored.answer.parts == [{"type": "chart", "y": "0.1000000000000000055511151231257827"}]


async def test_old_turns_are_emptied_of_words_and_young_and_open_ones_are_not(store: TurnStore):
    turn = await finalized(store, button("tok"))
    now = utcnow()
    assert await store.prune(now + timedelta(days=1)) == 0
    await store.move(turn, TurnState.SUCCEEDED)
    assert await store.prune(now - timedelta(days=1)) == 0
    assert await store.prune(now + timedelta(days=1)) == 1
    emptied = await store.get(turn.id)
    assert emptied is not None
    assert (emptied.question, emptied.event, emptied.request, emptied.answer) == (None, {}, None, None)
    assert await Buttons(store).of(turn.id) == []
    assert await store.accept(new_turn()) is None
    assert await Buttons(store).accept("tok", team="T1", person=ANA, now_ts="1700000099.000100") is None
    assert await store.prune(now + timedelta(days=1)) == 0


async def test_one_answer_is_stopped_by_its_asker_alone_and_what_waits_behind_it_goes_on(store: TurnStore):
    working = await submitting(store)
    waiting = await joined(store, "1700000002.000100")
    assert await store.request_cancel(BEN, "C1", turn_id=working.id) == {}
    assert await store.request_cancel(ANA, "C1", turn_id=working.id) == {working.id: TurnState.SUBMITTING}
    assert await store.request_cancel(ANA, "C1", turn_id=working.id) == {}
    assert await store.canceled_among([working.id, waiting.id]) == [await store.get(working.id)]


@pytest.mark.parametrize("later", ["dropped", "waiting", "asked"])
async def test_an_answer_is_the_last_one_until_something_else_was_asked(store: TurnStore, later: str):
    turn = await finalized(store, button("again", kind="regenerate"))
    await store.move(turn, TurnState.SUCCEEDED)
    presses = Buttons(store)
    if later == "asked":
        await store.move(await submitting(store, "1700000002.000100"), TurnState.FAILED)
    else:
        next_turn = await joined(store, "1700000002.000100")
        if later == "dropped":
            await store.request_cancel(ANA, "C1")
            await store.move(next_turn, TurnState.CANCELED)
    begun = await presses.accept("again", team="T1", person=ANA, now_ts="1700000099.000100")
    assert (begun is not None) is (later == "dropped")
    assert await presses.why_not("again", ANA) is (Pressed.ALREADY if begun else Pressed.PASSED)
