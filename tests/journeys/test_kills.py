"""kill -9 at the worst moments: afterwards one whole reply in Slack, and one question at Omni."""

import pytest

from tests.journeys.conftest import FINISHED, House

WORDS = "The answer that must arrive exactly once, whole."
CREATE = "POST /v1/omni-ai/threads"
CONTINUE = "POST /v1/omni-ai/threads/{thread_id}/messages"
POLL = "GET /v1/omni-ai/responses/{response_id}"
GENERATIONS = pytest.mark.parametrize("house", ["2026-04", "2026-10"], indirect=True)


async def settled(house: House, channel: str, ts: str) -> None:
    """One reply with all the words, nothing half-done beside it, and it stays so."""
    await house.answered(channel, ts, WORDS)
    await house.at_rest()
    texts = house.shown(channel, ts)
    assert sum(WORDS in text for text in texts) == 1, texts
    assert not any("Working" in text for text in texts), texts
    assert all(FINISHED in text for text in texts), texts


@GENERATIONS
@pytest.mark.parametrize("point", ["before", "after"])
async def test_while_the_first_question_is_on_its_way(house: House, point):
    house.script("once", WORDS)
    hold = house.omni.gate.hold(CREATE, point)
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    await settled(house, "trading", ts)
    assert house.asked() == ["once please"]


@GENERATIONS
@pytest.mark.parametrize("point", ["before", "after"])
async def test_while_a_follow_up_is_on_its_way(house: House, point):
    house.script("first", WORDS.replace("once", "first"))
    house.script("once", WORDS)
    ts = await house.slack.say("ana", "trading", "@Omni the first")
    await house.answered("trading", ts, "first")
    hold = house.omni.gate.hold(CONTINUE, point)
    await house.slack.say("ana", "trading", "once please", thread_ts=ts)
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    await settled(house, "trading", ts)
    assert house.asked() == ["the first", "once please"]


async def test_while_the_same_words_were_asked_before(house: House):
    """The earlier question in the same words is not taken for the lost one."""
    house.script("once", WORDS)
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await house.answered("trading", ts, WORDS)
    hold = house.omni.gate.hold(CONTINUE, "before")
    await house.slack.say("ana", "trading", "once please", thread_ts=ts)
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    await house.slack.wait_for(lambda: sum(WORDS in t for t in house.shown("trading", ts)) == 2)
    assert house.asked() == ["once please", "once please"]


async def test_when_the_api_answers_nothing_to_a_question_it_took(house: House):
    """No kill: the connection drops after the API accepted. Adopted, not asked again."""
    house.script("once", WORDS)
    house.omni.gate.drop(CREATE, "after")
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await settled(house, "trading", ts)
    assert house.asked() == ["once please"]


async def test_when_the_api_answers_500_to_a_question_it_never_took(house: House):
    house.script("once", WORDS)
    house.omni.gate.refuse(CREATE, "before", status=500)
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await settled(house, "trading", ts)
    assert house.asked() == ["once please"]


@pytest.mark.parametrize("point", ["before", "after"])
async def test_during_a_poll(house: House, point):
    house.script("once", WORDS, seconds=2)
    hold = house.omni.gate.hold(POLL, point)
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    await settled(house, "trading", ts)
    assert house.asked() == ["once please"]


@pytest.mark.parametrize("point", ["before", "after"])
async def test_while_the_stream_is_begun(house: House, point):
    house.script("once", WORDS, seconds=2)
    hold = house.slack.gate.hold("chat.startStream", point)
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    await settled(house, "trading", ts)
    assert len(house.replies("trading", ts)) == 1
    assert house.asked() == ["once please"]


async def test_while_the_answer_grows(house: House):
    house.script("once", WORDS + " And on it goes." * 30, seconds=4)
    hold = house.slack.gate.hold("chat.appendStream", "after", matches=lambda call: WORDS[:20] in str(call.args))
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await house.bot.kill()
    hold.release()
    (message,) = house.replies("trading", ts)
    assert message.streaming
    await house.start()
    await settled(house, "trading", ts)
    (message,) = house.replies("trading", ts)
    assert not message.streaming
    sessions = house.slack.sessions.values()
    await house.slack.wait_for(lambda: all(session["status"] == "active" for session in sessions))


def is_final(call) -> bool:
    return WORDS in str(call.args)


@pytest.mark.parametrize("point", ["before", "after"])
async def test_during_the_final_write(house: House, point):
    house.script("once", WORDS)
    hold = house.slack.gate.hold("chat.update", point, matches=is_final)
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    await settled(house, "trading", ts)
    assert len(house.replies("trading", ts)) == 1


@pytest.mark.parametrize("point", ["before", "after"])
async def test_between_the_pages_of_a_long_answer(house: House, point):
    long = "\n\n".join(f"Paragraph {n}. " + "word " * 300 for n in range(20)) + "\n\n" + WORDS
    house.script("once", long)
    # The last page is posted, or written over a draft that had grown that far.
    hold = house.slack.gate.hold("chat.*", point, matches=lambda call: is_final(call) and FINISHED in str(call.args))
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    await house.answered("trading", ts, WORDS)
    await house.at_rest()
    text = "\n".join(house.shown("trading", ts))
    for n in range(20):
        assert text.count(f"Paragraph {n}. ") == 1


@pytest.mark.parametrize("point", ["before", "after"])
async def test_while_a_commands_root_message_is_posted(house: House, point):
    house.script("once", WORDS)
    hold = house.slack.gate.hold("chat.postMessage", point)
    await house.slack.command("ana", "trading", "/omni", "once please")
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    (root,) = await house.slack.wait_for(lambda: house.roots("trading"))
    await settled(house, "trading", root.ts)
    assert len(house.roots("trading")) == 1
    assert house.asked() == ["once please"]


async def test_between_the_event_and_everything_else(house: House):
    """The event is acked, and the bot is dead before it did anything about it."""
    house.script("once", WORDS)
    hold = house.slack.gate.hold("users.info", "before")
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await hold.reached()
    await house.bot.kill()
    hold.release()
    await house.start()
    await settled(house, "trading", ts)
    assert house.asked() == ["once please"]


async def test_events_said_while_the_bot_is_dead_are_answered_when_it_lives_again(house: House):
    house.script("once", WORDS)
    await house.bot.kill()
    await house.slack.wait_for(lambda: not house.slack.socket_mode.sockets)
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await house.start()
    await settled(house, "trading", ts)


async def test_a_polite_stop_gives_everything_back_and_the_next_process_goes_on_at_once(house: House):
    house.script("once", WORDS, seconds=3)
    ts = await house.slack.say("ana", "trading", "@Omni once please")
    await house.slack.wait_for(lambda: house.omni.active())
    assert await house.bot.terminate() == 0
    await house.start()
    await settled(house, "trading", ts)
    assert house.asked() == ["once please"]
