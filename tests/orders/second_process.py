"""An instance in a process of its own: `python -m tests.orders.second_process DATABASE CLEAR_STREET TIMES TOKEN`.

It says "ready", waits for a line, then approves as often as told, all at once, says how often it was told that the
order is on its way, and works on until it is killed or its input ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import Any, cast

from omnibot.db.engine import open_database
from omnibot.orders.model import ClickOutcome
from tests.orders.harness import ANA, BEN, EVE, TEAM, open_safe


@dataclass
class Remote:
    """As much of an emulator as an instance needs to know."""

    base_url: str
    revision: str = "2026-10"


async def main(database_url: str, clear_street: str, times: int, token: str) -> None:
    database = await open_database(database_url)
    async with open_safe(database, cast(Any, Remote(clear_street))) as safe:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        people = [(ANA, BEN, EVE)[place % 3] for place in range(times)]
        clicks = await asyncio.gather(*(safe.orders.approve([token], who, TEAM) for who in people))
        print(sum(click.answer is ClickOutcome.APPROVED for [click] in clicks), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    await database.close()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
