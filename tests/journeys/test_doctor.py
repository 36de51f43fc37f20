"""The doctor beside a bot that works."""

import asyncio
from pathlib import Path

from tests.forking import done
from tests.journeys.conftest import Deployment


async def test_the_doctor_finds_a_running_bot_well_and_leaves_it_so(deployment: Deployment):
    doctor = await asyncio.to_thread(done, "doctor", environment=deployment.bot.environment, cwd=Path.cwd())
    assert doctor.returncode == 0, doctor.stdout
    assert doctor.stdout.endswith("All is well.\n")

    deployment.script("pulse", "Sixty a minute.")
    ts = await deployment.slack.say("ana", "trading", "@Omni what is the pulse?")
    assert "Sixty a minute." in await deployment.answered("trading", ts)
