"""Charts as pictures, drawn by a process of their own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from omnibot.charts import MOST_POINTS, Charts, Drawing, specification

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def charts(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Charts]:
    """On a busy machine a chart may take its time."""
    monkeypatch.setattr("omnibot.charts.DRAWING", 60.0)
    charts = Charts()
    yield charts
    await charts.close()


DAYS = tuple(datetime.fromisoformat("2026-01-01") + timedelta(days=day) for day in range(400))


def drawing(*values: float | None, name: str = "AAPL", dated: bool = False) -> Drawing:
    places = tuple(str(place) for place in range(len(values)))
    return Drawing(name, places, ((name, values),), DAYS[: len(values)] if dated else None)


KINDS = [
    drawing(1.0),
    drawing(1.0, -2.0, 3.5),
    drawing(*(float(day) for day in range(400)), dated=True),
    drawing(1.0, None, 3.0, dated=True),
    drawing(*(1e9 * n for n in range(60))),
    drawing(*[0.0] * 9_000),
    Drawing("Two", ("a", "b"), (("One", (1.0, 2.0)), ("Two", (2.0, None)))),
    drawing(1.0, 2.0, name="datum'] <script> \\ ${x} 漢字"),
]


async def test_every_kind_of_chart_becomes_a_picture(charts: Charts):
    """One drawing process for all, as in a bot."""
    for what in KINDS:
        assert (await charts.draw(what)).startswith(PNG), what.title


def test_dates_are_an_axis_of_time_and_few_categories_are_bars():
    assert specification(drawing(1.0, 2.0, dated=True))["layer"][0]["encoding"]["x"]["type"] == "temporal"
    assert specification(drawing(1.0, 2.0))["layer"][0]["mark"]["type"] == "bar"


def test_of_more_points_than_a_screen_has_an_even_choice_is_drawn():
    rows = specification(drawing(*(float(n) for n in range(20_000))))["data"]["values"]

    assert len(rows) <= MOST_POINTS
    assert (rows[0]["value"], rows[-1]["value"]) == (0.0, 19_999.0)


def test_the_library_is_not_loaded_by_who_only_imports_this():
    code = "import sys, omnibot.charts; sys.exit('vl_convert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


async def test_a_drawing_process_that_dies_is_replaced(charts: Charts):
    await charts.draw(drawing(1.0, 2.0))
    assert charts._pool is not None
    (process,) = charts._pool._processes.values()
    process.kill()
    with pytest.raises(RuntimeError):
        await charts.draw(drawing(1.0, 2.0))
    assert (await charts.draw(drawing(1.0, 2.0))).startswith(PNG)


async def test_a_killed_bot_takes_its_drawing_process_along():
    code = (
        "import asyncio, time\n"
        "from omnibot.charts import Charts, Drawing\n"
        "charts = Charts()\n"
        "asyncio.run(charts.draw(Drawing('a', ('a',), (('a', (1.0,)),))))\n"
        "print(*charts._pool._processes, flush=True)\n"
        "time.sleep(60)\n"
    )
    bot = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert bot.stdout is not None
    drawer = int(await bot.stdout.readline())
    bot.kill()
    await bot.wait()
    for _ in range(400):
        if not _lives(drawer):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the drawing process is still there")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
