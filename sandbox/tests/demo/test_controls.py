"""Behind the scenes, without a browser: calls, faults, switches, and a bot that is kept alive."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from omnibot_sandbox.clearstreet.accounts import DEMO_KEYS
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.demo import supervisor as keeping
from omnibot_sandbox.demo.network import network_to
from omnibot_sandbox.demo.page_server import PageServer
from omnibot_sandbox.demo.scenarios import scenarios
from omnibot_sandbox.demo.session import DemoError
from omnibot_sandbox.demo.supervisor import Supervisor
from omnibot_sandbox.slack.server import SlackEmulator

from sandbox.tests.demo.test_page_server import post

CLEAR_STREET = {"Authorization": "Bearer demo-key"}


@pytest.fixture
async def emulators() -> AsyncIterator[tuple[SlackEmulator, ClearStreetEmulator]]:
    async with SlackEmulator(ack_timeout=0.2) as slack:
        omni = ClearStreetEmulator()
        await omni.start()
        yield slack, omni
        await omni.close()


@pytest.fixture
async def page(emulators) -> AsyncIterator[aiohttp.ClientSession]:
    server = PageServer(*emulators)
    async with server.serving(0) as address, aiohttp.ClientSession(base_url=address) as session:
        yield session


async def get(page: aiohttp.ClientSession, path: str = "/backstage") -> dict[str, Any]:
    async with page.get(path) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def list_accounts(omni: ClearStreetEmulator) -> int | None:
    """How a call at Clear Street was answered; None: not at all."""
    before = len(omni.calls)
    async with aiohttp.ClientSession(headers=CLEAR_STREET) as session:
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(f"{omni.base_url}/v1/accounts") as answer:
                await answer.read()
    return omni.calls[before].status  # a client may try again by itself


async def test_calls_and_deliveries_are_listed_with_what_was_sent_and_answered(emulators, page):
    slack, omni = emulators
    assert await list_accounts(omni) == 200
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {slack.bot_token}"}) as bot:
        async with bot.post(f"{slack.api_url}chat.postMessage", json={"channel": "C0TRADING1", "text": "hi"}) as said:
            assert (await said.json())["ok"]
        async with bot.post(f"{slack.api_url}chat.postMessage", json={"channel": "C0TRADING1"}) as said:
            assert not (await said.json())["ok"]
    accounts, posted, refused = (await get(page))["calls"]
    assert (accounts["side"], accounts["name"], accounts["status"]) == ("clear-street", "GET /v1/accounts", 200)
    assert accounts["request_id"]
    assert accounts["ms"] >= 0
    assert (posted["name"], posted["note"], posted["error"]) == ("chat.postMessage", "#trading · hi", "")
    assert refused["error"] == "no_text"
    detail = await get(page, f"/backstage/call/{posted['n']}")
    assert detail["sent"] == {"channel": "C0TRADING1", "text": "hi"}
    assert detail["answer"]["ok"] is True
    assert "Authorization" not in detail["headers"]
    async with page.get("/backstage/call/999") as answer:
        assert answer.status == 404
    await post(page, "/backstage/action", action="clear-calls")
    assert (await get(page))["calls"] == []


async def test_an_event_is_listed_with_its_acknowledgement(emulators, page):
    slack, _ = emulators
    link = slack.api_url.replace("http", "ws").replace("/api/", f"/link/?ticket={slack.socket_mode.ticket()}")
    async with aiohttp.ClientSession() as session, session.ws_connect(link) as ws:
        await ws.receive_json()
        await slack.say("ana", "trading", "@Omni hello")
        envelope = await ws.receive_json()
        first = (await get(page))["calls"][0]
        assert (first["side"], first["name"], first["note"]) == ("bot", "events_api app_mention", "@Omni hello")
        assert first["ms"] is None
        await ws.send_json({"envelope_id": envelope["envelope_id"]})
        await slack.wait_for(lambda: envelope["envelope_id"] in slack.socket_mode.acked)
        assert (await get(page))["calls"][0]["status"] == 200


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ({"kind": "refuse", "status": 503, "when": "next", "number": 2}, [503, 503, 200]),
        ({"kind": "refuse", "status": 429, "retry_after": 7, "when": "every", "number": 2}, [200, 429, 200]),
        ({"kind": "drop", "when": "next"}, [None, 200]),
        ({"kind": "drop", "when": "next", "point": "after"}, [None, 200]),
        ({"kind": "wrong-json", "when": "next"}, [200, 200]),
        ({"kind": "reset", "when": "next"}, [None, 200]),
        ({"kind": "truncate", "after": 5, "when": "next"}, [200, 200]),
        ({"kind": "delay", "seconds": 0.01}, [200]),
        ({"kind": "refuse", "when": "sometimes", "probability": 0.0}, [200]),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
async def test_a_fault_befalls_the_calls_it_names(emulators, page, fault: dict[str, Any], statuses: list[int | None]):
    _, omni = emulators
    await post(page, "/backstage/fault", side="clear-street", pattern="GET /v1/acc*", **fault)
    assert [await list_accounts(omni) for _ in statuses] == statuses


async def test_faults_are_listed_switched_off_and_taken_away(emulators, page):
    slack, omni = emulators
    await post(page, "/backstage/fault", side="clear-street", pattern="*", kind="refuse", status=500)
    await post(page, "/backstage/fault", side="slack", pattern="chat.*", kind="refuse", status=200, error="fatal_error")
    assert await list_accounts(omni) == 500
    rules = {rule["side"]: rule for rule in (await get(page))["rules"]}
    assert (rules["clear-street"]["hits"], rules["slack"]["hits"]) == (1, 0)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {slack.bot_token}"}) as bot,
        bot.post(f"{slack.api_url}chat.update") as answer,
    ):
        assert await answer.json() == {"ok": False, "error": "fatal_error"}
    rule = {"side": "clear-street", "id": rules["clear-street"]["id"]}
    await post(page, "/backstage/rule", **rule, action="disable")
    assert await list_accounts(omni) == 200
    await post(page, "/backstage/rule", **rule, action="enable")
    assert await list_accounts(omni) == 500
    await post(page, "/backstage/rule", **rule, action="remove")
    assert await list_accounts(omni) == 200
    assert (await post(page, "/backstage/rule", **rule, action="remove"))["ok"] is False
    await post(page, "/backstage/action", action="clear-faults")
    assert (await get(page))["rules"] == []


def accounts(omni: ClearStreetEmulator) -> asyncio.Task[int | str]:
    """A call at Clear Street that nobody repeats: its status, or how it ended."""

    async def call() -> int | str:
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(headers=CLEAR_STREET, connector=connector) as session:
            try:
                async with session.post(f"{omni.base_url}/v1/accounts", data=b"") as answer:
                    await answer.json(content_type=None)
                    return answer.status
            except (aiohttp.ClientError, OSError) as error:
                return type(error).__name__

    return asyncio.create_task(call())


async def rule(page: aiohttp.ClientSession, holding: int) -> dict[str, Any]:
    """The one rule in force, once so many calls wait at it."""
    async with asyncio.timeout(90):
        while True:
            (found,) = (await get(page))["rules"]
            if found["holding"] == holding:
                return {"side": found["side"], "id": found["id"]}
            await asyncio.sleep(0.01)


async def test_a_call_that_is_never_answered_waits_until_it_is_let_go_or_hung_up_on(emulators, page):
    _, omni = emulators
    await post(page, "/backstage/fault", side="clear-street", pattern="POST /v1/acc*", kind="silence")
    first = accounts(omni)
    one = await rule(page, 1)
    assert not first.done()
    await post(page, "/backstage/rule", **one, action="let-go")
    assert await first == 404  # what such a call is answered
    second, third = accounts(omni), accounts(omni)
    await rule(page, 2)
    await post(page, "/backstage/rule", **one, action="hang-up")
    assert [await second, await third] == ["ServerDisconnectedError"] * 2
    fourth = accounts(omni)
    await rule(page, 1)
    await post(page, "/backstage/rule", **one, action="disable")
    assert await fourth == 404
    await post(page, "/backstage/rule", **one, action="enable")
    fifth = accounts(omni)
    await rule(page, 1)
    await post(page, "/backstage/action", action="mend")
    assert await fifth == 404
    assert (await get(page))["rules"] == []


async def test_a_reset_and_a_cut_answer_are_what_a_caller_meets(emulators, page):
    slack, omni = emulators
    await post(page, "/backstage/fault", side="clear-street", pattern="POST *", kind="reset", when="next")
    assert await accounts(omni) in ("ClientOSError", "ConnectionResetError", "ServerDisconnectedError")
    await post(page, "/backstage/fault", side="clear-street", pattern="POST *", kind="truncate", after=3, when="next")
    assert await accounts(omni) == "ClientPayloadError"
    await post(page, "/backstage/fault", side="slack", pattern="chat.*", kind="truncate", after=3)
    hi = {"channel": "C0TRADING1", "text": "hi"}
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {slack.bot_token}"}) as bot,
        bot.post(f"{slack.api_url}chat.postMessage", json=hi) as said,
    ):
        with pytest.raises(aiohttp.ClientPayloadError):
            await said.read()
    assert [message.text for message in slack.history("trading")] == ["hi"]
    reset, cut, posted = (await get(page))["calls"]
    assert reset["error"] == "reset"
    assert cut["error"].startswith("cut off after 3 of ")
    assert posted["error"].startswith("cut off after 3 of ")


@pytest.fixture
async def lined(emulators) -> AsyncIterator[aiohttp.ClientSession]:
    """A page whose bot reaches the emulators by lines that can be made bad."""
    slack, omni = emulators
    async with (
        network_to(slack, omni) as lines,
        PageServer(slack, omni, lines=lines).serving(0) as address,
        aiohttp.ClientSession(base_url=address) as session,
    ):
        yield session


@pytest.mark.parametrize(
    ("mode", "outcomes"),
    [
        ({"mode": "latency", "seconds": 0.01}, {404}),
        ({"mode": "truncate", "after": 30}, {"ClientPayloadError", "ServerDisconnectedError", "ClientResponseError"}),
        ({"mode": "reset"}, {"ClientOSError", "ServerDisconnectedError", "ConnectionResetError"}),
        ({"mode": "refuse"}, {"ClientConnectorError"}),
    ],
    ids=lambda value: value.get("mode", "") if isinstance(value, dict) else "",
)
async def test_a_whole_line_can_be_made_bad_and_mended(emulators, lined, mode: dict[str, Any], outcomes: set[Any]):
    _, omni = emulators
    assert await accounts(omni) == 404
    await post(lined, "/backstage/line", side="clear-street", **mode)
    assert (await get(lined))["lines"]["clear-street"]["mode"] == mode["mode"]
    assert (await get(lined))["lines"]["slack"]["mode"] == "pass"
    assert await accounts(omni) in outcomes
    await post(lined, "/backstage/action", action="mend")
    assert await accounts(omni) == 404
    assert (await get(lined))["lines"]["clear-street"]["mode"] == "pass"


async def test_a_black_hole_swallows_calls_and_mending_tears_what_it_swallowed(emulators, lined):
    _, omni = emulators
    await post(lined, "/backstage/line", side="clear-street", mode="blackhole")
    calling = accounts(omni)
    async with asyncio.timeout(90):
        while not (await get(lined))["lines"]["clear-street"]["dead"]:  # noqa: ASYNC110 - only the page can say when
            await asyncio.sleep(0.01)
    assert not calling.done()
    assert omni.calls == []
    await post(lined, "/backstage/action", action="mend")
    assert isinstance(await calling, str)
    assert await accounts(omni) == 404


async def test_sockets_pass_the_line_too(emulators, lined):
    slack, _ = emulators
    headers = {"Authorization": f"Bearer {slack.app_token}"}
    async with aiohttp.ClientSession(headers=headers) as bot:
        async with bot.post(f"{slack.api_url}apps.connections.open") as opened:
            url = (await opened.json())["url"]
        async with bot.ws_connect(url) as ws:
            assert (await ws.receive_json())["type"] == "hello"
            await post(lined, "/backstage/line", side="slack", mode="reset")
            async with asyncio.timeout(90):
                ended = await ws.receive()
    assert ended.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSING)


async def test_mending_lets_deliveries_be_in_order_again(emulators, page):
    slack, _ = emulators
    troubles = ("rate_limits", "duplicates", "out_of_order", "hold_events")
    for name in troubles:
        await post(page, "/backstage/switch", name=name, value=True)
    await post(page, "/backstage/action", action="mend")
    switches = (await get(page))["switches"]
    assert not any(switches[name] for name in troubles)
    assert (slack.enforce_tiers, slack.deliver_twice) == (False, False)


async def test_without_a_line_none_can_be_made_bad(page):
    refused = await post(page, "/backstage/line", side="slack", mode="reset")
    assert (refused["ok"], refused["error"]) == (False, "There is no line here that could be made bad.")


async def test_switches_are_set_and_told(emulators, page):
    slack, omni = emulators
    wanted = {
        "rate_limits": True,
        "duplicates": True,
        "out_of_order": True,
        "hold_events": True,
        "pace": 0.5,
        "stream_seconds": 20,
        "revision": "2026-10",
    }
    for name, value in wanted.items():
        assert (await post(page, "/backstage/switch", name=name, value=value))["ok"]
    assert (await get(page))["switches"] == wanted
    assert (slack.enforce_tiers, slack.deliver_twice) == (True, True)
    assert (slack.stream_seconds, omni.pace, omni.revision) == (20, 0.5, "2026-10")
    for name, value in (("pace", "fast"), ("pace", -1), ("rate_limits", 1.5), ("revision", "2027-01")):
        refused = await post(page, "/backstage/switch", name=name, value=value)
        assert refused["ok"] is False
        assert name in refused["error"]
    for name in ("out_of_order", "hold_events"):
        await post(page, "/backstage/switch", name=name, value=False)


async def test_somebody_elses_bot_is_not_ours_to_kill(emulators, page):
    described = (await get(page))["bot"]
    assert (described["state"], described["ours"], described["connections"]) == ("absent", False, 0)
    refused = await post(page, "/backstage/action", action="kill")
    assert "somebody else" in refused["error"]


async def test_the_exchange_is_moved_and_set_right_again(emulators, page):
    exchange = emulators[1].exchange
    aapl = exchange.market.instruments.find("AAPL")
    exchange.market.wandering = False
    await post(page, "/backstage/exchange", symbol="AAPL", plan="slowly", condition="frozen")
    await post(page, "/backstage/exchange", plan="refuse:BUYING_POWER", phase="closed", list_lag=5)
    shown = (await get(page))["exchange"]
    assert shown["plans"] == {"AAPL": "slowly", "*": "refuse:BUYING_POWER"}
    assert (shown["conditions"], shown["phase"], shown["list_lag"]) == ({"AAPL": "frozen"}, "closed", 5)
    assert exchange.plans.choose("", "AAPL").refusal is None
    assert exchange.plans.choose("", "MSFT").refusal.code == "BUYING_POWER"

    await post(page, "/backstage/exchange", symbol="AAPL", plan="", condition="live")
    assert (await get(page))["exchange"]["conditions"] == {}
    before = exchange.market.last(aapl)
    await post(page, "/backstage/exchange", symbol="AAPL", move=10)
    assert round(exchange.market.last(aapl) / before, 3) == Decimal("1.1")

    await post(page, "/backstage/action", action="mend")
    shown = (await get(page))["exchange"]
    assert (shown["plans"], shown["conditions"], shown["phase"], shown["list_lag"]) == ({}, {}, "open", 0)
    assert exchange.market.last(aapl) / before < Decimal("1.05")


@pytest.mark.parametrize(
    "form",
    [{"plan": "no such"}, {"symbol": "NOPE", "plan": "fill"}, {"symbol": "NOPE", "condition": "null"}, {"move": 5}],
)
async def test_what_the_exchange_does_not_have_is_refused_in_words(page, form: dict[str, Any]):
    refused = await post(page, "/backstage/exchange", **form)
    assert refused["ok"] is False
    assert re.match("(plan|symbol): ", refused["error"])
    assert (await get(page))["exchange"]["plans"] == {}


async def test_what_scenarios_do_before_they_ask_can_be_done(page):
    for verb, form in ((one["verb"], one["form"]) for scenario in scenarios() for one in scenario["before"]):
        assert (await post(page, f"/backstage/{verb}", **form))["ok"] is True, form


async def test_every_scenario_can_be_asked():
    found = scenarios()
    assert len({one["name"] for one in found}) == len(found) > 40
    assert all(one["text"].startswith(("@Omni ", "/omni ")) == (one["place"] == "channel") for one in found)


async def test_the_keys_that_people_are_told_to_link_are_known_to_clear_street():
    (about,) = [one["about"] for one in scenarios() if one["name"] == "/omni link"]
    named = re.findall(r"demo-\w+-\w+", about)
    assert len(named) == 2
    assert set(named) <= set(DEMO_KEYS)


class FakeBot:
    """Ends when told, and starts as often as it may."""

    def __init__(self, starts: int = 100) -> None:
        self.starts = starts
        self.started = 0
        self.asked: list[str] = []
        self.pid: int | None = 1
        self._over = asyncio.Event()

    async def ended(self) -> int:
        await self._over.wait()
        return -9

    async def start(self, slack: SlackEmulator, *, upgrade: bool = True) -> None:
        assert not upgrade
        self._over.clear()
        self.started += 1
        if self.started > self.starts:
            self._over.set()
            raise DemoError("The bot ended at once.")

    def kill(self) -> None:
        self.asked.append("kill")
        self.die()

    def terminate(self) -> None:
        self.asked.append("terminate")
        self.die()

    async def stop(self) -> None:
        self.asked.append("stop")

    def die(self) -> None:
        self._over.set()


async def until(supervisor: Supervisor, state: str, restarts: int) -> None:
    async with asyncio.timeout(90):
        while (supervisor.state, supervisor.restarts) != (state, restarts):  # noqa: ASYNC110 - its one listener is the page
            await asyncio.sleep(0.001)


@pytest.fixture
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Supervisor, FakeBot]]:
    bot = FakeBot(getattr(request, "param", 100))
    supervisor = Supervisor(bot, SlackEmulator())  # type: ignore[arg-type]
    keeping_it = asyncio.create_task(supervisor.keep())
    await asyncio.sleep(0)
    yield supervisor, bot
    keeping_it.cancel()
    await asyncio.gather(keeping_it, return_exceptions=True)


async def test_a_bot_that_dies_is_started_again_until_it_dies_too_often(kept):
    supervisor, bot = kept
    for death in range(1, keeping.MOST_DEATHS):
        bot.die()
        await until(supervisor, "running", death)
    assert "by itself, with exit code -9" in supervisor.note
    bot.die()
    await until(supervisor, "down", keeping.MOST_DEATHS - 1)
    assert f"{keeping.MOST_DEATHS} times" in supervisor.note
    supervisor.start()
    await until(supervisor, "running", keeping.MOST_DEATHS)


async def test_deaths_that_were_asked_for_do_not_count(kept):
    supervisor, bot = kept
    for death in range(1, keeping.MOST_DEATHS * 2):
        (supervisor.kill if death % 2 else supervisor.restart)()
        await until(supervisor, "running", death)
    assert set(bot.asked) == {"kill", "terminate"}


@pytest.mark.parametrize("kept", [0], indirect=True)
async def test_a_bot_that_cannot_be_started_stays_down_and_says_why(kept):
    supervisor, bot = kept
    bot.die()
    await until(supervisor, "down", 1)
    assert "ended at once" in supervisor.note
    assert bot.asked == ["stop"]
    bot.starts = 100
    supervisor.start()
    await until(supervisor, "running", 2)
