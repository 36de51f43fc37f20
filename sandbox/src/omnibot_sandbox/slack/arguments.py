"""The arguments of a Web API call, however they were sent, and the errors they can earn."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from omnibot_sandbox.slack.workspace import BOT_USER_ID, JSON, Channel, Workspace

#: Arguments that hold structures: in forms and queries they come as JSON text.
_STRUCTURED = ("blocks", "attachments", "metadata", "view", "message", "loading_messages", "prompts", "chunks", "files")


class SlackError(Exception):
    """The call is answered with `ok: false`."""

    def __init__(self, error: str, messages: list[str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []
        self.more = more

    def as_json(self) -> JSON:
        out: JSON = {"ok": False, "error": self.error, **self.more}
        if self.messages:
            out["response_metadata"] = {"messages": self.messages}
        return out


async def read_arguments(request: web.Request) -> JSON:
    """Merge query, form and JSON body, and decode what is JSON inside."""
    args: JSON = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            body = None
        if isinstance(body, dict):
            args |= body
    elif request.method == "POST":
        args |= dict(await request.post())
    for name in _STRUCTURED:
        if isinstance(args.get(name), str):
            try:
                args[name] = json.loads(args[name])
            except ValueError:
                continue  # the method that wants it will say what is wrong with it
    return args


def token_of(request: web.Request, args: JSON) -> str | None:
    """The token the call carries: in its header, or among its arguments."""
    header = request.headers.get("Authorization", "")
    from_arguments = args.pop("token", None)
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ").strip()
    return str(from_arguments) if from_arguments else None


def need(args: JSON, *names: str) -> None:
    """Refuse a call that lacks one of these."""
    missing = [name for name in names if args.get(name) in (None, "")]
    if missing:
        raise SlackError("invalid_arguments", [f"[ERROR] missing required field: {name}" for name in missing])


def truthy(args: JSON, name: str, default: bool = False) -> bool:
    """A boolean argument: forms and queries send words and digits."""
    value = args.get(name, default)
    return value if isinstance(value, bool) else str(value).lower() in ("1", "true")


def whole_number(args: JSON, name: str, default: int) -> int:
    """A numeric argument."""
    try:
        return int(args.get(name) or default)
    except (TypeError, ValueError):
        raise SlackError("invalid_arguments", [f"[ERROR] must be an integer [json-pointer:/{name}]"]) from None


def readable_channel(workspace: Workspace, args: JSON) -> Channel:
    """The channel a call names, if the bot may know of it."""
    need(args, "channel")
    channel = workspace.channels.get(str(args["channel"]))
    if channel is None or (channel.kind != "public" and BOT_USER_ID not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def member_channel(workspace: Workspace, args: JSON) -> Channel:
    """The channel a call names, if the bot is in it."""
    channel = readable_channel(workspace, args)
    if BOT_USER_ID not in channel.members:
        raise SlackError("not_in_channel")
    return channel
