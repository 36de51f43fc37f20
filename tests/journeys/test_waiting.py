"""Questions asked while Omni is busy: their order, edits, deletions, Stop."""

import itertools

from tests.journeys.conftest import Deployment


async def test_three_follow_ups_while_busy_are_answered_in_order_and_never_two_at_a_time(deployment: Deployment):
    deployment.script("number", "Noted.", seconds=1.2)
    ts = await deployment.slack.say("ana", "trading", "@Omni number 1")
    for n in (2, 3, 4):
        await deployment.slack.say("ana", "trading", f"number {n}", thread_ts=ts)
    await deployment.answered("trading", ts, count=4)
    assert deployment.asked() == [f"number {n}" for n in (1, 2, 3, 4)]
    assert len(deployment.omni.threads) == 1
    refused = [c for c in deployment.omni.calls if c.status == 409]
    assert refused == []
    assert len(deployment.slack.ephemerals("ana")) == 3


async def test_a_waiting_question_can_be_edited_and_another_deleted(deployment: Deployment):
    deployment.script("question", "Noted.", seconds=2)
    ts = await deployment.slack.say("ana", "trading", "@Omni question one")
    two = await deployment.slack.say("ana", "trading", "question twwo", thread_ts=ts)
    three = await deployment.slack.say("ana", "trading", "question three", thread_ts=ts)
    await deployment.slack.wait_for(lambda: len(deployment.slack.ephemerals("ana")) == 2)
    await deployment.slack.edit("trading", two, "question two")
    await deployment.slack.delete("trading", three)
    await deployment.slack.say("ana", "trading", "question four", thread_ts=ts)
    await deployment.answered("trading", ts, count=3)
    assert deployment.asked() == ["question one", "question two", "question four"]


async def test_more_than_five_waiting_questions_are_refused_with_a_reason(deployment: Deployment):
    deployment.script("number", "Noted.", seconds=4)
    ts = await deployment.slack.say("ana", "trading", "@Omni number 0")
    for n in range(1, 8):
        await deployment.slack.say("ana", "trading", f"number {n}", thread_ts=ts)
    await deployment.slack.wait_for(
        lambda: any("already waiting" in e["text"] for e in deployment.slack.ephemerals("ana"))
    )


async def test_stop_ends_the_answer_at_omni_and_drops_what_waits(deployment: Deployment):
    deployment.script("slow", "This is the beginning of a long answer. " * 30, seconds=25)
    ts = await deployment.slack.say("ana", "trading", "@Omni slow please")
    await deployment.slack.say("ana", "trading", "another slow one", thread_ts=ts)
    await deployment.slack.wait_for(lambda: deployment.slack.ephemerals("ana"))
    await deployment.slack.wait_for(lambda: "beginning of a long answer" in "".join(deployment.shown("trading", ts)))
    result = await deployment.slack.command("ana", "trading", "/omni", "stop")
    assert "1 answer" in str(result.ack_payload)
    assert "1 waiting question" in str(result.ack_payload)
    text = await deployment.answered("trading", ts, "Stopped by")
    assert "beginning of a long answer" in text
    assert deployment.asked() == ["slow please"]
    assert deployment.omni.active() == []
    (cancel,) = [c for c in deployment.omni.calls if c.name.startswith("DELETE")]
    assert cancel.status == 200


async def test_stop_before_omni_has_the_question_still_stops_it(deployment: Deployment):
    deployment.script("slow", "Long answer.", seconds=20)
    hold = deployment.omni.gate.hold("POST /v1/omni-ai/threads", "after")
    ts = await deployment.slack.say("ana", "trading", "@Omni slow please")
    await hold.reached()
    await deployment.slack.command("ana", "trading", "/omni", "stop")
    hold.release()
    await deployment.answered("trading", ts, "Stopped by")
    assert deployment.omni.active() == []


async def test_stop_with_nothing_to_stop_says_so(deployment: Deployment):
    result = await deployment.slack.command("ana", "trading", "/omni", "stop")
    assert "nothing to stop" in str(result.ack_payload)


async def test_stop_never_touches_somebody_elses_answer(deployment: Deployment):
    deployment.script("slow", "Ben's answer.", seconds=3)
    ts = await deployment.slack.say("ben", "trading", "@Omni slow please")
    await deployment.slack.wait_for(lambda: deployment.omni.active())
    result = await deployment.slack.command("ana", "trading", "/omni", "stop")
    assert "nothing to stop" in str(result.ack_payload)
    await deployment.answered("trading", ts, "Ben's answer.")


async def test_a_thread_that_somebody_else_keeps_busy_is_waited_for(deployment: Deployment):
    """409, and `/response` shows an active response that is not ours."""
    deployment.script("first", "One.")
    ts = await deployment.slack.say("ana", "trading", "@Omni first")
    await deployment.answered("trading", ts, "One.")
    deployment.script("elsewhere", "Elsewhere.", seconds=3)
    (thread_id,) = deployment.omni.threads
    await deployment.ask_directly(thread_id, "elsewhere")
    deployment.script("second", "Two.")
    await deployment.slack.say("ana", "trading", "second", thread_ts=ts)
    await deployment.answered("trading", ts, "Two.", count=2)
    assert deployment.asked() == ["first", "elsewhere", "second"]
    assert any(c.status == 409 for c in deployment.omni.calls)


async def test_an_idle_thread_that_still_refuses_is_replaced_by_a_new_one_and_that_is_said(deployment: Deployment):
    """409 although `/response` is idle: the thread's scope changed."""
    deployment.script("first", "One.")
    ts = await deployment.slack.say("ana", "trading", "@Omni first")
    await deployment.answered("trading", ts, "One.")
    deployment.script("second", "Two.")
    deployment.omni.gate.refuse("POST /v1/omni-ai/threads/{thread_id}/messages", status=409, count=10)
    await deployment.slack.say("ana", "trading", "second", thread_ts=ts)
    text = await deployment.answered("trading", ts, "Two.", count=2)
    assert "this is a new one" in text
    assert len(deployment.omni.threads) == 2
    conflicts = [c for c in deployment.omni.calls if c.status == 409]
    assert len(conflicts) == 3
    gaps = [b.monotonic - a.monotonic for a, b in itertools.pairwise(conflicts)]
    assert min(gaps) > 0.9


async def test_an_omni_thread_that_is_gone_is_replaced_by_a_new_one(deployment: Deployment):
    deployment.script("first", "One.")
    ts = await deployment.slack.say("ana", "trading", "@Omni first")
    await deployment.answered("trading", ts, "One.")
    deployment.script("second", "Two.")
    deployment.omni.gate.refuse("POST /v1/omni-ai/threads/{thread_id}/messages", status=404)
    await deployment.slack.say("ana", "trading", "second", thread_ts=ts)
    assert "this is a new one" in await deployment.answered("trading", ts, "Two.", count=2)


async def test_a_429_is_waited_for_as_long_as_the_api_says(deployment: Deployment):
    deployment.script("hello", "Hi.")
    deployment.omni.gate.refuse("POST /v1/omni-ai/threads", status=429, headers={"Retry-After": "2"})
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi.")
    first, second = [c for c in deployment.omni.calls if c.name == "POST /v1/omni-ai/threads"]
    assert second.monotonic - first.monotonic >= 2
    assert deployment.asked() == ["hello"]
