"""Events, clicks and commands over Socket Mode, with Bolt as the client."""

from __future__ import annotations

import asyncio
import json

import pytest


def button(text: str, action_id: str, **more):
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": action_id, **more}


def event_types(slack):
    return [e["payload"]["event"]["type"] for e in slack.socket_mode.sent if e["type"] == "events_api"]


class Client:
    """A Socket Mode client that acknowledges only when told."""

    def __init__(self, socket):
        self.socket = socket

    async def envelope(self, timeout=20):
        while True:
            message = await asyncio.wait_for(self.socket.receive(), timeout)
            if message.type.name in ("CLOSE", "CLOSING", "CLOSED", "ERROR"):
                raise ConnectionError("closed")
            return json.loads(message.data)

    async def ack(self, envelope):
        await self.socket.send_json({"envelope_id": envelope["envelope_id"]})


async def address(slack, session) -> str:
    """Where one connection may be opened."""
    headers = {"Authorization": f"Bearer {slack.app_token}"}
    async with session.post(slack.api_url + "apps.connections.open", headers=headers) as answer:
        return str((await answer.json())["url"])


@pytest.fixture
async def dial(slack, session):
    """Open a Socket Mode connection by hand; its `hello` is read."""

    async def dial() -> Client:
        client = Client(await session.ws_connect(await address(slack, session)))
        hello = await client.envelope()
        assert hello["type"] == "hello"
        assert hello["connection_info"] == {"app_id": slack.app_id}
        return client

    return dial


@pytest.fixture
async def taking_all(app):
    """A Bolt app that acknowledges every event and remembers its body."""
    seen = []
    for kind in ("message", "app_mention", "member_joined_channel"):

        @app.event(kind)
        async def take(body):
            seen.append(body)

    return seen


async def test_a_mention_comes_as_two_events_and_is_answered(slack, app, connect):
    seen = []

    @app.event("app_mention")
    async def mentioned(body, say):
        seen.append(body)
        await say(text="On it.", thread_ts=body["event"]["ts"])

    @app.event("message")
    async def message(body):
        seen.append(body)

    await connect(app)
    ts = await slack.say("ana", "trading", "@Omni how is AAPL?")
    answer = await slack.wait_for(lambda: slack.thread("trading", ts)[1])
    assert answer.text == "On it."
    await slack.wait_for(lambda: len(seen) >= 3)

    by_type = {body["event"]["type"]: body for body in seen if not body["event"].get("bot_id")}
    mention, plain = by_type["app_mention"], by_type["message"]
    assert plain["event"]["channel_type"] == "group"
    assert mention["event"]["ts"] == plain["event"]["ts"] == ts
    assert mention["event_id"] != plain["event_id"]
    assert mention["event"]["text"] == f"<@{slack.bot_user_id}> how is AAPL?"
    own = next(body["event"] for body in seen if body["event"].get("bot_id"))
    assert own["bot_id"] == slack.bot_id
    assert own["thread_ts"] == ts


async def test_a_dm_makes_one_message_event(slack, app, connect, taking_all):
    await connect(app)
    dm = slack.dm("ben")
    ts = await slack.say("ben", dm, "<b> & co, @Omni?\n• one\n• see https://x.test/?a=1&b=2")
    await slack.wait_for(lambda: taking_all)
    await asyncio.sleep(0.1)
    (body,) = taking_all
    event = body["event"]
    assert (event["type"], event["channel"], event["channel_type"], event["ts"]) == ("message", dm, "im", ts)
    assert event["text"].startswith(f"&lt;b&gt; &amp; co, <@{slack.bot_user_id}>?")
    assert event["text"].endswith("<https://x.test/?a=1&amp;b=2>")
    section, bullets = event["blocks"][0]["elements"]
    assert section["elements"] == [
        {"type": "text", "text": "<b> & co, "},
        {"type": "user", "user_id": slack.bot_user_id},
        {"type": "text", "text": "?"},
    ]
    assert bullets["elements"][1]["elements"][1] == {"type": "link", "url": "https://x.test/?a=1&b=2"}
    assert event["client_msg_id"]
    assert slack.visible_text(slack.history(dm)[0]).startswith("<b> & co, @Omni?\n• one")


