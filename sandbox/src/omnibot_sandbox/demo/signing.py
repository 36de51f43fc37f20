"""How somebody in a story reads an agreement, page after page, and signs it."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Any

from omnibot_sandbox.slack.reading import elements
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON

#: Seconds in which a form, and each of its pages, must be there.
_PATIENCE = 10.0
_CHOICES = ("checkboxes", "multi_static_select")


async def sign(slack: SlackEmulator, user: str) -> str:
    """Read the form before this person to its end, tick what must be ticked, submit. What went wrong, or ""."""
    for number in count():
        try:
            view = (await slack.wait_for(partial(_page, slack, user, number), _PATIENCE))[0]
        except AssertionError:
            break
        if view["submit"] is not None:
            result = await slack.submit(user, view["id"], _filled_in(view))
            return f"the agreement was not signed: {result.errors or result.notice}" if result.errors else ""
        block, button = next((b, e) for b, e in elements(view["blocks"]) if _leads_on(e))
        await slack.press(user, view_id=view["id"], block_id=block["block_id"], action_id=button["action_id"])
    return "the agreement was not shown"


def _page(slack: SlackEmulator, user: str, number: int) -> list[JSON]:
    """The uppermost form once it shows that page, counted from 0."""
    return [view for view in slack.modals(user)[-1:] if f"page {number + 1} of" in str(view["blocks"])]


def _leads_on(element: JSON) -> bool:
    return bool(element["type"] == "button" and element["text"]["text"].startswith("Next"))


def _filled_in(view: JSON) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {}
    for block, element in elements(view["blocks"]):
        if block["type"] == "input" and element["type"] in _CHOICES:
            options = element.get("initial_options") or element["options"]
            values[block["block_id"]] = {element["action_id"]: {"type": element["type"], "selected_options": options}}
    return values
