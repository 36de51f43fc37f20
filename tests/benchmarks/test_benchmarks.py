"""The benchmarks are real code too. Those that start processes take too long to be tried here: `make bench` does."""

import pytest

from tests.benchmarks import polls, rendering
from tests.benchmarks.table import Figure, percentile, show


async def test_polls_are_measured_against_a_bare_get():
    figures = await polls.measure(rounds=1, polls=3, sdk=False)
    assert [figure.bar for figure in figures] == ["", "≤ 6×", "≤ 1.5×"]
    assert all(figure.measured for figure in figures)


async def test_rendering_is_measured_against_json():
    figures = await rendering.measure(rounds=1)
    assert all(figure.measured for figure in figures)
    assert "messages" in figures[1].what


def test_percentiles():
    assert percentile([3.0], 99) == 3.0
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0


def test_the_table_says_what_is_reached_and_what_is_missed(capsys: pytest.CaptureFixture[str]):
    show([Figure("one", "1 s", "≤ 2 s", True), Figure("two", "3 s", "≤ 2 s", False), Figure("three", "5 s")])
    text = capsys.readouterr().out
    assert text.count("reached") == text.count("missed") == 1
    assert "three" in text
