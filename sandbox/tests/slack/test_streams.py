"""chat.startStream, chat.appendStream and chat.stopStream, with slack_sdk as the client."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.messages.chunk import MarkdownTextChunk, PlanUpdateChunk, TaskUpdateChunk

from sandbox.tests.slack.builders import button, markdown, section, table

TRADING, ANA, TEAM = "C0TRADING1", "U0ANA00001", "T0CLEARCO1"
TO_ANA = {"recipient_user_id": ANA, "recipient_team_id": TEAM}


async def refused(call) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as caught:
        await call
    return dict(caught.value.response.data)


async def error_of(call) -> str:
    return str((await refused(call))["error"])


def text(words: str) -> dict[str, Any]:
    return {"type": "markdown_text", "text": words}


def task(task_id: str, title: str = "Look", status: str = "in_progress", **more: Any) -> dict[str, Any]:
    return {"type": "task_update", "id": task_id, "title": title, "status": status, **more}


def kinds(message) -> list[str]:
    return [block["type"] for block in message.blocks]


class Stream:
    """One open stream of the bot, and the three calls on it."""

    def __init__(self, slack, web, ts: str) -> None:
        self.slack, self.web, self.ts = slack, web, ts

    @property
    def message(self):
        return self.slack.workspace.message(TRADING, self.ts)

    async def append(self, *chunks: Any, **more: Any):
        return await self.web.chat_appendStream(channel=TRADING, ts=self.ts, chunks=list(chunks), **more)

    async def stop(self, **more: Any):
        return await self.web.chat_stopStream(channel=TRADING, ts=self.ts, **more)


@pytest.fixture
async def root(slack):
    return await slack.say("ana", "trading", "@Omni how is AAPL?")


@pytest.fixture
def start(slack, web, root):
    """Start a stream in the thread of Ana's question."""

    async def start(**args: Any) -> Stream:
        answer = await web.chat_startStream(channel=TRADING, thread_ts=root, **TO_ANA, **args)
        return Stream(slack, web, answer["ts"])

    return start


# -- growing ----------------------------------------------------------------------------------------------------------


async def test_a_stream_grows_and_ends_as_one_message(slack, start, root):
    stream = await start(chunks=[text("# AAPL\n\nIt is ")])
    assert stream.message.thread_ts == root
    assert stream.message.streaming
    await stream.append(text("**up**."))
    assert slack.visible_text(stream.message) == "# AAPL\n\nIt is **up**."
    answer = await stream.stop(
        chunks=[text(" More tomorrow.")],
        blocks=[section(), {"type": "actions", "elements": [button()]}],
        metadata={"event_type": "turn", "event_payload": {"turn": 7}},
    )
    assert not stream.message.streaming
    assert kinds(stream.message) == ["markdown", "section", "actions"]
    assert slack.visible_text(stream.message).startswith("# AAPL\n\nIt is **up**. More tomorrow.")
    assert stream.message.metadata == {"event_type": "turn", "event_payload": {"turn": 7}}
    assert answer["message"]["streaming_state"] == "completed"
    assert len(slack.thread(TRADING, root)) == 2


async def test_the_helper_of_the_sdk_streams_a_short_answer_in_two_calls(slack, web, root):
    stream = await web.chat_stream(channel=TRADING, thread_ts=root, **TO_ANA)
    await stream.append(markdown_text="Short.")
    await stream.stop()
    assert [call.name for call in slack.calls] == ["chat.startStream", "chat.stopStream"]
    assert slack.visible_text(slack.thread(TRADING, root)[1]) == "Short."


async def test_the_helper_of_the_sdk_streams_text_and_tasks(slack, web, root):
    stream = await web.chat_stream(channel=TRADING, thread_ts=root, buffer_size=5, **TO_ANA)
    await stream.append(markdown_text="First words.")
    await stream.append(chunks=[TaskUpdateChunk(id="q", title="Quotes", status="in_progress")])
    await stream.append(chunks=[MarkdownTextChunk(text="Last words.")])
    await stream.stop(chunks=[TaskUpdateChunk(id="q", title="Quotes read", status="complete")])
    message = slack.thread(TRADING, root)[1]
    assert kinds(message) == ["markdown", "task_card", "markdown"]
    assert slack.visible_text(message) == "First words.\nQuotes read\nLast words."


