"""An answer's data as a file: charts and screens as CSV, everything else as the JSON it came as."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from omnibot.blocks.answers.charts import read_chart, safe_cell, to_csv
from omnibot.clearstreet.models import ChartPart, read_part
from omnibot.turns.rules import has_points


def file_of(part: Any, market_card: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Name and text of the file; None when there is nothing to give.

    Args:
        part: a part of an answer, as the API sent it, or
        market_card: the market card below it.
    """
    if market_card is not None:
        return ("screen.csv", _screen(market_card)) if market_card.get("kind") == "screen" else None
    if part is None:
        return None
    read = read_part(part)
    if isinstance(read, ChartPart) and read.payload.data_chart is not None and has_points(read):
        chart = read_chart(read.payload.data_chart)
        return f"{_file_name(chart.title)}.csv", to_csv(chart)
    return "omni-part.json", json.dumps(part, indent=2, ensure_ascii=False, default=str)


def _screen(market_card: Mapping[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in [market_card.get("columns") or [], *(market_card.get("rows") or [])]:
        writer.writerow([safe_cell(str(cell)) for cell in row])
    return out.getvalue()


def _file_name(title: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-")[:40] or "chart"
