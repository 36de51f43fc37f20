"""The other Web API methods, and the list of all that exist here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from omnibot_sandbox.slack import chat, conversations, files, reactions, sessions, streams, views
from omnibot_sandbox.slack.arguments import SlackError, member_channel, need
from omnibot_sandbox.slack.checking import Check
from omnibot_sandbox.slack.payloads import auth_json, bot_profile, user_json
from omnibot_sandbox.slack.workspace import JSON, TEAM_ID, Workspace

Method = Callable[[Workspace, JSON], JSON]


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


def set_status(workspace: Workspace, args: JSON) -> JSON:
    """assistant.threads.setStatus."""
    need(args, "channel_id", "thread_ts")
    if "status" not in args:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: status"])
    channel = member_channel(workspace, {"channel": args["channel_id"]})
    if str(args["thread_ts"]) not in channel.messages:
        raise SlackError("invalid_thread_ts")
    check = Check()
    for line, at in check.items(args.get("loading_messages"), "/loading_messages", "status.loading_messages", least=0):
        check.string(line, at, "status.loading_message")
    if check.problems:
        raise SlackError("invalid_arguments", [problem.line for problem in check.problems])
    kept = {name: value for name, value in args.items() if name not in ("channel_id", "thread_ts")}
    workspace.set_status(channel, str(args["thread_ts"]), kept)
    if args["status"]:
        sessions.bridge(workspace, channel, str(args["thread_ts"]))
    return {}


METHODS: Mapping[str, Method] = {
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **reactions.METHODS,
    **sessions.METHODS,
    **streams.METHODS,
    **views.METHODS,
    "auth.test": auth_test,
    "bots.info": bots_info,
    "users.info": users_info,
    "users.list": users_list,
    "assistant.threads.setStatus": set_status,
}
