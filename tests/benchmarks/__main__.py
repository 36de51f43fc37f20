"""`python -m tests.benchmarks [polls] [start] [acks] [answers] [crowd] [rendering]`: figures of one run as one table.

Without names all of them. Nothing here fails: figures depend on the machine, and on what else it does.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable

from omnibot import telemetry
from tests.benchmarks import acks, answers, load, polls, rendering, start
from tests.benchmarks.table import Measurement, show

BENCHMARKS: dict[str, Callable[[], Awaitable[list[Measurement]]]] = {
    "polls": polls.measure,
    "start": start.measure,
    "acks": acks.measure,
    "answers": answers.measure,
    "crowd": load.measure,
    "rendering": rendering.measure,
}


async def main(names: list[str]) -> None:
    """Run these, one after the other."""
    measurements: list[Measurement] = []
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        measurements += await BENCHMARKS[name]()
    show(measurements)
    busy, cores = os.getloadavg()[0], os.cpu_count()
    print(f"{cores} cores; on average {busy:.1f} processes wanted one in the last minute")


if __name__ == "__main__":
    telemetry.configure([], logging.WARNING)
    if unknown := set(sys.argv[1:]) - set(BENCHMARKS):
        sys.exit(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    asyncio.run(main(sys.argv[1:] or list(BENCHMARKS)))
