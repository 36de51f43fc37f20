"""The doctor beside a bot that works."""

import asyncio
from pathlib import Path

from tests.forking import done
from tests.journeys.conftest import House


async def test_the_doctor_finds_a_running_bot_well_and_leaves_it_so(house: House):
    doctor = await asyncio.to_thread(done, "doctor", environment=house.bot.environment, cwd=Path.cwd())
    assert doctor.returncode == 0, doctor.stdout
    assert doctor.stdout.endswith("All is well.\n")

    house.script("pulse", "Sixty a minute.")
    ts = await house.slack.say("ana", "trading", "@Omni what is the pulse?")
    assert "Sixty a minute." in await house.answered("trading", ts)
