"""Modals and App Homes: views.open, views.update, views.publish, and blocks.validate, which knows them too."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from omnibot.emulator.slack.arguments import SlackError, need
from omnibot.emulator.slack.blocks import IN_VIEWS, check_blocks, validate_message
from omnibot.emulator.slack.chat import decisive
from omnibot.emulator.slack.checking import Check, Problem
from omnibot.emulator.slack.limits import LIMITS
from omnibot.emulator.slack.workspace import JSON, TEAM_ID, Workspace

#: A trigger is good for one modal, this many seconds long.
TRIGGER_SECONDS = 3.0


def open_view(workspace: Workspace, args: JSON) -> JSON:
    """views.open: needs a trigger that is fresh and was not used before."""
    need(args, "trigger_id")
    view = _view(args, "modal")
    issued = workspace.triggers.get(str(args["trigger_id"]))
    if issued is None:
        raise SlackError("invalid_trigger_id")
    if issued.used:
        raise SlackError("exchanged_trigger_id")
    if time.monotonic() - issued.at > TRIGGER_SECONDS:
        raise SlackError("expired_trigger_id")
    issued.used = True
    return _shown(workspace, issued.user, view)


def publish(workspace: Workspace, args: JSON) -> JSON:
    """views.publish: someone's App Home."""
    need(args, "user_id")
    if args["user_id"] not in workspace.users:
        raise SlackError("user_not_found")
    return _shown(workspace, str(args["user_id"]), _view(args, "home"))


def update(workspace: Workspace, args: JSON) -> JSON:
    """views.update, by view_id or external_id; a stale hash is refused."""
    shown = [*workspace.views.values()]
    old = next((v for v in shown if args.get("view_id") == v["id"]), None) or next(
        (v for v in shown if args.get("external_id") and args["external_id"] == v["external_id"]), None
    )
    if old is None:
        raise SlackError("not_found")
    if args.get("hash") and args["hash"] != old["hash"]:
        raise SlackError("hash_conflict")
    return _shown(workspace, old["user"], _view(args, old["type"]), old["id"])


def validate_view(view: Any, kind: str | None = None) -> list[Problem]:
    """What is wrong with a view (of this kind); an empty list when Slack would take it."""
    check = Check()
    fields = ("title", "submit", "close", "private_metadata", "callback_id", "external_id")
    flags = ("clear_on_close", "notify_on_close", "submit_disabled")
    if not check.shape(view, "/view", ("type", "blocks"), (*fields, *flags)):
        return check.problems
    if view.get("type") not in ((kind,) if kind else ("modal", "home")):
        check.fail("/view/type", "must be a valid enum value")
    if view.get("type") == "modal" and "title" not in view:
        check.fail("/view", "missing required field: title")
    for name in ("title", "submit", "close"):
        check.text(view.get(name), f"/view/{name}", f"view.{name}")
    for name in ("private_metadata", "callback_id", "external_id"):
        check.string(view.get(name), f"/view/{name}", f"view.{name}", least=0)
    for name in flags:
        check.boolean(view.get(name), f"/view/{name}")
    check_blocks(check, view.get("blocks"), "/view/blocks", "view.blocks", IN_VIEWS)
    if view.get("type") == "modal" and "submit" not in view and not check.problems:
        for index, block in enumerate(view["blocks"]):
            if block["type"] == "input":
                at = f"/view/blocks/{index}/input"
                check.fail(at, "must define `submit` to use an `input` block in modals")
    return check.problems


def _view(args: JSON, kind: str) -> JSON:
    view: Any = args.get("view")
    if len(json.dumps(view)) > LIMITS["view.json"]:
        raise SlackError("view_too_large")
    problems = validate_view(view, kind)
    if problems:
        raise SlackError("invalid_arguments", [problem.line for problem in problems])
    checked: JSON = view
    return checked


def _shown(workspace: Workspace, user: str, view: JSON, view_id: str | None = None) -> JSON:
    shown = {
        "external_id": "",
        "callback_id": "",
        "private_metadata": "",
        "state": {"values": {}},
        **view,
        "id": view_id or "V" + secrets.token_hex(5).upper(),
        "hash": f"{int(time.time())}.{secrets.token_hex(4)}",
        "team_id": TEAM_ID,
        "user": user,
    }
    workspace.views[shown["id"]] = shown
    workspace.on_change({"type": "view", "user": user, "view": shown})
    return {"view": {name: value for name, value in shown.items() if name != "user"}}


def validate(_: Workspace, args: JSON) -> JSON:
    """blocks.validate: has a form of answer of its own, with pointers that start at the blocks."""
    given = [name for name in ("blocks", "view", "message") if args.get(name) is not None]
    if len(given) != 1:
        raise SlackError("invalid_arguments", ["must provide exactly one of `blocks`, `view`, or `message`"])
    what: Any = args[given[0]]
    blocks = what.get("blocks") if given == ["message"] and isinstance(what, dict) else what
    if given == ["view"]:
        problems = validate_view(what)
    elif isinstance(blocks, list):
        problems = validate_message(blocks, "-")
    else:
        raise SlackError("invalid_blocks_format")
    if problems:
        root = "/blocks" if given == ["blocks"] else ""
        errors = [
            {"code": "failed_constraint", "message": p.message, "pointer": p.pointer.removeprefix(root)}
            for p in decisive(problems)
        ]
        raise SlackError(problems[0].code, errors=errors)
    return {}


METHODS = {
    "views.open": open_view,
    "views.publish": publish,
    "views.update": update,
    "blocks.validate": validate,
}
