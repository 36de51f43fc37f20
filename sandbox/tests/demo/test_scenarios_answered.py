"""What the drawer offers to try, tried: the real bot asks, Omni answers as promised, and Slack shows what Omni said."""

from __future__ import annotations

import asyncio
from functools import partial

from omnibot_sandbox.demo.player import Player
from omnibot_sandbox.demo.scenarios import Scenario, all_scenarios
from omnibot_sandbox.demo.session import DemoSession, open_session
from omnibot_sandbox.demo.steps import Command, Say, Step, Story
from omnibot_sandbox.demo.transcript import Transcript
from omnibot_sandbox.slack.server import SlackEmulator
from rich.console import Console

from sandbox.tests.demo.conftest import PACE

SCENARIOS = [scenario for _, scenario in all_scenarios()]
ASKED = [scenario for scenario in SCENARIOS if scenario.scripts]
#: Bots at once; each tries its share, one scenario after the other.
TOGETHER = 3


def steps(scenario: Scenario) -> tuple[Step, ...]:
    """What the press in the drawer does, in #trading."""
    if scenario.text.startswith("/omni "):
        words = scenario.text.removeprefix("/omni ")
        return (Command("ana", "trading", words, answered_in="dm" if words.startswith("private ") else "channel"),)
    if scenario.place == "thread":
        return (Say("ana", "trading", "@Omni compare AAPL to AMD"), Say("ana", "trading", scenario.text, reply=True))
    return (Say("ana", "dm" if scenario.place == "dm" else "trading", scenario.text),)


async def wrong(session: DemoSession, scenario: Scenario) -> list[str]:
    """What is not as the drawer promises, in words."""
    earlier = set(session.omni.store.responses)
    story = Story(scenario.text, scenario.about, steps(scenario), calls=())
    problems = await Player(session, story, Transcript(session, Console(quiet=True))).play()
    played = [one.plan.script for key, one in session.omni.store.responses.items() if key not in earlier]
    if not played or played[-1] not in scenario.scripts:
        problems.append(f"Omni answered with {played}")
    # Which calls a question takes is for the stories to say.
    return [f"{scenario.text}: {problem}" for problem in problems if not problem.startswith("calls")]


async def test_every_scenario_is_answered_in_slack_as_omni_meant_it():
    async def try_out(share: list[Scenario]) -> list[str]:
        async with open_session(revision="2026-10", pace=float(PACE)) as session:
            return [problem for scenario in share for problem in await wrong(session, scenario)]

    shares = [ASKED[first::TOGETHER] for first in range(TOGETHER)]
    found = await asyncio.gather(*map(try_out, shares))
    assert [problem for problems in found for problem in problems] == []


def something_new(slack: SlackEmulator, ephemerals: int) -> bool:
    """Whether a modal is open, or more was shown to one person only than that."""
    return bool(slack.modals("ana")) or len(slack.workspace.ephemerals) > ephemerals


async def test_what_is_no_question_is_shown_to_the_one_who_typed_it():
    unasked = [scenario.text for scenario in SCENARIOS if not scenario.scripts]
    async with open_session(revision="2026-10", pace=float(PACE)) as session:
        slack = session.slack
        for text in unasked:
            shown = len(slack.workspace.ephemerals)
            result = await slack.command("ana", "trading", "/omni", text.removeprefix("/omni "))
            assert result.acked, text
            await slack.wait_for(partial(something_new, slack, shown), 30)
            for modal in slack.modals("ana"):
                await slack.close_view("ana", modal["id"], clear=True)
        assert all(one["user"] == slack.workspace.user("ana").id for one in slack.workspace.ephemerals)
        assert slack.history("trading") == []
        assert slack.refusals == []
