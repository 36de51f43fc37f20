"""Agent sessions: what an agent says it does in a thread, and the Stop button that comes with it.

agents.sessions.* are the owners; chat.startStream and chat.stopStream move a session too, and so does the older
assistant.threads.setStatus, by a bridge. Slack tells the app of every move by a message_changed of the thread's root,
in which nothing that people wrote has changed.
"""

from __future__ import annotations

import copy
import re
import time
from functools import partial

from omnibot_sandbox.slack.arguments import SlackError, member_channel, need
from omnibot_sandbox.slack.chat import thread_root
from omnibot_sandbox.slack.checking import Check
from omnibot_sandbox.slack.workspace import BOT_USER_ID, JSON, Channel, Message, Workspace

STATUSES = ("active", "processing", "suspended", "closed")
#: What Slack replaces in titles, as far as it was seen.
_NOT_IN_TITLES = re.compile(r"[<>@#*:—]+")


def move(
    workspace: Workspace,
    channel: Channel,
    thread_ts: str,
    status: str,
    *,
    title: str | None = None,
    initiator: str | None = None,
    bridged: bool = False,
) -> JSON:
    """Give a thread's session this status; title and initiator count only when there was none yet."""
    key = (channel.id, thread_ts)
    if key not in workspace.sessions:
        created = {"title": title and _cleaned(title), "initiator_user_id": initiator}
        workspace.sessions[key] = {"status": status, **{name: value for name, value in created.items() if value}}
    session = workspace.sessions[key]
    session |= {"status": status, "bridged": bridged}
    timer = ("session", *key)
    if status == "processing":
        session["date_status_processing_expire"] = int(time.time() + workspace.processing_seconds)
        lapse = partial(move, workspace, channel, thread_ts, "active")
        workspace.deadlines.set(timer, workspace.processing_seconds, lapse)
    else:
        session.pop("date_status_processing_expire", None)
        workspace.deadlines.cancel(timer)
    _show(workspace, channel, thread_ts)
    return session


def retitle(workspace: Workspace, channel: Channel, thread_ts: str, title: str) -> None:
    """Give a session that exists another title."""
    workspace.sessions[channel.id, thread_ts]["title"] = _cleaned(title)
    _show(workspace, channel, thread_ts)


def _cleaned(title: str) -> str:
    return _NOT_IN_TITLES.sub("_", title)


def _show(workspace: Workspace, channel: Channel, thread_ts: str) -> None:
    session = workspace.sessions[channel.id, thread_ts]
    workspace.on_change({"type": "session", "channel": channel.id, "thread_ts": thread_ts, **session})
    root = channel.messages[thread_ts]
    state = _agent_session(session, workspace.stop_subscribed)
    if root.agent_session == state:
        return
    before = copy.copy(root)
    root.agent_session = state
    if not root.deleted:
        workspace.on_event("message_changed", channel, root, {"before": before})


def _agent_session(session: JSON, stoppable: bool) -> JSON:
    """The session as the thread's root carries it."""
    processing = session["status"] == "processing"
    expire = {"date_status_processing_expire": session["date_status_processing_expire"]} if processing else {}
    mine = {"agent_bot_user_id": BOT_USER_ID, "status": session["status"], **expire}
    return {
        "status": session["status"],
        "agent_bot_user_ids": [BOT_USER_ID],
        **({"title": session["title"]} if "title" in session else {}),
        **expire,
        "agent_statuses": [{**mine, "is_stoppable": processing and stoppable}],
    }


# -- the bridge -------------------------------------------------------------------------------------------------------


def bridge(workspace: Workspace, channel: Channel, ts: str) -> None:
    """assistant.threads.setStatus set its line."""
    move(workspace, channel, _root_of(channel.messages[ts]), "processing", bridged=True)


def unbridge(workspace: Workspace, channel: Channel, ts: str) -> None:
    """A status line ended: what is processing by that line alone is so no longer."""
    thread_ts = _root_of(channel.messages[ts])
    session = workspace.sessions.get((channel.id, thread_ts))
    if session is not None and session["bridged"] and session["status"] == "processing":
        move(workspace, channel, thread_ts, "active")