async def test_where_the_bot_is_not_a_member_it_hears_nothing(slack, app, connect, taking_all):
    await connect(app)
    await slack.say("ana", "lobby", "@Omni are you here?")
    await slack.join("omni", "lobby")
    await slack.wait_for(lambda: len(taking_all) == 2)
    assert {body["event"]["type"] for body in taking_all} == {"message", "member_joined_channel"}
    assert {body["event"].get("subtype") for body in taking_all} == {"channel_join", None}


async def test_edits_deletions_and_files(slack, app, connect, taking_all):
    await connect(app)
    ts = await slack.say("ana", "research", "first", files=True)
    await slack.edit("research", ts, "@Omni second")
    await slack.delete("research", ts)
    await slack.wait_for(lambda: len(taking_all) == 4)
    events = sorted((body["event"] for body in taking_all), key=lambda event: event["event_ts"])
    shared, changed, mention, deleted = sorted(events, key=lambda e: (e["event_ts"], e["type"] == "app_mention"))
    assert shared["subtype"] == "file_share"
    assert shared["files"][0]["url_private_download"]
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["edited"]["user"] == changed["message"]["user"]
    assert changed["previous_message"]["text"] == "first"
    assert (mention["type"], mention["ts"], "edited" in mention) == ("app_mention", ts, True)
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)
    assert slack.history("research") == []


async def test_an_answered_root_leaves_a_tombstone(slack, app, connect, taking_all, web):
    await connect(app)
    ts = await slack.say("ana", "trading", "hm")
    await web.chat_postMessage(channel="C0TRADING1", text="yes?", thread_ts=ts)
    await slack.delete("trading", ts)
    event = await slack.wait_for(
        lambda: next((b["event"] for b in taking_all if b["event"].get("subtype") == "message_changed"), None)
    )
    assert event["message"]["subtype"] == "tombstone"
    assert [m.text for m in slack.thread("trading", ts)] == ["yes?"]


async def test_people_of_other_companies_are_marked(slack, app, connect, taking_all):
    await connect(app)
    await slack.say("dan", "client-desk", "hello")
    body = await slack.wait_for(lambda: taking_all[0])
    assert body["is_ext_shared_channel"] is True
    assert body["team_id"] == slack.team_id
    assert body["event"]["user_team"] == slack.workspace.user("dan").team_id != slack.team_id


async def test_other_bots_are_heard(slack, app, connect, taking_all):
    await connect(app)
    await slack.other_bot_says("trading", f"<@{slack.bot_user_id}> ping")
    await slack.wait_for(lambda: len(taking_all) == 2)
    assert {body["event"]["bot_id"] for body in taking_all} == {"B0NEWSBOT1"}


async def test_the_bots_own_posts_and_updates_come_back_as_events(slack, app, connect, taking_all, web):
    await connect(app)
    posted = await web.chat_postMessage(channel="C0TRADING1", text="one")
    await web.chat_update(channel="C0TRADING1", ts=posted["ts"], text="two")
    await slack.wait_for(lambda: len(taking_all) == 2)
    first, second = (body["event"] for body in taking_all)
    assert first["bot_id"] == slack.bot_id
    assert (second["subtype"], second["message"]["text"]) == ("message_changed", "two")


async def test_an_acknowledged_event_is_not_sent_again(slack, dial):
    slack.socket_mode.redeliver_after = (1, 1, 1)
    client = await dial()
    await slack.say("ana", "trading", "hello")
    envelope = await client.envelope()
    assert (envelope["type"], envelope["retry_attempt"]) == ("events_api", 0)
    await client.ack(envelope)
    with pytest.raises(TimeoutError):
        await client.envelope(timeout=1.3)


async def test_an_unacknowledged_event_is_sent_again_three_times(slack, hasty, dial):
    client = await dial()
    await slack.say("ana", "trading", "hello")
    envelopes = [await client.envelope() for _ in range(4)]
    assert [e["retry_attempt"] for e in envelopes] == [0, 1, 2, 3]
    assert envelopes[1]["retry_reason"] == "timeout"
    assert len({e["payload"]["event_id"] for e in envelopes}) == 1
    with pytest.raises(TimeoutError):
        await client.envelope(timeout=0.5)


