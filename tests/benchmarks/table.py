"""What a benchmark found, and the table of all."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Measurement:
    """One line of the table."""

    what: str
    measured: str
    #: What is to be reached, and whether it was; None: a figure to compare others with.
    bar: str = ""
    reached: bool | None = None


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def times(measured: float, than: float) -> str:
    """How many times as much."""
    return f"{measured / than:.1f}×" if than else "?"


def milliseconds(seconds: float) -> str:
    """As people read it."""
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def show(measurements: Sequence[Measurement]) -> None:
    """Print the table."""
    table = Table(title="omnibot: figures of one run")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("bar", justify="right")
    table.add_column("")
    for measured in measurements:
        mark = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}[measured.reached]
        table.add_row(measured.what, measured.measured, measured.bar, mark)
    Console().print(table)
