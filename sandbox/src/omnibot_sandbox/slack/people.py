"""What people do in the workspace, and what they see."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from omnibot_sandbox.faults import Call
from omnibot_sandbox.slack import composer, events, interactions, reading
from omnibot_sandbox.slack.interacting import Interacting
from omnibot_sandbox.slack.payloads import user_json
from omnibot_sandbox.slack.response_urls import Invocation
from omnibot_sandbox.slack.socket_mode import SocketMode
from omnibot_sandbox.slack.workspace import JSON, Channel, Message, User

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of a slash command."""

    #: False: the person saw that the app did not answer in time.
    acked: bool
    ack_payload: Any
    response_url: str
    trigger_id: str


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A command of the app, as its manifest describes it to who types "/"."""

    command: str
    description: str = ""
    usage_hint: str = ""


class People(Interacting):
    """The hands and eyes of everybody in the workspace. Names or ids do for users and channels."""

    socket_mode: SocketMode
    calls: list[Call]
    #: The slash commands that the app's manifest names; none: any goes.
    commands: Sequence[SlashCommand]

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()
        self._subscribers: list[Callable[[JSON], None]] = []

    # -- what they do -------------------------------------------------------------------------------------------------

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        blocks: list[JSON] | None = None,
        files: bool = False,
    ) -> str:
        """Type a message; "@Omni" and "@Ana" are mentions, tokens like `<@U…>` stay. Returns its ts."""
        who, where = self._at(user, channel)
        words = self._typed(text)
        if thread_ts is not None:
            thread_ts = self._root(where, thread_ts)
        message = self.workspace.post(
            where,
            who,
            words,
            blocks=reading.as_stored(blocks) if blocks else self._composed(words) if words else None,
            thread_ts=thread_ts,
            subtype="file_share" if files else None,
            files=[_file(who)] if files else None,
        )
        return message.ts

    def dm(self, user: str) -> str:
        """The id of this person's DM channel with the bot."""
        return self.workspace.dm(user).id

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """Change one's own message."""
        message = self.workspace.message(channel, ts)
        words = self._typed(text)
        self.workspace.change(message, by=message.user, text=words, blocks=self._composed(words))

    async def delete(self, channel: str, ts: str) -> None:
        """Delete one's own message."""
        self.workspace.delete(self.workspace.message(channel, ts))

    async def join(self, user: str, channel: str) -> None:
        """Join a channel; `join("omni", …)` is what an invitation does to the bot."""
        self.workspace.join(self.workspace.user(user), self.workspace.channel(channel))

    async def leave(self, user: str, channel: str) -> None:
        """Leave a channel."""
        self.workspace.leave(self.workspace.user(user), self.workspace.channel(channel))

    async def other_bot_says(self, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Let another app's bot post; the text is sent as it is. Returns its ts."""
        where = self.workspace.channel(channel)
        return self.workspace.post(where, self.workspace.user("newsbot"), text, thread_ts=thread_ts).ts

    async def command(self, user: str, channel: str, command: str, text: str) -> CommandResult:
        """Type a slash command and wait until the app acknowledged it."""
        who, where = self._at(user, channel)
        if self.commands and command not in [known.command for known in self.commands]:
            raise LookupError(f"{command} is not a valid command")
        invocation = Invocation(where, who)
        response_url = self._origin() + self._response_urls.issue(invocation)
        payload = interactions.command(self.workspace, who, where, command, text, response_url)
        ack = await self.outbox.request("slash_commands", payload)
        self._show_ack(invocation, ack.payload)
        return CommandResult(ack.acked, ack.payload, response_url, payload["trigger_id"])

    def deactivate(self, user: str) -> None:
        """Close somebody's account, as an administrator does; the app hears of it."""
        who = self.workspace.user(user)
        who.deleted = True
        changed = {"type": "user_change", "user": user_json(who), "cache_ts": int(time.time())}
        self.outbox.deliver(events.wrap(None, {**changed, "event_ts": self.workspace.ts()}))

    def change_role(self, user: str, *, guest: bool) -> None:
        """Make somebody a guest or a full member, as an administrator does; the app hears of it."""
        who = self.workspace.user(user)
        who.is_restricted = guest
        changed = {"type": "user_change", "user": user_json(who), "cache_ts": int(time.time())}
        self.outbox.deliver(events.wrap(None, {**changed, "event_ts": self.workspace.ts()}))

    def uninstall(self) -> None:
        """Remove the app from the workspace: it hears of that, and of its token's end."""
        bot = self.workspace.user("omni").id
        revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [bot]}}
        for event in (revoked, {"type": "app_uninstalled"}):
            self.outbox.deliver(events.wrap(None, {**event, "event_ts": self.workspace.ts()}))

    def hold_events(self) -> None:
        """Keep back all events from now on."""
        self.outbox.hold()

    def release_events(self, *, reverse: bool = False, seed: int | None = None) -> None:
        """Send what was kept back: in order, the other way round, or mixed up by a seed."""
        self.outbox.release(reverse=reverse, seed=seed)

    def shuffle_events(self, seed: int | None, within: float = 0.1) -> None:
        """Mix up the events of each stretch of so many seconds, in the order the seed says; None ends that."""
        self.outbox.shuffle(seed, within)

    async def disconnect_sockets(self, reason: str = "refresh_requested") -> None:
        """Tell every Socket Mode connection to leave, then close it."""
        await self.socket_mode.disconnect(reason)

    def kill_sockets(self) -> None:
        """Tear every Socket Mode connection without a word."""
        self.socket_mode.abort()

    # -- what they see ------------------------------------------------------------------------------------------------

    def thread(self, channel: str, root_ts: str) -> list[Message]:
        """A thread with its root, in ts order, without what was deleted."""
        return [m for m in self.workspace.channel(channel).thread(root_ts) if not m.deleted]

    def history(self, channel: str) -> list[Message]:
        """Everything that stands in a channel, threads included, in ts order."""
        return [m for m in self.workspace.channel(channel).messages.values() if not m.deleted]

    def ephemerals(self, user: str) -> list[JSON]:
        """What only this person was shown, in order."""
        user_id = self.workspace.user(user).id
        return [ephemeral for ephemeral in self.workspace.ephemerals if ephemeral["user"] == user_id]

    def visible_text(self, message: Message | JSON) -> str:
        """All text a person reads in a message or ephemeral, block after block."""
        names = {user.id: user.real_name for user in self.workspace.users.values()}
        names |= {channel.id: channel.name for channel in self.workspace.channels.values()}
        if isinstance(message, Message):
            return reading.visible_text(message.text, message.blocks, names)
        return reading.visible_text(message["text"], message["blocks"], names)

    def buttons(self, message: Message | JSON) -> list[JSON]:
        """All buttons of a message or ephemeral."""
        return reading.buttons(message.blocks if isinstance(message, Message) else message["blocks"])

    def subscribe(self, callback: Callable[[JSON], None]) -> Callable[[], None]:
        """Call back on every change; returns what ends that.

        `change["type"]` is message, message_changed (with `streaming` when a stream grew), message_deleted, ephemeral,
        ephemeral_deleted, status, session, prompts, file, view, view_closed, reaction_added or reaction_removed, and of
        the traffic: call, answer, dropped, envelope, ack, socket or delivery.
        """
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 60) -> T:
        """The first truthy value of `predicate`, asked again whenever something changed.

        Raises:
            AssertionError: there was none in time; the text shows the latest calls and messages.
        """
        end = time.monotonic() + timeout
        while True:
            changed = self._changed
            try:
                if value := predicate():
                    return value
            except LookupError:
                pass  # "the second message of the thread" is not there yet
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"nothing came in {timeout} s\n{self.describe()}")
            try:
                # The predicate may also look at what is not ours to know of: ask again now and then.
                await asyncio.wait_for(changed.wait(), min(left, 0.05))
            except TimeoutError:
                continue

    def describe(self) -> str:
        """The latest calls and messages, for people who wonder what went wrong."""
        lines = ["latest calls:"]
        for call in self.calls[-15:]:
            error = call.answer.get("error") if isinstance(call.answer, dict) else None
            lines.append(f"  {call.name} {error or call.status or 'not answered'} {_short(call.args)}")
        lines.append("latest messages:")
        everything = [m for channel in self.workspace.channels.values() for m in channel.messages.values()]
        for message in sorted(everything, key=lambda m: m.ts)[-15:]:
            where = self.workspace.channel(message.channel).name + (" (thread)" if message.is_reply else "")
            state = " [deleted]" if message.deleted else ""
            name = self.workspace.users[message.user].name
            lines.append(f"  {message.ts} {where} {name}:{state} {_short(self.visible_text(message))}")
        lines += [f"  only for {e['user']}: {_short(self.visible_text(e))}" for e in self.workspace.ephemerals[-5:]]
        return "\n".join(lines)

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _notify(self, change: JSON) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        for callback in list(self._subscribers):
            callback(change)

    def _dispatch(self, kind: str, channel: Channel, message: Message | None, more: JSON) -> None:
        for payload in events.events_for(self.workspace, kind, channel, message, more):
            self.outbox.deliver(payload)

    def _root(self, channel: Channel, ts: str) -> str:
        message = channel.messages.get(ts)
        if message is None:
            raise LookupError(f"there is no thread {ts} in #{channel.name}")
        return message.thread_ts or ts

    def _typed(self, text: str) -> str:
        return composer.typed(text, {user.real_name: user.id for user in self.workspace.users.values()})

    def _composed(self, text: str) -> list[JSON]:
        return composer.rich_text(text, uuid.uuid4().hex[:5])

    def _show_ack(self, invocation: Invocation, payload: Any) -> None:
        if isinstance(payload, dict) and (payload.get("text") or payload.get("blocks")):
            self._response_urls.answer(invocation, payload)


def _file(user: User) -> JSON:
    file_id = "F" + uuid.uuid4().hex[:10].upper()
    url = f"https://files.slack.com/files-pri/{user.team_id}-{file_id}/positions.csv"
    return {
        "id": file_id,
        "created": int(time.time()),
        "timestamp": int(time.time()),
        "name": "positions.csv",
        "title": "positions.csv",
        "mimetype": "text/csv",
        "filetype": "csv",
        "pretty_type": "CSV",
        "user": user.id,
        "user_team": user.team_id,
        "mode": "snippet",
        "size": 1024,
        "is_external": False,
        "url_private": url,
        "url_private_download": f"{url}?download=1",
        "file_access": "visible",
    }


def _short(value: Any) -> str:
    text = str(value).replace("\n", " ⏎ ")
    return text if len(text) <= 160 else text[:159] + "…"
