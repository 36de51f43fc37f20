"""The workspace as one person sees it, in JSON for the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from omnibot_sandbox.demo.initial_workspace import TOPICS
from omnibot_sandbox.demo.installation import Installation
from omnibot_sandbox.demo.read_marks import ReadMarks
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.visibility import may_use_agents
from omnibot_sandbox.slack.workspace import (
    JSON,
    PARTNER_TEAM_ID,
    TEAM_ID,
    TEAM_NAMES,
    Channel,
    Message,
    User,
)

#: Who can sit in front of the page.
PEOPLE = ("ana", "ben", "cleo", "dan")
_CHANNEL = re.compile(r"<#(C[A-Z0-9]+)\|[^<>]*>")


class View:
    """What each person sees of one workspace, and what they have read of it."""

    def __init__(self, slack: SlackEmulator, marks: ReadMarks, app: Installation) -> None:
        self._slack = slack
        self._app = app
        self._workspace = slack.workspace
        self._marks = marks
        #: How often each ephemeral was replaced, by ts.
        self._replaced: dict[str, int] = {}

    def replaced(self, ephemeral_ts: str) -> None:
        """An ephemeral says something else now: pages draw what has a higher version than theirs."""
        self._replaced[ephemeral_ts] = self._replaced.get(ephemeral_ts, 0) + 1

    # -- who and where ------------------------------------------------------------------------------------------------

    def channels(self, user: str) -> list[Channel]:
        """The channels this person is in, and the DM with the bot if they have one."""
        return self._slack.visible_channels(user)

    def sees(self, user: str, channel: str) -> bool:
        """Whether this person can open the channel."""
        return any(conversation.id == channel for conversation in self.channels(user))

    def sees_file(self, user: str, file_id: str) -> bool:
        """Whether this person can open the file: it was shared where they are, or something they see shows it."""
        file, conversations = self._workspace.files.get(file_id), self.channels(user)
        if file is None:
            return False
        me = self._workspace.user(user)
        if file.user == me.id or any(conversation.id in file.channels for conversation in conversations):
            return True
        views = [*self.modals(user), self.home(user)]
        messages = (message for conversation in conversations for message in self._messages(conversation, me))
        return any(_names(shown, file_id) for shown in (*views, *messages))

    def state(self, user: str) -> JSON:
        """Everything the page shows to this person."""
        me = self._workspace.user(user)
        conversations = self.channels(user)
        return {
            "me": me.id,
            "workspace": TEAM_NAMES[me.team_id],
            "host": TEAM_NAMES[TEAM_ID],
            "people": [self._person(name) for name in PEOPLE],
            "names": self.names(user),
            "bot": self._slack.bot_user_id,
            "commands": [asdict(command) for command in self._slack.commands],
            "prompts": list(self._app.prompts),
            "home_tab": self._app.home_tab,
            "channels": [self.channel(conversation.id, user) for conversation in conversations],
            "messages": {
                conversation.id: _without_labels(self._messages(conversation, me), self._hidden(user))
                for conversation in conversations
            },
            "threads": [
                self.thread(*key) for key in self._thread_keys({conversation.id for conversation in conversations})
            ],
            "modals": self.modals(user),
            "home": self.home(user),
        }

    def names(self, user: str) -> JSON:
        """Ids, and what people call them; a channel this person is not in keeps its name to itself."""
        people = {
            u.id: {"name": u.real_name, "kind": "bot" if u.is_bot else "user"} for u in self._workspace.users.values()
        }
        hidden = self._hidden(user)
        conversations: JSON = {
            conversation.id: {"name": "", "kind": "channel", "hidden": True}
            if conversation.id in hidden
            else {"name": conversation.name, "kind": "channel"}
            for conversation in self._workspace.channels.values()
            if conversation.kind != "im"
        }
        return people | conversations

    def _hidden(self, user: str) -> set[str]:
        """The channels whose names this person may not know: private ones they are not in, and to who is no full member
        of the workspace all they are not in."""
        who = self._workspace.user(user)
        return {
            conversation.id
            for conversation in self._workspace.channels.values()
            if who.id not in conversation.members and (conversation.kind != "public" or not may_use_agents(who))
        }

    def _person(self, name: str) -> JSON:
        """Somebody who can sit here; `company` is empty for those of this workspace."""
        shown = self._slack.person(name)
        guest = shown["is_restricted"] or shown["is_ultra_restricted"]
        company = "" if shown["team_id"] == TEAM_ID else shown["team_name"]
        return {**{n: shown[n] for n in ("name", "id", "real_name", "title")}, "guest": guest, "company": company}

    def channel(self, channel: str, user: str) -> JSON:
        """One channel, with what this person has not read there; `kind` "im": with the bot, "dm": of two people."""
        conversation, me = self._workspace.channel(channel), self._workspace.user(user)
        others = (
            [self._workspace.users[one] for one in conversation.members - {me.id}] if conversation.kind == "im" else []
        )
        person = next((one for one in others if not one.is_bot), None)
        unread = self._marks.unread(conversation, me.id)
        return {
            "id": conversation.id,
            "name": person.real_name if person else "Omni" if conversation.kind == "im" else conversation.name,
            "kind": "dm" if person else conversation.kind,
            "with": person.id if person else "",
            "is_ext_shared": conversation.is_ext_shared,
            "members": sorted(conversation.members),
            "topic": TOPICS.get(conversation.name, "") if conversation.kind != "im" else "",
            "company": TEAM_NAMES[_other_team(me)] if conversation.is_ext_shared else "",
            **unread,
        }

    # -- messages -----------------------------------------------------------------------------------------------------

    def message(self, channel: str, ts: str, user: str) -> JSON | None:
        """One message as this person sees it now; None: there is nothing (any more) to see."""
        me = self._workspace.user(user).id
        hidden = self._hidden(user)
        for ephemeral in self._workspace.ephemerals:
            if (ephemeral["channel"], ephemeral["ts"]) == (channel, ts):
                return _without_labels(self._ephemeral(ephemeral), hidden) if ephemeral["user"] == me else None
        message = self._workspace.channel(channel).messages.get(ts)
        if message is None or not self._stands(message):
            return None
        shown: JSON = _without_labels(self._message(message), hidden)
        return shown

    def _messages(self, conversation: Channel, me: User) -> list[JSON]:
        own = [
            self._ephemeral(e)
            for e in self._workspace.ephemerals
            if (e["channel"], e["user"]) == (conversation.id, me.id)
        ]
        status = [self._message(message) for message in conversation.messages.values() if self._stands(message)]
        return sorted([*status, *own], key=lambda m: (float(m["ts"]), m["ts"])) if own else status

    def _stands(self, message: Message) -> bool:
        """Deleted messages are gone, but for a root that others answered: its tombstone stays."""
        conversation = self._workspace.channel(message.channel)
        return not message.deleted or (not message.is_reply and bool(conversation.replies(message.ts)))

    def _message(self, message: Message) -> JSON:
        out: JSON = {
            "channel": message.channel,
            "ts": message.ts,
            "thread_ts": message.thread_ts if message.is_reply else None,
            "user": message.user,
            "version": message.version,
        }
        if message.deleted:
            return {**out, "text": "This message was deleted.", "blocks": [], "deleted": True}
        optional = {
            "subtype": message.subtype,
            "edited": (message.edited or {}).get("ts"),
            "reactions": message.reactions,
            "files": message.files,
            "attachments": message.attachments,
            "streaming": message.streaming,
        }
        return {**out, "text": message.text, "blocks": message.blocks, **{n: v for n, v in optional.items() if v}}

    def _ephemeral(self, ephemeral: JSON) -> JSON:
        shown = {name: ephemeral[name] for name in ("channel", "ts", "thread_ts", "text", "blocks")}
        version = self._replaced.get(ephemeral["ts"], 0)
        return {**shown, "user": self._slack.bot_user_id, "version": version, "only_you": True}

    # -- what else there is -------------------------------------------------------------------------------------------

    def thread(self, channel: str, thread_ts: str) -> JSON:
        """What the bot is doing in a thread, what the thread is called, and what it suggests to ask."""
        status: JSON = self._slack.statuses.get((channel, thread_ts), {})
        session: JSON = self._slack.sessions.get((channel, thread_ts), {})
        processing = session.get("status") == "processing"
        return {
            "channel": channel,
            "thread_ts": thread_ts,
            "status": str(status.get("status", "")),
            "loading_messages": status.get("loading_messages") or [],
            "session": session.get("status", ""),
            "title": session.get("title", ""),
            "stoppable": processing and self._slack.stop_subscribed,
            "prompts": self._slack.prompts.get((channel, thread_ts or None)),
        }

    def _thread_keys(self, seen: set[str]) -> Iterator[tuple[str, str]]:
        keys: list[tuple[str, str | None]] = [*self._slack.statuses, *self._slack.sessions, *self._slack.prompts]
        yield from {(channel, thread_ts or ""): None for channel, thread_ts in keys if channel in seen}

    def modals(self, user: str) -> list[JSON]:
        """The stack of modals this person has open, bottom first."""
        return [_without_labels(view, self._hidden(user)) for view in self._slack.modals(user)]

    def home(self, user: str) -> JSON | None:
        """The App Home the bot published for this person."""
        home: JSON | None = _without_labels(self._slack.home(user), self._hidden(user))
        return home


def _other_team(user: User) -> str:
    return TEAM_ID if user.team_id == PARTNER_TEAM_ID else PARTNER_TEAM_ID


def _names(value: Any, file_id: str) -> bool:
    """Whether a `slack_file` somewhere in it is this file, by its id or its address."""
    if isinstance(value, dict):
        file: Any = value.get("slack_file")
        if isinstance(file, dict) and (file.get("id") == file_id or file_id in str(file.get("url", ""))):
            return True
        value = list(value.values())
    elif not isinstance(value, list):
        return False
    return any(_names(inner, file_id) for inner in value)


def _without_labels(value: Any, hidden: set[str]) -> Any:
    """The value with no `<#C…|name>` of these channels left: what a mention carries beside the id says their names."""
    if isinstance(value, str):
        return _CHANNEL.sub(lambda m: f"<#{m[1]}>" if m[1] in hidden else m[0], value) if "<#" in value else value
    if isinstance(value, list):
        return [_without_labels(inner, hidden) for inner in value]
    if isinstance(value, dict):
        return {name: _without_labels(inner, hidden) for name, inner in value.items()}
    return value
