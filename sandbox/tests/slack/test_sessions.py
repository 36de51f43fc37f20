"""Agent sessions: their states, who moves them, and the Stop button."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

TRADING, ANA, TEAM = "C0TRADING1", "U0ANA00001", "T0CLEARCO1"
TO_ANA = {"recipient_user_id": ANA, "recipient_team_id": TEAM}


async def error_of(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


@pytest.fixture
async def root(slack):
    return await slack.say("ana", "trading", "@Omni how is AAPL?")


@pytest.fixture
def set_status(web, root):
    def set_status(status: str, **more: Any):
        return web.agents_sessions_setStatus(channel_id=TRADING, thread_ts=root, status=status, **more)

    return set_status


async def test_a_session_is_created_by_its_first_status_and_keeps_its_title(slack, set_status, root):
    answer = await set_status("processing", title="AAPL: *today*", initiator_user_id=ANA)
    assert (answer["status"], answer["agent_status"], answer["title"]) == ("processing", "processing", "AAPL_ _today_")
    await set_status("suspended", title="Another")
    session = slack.sessions[TRADING, root]
    assert (session["status"], session["title"]) == ("suspended", "AAPL_ _today_")
    assert session["initiator_user_id"] == ANA


async def test_what_agents_sessions_refuse(slack, web, set_status, root):
    reply = await slack.say("ben", "trading", "me too", thread_ts=root)
    call = web.agents_sessions_setStatus
    assert await error_of(set_status("thinking")) == "invalid_arguments"
    assert await error_of(set_status("active", title="x" * 201)) == "invalid_arguments"
    assert await error_of(set_status("active", initiator_user_id="U0DAN00001")) == "user_not_in_channel"
    assert await error_of(call(channel_id=TRADING, status="active")) == "invalid_thread_ts"
    assert await error_of(call(channel_id=TRADING, status="active", thread_ts=reply)) == "cannot_reply_to_message"
    assert await error_of(call(channel_id="C0LOBBY001", status="active", thread_ts=root)) == "not_in_channel"
    assert slack.sessions == {}


async def test_a_session_is_renamed_once_it_exists(slack, web, set_status, root):
    def rename(title: str):
        return web.agents_sessions_rename(channel_id=TRADING, thread_ts=root, title=title)

    assert await error_of(rename("Early")) == "not_authorized"
    await set_status("active")
    assert (await rename("Apple"))["title"] == "Apple"
    assert slack.sessions[TRADING, root]["title"] == "Apple"
    assert await error_of(rename("")) == "invalid_arguments"
    assert await error_of(rename("x" * 201)) == "invalid_arguments"


async def test_processing_lapses_and_other_states_stay(slack, web, set_status, root):
    slack.workspace.processing_seconds = 0.01
    other = await slack.say("ben", "trading", "@Omni and MSFT?")
    await web.agents_sessions_setStatus(channel_id=TRADING, thread_ts=other, status="suspended")
    await set_status("processing")
    await slack.wait_for(lambda: slack.sessions[TRADING, root]["status"] == "active")
    assert slack.sessions[TRADING, other]["status"] == "suspended"


async def test_processing_set_again_lasts_longer(slack, set_status, root):
    slack.workspace.processing_seconds = 0.01
    await set_status("processing")
    slack.workspace.processing_seconds = 3600
    await set_status("processing")
    expires = slack.sessions[TRADING, root]["date_status_processing_expire"]
    assert expires > slack.workspace.message(TRADING, root).posted_at + 3000


async def test_streams_move_the_session(slack, web, root):
    ts = (await web.chat_startStream(channel=TRADING, thread_ts=root, **TO_ANA))["ts"]
    session = slack.sessions[TRADING, root]
    assert (session["status"], session["initiator_user_id"]) == ("processing", ANA)
    await web.chat_stopStream(channel=TRADING, ts=ts)
    assert session["status"] == "active"
    ts = (await web.chat_startStream(channel=TRADING, thread_ts=root, **TO_ANA))["ts"]
    assert await error_of(web.chat_stopStream(channel=TRADING, ts=ts, session_status="done")) == "invalid_arguments"
    await web.chat_stopStream(channel=TRADING, ts=ts, session_status="suspended")
    assert session["status"] == "suspended"


async def test_posting_leaves_a_session_as_it_is(slack, web, set_status, root):
    await set_status("processing")
    await web.chat_postMessage(channel=TRADING, thread_ts=root, text="answer")
    assert slack.sessions[TRADING, root]["status"] == "processing"


async def test_the_older_status_line_is_bridged(slack, web, root):
    def line(status: str):
        return web.assistant_threads_setStatus(channel_id=TRADING, thread_ts=root, status=status)

    await line("is thinking…")
    assert slack.sessions[TRADING, root]["status"] == "processing"
    await line("")
    assert slack.sessions[TRADING, root]["status"] == "active"
    await line("is thinking…")
    await web.chat_postMessage(channel=TRADING, thread_ts=root, text="answer")
    assert (slack.statuses, slack.sessions[TRADING, root]["status"]) == ({}, "active")


async def test_a_status_line_goes_away_by_itself(slack, web, root):
    slack.workspace.status_seconds = 0.01
    await web.assistant_threads_setStatus(channel_id=TRADING, thread_ts=root, status="is thinking…")
    await slack.wait_for(lambda: not slack.statuses)
    assert slack.sessions[TRADING, root]["status"] == "active"


async def test_the_end_of_a_status_line_does_not_end_what_the_session_says(slack, web, set_status, root):
    await web.assistant_threads_setStatus(channel_id=TRADING, thread_ts=root, status="is thinking…")
    await set_status("processing")
    await web.assistant_threads_setStatus(channel_id=TRADING, thread_ts=root, status="")
    assert slack.sessions[TRADING, root]["status"] == "processing"


# -- Stop -------------------------------------------------------------------------------------------------------------


async def test_stop_tells_the_app_which_streams_it_ended_and_leaves_the_status(slack, web, hear, root):
    heard = await hear("agent_session_stopped")
    ts = (await web.chat_startStream(channel=TRADING, thread_ts=root, markdown_text="so far", **TO_ANA))["ts"]
    await slack.stop("ben", "trading", root)
    await slack.wait_for(lambda: heard)
    (body,) = heard
    event = body["event"]
    assert float(event.pop("event_ts")) > float(ts)
    assert event == {
        "type": "agent_session_stopped",
        "channel": TRADING,
        "thread_ts": root,
        "user": slack.workspace.user("ben").id,
        "streaming_message_ts": [ts],
    }
    assert body["team_id"] == TEAM
    assert slack.sessions[TRADING, root]["status"] == "processing"


async def test_stop_without_a_stream_names_none(slack, set_status, hear, root):
    heard = await hear("agent_session_stopped")
    await set_status("processing")
    await slack.stop("ana", "trading", root)
    await slack.wait_for(lambda: heard)
    assert heard[0]["event"]["streaming_message_ts"] == []


async def test_there_is_a_stop_button_only_while_the_agent_works_and_listens(slack, set_status, root):
    with pytest.raises(LookupError, match="no Stop button"):
        await slack.stop("ana", "trading", root)
    await set_status("active")
    with pytest.raises(LookupError, match="no Stop button"):
        await slack.stop("ana", "trading", root)
    slack.stop_subscribed = False
    answer = await set_status("processing")
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"
    assert answer["response_metadata"]["warnings"] == [answer["warning"]]
    with pytest.raises(LookupError, match="no Stop button"):
        await slack.stop("ana", "trading", root)


# -- titles and prompts -----------------------------------------------------------------------------------------------


async def test_a_title_changed_by_a_person_is_told(slack, set_status, hear, root):
    heard = await hear("agent_session_title_changed")
    await set_status("active")
    await slack.retitle("ana", "trading", root, "First")
    await slack.retitle("ana", "trading", root, "Second")
    await slack.wait_for(lambda: len(heard) == 2)
    first, second = sorted((body["event"] for body in heard), key=lambda event: event["title"])
    assert "previous_title" not in first
    assert (first["title"], second["previous_title"], second["title"]) == ("First", "First", "Second")
    assert (second["channel"], second["thread_ts"], second["user"], second["team_id"]) == (TRADING, root, ANA, TEAM)


async def test_the_older_title_method_names_the_session_too(slack, web, root):
    await web.assistant_threads_setTitle(channel_id=TRADING, thread_ts=root, title="Apple")
    assert slack.sessions[TRADING, root]["title"] == "Apple"
    await web.assistant_threads_setTitle(channel_id=TRADING, thread_ts=root, title="Pear")
    assert slack.sessions[TRADING, root]["title"] == "Pear"


async def test_prompts_stand_in_a_thread_or_at_the_top(slack, web):
    dm = slack.dm("ana")
    ts = await slack.say("ana", dm, "hello")
    prompt = {"title": "Apple", "message": "How is AAPL?"}
    await web.assistant_threads_setSuggestedPrompts(channel_id=dm, prompts=[prompt], title="Try")
    await web.assistant_threads_setSuggestedPrompts(channel_id=dm, thread_ts=ts, prompts=[prompt] * 4)
    assert slack.prompts[dm, None] == {"title": "Try", "prompts": [prompt]}
    assert len(slack.prompts[dm, ts]["prompts"]) == 4
    for bad in ([], [prompt] * 5, [{"title": "x"}], "x"):
        call = web.assistant_threads_setSuggestedPrompts(channel_id=dm, prompts=bad)
        assert await error_of(call) == "invalid_arguments"


# -- what messages show -----------------------------------------------------------------------------------------------


async def test_the_root_carries_the_session(web, set_status, root):
    await set_status("processing", title="Apple")
    read = (await web.conversations_replies(channel=TRADING, ts=root))["messages"][0]["agent_session"]
    expires = read.pop("date_status_processing_expire")
    assert read["status"] == "processing"
    assert read["title"] == "Apple"
    assert read["agent_statuses"] == [
        {
            "agent_bot_user_id": "U0OMNIBOT1",
            "status": "processing",
            "date_status_processing_expire": expires,
            "is_stoppable": True,
        }
    ]
    await set_status("active")
    read = (await web.conversations_replies(channel=TRADING, ts=root))["messages"][0]["agent_session"]
    assert read["status"] == "active"
    assert "date_status_processing_expire" not in read


async def test_every_move_is_told_as_a_change_of_the_root_in_which_no_words_changed(slack, set_status, hear, root):
    heard = await hear("message")
    await set_status("processing")
    await slack.wait_for(lambda: len(heard) == 2)  # Ana's question, too
    (event,) = [body["event"] for body in heard if "subtype" in body["event"]]
    assert event["subtype"] == "message_changed"
    assert event["hidden"] is True
    assert event["ts"] != root
    assert "edited" not in event["message"]
    assert event["message"]["agent_session"]["status"] == "processing"
    assert "agent_session" not in event["previous_message"]
    same = {name: value for name, value in event["message"].items() if name != "agent_session"}
    assert same == event["previous_message"]


async def test_the_page_hears_of_sessions_and_prompts(slack, web, set_status, root):
    heard: list[dict[str, Any]] = []
    slack.subscribe(lambda change: heard.append(change) if change["type"] in ("session", "prompts") else None)
    await set_status("suspended", title="Apple")
    prompt = {"title": "x", "message": "y"}
    await web.assistant_threads_setSuggestedPrompts(channel_id=TRADING, prompts=[prompt])
    session, prompts = heard
    assert session == {"type": "session", "channel": TRADING, "thread_ts": root, "status": "suspended",
                       "title": "Apple", "bridged": False}  # fmt: skip
    assert (prompts["channel"], prompts["thread_ts"], prompts["prompts"]) == (TRADING, None, [prompt])
