"""Calls held, dropped and refused on their way, and what is left of them."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

TRADING = "C0TRADING1"


async def test_a_call_held_before_has_done_nothing_and_held_after_has(slack, web):
    before = slack.gate.hold("chat.postMessage", "before")
    after = slack.gate.hold("chat.postMessage", "after")
    post = asyncio.create_task(web.chat_postMessage(channel=TRADING, text="hi"))
    call = await before.reached()
    assert call.args == {"channel": TRADING, "text": "hi"}
    assert (call.accepted, slack.history("trading")) == (False, [])
    before.release()
    assert await after.reached() is call
    assert (call.accepted, [m.text for m in slack.history("trading")], post.done()) == (True, ["hi"], False)
    after.release()
    assert (await post)["ok"]
    assert call.answer["ts"] == slack.history("trading")[0].ts


@pytest.mark.parametrize(("point", "posted"), [("before", 0), ("after", 1)])
async def test_a_dropped_call_gets_no_answer(slack, web, point, posted):
    slack.gate.drop("chat.postMessage", point)
    with pytest.raises(aiohttp.ClientError):
        await web.chat_postMessage(channel=TRADING, text="hi")
    assert len(slack.history("trading")) == posted
    assert slack.calls[-1].accepted is bool(posted)
    assert slack.calls[-1].status is None


async def test_a_call_whose_caller_died_while_held_before_does_nothing(slack):
    hold = slack.gate.hold("chat.postMessage", "before")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(slack.api_url.split(":")[2].split("/")[0]))
    body = b'{"channel":"C0TRADING1","text":"from the grave"}'
    head = (
        f"POST /api/chat.postMessage HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {slack.bot_token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    call = await hold.reached()
    writer.transport.abort()
    hold.release()  # at once: the loop has not seen the reset yet
    await asyncio.sleep(0.1)
    assert slack.history("trading") == []
    assert call.accepted is False
    del reader


async def test_refusals(slack, web):
    slack.gate.refuse("chat.postMessage", status=429, headers={"Retry-After": "7"})
    with pytest.raises(SlackApiError) as caught:
        await web.chat_postMessage(channel=TRADING, text="hi")
    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert caught.value.response.headers["Retry-After"] == "7"

    slack.gate.refuse("chat.postMessage", "after", status=500, body="<html>oops</html>")
    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await web.chat_postMessage(channel=TRADING, text="posted after all")
    assert [m.text for m in slack.history("trading")] == ["posted after all"]
    assert [call.status for call in slack.calls] == [429, 500]


async def test_wait_for_says_what_was_going_on(slack, web):
    await web.chat_postMessage(channel=TRADING, text="the only words")
    with pytest.raises(AssertionError, match="the only words"):
        await slack.wait_for(lambda: None, timeout=0.05)


async def test_subscribers_hear_of_every_change(slack, web):
    heard: list[dict[str, Any]] = []
    unsubscribe = slack.subscribe(heard.append)
    ts = await slack.say("ana", "trading", "a")
    await slack.edit("trading", ts, "b")
    await slack.delete("trading", ts)
    unsubscribe()
    await slack.say("ana", "trading", "c")
    assert [change["type"] for change in heard] == ["message", "message_changed", "message_deleted"]


async def test_nothing_is_left_behind(slack, session, web):
    await slack.say("ana", "trading", "nobody listens")
    slack.gate.hold("chat.postMessage")
    post = asyncio.create_task(web.chat_postMessage(channel=TRADING, text="held"))
    await slack.wait_for(lambda: slack.calls)
    await slack.close()
    await asyncio.gather(post, return_exceptions=True)
    await session.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in left if "fixture" not in repr(task)]
