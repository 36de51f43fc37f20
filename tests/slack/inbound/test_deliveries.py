"""A delivery that Slack repeats is dispatched once, whatever kind it is, unless the first try failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest

from omnibot.slack.app import build_app, open_session
from omnibot.slack.inbound import deliveries
from omnibot.slack.inbound.deliveries import DeliveryApp, delivery_id

EVENT = {
    "type": "event_callback",
    "event_id": "Ev01",
    "team_id": "T1",
    "event": {"type": "agent_session_stopped", "user": "U1"},
}
COMMAND = {"command": "/omni", "text": "help", "team_id": "T1", "user_id": "U1", "trigger_id": "1.2.a"}
PRESS = {
    "type": "block_actions",
    "trigger_id": "1.2.b",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "actions": [{"action_id": "press", "block_id": "b", "type": "button"}],
}
FORM = {
    "type": "view_submission",
    "trigger_id": "1.2.c",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "view": {"callback_id": "form", "type": "modal"},
}
KINDS = pytest.mark.parametrize("body", [EVENT, COMMAND, PRESS, FORM], ids=["event", "command", "press", "form"])


@dataclass
class Listener:
    """One for every kind; waits until it may go on, and breaks if told to."""

    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    breaks: bool = False
    began: int = 0
    done: int = 0

    async def __call__(self, ack: AsyncAck) -> None:
        self.began += 1
        await self.may_go_on.wait()
        if self.breaks:
            raise RuntimeError("the database is away")
        await ack(response_action="clear")
        self.done += 1


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def app(listener: Listener) -> AsyncIterator[DeliveryApp]:
    async with open_session() as session:
        me = AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_user_id="U0", bot_id="B0")
        app = build_app(session, "https://slack.invalid/api/", me)

        async def handle(ack: AsyncAck) -> None:
            await listener(ack)

        app.event("agent_session_stopped")(handle)
        app.command("/omni")(handle)
        app.action("press")(handle)
        app.view("form")(handle)
        assert isinstance(app, DeliveryApp)
        yield app


def deliver(app: DeliveryApp, body: dict[str, Any]) -> asyncio.Future[BoltResponse]:
    return asyncio.ensure_future(app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body, headers={})))


@KINDS
async def test_a_repeated_delivery_is_dispatched_once_and_gets_the_same_answer(
    app: DeliveryApp, listener: Listener, body: dict[str, Any]
):
    first, second = deliver(app, body), deliver(app, body)
    await asyncio.sleep(0.05)
    assert listener.began == 1
    assert not second.done()
    listener.may_go_on.set()
    answers = [await first, await second, await deliver(app, body)]
    assert listener.done == 1
    assert {answer.status for answer in answers} == {200}
    assert len({str(answer.body) for answer in answers}) == 1


@KINDS
async def test_what_failed_is_dispatched_anew(app: DeliveryApp, listener: Listener, body: dict[str, Any]):
    listener.may_go_on.set()
    listener.breaks = True
    answers = await asyncio.gather(deliver(app, body), deliver(app, body))
    assert listener.began == 1
    assert {answer.status for answer in answers} == {500}
    listener.breaks = False
    assert (await deliver(app, body)).status == 200
    assert listener.done == 1


async def test_the_work_goes_on_when_the_first_delivery_hangs_up(app: DeliveryApp, listener: Listener):
    first, second = deliver(app, EVENT), deliver(app, EVENT)
    await asyncio.sleep(0.05)
    first.cancel()
    listener.may_go_on.set()
    assert (await second).status == 200
    assert (listener.began, listener.done) == (1, 1)


async def test_only_so_many_answers_are_remembered(
    app: DeliveryApp, listener: Listener, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deliveries, "REMEMBERED", 2)
    listener.may_go_on.set()
    for name in ("Ev01", "Ev02", "Ev03", "Ev03", "Ev02", "Ev01"):
        await deliver(app, EVENT | {"event_id": name})
    assert listener.done == 4


@pytest.mark.parametrize("body", [{}, {"event_id": None}, {"event_id": ""}, {"trigger_id": 7}])
def test_what_has_no_id_is_not_taken_for_a_repetition(body: dict[str, Any]):
    assert delivery_id(body) is None


def test_an_event_and_a_press_are_never_each_other():
    assert len({delivery_id(body) for body in (EVENT, PRESS, FORM, COMMAND, PRESS | {"type": "view_closed"})}) == 5
