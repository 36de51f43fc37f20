"""The doctor beside a bot that works."""

import asyncio
import sys

from tests.journeys.conftest import House


async def test_the_doctor_finds_a_running_bot_well_and_leaves_it_so(house: House):
    doctor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "omnibot", "doctor"), env=house.bot.environment, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await doctor.communicate()
    assert doctor.returncode == 0, out.decode()
    assert out.decode().endswith("All is well.\n")

    house.script("pulse", "Sixty a minute.")
    ts = await house.slack.say("ana", "trading", "@Omni what is the pulse?")
    assert "Sixty a minute." in await house.answered("trading", ts)
