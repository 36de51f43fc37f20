"""A chart of Omni's, parsed: its series and axes, and whether Slack can draw it or a picture is needed."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from omnibot.blocks.layout.builders import one_line, shorten
from omnibot.clearstreet.models import DataChart

#: What Slack's own charts take.
SERIES: Final = 12
POINTS: Final = 20
_NAME: Final = 20
#: Up to so many points a chart is still itself when only every third is shown; more need a picture.
THINNED: Final = 60
#: Larger values are no prices, and lose their digits in a chart.
_LARGEST: Final = Decimal(10) ** 15
#: Beyond this no chart is drawn: nobody reads it, and drawing it takes long.
DRAWN_POINTS: Final = 50_000

_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")
_QUARTER: Final = re.compile(r"(?:Q([1-4])[ -]?(\d{4})|(\d{4})[ -]?Q([1-4]))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Series:
    """A named line; None where it has no point."""

    name: str
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class ChartModel:
    """Series over one axis. `moments` has a moment for each place when the axis is time."""

    places: tuple[str, ...]
    series: tuple[Series, ...]
    moments: tuple[datetime, ...] | None = None

    @property
    def points(self) -> int:
        """How many values it shows."""
        return sum(value is not None for series in self.series for value in series.values)

    @property
    def title(self) -> str:
        """What it is about: the names of its series."""
        names = [series.name for series in self.series if series.name]
        return shorten(", ".join(names), 50) or "Chart"

    @property
    def whole(self) -> bool:
        """Whether every series has a value everywhere, as Slack's charts need it."""
        return all(value is not None for series in self.series for value in series.values)


def read_chart(chart: DataChart) -> ChartModel:
    """The chart's series over all places any of them has a value at: in time's order where they are dates."""
    places = list(dict.fromkeys(one_line(point.x) or "–" for series in chart.series for point in series.points))
    moments = {place: moment for place in places if (moment := read_place(place)) is not None}
    dated = bool(places) and len(moments) == len(places)
    if dated:
        places.sort(key=lambda place: moments[place])
    named: list[Series] = []
    for number, series in enumerate(chart.series, start=1):
        at = {one_line(point.x) or "–": point.y for point in series.points}
        if not at:
            continue
        name = one_line(series.name) or (f"Series {number}" if len(chart.series) > 1 else "")
        named.append(Series(name, tuple(at.get(place) for place in places)))
    return ChartModel(tuple(places), tuple(named), tuple(moments[place] for place in places) if dated else None)


def read_place(place: str) -> datetime | None:
    """The moment a place on the axis is, if it is one: a date, a month, a quarter, a timestamp."""
    if month := _MONTH.fullmatch(place):
        year, number = int(month[1]), int(month[2])
    elif quarter := _QUARTER.fullmatch(place):
        year, number = int(quarter[2] or quarter[3]), 3 * int(quarter[1] or quarter[4]) - 2
    else:
        return _timestamp(place)
    return datetime(year, number, 1) if year and 1 <= number <= 12 else None  # noqa: DTZ001 - a place, not a moment


def _timestamp(place: str) -> datetime | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}", place):
        return None
    try:
        if len(place) == 10:
            found = date.fromisoformat(place)
            return datetime(found.year, found.month, found.day)  # noqa: DTZ001 - as above
        return datetime.fromisoformat(place).replace(tzinfo=None)
    except ValueError:
        return None


def fits_natively(chart: ChartModel) -> bool:
    """Whether Slack's own chart says the same, thinned out at most a little."""
    return (
        0 < len(chart.series) <= SERIES
        and len(chart.places) <= THINNED
        and chart.whole
        and len(set(_names(chart))) == len(chart.series)
        and all(abs(value) < _LARGEST for series in chart.series for value in series.values if value is not None)
    )


def thinned(chart: ChartModel, most: int = POINTS) -> ChartModel:
    """The chart with at most `most` places, evenly chosen, the first and the last among them."""
    count = len(chart.places)
    if count <= most:
        return chart
    chosen = sorted({round(step * (count - 1) / (most - 1)) for step in range(most)})
    return ChartModel(
        tuple(chart.places[n] for n in chosen),
        tuple(Series(series.name, tuple(series.values[n] for n in chosen)) for series in chart.series),
        tuple(chart.moments[n] for n in chosen) if chart.moments else None,
    )


def _names(chart: ChartModel) -> list[str]:
    return [shorten(series.name, _NAME) or chart.title[:_NAME] for series in chart.series]


def native_chart(chart: ChartModel) -> dict[str, object]:
    """A `data_visualization` of a chart that `fits_natively`: a line over time, else bars."""
    shown = thinned(chart)
    labels = _labels(shown)
    kind = "line" if shown.moments is not None and len(shown.places) > 2 else "bar"
    series = [
        {
            "name": name,
            "data": [
                # Slack's charts take numbers, and only draw them; the words and the CSV have every digit.
                {"label": label, "value": float(value or 0)}
                for label, value in zip(labels, line.values, strict=True)
            ],
        }
        for name, line in zip(_names(shown), shown.series, strict=True)
    ]
    return {
        "type": "data_visualization",
        "title": chart.title,
        "chart": {"type": kind, "series": series, "axis_config": {"categories": labels}},
    }


def _labels(chart: ChartModel) -> list[str]:
    """The places, short enough for Slack and each different."""
    labels: list[str] = []
    for place in chart.places:
        label = shorten(place, _NAME) or "–"
        number = 2
        while label in labels:
            mark = f" ({number})"
            label, number = shorten(place, _NAME - len(mark)) + mark, number + 1
        labels.append(label)
    return labels


def in_words(chart: ChartModel) -> list[str]:
    """A line for each series: where it begins and ends, and its extremes."""
    lines: list[str] = []
    for series in chart.series:
        known = [(place, value) for place, value in zip(chart.places, series.values, strict=True) if value is not None]
        if not known:
            continue
        name = f"{series.name}: " if series.name else ""
        (first, begin), (last, end) = known[0], known[-1]
        if len(known) == 1:
            lines.append(f"{name}{number(begin)} ({first})")
            continue
        low, high = min(value for _, value in known), max(value for _, value in known)
        lines.append(
            f"{name}from {number(begin)} ({first}) to {number(end)} ({last}), "
            f"low {number(low)}, high {number(high)}, {len(known):,} points"
        )
    return lines or ["This chart has no points."]


def number(value: Decimal) -> str:
    """A number for people: every digit that matters, thousands apart."""
    if value.is_zero():
        return "0"
    exponent = value.adjusted()
    if not -8 <= exponent <= 18:
        return f"{value:.6g}"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_csv(chart: ChartModel) -> str:
    """The whole chart, a row for each place."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["", *(safe_cell(series.name) for series in chart.series)])
    for row, place in enumerate(chart.places):
        values = [series.values[row] for series in chart.series]
        writer.writerow([safe_cell(place), *("" if value is None else _digits(value) for value in values)])
    return out.getvalue()


def _digits(value: Decimal) -> str:
    return f"{value:f}" if value.is_zero() or -40 <= value.adjusted() <= 40 else str(value)


def safe_cell(text: str) -> str:
    """Text that a spreadsheet will not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?[\d,]*\.?\d+%?", text))
