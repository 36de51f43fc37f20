"""Blocks that frame something: cards and carousels, an agent's tasks and plans, alerts."""

from __future__ import annotations

from typing import Any

from omnibot_sandbox.slack import elements
from omnibot_sandbox.slack.checking import Check, kind_of
from omnibot_sandbox.slack.rich_text import entity
from omnibot_sandbox.slack.workspace import JSON

_STATUSES = ("pending", "in_progress", "complete", "error")
#: Slack's own drawings, which a card may have in place of an image.
_ICONS = """
    archive book bookmark bot bug calendar call caret-left caret-right check clipboard code comment compass copy cube
    download edit email eye-closed eye-open file flag folder gear globe heart help image info key lightbulb link map
    mobile new-window pin plus refine refresh rocket save screen share sparkle star star-filled tag thumbs-down
    thumbs-up trash upload user warning
""".split()  # noqa: SIM905 - as a list it is fifty lines


def card(check: Check, it: JSON, at: str) -> None:
    """A card: something to look at or to read, or buttons."""
    needed = ("hero_image", "title", "actions", "body")
    check.shape(it, at, (), (*needed, "block_id", "icon", "slack_icon", "subtitle", "subtext"))
    if not any(name in it for name in needed):
        check.fail(at, "must have at least one of: " + ", ".join(needed))
    for name in ("hero_image", "icon"):
        if name in it:
            elements.element(check, it[name], f"{at}/{name}", ("image",))
    _slack_icon(check, it, at)
    for name in ("title", "subtitle", "body"):
        check.text(it.get(name), f"{at}/{name}", f"card.{name}", elements.ANY_TEXT)
    check.text(it.get("subtext"), f"{at}/subtext", None, elements.ANY_TEXT)
    for button, where in check.items(it.get("actions"), f"{at}/actions", "card.actions"):
        elements.element(check, button, where, ("button",))
    check.unique("action_id", it.get("actions"), f"{at}/actions")


def _slack_icon(check: Check, it: JSON, at: str) -> None:
    icon, where = it.get("slack_icon"), f"{at}/slack_icon"
    if icon is None:
        return
    if "icon" in it:
        check.fail(at, "must have at most one of: icon, slack_icon")
    if kind_of(icon) != "icon":
        check.unsupported(icon, where)
    elif check.shape(icon, where, ("name",)):
        check.choice(icon.get("name"), f"{where}/name", _ICONS)


def carousel(check: Check, it: JSON, at: str) -> None:
    """Cards side by side."""
    check.shape(it, at, ("elements",), ("block_id",))
    for inner, where in check.items(it.get("elements"), f"{at}/elements", "carousel.elements"):
        if kind_of(inner) == "card":
            check.string(inner.get("block_id"), f"{where}/block_id", "block_id")
            card(check, inner, where)
        else:
            check.unsupported(inner, where)
    check.unique("block_id", it.get("elements"), f"{at}/elements")


def task_card(check: Check, it: JSON, at: str) -> None:
    """One thing an agent does. Its title is a string, not a text object."""
    check.shape(it, at, ("task_id", "title", "status"), ("block_id", "details", "output", "sources", "hide_title"))
    check.string(it.get("task_id"), f"{at}/task_id")
    check.string(it.get("title"), f"{at}/title")
    check.choice(it.get("status"), f"{at}/status", _STATUSES)
    check.boolean(it.get("hide_title"), f"{at}/hide_title")
    entity(check, it.get("details"), f"{at}/details")
    entity(check, it.get("output"), f"{at}/output")
    for source, where in check.items(it.get("sources"), f"{at}/sources", least=0):
        _source(check, source, where)


def _source(check: Check, it: Any, at: str) -> None:
    if kind_of(it) != "url":
        check.unsupported(it, at)
    elif check.shape(it, at, ("url", "text")):
        check.url(it.get("url"), f"{at}/url")
        check.string(it.get("text"), f"{at}/text")


def plan(check: Check, it: JSON, at: str) -> None:
    """Several tasks under one title; they need not say that they are task cards."""
    check.shape(it, at, ("title",), ("block_id", "tasks"))
    check.string(it.get("title"), f"{at}/title")
    for task, where in check.items(it.get("tasks"), f"{at}/tasks", "plan.tasks", least=0):
        if not isinstance(task, dict) or task.get("type", "task_card") != "task_card":
            check.unsupported(task, where)
        else:
            task_card(check, task, where)
    check.unique("task_id", it.get("tasks"), f"{at}/tasks")


def alert(check: Check, it: JSON, at: str) -> None:
    """A notice at its level, in modals."""
    check.shape(it, at, ("text",), ("block_id", "level"))
    check.text(it.get("text"), f"{at}/text", "alert.text", elements.ANY_TEXT)
    check.choice(it.get("level"), f"{at}/level", ("default", "info", "warning", "error", "success"))