async def test_raw_forms_stream_too(slack, session, root):
    form = {"token": slack.bot_token, "channel": TRADING, "thread_ts": root, **TO_ANA}
    async with session.post(slack.api_url + "chat.startStream", data=form | {"markdown_text": "One "}) as raw:
        ts = (await raw.json())["ts"]
    form = {"token": slack.bot_token, "channel": TRADING, "ts": ts, "markdown_text": "two."}
    async with session.post(slack.api_url + "chat.appendStream", data=form) as raw:
        assert (await raw.json())["ok"]
    assert slack.visible_text(slack.workspace.message(TRADING, ts)) == "One two."


async def test_a_known_task_gets_a_new_title_and_status_but_more_details_and_output(start):
    stream = await start(chunks=[task("a", "Looking", details="one ", output="x")])
    await stream.append(task("b", "Other", status="pending"))
    await stream.append(task("a", "Looked", "complete", details="two", output="y"))
    first, second = stream.message.blocks
    assert (first["title"], first["status"]) == ("Looked", "complete")
    assert first["details"]["elements"][0]["elements"][0]["text"] == "one two"
    assert first["output"]["elements"][0]["elements"][0]["text"] == "xy"
    assert (second["task_id"], second["status"]) == ("b", "pending")


async def test_a_plan_holds_all_tasks_under_its_title(slack, web, start):
    stream = await start(task_display_mode="plan", chunks=[task("a", "Read news"), text("So far: ")])
    assert kinds(stream.message) == ["plan", "markdown"]
    assert stream.message.blocks[0]["title"] == "Read news"
    await stream.append(PlanUpdateChunk(title="Research").to_dict(), task("b", "Compare"))
    plan = stream.message.blocks[0]
    assert (plan["title"], [t["task_id"] for t in plan["tasks"]]) == ("Research", ["a", "b"])
    assert slack.visible_text(stream.message) == "Research\nRead news\nCompare\nSo far: "


async def test_sources_and_blocks_stand_where_they_came(slack, start):
    source = {"type": "url", "url": "https://x.test/", "text": "x.test"}
    stream = await start(chunks=[task("a", sources=[source]), {"type": "blocks", "blocks": [section()]}, text("end")])
    assert kinds(stream.message) == ["task_card", "section", "markdown"]
    assert slack.visible_text(stream.message) == "Look\nx.test\nwords\nend"


async def test_a_task_left_running_is_shown_as_failed_when_the_stream_ends(start):
    stream = await start(chunks=[task("a"), task("b", status="complete"), task("c", status="pending")])
    await stream.stop()
    assert [block["status"] for block in stream.message.blocks] == ["error", "complete", "pending"]


# -- what is refused --------------------------------------------------------------------------------------------------


async def test_in_channels_a_stream_needs_its_recipient(web, root):
    def start(**args):
        return error_of(web.chat_startStream(channel=TRADING, thread_ts=root, **args))

    assert await start() == "missing_recipient_user_id"
    assert await start(recipient_user_id=ANA) == "missing_recipient_team_id"
    assert await start(recipient_user_id="U0NOBODY01", recipient_team_id=TEAM) == "user_not_found"
    assert await start(recipient_user_id=ANA, recipient_team_id="T0PARTNER1") == "invalid_arguments"


async def test_in_dms_a_stream_needs_no_recipient(slack, web):
    dm = slack.dm("ana")
    ts = await slack.say("ana", dm, "hello")
    answer = await web.chat_startStream(channel=dm, thread_ts=ts, markdown_text="Hi")
    assert answer["channel"] == dm


