"""Chart data to PNG, in a process of its own: neither start-up nor the event loop feels the drawing library.

The process is started with the first chart and ends by itself when no chart has been wanted for a while.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context, parent_process
from typing import Any, Final

#: Seconds one chart may take, and the drawing process may idle.
DRAWING: Final = 10.0
IDLE: Final = 120.0
#: Values of one chart; of more, an even choice is drawn: a screen has no more pixels.
MOST_POINTS: Final = 3_000

_WIDTH, _HEIGHT, _SCALE = 640, 340, 2
#: Told apart by people who see colours otherwise, and on paper by their lightness.
_COLOURS: Final = (
    "#1f5fbf", "#d9622b", "#2e8b57", "#8e44ad", "#c0392b", "#148f9f",
    "#b7950b", "#5d6d7e", "#e67eb3", "#6b8e23", "#7f5539", "#34495e",
)  # fmt: skip
#: Categories whose labels are written slanted, and series whose points are marked.
_MANY_CATEGORIES, _FEW_POINTS = 6, 40
_LABELS: Final = 10
_VALUES: Final = {"title": None, "gridColor": "#e8e8e8", "domain": False}
#: How the values' axis is written: a milliard is a B to traders.
_PLAIN: Final = "format(datum.value, ',.6~g')"
_BIG: Final = "replace(format(datum.value, '~s'), 'G', 'B')"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart to be drawn: named lines over shared places; None is a gap. `moments` when the places are dates."""

    title: str
    places: tuple[str, ...]
    lines: tuple[tuple[str, tuple[float | None, ...]], ...]
    moments: tuple[datetime, ...] | None = None


class Charts:
    """Draws one chart at a time."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._lock = asyncio.Lock()
        self._used = 0.0
        self._idle: asyncio.TimerHandle | None = None

    async def draw(self, drawing: Drawing) -> bytes:
        """The chart as a PNG.

        Raises:
            TimeoutError: it took too long.
            RuntimeError: it cannot be drawn.
        """
        async with self._lock:
            if self._pool is None:
                context = get_context("spawn")
                self._pool = ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_die_with_parent)
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(DRAWING):
                    png = await loop.run_in_executor(self._pool, render, drawing)
            except BrokenProcessPool as error:
                self._end(kill=True)
                raise RuntimeError("the drawing process ended") from error
            except TimeoutError:
                self._end(kill=True)
                raise
            self._used = time.monotonic()
            if self._idle is None:
                self._idle = loop.call_later(IDLE, self._rest)
            return png

    def _rest(self) -> None:
        self._idle = None
        left = self._used + IDLE - time.monotonic()
        if left > 0 or self._lock.locked():
            self._idle = asyncio.get_running_loop().call_later(max(left, 1.0), self._rest)
        else:
            self._end(kill=False)

    def _end(self, *, kill: bool) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        processes = list((pool._processes or {}).values()) if kill else []  # a hung one never ends by itself
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()

    async def close(self) -> None:
        """End the drawing process."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        self._end(kill=True)


def _die_with_parent() -> None:
    """A bot that is killed takes its drawing process along, which would wait for work for ever."""
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def render(drawing: Drawing) -> bytes:
    """Draw it, here and now. Runs in the drawing process."""
    import vl_convert

    png: bytes = vl_convert.vegalite_to_png(specification(drawing), scale=_SCALE)
    return png


def specification(drawing: Drawing) -> dict[str, Any]:
    """The chart in Vega-Lite's words."""
    chosen = _chosen(len(drawing.places), max(1, MOST_POINTS // max(1, len(drawing.lines))))
    rows: list[dict[str, Any]] = [
        {"place": _place(drawing, n), "value": values[n], "series": name or drawing.title, "order": n}
        for name, values in drawing.lines
        for n in chosen
    ]
    dated = drawing.moments is not None
    line = dated or len(drawing.places) > _FEW_POINTS
    few = sum(row["value"] is not None for row in rows) <= _FEW_POINTS
    names = [name or drawing.title for name, _ in drawing.lines]
    gaps = "break-paths-show-domains"
    mark: dict[str, Any] = (
        {"type": "line", "strokeWidth": 2.2, "point": {"size": 36} if few else False, "invalid": gaps}
        if line
        else {"type": "bar", "cornerRadiusEnd": 2}
    )
    encoding: dict[str, Any] = {
        "x": _x_axis(drawing, line=line),
        "y": {
            "field": "value",
            "type": "quantitative",
            "scale": {"zero": not line, "nice": True},
            "axis": {
                "title": None,
                "labelExpr": _BIG if _large(rows) else _PLAIN,
                "gridColor": "#e8e8e8",
                "domain": False,
            },
        },
        "color": {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": names, "range": list(_COLOURS[: len(names)])},
            "sort": None,
            "legend": {"title": None, "orient": "top", "symbolType": "stroke" if line else "square", "labelLimit": 200}
            if len(names) > 1
            else None,
        },
    }
    if not line and len(names) > 1:
        encoding["xOffset"] = {"field": "series", "sort": names}
    layers: list[dict[str, Any]] = [{"mark": mark, "encoding": encoding}]
    if any(row["value"] is not None and row["value"] < 0 for row in rows):
        zero = {"mark": {"type": "rule", "color": "#555555"}, "encoding": {"y": {"datum": 0, "type": "quantitative"}}}
        layers.append(zero)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": _WIDTH,
        "height": _HEIGHT,
        "padding": 14,
        "background": "#ffffff",
        "title": {"text": drawing.title, "anchor": "start", "fontSize": 15, "color": "#1d1c1d", "offset": 10},
        "data": {"values": rows},
        "layer": layers,
        "config": {
            "font": "sans-serif",
            "axis": {"labelColor": "#454545", "labelFontSize": 11.5, "tickColor": "#bbbbbb", "domainColor": "#bbbbbb"},
            "legend": {"labelFontSize": 12},
            "view": {"stroke": None},
        },
    }


def _x_axis(drawing: Drawing, *, line: bool) -> dict[str, Any]:
    if drawing.moments is not None:
        dates = {"title": None, "grid": False, "labelOverlap": True, "tickCount": 8}
        return {"field": "place", "type": "temporal", "axis": dates, "scale": {"type": "utc"}}
    angle = -35 if not line and len(drawing.places) > _MANY_CATEGORIES else 0
    axis: dict[str, Any] = {"title": None, "grid": False, "labelAngle": angle, "labelLimit": 120}
    axis["labelOverlap"] = "greedy"
    if line:
        # Few labels are asked for: measuring thousands, to show ten, takes seconds.
        axis["values"] = [drawing.places[n] for n in _chosen(len(drawing.places), _LABELS)]
    return {"field": "place", "type": "ordinal", "sort": {"field": "order"}, "axis": axis}


def _place(drawing: Drawing, n: int) -> str:
    return drawing.moments[n].isoformat() + "Z" if drawing.moments is not None else drawing.places[n]


def _chosen(count: int, most: int) -> Sequence[int]:
    if count <= most:
        return range(count)
    return sorted({round(step * (count - 1) / (most - 1)) for step in range(most)}) if most > 1 else [0]


def _large(rows: Sequence[dict[str, Any]]) -> bool:
    return any(row["value"] is not None and abs(row["value"]) >= 100_000 for row in rows)
