"""The HTTP endpoint: signed deliveries, their retries, and everything that must not get in; health and metrics."""

import asyncio
import hashlib
import hmac
import json
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.conftest import Deployment

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Endpoint:
    """The bot's HTTP server."""

    def __init__(self, deployment: Deployment, port: int, session: aiohttp.ClientSession) -> None:
        self.deployment = deployment
        self.base = f"http://127.0.0.1:{port}"
        self.session = session
        #: What was answered to deliveries.
        self.said: list[str] = []

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.base + path) as answer:
            return answer.status, await answer.text()

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        async with self.session.post(f"{self.base}/slack/events", data=body, headers=headers) as answer:
            self.said.append(await answer.text())
            return answer.status

    async def until(self, path: str, right: Callable[[int, str], bool]) -> str:
        """Ask until the answer is right: what is asked often is remembered for a while."""
        status, text = await self.get(path)
        for _ in range(900):
            if right(status, text):
                return text
            await asyncio.sleep(0.1)
            status, text = await self.get(path)
        raise AssertionError(f"{status}: {text}")

    async def up(self) -> None:
        async def live() -> bool:
            try:
                return (await self.get("/readyz"))[0] == 200
            except aiohttp.ClientError:
                return False

        for _ in range(900):
            if await live():
                return
            await asyncio.sleep(0.1)
        raise AssertionError(self.deployment.bot.logged())


@pytest.fixture
async def endpoint(deployment: Deployment) -> AsyncIterator[Endpoint]:
    """The deployment's bot, in HTTP mode."""
    await deployment.bot.terminate()
    port = free_port()
    del deployment.bot.environment["SLACK_APP_TOKEN"]
    deployment.bot.environment |= {"SLACK_SIGNING_SECRET": SECRET, "PORT": str(port), "OMNIBOT_READY_SECONDS": "0.3"}
    deployment.slack.deliver_http(f"http://127.0.0.1:{port}/slack/events", SECRET)
    await deployment.bot.start()
    async with aiohttp.ClientSession() as session:
        endpoint = Endpoint(deployment, port, session)
        await endpoint.up()
        yield endpoint


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={digest}",
    }


async def test_a_whole_conversation_over_http(endpoint: Endpoint):
    deployment = endpoint.deployment
    assert await deployment.slack.verify_url()
    ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await deployment.answered("trading", ts, "Pre-market")
    (reply,) = deployment.replies("trading", ts)
    assert await deployment.slack.click("ana", "trading", reply.ts, label="Check my positions")
    await deployment.answered("trading", ts, count=2)
    assert (await deployment.slack.command("ana", "trading", "/omni", "help")).acked
    await deployment.slack.wait_for(lambda: all(d.status or d.error for d in deployment.slack.deliveries))
    assert {d.status for d in deployment.slack.deliveries if not d.error} == {200}


async def test_no_secret_is_logged_over_http_even_at_debug(endpoint: Endpoint):
    deployment = endpoint.deployment
    await deployment.bot.terminate()
    deployment.bot.environment["OMNIBOT_LOG_LEVEL"] = "debug"
    await deployment.bot.start()
    await endpoint.up()
    ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await deployment.answered("trading", ts, "Pre-market")
    (reply,) = deployment.replies("trading", ts)
    await deployment.slack.click("ana", "trading", reply.ts, action_id="omni_button:1")
    result = await deployment.slack.command("ana", "trading", "/omni", "help")
    await deployment.answered("trading", ts, count=2)
    assert await endpoint.post(b"{}", signed(b"{}", secret="not the secret")) == 401
    logged = deployment.bot.logged()
    assert "DEBUG" in logged
    for secret in (SECRET, deployment.slack.bot_token, "demo-key", result.response_url, result.trigger_id):
        assert secret not in logged