async def test_a_stream_stands_in_a_thread_where_the_bot_is(slack, web, root):
    reply = await slack.say("ben", "trading", "me too", thread_ts=root)
    raw = {"channel": TRADING, **TO_ANA}
    assert await error_of(web.api_call("chat.startStream", json=raw)) == "invalid_thread_ts"
    assert await error_of(web.chat_startStream(thread_ts=reply, **raw)) == "cannot_reply_to_message"
    assert await error_of(web.chat_startStream(thread_ts="1700000000.000100", **raw)) == "thread_not_found"
    elsewhere = {**raw, "channel": "C0LOBBY001", "thread_ts": root}
    assert await error_of(web.chat_startStream(**elsewhere)) == "not_in_channel"


@pytest.mark.parametrize(
    "more", [{"unfurl_links": False}, {"unfurl_media": False}, {"metadata": {}}, {"text": "x"}, {"blocks": []}]
)
async def test_a_stream_starts_without_what_belongs_to_posts(web, root, more):
    call = web.chat_startStream(channel=TRADING, thread_ts=root, **TO_ANA, **more)
    assert await error_of(call) == "invalid_arguments"


async def test_text_comes_as_chunks_or_as_markdown_text_never_as_both(web, start):
    stream = await start()
    both = stream.append(text("x"), markdown_text="x")
    assert await error_of(both) == "markdown_text_conflict"
    await stream.append(text("x"))
    other = web.chat_appendStream(channel=TRADING, ts=stream.ts, markdown_text="y")
    assert await error_of(other) == "streaming_mode_mismatch"
    assert await error_of(web.chat_appendStream(channel=TRADING, ts=stream.ts)) == "invalid_arguments"


@pytest.mark.parametrize(
    ("chunk", "where"),
    [
        ({"type": "hologram"}, "/chunks/0/type"),
        ({"type": "markdown_text"}, "/chunks/0"),
        ({"type": "markdown_text", "text": 5}, "/chunks/0/text"),
        ({"type": "task_update", "id": "a", "status": "pending"}, "/chunks/0"),
        ({"type": "task_update", "id": "a", "title": "t", "status": "completed"}, "/chunks/0/status"),
        ({"type": "task_update", "id": "a", "title": "t", "status": "error", "sources": [{"url": "x"}]}, "/chunks/0"),
        ({"type": "plan_update"}, "/chunks/0"),
        ({"type": "blocks", "blocks": []}, "/chunks/0/blocks"),
    ],
)
async def test_malformed_chunks_are_refused_and_change_nothing(slack, start, chunk, where):
    stream = await start(chunks=[text("so far")])
    answer = await refused(stream.append(text(" lost"), chunk))
    assert answer["error"] == "invalid_chunks"
    assert where.replace("/0", "/1", 1) in answer["response_metadata"]["messages"][0]
    assert slack.visible_text(stream.message) == "so far"


async def test_blocks_in_a_stream_are_held_to_the_rules_of_messages(start):
    stream = await start()
    bad = {"type": "blocks", "blocks": [{"type": "hologram"}]}
    assert await error_of(stream.append(bad)) == "invalid_blocks"
    assert await error_of(stream.stop(blocks=[{"type": "hologram"}])) == "invalid_blocks"
    assert stream.message.streaming


async def test_a_call_takes_12000_characters_of_text(start):
    stream = await start()
    assert await error_of(stream.append(text("x" * 6_000), text("x" * 6_001))) == "msg_too_long"


async def test_a_stream_that_has_grown_too_large_takes_no_more(slack, start):
    stream = await start(chunks=[text("x" * 10_000)])
    assert await error_of(stream.append(text("é" * 501))) == "msg_too_long"  # bytes, not characters
    assert await error_of(stream.append(task("a", details="x" * 499))) == "msg_blocks_too_long"  # twice, and a title
    await stream.append(task("a", details="x" * 490))
    assert await error_of(stream.stop(chunks=[text("x" * 100)])) == "msg_too_long"
    assert await error_of(stream.stop(blocks=[section()] * 6 + [markdown("x" * 30)])) == "msg_blocks_too_long"
    assert stream.message.streaming
    await stream.stop()
    assert len(slack.visible_text(stream.message)) > 10_000


