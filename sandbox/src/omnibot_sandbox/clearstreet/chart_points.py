"""Points of charts that are too many to be written down."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

JSON = dict[str, Any]

_LAST_DAY = date(2026, 11, 20)


def with_points(part: JSON) -> JSON:
    """A chart part with `{count, seed}` in place of a series' points spelled out."""
    payload = part.get("payload")
    chart = payload.get("dataChart") if isinstance(payload, dict) else None
    series = chart.get("series") if isinstance(chart, dict) else None
    if not isinstance(payload, dict) or not isinstance(chart, dict) or not isinstance(series, list):
        return part
    return {**part, "payload": {**payload, "dataChart": {**chart, "series": [_spelled_out(one) for one in series]}}}


def _spelled_out(series: Any) -> Any:
    points = series.get("points") if isinstance(series, dict) else None
    if not isinstance(points, dict):
        return series
    return {**series, "points": _walk(points["count"], points["seed"])}


def _walk(count: int, seed: str) -> list[JSON]:
    """So many weekdays up to a fixed one, with a price that wanders; the same for the same seed."""
    dice, day = random.Random(seed), _LAST_DAY
    days: list[str] = []
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day.isoformat())
        day -= timedelta(days=1)
    price = 100.0
    points: list[JSON] = []
    for x in reversed(days):
        price = max(1.0, price * (1 + dice.gauss(0.0004, 0.014)))
        points.append({"x": x, "y": round(price, 2)})
    return points
