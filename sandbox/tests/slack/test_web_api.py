"""The Web API, with slack_sdk as the client."""

from __future__ import annotations

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

TRADING, LOBBY, BOARD, ANA = "C0TRADING1", "C0LOBBY001", "C0BOARD001", "U0ANA00001"
META = {"event_type": "turn", "event_payload": {"turn": 7}}


async def refusal(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def markdown(text):
    return [{"type": "markdown", "text": text}]


async def test_auth(slack, session, web):
    answer = await web.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == (slack.bot_user_id, slack.bot_id, slack.team_id)
    wrong = {"xoxb-wrong": "invalid_auth", None: "not_authed", slack.app_token: "not_allowed_token_type"}
    for token, error in wrong.items():
        client = AsyncWebClient(token, base_url=slack.api_url, session=session)
        assert await refusal(client.auth_test()) == error
    assert await refusal(web.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
    assert await refusal(web.api_call("chat.sing")) == "unknown_method"
    async with session.get(slack.api_url + "auth.test", params={"token": slack.bot_token}) as raw:
        assert (await raw.json())["ok"] is True


async def test_post_update_delete(slack, web):
    posted = await web.chat_postMessage(channel=TRADING, text="one", blocks=markdown("**one**"), metadata=META)
    ts = posted["ts"]
    assert posted["message"]["blocks"][0]["block_id"]
    message = slack.history("trading")[0]
    assert (message.text, message.metadata, message.bot_id) == ("one", META, slack.bot_id)
    assert slack.visible_text(message) == "**one**"

    await web.chat_update(channel=TRADING, ts=ts, text="two")
    assert slack.visible_text(message) == "**one**"  # blocks stay unless they are replaced
    await web.chat_update(channel=TRADING, ts=ts, text="two", blocks=[])
    assert slack.visible_text(message) == "two"
    assert message.metadata == META
    assert [version.text for version in message.updates] == ["one", "two"]

    await web.chat_delete(channel=TRADING, ts=ts)
    assert slack.history("trading") == []
    assert await refusal(web.chat_update(channel=TRADING, ts=ts, text="x")) == "message_not_found"
    assert await refusal(web.chat_delete(channel=TRADING, ts=ts)) == "message_not_found"


async def test_what_chat_refuses(slack, web):
    theirs = await slack.say("ana", "trading", "mine")
    post, update = web.chat_postMessage, web.chat_update
    assert await refusal(post(channel="C0NOWHERE1", text="x")) == "channel_not_found"
    assert await refusal(post(channel=BOARD, text="x")) == "channel_not_found"
    assert await refusal(post(channel=LOBBY, text="x")) == "not_in_channel"
    # Through api_call, because slack_sdk itself warns of an empty text.
    assert await refusal(web.api_call("chat.postMessage", json={"channel": TRADING, "text": ""})) == "no_text"
    assert await refusal(post(channel=TRADING, text="x", thread_ts="1700000000.000100")) == "thread_not_found"
    assert await refusal(post(channel=TRADING, text="x", thread_ts="17")) == "invalid_thread_ts"
    assert await refusal(post(channel=TRADING, text="x", metadata={"event_type": "t"})) == "invalid_metadata_format"
    assert await refusal(update(channel=TRADING, ts=theirs, text="x")) == "cant_update_message"
    assert await refusal(update(channel=TRADING, ts="1700000000.000100", text="x")) == "message_not_found"
    assert await refusal(web.chat_delete(channel=TRADING, ts=theirs)) == "cant_delete_message"
    slack.workspace.channel("trading").is_archived = True
    assert await refusal(post(channel=TRADING, text="x")) == "is_archived"
    assert len(slack.refusals) == 11


async def test_lengths(slack, web):
    ts = (await web.chat_postMessage(channel=TRADING, text="x" * 40_001))["ts"]
    assert len(slack.history("trading")[0].text) == 40_000
    await web.chat_update(channel=TRADING, ts=ts, text="x" * 4_000)
    assert await refusal(web.chat_update(channel=TRADING, ts=ts, text="x" * 4_001)) == "msg_too_long"
    await web.chat_postMessage(channel=TRADING, text="x", blocks=markdown("x" * 12_000))
    too_long = web.chat_postMessage(channel=TRADING, text="x", blocks=markdown("x" * 12_001))
    assert await refusal(too_long) == "msg_too_long"
    with pytest.raises(SlackApiError) as caught:
        await web.chat_postMessage(channel=TRADING, text="x", blocks=[{"type": "divider"}] * 51)
    assert caught.value.response["error"] == "invalid_blocks"
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"
    ]
    assert await refusal(web.blocks_validate(blocks=[{"type": "hologram"}])) == "invalid_blocks"
    await web.blocks_validate(blocks=[{"type": "divider"}])


async def test_dms(slack, web):
    opened = await web.conversations_open(users=ANA)
    assert opened["channel"]["id"] == slack.dm("ana")
    posted = await web.chat_postMessage(channel=ANA, text="psst")
    assert posted["channel"] == slack.dm("ana")
    assert (await web.conversations_info(channel=slack.dm("ana")))["channel"]["is_im"] is True
    assert await refusal(web.conversations_open(users="U0NOBODY01")) == "user_not_found"


async def test_threads_are_read_page_by_page(slack, web):
    root = await slack.say("ana", "trading", "question")
    for n in range(5):
        await web.chat_postMessage(channel=TRADING, text=str(n), thread_ts=root, metadata=META)
    texts, cursor = [], None
    while True:
        page = await web.conversations_replies(
            channel=TRADING, ts=root, limit=2, cursor=cursor, include_all_metadata=True
        )
        texts += [message["text"] for message in page["messages"]]
        if not page["has_more"]:
            break
        cursor = page["response_metadata"]["next_cursor"]
    assert texts == ["question", "0", "1", "2", "3", "4"]
    assert page["messages"][-1]["metadata"] == META
    assert page["messages"][-1]["parent_user_id"] == ANA

    replies = slack.thread("trading", root)
    late = await web.conversations_replies(channel=TRADING, ts=root, oldest=replies[4].ts, inclusive=True)
    assert [m["text"] for m in late["messages"]] == ["question", "3", "4"]
    assert "metadata" not in late["messages"][-1]
    assert late["messages"][0]["reply_count"] == 5
    assert await refusal(web.conversations_replies(channel=TRADING, ts="1700000000.000100")) == "thread_not_found"


async def test_history_is_newest_first_without_replies(slack, web):
    first = await slack.say("ana", "trading", "first")
    await slack.say("ben", "trading", "in thread", thread_ts=first)
    await slack.say("ben", "trading", "second")
    history = await web.conversations_history(channel=TRADING)
    assert [m["text"] for m in history["messages"]] == ["second", "first"]
    early = await web.conversations_history(channel=TRADING, latest=first, inclusive=True)
    assert [m["ts"] for m in early["messages"]] == [first]
    assert await refusal(web.conversations_history(channel=LOBBY)) == "not_in_channel"
    assert [m.text for m in slack.history("trading")] == ["first", "in thread", "second"]


async def test_who_people_are(web, slack):
    cleo = (await web.users_info(user=slack.workspace.user("cleo").id))["user"]
    dan = (await web.users_info(user=slack.workspace.user("dan").id))["user"]
    assert cleo["is_restricted"] is True
    assert dan["is_stranger"] is True
    assert dan["team_id"] != slack.team_id
    assert dan["id"] not in [user["id"] for user in (await web.users_list())["members"]]
    shared = (await web.conversations_info(channel="C0CLIENTS1"))["channel"]
    assert shared["is_ext_shared"] is True
    assert (await web.conversations_info(channel=TRADING))["channel"]["is_private"] is True


async def test_ephemerals_permalinks_and_reactions(slack, web):
    await web.chat_postEphemeral(channel=TRADING, user=ANA, text="only you")
    assert [(e["channel"], e["text"]) for e in slack.ephemerals("ana")] == [(TRADING, "only you")]
    dan = slack.workspace.user("dan").id
    assert await refusal(web.chat_postEphemeral(channel=TRADING, user=dan, text="x")) == "user_not_in_channel"

    ts = await slack.say("ana", "trading", "look")
    link = (await web.chat_getPermalink(channel=TRADING, message_ts=ts))["permalink"]
    assert link.endswith(f"/{TRADING}/p{ts.replace('.', '')}")
    await web.reactions_add(channel=TRADING, timestamp=ts, name="eyes")
    assert slack.history("trading")[0].reactions == {"eyes": [slack.bot_user_id]}
    assert await refusal(web.reactions_add(channel=TRADING, timestamp=ts, name="eyes")) == "already_reacted"
    await web.reactions_remove(channel=TRADING, timestamp=ts, name="eyes")
    assert await refusal(web.reactions_remove(channel=TRADING, timestamp=ts, name="eyes")) == "no_reaction"


async def test_a_status_stands_until_the_bot_speaks(slack, web):
    ts = await slack.say("ana", "trading", "question")
    await web.assistant_threads_setStatus(
        channel_id=TRADING, thread_ts=ts, status="is thinking…", loading_messages=["Reading"]
    )
    assert slack.statuses[TRADING, ts] == {"status": "is thinking…", "loading_messages": ["Reading"]}
    await web.chat_postMessage(channel=TRADING, text="answer", thread_ts=ts)
    assert slack.statuses == {}


async def test_views_need_a_fresh_trigger(slack, web):
    view = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []}
    result = await slack.command("ana", "trading", "/omni", "link")
    opened = await web.views_open(trigger_id=result.trigger_id, view=view)
    assert slack.workspace.views[opened["view"]["id"]]["user"] == ANA
    assert await refusal(web.views_open(trigger_id=result.trigger_id, view=view)) == "exchanged_trigger_id"
    assert await refusal(web.views_open(trigger_id="1.2.3", view=view)) == "invalid_trigger_id"
    await web.views_update(view_id=opened["view"]["id"], view=view, hash=opened["view"]["hash"])
    stale = web.views_update(view_id=opened["view"]["id"], view=view, hash=opened["view"]["hash"])
    assert await refusal(stale) == "hash_conflict"
    await web.views_publish(user_id=ANA, view={"type": "home", "blocks": []})


async def test_forms_and_queries_do_as_well_as_json(slack, session):
    form = {"token": slack.bot_token, "channel": TRADING, "text": "x", "blocks": '[{"type":"markdown","text":"hi"}]'}
    async with session.post(slack.api_url + "chat.postMessage", data=form) as answer:
        assert (await answer.json())["ok"] is True
    async with session.get(slack.api_url + "chat.postMessage", params=form | {"blocks": "[{"}) as answer:
        assert (await answer.json())["error"] == "invalid_blocks_format"
    assert slack.calls[0].args["blocks"] == [{"type": "markdown", "text": "hi"}]