async def test_chunks_and_stop_have_fifty_blocks_each(start):
    stream = await start(chunks=[{"type": "blocks", "blocks": [{"type": "divider"}] * 49}, text("# one\n")])
    assert await error_of(stream.append(text("# two\n"))) == "invalid_blocks"
    assert await error_of(stream.append(task("a"))) == "invalid_blocks"
    assert await error_of(stream.stop(blocks=[{"type": "divider"}] * 51)) == "invalid_blocks"
    await stream.stop(blocks=[{"type": "divider"}] * 50)
    assert len(stream.message.blocks) == 100


async def test_a_stream_shows_one_table(start):
    stream = await start(chunks=[text("|a|b|\n|-|-|\n|1|2|\n\n")])
    assert await error_of(stream.append(text("|c|d|\n|-|-|\n"))) == "invalid_attachments"
    assert await error_of(stream.stop(blocks=[table()])) == "invalid_attachments"


# -- states -----------------------------------------------------------------------------------------------------------


async def test_an_open_stream_can_be_neither_updated_nor_deleted(web, start):
    stream = await start(chunks=[text("x")])
    update = web.chat_update(channel=TRADING, ts=stream.ts, text="y")
    assert await error_of(update) == "streaming_state_conflict"
    assert await error_of(web.chat_delete(channel=TRADING, ts=stream.ts)) == "cant_delete_message"
    await stream.stop()
    await web.chat_update(channel=TRADING, ts=stream.ts, text="y", blocks=[markdown("y")])
    read = await web.conversations_replies(channel=TRADING, ts=stream.ts)
    assert (read["messages"][0]["text"], read["messages"][0]["streaming_state"]) == ("y", "completed")
    await web.chat_delete(channel=TRADING, ts=stream.ts)


async def test_only_own_open_streams_grow_and_stop(slack, web, start, root):
    stream = await start()
    posted = (await web.chat_postMessage(channel=TRADING, text="no stream", thread_ts=root))["ts"]
    await stream.stop()
    expected = {
        stream.ts: "message_not_in_streaming_state",
        posted: "message_not_in_streaming_state",
        root: "message_not_owned_by_app",
        "1700000000.000100": "message_not_found",
    }
    for ts, error in expected.items():
        assert await error_of(web.chat_appendStream(channel=TRADING, ts=ts, markdown_text="x")) == error
        assert await error_of(web.chat_stopStream(channel=TRADING, ts=ts)) == error


async def test_a_stream_dies_of_age_whether_or_not_it_grows(slack, web, start, root):
    idle = await start(chunks=[text("idle"), task("a")])
    busy = await start(chunks=[text("busy")])
    await busy.append(text("!"))
    slack.stream_seconds = 0.01  # counts for open streams too
    await slack.wait_for(lambda: not idle.message.streaming and not busy.message.streaming)
    for stream in (idle, busy):
        assert await error_of(stream.append(text("x"))) == "message_not_in_streaming_state"
        assert await error_of(stream.stop()) == "message_not_in_streaming_state"
    read = await web.conversations_replies(channel=TRADING, ts=root)
    assert [m.get("streaming_state") for m in read["messages"]] == [None, "errored", "errored"]
    assert idle.message.blocks[1]["status"] == "error"
    assert slack.sessions[TRADING, root]["status"] == "active"
    await web.chat_update(channel=TRADING, ts=idle.ts, text="repaired", blocks=[])
    assert slack.visible_text(idle.message) == "repaired"


async def test_a_stream_stopped_by_a_person_takes_no_more(slack, start, root):
    stream = await start(chunks=[text("so far")])
    await slack.stop("ana", "trading", root)
    assert not stream.message.streaming
    assert await error_of(stream.append(text("x"))) == "stopped_by_user"
    assert await error_of(stream.stop()) == "message_not_in_streaming_state"
    assert slack.visible_text(stream.message) == "so far"


async def test_starts_and_stops_are_twenty_a_minute_and_appends_a_hundred(slack, start):
    slack.enforce_tiers = True
    stream = await start(chunks=[text("0")])
    for _ in range(19):
        await start()
    assert await error_of(start()) == "ratelimited"
    for n in range(100):
        await stream.append(text(str(n)))
    assert await error_of(stream.append(text("x"))) == "ratelimited"
    await stream.stop()


