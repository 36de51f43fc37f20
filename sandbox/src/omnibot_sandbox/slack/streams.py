"""chat.startStream, chat.appendStream and chat.stopStream: a message that grows, and dies when it takes too long."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from functools import partial

from omnibot_sandbox.slack import sessions
from omnibot_sandbox.slack.arguments import SlackError, need, readable_channel
from omnibot_sandbox.slack.chat import addressee, metadata_of, thread_root, usable_files
from omnibot_sandbox.slack.chunks import check_blocks_of
from omnibot_sandbox.slack.payloads import message_json
from omnibot_sandbox.slack.reading import as_stored
from omnibot_sandbox.slack.stream_content import DISPLAY_MODES, StreamContent
from omnibot_sandbox.slack.workspace import BOT_USER_ID, JSON, Channel, Message, Workspace

#: What other ways of posting take, and streams do not.
_NOT_AT_START = ("text", "blocks", "attachments", "metadata", "unfurl_links", "unfurl_media")
_NOT_AT_APPEND = (*_NOT_AT_START, "session_status")
_NOT_AT_STOP = ("text", "attachments", "unfurl_links", "unfurl_media")


def start(workspace: Workspace, args: JSON) -> JSON:
    """chat.startStream."""
    _refuse(args, _NOT_AT_START)
    channel = addressee(workspace, args)
    thread_ts = thread_root(channel, args)
    if thread_ts is None:
        # The pages disagree whether a stream may stand outside threads; it always may inside.
        raise SlackError("invalid_thread_ts", ["[ERROR] missing required field: thread_ts"])
    if channel.kind != "im":
        _check_recipient(workspace, args)
    display = args.get("task_display_mode") or DISPLAY_MODES[0]
    if display not in DISPLAY_MODES:
        raise SlackError("invalid_arguments", ["[ERROR] must be a valid enum value [json-pointer:/task_display_mode]"])
    content = _grown(workspace, StreamContent(display), args)
    bot = workspace.users[BOT_USER_ID]
    message = workspace.post(
        channel, bot, content.markdown, blocks=content.blocks(), thread_ts=thread_ts, stream=content
    )
    _set_deadline(workspace, message)
    sessions.move(workspace, channel, thread_ts, "processing", initiator=args.get("recipient_user_id"))
    return {"channel": channel.id, "ts": message.ts}


def append(workspace: Workspace, args: JSON) -> JSON:
    """chat.appendStream."""
    _refuse(args, _NOT_AT_APPEND)
    message = _open(workspace, args, stopped="stopped_by_user")
    if not args.get("markdown_text") and not args.get("chunks"):
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: markdown_text"])
    _put(message, _grown(workspace, _content(message), args))
    workspace.touch(message, streaming=True)
    return {"channel": message.channel, "ts": message.ts}


def stop(workspace: Workspace, args: JSON) -> JSON:
    """chat.stopStream: the last words, blocks below them, metadata, and the session's status afterwards."""
    _refuse(args, _NOT_AT_STOP)
    message = _open(workspace, args)
    status = args.get("session_status") or "active"
    if status not in sessions.STATUSES:
        raise SlackError("invalid_arguments", ["[ERROR] must be a valid enum value [json-pointer:/session_status]"])
    footer = args.get("blocks") or []
    if footer:
        check_blocks_of(footer, usable_files(workspace))
    metadata = metadata_of(args)
    content = _grown(workspace, _content(message), args, as_stored(footer))
    before = copy.copy(message)
    message.metadata = metadata or None
    _put(message, content)
    _end(workspace, message, "completed", before)
    _move_session(workspace, message, status)
    return {"channel": message.channel, "ts": message.ts, "message": message_json(workspace, message, metadata=True)}


def _refuse(args: JSON, names: tuple[str, ...]) -> None:
    given = [name for name in names if name in args]
    if given:
        raise SlackError("invalid_arguments", [f"[ERROR] unsupported argument: {name}" for name in given])


def _check_recipient(workspace: Workspace, args: JSON) -> None:
    for name in ("recipient_user_id", "recipient_team_id"):
        if not args.get(name):
            raise SlackError(f"missing_{name}")
    user = workspace.users.get(str(args["recipient_user_id"]))
    if user is None:
        raise SlackError("user_not_found")
    if user.team_id != args["recipient_team_id"]:
        # What Slack makes of another company's person under our team's id is not known: refusing finds the mistake.
        raise SlackError("invalid_arguments", ["[ERROR] recipient_user_id is not of recipient_team_id"])


def _open(workspace: Workspace, args: JSON, *, stopped: str = "message_not_in_streaming_state") -> Message:
    """The message of a stream that still runs; `stopped` is what is said of one that a person stopped."""
    channel = readable_channel(workspace, args)
    need(args, "ts")
    message = channel.messages.get(str(args["ts"]))
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    if message.user != BOT_USER_ID:
        raise SlackError("message_not_owned_by_app")
    if message.streaming:
        return message
    by_user = message.stream is not None and message.stream.stopped_by_user
    raise SlackError(stopped if by_user else "message_not_in_streaming_state")


def _content(message: Message) -> StreamContent:
    assert message.stream is not None, "an open stream cannot be changed by chat.update"
    return message.stream


def _grown(workspace: Workspace, content: StreamContent, args: JSON, footer: list[JSON] | None = None) -> StreamContent:
    return content.grown(args.get("markdown_text"), args.get("chunks"), usable_files(workspace), footer)


def _put(message: Message, content: StreamContent) -> None:
    message.stream, message.text, message.blocks = content, content.markdown, content.blocks()


# -- how streams end --------------------------------------------------------------------------------------------------


def stop_by_user(workspace: Workspace, channel: Channel, thread_ts: str) -> list[str]:
    """End all open streams of a thread, as the Stop button does; returns their ts."""
    stopped = [message for message in channel.thread(thread_ts) if message.streaming]
    for message in stopped:
        before = copy.copy(message)
        _content(message).stopped_by_user = True
        _end(workspace, message, "completed", before)
    return [message.ts for message in stopped]


def set_deadlines(workspace: Workspace) -> None:
    """Let `stream_seconds` count for the streams that are open now."""
    for message in _all_open(workspace):
        _set_deadline(workspace, message)


def _all_open(workspace: Workspace) -> Iterator[Message]:
    for channel in workspace.channels.values():
        yield from (message for message in channel.messages.values() if message.streaming)


def _set_deadline(workspace: Workspace, message: Message) -> None:
    age = time.time() - message.posted_at
    workspace.deadlines.set(_timer(message), workspace.stream_seconds - age, partial(_die, workspace, message))


def _timer(message: Message) -> tuple[str, str, str]:
    return ("stream", message.channel, message.ts)


def _die(workspace: Workspace, message: Message) -> None:
    """Slack ends a stream that is too old, whether or not it grows."""
    _end(workspace, message, "errored", copy.copy(message))
    _move_session(workspace, message, "active")


def _end(workspace: Workspace, message: Message, state: str, before: Message) -> None:
    content = _content(message)
    content.close()
    _put(message, content)
    message.streaming_state = state
    workspace.deadlines.cancel(_timer(message))
    workspace.touch(message)
    workspace.on_event("message_changed", workspace.channel(message.channel), message, {"before": before})


def _move_session(workspace: Workspace, message: Message, status: str) -> None:
    assert message.thread_ts is not None, "streams stand in threads"
    sessions.move(workspace, workspace.channel(message.channel), message.thread_ts, status)


METHODS = {"chat.startStream": start, "chat.appendStream": append, "chat.stopStream": stop}
