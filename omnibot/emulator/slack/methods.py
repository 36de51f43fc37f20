"""The other Web API methods, and the list of all that exist here."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from omnibot.emulator.slack import chat, conversations
from omnibot.emulator.slack.arguments import SlackError, member_channel, need
from omnibot.emulator.slack.payloads import auth_json, bot_profile, user_json
from omnibot.emulator.slack.workspace import BOT_USER_ID, JSON, TEAM_ID, Message, Workspace

Method = Callable[[Workspace, JSON], JSON]

#: A trigger is good for one modal, this many seconds long.
TRIGGER_SECONDS = 3.0


def auth_test(_workspace: Workspace, _args: JSON) -> JSON:
    """auth.test."""
    return auth_json()


def bots_info(workspace: Workspace, args: JSON) -> JSON:
    """bots.info."""
    for user in workspace.users.values():
        if user.is_bot and user.bot_id == args.get("bot"):
            return {"bot": bot_profile(user)}
    raise SlackError("bot_not_found")


def users_info(workspace: Workspace, args: JSON) -> JSON:
    """users.info."""
    need(args, "user")
    user = workspace.users.get(str(args["user"]))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user_json(user)}


def users_list(workspace: Workspace, _args: JSON) -> JSON:
    """users.list: the workspace's own people and bots, not those of other companies."""
    members = [user_json(user) for user in workspace.users.values() if user.team_id == TEAM_ID]
    return {"members": members, "cache_ts": int(time.time()), "response_metadata": {"next_cursor": ""}}


def _reacted(workspace: Workspace, args: JSON) -> tuple[Message, str]:
    need(args, "channel", "timestamp", "name")
    channel = member_channel(workspace, args)
    message = channel.messages.get(str(args["timestamp"]))
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    return message, str(args["name"]).strip(":")


def reactions_add(workspace: Workspace, args: JSON) -> JSON:
    """reactions.add."""
    message, name = _reacted(workspace, args)
    users = message.reactions.setdefault(name, [])
    if BOT_USER_ID in users:
        raise SlackError("already_reacted")
    users.append(BOT_USER_ID)
    workspace.on_change({"type": "reaction_added", "channel": message.channel, "ts": message.ts, "name": name})
    return {}


def reactions_remove(workspace: Workspace, args: JSON) -> JSON:
    """reactions.remove."""
    message, name = _reacted(workspace, args)
    users = message.reactions.get(name, [])
    if BOT_USER_ID not in users:
        raise SlackError("no_reaction")
    users.remove(BOT_USER_ID)
    if not users:
        del message.reactions[name]
    workspace.on_change({"type": "reaction_removed", "channel": message.channel, "ts": message.ts, "name": name})
    return {}


def set_status(workspace: Workspace, args: JSON) -> JSON:
    """assistant.threads.setStatus."""
    need(args, "channel_id", "thread_ts")
    if "status" not in args:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: status"])
    channel = member_channel(workspace, {"channel": args["channel_id"]})
    if str(args["thread_ts"]) not in channel.messages:
        raise SlackError("invalid_thread_ts")
    loading = args.get("loading_messages") or []
    if not isinstance(loading, list) or len(loading) > 10 or any(not 1 <= len(str(line)) <= 50 for line in loading):
        raise SlackError(
            "invalid_arguments", ["[ERROR] at most 10 of 1 to 50 characters [json-pointer:/loading_messages]"]
        )
    kept = {name: value for name, value in args.items() if name not in ("channel_id", "thread_ts")}
    workspace.set_status(channel, str(args["thread_ts"]), kept)
    return {}


def views_open(workspace: Workspace, args: JSON) -> JSON:
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


def views_publish(workspace: Workspace, args: JSON) -> JSON:
    """views.publish: someone's App Home."""
    need(args, "user_id")
    if args["user_id"] not in workspace.users:
        raise SlackError("user_not_found")
    return _shown(workspace, str(args["user_id"]), _view(args, "home"))


def views_update(workspace: Workspace, args: JSON) -> JSON:
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


def _view(args: JSON, kind: str) -> JSON:
    view: Any = args.get("view")
    if not isinstance(view, dict) or not isinstance(view.get("blocks"), list):
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: blocks [json-pointer:/view]"])
    if view.get("type") != kind:
        raise SlackError("invalid_arguments", [f"[ERROR] must be of type {kind} [json-pointer:/view/type]"])
    if len(view["blocks"]) > 100:
        raise SlackError("invalid_arguments", ["[ERROR] no more than 100 items allowed [json-pointer:/view/blocks]"])
    if kind == "modal" and not isinstance(view.get("title"), dict):
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: title [json-pointer:/view]"])
    return view


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


METHODS: Mapping[str, Method] = {
    **chat.METHODS,
    **conversations.METHODS,
    "auth.test": auth_test,
    "bots.info": bots_info,
    "users.info": users_info,
    "users.list": users_list,
    "reactions.add": reactions_add,
    "reactions.remove": reactions_remove,
    "assistant.threads.setStatus": set_status,
    "views.open": views_open,
    "views.publish": views_publish,
    "views.update": views_update,
}
