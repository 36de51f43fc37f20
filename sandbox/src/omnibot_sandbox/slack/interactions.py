"""What the app is sent when someone clicks, types a command or works in a view: the literal payloads."""

from __future__ import annotations

import secrets
import time

from omnibot_sandbox.slack.payloads import message_json
from omnibot_sandbox.slack.view_stack import public
from omnibot_sandbox.slack.workspace import (
    APP_ID,
    JSON,
    TEAM_DOMAIN,
    TEAM_ID,
    Channel,
    Message,
    Trigger,
    User,
    Workspace,
)

_TOKEN = "verification-token"  # noqa: S105 - the retired kind that every payload still carries


def trigger(workspace: Workspace, user: User, view_id: str | None = None) -> str:
    """A fresh trigger_id; `view_id` is the view it comes from."""
    trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
    workspace.triggers[trigger_id] = Trigger(user.id, view_id)
    return trigger_id


def _channel_name(channel: Channel) -> str:
    """Commands and clicks tell the name of public channels only."""
    return {"public": channel.name, "private": "privategroup", "im": "directmessage"}[channel.kind]


def command(workspace: Workspace, user: User, channel: Channel, name: str, text: str, response_url: str) -> JSON:
    """The payload of a slash command."""
    return {
        "token": _TOKEN,
        "team_id": user.team_id,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": _channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger(workspace, user),
    }


def _head(kind: str, user: User) -> JSON:
    """What every interaction says of where it comes from."""
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": APP_ID,
        "token": _TOKEN,
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _stamped(action: JSON) -> list[JSON]:
    return [{**action, "action_ts": f"{time.time():.6f}"}]


def message_actions(
    workspace: Workspace,
    user: User,
    channel: Channel,
    clicked: Message | JSON,
    action: JSON,
    state: JSON,
    response_url: str,
) -> JSON:
    """The block_actions payload of a press on something in a message or an ephemeral."""
    ephemeral = isinstance(clicked, dict)
    ts = clicked["ts"] if isinstance(clicked, dict) else clicked.ts
    thread_ts = clicked["thread_ts"] if isinstance(clicked, dict) else clicked.thread_ts
    payload: JSON = {
        **_head("block_actions", user),
        "container": {
            "type": "message",
            "message_ts": ts,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
            **({"thread_ts": thread_ts} if thread_ts else {}),
        },
        "trigger_id": trigger(workspace, user),
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "state": {"values": state},
        "response_url": response_url,
        "actions": _stamped(action),
    }
    if isinstance(clicked, Message):
        payload["message"] = message_json(workspace, clicked)
    return payload


def view_actions(workspace: Workspace, user: User, view: JSON, action: JSON, state: JSON) -> JSON:
    """The block_actions payload of a press in a modal or an App Home."""
    return {
        **_head("block_actions", user),
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": trigger(workspace, user, view["id"]),
        "view": public(view) | {"state": {"values": state}},
        "actions": _stamped(action),
    }


def view_submission(workspace: Workspace, user: User, view: JSON, state: JSON) -> JSON:
    """The payload of a submitted modal."""
    return {
        **_head("view_submission", user),
        "trigger_id": trigger(workspace, user, view["id"]),
        "view": public(view) | {"state": {"values": state}},
        "response_urls": [],
    }


def view_closed(user: User, view: JSON, state: JSON, *, is_cleared: bool) -> JSON:
    """The payload of a modal that was closed; `is_cleared`: together with all others before that person."""
    return {
        **_head("view_closed", user),
        "view": public(view) | {"state": {"values": state}},
        "is_cleared": is_cleared,
    }