async def test_a_command_may_speak_of_a_payload(endpoint: Endpoint):
    """Bolt alone reads such a form as empty, and the question would be lost."""
    endpoint.deployment.script("payload", "About eight tonnes.")
    await endpoint.deployment.slack.command("ana", "trading", "/omni", "what is the payload of a Falcon?")
    (root,) = await endpoint.deployment.slack.wait_for(lambda: endpoint.deployment.roots("trading"))
    await endpoint.deployment.answered("trading", root.ts, "eight tonnes")


async def test_events_delivered_twice_over_http_are_one_turn(endpoint: Endpoint):
    endpoint.deployment.script("hello", "Hi there.")
    endpoint.deployment.slack.deliver_twice = True
    ts = await endpoint.deployment.slack.say("ana", "trading", "@Omni hello")
    await endpoint.deployment.answered("trading", ts, "Hi there.")
    assert endpoint.deployment.asked() == ["hello"]


async def test_an_event_that_could_not_be_stored_gets_a_500_and_is_retried(endpoint: Endpoint, tmp_path: Path):
    deployment = endpoint.deployment
    deployment.script("hello", "Hi there.")
    connection = sqlite3.connect(tmp_path / "omnibot.sqlite3", timeout=20)
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    connection.commit()
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.slack.wait_for(lambda: any(d.status == 500 for d in deployment.slack.deliveries))
    connection.execute("DROP TRIGGER full")
    connection.commit()
    connection.close()
    await deployment.answered("trading", ts, "Hi there.")
    assert any(d.retry_num for d in deployment.slack.deliveries)
    assert deployment.asked() == ["hello"]


def event(text: str = "hello") -> bytes:
    inner = {"type": "message", "channel": "D1", "channel_type": "im", "user": "U0ANA00001", "ts": "1.1", "text": text}
    return json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": inner}).encode()


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    return {k: v for k, v in headers.items() if k != name}


BAD: dict[str, dict[str, Any]] = {
    "no signature": {"headers": without(signed(event()), "X-Slack-Signature")},
    "no timestamp": {"headers": without(signed(event()), "X-Slack-Request-Timestamp")},
    "another secret": {"headers": signed(event(), secret="wrong")},
    "another body": {"body": event("changed"), "headers": signed(event())},
    "an old one": {"headers": signed(event(), at=time.time() - 3600)},
    "one of the future": {"headers": signed(event(), at=time.time() + 3600)},
    "a rubbish timestamp": {"headers": signed(event()) | {"X-Slack-Request-Timestamp": "yesterday"}},
    "a huge timestamp": {"headers": signed(event()) | {"X-Slack-Request-Timestamp": "9" * 400}},
    "broken json": {"body": b'{"type": ', "headers": signed(b'{"type": ')},
    "json that is no object": {"body": b"[1]", "headers": signed(b"[1]")},
    "nothing": {"body": b"", "headers": signed(b"")},
    "deep nesting": {"body": b"[" * 100_000, "headers": signed(b"[" * 100_000)},
    "bytes": {"body": b"\xff\xfe\x00", "headers": signed(b"\xff\xfe\x00")},
}


async def test_nothing_unsigned_or_unreadable_gets_in(endpoint: Endpoint):
    for name, bad in BAD.items():
        status = await endpoint.post(bad.get("body", event()), bad["headers"])
        assert 400 <= status < 500, name
        assert not [
            secret
            for secret in (SECRET, endpoint.deployment.slack.bot_token, "demo-key")
            if secret in endpoint.said[-1]
        ]
    assert [c for c in endpoint.deployment.omni.calls if c.name.startswith("POST")] == []
    assert "listener_failed" not in endpoint.deployment.bot.logged()


@pytest.mark.parametrize(
    "body",
    [
        {"type": "event_callback", "team_id": "T1", "event": {"type": "something_of_2027"}},
        {"type": "event_callback", "team_id": "T1", "event": {"type": "message"}},
        {"type": "something_of_2027"},
        {"type": "block_actions", "user": {"id": "U1"}, "actions": [{"action_id": "of somebody else"}]},
        {"type": "view_submission", "user": {"id": "U1"}, "view": {"type": "modal", "callback_id": "unknown"}},
    ],
)
async def test_what_is_nothing_to_us_is_acked(endpoint: Endpoint, body: dict[str, Any]):
    raw = json.dumps(body).encode()
    assert await endpoint.post(raw, signed(raw)) == 200


