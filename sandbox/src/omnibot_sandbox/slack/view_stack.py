"""Which modals lie on top of each other before whom, and what everybody's App Home shows."""

from __future__ import annotations

import copy
import secrets
import time

from omnibot_sandbox.slack.arguments import SlackError
from omnibot_sandbox.slack.limits import LIMITS
from omnibot_sandbox.slack.reading import as_stored, fill_in_flags
from omnibot_sandbox.slack.workspace import APP_ID, BOT_ID, JSON, TEAM_ID, Workspace


def public(shown: JSON) -> JSON:
    """A view as answers and payloads have it: without the person who sees it."""
    return {name: value for name, value in shown.items() if name != "user"}


def stack(workspace: Workspace, user: str) -> list[JSON]:
    """The modals before this person, the lowest first."""
    return [shown for shown in workspace.views.values() if shown["user"] == user and shown["type"] == "modal"]


def home(workspace: Workspace, user: str) -> JSON | None:
    """What was published for this person."""
    own = (view for view in workspace.views.values() if view["user"] == user and view["type"] == "home")
    return next(own, None)


def is_modal(workspace: Workspace, view_id: str | None) -> bool:
    """Whether this view is a modal that stands before somebody."""
    shown = workspace.views.get(view_id or "")
    return shown is not None and shown["type"] == "modal"


def find(workspace: Workspace, view_id: str, external_id: str) -> JSON | None:
    """A view that somebody has before them, by either of its names."""
    if view_id in workspace.views:
        return workspace.views[view_id]
    named = (view for view in workspace.views.values() if external_id and view["external_id"] == external_id)
    return next(named, None)


def push(workspace: Workspace, user: str, view: JSON, on: str | None) -> JSON:
    """Show a modal on top of the person's others; `on` is the one it came from. None: it takes their place.

    Raises:
        SlackError: there are as many as may be, or the external_id is taken.
    """
    below = stack(workspace, user) if on is not None else []
    if len(below) >= LIMITS["view.stack"]:
        raise SlackError("push_limit_reached")
    _refuse_twin(workspace, view, None)
    if on is None:
        clear(workspace, user)
    shown = _complete(view, "V" + secrets.token_hex(5).upper(), user)
    shown["previous_view_id"] = below[-1]["id"] if below else None
    shown["root_view_id"] = below[0]["id"] if below else shown["id"]
    return _show(workspace, shown)


def publish(workspace: Workspace, user: str, view: JSON) -> JSON:
    """Show something in a person's App Home, which keeps its id."""
    before = home(workspace, user)
    _refuse_twin(workspace, view, before)
    shown = _complete(view, before["id"] if before else "V" + secrets.token_hex(5).upper(), user)
    shown |= {"previous_view_id": None, "root_view_id": shown["id"]}
    return _show(workspace, shown)


def replace(workspace: Workspace, old: JSON, view: JSON) -> JSON:
    """Put something else where a view stands.

    Raises:
        SlackError: the external_id is taken.
    """
    _refuse_twin(workspace, view, old)
    shown = _complete(view, old["id"], old["user"])
    return _show(workspace, shown | {name: old[name] for name in ("previous_view_id", "root_view_id")})


def close(workspace: Workspace, shown: JSON) -> None:
    """Take a modal away, with what lies on top of it."""
    above = stack(workspace, shown["user"])
    for modal in reversed(above[above.index(shown) :]):
        del workspace.views[modal["id"]]
        workspace.on_change({"type": "view_closed", "user": modal["user"], "view_id": modal["id"]})


def clear(workspace: Workspace, user: str) -> None:
    """Take all of a person's modals away."""
    for lowest in stack(workspace, user)[:1]:
        close(workspace, lowest)


def _refuse_twin(workspace: Workspace, view: JSON, but: JSON | None) -> None:
    twin = find(workspace, "", str(view.get("external_id") or ""))
    if twin is not None and (but is None or twin["id"] != but["id"]):
        raise SlackError("duplicate_external_id")


def _complete(view: JSON, view_id: str, user: str) -> JSON:
    titles = {"title": None, "submit": None, "close": None} if view["type"] == "modal" else {}
    view = copy.deepcopy(view)
    fill_in_flags(view)
    return {
        **titles,
        "clear_on_close": False,
        "notify_on_close": False,
        "external_id": "",
        "callback_id": "",
        "private_metadata": "",
        "state": {"values": {}},
        **view,
        "blocks": as_stored(view["blocks"]),
        "id": view_id,
        "hash": f"{int(time.time())}.{secrets.token_hex(4)}",
        "team_id": TEAM_ID,
        "app_id": APP_ID,
        "app_installed_team_id": TEAM_ID,
        "bot_id": BOT_ID,
        "user": user,
    }


def _show(workspace: Workspace, shown: JSON) -> JSON:
    workspace.views[shown["id"]] = shown
    workspace.on_change({"type": "view", "user": shown["user"], "view": public(shown)})
    return shown
