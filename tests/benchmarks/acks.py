"""How soon events are acknowledged at a hundred a second: by omnibot, which first makes questions durable, and by a
Bolt app that only acks. Measured where Slack is: from the envelope's (or request's) departure to the ack's arrival.

Nine of ten events are people talking to each other, half of them in threads, where omnibot must look whether it is
meant; the tenth is a question, which it answers meanwhile: as many as Clear Street's rate limit of a key allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import Any

from tests.benchmarks.deployment import furnished, many_people, ready
from tests.benchmarks.table import Measurement, milliseconds, percentile, times
from tests.journeys.conftest import Bot, Deployment

#: Events a second, and for how many seconds; one of so many is a question.
RATE, SECONDS, QUESTIONS = 100, 8, 10
P99 = 0.05
#: Seconds after which an ack that is still missing is taken for lost.
PATIENCE = 60.0


class AckOnly(Bot):
    """The other app, started with the same environment."""

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.benchmarks.ack_only", env=self.environment, stdout=log, stderr=log
            )


class Stopwatch:
    """Times every event of a workspace, whichever way it goes."""

    def __init__(self, deployment: Deployment) -> None:
        self._slack = deployment.slack
        self._left: dict[str, float] = {}
        self._took: list[float] = []
        self._over = self._slack.subscribe(self._see)

    def _see(self, change: dict[str, Any]) -> None:
        if change["type"] == "envelope":
            self._left[change["envelope_id"]] = time.perf_counter()
        elif change["type"] == "ack" and (left := self._left.pop(change["envelope_id"], None)) is not None:
            self._took.append(time.perf_counter() - left)

    async def stop(self) -> list[float]:
        """Wait for the acks that are on their way; seconds of each event. One without an ack took for ever."""
        with contextlib.suppress(AssertionError):
            await self._slack.wait_for(self._all_there, timeout=PATIENCE)
        self._over()
        posted = [d.seconds if d.seconds is not None and not d.error else float("inf") for d in self._slack.deliveries]
        return self._took + posted + [float("inf")] * len(self._left)

    def _all_there(self) -> bool:
        return not self._left and all(d.seconds is not None for d in self._slack.deliveries)


async def talk(deployment: Deployment, people: list[str], *, count: int) -> None:
    """So many messages at an even pace."""
    root = await deployment.slack.say("ana", "trading", "What a day!")
    began = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        if number % QUESTIONS == 0:
            person = people[number // QUESTIONS % len(people)]
            await deployment.slack.say(person, deployment.slack.dm(person), f"question {number}")
        elif number % 2:
            await deployment.slack.say("ana", "trading", f"Message {number}", thread_ts=root)
        else:
            await deployment.slack.say("ben", "trading", f"Message {number}")


async def of(*, http: bool, ours: bool, seconds: float, rest: float, slack_waits: float) -> list[float]:
    """The seconds each ack took."""
    async with furnished(http=http, slack_waits=slack_waits) as deployment:
        if not ours:
            deployment.bot = AckOnly(deployment.bot.environment, deployment.bot.log)
        people = many_people(deployment.slack, 100)
        await deployment.bot.start()
        await ready(deployment)
        await talk(deployment, people, count=20)  # warms up
        await asyncio.sleep(rest)
        deployment.slack.deliveries.clear()
        watch = Stopwatch(deployment)
        await talk(deployment, people, count=int(RATE * seconds))
        return await watch.stop()


async def measure(*, seconds: float = SECONDS, rest: float = 3.0, slack_waits: float = 3.0) -> list[Measurement]:
    """p50 and p99 over both transports, beside the other app's.

    Args:
        seconds: for how long people talk.
        rest: seconds between the first words, which warm up, and those that are measured.
        slack_waits: seconds after which Slack gives up on a request; such an event took for ever.
    """
    measurements = []
    for transport, http in (("Socket Mode", False), ("HTTP", True)):
        ours = await of(http=http, ours=True, seconds=seconds, rest=rest, slack_waits=slack_waits)
        theirs = await of(http=http, ours=False, seconds=seconds, rest=rest, slack_waits=slack_waits)
        mine, other = percentile(ours, 99), percentile(theirs, 99)
        what = f"ack of an event over {transport}, {RATE}/s: p50, p99"
        p50 = milliseconds(percentile(ours, 50))
        measurements += [
            Measurement(what, f"{p50}, {milliseconds(mine)}", f"p99 ≤ {milliseconds(P99)}", mine <= P99),
            Measurement("  p99 against a Bolt app that only acks", times(mine, other), "≤ 4×", mine <= 4 * other),
            Measurement("  that app", f"{milliseconds(percentile(theirs, 50))}, {milliseconds(other)}"),
        ]
    return measurements