async def test_what_a_dead_connection_did_not_acknowledge_goes_to_the_next(slack, hasty, dial):
    first = await dial()
    await slack.say("ana", "trading", "hello")
    lost = await first.envelope()
    slack.kill_sockets()
    await asyncio.sleep(0.3)
    second = await dial()
    again = await second.envelope()
    assert again["payload"]["event_id"] == lost["payload"]["event_id"]
    assert again["retry_attempt"] >= 1


async def test_events_wait_for_a_connection(slack, dial):
    await slack.say("ana", "trading", "anybody?")
    await asyncio.sleep(0.7)
    client = await dial()
    envelope = await client.envelope()
    assert envelope["payload"]["event"]["text"] == "anybody?"
    assert envelope["retry_attempt"] == 1


async def test_each_envelope_goes_to_one_connection(slack, dial):
    clients = [await dial(), await dial()]
    for text in ("one", "two"):
        await slack.say("ana", "trading", text)
    texts = []
    for client in clients:
        envelope = await client.envelope()
        await client.ack(envelope)
        texts.append(envelope["payload"]["event"]["text"])
    assert sorted(texts) == ["one", "two"]


async def test_events_doubled_and_out_of_order(slack, dial):
    client = await dial()
    slack.deliver_twice = True
    await slack.say("ana", "trading", "x")
    pair = [await client.envelope(), await client.envelope()]
    assert pair[0]["envelope_id"] != pair[1]["envelope_id"]
    assert pair[0]["payload"]["event_id"] == pair[1]["payload"]["event_id"]
    for envelope in pair:
        await client.ack(envelope)

    slack.deliver_twice = False
    slack.hold_events()
    for text in ("first", "second"):
        await slack.say("ana", "trading", text)
    slack.release_events(reverse=True)
    texts = []
    for _ in range(2):
        envelope = await client.envelope()
        await client.ack(envelope)
        texts.append(envelope["payload"]["event"]["text"])
    assert texts == ["second", "first"]


async def test_disconnect_is_announced_and_bolt_comes_back(slack, dial, app, connect, taking_all):
    client = await dial()
    await slack.disconnect_sockets("warning")
    goodbye = await client.envelope()
    assert (goodbye["type"], goodbye["reason"]) == ("disconnect", "warning")
    with pytest.raises(ConnectionError):
        await client.envelope()

    await connect(app)
    await slack.disconnect_sockets()
    await slack.say("ana", "trading", "still there?")
    await slack.wait_for(lambda: taking_all)


async def test_ten_connections_are_open_at_once_and_an_eleventh_is_sent_away(slack, session, dial):
    clients = [await dial() for _ in range(10)]
    async with session.ws_connect(await address(slack, session)) as eleventh:
        said = await eleventh.receive_json(timeout=20)
    assert (said["type"], said["reason"]) == ("disconnect", "too_many_websockets")
    assert len(slack.socket_mode.sockets) == len(clients)


async def test_a_ticket_opens_one_connection(slack, session, dial):
    url = await address(slack, session)
    await session.ws_connect(url)
    async with session.get(url.replace("ws:", "http:")) as answer:
        assert answer.status == 403


async def test_a_command_and_the_text_of_its_ack(slack, app, connect):
    bodies = []

    @app.command("/omni")
    async def omni(body, ack):
        bodies.append(body)
        await ack(text="Here is help.")

    await connect(app)
    result = await slack.command("ana", "trading", "/omni", "help")
    assert result.acked
    assert result.ack_payload["text"] == "Here is help."
    assert bodies[0]["text"] == "help"
    assert bodies[0]["response_url"] == result.response_url
    assert slack.ephemerals("ana")[0]["text"] == "Here is help."
    assert slack.ephemerals("ben") == []


async def test_a_command_nobody_acknowledges(slack, hasty, dial):
    assert not (await slack.command("ana", "trading", "/omni", "help")).acked
    client = await dial()
    assert not (await slack.command("ana", "trading", "/omni", "help")).acked
    await client.envelope()
    with pytest.raises(TimeoutError):  # commands come once
        await client.envelope(timeout=0.3)


