"""How long after Omni's last word Slack shows the whole answer, and what that costs in polls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from omnibot.turns.model import Kind
from omnibot.turns.rules import poll_after
from tests.benchmarks.deployment import furnished, ready
from tests.benchmarks.table import Measurement, percentile
from tests.journeys.conftest import FINISHED, Deployment

#: Seconds of Omni's answers, one conversation each, all at the same time.
DURATIONS = [1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 10.0, 10.0, 12.0, 15.0] * 3
#: The duration whose polls are counted, and how many it may cost.
COUNTED, POLLS = 10.0, 12
P50, P95 = 0.6, 1.5
#: Seconds after which somebody who asked sees that they were heard.
HEARD = 1.0
#: Longer answers are polled more seldom: theirs may take one such interval more than the others' p50.
LONGER = [20.0, 30.0, 45.0, 60.0]


async def ask(deployment: Deployment, durations: Sequence[float]) -> dict[str, tuple[float, str]]:
    """Ask one question for each duration; what was asked, with its duration and the ts of its message."""
    asked: dict[str, tuple[float, str]] = {}
    for number, seconds in enumerate(durations):
        text = f"Answer number {number}. " + "It goes on and on. " * 60
        deployment.omni.add_script(
            {
                "name": f"bench {number}",
                "pattern": f"bench {number}$",
                "snapshots": [{"from": 0.3 * seconds, "to": seconds, "steps": 10}],
                "final": {"at": seconds, "status": "succeeded", "parts": [{"type": "text", "text": text}]},
            }
        )
        ts = await deployment.slack.say("ana", "trading", f"@Omni bench {number}")
        asked[f"bench {number}"] = (seconds, ts)
        await asyncio.sleep(0.1)
    return asked


def interval(seconds: float) -> float:
    """The longest time between two polls of an answer that has taken so long and grew in ten steps."""
    return poll_after(Kind.INSTANT, seconds, 0.07 * seconds, 1.0)


async def measure(durations: Sequence[float] = DURATIONS, longer: Sequence[float] = LONGER) -> list[Measurement]:
    """The lag of the final text and of the placeholder, and the polls of an answer."""
    lags: list[float] = []
    late: dict[float, float] = {}
    polls: list[int] = []
    heard: list[float] = []
    async with furnished() as deployment:
        await deployment.bot.start()
        await ready(deployment)
        for question, (seconds, ts) in (await ask(deployment, [*durations, *longer])).items():
            await deployment.answered("trading", ts, timeout=60 + seconds)
            create = next(
                c
                for c in deployment.omni.calls
                if c.name == "POST /v1/omni-ai/threads" and c.args.get("text") == question
            )
            heard.append(float(deployment.replies("trading", ts)[0].ts) - float(ts))
            final = deployment.replies("trading", ts)[-1]
            assert FINISHED in deployment.slack.visible_text(final)
            shown = float((final.edited or {}).get("ts") or final.ts)
            if seconds in longer:
                late[seconds] = shown - (create.at + seconds)
                continue
            lags.append(shown - (create.at + seconds))
            if seconds == COUNTED:
                response_id = create.answer["data"]["response_id"]
                polls.append(sum(c.args.get("response_id") == response_id for c in deployment.omni.calls))
    p50, p95 = percentile(lags, 50), percentile(lags, 95)
    span = f"{min(durations):g}-{max(durations):g} s"
    measurements = [
        Measurement(
            f"terminal status to final text, {len(lags)} answers of {span}: p50",
            f"{p50:.2f} s",
            f"≤ {P50} s",
            p50 <= P50,
        ),
        Measurement("  p95", f"{p95:.2f} s", f"≤ {P95} s", p95 <= P95),
    ]
    for seconds, lag in late.items():
        bar = interval(seconds) + P50
        measurements.append(Measurement(f"  an answer of {seconds:g} s", f"{lag:.2f} s", f"≤ {bar:.2f} s", lag <= bar))
    soon = percentile(heard, 95)
    measurements.append(Measurement("question to placeholder: p95", f"{soon:.2f} s", f"≤ {HEARD:g} s", soon <= HEARD))
    if polls:
        measurements.append(
            Measurement(
                f"polls of an answer of {COUNTED:g} s", f"{min(polls)}-{max(polls)}", f"≤ {POLLS}", max(polls) <= POLLS
            )
        )
    return measurements
