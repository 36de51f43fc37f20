"""Reactions: reactions.add, reactions.remove and reactions.get, and what people do with the same emoji."""

from __future__ import annotations

import re

from omnibot_sandbox.slack.arguments import SlackError, member_channel, need
from omnibot_sandbox.slack.payloads import message_json, permalink
from omnibot_sandbox.slack.workspace import BOT_USER_ID, JSON, Message, User, Workspace

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def react(workspace: Workspace, message: Message, user: User, name: str) -> bool:
    """Put an emoji under a message; False when this person's stands there already."""
    users = message.reactions.setdefault(name, [])
    if user.id in users:
        return False
    users.append(user.id)
    _tell(workspace, "reaction_added", message, user, name)
    return True


def unreact(workspace: Workspace, message: Message, user: User, name: str) -> bool:
    """Take one's emoji away; False when there is none."""
    users = message.reactions.get(name, [])
    if user.id not in users:
        return False
    users.remove(user.id)
    if not users:
        del message.reactions[name]
    _tell(workspace, "reaction_removed", message, user, name)
    return True


def _tell(workspace: Workspace, kind: str, message: Message, user: User, name: str) -> None:
    workspace.touch(message, kind, name=name)
    event = {
        "type": kind,
        "user": user.id,
        "reaction": name,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "item_user": message.user,
    }
    workspace.on_event(kind, workspace.channel(message.channel), message, {"event": event})


def _message(workspace: Workspace, args: JSON) -> Message:
    need(args, "channel", "timestamp")
    message = member_channel(workspace, args).messages.get(str(args["timestamp"]))
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    return message


def _name(args: JSON) -> str:
    need(args, "name")
    name = str(args["name"]).strip(":")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    return name


def add(workspace: Workspace, args: JSON) -> JSON:
    """reactions.add."""
    if not react(workspace, _message(workspace, args), workspace.users[BOT_USER_ID], _name(args)):
        raise SlackError("already_reacted")
    return {}


def remove(workspace: Workspace, args: JSON) -> JSON:
    """reactions.remove."""
    if not unreact(workspace, _message(workspace, args), workspace.users[BOT_USER_ID], _name(args)):
        raise SlackError("no_reaction")
    return {}


def get(workspace: Workspace, args: JSON) -> JSON:
    """reactions.get, of a message."""
    message = _message(workspace, args)
    body = message_json(workspace, message) | {"permalink": permalink(message)}
    return {"type": "message", "channel": message.channel, "message": body}


METHODS = {"reactions.add": add, "reactions.remove": remove, "reactions.get": get}