async def test_a_click_reaches_the_app_with_its_message(slack, app, connect, web):
    bodies = []

    @app.action("approve")
    async def approve(body, ack, respond):
        await ack()
        bodies.append(body)
        await respond(text="Only you see this.", replace_original=False)
        await respond(text="Done.", replace_original=True)

    await connect(app)
    blocks = [
        {"type": "actions", "elements": [button("Approve", "approve", value="v1", style="primary"), button("No", "no")]}
    ]
    ts = (await web.chat_postMessage(channel="C0TRADING1", text="?", blocks=blocks))["ts"]
    assert [b["text"]["text"] for b in slack.buttons(slack.history("trading")[0])] == ["Approve", "No"]
    assert await slack.click("ben", "trading", ts, label="Approve")
    await slack.wait_for(lambda: slack.history("trading")[0].text == "Done.")
    (action,) = bodies[0]["actions"]
    assert (action["value"], action["style"], bodies[0]["message"]["ts"]) == ("v1", "primary", ts)
    assert bodies[0]["user"]["id"] == slack.workspace.user("ben").id
    assert slack.ephemerals("ben")[0]["text"] == "Only you see this."
    assert slack.history("trading")[0].blocks == []
    assert slack.history("trading")[0].updates[0].blocks != []
    with pytest.raises(LookupError):
        await slack.click("ben", "trading", ts, label="Approve")


async def test_clicks_on_ephemerals_menus_and_feedback(slack, dial, web):
    client = await dial()
    option = {"text": {"type": "plain_text", "text": "Later"}, "value": "later"}
    good = {"text": {"type": "plain_text", "text": "Good"}, "value": "good"}
    bad = {"text": {"type": "plain_text", "text": "Bad"}, "value": "bad"}
    blocks = [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*Pick* &lt;one&gt; <@U0ANA00001>"},
            "accessory": {"type": "overflow", "action_id": "more", "options": [option]},
        },
        {
            "type": "context_actions",
            "elements": [
                {"type": "feedback_buttons", "action_id": "fb", "positive_button": good, "negative_button": bad}
            ],
        },
    ]
    answer = await web.chat_postEphemeral(channel="C0TRADING1", user="U0ANA00001", text="?", blocks=blocks)
    assert slack.visible_text(slack.ephemerals("ana")[0]) == "*Pick* <one> @Ana\nGood\nBad"
    for label, chosen in (("Later", {"selected_option": option}), ("Bad", {"value": "bad"})):
        click = asyncio.create_task(slack.click("ana", "trading", answer["message_ts"], label=label))
        envelope = await client.envelope()
        await client.ack(envelope)
        assert await click
        payload = envelope["payload"]
        assert payload["container"]["is_ephemeral"] is True
        assert "message" not in payload
        (action,) = payload["actions"]
        action.get("selected_option", {}).get("text", {}).pop("emoji", None)
        assert action | chosen == action


async def test_response_urls_wear_out(slack, session):
    result = await slack.command("ana", "trading", "/omni", "x")
    for use in range(6):
        body = {"text": f"answer {use}", "response_type": "in_channel" if use == 0 else "ephemeral"}
        async with session.post(result.response_url, json=body) as answer:
            assert (answer.status, (await answer.json())["ok"]) == ((200, True) if use < 5 else (404, False))
    assert [m.text for m in slack.history("trading")] == ["answer 0"]
    assert [e["text"] for e in slack.ephemerals("ana")] == ["answer 1", "answer 2", "answer 3", "answer 4"]
    assert slack.refusals[0].answer["error"] == "used_url"


async def test_who_is_deactivated_and_that_the_app_is_uninstalled_is_told(slack, dial):
    client = await dial()
    slack.deactivate("ben")
    slack.uninstall()
    events = []
    for _ in range(3):
        envelope = await client.envelope()
        await client.ack(envelope)
        events.append(envelope["payload"]["event"])
    changed, revoked, uninstalled = events
    assert (changed["type"], changed["user"]["id"], changed["user"]["deleted"]) == ("user_change", "U0BEN00001", True)
    assert (revoked["type"], revoked["tokens"]) == ("tokens_revoked", {"oauth": [], "bot": [slack.bot_user_id]})
    assert uninstalled["type"] == "app_uninstalled"
