"""Who sees what in the workspace, and what there is to know of a person."""

from __future__ import annotations

from omnibot_sandbox.slack.workspace import BOT_USER_ID, JSON, TEAM_ID, TEAM_NAMES, Channel, User, Workspace


def may_use_agents(user: User) -> bool:
    """Slack keeps apps that are agents from guests, and people of other companies have no app of this workspace."""
    return not user.is_bot and user.team_id == TEAM_ID and not (user.is_restricted or user.is_ultra_restricted)


def visible_channels(workspace: Workspace, user: User) -> list[Channel]:
    """The channels and the DMs with other people this person is in, and their DM with the bot.

    Who may not use agents has that one only once something was said there.
    """
    mine = [conversation for conversation in workspace.channels.values() if user.id in conversation.members]
    conversations = [conversation for conversation in mine if not _with_bot(conversation)]
    if may_use_agents(user):
        return [*conversations, workspace.dm(user.id)]
    return conversations + [conversation for conversation in mine if _with_bot(conversation) and _said_to(conversation)]


def _with_bot(conversation: Channel) -> bool:
    return conversation.kind == "im" and BOT_USER_ID in conversation.members


def _said_to(conversation: Channel) -> bool:
    return any(not message.deleted for message in conversation.messages.values())


def person_json(user: User) -> JSON:
    """What a profile shows."""
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "title": user.title,
        "color": f"#{user.color}",
        "is_bot": user.is_bot,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_stranger": user.is_stranger,
        "team_id": user.team_id,
        "team_name": TEAM_NAMES.get(user.team_id, user.team_id),
        "may_use_agents": may_use_agents(user),
    }
