"""Blocks that show data: tables, data tables and charts."""

from __future__ import annotations

from typing import Any

from omnibot_sandbox.slack import elements
from omnibot_sandbox.slack.checking import Check, kind_of
from omnibot_sandbox.slack.rich_text import cell
from omnibot_sandbox.slack.workspace import JSON

_HEADER_CELLS = ("raw_text", "raw_number")
_BODY_CELLS = ("rich_text", *_HEADER_CELLS)


def table(check: Check, it: JSON, at: str) -> None:
    """Rows and cells; a cell that is null is empty."""
    check.shape(it, at, ("rows",), ("block_id", "column_settings"))
    for row, row_at in check.items(it.get("rows"), f"{at}/rows", "table.rows"):
        for inner, cell_at in check.items(row if row is not None else 0, row_at, "table.cells in a row"):
            if inner is not None:
                cell(check, inner, cell_at)
    settings = check.items(it.get("column_settings"), f"{at}/column_settings", "table.cells in a row", least=0)
    for setting, where in settings:
        if setting is not None and check.shape(setting, where, (), ("align", "is_wrapped")):
            check.choice(setting.get("align"), f"{where}/align", ("left", "center", "right"))
            check.boolean(setting.get("is_wrapped"), f"{where}/is_wrapped")


def data_table(check: Check, it: JSON, at: str) -> None:
    """A header and rows of equal length, which people can sort and page through."""
    check.shape(it, at, ("caption", "rows"), ("block_id", "page_size", "row_header_column_index"))
    check.string(it.get("caption"), f"{at}/caption")
    check.number(it.get("page_size"), f"{at}/page_size", "data_table.page_size", least=1)
    check.number(it.get("row_header_column_index"), f"{at}/row_header_column_index")
    columns: int | None = None
    for number, (row, row_at) in enumerate(check.items(it.get("rows"), f"{at}/rows", "data_table.rows", least=2)):
        for inner, cell_at in check.items(row if row is not None else 0, row_at, "data_table.cells in a row"):
            _data_cell(check, inner, cell_at, header=number == 0)
        if isinstance(row, list):
            columns = len(row) if columns is None else columns
            if len(row) != columns:
                check.fail(row_at, f"must have {columns} items, as the other rows")
    index = it.get("row_header_column_index")
    if columns is not None and isinstance(index, int) and index >= columns:
        check.fail(f"{at}/row_header_column_index", f"must be less than {columns}")


def _data_cell(check: Check, it: Any, at: str, *, header: bool) -> None:
    if header or kind_of(it) != "action_cell":
        cell(check, it, at, _HEADER_CELLS if header else _BODY_CELLS)
        return
    check.shape(it, at, ("element",), ("fallback",))
    if "element" in it:
        elements.element(check, it["element"], f"{at}/element", ("button",))
    if "fallback" in it:
        cell(check, it["fallback"], f"{at}/fallback", _HEADER_CELLS)


def data_visualization(check: Check, it: JSON, at: str) -> None:
    """A chart."""
    check.shape(it, at, ("title", "chart"), ("block_id",))
    check.string(it.get("title"), f"{at}/title", "chart.title")
    chart, where = it.get("chart"), f"{at}/chart"
    if chart is None:
        return
    if kind_of(chart) == "pie":
        _pie(check, chart, where)
    elif kind_of(chart) in ("bar", "area", "line"):
        _series_chart(check, chart, where)
    else:
        check.unsupported(chart, where)


def _pie(check: Check, chart: JSON, at: str) -> None:
    check.shape(chart, at, ("segments",))
    for segment, where in check.items(chart.get("segments"), f"{at}/segments", "chart.segments"):
        _point(check, segment, where)
        value = segment.get("value") if isinstance(segment, dict) else None
        if isinstance(value, int | float) and value <= 0:
            check.fail(f"{where}/value", "must be greater than 0")


def _series_chart(check: Check, chart: JSON, at: str) -> None:
    check.shape(chart, at, ("series", "axis_config"))
    categories = _axis(check, chart.get("axis_config"), f"{at}/axis_config")
    for series, where in check.items(chart.get("series"), f"{at}/series", "chart.series"):
        if not check.shape(series, where, ("name", "data")):
            continue
        check.string(series.get("name"), f"{where}/name", "chart.label")
        points = list(check.items(series.get("data"), f"{where}/data", "chart.categories"))
        for point, inner in points:
            _point(check, point, inner)
        labels = [point.get("label") for point, _ in points if isinstance(point, dict)]
        if "data" in series and sorted(map(str, labels)) != sorted(map(str, categories)):
            check.fail(f"{where}/data", "must have one data point for each of the categories")
    check.unique("name", chart.get("series"), f"{at}/series")


def _axis(check: Check, axis: Any, at: str) -> list[Any]:
    """The categories."""
    if axis is None or not check.shape(axis, at, ("categories",), ("x_label", "y_label")):
        return []
    check.string(axis.get("x_label"), f"{at}/x_label", "chart.axis_label")
    check.string(axis.get("y_label"), f"{at}/y_label", "chart.axis_label")
    categories = list(check.items(axis.get("categories"), f"{at}/categories", "chart.categories"))
    for number, (category, where) in enumerate(categories):
        check.string(category, where, "chart.label")
        if category in [other for other, _ in categories[:number]]:
            check.fail(where, f'"{category}" already exists')
    return [category for category, _ in categories]


def _point(check: Check, it: Any, at: str) -> None:
    if check.shape(it, at, ("label", "value")):
        check.string(it.get("label"), f"{at}/label", "chart.label")
        check.quantity(it.get("value"), f"{at}/value")
