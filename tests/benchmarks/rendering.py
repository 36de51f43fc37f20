"""What it costs to make Slack messages of a long answer, beside what `json.dumps` of the same costs."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from omnibot.blocks.answers.progress import progress_page, view
from omnibot.blocks.answers.reply import reply_pages
from omnibot.blocks.markdown import structure
from omnibot.clearstreet.models import read_parts
from omnibot.turns.model import Kind, Outcome, Person, Surface, Turn, TurnAnswer, TurnState
from omnibot.turns.rules import offers
from tests.benchmarks.table import Measurement, milliseconds, percentile, times

#: Bytes of the answer, and milliseconds of the loop that making its messages may take.
BYTES, MOST = 30_000, 100.0

_SECTION = """## Part {n} of the report

Revenue of [AAPL](ticker:AAPL) rose by **{n}.5 %** to $1,{n:03d} million, see [the filing](https://example.com/10-K/{n}),
which was more than most had expected; margins held, and services grew faster than devices did in all regions.

- a point about `costs`
- another about *taxes* and buybacks

"""
_TABLE = "| Region | Revenue | Change |\n|---|---:|---:|\n" + "| Americas | 1,234.50 | +3.1 % |\n" * 8 + "\n"
_TURN = Turn(
    id="0123456789abcdef01234567",
    source_key="k",
    surface=Surface.MENTION,
    kind=Kind.DEEP_INSIGHTS,
    state=TurnState.FINALIZING,
    team="T1",
    person=Person("T1", "U1"),
    channel="C1",
    thread_ts="1.1",
    message_ts="1.1",
    event={},
    created_at=datetime.fromisoformat("2026-11-21T12:00:00"),
)


def answer(size: int = BYTES) -> TurnAnswer:
    """An answer of so many bytes, with all that slows rendering down: headings, tables, links, a chart, buttons."""
    text = ""
    for n in itertools.count(1):
        if len(text.encode()) >= size:
            break
        text += _SECTION.format(n=n) + (_TABLE if n % 8 == 0 else "")
    points = [{"x": f"2026-{month:02d}-01", "y": 100 + month} for month in range(1, 13)]
    buttons = [{"buttonId": f"b{n}", "label": f"Ask {n}", "prompt": {"prompt": "p"}} for n in range(4)]
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": text},
        {"type": "chart", "payload": {"chartId": "c", "dataChart": {"series": [{"name": "Close", "points": points}]}}},
        {"type": "suggested_actions", "payload": {"actionButtons": buttons}},
    ]
    return TurnAnswer(Outcome.SUCCEEDED, parts=parts, message_id="m")


def cpu(work: Callable[[], object], rounds: int) -> float:
    """Seconds of CPU of one round that remembers no other; the median."""
    taken = []
    for _ in range(rounds):
        structure._read.cache_clear()
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return percentile(taken, 50)


async def measure(rounds: int = 30) -> list[Measurement]:
    """The final's pages, and one moment of its growing."""
    whole = answer()
    tokens = (f"t{n}" for n in itertools.count())
    found = offers(read_parts(whole.parts), (), outcome=whole.outcome, kind=_TURN.kind, mint=lambda: next(tokens))
    pages = reply_pages(_TURN, whole, found)
    blocks, text = [page.blocks for page in pages], whole.parts[0]["text"]

    def draft() -> None:
        moment = view(thoughts=["[1/2] Reading", "[2/2] Writing"], text=text)
        for number in range(len(moment.pieces)):
            progress_page(moment, number)

    dumping = cpu(lambda: [json.dumps(blocks) for _ in range(20)], rounds) / 20
    rendering = cpu(lambda: reply_pages(_TURN, whole, found), rounds)
    drawing = cpu(draft, rounds)
    size = len(text.encode()) / 1000
    return [
        Measurement(f"json.dumps of the messages of an answer of {size:.0f} kB", milliseconds(dumping)),
        Measurement(
            f"  making them ({len(pages)} messages), CPU",
            f"{milliseconds(rendering)} ({times(rendering, dumping)})",
            f"≤ {MOST:g} ms",
            rendering * 1000 <= MOST,
        ),
        Measurement("  drawing it once while it grows, CPU", f"{milliseconds(drawing)} ({times(drawing, dumping)})"),
    ]
