"""Users, channels and messages as Slack writes them in JSON."""

from __future__ import annotations

from omnibot_sandbox.slack import read_back
from omnibot_sandbox.slack.workspace import (
    APP_ID,
    BOT_ID,
    BOT_USER_ID,
    JSON,
    PARTNER_TEAM_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    TEAM_NAMES,
    Channel,
    Message,
    User,
    Workspace,
)

_CREATED = 1_700_000_000
#: Fields that messages have only where there is something to say.
_WHERE_GIVEN = (
    "client_msg_id",
    "bot_id",
    "app_id",
    "subtype",
    "blocks",
    "files",
    "attachments",
    "edited",
    "streaming_state",
    "agent_session",
)


def bot_profile(user: User) -> JSON:
    """The short description of a bot that its messages carry."""
    return {
        "id": user.bot_id,
        "deleted": False,
        "name": user.name,
        "updated": _CREATED,
        "app_id": user.app_id,
        "user_id": user.id,
        "icons": {"image_36": "https://a.slack-edge.com/bot_36.png"},
        "team_id": user.team_id,
    }


def user_json(user: User) -> JSON:
    """A user as `users.info` shows it."""
    out: JSON = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": user.color,
        "real_name": user.real_name,
        "tz": "America/New_York",
        "tz_label": "Eastern Standard Time",
        "tz_offset": -18000,
        "profile": {
            "title": user.title,
            "real_name": user.real_name,
            "real_name_normalized": user.real_name,
            "display_name": user.name,
            "display_name_normalized": user.name,
            "team": user.team_id,
            **({"bot_id": user.bot_id, "api_app_id": user.app_id} if user.is_bot else {}),
        },
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": _CREATED,
    }
    if user.is_stranger:
        out["is_stranger"] = True
    return out


def channel_json(channel: Channel) -> JSON:
    """A channel as `conversations.info` shows it."""
    if channel.kind == "im":
        person = next(iter(channel.members - {BOT_USER_ID}), BOT_USER_ID)
        return {
            "id": channel.id,
            "created": _CREATED,
            "is_archived": channel.is_archived,
            "is_im": True,
            "is_org_shared": False,
            "user": person,
            "context_team_id": TEAM_ID,
            "is_open": True,
            "priority": 0,
        }
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.kind == "private",
        "created": _CREATED,
        "is_archived": channel.is_archived,
        "is_general": False,
        "is_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": False,
        "is_member": BOT_USER_ID in channel.members,
        "context_team_id": TEAM_ID,
        "shared_team_ids": [TEAM_ID, PARTNER_TEAM_ID] if channel.is_ext_shared else [TEAM_ID],
        "creator": "U0ANA00001",
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def message_json(workspace: Workspace, message: Message, *, metadata: bool = False) -> JSON:
    """A message as reads, answers and events show it.

    Real Slack may hand back more blocks than were posted (a markdown block comes back split up); here they come back
    one for one, with only the ids and flags filled in that Slack adds. What was streamed does come back split up.
    """
    channel = workspace.channel(message.channel)
    user = workspace.users[message.user]
    if message.deleted:
        return _tombstone(channel, message)
    out: JSON = {"user": user.id, "type": "message", "ts": message.ts, "text": message.text, "team": user.team_id}
    for name in _WHERE_GIVEN:
        if value := getattr(message, name):
            out[name] = value
    out |= _streamed(message)
    if user.is_bot:
        out["bot_profile"] = bot_profile(user)
    if message.files:
        out |= {"upload": False, "display_as_bot": False}
    if channel.is_ext_shared:
        out |= {"user_team": user.team_id, "source_team": user.team_id}
    if message.reactions:
        out["reactions"] = [{"name": n, "users": users, "count": len(users)} for n, users in message.reactions.items()]
    if metadata and message.metadata:
        out["metadata"] = message.metadata
    return out | _thread_fields(channel, message)


def _streamed(message: Message) -> JSON:
    if message.stream is None:
        return {}
    blocks: list[JSON] = []
    for block in message.blocks:
        markdown = block["type"] == "markdown"
        blocks += read_back.split(block["text"], block["block_id"]) if markdown else [block]
    return {"text": read_back.as_text(blocks), **({"blocks": blocks} if blocks else {})}


def _thread_fields(channel: Channel, message: Message) -> JSON:
    if message.is_reply:
        root = channel.messages.get(message.thread_ts or "")
        return {"thread_ts": message.thread_ts, "parent_user_id": root.user if root else BOT_USER_ID}
    replies = channel.replies(message.ts)
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "reply_users": users,
        "is_locked": False,
        "subscribed": False,
    }


def _tombstone(channel: Channel, message: Message) -> JSON:
    """What is left of a deleted message that others had answered."""
    return {
        "type": "message",
        "subtype": "tombstone",
        "user": "USLACKBOT",
        "text": "This message was deleted.",
        "hidden": True,
        "ts": message.ts,
    } | _thread_fields(channel, message)


def permalink(message: Message) -> str:
    """The address of a message."""
    link = f"https://{TEAM_DOMAIN}.slack.com/archives/{message.channel}/p{message.ts.replace('.', '')}"
    return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}" if message.is_reply else link


def auth_json() -> JSON:
    """Who the bot's token belongs to."""
    return {
        "url": f"https://{TEAM_DOMAIN}.slack.com/",
        "team": TEAM_NAMES[TEAM_ID],
        "user": "omni",
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
        "app_id": APP_ID,
    }
