"""Calls that use n of a limit of the newer blocks and of modals, and the errors of one too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.tests.slack.builders import (
    alert,
    button,
    card,
    chart,
    container,
    data_table,
    modal,
    pie,
    plain,
    plan,
    question,
    task,
)

Request = tuple[str, dict[str, Any]]


def posted(*blocks: Any) -> Request:
    return "chat.postMessage", {"channel": "C0TRADING1", "text": "words", "blocks": list(blocks)}


def opened(*blocks: Any) -> Request:
    return "views.open", {"trigger_id": "fresh", "view": modal(*blocks)}


def lines(count: int) -> dict[str, Any]:
    return {"type": "rich_text_input", "action_id": "a", "max_lines": count}


EDGES: dict[str, Callable[[int], Request]] = {
    "message.charts": lambda n: posted(*[pie()] * n),
    # header and rows count, in all data tables together
    "message.data_table text": lambda n: posted(data_table(text="x" * 9_999), data_table(text="x" * (n - 10_001))),
    "data_table.rows": lambda n: posted(data_table(rows=n)),
    "data_table.cells in a row": lambda n: posted(data_table(cells=n)),
    "data_table.page_size": lambda n: posted(data_table(page_size=n)),
    "chart.title": lambda n: posted(pie(title="x" * n)),
    "chart.segments": lambda n: posted(pie(n)),
    "chart.series": lambda n: posted(chart(series=n)),
    "chart.categories": lambda n: posted(chart(categories=n)),
    "chart.label": lambda n: posted(pie(label="x" * n)),
    "chart.axis_label": lambda n: posted(chart("line", y_label="x" * n)),
    "plan.tasks": lambda n: posted(plan(*[task(task_id=str(number)) for number in range(n)])),
    "card.title": lambda n: posted(card(title=plain("x" * n))),
    "card.subtitle": lambda n: posted(card(subtitle=plain("x" * n))),
    "card.body": lambda n: posted(card(body=plain("x" * n))),
    "card.actions": lambda n: posted(card(actions=[button()] * n)),
    "carousel.elements": lambda n: posted({"type": "carousel", "elements": [card()] * n}),
    "container.title": lambda n: posted(container(title=plain("x" * n))),
    "container.subtitle": lambda n: posted(container(subtitle=plain("x" * n))),
    "container.child_blocks": lambda n: posted(container(*[{"type": "divider"}] * n)),
    "alert.text": lambda n: opened(alert(text=plain("x" * n))),
    "rich_text_input.lines": lambda n: opened(question(lines(n))),
    # "modals" is for the test: so many lie there before
    "view.stack": lambda n: ("views.push", {"trigger_id": "fresh", "view": modal(), "modals": n - 1}),
}
CODES = {"view.stack": "push_limit_reached"}
