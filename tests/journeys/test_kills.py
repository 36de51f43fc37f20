"""kill -9 at the worst moments: afterwards one whole reply in Slack, and one question at Omni."""

import pytest

from tests.journeys.conftest import FINISHED, Deployment

WORDS = "The answer that must arrive exactly once, whole."
CREATE = "POST /v1/omni-ai/threads"
CONTINUE = "POST /v1/omni-ai/threads/{thread_id}/messages"
POLL = "GET /v1/omni-ai/responses/{response_id}"
REVISIONS = pytest.mark.parametrize("deployment", ["2026-04", "2026-10"], indirect=True)


async def settled(deployment: Deployment, channel: str, ts: str) -> None:
    """One reply with all the words, nothing half-done beside it, and it stays so."""
    await deployment.answered(channel, ts, WORDS)
    await deployment.at_rest()
    texts = deployment.shown(channel, ts)
    assert sum(WORDS in text for text in texts) == 1, texts
    assert not any("Working" in text for text in texts), texts
    assert all(FINISHED in text for text in texts), texts


@REVISIONS
@pytest.mark.parametrize("point", ["before", "after"])
async def test_while_the_first_question_is_on_its_way(deployment: Deployment, point):
    deployment.script("once", WORDS)
    hold = deployment.omni.gate.hold(CREATE, point)
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    await settled(deployment, "trading", ts)
    assert deployment.asked() == ["once please"]


@REVISIONS
@pytest.mark.parametrize("point", ["before", "after"])
async def test_while_a_follow_up_is_on_its_way(deployment: Deployment, point):
    deployment.script("first", WORDS.replace("once", "first"))
    deployment.script("once", WORDS)
    ts = await deployment.slack.say("ana", "trading", "@Omni the first")
    await deployment.answered("trading", ts, "first")
    hold = deployment.omni.gate.hold(CONTINUE, point)
    await deployment.slack.say("ana", "trading", "once please", thread_ts=ts)
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    await settled(deployment, "trading", ts)
    assert deployment.asked() == ["the first", "once please"]


async def test_while_the_same_words_were_asked_before(deployment: Deployment):
    """The earlier question in the same words is not taken for the lost one."""
    deployment.script("once", WORDS)
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await deployment.answered("trading", ts, WORDS)
    hold = deployment.omni.gate.hold(CONTINUE, "before")
    await deployment.slack.say("ana", "trading", "once please", thread_ts=ts)
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    await deployment.slack.wait_for(lambda: sum(WORDS in t for t in deployment.shown("trading", ts)) == 2)
    assert deployment.asked() == ["once please", "once please"]


async def test_when_the_api_answers_nothing_to_a_question_it_took(deployment: Deployment):
    """No kill: the connection drops after the API accepted. Adopted, not asked again."""
    deployment.script("once", WORDS)
    deployment.omni.gate.drop(CREATE, "after")
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await settled(deployment, "trading", ts)
    assert deployment.asked() == ["once please"]


async def test_when_the_api_answers_500_to_a_question_it_never_took(deployment: Deployment):
    deployment.script("once", WORDS)
    deployment.omni.gate.refuse(CREATE, "before", status=500)
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await settled(deployment, "trading", ts)
    assert deployment.asked() == ["once please"]


@pytest.mark.parametrize("point", ["before", "after"])
async def test_during_a_poll(deployment: Deployment, point):
    deployment.script("once", WORDS, seconds=2)
    hold = deployment.omni.gate.hold(POLL, point)
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    await settled(deployment, "trading", ts)
    assert deployment.asked() == ["once please"]


@pytest.mark.parametrize("point", ["before", "after"])
async def test_while_the_stream_is_begun(deployment: Deployment, point):
    deployment.script("once", WORDS, seconds=2)
    hold = deployment.slack.gate.hold("chat.startStream", point)
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    await settled(deployment, "trading", ts)
    assert len(deployment.replies("trading", ts)) == 1
    assert deployment.asked() == ["once please"]


async def test_while_the_answer_grows(deployment: Deployment):
    deployment.script("once", WORDS + " And on it goes." * 30, seconds=4)
    hold = deployment.slack.gate.hold("chat.appendStream", "after", matches=lambda call: WORDS[:20] in str(call.args))
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    (message,) = deployment.replies("trading", ts)
    assert message.streaming
    await deployment.start()
    await settled(deployment, "trading", ts)
    (message,) = deployment.replies("trading", ts)
    assert not message.streaming
    sessions = deployment.slack.sessions.values()
    await deployment.slack.wait_for(lambda: all(session["status"] == "active" for session in sessions))


def is_final(call) -> bool:
    return WORDS in str(call.args)


@pytest.mark.parametrize("point", ["before", "after"])
async def test_during_the_final_write(deployment: Deployment, point):
    deployment.script("once", WORDS)
    hold = deployment.slack.gate.hold("chat.update", point, matches=is_final)
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    await settled(deployment, "trading", ts)
    assert len(deployment.replies("trading", ts)) == 1


@pytest.mark.parametrize("point", ["before", "after"])
async def test_between_the_pages_of_a_long_answer(deployment: Deployment, point):
    long = "\n\n".join(f"Paragraph {n}. " + "word " * 300 for n in range(20)) + "\n\n" + WORDS
    deployment.script("once", long)
    # The last page is posted, or written over a draft that had grown that far.
    hold = deployment.slack.gate.hold(
        "chat.*", point, matches=lambda call: is_final(call) and FINISHED in str(call.args)
    )
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    await deployment.answered("trading", ts, WORDS)
    await deployment.at_rest()
    text = "\n".join(deployment.shown("trading", ts))
    for n in range(20):
        assert text.count(f"Paragraph {n}. ") == 1


@pytest.mark.parametrize("point", ["before", "after"])
async def test_while_a_commands_root_message_is_posted(deployment: Deployment, point):
    deployment.script("once", WORDS)
    hold = deployment.slack.gate.hold("chat.postMessage", point)
    await deployment.slack.command("ana", "trading", "/omni", "once please")
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    (root,) = await deployment.slack.wait_for(lambda: deployment.roots("trading"))
    await settled(deployment, "trading", root.ts)
    assert len(deployment.roots("trading")) == 1
    assert deployment.asked() == ["once please"]


async def test_between_the_event_and_everything_else(deployment: Deployment):
    """The event is acked, and the bot is dead before it did anything about it."""
    deployment.script("once", WORDS)
    hold = deployment.slack.gate.hold("users.info", "before")
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    await settled(deployment, "trading", ts)
    assert deployment.asked() == ["once please"]


async def test_events_said_while_the_bot_is_dead_are_answered_when_it_lives_again(deployment: Deployment):
    deployment.script("once", WORDS)
    await deployment.bot.kill()
    await deployment.slack.wait_for(lambda: not deployment.slack.socket_mode.sockets)
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await deployment.start()
    await settled(deployment, "trading", ts)


async def test_a_polite_stop_gives_everything_back_and_the_next_process_goes_on_at_once(deployment: Deployment):
    deployment.script("once", WORDS, seconds=3)
    ts = await deployment.slack.say("ana", "trading", "@Omni once please")
    await deployment.slack.wait_for(lambda: deployment.omni.active())
    assert await deployment.bot.terminate() == 0
    await deployment.start()
    await settled(deployment, "trading", ts)
    assert deployment.asked() == ["once please"]
