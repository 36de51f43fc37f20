"""What Slack tells an app about what happened: the literal Events API payloads."""

from __future__ import annotations

import time
import uuid
from typing import Any

from omnibot_sandbox.slack.composer import mentions
from omnibot_sandbox.slack.payloads import message_json
from omnibot_sandbox.slack.workspace import APP_ID, BOT_USER_ID, JSON, TEAM_ID, Channel, Message, Workspace


def events_for(workspace: Workspace, kind: str, channel: Channel, message: Message | None, more: JSON) -> list[JSON]:
    """The payloads the app gets for one happening; none where the bot is not a member."""
    if BOT_USER_ID not in channel.members:
        return []
    if "event" in more:
        return [wrap(channel, {**more["event"], "event_ts": workspace.ts()})]
    if message is None:
        return [wrap(channel, _came_or_went(workspace, channel, kind, more))]
    if kind == "message":
        events = _posted(workspace, channel, message)
    elif kind == "message_changed":
        events = _changed(workspace, channel, message, more["before"])
    else:
        events = [_deleted(workspace, channel, message, more["before"])]
    return [wrap(channel, event) for event in events]


def wrap(channel: Channel | None, event: JSON) -> JSON:
    """The envelope every event comes in; `channel` is where it happened, if anywhere."""
    return {
        "token": "verification-token",
        "team_id": TEAM_ID,
        "context_team_id": TEAM_ID,
        "context_enterprise_id": None,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": "Ev" + uuid.uuid4().hex[:9].upper(),
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": channel is not None and channel.is_ext_shared,
        "event_context": "4-" + uuid.uuid4().hex,
    }


def _posted(workspace: Workspace, channel: Channel, message: Message) -> list[JSON]:
    where = {"channel": channel.id, "event_ts": message.ts}
    body = message_json(workspace, message)
    events = [{**body, **where, "channel_type": channel.channel_type}]
    if _is_app_mention(channel, message.text, message):
        # One post, two events with two ids: an app that handles both must notice that they are the same message.
        events.insert(0, {**body, **where, "type": "app_mention"})
        events[0].pop("subtype", None)
    return events


def _changed(workspace: Workspace, channel: Channel, message: Message, before: Message) -> list[JSON]:
    now = workspace.ts()
    body = message_json(workspace, message)
    events: list[JSON] = [
        {
            "type": "message",
            "subtype": "message_changed",
            "message": body,
            "previous_message": message_json(workspace, before),
            "channel": channel.id,
            "hidden": True,
            "ts": now,
            "event_ts": now,
            "channel_type": channel.channel_type,
        }
    ]
    if _is_app_mention(channel, message.text, message) and not _is_app_mention(channel, before.text, before):
        events.append({**body, "type": "app_mention", "channel": channel.id, "event_ts": now})
    return events


def _deleted(workspace: Workspace, channel: Channel, message: Message, before: Message) -> JSON:
    now = workspace.ts()
    event: dict[str, Any] = {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": message_json(workspace, before),
        "channel": channel.id,
        "hidden": True,
        "deleted_ts": message.ts,
        "ts": now,
        "event_ts": now,
        "channel_type": channel.channel_type,
    }
    if channel.replies(message.ts):
        # A root that was answered stays as a tombstone, and apps hear of a change instead of a deletion.
        del event["deleted_ts"]
        event |= {"subtype": "message_changed", "message": message_json(workspace, message)}
    return event


def _came_or_went(workspace: Workspace, channel: Channel, kind: str, more: JSON) -> JSON:
    return {
        "type": kind,
        "user": more["user"],
        "channel": channel.id,
        "channel_type": "C" if channel.kind == "public" else "G",
        "team": more["team"],
        "event_ts": workspace.ts(),
    }


def _is_app_mention(channel: Channel, text: str, message: Message) -> bool:
    """DMs never make one, and neither do the bot's own words."""
    return channel.kind != "im" and message.user != BOT_USER_ID and BOT_USER_ID in mentions(text)
