"""The conversations.* methods: what the bot can look up."""

from __future__ import annotations

import base64
import binascii

from omnibot_sandbox.slack.arguments import (
    SlackError,
    member_channel,
    need,
    readable_channel,
    truthy,
    whole_number,
)
from omnibot_sandbox.slack.payloads import channel_json, message_json
from omnibot_sandbox.slack.workspace import JSON, Channel, Message, Workspace


def open_dm(workspace: Workspace, args: JSON) -> JSON:
    """conversations.open, for one person."""
    users = args.get("users")
    names = users if isinstance(users, list) else [name for name in str(users or "").split(",") if name]
    if not names and args.get("channel"):
        channel = readable_channel(workspace, args)
    elif not names:
        raise SlackError("users_list_not_supplied")
    elif len(names) > 1:
        raise SlackError("method_not_supported_for_channel_type")  # group DMs are not part of this workspace
    else:
        user = workspace.users.get(str(names[0]))
        if user is None or user.is_bot:
            raise SlackError("user_not_found")
        channel = workspace.dm(user.id)
    return {"channel": channel_json(channel) if truthy(args, "return_im") else {"id": channel.id}}


def info(workspace: Workspace, args: JSON) -> JSON:
    """conversations.info."""
    channel = readable_channel(workspace, args)
    out = channel_json(channel)
    if truthy(args, "include_num_members"):
        out["num_members"] = len(channel.members)
    return {"channel": out}


def members(workspace: Workspace, args: JSON) -> JSON:
    """conversations.members: a cursor names the first of the next page."""
    found = sorted(readable_channel(workspace, args).members)
    limit = max(1, min(whole_number(args, "limit", 100), 1000))
    try:
        start = found.index(base64.b64decode(str(args["cursor"]), validate=True).decode()) if args.get("cursor") else 0
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise SlackError("invalid_cursor") from None
    rest = found[start + limit :]
    cursor = base64.b64encode(rest[0].encode()).decode() if rest else ""
    return {"members": found[start : start + limit], "response_metadata": {"next_cursor": cursor}}


def replies(workspace: Workspace, args: JSON) -> JSON:
    """conversations.replies: the root first, then its replies from the oldest on."""
    channel = member_channel(workspace, args)
    need(args, "ts")
    ts = str(args["ts"])
    root = channel.messages.get(ts)
    if root is None or (root.deleted and not channel.replies(ts)):
        raise SlackError("thread_not_found")
    if root.is_reply:
        return _page(workspace, channel, [root], args, 1000)
    # The root is always there, whatever the range.
    found = [root, *(reply for reply in channel.replies(ts) if _in_range(reply, args))]
    return _page(workspace, channel, found, args, 1000)


def history(workspace: Workspace, args: JSON) -> JSON:
    """conversations.history: messages outside threads and the roots of threads, from the newest back."""
    channel = member_channel(workspace, args)
    status = [m for m in channel.messages.values() if not m.is_reply and (not m.deleted or channel.replies(m.ts))]
    return _page(workspace, channel, [m for m in reversed(status) if _in_range(m, args)], args, 100)


def _in_range(message: Message, args: JSON) -> bool:
    oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "")
    if truthy(args, "inclusive"):
        return float(oldest) <= float(message.ts) and (not latest or float(message.ts) <= float(latest))
    return float(oldest) < float(message.ts) and (not latest or float(message.ts) < float(latest))


def _page(workspace: Workspace, channel: Channel, found: list[Message], args: JSON, default: int) -> JSON:
    """Cut out the page the cursor points to. A cursor names the last message that was given."""
    limit = max(1, min(whole_number(args, "limit", default), 1000))
    start = 0
    if args.get("cursor"):
        try:
            last = base64.b64decode(str(args["cursor"]), validate=True).decode().removeprefix("last_ts:")
        except (binascii.Error, UnicodeDecodeError):
            raise SlackError("invalid_cursor") from None
        start = next((i + 1 for i, message in enumerate(found) if message.ts == last), len(found))
    page = found[start : start + limit]
    more = start + limit < len(found)
    metadata = truthy(args, "include_all_metadata")
    out: JSON = {
        "messages": [message_json(workspace, message, metadata=metadata) for message in page],
        "has_more": more,
    }
    if more:
        cursor = base64.b64encode(f"last_ts:{page[-1].ts}".encode()).decode()
        out["response_metadata"] = {"next_cursor": cursor}
    return out


METHODS = {
    "conversations.open": open_dm,
    "conversations.info": info,
    "conversations.members": members,
    "conversations.replies": replies,
    "conversations.history": history,
}