async def test_health_readiness_and_metrics(endpoint: Endpoint):
    deployment = endpoint.deployment
    ts = await deployment.slack.say("ana", "trading", "@Omni what is the price of AAPL?")
    await deployment.answered("trading", ts, "AAPL")
    assert await endpoint.get("/healthz") == (200, '{"status": "ok"}')
    status, ready = await endpoint.get("/readyz")
    assert (status, json.loads(ready)) == (200, {"ready": True, "checks": {"database": "ok", "slack": "ok"}})
    ended = 'omnibot_turns_ended_total{outcome="succeeded"} 1.0'
    # A turn ends after its answer is shown.
    metrics = await endpoint.until("/metrics", lambda _status, text: ended in text)
    for line in (
        'omnibot_turns{state="running"} 0.0',
        'omnibot_slack_calls_total{method="chat.startStream"} 1.0',
        'omnibot_api_calls_total{call="POST /v1/omni-ai/threads"} 1.0',
        "omnibot_timer_lag_seconds_bucket",
        "omnibot_leases ",
        "omnibot_polls_total ",
        'omnibot_delivery_lag_seconds_count{kind="message"} 1.0',
    ):
        assert line in metrics, line
    for secret in (SECRET, deployment.slack.bot_token, "demo-key"):
        assert secret not in metrics


async def test_readiness_says_what_is_missing(endpoint: Endpoint, tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "omnibot.sqlite3", timeout=20)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    report = await endpoint.until("/readyz", lambda status, _: status == 503)
    checks = json.loads(report)["checks"]
    assert "omnibot db upgrade" in checks["database"]
    assert checks["slack"] == "ok"
    endpoint.deployment.slack.gate.refuse("auth.test", status=200, body={"ok": False, "error": "token_revoked"})
    await endpoint.until("/readyz", lambda status, text: status == 503 and '"slack": "token_revoked"' in text)


async def test_a_polite_stop_drains_within_its_grace(endpoint: Endpoint):
    deployment = endpoint.deployment
    deployment.script("slow", "Slowly.", seconds=600)
    await deployment.slack.say("ana", "trading", "@Omni slow")
    await deployment.slack.wait_for(lambda: deployment.omni.active())
    assert await deployment.bot.terminate() == 0  # within the patience of this
    assert deployment.omni.active()


async def test_in_socket_mode_the_port_is_bound_too(deployment: Deployment):
    await deployment.bot.terminate()
    port = free_port()
    deployment.bot.environment["PORT"] = str(port)
    await deployment.start()
    async with aiohttp.ClientSession() as session:
        endpoint = Endpoint(deployment, port, session)
        await endpoint.up()
        async with session.post(f"{endpoint.base}/slack/events") as answer:
            assert answer.status == 404


async def test_a_wrong_app_token_is_refused_at_start_by_its_name(deployment: Deployment):
    await deployment.bot.terminate()
    deployment.bot.environment["SLACK_APP_TOKEN"] = "xapp-wrong"
    await deployment.bot.start()
    assert deployment.bot.process is not None
    assert await asyncio.wait_for(deployment.bot.process.wait(), 60) == 1
    assert "SLACK_APP_TOKEN" in deployment.bot.logged()
    assert "Traceback" not in deployment.bot.logged()


async def test_slack_is_not_asked_who_we_are_before_every_event(deployment: Deployment):
    """One auth.test at start; an event must not wait for Slack, nor be acked when Slack does not answer."""
    deployment.script("hello", "Hi there.")
    deployment.slack.gate.refuse("auth.test", status=429, count=99)
    ts = await deployment.slack.say("ana", deployment.slack.dm("ana"), "hello")
    await deployment.answered(deployment.slack.dm("ana"), ts, "Hi there.")
    assert len([c for c in deployment.slack.calls if c.name == "auth.test"]) == 1