# -- what the app and the page hear of it -----------------------------------------------------------------------------


async def test_the_app_hears_of_start_and_stop_but_not_of_appends(slack, hear, start):
    heard = await hear("message")
    stream = await start()
    await stream.append(text("# Title\n\nwords"))
    await stream.stop(chunks=[text(" and more")])
    # Ana's question, the session's moves to processing and active, and the two in question.
    await slack.wait_for(lambda: len(heard) == 5)
    events = [e for e in (body["event"] for body in heard) if "streaming_state" in (e.get("message") or e)]
    opened, closed = sorted(events, key=lambda event: "subtype" in event)
    assert (opened["ts"], opened["text"], opened["streaming_state"]) == (stream.ts, "", "in_progress")
    assert "blocks" not in opened
    assert closed["subtype"] == "message_changed"
    assert closed["previous_message"]["streaming_state"] == "in_progress"
    assert closed["message"]["streaming_state"] == "completed"
    assert closed["message"]["text"] == "Title\n\nwords and more"
    assert "edited" not in closed["message"]


async def test_the_page_hears_of_every_append_and_versions_grow(slack, start):
    heard: list[dict[str, Any]] = []
    slack.subscribe(lambda change: heard.append(change) if change["type"].startswith("message") else None)
    stream = await start()
    versions = [stream.message.version]
    for words in ("one", "two"):
        await stream.append(text(words))
        versions.append(stream.message.version)
    await stream.stop()
    versions.append(stream.message.version)
    assert versions == sorted(set(versions))
    growing = {"type": "message_changed", "channel": TRADING, "ts": stream.ts, "streaming": True}
    assert heard[1:3] == [growing, growing]
    assert [change["type"] for change in heard] == ["message", *["message_changed"] * 3]
    assert "streaming" not in heard[3]


async def test_blocks_keep_their_ids_while_the_stream_grows(start):
    stream = await start(chunks=[text("a"), task("t")])
    before = [block["block_id"] for block in stream.message.blocks]
    await stream.append(task("t", "New"), text("b"))
    assert [block["block_id"] for block in stream.message.blocks][:2] == before


# -- reading it back --------------------------------------------------------------------------------------------------

ANSWER = """# Apple

It is **up** 3 %.

- one
- two

|name|price|
|-|-:|
|AAPL|190.1|
"""


async def test_a_stream_reads_back_split_into_blocks(web, start, root):
    stream = await start(chunks=[task("q", "Quotes"), text(ANSWER)])
    await stream.stop(blocks=[section()])
    (_, read) = (await web.conversations_replies(channel=TRADING, ts=root))["messages"]
    assert [block["type"] for block in read["blocks"]] == ["task_card", "header", "rich_text", "table", "section"]
    assert read["text"] == "Apple\n\nIt is *up* 3 %.\n\n• one\n• two\n\nname price\nAAPL 190.1 Quotes"
    table = read["blocks"][3]
    assert table["rows"][1] == [{"type": "raw_text", "text": "AAPL"}, {"type": "raw_text", "text": "190.1"}]
    assert table["column_settings"] == [{"align": "left"}, {"align": "right"}]


async def test_an_open_stream_can_be_found_in_its_thread(web, start, root):
    stream = await start(chunks=[text("so far")])
    (_, read) = (await web.conversations_replies(channel=TRADING, ts=root))["messages"]
    assert (read["ts"], read["streaming_state"], read["text"]) == (stream.ts, "in_progress", "so far")


async def test_what_was_read_back_can_be_written_again(web, start, root):
    stream = await start(
        chunks=[task("q", details="d"), text(ANSWER + "\n> quote\n\n```\ncode\n```\n\n1. a\n   - b\n")]
    )
    await stream.stop()
    (_, read) = (await web.conversations_replies(channel=TRADING, ts=root))["messages"]
    await web.blocks_validate(blocks=read["blocks"])
    await web.chat_update(channel=TRADING, ts=stream.ts, text="again", blocks=read["blocks"])
    (_, again) = (await web.conversations_replies(channel=TRADING, ts=root))["messages"]
    assert again["blocks"] == read["blocks"]
