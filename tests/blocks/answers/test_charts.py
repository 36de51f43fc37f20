"""Charts of Omni's, read: every point, exactly, and nothing that breaks a drawing."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot.blocks.answers.charts import (
    POINTS,
    fits_natively,
    in_words,
    native_chart,
    number,
    read_chart,
    read_place,
    safe_cell,
    thinned,
    to_csv,
)
from omnibot.blocks.layout.types import Page
from omnibot.clearstreet.models import ChartPoint, ChartSeries, DataChart
from tests.blocks import hostile_text
from tests.blocks.slack_limits import check, live
from tests.examples import examples


def chart(**series: dict[str, str]) -> DataChart:
    lines = [
        ChartSeries(name, tuple(ChartPoint(x, Decimal(y)) for x, y in points.items()))
        for name, points in series.items()
    ]
    return DataChart(tuple(lines))


PRICES = {"2026-01-05": "182.10", "2026-01-03": "180", "2026-01-04": "-1.5"}


def test_dates_are_recognised_and_put_in_order():
    read = read_chart(chart(AAPL=PRICES))

    assert read.places == ("2026-01-03", "2026-01-04", "2026-01-05")
    assert read.series[0].values == (Decimal("180"), Decimal("-1.5"), Decimal("182.10"))
    assert read.moments is not None
    assert native_chart(read)["chart"]["type"] == "line"  # type: ignore[index]  # a Block Kit dict


@pytest.mark.parametrize(
    ("place", "moment"),
    [
        ("2026-04-01", "2026-04-01T00:00:00"),
        ("2026-04", "2026-04-01T00:00:00"),
        ("Q2 2026", "2026-04-01T00:00:00"),
        ("2026Q2", "2026-04-01T00:00:00"),
        ("2026-04-01T09:30:00Z", "2026-04-01T09:30:00"),
        ("2026-04-01 09:30", "2026-04-01T09:30:00"),
        ("2026-13", None),
        ("2026-02-30", None),
        ("Technology", None),
        ("", None),
    ],
)
def test_a_place_on_the_axis_is_a_moment_only_if_it_is_a_date(place, moment):
    found = read_place(place)
    assert (found.isoformat() if found else None) == moment


def test_categories_keep_their_order_and_become_bars():
    read = read_chart(chart(Weight={"Tech": "40", "Energy": "25", "Cash": "35"}))

    assert read.places == ("Tech", "Energy", "Cash")
    assert native_chart(read)["chart"]["type"] == "bar"  # type: ignore[index]  # a Block Kit dict


def test_a_series_with_gaps_is_for_a_picture():
    assert not fits_natively(read_chart(chart(a={"1": "1", "2": "2"}, b={"1": "1"})))


def test_a_chart_without_points_says_so():
    read = read_chart(DataChart())

    assert not fits_natively(read)
    assert in_words(read) == ["This chart has no points."]
    assert to_csv(read) == '""\n'


def test_words_say_where_a_series_begins_and_ends():
    assert in_words(read_chart(chart(AAPL=PRICES))) == [
        "AAPL: from 180 (2026-01-03) to 182.1 (2026-01-05), low -1.5, high 182.1, 3 points"
    ]
    assert in_words(read_chart(chart(AAPL={"now": "1234567.5"}))) == ["AAPL: 1,234,567.5 (now)"]


def test_thinning_keeps_the_ends():
    points = {f"2026-01-{day:02}": str(day) for day in range(1, 32)}
    read = thinned(read_chart(chart(a=points)))

    assert len(read.places) == POINTS
    assert (read.places[0], read.places[-1]) == ("2026-01-01", "2026-01-31")


def test_the_csv_has_every_digit_and_no_formulas():
    read = read_chart(chart(**{"=cmd()": {"2026-01-03": "0.10000000000000000001", "2026-01-04": "-5"}}))

    assert list(csv.reader(io.StringIO(to_csv(read)))) == [
        ["", "'=cmd()"],
        ["2026-01-03", "0.10000000000000000001"],
        ["2026-01-04", "-5"],
    ]
    assert safe_cell("-12.5%") == "-12.5%"


@pytest.mark.parametrize(
    ("value", "words"),
    [("0.000", "0"), ("1e400", "1e+400"), ("1E-20", "1e-20"), ("1234.500", "1,234.5"), ("-7", "-7")],
)
def test_numbers_are_short_and_never_endless(value, words):
    assert number(Decimal(value)) == words


values = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from([Decimal("1e400"), Decimal("-1e-400"), Decimal(0), Decimal("1e14"), Decimal("999999999999999.9")]),
)
points = st.builds(
    ChartPoint, x=st.one_of(hostile_text.texts, st.dates().map(str), st.sampled_from(["a", "b"])), y=values
)
charts = st.lists(
    st.builds(
        ChartSeries, name=st.one_of(hostile_text.texts, st.just("")), points=st.lists(points, max_size=70).map(tuple)
    ),
    max_size=14,
).map(lambda series: DataChart(tuple(series)))


@given(charts)
@examples(60)
def test_any_chart_is_drawn_as_slack_takes_it_or_said_in_words(data):
    read = read_chart(data)
    assert in_words(read)
    to_csv(read)
    if fits_natively(read):
        page = Page([native_chart(read)], "chart")
        json.dumps(page.blocks, allow_nan=False)
        check(page)
        assert not live([page])
