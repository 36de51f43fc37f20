"""The chat.* methods: what the bot says, changes and takes back."""

from __future__ import annotations

import json
import re
from typing import Any

from omnibot_sandbox.slack.arguments import SlackError, member_channel, need, readable_channel
from omnibot_sandbox.slack.blocks import Problem, validate_message
from omnibot_sandbox.slack.file_objects import images
from omnibot_sandbox.slack.limits import LIMITS
from omnibot_sandbox.slack.payloads import message_json, permalink
from omnibot_sandbox.slack.reading import as_stored
from omnibot_sandbox.slack.workspace import BOT_USER_ID, JSON, Channel, Message, Workspace

#: Slack takes other event types too, and forgets the metadata without a word.
_EVENT_TYPE = re.compile(r"[A-Za-z0-9_-]+")


def content(workspace: Workspace, args: JSON) -> tuple[str, list[JSON]]:
    """The words and blocks of a call, after the checks that any message has to pass."""
    blocks: Any = args.get("blocks")
    text = str(args.get("text") or "")
    if blocks is not None and not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if args.get("markdown_text"):
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        blocks = [{"type": "markdown", "text": args["markdown_text"]}]
    if not blocks and not text and args.get("attachments"):
        return "", []
    problems = decisive(validate_message(blocks or [], text, usable_files(workspace)))
    if problems:
        messages = [problem.line for problem in problems if problem.message]
        # Slack repeats what is wrong with the blocks at the top level of its answer too.
        more = {"errors": [line.removeprefix("[ERROR] ") for line in messages]} if messages else {}
        raise SlackError(problems[0].code, messages, **more)
    return text[: LIMITS["message.text"]], as_stored(blocks or [])


def decisive(problems: list[Problem]) -> list[Problem]:
    """Those problems that an answer names: all with the code of the first."""
    return [problem for problem in problems if problem.code == problems[0].code]


def usable_files(workspace: Workspace) -> set[str]:
    """The ids and addresses that images may come from."""
    messages = (message for channel in workspace.channels.values() for message in channel.messages.values())
    shared = (file for message in messages for file in message.files if file["id"] not in workspace.files)
    return {file[name] for file in shared for name in ("id", "url_private")} | images(workspace)


def metadata_of(args: JSON) -> JSON | None:
    """The metadata of a call. None: there is none; empty: what was there goes away."""
    metadata = args.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if not metadata:
        return {}
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > LIMITS["message.metadata"]:
        raise SlackError("metadata_too_large")
    return metadata if _EVENT_TYPE.fullmatch(metadata["event_type"]) else {}


def addressee(workspace: Workspace, args: JSON) -> Channel:
    """The channel to post in; a person's id stands for their DM."""
    need(args, "channel")
    user = workspace.users.get(str(args["channel"]))
    if user is not None:
        if user.is_bot:
            raise SlackError("channel_not_found")
        return workspace.dm(user.id)
    channel = member_channel(workspace, args)
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


def thread_root(channel: Channel, args: JSON) -> str | None:
    """The thread to post in.

    Slack's own answer to a thread that never was is not documented; refusing is what finds the mistake.
    """
    thread_ts = args.get("thread_ts")
    if not thread_ts:
        return None
    if not re.fullmatch(r"\d{10}\.\d{6}", str(thread_ts)):
        raise SlackError("invalid_thread_ts", [f"[ERROR] {thread_ts} is not a valid thread_ts"])
    root = channel.messages.get(str(thread_ts))
    if root is None:
        raise SlackError("thread_not_found")
    if root.is_reply:
        raise SlackError("cannot_reply_to_message")
    return root.ts


def _own(channel: Channel, args: JSON, refusal: str) -> Message:
    need(args, "ts")
    message = channel.messages.get(str(args["ts"]))
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    if message.user != BOT_USER_ID:
        raise SlackError(refusal)
    return message


def post_message(workspace: Workspace, args: JSON) -> JSON:
    """chat.postMessage."""
    channel = addressee(workspace, args)
    thread_ts = thread_root(channel, args)
    text, blocks = content(workspace, args)
    message = workspace.post(
        channel,
        workspace.users[BOT_USER_ID],
        text,
        blocks=blocks,
        thread_ts=thread_ts,
        metadata=metadata_of(args) or None,
        attachments=args.get("attachments"),
    )
    return {"channel": channel.id, "ts": message.ts, "message": message_json(workspace, message, metadata=True)}


def update(workspace: Workspace, args: JSON) -> JSON:
    """chat.update: fields that are not given stay as they are, but text alone needs no blocks."""
    channel = readable_channel(workspace, args)
    message = _own(channel, args, "cant_update_message")
    if message.streaming:
        raise SlackError("streaming_state_conflict")
    if len(str(args.get("text") or "")) > LIMITS["update.text"]:
        raise SlackError("msg_too_long")
    text, blocks = content(workspace, args)
    metadata = metadata_of(args)
    workspace.change(
        message,
        by=BOT_USER_ID,
        text=text,
        # Leaving `blocks` out keeps the old ones on display; only an empty list takes them away.
        blocks=blocks if args.get("blocks") is not None or args.get("markdown_text") else message.blocks,
        metadata=message.metadata if metadata is None else (metadata or None),
        attachments=message.attachments if args.get("attachments") is None else args["attachments"],
    )
    body = message_json(workspace, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": body}


def delete(workspace: Workspace, args: JSON) -> JSON:
    """chat.delete."""
    channel = readable_channel(workspace, args)
    message = _own(channel, args, "cant_delete_message")
    if message.streaming:
        raise SlackError("cant_delete_message")
    workspace.delete(message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(workspace: Workspace, args: JSON) -> JSON:
    """chat.postEphemeral."""
    need(args, "channel", "user")
    channel = member_channel(workspace, args)
    if args["user"] not in channel.members:
        raise SlackError("user_not_in_channel")
    if channel.is_archived:
        raise SlackError("is_archived")
    thread_ts = thread_root(channel, args)
    text, blocks = content(workspace, args)
    user = workspace.users[str(args["user"])]
    ephemeral = workspace.post_ephemeral(channel, user, text, blocks, thread_ts, "chat.postEphemeral")
    return {"message_ts": ephemeral["ts"]}


def get_permalink(workspace: Workspace, args: JSON) -> JSON:
    """chat.getPermalink."""
    need(args, "message_ts")
    channel = readable_channel(workspace, args)
    message = channel.messages.get(str(args["message_ts"]))
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    return {"channel": channel.id, "permalink": permalink(message)}


METHODS = {
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": get_permalink,
}
