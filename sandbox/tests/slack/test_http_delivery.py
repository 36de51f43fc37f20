"""Events, clicks and commands as signed HTTP requests, to Bolt and to servers that misbehave."""

from __future__ import annotations

import asyncio
import json
import logging
from urllib.parse import parse_qs

import pytest
from aiohttp import web as http
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

from sandbox.tests.slack.builders import modal, question

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
CHANNEL = "C0TRADING1"


@pytest.fixture
async def serve():
    """Serve an aiohttp application; returns its Request URL."""
    runners = []

    async def serve(application: http.Application) -> str:
        runner = http.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await http.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"

    yield serve
    for runner in runners:
        await runner.cleanup()


class Server:
    """A Request URL that gives one prepared answer after the other, the last one for ever."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers) or [{}]
        self.requests: list[tuple[http.Request, bytes]] = []

    def application(self) -> http.Application:
        application = http.Application()
        application.router.add_post("/slack/events", self.take)
        return application

    async def take(self, request: http.Request) -> http.Response:
        self.requests.append((request, await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return http.Response()
        return http.Response(**answer)


async def post_button(web, button) -> str:
    blocks = [{"type": "actions", "elements": [button]}]
    return str((await web.chat_postMessage(channel=CHANNEL, text="?", blocks=blocks))["ts"])


@pytest.fixture
def http_app(web):
    """A Bolt app that checks signatures."""
    return AsyncApp(client=web, signing_secret=SECRET, process_before_response=True, logger=logging.getLogger("bolt"))


async def test_a_modal_is_opened_and_answered_over_http(slack, http_app, serve):
    slack.socket_mode.ack_timeout = 20.0
    heard = []

    @http_app.command("/omni")
    async def omni(ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view=modal(question(block_id="b"), callback_id="form"))
        await ack()

    @http_app.view("form")
    async def form(ack, body):
        heard.append(body["view"]["state"]["values"])
        if len(heard) == 1:
            await ack(response_action="errors", errors={"b": "Once more."})
        else:
            await ack()

    slack.deliver_http(await serve(http_app.web_app()), SECRET)
    assert (await slack.command("ana", "trading", "/omni", "")).acked
    (view,) = slack.modals("ana")
    action_id = view["blocks"][0]["element"]["action_id"]
    result = await slack.submit("ana", view["id"], {"b": {action_id: {"value": "x"}}})
    assert (result.acked, result.errors, result.closed) == (True, {"b": "Once more."}, False)
    assert (await slack.submit("ana", view["id"], {})).closed
    assert heard == [{"b": {action_id: {"type": "plain_text_input", "value": "x"}}}] * 2


async def test_bolt_takes_events_commands_and_clicks_over_http(slack, web, http_app, serve):
    heard = []

    @http_app.event("message")
    async def message(body):
        heard.append(body["event"]["text"])

    @http_app.command("/omni")
    async def omni(ack, command):
        await ack(f"You said {command['text']}.")

    @http_app.action("approve")
    async def approve(ack, respond, action):
        await ack()
        await respond(text=f"Done: {action['value']}", replace_original=True)

    slack.deliver_http(await serve(http_app.web_app()), SECRET)
    assert await slack.verify_url()

    await slack.say("ana", "trading", "hello & goodbye")
    await slack.wait_for(lambda: heard)
    assert heard == ["hello &amp; goodbye"]

    result = await slack.command("ana", "trading", "/omni", "help me & co")
    assert result.acked
    assert result.ack_payload["text"] == "You said help me & co."
    assert slack.ephemerals("ana")[0]["text"] == "You said help me & co."

    button = {"type": "button", "text": {"type": "plain_text", "text": "Yes"}, "action_id": "approve", "value": "ä=1&b"}
    ts = await post_button(web, button)
    assert await slack.click("ana", "trading", ts, label="Yes")
    assert slack.history("trading")[-1].text == "Done: ä=1&b"
    kinds = [delivery.kind for delivery in slack.deliveries]
    assert {"url_verification", "events_api", "slash_commands", "interactive"} == set(kinds)
    await slack.wait_for(lambda: {delivery.status for delivery in slack.deliveries} == {200})


async def test_a_wrong_secret_is_noticed(slack, http_app, serve):
    slack.deliver_http(await serve(http_app.web_app()), "another secret")
    assert not (await slack.command("ana", "trading", "/omni", "help")).acked
    assert (slack.deliveries[0].status, slack.deliveries[0].error) == (401, "http_error")
    assert not await slack.verify_url()


async def test_requests_look_like_those_of_slack(slack, serve):
    server = Server({"text": ""})
    slack.deliver_http(await serve(server.application()), SECRET)
    await slack.say("ana", "trading", "hello")
    await slack.wait_for(lambda: slack.deliveries and slack.deliveries[0].status)
    await slack.command("ana", "trading", "/omni", "a b")
    (event, event_body), (command, command_body) = server.requests
    verifier = SignatureVerifier(SECRET)
    for request, body in server.requests:
        assert verifier.is_valid_request(body, dict(request.headers))
        assert "X-Slack-Retry-Num" not in request.headers
    assert event.content_type == "application/json"
    assert json.loads(event_body)["type"] == "event_callback"
    assert command.content_type == "application/x-www-form-urlencoded"
    assert parse_qs(command_body.decode())["text"] == ["a b"]


async def test_a_click_is_a_form_with_one_payload(slack, web, serve):
    button = {"type": "button", "text": {"type": "plain_text", "text": "Yes"}, "action_id": "yes"}
    ts = await post_button(web, button)
    server = Server({"text": ""})
    slack.deliver_http(await serve(server.application()), SECRET)
    assert await slack.click("ana", "trading", ts, action_id="yes")
    ((_, body),) = server.requests
    form = parse_qs(body.decode())
    assert form.keys() == {"payload"}
    assert json.loads(form["payload"][0])["actions"][0]["action_id"] == "yes"


async def test_an_event_the_app_fails_to_take_comes_three_times_more(slack, hasty, serve):
    slack.socket_mode.ack_timeout = 1.5
    server = Server({"status": 500}, {"status": 302, "headers": {"Location": "/elsewhere"}}, 30.0, {"status": 503})
    slack.deliver_http(await serve(server.application()), SECRET)
    await slack.say("ana", "trading", "hello")
    await slack.wait_for(lambda: len(slack.deliveries) == 4 and slack.deliveries[3].error)
    await asyncio.sleep(0.4)
    assert len(server.requests) == 4
    assert [d.error for d in slack.deliveries] == ["http_error", "http_error", "http_timeout", "http_error"]
    assert [d.status for d in slack.deliveries] == [500, 302, None, 503]
    headers = [request.headers for request, _ in server.requests]
    assert [h.get("X-Slack-Retry-Num") for h in headers] == [None, "1", "2", "3"]
    assert [h.get("X-Slack-Retry-Reason") for h in headers] == [None, "http_error", "http_error", "http_timeout"]
    assert len({json.loads(body)["event_id"] for _, body in server.requests}) == 1


async def test_an_event_that_was_taken_at_last_comes_no_more(slack, hasty, serve):
    slack.socket_mode.ack_timeout = 20
    server = Server({"status": 500}, {"status": 204})
    slack.deliver_http(await serve(server.application()), SECRET)
    await slack.say("ana", "trading", "hello")
    await slack.wait_for(lambda: len(slack.deliveries) == 2 and slack.deliveries[1].status)
    await asyncio.sleep(0.3)
    assert len(server.requests) == 2


async def test_an_app_may_ask_not_to_be_sent_it_again(slack, hasty, serve):
    slack.socket_mode.ack_timeout = 20
    server = Server({"status": 500, "headers": {"x-slack-no-retry": "1"}})
    slack.deliver_http(await serve(server.application()), SECRET)
    await slack.say("ana", "trading", "hello")
    await slack.wait_for(lambda: slack.deliveries and slack.deliveries[0].error)
    await asyncio.sleep(0.2)
    assert len(server.requests) == 1


async def test_an_app_that_is_away_gets_the_event_when_it_is_back(slack, unused_port):
    slack.socket_mode.redeliver_after = (1, 5, 5)
    slack.deliver_http(f"http://127.0.0.1:{unused_port}/slack/events", SECRET)
    await slack.say("ana", "trading", "anybody?")
    await slack.wait_for(lambda: slack.deliveries and slack.deliveries[0].error)
    assert slack.deliveries[0].error == "connection_failed"
    server = Server({"text": ""})
    runner = http.AppRunner(server.application(), access_log=None)
    await runner.setup()
    await http.TCPSite(runner, "127.0.0.1", unused_port).start()
    await slack.wait_for(lambda: server.requests)
    request, _ = server.requests[0]
    assert request.headers["X-Slack-Retry-Reason"] == "connection_failed"
    await runner.cleanup()


@pytest.fixture
async def unused_port():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


@pytest.mark.parametrize("answer", [{"status": 500}, 30.0])
async def test_commands_and_clicks_come_once(slack, hasty, serve, answer):
    server = Server(answer)
    slack.deliver_http(await serve(server.application()), SECRET)
    assert not (await slack.command("ana", "trading", "/omni", "help")).acked
    await asyncio.sleep(0.3)
    assert len(server.requests) == 1


@pytest.mark.parametrize("form", ["{}", '{{"challenge": "{}"}}', "challenge={}"])
async def test_the_challenge_may_come_back_in_three_forms(slack, serve, form):
    async def answer(request):
        return http.Response(text=form.format((await request.json())["challenge"]))

    application = http.Application()
    application.router.add_post("/slack/events", answer)
    slack.deliver_http(await serve(application), SECRET)
    assert await slack.verify_url()


async def test_another_answer_fails_the_challenge(slack, serve):
    slack.deliver_http(await serve(Server({"text": "hello"}).application()), SECRET)
    assert not await slack.verify_url()
    slack.deliver_http(None)
    with pytest.raises(LookupError):
        await slack.verify_url()


async def test_events_can_be_doubled_held_and_mixed_up_over_http_too(slack, serve):
    server = Server({"text": ""})
    slack.deliver_http(await serve(server.application()), SECRET)
    slack.deliver_twice = True
    slack.hold_events()
    await slack.say("ana", "trading", "hello")
    await asyncio.sleep(0.05)
    assert server.requests == []
    slack.release_events()
    await slack.wait_for(lambda: len(server.requests) == 2)
    assert len({json.loads(body)["event_id"] for _, body in server.requests}) == 1


async def test_going_back_to_socket_mode_forgets_what_is_on_its_way(slack, serve, app, connect):
    heard = []

    @app.event("message")
    async def message(body):
        heard.append(body["event"]["text"])

    server = Server({"status": 500})
    slack.deliver_http(await serve(server.application()), SECRET)
    await slack.say("ana", "trading", "over HTTP")
    await slack.wait_for(lambda: slack.deliveries and slack.deliveries[0].error)
    slack.deliver_http(None)
    await connect(app)
    await slack.say("ana", "trading", "over Socket Mode")
    await slack.wait_for(lambda: heard)
    assert heard == ["over Socket Mode"]
    assert len(server.requests) == 1


async def test_subscribers_hear_of_deliveries(slack, serve):
    heard: list[dict[str, object]] = []
    slack.subscribe(heard.append)
    slack.deliver_http(await serve(Server({"status": 500}).application()), SECRET)
    await slack.command("ana", "trading", "/omni", "help")
    assert heard == [{"type": "delivery", "kind": "slash_commands", "status": 500, "error": "http_error"}]
