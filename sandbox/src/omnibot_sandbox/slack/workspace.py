"""The workspace in memory: its people, its channels and what was said in them.

Everything that happens goes through the verbs of `Workspace` (`post`, `change`, `delete`, …), whoever does it: a person
or the bot through the Web API. Each verb tells the two listeners: `on_event` what Slack would send to the app, and
`on_change` what a person would see happen.
"""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from omnibot_sandbox.slack.deadlines import Deadlines

if TYPE_CHECKING:
    from omnibot_sandbox.slack.stream_content import StreamContent

JSON = dict[str, Any]

TEAM_ID = "T0CLEARCO1"
PARTNER_TEAM_ID = "T0PARTNER1"
APP_ID = "A0OMNIBOT1"
BOT_ID = "B0OMNIBOT1"
BOT_USER_ID = "U0OMNIBOT1"
TEAM_DOMAIN = "clearco"
TEAM_NAMES = {TEAM_ID: "Clear & Co", PARTNER_TEAM_ID: "Northwind Partners"}


@dataclass(slots=True)
class User:
    """A person or a bot user."""

    id: str
    name: str
    real_name: str
    team_id: str = TEAM_ID
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    deleted: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    #: What they do, and the colour of their picture.
    title: str = ""
    color: str = "9f69e7"

    @property
    def is_bot(self) -> bool:
        return self.bot_id is not None


@dataclass(slots=True)
class Version:
    """What a message said before it was changed."""

    at: float
    text: str
    blocks: list[JSON]


