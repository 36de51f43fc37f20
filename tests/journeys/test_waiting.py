"""Questions asked while Omni is busy: their order, edits, deletions, Stop."""

import itertools

from tests.journeys.conftest import House


async def test_three_follow_ups_while_busy_are_answered_in_order_and_never_two_at_a_time(house: House):
    house.script("number", "Noted.", seconds=1.2)
    ts = await house.slack.say("ana", "trading", "@Omni number 1")
    for n in (2, 3, 4):
        await house.slack.say("ana", "trading", f"number {n}", thread_ts=ts)
    await house.answered("trading", ts, count=4)
    assert house.asked() == [f"number {n}" for n in (1, 2, 3, 4)]
    assert len(house.omni.threads) == 1
    refused = [c for c in house.omni.calls if c.status == 409]
    assert refused == []
    assert len(house.slack.ephemerals("ana")) == 3


async def test_a_waiting_question_can_be_edited_and_another_deleted(house: House):
    house.script("question", "Noted.", seconds=2)
    ts = await house.slack.say("ana", "trading", "@Omni question one")
    two = await house.slack.say("ana", "trading", "question twwo", thread_ts=ts)
    three = await house.slack.say("ana", "trading", "question three", thread_ts=ts)
    await house.slack.wait_for(lambda: len(house.slack.ephemerals("ana")) == 2)
    await house.slack.edit("trading", two, "question two")
    await house.slack.delete("trading", three)
    await house.slack.say("ana", "trading", "question four", thread_ts=ts)
    await house.answered("trading", ts, count=3)
    assert house.asked() == ["question one", "question two", "question four"]


async def test_more_than_five_waiting_questions_are_refused_with_a_reason(house: House):
    house.script("number", "Noted.", seconds=4)
    ts = await house.slack.say("ana", "trading", "@Omni number 0")
    for n in range(1, 8):
        await house.slack.say("ana", "trading", f"number {n}", thread_ts=ts)
    await house.slack.wait_for(lambda: any("already waiting" in e["text"] for e in house.slack.ephemerals("ana")))


async def test_stop_ends_the_answer_at_omni_and_drops_what_waits(house: House):
    house.script("slow", "This is the beginning of a long answer. " * 30, seconds=25)
    ts = await house.slack.say("ana", "trading", "@Omni slow please")
    await house.slack.say("ana", "trading", "another slow one", thread_ts=ts)
    await house.slack.wait_for(lambda: house.slack.ephemerals("ana"))
    await house.slack.wait_for(lambda: "beginning of a long answer" in "".join(house.shown("trading", ts)))
    result = await house.slack.command("ana", "trading", "/omni", "stop")
    assert "1 answer" in str(result.ack_payload)
    assert "1 waiting question" in str(result.ack_payload)
    text = await house.answered("trading", ts, "Stopped by")
    assert "beginning of a long answer" in text
    assert house.asked() == ["slow please"]
    assert house.omni.active() == []
    (cancel,) = [c for c in house.omni.calls if c.name.startswith("DELETE")]
    assert cancel.status == 200


async def test_stop_before_omni_has_the_question_still_stops_it(house: House):
    house.script("slow", "Long answer.", seconds=20)
    hold = house.omni.gate.hold("POST /v1/omni-ai/threads", "after")
    ts = await house.slack.say("ana", "trading", "@Omni slow please")
    await hold.reached()
    await house.slack.command("ana", "trading", "/omni", "stop")
    hold.release()
    await house.answered("trading", ts, "Stopped by")
    assert house.omni.active() == []


async def test_stop_with_nothing_to_stop_says_so(house: House):
    result = await house.slack.command("ana", "trading", "/omni", "stop")
    assert "nothing to stop" in str(result.ack_payload)


async def test_stop_never_touches_somebody_elses_answer(house: House):
    house.script("slow", "Ben's answer.", seconds=3)
    ts = await house.slack.say("ben", "trading", "@Omni slow please")
    await house.slack.wait_for(lambda: house.omni.active())
    result = await house.slack.command("ana", "trading", "/omni", "stop")
    assert "nothing to stop" in str(result.ack_payload)
    await house.answered("trading", ts, "Ben's answer.")


async def test_a_thread_that_somebody_else_keeps_busy_is_waited_for(house: House):
    """409, and `/response` shows an active response that is not ours."""
    house.script("first", "One.")
    ts = await house.slack.say("ana", "trading", "@Omni first")
    await house.answered("trading", ts, "One.")
    house.script("elsewhere", "Elsewhere.", seconds=3)
    (thread_id,) = house.omni.threads
    await house.ask_directly(thread_id, "elsewhere")
    house.script("second", "Two.")
    await house.slack.say("ana", "trading", "second", thread_ts=ts)
    await house.answered("trading", ts, "Two.", count=2)
    assert house.asked() == ["first", "elsewhere", "second"]
    assert any(c.status == 409 for c in house.omni.calls)


async def test_an_idle_thread_that_still_refuses_is_replaced_by_a_new_one_and_that_is_said(house: House):
    """409 although `/response` is idle: the thread's scope changed."""
    house.script("first", "One.")
    ts = await house.slack.say("ana", "trading", "@Omni first")
    await house.answered("trading", ts, "One.")
    house.script("second", "Two.")
    house.omni.gate.refuse("POST /v1/omni-ai/threads/{thread_id}/messages", status=409, count=10)
    await house.slack.say("ana", "trading", "second", thread_ts=ts)
    text = await house.answered("trading", ts, "Two.", count=2)
    assert "this is a new one" in text
    assert len(house.omni.threads) == 2
    conflicts = [c for c in house.omni.calls if c.status == 409]
    assert len(conflicts) == 3
    gaps = [b.monotonic - a.monotonic for a, b in itertools.pairwise(conflicts)]
    assert min(gaps) > 0.9


async def test_an_omni_thread_that_is_gone_is_replaced_by_a_new_one(house: House):
    house.script("first", "One.")
    ts = await house.slack.say("ana", "trading", "@Omni first")
    await house.answered("trading", ts, "One.")
    house.script("second", "Two.")
    house.omni.gate.refuse("POST /v1/omni-ai/threads/{thread_id}/messages", status=404)
    await house.slack.say("ana", "trading", "second", thread_ts=ts)
    assert "this is a new one" in await house.answered("trading", ts, "Two.", count=2)


async def test_a_429_is_waited_for_as_long_as_the_api_says(house: House):
    house.script("hello", "Hi.")
    house.omni.gate.refuse("POST /v1/omni-ai/threads", status=429, headers={"Retry-After": "2"})
    ts = await house.slack.say("ana", "trading", "@Omni hello")
    await house.answered("trading", ts, "Hi.")
    first, second = [c for c in house.omni.calls if c.name == "POST /v1/omni-ai/threads"]
    assert second.monotonic - first.monotonic >= 2
    assert house.asked() == ["hello"]
