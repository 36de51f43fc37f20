"""Calls can be held, dropped and refused on their way, and what then happened is what really happened."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from sandbox.tests.clearstreet.conftest import MAIN, Caller, old

CREATE, POLL = "POST /v1/omni-ai/threads", "GET /v1/omni-ai/responses/{response_id}"
BODY = {"account_id": MAIN, "type": "instant", "text": "What is the price of AAPL?"}


async def create(call):
    return await call("POST", "/omni-ai/threads", json=BODY)


@old
async def test_calls_are_recorded_in_order_under_the_name_of_their_route(call, omni):
    asked = await call.ask("hello")
    await call.poll(asked["response_id"])
    await call("PUT", "/elsewhere")

    assert [made.name for made in omni.calls] == [CREATE, POLL, "PUT /v1/elsewhere"]
    assert omni.calls[0].args == {"account_id": MAIN, "text": "hello", "type": "instant"}
    assert omni.calls[1].args == {"response_id": asked["response_id"], "account_id": str(MAIN)}
    assert omni.calls[0].headers["Authorization"] == "Bearer demo-key"
    assert [made.status for made in omni.calls] == [200, 200, 404]
    assert [made.accepted for made in omni.calls] == [True, True, False]
    assert omni.calls[0].answer["data"] == asked


@old
async def test_a_call_held_before_has_not_happened_yet(call, omni):
    hold = omni.gate.hold(CREATE)
    calling = asyncio.create_task(create(call))
    held = await hold.reached()

    assert (omni.threads, held.accepted, held.status) == ({}, False, None)
    hold.release()
    status, _ = await calling
    assert (status, len(omni.threads), held.accepted) == (200, 1, True)


@old
async def test_a_call_held_after_has_happened_and_is_not_answered_yet(call, omni):
    hold = omni.gate.hold(CREATE, "after")
    calling = asyncio.create_task(create(call))
    held = await hold.reached()

    assert (len(omni.threads), held.accepted, held.status) == (1, True, None)
    hold.release()
    assert (await calling)[0] == 200


@old
@pytest.mark.parametrize(("point", "threads"), [("before", 0), ("after", 1)])
async def test_a_dropped_call_gets_no_answer_and_may_have_happened(call, omni, point, threads):
    omni.gate.drop(CREATE, point)

    with pytest.raises(aiohttp.ClientConnectionError):
        await create(call)

    assert len(omni.threads) == threads
    assert (omni.calls[0].accepted, omni.calls[0].status) == (bool(threads), None)
    assert (await create(call))[0] == 200


@old
@pytest.mark.parametrize(("point", "threads"), [("before", 0), ("after", 1)])
async def test_a_refused_call_gets_the_given_answer(call, omni, point, threads):
    omni.gate.refuse(CREATE, point, status=503, body={"oh": "no"}, headers={"Retry-After": "2"})

    async with call.session.post(
        f"{omni.base_url}/v1/omni-ai/threads", json=BODY, headers={"Authorization": "Bearer demo-key"}
    ) as answer:
        assert (answer.status, await answer.json(), answer.headers["Retry-After"]) == (503, {"oh": "no"}, "2")
    assert len(omni.threads) == threads
    assert (omni.calls[0].status, omni.calls[0].accepted) == (503, bool(threads))


@old
async def test_a_refusal_without_a_body_is_the_usual_envelope(call, omni):
    omni.gate.refuse(CREATE, status=429)

    status, answer = await create(call)

    assert (status, answer["error"]) == (429, {"code": 429, "message": "Too Many Requests"})
    assert answer["metadata"]["request_id"]


@old
@pytest.mark.parametrize(("body", "expected"), [("<html>", b"<html>"), (b"\x00\xff", b"\x00\xff")])
async def test_a_refusal_may_be_no_json_at_all(call, omni, body, expected):
    omni.gate.refuse(CREATE, status=502, body=body)

    async with call.session.post(f"{omni.base_url}/v1/omni-ai/threads", json=BODY) as answer:
        assert (answer.status, await answer.read()) == (502, expected)


@old
async def test_a_call_whose_caller_died_while_held_before_does_nothing(call, omni):
    hold = omni.gate.hold(CREATE)
    calling = asyncio.create_task(create(call))
    held = await hold.reached()

    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    hold.release()
    await asyncio.sleep(0.05)

    assert (omni.threads, held.accepted, held.status) == ({}, False, None)


@old
async def test_a_held_poll_does_not_hold_up_the_turn(call, omni):
    omni.pace = 0.04
    asked = await call.ask("What is the price of AAPL?")
    hold = omni.gate.hold(POLL)
    polling = asyncio.create_task(call.poll(asked["response_id"]))
    await hold.reached()
    await asyncio.sleep(0.12)

    assert omni.active() == []
    hold.release()
    assert (await polling)["status"] == "succeeded"


async def test_closing_lets_held_calls_go_without_effect_and_leaves_no_task_behind(monkeypatch):
    """At once: it does not wait for the time after which the server would cut them off."""

    class PatientRunner(web.AppRunner):
        def __init__(self, app, **options):
            super().__init__(app, **{**options, "shutdown_timeout": 60})

    monkeypatch.setattr(web, "AppRunner", PatientRunner)
    before = asyncio.all_tasks()
    omni = ClearStreetEmulator()
    await omni.start()
    hold = omni.gate.hold(CREATE)
    async with aiohttp.ClientSession() as session:
        calling = asyncio.create_task(create(Caller(omni, session)))
        await hold.reached()

        await asyncio.wait_for(omni.close(), 60)

        with pytest.raises(aiohttp.ClientConnectionError):
            await calling
    assert omni.threads == {}
    assert asyncio.all_tasks() == before


@old
async def test_it_can_be_started_again_on_the_same_port_and_remembers(call, omni):
    asked = await call.ask("hello")
    port = int(omni.base_url.rpartition(":")[2])

    await omni.close()
    await omni.start(port=port)

    assert (await call.poll(asked["response_id"]))["thread_id"] == asked["thread_id"]
