"""Modals and App Homes: views.open, push, update and publish, and blocks.validate, which knows views too."""

from __future__ import annotations

import json
import time
from typing import Any

from omnibot_sandbox.slack import view_stack
from omnibot_sandbox.slack.arguments import SlackError, need
from omnibot_sandbox.slack.blocks import IN_HOMES, IN_MODALS, check_blocks, validate_message
from omnibot_sandbox.slack.chat import decisive, usable_files
from omnibot_sandbox.slack.checking import Check, Problem
from omnibot_sandbox.slack.limits import LIMITS
from omnibot_sandbox.slack.workspace import JSON, Trigger, Workspace

#: A trigger is good for one modal, this many seconds long.
TRIGGER_SECONDS = 3.0


def open_view(workspace: Workspace, args: JSON) -> JSON:
    """views.open: needs a trigger that is fresh and was not used before; one from a modal stacks the new one on it."""
    need(args, "trigger_id")
    view = _view(workspace, args, "modal")
    issued = _trigger(workspace, args)
    on = issued.view_id if view_stack.is_modal(workspace, issued.view_id) else None
    shown = view_stack.push(workspace, issued.user, view, on)
    issued.used = True
    return {"view": view_stack.public(shown)}


def push(workspace: Workspace, args: JSON) -> JSON:
    """views.push: a modal on top of the one that the trigger came from."""
    need(args, "trigger_id")
    view = _view(workspace, args, "modal")
    issued = _trigger(workspace, args)
    if issued.view_id is None or not view_stack.is_modal(workspace, issued.view_id):
        raise SlackError("invalid_arguments", ["[ERROR] invalid `trigger_id` [json-pointer:/trigger_id]"])
    shown = view_stack.push(workspace, issued.user, view, issued.view_id)
    issued.used = True
    return {"view": view_stack.public(shown)}


def _trigger(workspace: Workspace, args: JSON) -> Trigger:
    issued = workspace.triggers.get(str(args["trigger_id"]))
    if issued is None:
        raise SlackError("invalid_trigger_id")
    if issued.used:
        raise SlackError("exchanged_trigger_id")
    if time.monotonic() - issued.at > TRIGGER_SECONDS:
        raise SlackError("expired_trigger_id")
    return issued


def publish(workspace: Workspace, args: JSON) -> JSON:
    """views.publish: someone's App Home; a stale hash is refused."""
    need(args, "user_id")
    user = str(args["user_id"])
    if user not in workspace.users:
        raise SlackError("user_not_found")
    view = _view(workspace, args, "home")
    _hold_to(args, view_stack.home(workspace, user))
    return {"view": view_stack.public(view_stack.publish(workspace, user, view))}


def update(workspace: Workspace, args: JSON) -> JSON:
    """views.update, by view_id or external_id; a stale hash is refused, and so is a view that was closed."""
    old = view_stack.find(workspace, str(args.get("view_id") or ""), str(args.get("external_id") or ""))
    if old is None:
        raise SlackError("not_found")
    _hold_to(args, old)
    return {"view": view_stack.public(view_stack.replace(workspace, old, _view(workspace, args, old["type"])))}


def _hold_to(args: JSON, shown: JSON | None) -> None:
    """The caller may insist on the very version that it knows."""
    if args.get("hash") and shown is not None and args["hash"] != shown["hash"]:
        raise SlackError("hash_conflict")


def validate_view(view: Any, kind: str | None = None, files: set[str] | None = None) -> list[Problem]:
    """What is wrong with a view (of this kind); an empty list when Slack would take it."""
    check = Check(files)
    fields = ("title", "submit", "close", "private_metadata", "callback_id", "external_id")
    flags = ("clear_on_close", "notify_on_close")
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
    allowed = IN_HOMES if view.get("type") == "home" else IN_MODALS
    check_blocks(check, view.get("blocks"), "/view/blocks", "view.blocks", allowed)
    if view.get("type") == "modal" and "submit" not in view and not check.problems:
        for index, block in enumerate(view["blocks"]):
            if block["type"] == "input":
                at = f"/view/blocks/{index}/input"
                check.fail(at, "must define `submit` to use an `input` block in modals")
    return check.problems


def _view(workspace: Workspace, args: JSON, kind: str) -> JSON:
    return checked(workspace, args.get("view"), kind)


def checked(workspace: Workspace, view: Any, kind: str) -> JSON:
    """The view, if Slack would take it.

    Raises:
        SlackError: it is too large, or something is wrong with it.
    """
    if len(json.dumps(view)) > LIMITS["view.json"]:
        raise SlackError("view_too_large")
    problems = validate_view(view, kind, usable_files(workspace))
    if problems:
        raise SlackError("invalid_arguments", [problem.line for problem in problems])
    fine: JSON = view
    return fine


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
    "views.push": push,
    "views.publish": publish,
    "views.update": update,
    "blocks.validate": validate,
}
