"""The files.* methods: bytes on their way in, what Slack knows of them, and their way out again."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from aiohttp import web

from omnibot_sandbox.slack.arguments import SlackError, need, whole_number
from omnibot_sandbox.slack.chat import addressee, thread_root
from omnibot_sandbox.slack.file_objects import file_json, is_ready, new_id
from omnibot_sandbox.slack.limits import LIMITS
from omnibot_sandbox.slack.workspace import BOT_USER_ID, JSON, Channel, File, Message, User, Workspace


def get_upload_url(workspace: Workspace, args: JSON) -> JSON:
    """files.getUploadURLExternal: announces a file, and says where to send its bytes."""
    need(args, "filename", "length")
    length = whole_number(args, "length", 0)
    if length <= 0:
        raise SlackError("missing_argument")
    alt_txt = str(args.get("alt_txt") or "")
    if len(alt_txt) > LIMITS["file.alt_txt"]:
        raise SlackError("alt_txt_too_large")
    if args.get("snippet_type") and length > LIMITS["file.snippet"]:
        raise SlackError("snippet_too_large")
    file = File(new_id(), str(args["filename"]), BOT_USER_ID, length=length, alt_txt=alt_txt)
    workspace.files[file.id] = file
    return {"upload_url": f"{workspace.origin}/upload/v1/{file.id}", "file_id": file.id}


async def uploaded_bytes(request: web.Request) -> bytes:
    """The bytes of an upload: the whole body, or the first file of a form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    sent = [value for value in (await request.post()).values() if isinstance(value, web.FileField)]
    return sent[0].file.read() if sent else b""


def receive(workspace: Workspace, file_id: str, data: bytes) -> JSON:
    """Take the bytes of an announced file, as many as were announced."""
    file = workspace.files.get(file_id)
    if file is None or file.ready_at is not None:
        raise SlackError("file_not_found")
    if len(data) != file.length:
        raise SlackError("invalid_length")
    file.data = data
    return {"size": len(data)}


def complete_upload(workspace: Workspace, args: JSON) -> JSON:
    """files.completeUploadExternal: Slack looks at the files afterwards, and shares them only then."""
    given: Any = args.get("files")
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise SlackError("invalid_arguments", ["[ERROR] must provide an array [json-pointer:/files]"])
    channels = [addressee(workspace, {"channel": channel}) for channel in _channel_ids(args)]
    thread_ts = thread_root(channels[0], args) if channels else None
    files = [_file(workspace, one) for one in given]
    if any(file.data is None or file.ready_at is not None for file in files):
        raise SlackError("file_not_found")
    for file, one in zip(files, given, strict=True):
        file.title = str(one.get("title") or "")
        file.ready_at = time.monotonic() + workspace.file_processing_seconds
    comment = str(args.get("initial_comment") or "")
    ready = partial(_ready, workspace, files, channels, comment, thread_ts)
    if workspace.file_processing_seconds > 0:
        workspace.deadlines.set(("files", files[0].id), workspace.file_processing_seconds, ready)
    else:
        ready()
    return {"files": [file_json(workspace, file) for file in files]}


def _channel_ids(args: JSON) -> list[str]:
    ids = [args["channel_id"]] if args.get("channel_id") else str(args.get("channels") or "").split(",")
    return [str(channel) for channel in ids if channel]


def _ready(
    workspace: Workspace, files: list[File], channels: list[Channel], comment: str, thread_ts: str | None
) -> None:
    for file in files:
        file.ready_at = time.monotonic()
        workspace.on_change({"type": "file", "file": file.id})
    for channel in channels:
        share(workspace, files, channel, workspace.users[BOT_USER_ID], comment, thread_ts)


def share(
    workspace: Workspace,
    files: list[File],
    channel: Channel,
    user: User,
    text: str,
    thread_ts: str | None,
    blocks: list[JSON] | None = None,
) -> Message:
    """Post a message that holds files."""
    for file in files:
        if channel.id not in file.channels:
            file.channels.append(channel.id)
    shown = [file_json(workspace, file) for file in files]
    return workspace.post(channel, user, text, blocks=blocks, thread_ts=thread_ts, subtype="file_share", files=shown)


def info(workspace: Workspace, args: JSON) -> JSON:
    """files.info: mimetype and filetype are empty as long as Slack looks at the file."""
    need(args, "file")
    file = _file(workspace, {"id": args["file"]})
    if file.ready_at is None:
        raise SlackError("file_not_found")
    return {"file": file_json(workspace, file), "comments": [], "response_metadata": {"next_cursor": ""}}


def delete(workspace: Workspace, args: JSON) -> JSON:
    """files.delete: the bot's own; messages that showed it keep a tombstone."""
    need(args, "file")
    file = _file(workspace, {"id": args["file"]})
    if file.user != BOT_USER_ID:
        raise SlackError("cant_delete_file")
    file.deleted = True
    for channel in file.channels:
        for message in workspace.channels[channel].messages.values():
            if any(shown["id"] == file.id for shown in message.files):
                tombstone = file_json(workspace, file)
                message.files = [tombstone if shown["id"] == file.id else shown for shown in message.files]
                workspace.touch(message)
    return {}


def _file(workspace: Workspace, one: JSON) -> File:
    file = workspace.files.get(str(one.get("id")))
    if file is None:
        raise SlackError("file_not_found")
    if file.deleted:
        raise SlackError("file_deleted")
    return file


def download(workspace: Workspace, file_id: str) -> File | None:
    """What `url_private` leads to; None: nothing (any more), or nothing yet."""
    file = workspace.files.get(file_id)
    return file if file is not None and is_ready(file) else None


METHODS = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": info,
    "files.delete": delete,
}
