"""Kill anywhere: kill -9 at random moments while a dozen conversations go on; nothing is lost and nothing comes twice.

A handful of kills here; `make soak` makes a hundred.
"""

import asyncio
import os
import random
import re

import pytest

from tests.journeys.conftest import Deployment

KILLS = int(os.environ.get("OMNIBOT_SOAK_KILLS", "4"))
CONVERSATIONS = 12


@pytest.mark.timeout(240 + 30 * KILLS)
async def test_killed_at_random_moments_while_a_dozen_conversations_go_on(deployment: Deployment):
    seed = int(os.environ.get("OMNIBOT_SOAK_SEED", random.SystemRandom().randrange(10**6)))
    print(f"OMNIBOT_SOAK_SEED={seed}")
    chance = random.Random(seed)
    # Slack gives up on an event after its third retry; a bot that dies all the time needs a more patient one.
    deployment.slack.socket_mode.redeliver_after = (0.3, 1.0, *[2.0] * (20 + 10 * KILLS))
    deployment.script(
        r"question (?P<number>\d+\.\d+)", "Answer to {number}, whole and once. " + "word " * 200, seconds=1.5
    )

    asked: list[tuple[str, str]] = []
    roots: dict[int, str] = {}

    def answered(conversation: int, turn: int) -> bool:
        shown = "\n".join(deployment.shown("trading", roots[conversation]))
        return f"Answer to {conversation}.{turn}, whole and once." in shown

    async def talk(conversation: int) -> None:
        """Ask, wait a little, ask again; never so much at once that a person's limit of waiting questions is met."""
        person = ("ana", "ben")[conversation % 2]
        for turn in range(KILLS):
            number = f"{conversation}.{turn}"
            root = roots.get(conversation)
            if root is not None:
                await deployment.slack.wait_for(lambda: deployment.replies("trading", root), timeout=90)  # noqa: B023 - awaited in this round
            if turn >= 2:
                await deployment.slack.wait_for(lambda: answered(conversation, turn - 2), timeout=90)  # noqa: B023 - awaited in this round
            text = f"question {number}" if root else f"@Omni question {number}"
            ts = await deployment.slack.say(person, "trading", text, thread_ts=root)
            roots.setdefault(conversation, ts)
            asked.append((roots[conversation], number))
            await asyncio.sleep(chance.uniform(1.0, 4.0))

    async def kill() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.3, 3.0))
            await deployment.bot.kill()
            await deployment.bot.start()
            if chance.random() < 0.7:
                await deployment.connected()

    await asyncio.gather(kill(), *(talk(n) for n in range(CONVERSATIONS)))

    def missing() -> list[str]:
        return [
            n for r, n in asked if f"Answer to {n}, whole and once." not in "\n".join(deployment.shown("trading", r))
        ]

    try:
        await deployment.slack.wait_for(lambda: not missing(), timeout=90)
    except AssertionError:
        raise AssertionError(f"never answered: {missing()}; Omni heard {deployment.asked()}") from None
    await deployment.at_rest()
    for root in roots.values():
        shown = "\n".join(deployment.shown("trading", root))
        numbers = re.findall(r"Answer to (\d+\.\d+), whole and once\.", shown)
        assert sorted(numbers) == sorted(number for r, number in asked if r == root)
        assert "Working" not in shown
    assert sorted(deployment.asked()) == sorted(f"question {number}" for _, number in asked)
