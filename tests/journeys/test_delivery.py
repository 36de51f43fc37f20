"""What Slack delivers twice, late, out of order or in vain."""

import sqlite3
from pathlib import Path

from tests.journeys.conftest import Deployment


async def test_events_delivered_twice_are_one_turn(deployment: Deployment):
    deployment.script("hello", "Hi there.")
    deployment.slack.deliver_twice = True
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi there.")
    assert deployment.asked() == ["hello"]
    assert len(deployment.replies("trading", ts)) == 1


async def test_messages_of_a_thread_that_arrive_in_the_wrong_order_are_all_answered_once(deployment: Deployment):
    deployment.script("number", "Noted.")
    ts = await deployment.slack.say("ana", "trading", "@Omni number 1")
    await deployment.answered("trading", ts, "Noted.")
    deployment.slack.hold_events()
    for n in (2, 3):
        await deployment.slack.say("ana", "trading", f"number {n}", thread_ts=ts)
    deployment.slack.release_events(reverse=True)
    await deployment.answered("trading", ts, count=3)
    assert sorted(deployment.asked()) == ["number 1", "number 2", "number 3"]


async def test_a_follow_up_that_arrives_before_the_question_it_follows_is_answered_too(deployment: Deployment):
    deployment.script("number", "Noted.")
    deployment.slack.hold_events()
    ts = await deployment.slack.say("ana", "trading", "@Omni number 1")
    await deployment.slack.say("ana", "trading", "number 2", thread_ts=ts)
    deployment.slack.release_events(reverse=True)
    await deployment.answered("trading", ts, count=2)
    assert sorted(deployment.asked()) == ["number 1", "number 2"]


def break_inserts(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "omnibot.sqlite3", timeout=20)
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    connection.commit()
    return connection


async def test_an_event_that_could_not_be_stored_is_not_acked_and_comes_again(deployment: Deployment, tmp_path: Path):
    deployment.script("hello", "Hi there.")
    connection = break_inserts(tmp_path)
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.slack.wait_for(lambda: "listener_failed" in deployment.bot.logged())
    assert deployment.slack.socket_mode.acked == set()
    connection.execute("DROP TRIGGER full")
    connection.commit()
    connection.close()
    await deployment.answered("trading", ts, "Hi there.")
    assert deployment.asked() == ["hello"]


async def test_a_command_that_could_not_be_stored_is_said_to_the_person(deployment: Deployment, tmp_path: Path):
    break_inserts(tmp_path).close()
    result = await deployment.slack.command("ana", "trading", "/omni", "hello")
    assert result.acked
    assert "nothing was done" in str(result.ack_payload)


async def test_what_is_nothing_to_us_is_acked_all_the_same(deployment: Deployment):
    await deployment.slack.join("omni", "lobby")
    await deployment.slack.say("ben", "lobby", "hello everybody")
    await deployment.slack.wait_for(lambda: len(deployment.slack.socket_mode.acked) >= 3)
    assert len(deployment.slack.socket_mode.acked) == len(deployment.slack.socket_mode.sent)


async def test_a_lost_socket_loses_no_event(deployment: Deployment):
    deployment.script("hello", "Hi there.")
    deployment.slack.kill_sockets()
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi there.")
    assert deployment.asked() == ["hello"]


async def test_no_secret_is_logged_even_at_debug(deployment: Deployment):
    """Bolt, the SDK and httpx then log whole payloads."""
    await deployment.bot.terminate()
    deployment.bot.environment["OMNIBOT_LOG_LEVEL"] = "debug"
    await deployment.start()
    ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await deployment.answered("trading", ts, "Pre-market")
    (reply,) = deployment.replies("trading", ts)
    await deployment.slack.click("ana", "trading", reply.ts, action_id="omni_button:1")
    result = await deployment.slack.command("ana", "trading", "/omni", "help")
    await deployment.answered("trading", ts, count=2)
    logged = deployment.bot.logged()
    assert "DEBUG" in logged
    for secret in (
        deployment.slack.bot_token,
        deployment.slack.app_token,
        "demo-key",
        result.response_url,
        result.trigger_id,
    ):
        assert secret not in logged


async def test_the_whole_conversation_makes_no_call_slack_refuses_and_logs_no_secret(deployment: Deployment):
    ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await deployment.answered("trading", ts, "Pre-market")
    assert deployment.slack.refusals == []
    logged = deployment.bot.logged()
    for secret in (deployment.slack.bot_token, deployment.slack.app_token, "demo-key"):
        assert secret not in logged
    assert "markets" not in logged


async def test_what_is_said_to_one_person_about_an_event_that_came_twice_is_said_once(deployment: Deployment):
    deployment.slack.deliver_twice = True
    await deployment.slack.say("ana", "trading", "@Omni")
    deployment.script("slow", "At last.", seconds=60)
    ts = await deployment.slack.say("ben", "trading", "@Omni slow")
    key = (deployment.slack.workspace.channel("trading").id, ts)
    await deployment.slack.wait_for(lambda: deployment.slack.sessions.get(key, {}).get("status") == "processing")
    await deployment.slack.stop("ana", "trading", ts)
    await deployment.slack.wait_for(lambda: len(deployment.slack.ephemerals("ana")) >= 2)
    # All that was delivered is acked, so nothing more is said of it.
    socket_mode = deployment.slack.socket_mode
    await deployment.slack.wait_for(lambda: len(socket_mode.acked) == len(socket_mode.sent))
    await deployment.bot.terminate()
    assert len(deployment.slack.ephemerals("ana")) == 2
