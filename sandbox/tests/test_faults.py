"""The gate itself: which calls its rules befall, and how they are switched."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.faults import Call, Delay, Drop, Dropped, Gate, Refuse, Refused
from omnibot_sandbox.slack import SlackEmulator


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def fate(gate: Gate, name: str = "chat.update", point: str = "before") -> str:
    try:
        await gate.at("before" if point == "before" else "after", Call(name, {}))
    except Dropped:
        return "dropped"
    except Refused as refusal:
        return str(refusal.status)
    return "passed"


async def fates(gate: Gate, calls: int, name: str = "chat.update") -> list[str]:
    return [await fate(gate, name) for _ in range(calls)]


async def test_a_delay_slows_down_every_matching_call_until_it_is_removed(gate):
    rule = gate.delay("chat.*", 0.05)
    start = time.monotonic()
    assert await fates(gate, 2) == ["passed", "passed"]
    assert time.monotonic() - start >= 0.1
    gate.remove(rule)
    assert await fates(gate, 2) == ["passed", "passed"]
    assert len(rule.calls) == 2


async def test_a_delayed_call_meets_the_other_rules_afterwards(gate):
    gate.delay("chat.*", 0.02, jitter=0.01)
    gate.refuse("chat.update", status=500)
    start = time.monotonic()
    assert await fate(gate) == "500"
    assert time.monotonic() - start >= 0.01


async def test_removing_a_delay_lets_go_of_the_calls_it_holds_up(gate):
    rule = gate.delay("*", 30)
    call = asyncio.create_task(fate(gate))
    await asyncio.sleep(0)
    gate.remove(rule)
    assert await asyncio.wait_for(call, 60) == "passed"


async def test_a_fault_befalls_every_nth_call(gate):
    gate.every("chat.*", 3, Refuse(503))
    assert await fates(gate, 7) == ["passed", "passed", "503", "passed", "passed", "503", "passed"]


async def test_a_fault_that_befalls_now_and_then_picks_the_same_calls_for_the_same_seed(gate):
    gate.sometimes("chat.*", 0.3, Drop(), seed=7)
    other = Gate()
    other.sometimes("chat.*", 0.3, Drop(), seed=7)
    first, second = await fates(gate, 100), await fates(other, 100)
    assert first == second
    assert 15 <= first.count("dropped") <= 45


async def test_what_every_nth_spares_meets_the_next_rule(gate):
    gate.every("chat.*", 2, Drop())
    gate.every("chat.*", 1, Refuse(500))
    assert await fates(gate, 2) == ["500", "dropped"]


async def test_rules_belong_to_a_name_and_a_point(gate):
    gate.every("chat.*", 1, Drop(), point="after")
    assert await fate(gate, "chat.update") == "passed"
    assert await fate(gate, "views.open", "after") == "passed"
    assert await fate(gate, "chat.update", "after") == "dropped"


async def test_a_rule_that_is_switched_off_lets_pass_and_counts_nothing(gate):
    rule = gate.every("*", 2, Drop())
    rule.enabled = False
    assert await fates(gate, 3) == ["passed"] * 3
    rule.enabled = True
    assert await fates(gate, 2) == ["passed", "dropped"]


async def test_the_rules_in_force_are_listed_in_words(gate):
    slow = gate.delay("chat.*", 0.5, 0.1)
    gate.every("*", 3, Refuse(503))
    hold = gate.hold("views.open", "after")
    gate.refuse("users.info", status=200, body="{", count=2)
    words = [(d["pattern"], d["point"], d["fault"], d["when"], d["remaining"]) for d in listed(gate)]
    assert words == [
        ("chat.*", "before", "delay by 0.5 s ± 0.1 s", "always", None),
        ("*", "before", "refuse with 503", "every 3.", None),
        ("views.open", "after", "hold", "always", 1),
        ("users.info", "before", "refuse with 200", "always", 2),
    ]
    assert [d["id"] for d in listed(gate)] == [1, 2, 3, 4]
    hold.drop()
    slow.enabled = False
    assert [d["enabled"] for d in listed(gate)] == [False, True, True, True]
    assert listed(gate)[2]["fault"] == "drop"


def listed(gate: Gate) -> list[dict[str, object]]:
    return [rule.describe() for rule in gate.rules()]


async def test_rules_that_had_all_their_calls_are_no_longer_listed(gate):
    gate.drop("*")
    assert await fates(gate, 2) == ["dropped", "passed"]
    assert gate.rules() == []


async def test_clear_lets_go_of_everything(gate):
    hold = gate.hold("chat.*")
    gate.delay("views.*", 30)
    waiting = [asyncio.create_task(fate(gate, name)) for name in ("chat.update", "views.open")]
    await hold.reached()
    gate.clear()
    assert await asyncio.wait_for(asyncio.gather(*waiting), 60) == ["passed", "passed"]
    assert gate.rules() == []


async def test_a_verdict_stands_once_it_is_given(gate):
    hold = gate.hold("*", count=2)
    hold.refuse(429, headers={"Retry-After": "7"})
    hold.release()
    with pytest.raises(Refused) as caught:
        await gate.at("before", Call("chat.update", {}))
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "7"})


async def test_faults_say_what_they_are():
    assert [str(fault) for fault in (Drop(), Refuse(418), Delay(1))] == ["drop", "refuse with 418", "delay by 1 s"]


async def test_both_emulators_keep_to_rules_made_while_they_run():
    slack, omni = SlackEmulator(), ClearStreetEmulator()
    await slack.start()
    await omni.start()
    try:
        async with aiohttp.ClientSession() as session:
            for gate, url, token, glob in (
                (slack.gate, slack.api_url + "auth.test", slack.bot_token, "auth.*"),
                (omni.gate, omni.base_url + "/v1/accounts", "demo-key", "GET /v1/*"),
            ):

                async def ask(url: str = url, token: str = token) -> tuple[int, str]:
                    async with session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
                        return answer.status, await answer.text()

                nth = gate.every(glob, 2, Refuse(503))
                assert [(await ask())[0] for _ in range(4)] == [200, 503, 200, 503]
                gate.remove(nth)
                gate.refuse(glob, status=200, body="{oops")
                assert await ask() == (200, "{oops")
                late = gate.delay(glob, 0.1)
                start = time.monotonic()
                assert (await ask())[0] == 200
                assert time.monotonic() - start >= 0.1
                assert gate.rules() == [late]
    finally:
        await slack.close()
        await omni.close()
