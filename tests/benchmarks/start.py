"""From `omnibot run` to a ready bot, beside what importing the libraries it stands on takes."""

from __future__ import annotations

import asyncio
import sys
import time
from statistics import median

from tests.benchmarks.deployment import furnished, ready
from tests.benchmarks.table import Measurement, times

STARTS = 5
SECONDS = 1.5
LIBRARIES = "import slack_bolt, httpx, sqlalchemy"


async def imports() -> float:
    """Seconds Python takes to import the libraries and leave."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LIBRARIES)
    assert await process.wait() == 0
    return time.perf_counter() - began


async def measure(starts: int = STARTS) -> list[Measurement]:
    """The median of some starts, and how many times the imports that is."""
    ours: list[float] = []
    bare: list[float] = []
    async with furnished() as deployment:
        for _ in range(starts):
            bare.append(await imports())
            began = time.perf_counter()
            await deployment.bot.start()
            await ready(deployment)
            ours.append(time.perf_counter() - began)
            await deployment.bot.terminate()
    took = median(ours)
    return [
        Measurement("start to /readyz", f"{took:.2f} s", f"≤ {SECONDS} s", took <= SECONDS),
        Measurement(f"  against {LIBRARIES!r} ({median(bare):.2f} s)", times(took, median(bare))),
    ]