@dataclass(slots=True)
class Message:
    """One message as it stands now, with its earlier versions."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[JSON] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    subtype: str | None = None
    metadata: JSON | None = None
    client_msg_id: str | None = None
    files: list[JSON] = field(default_factory=list)
    attachments: list[JSON] = field(default_factory=list)
    edited: JSON | None = None
    deleted: bool = False
    updates: list[Version] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    #: Grows with every change that can be seen.
    version: int = 0
    #: Of a message that was streamed: in_progress, completed or errored.
    streaming_state: str | None = None
    #: What was streamed, until chat.update replaces it.
    stream: StreamContent | None = None
    #: Of a thread's root: what the agents do in the thread.
    agent_session: JSON | None = None
    posted_at: float = field(default_factory=time.time)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def streaming(self) -> bool:
        """Its stream is open."""
        return self.streaming_state == "in_progress"


@dataclass(slots=True)
class File:
    """Something uploaded by the bot or a person."""

    id: str
    name: str
    user: str
    #: Bytes announced; None for what came without announcement.
    length: int | None = None
    title: str = ""
    alt_txt: str = ""
    data: bytes | None = None
    created: float = field(default_factory=time.time)
    #: Slack knows what it is, and it can be shown; None: not until its upload was completed.
    ready_at: float | None = None
    channels: list[str] = field(default_factory=list)
    deleted: bool = False


@dataclass(slots=True)
class Channel:
    """A channel, or the DM of two people or of one and the bot (`kind` "im")."""

    id: str
    name: str
    kind: Literal["public", "private", "im"]
    members: set[str]
    is_ext_shared: bool = False
    is_archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def channel_type(self) -> str:
        """What events call this kind."""
        return {"public": "channel", "private": "group", "im": "im"}[self.kind]

    def thread(self, root_ts: str) -> Iterator[Message]:
        """The root and its replies in ts order, deleted ones included."""
        return (m for m in self.messages.values() if root_ts in (m.ts, m.thread_ts))

    def replies(self, root_ts: str) -> list[Message]:
        """The replies that still stand."""
        return [m for m in self.thread(root_ts) if m.is_reply and not m.deleted]


@dataclass(slots=True)
class Trigger:
    """The right, given by a click or command, to open one modal for that person soon after."""

    user: str
    #: The view in which the click was; None: it was in none.
    view_id: str | None = None
    at: float = field(default_factory=time.monotonic)
    used: bool = False


def _people() -> list[User]:
    return [
        User("U0ANA00001", "ana", "Ana", title="Trader", color="9f69e7"),
        User("U0BEN00001", "ben", "Ben", title="Head of desk", color="4bbe2e"),
        User("U0CLEO0001", "cleo", "Cleo", is_restricted=True, title="Outside analyst", color="e7392d"),
        User("U0DAN00001", "dan", "Dan", PARTNER_TEAM_ID, is_stranger=True, title="Client relations", color="3c989f"),
        User(BOT_USER_ID, "omni", "Omni", bot_id=BOT_ID, app_id=APP_ID),
        User("U0NEWSBOT1", "newsbot", "Newsbot", bot_id="B0NEWSBOT1", app_id="A0NEWSBOT1"),
    ]


class Workspace:
    """Users, channels and messages, and the verbs that change them."""

    def __init__(self) -> None:
        self.users = {user.id: user for user in _people()}
        ana, ben, cleo, dan, omni, newsbot = self.users
        self.channels = {
            channel.id: channel
            for channel in (
                Channel("C0TRADING1", "trading", "private", {ana, ben, omni, newsbot}),
                Channel("C0RESEARCH", "research", "public", {ana, ben, cleo, omni, newsbot}),
                Channel("C0LOBBY001", "lobby", "public", {ana, ben, cleo, newsbot}),
                Channel("C0CLIENTS1", "client-desk", "public", {ana, ben, dan, omni, newsbot}, is_ext_shared=True),
                Channel("C0ADVISERS", "advisers", "private", {ana, ben, cleo, omni}),
                # The bot must not even learn that this one exists.
                Channel("C0BOARD001", "boardroom", "private", {ana}),
            )
        }
        self.ephemerals: list[JSON] = []
        #: What "… is thinking" line stands under which thread: (channel, thread_ts) to the call's arguments.
        self.statuses: dict[tuple[str, str], JSON] = {}
        #: Open modals and App Homes, by view id; "user" says whose.
        self.views: dict[str, JSON] = {}
        self.triggers: dict[str, Trigger] = {}
        #: Agent sessions by (channel, thread_ts), and prompts by (channel, thread_ts or None).
        self.sessions: dict[tuple[str, str], JSON] = {}
        self.prompts: dict[tuple[str, str | None], JSON] = {}
        self.files: dict[str, File] = {}
        self.deadlines = Deadlines()
        #: Where files are uploaded to and loaded from.
        self.origin = ""
        #: Seconds that a stream lives, a session is processing, a status line stands and a fresh file is not usable.
        self.stream_seconds = 300.0
        self.processing_seconds = 3600.0
        self.status_seconds = 120.0
        self.file_processing_seconds = 0.2
        #: Whether the app subscribed to agent_session_stopped: without, nobody gets a Stop button.
        self.stop_subscribed = True
        self.on_status_cleared: Callable[[Channel, str], None] = lambda *_: None
        self.on_event: Callable[[str, Channel, Message | None, JSON], None] = lambda *_: None
        self.on_change: Callable[[JSON], None] = lambda _: None
        self._last_micros = 0

    # -- looking up ---------------------------------------------------------------------------------------------------

    def ts(self) -> str:
        """A new message id: unique, and later than all before."""
        self._last_micros = max(int(time.time() * 1_000_000), self._last_micros + 1)
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def user(self, name_or_id: str) -> User:
        """Find someone by id or by name ("ana", "@Ana")."""
        if name_or_id in self.users:
            return self.users[name_or_id]
        name = name_or_id.removeprefix("@").lower()
        for user in self.users.values():
            if user.name == name:
                return user
        raise LookupError(f"nobody here is called {name_or_id!r}")

    def channel(self, name_or_id: str) -> Channel:
        """Find a channel by id or by name ("trading", "#trading")."""
        if name_or_id in self.channels:
            return self.channels[name_or_id]
        name = name_or_id.removeprefix("#")
        for channel in self.channels.values():
            if channel.name == name and channel.kind != "im":
                return channel
        raise LookupError(f"there is no channel {name_or_id!r}")

    def message(self, channel: str, ts: str) -> Message:
        """Find a message that still stands."""
        found = self.channel(channel).messages.get(ts)
        if found is None or found.deleted:
            raise LookupError(f"there is no message {ts} in {channel}")
        return found

    def dm(self, name_or_id: str) -> Channel:
        """The DM between this person and the bot, opened if need be."""
        user = self.user(name_or_id)
        dm_id = "D" + user.id[1:]
        if dm_id not in self.channels:
            self.channels[dm_id] = Channel(dm_id, user.name, "im", {user.id, BOT_USER_ID})
        return self.channels[dm_id]

    # -- verbs --------------------------------------------------------------------------------------------------------

    def post(
        self,
        channel: Channel,
        user: User,
        text: str,
        *,
        blocks: list[JSON] | None = None,
        thread_ts: str | None = None,
        subtype: str | None = None,
        metadata: JSON | None = None,
        files: list[JSON] | None = None,
        attachments: list[JSON] | None = None,
        stream: StreamContent | None = None,
    ) -> Message:
        """Put a message into a channel or thread."""
        message = Message(
            channel=channel.id,
            ts=self.ts(),
            user=user.id,
            text=text,
            blocks=blocks or [],
            thread_ts=thread_ts,
            bot_id=user.bot_id,
            app_id=user.app_id,
            subtype=subtype,
            metadata=metadata,
            client_msg_id=None if user.is_bot or subtype == "channel_join" else str(uuid.uuid4()),
            files=files or [],
            attachments=attachments or [],
            stream=stream,
            streaming_state="in_progress" if stream is not None else None,
        )
        channel.messages[message.ts] = message
        if user.id == BOT_USER_ID and thread_ts is not None and (channel.id, thread_ts) in self.statuses:
            self.set_status(channel, thread_ts, {"status": ""})  # the bot spoke, so it is no longer at it
        self.on_change({"type": "message", "channel": channel.id, "ts": message.ts, "thread_ts": thread_ts})
        self.on_event("message", channel, message, {})
        return message

    def change(
        self,
        message: Message,
        *,
        by: str,
        text: str,
        blocks: list[JSON],
        metadata: JSON | None = None,
        attachments: list[JSON] | None = None,
    ) -> None:
        """Replace what a message says."""
        before = copy.copy(message)
        message.updates.append(Version(time.time(), message.text, message.blocks))
        message.text, message.blocks, message.stream = text, blocks, None
        message.metadata = metadata
        message.attachments = attachments or []
        message.edited = {"user": by, "ts": self.ts()}
        self.touch(message)
        self.on_event("message_changed", self.channel(message.channel), message, {"before": before})

    def touch(self, message: Message, kind: str = "message_changed", **more: Any) -> None:
        """Say that a message looks different now."""
        message.version += 1
        self.on_change({"type": kind, "channel": message.channel, "ts": message.ts, **more})

    def delete(self, message: Message) -> None:
        """Take a message away."""
        before = copy.copy(message)
        message.deleted = True
        self.touch(message, "message_deleted")
        self.on_event("message_deleted", self.channel(message.channel), message, {"before": before})

    def join(self, user: User, channel: Channel) -> None:
        """Add someone to a channel."""
        if user.id in channel.members:
            return
        channel.members.add(user.id)
        self.post(channel, user, f"<@{user.id}> has joined the channel", subtype="channel_join")
        self.on_event("member_joined_channel", channel, None, {"user": user.id, "team": user.team_id})

    def leave(self, user: User, channel: Channel) -> None:
        """Take someone out of a channel."""
        if user.id in channel.members:
            channel.members.remove(user.id)
            self.on_event("member_left_channel", channel, None, {"user": user.id, "team": user.team_id})

    def post_ephemeral(
        self, channel: Channel, user: User, text: str, blocks: list[JSON], thread_ts: str | None, via: str
    ) -> JSON:
        """Show something to one person only; `via` is the method (or "response_url") that did it."""
        ephemeral: JSON = {
            "channel": channel.id,
            "user": user.id,
            "ts": self.ts(),
            "thread_ts": thread_ts,
            "text": text,
            "blocks": blocks,
            "via": via,
        }
        self.ephemerals.append(ephemeral)
        self.on_change({"type": "ephemeral", **ephemeral})
        return ephemeral

    def set_status(self, channel: Channel, thread_ts: str, arguments: JSON) -> None:
        """Show (or with an empty status remove) the line that says what the bot is doing."""
        timer = ("status", channel.id, thread_ts)
        if arguments.get("status"):
            self.statuses[channel.id, thread_ts] = arguments
            # Slack takes it away by itself when the bot says nothing for long.
            clear = partial(self.set_status, channel, thread_ts, {"status": ""})
            self.deadlines.set(timer, self.status_seconds, clear)
        else:
            self.deadlines.cancel(timer)
            self.statuses.pop((channel.id, thread_ts), None)
        self.on_change({"type": "status", "channel": channel.id, "thread_ts": thread_ts, **arguments})
        if not arguments.get("status"):
            self.on_status_cleared(channel, thread_ts)
