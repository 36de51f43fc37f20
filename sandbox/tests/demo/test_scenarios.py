"""Everything the emulated Omni can answer is one press away, and the press asks for it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.scripts import ScriptBook, Situation
from omnibot_sandbox.demo.scenarios import Scenario, all_scenarios

SCRIPTS: dict[str, dict[str, Any]] = {
    script["name"]: script
    for path in (files("omnibot_sandbox.clearstreet") / "scripts").iterdir()
    if path.name.endswith(".json")
    for script in [json.loads(path.read_text("utf-8"))]
}
#: What the bot cannot be made to ask: its deep insights always name a ticker.
UNREACHABLE = {"default_insights"}
PLEDGES = [(scenario, script) for _, scenario in all_scenarios() for script in scenario.scripts]


def asked(scenario: Scenario) -> tuple[str, str]:
    """Which kind of turn the bot begins for it, and the words Omni gets."""
    command = re.fullmatch(r"/omni (private|research) (.+)", scenario.text)
    if command is not None and command[1] == "research":
        return "deep_insights", f"Deep insights on {command[2]}"
    return "instant", command[2] if command is not None else scenario.text.removeprefix("@Omni ")


def situation(script: dict[str, Any]) -> Situation:
    """One in which this script may answer."""
    wanted = script.get("when", {})
    order = {"order.id": "1", "order.symbol": "AAPL", "order.side": "BUY"} if wanted.get("open_order") else None
    return Situation(
        revision=script.get("revisions", ["2026-10"])[-1],
        entitled=wanted.get("entitled", False),
        consent=wanted.get("consent", False),
        order=lambda _: order,
    )


def test_every_script_has_a_scenario():
    assert set(ScriptBook().names) == SCRIPTS.keys()
    assert {script for _, script in PLEDGES} == SCRIPTS.keys() - UNREACHABLE


@pytest.mark.parametrize(("scenario", "name"), PLEDGES, ids=[f"{s.text} → {name}" for s, name in PLEDGES])
def test_a_scenario_asks_for_its_script(scenario: Scenario, name: str):
    follows = SCRIPTS[name].get("follows", [])
    earlier = [follows] if isinstance(follows, str) else follows
    assert bool(earlier) == (scenario.place == "thread"), "only in a thread does one follow another"
    kind, question = asked(scenario)
    plan = ScriptBook().plan(kind, question, earlier, {"ticker": "AAPL"}, 19816, situation(SCRIPTS[name]))
    assert plan.script == name
