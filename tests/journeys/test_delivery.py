"""What Slack delivers twice, late, out of order or in vain."""

import sqlite3
from pathlib import Path

from tests.journeys.conftest import House


async def test_events_delivered_twice_are_one_turn(house: House):
    house.script("hello", "Hi there.")
    house.slack.deliver_twice = True
    ts = await house.slack.say("ana", "trading", "@Omni hello")
    await house.answered("trading", ts, "Hi there.")
    assert house.asked() == ["hello"]
    assert len(house.replies("trading", ts)) == 1


async def test_messages_of_a_thread_that_arrive_in_the_wrong_order_are_all_answered_once(house: House):
    house.script("number", "Noted.")
    ts = await house.slack.say("ana", "trading", "@Omni number 1")
    await house.answered("trading", ts, "Noted.")
    house.slack.hold_events()
    for n in (2, 3):
        await house.slack.say("ana", "trading", f"number {n}", thread_ts=ts)
    house.slack.release_events(reverse=True)
    await house.answered("trading", ts, count=3)
    assert sorted(house.asked()) == ["number 1", "number 2", "number 3"]


async def test_a_follow_up_that_arrives_before_the_question_it_follows_is_answered_too(house: House):
    house.script("number", "Noted.")
    house.slack.hold_events()
    ts = await house.slack.say("ana", "trading", "@Omni number 1")
    await house.slack.say("ana", "trading", "number 2", thread_ts=ts)
    house.slack.release_events(reverse=True)
    await house.answered("trading", ts, count=2)
    assert sorted(house.asked()) == ["number 1", "number 2"]


def break_inserts(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "omnibot.sqlite3", timeout=20)
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    connection.commit()
    return connection


async def test_an_event_that_could_not_be_stored_is_not_acked_and_comes_again(house: House, tmp_path: Path):
    house.script("hello", "Hi there.")
    connection = break_inserts(tmp_path)
    ts = await house.slack.say("ana", "trading", "@Omni hello")
    await house.slack.wait_for(lambda: "listener_failed" in house.bot.logged())
    assert house.slack.socket_mode.acked == set()
    connection.execute("DROP TRIGGER full")
    connection.commit()
    connection.close()
    await house.answered("trading", ts, "Hi there.")
    assert house.asked() == ["hello"]


async def test_a_command_that_could_not_be_stored_is_said_to_the_person(house: House, tmp_path: Path):
    break_inserts(tmp_path).close()
    result = await house.slack.command("ana", "trading", "/omni", "hello")
    assert result.acked
    assert "nothing was done" in str(result.ack_payload)


async def test_what_is_nothing_to_us_is_acked_all_the_same(house: House):
    await house.slack.join("omni", "lobby")
    await house.slack.say("ben", "lobby", "hello everybody")
    await house.slack.wait_for(lambda: len(house.slack.socket_mode.acked) >= 3)
    assert len(house.slack.socket_mode.acked) == len(house.slack.socket_mode.sent)


async def test_a_lost_socket_loses_no_event(house: House):
    house.script("hello", "Hi there.")
    house.slack.kill_sockets()
    ts = await house.slack.say("ana", "trading", "@Omni hello")
    await house.answered("trading", ts, "Hi there.")
    assert house.asked() == ["hello"]


async def test_no_secret_is_logged_even_at_debug(house: House):
    """Bolt, the SDK and httpx then log whole payloads."""
    await house.bot.terminate()
    house.bot.environment["OMNIBOT_LOG_LEVEL"] = "debug"
    await house.start()
    ts = await house.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await house.answered("trading", ts, "Pre-market")
    (reply,) = house.replies("trading", ts)
    await house.slack.click("ana", "trading", reply.ts, action_id="omni_button:1")
    result = await house.slack.command("ana", "trading", "/omni", "help")
    await house.answered("trading", ts, count=2)
    logged = house.bot.logged()
    assert "DEBUG" in logged
    for secret in (house.slack.bot_token, house.slack.app_token, "demo-key", result.response_url, result.trigger_id):
        assert secret not in logged


async def test_the_whole_conversation_makes_no_call_slack_refuses_and_logs_no_secret(house: House):
    ts = await house.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await house.answered("trading", ts, "Pre-market")
    assert house.slack.refusals == []
    logged = house.bot.logged()
    for secret in (house.slack.bot_token, house.slack.app_token, "demo-key"):
        assert secret not in logged
    assert "markets" not in logged


async def test_what_is_said_to_one_person_about_an_event_that_came_twice_is_said_once(house: House):
    house.slack.deliver_twice = True
    await house.slack.say("ana", "trading", "@Omni")
    house.script("slow", "At last.", seconds=60)
    ts = await house.slack.say("ben", "trading", "@Omni slow")
    key = (house.slack.workspace.channel("trading").id, ts)
    await house.slack.wait_for(lambda: house.slack.sessions.get(key, {}).get("status") == "processing")
    await house.slack.stop("ana", "trading", ts)
    await house.slack.wait_for(lambda: len(house.slack.ephemerals("ana")) >= 2)
    # All that was delivered is acked, so nothing more is said of it.
    socket_mode = house.slack.socket_mode
    await house.slack.wait_for(lambda: len(socket_mode.acked) == len(socket_mode.sent))
    await house.bot.terminate()
    assert len(house.slack.ephemerals("ana")) == 2