def _root_of(message: Message) -> str:
    return message.thread_ts or message.ts


# -- methods ----------------------------------------------------------------------------------------------------------


def set_status(workspace: Workspace, args: JSON) -> JSON:
    """agents.sessions.setStatus: creates the session if need be."""
    need(args, "status")
    channel, thread_ts = _thread(workspace, args)
    check = Check()
    check.choice(args["status"], "/status", STATUSES)
    check.string(args.get("title"), "/title", "session.title")
    _refuse(check)
    initiator = args.get("initiator_user_id")
    if initiator is not None and initiator not in channel.members:
        raise SlackError("user_not_in_channel")
    session = move(workspace, channel, thread_ts, args["status"], title=args.get("title"), initiator=initiator)
    answer: JSON = {"status": session["status"], "agent_status": session["status"]}
    answer |= {name: session[name] for name in ("title",) if name in session}
    if not workspace.stop_subscribed:
        warning = "missing_agent_session_stopped_event_subscription"
        answer |= {"warning": warning, "response_metadata": {"warnings": [warning]}}
    return answer


def rename(workspace: Workspace, args: JSON) -> JSON:
    """agents.sessions.rename: only what exists."""
    channel, thread_ts = _thread(workspace, args)
    check = Check()
    check.string(args.get("title", ""), "/title", "session.title")
    _refuse(check)
    if (channel.id, thread_ts) not in workspace.sessions:
        raise SlackError("not_authorized")
    retitle(workspace, channel, thread_ts, args["title"])
    return {"title": workspace.sessions[channel.id, thread_ts]["title"]}


def set_title(workspace: Workspace, args: JSON) -> JSON:
    """assistant.threads.setTitle."""
    need(args, "channel_id", "thread_ts", "title")
    channel, thread_ts = _thread(workspace, args)
    check = Check()
    check.string(args["title"], "/title", "session.title")
    _refuse(check)
    if (channel.id, thread_ts) in workspace.sessions:
        retitle(workspace, channel, thread_ts, args["title"])
    else:
        move(workspace, channel, thread_ts, "active", title=args["title"])
    return {}


def set_suggested_prompts(workspace: Workspace, args: JSON) -> JSON:
    """assistant.threads.setSuggestedPrompts: without a thread they stand at the top of the Messages tab."""
    need(args, "channel_id", "prompts")
    channel = member_channel(workspace, {"channel": args["channel_id"]})
    thread_ts = _thread(workspace, args)[1] if args.get("thread_ts") else None
    check = Check()
    for prompt, where in check.items(args["prompts"], "/prompts", "prompts"):
        if check.shape(prompt, where, ("title", "message")):
            check.string(prompt.get("title"), f"{where}/title")
            check.string(prompt.get("message"), f"{where}/message")
    check.string(args.get("title"), "/title")
    _refuse(check)
    shown = {"title": args.get("title", ""), "prompts": args["prompts"]}
    workspace.prompts[channel.id, thread_ts] = shown
    workspace.on_change({"type": "prompts", "channel": channel.id, "thread_ts": thread_ts, **shown})
    return {}


def _thread(workspace: Workspace, args: JSON) -> tuple[Channel, str]:
    need(args, "channel_id")
    channel = member_channel(workspace, {"channel": args["channel_id"]})
    thread_ts = thread_root(channel, args)
    if thread_ts is None:
        raise SlackError("invalid_thread_ts", ["[ERROR] missing required field: thread_ts"])
    return channel, thread_ts


def _refuse(check: Check) -> None:
    if check.problems:
        raise SlackError("invalid_arguments", [problem.line for problem in check.problems])


METHODS = {
    "agents.sessions.setStatus": set_status,
    "agents.sessions.rename": rename,
    "assistant.threads.setTitle": set_title,
    "assistant.threads.setSuggestedPrompts": set_suggested_prompts,
}
