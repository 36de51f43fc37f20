"""What people do with emoji and files."""

from __future__ import annotations

import time

from omnibot_sandbox.slack import composer, files, reactions
from omnibot_sandbox.slack.file_objects import guess, new_id
from omnibot_sandbox.slack.workspace import File, Message, User, Workspace


class Sharing:
    """Reactions and uploads. Names or ids do for users and channels."""

    workspace: Workspace

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Put an emoji ("eyes") under a message; a second time changes nothing."""
        who, message = self._reacting(user, channel, ts)
        reactions.react(self.workspace, message, who, name)

    async def unreact(self, user: str, channel: str, ts: str, name: str) -> None:
        """Take one's emoji away again."""
        who, message = self._reacting(user, channel, ts)
        reactions.unreact(self.workspace, message, who, name)

    async def upload(
        self, user: str, channel: str, name: str, data: bytes, *, thread_ts: str | None = None, text: str = ""
    ) -> str:
        """Send a file, with a message or without. Returns the ts of the message that holds it."""
        who, where = self.workspace.user(user), self.workspace.channel(channel)
        if who.id not in where.members:
            raise LookupError(f"{who.name} is not in #{where.name}")
        if thread_ts is not None:
            root = self.workspace.message(where.id, thread_ts)
            thread_ts = root.thread_ts or root.ts
        file = File(new_id(), name, who.id, data=data, ready_at=time.monotonic())
        self.workspace.files[file.id] = file
        words = composer.typed(text, {u.real_name: u.id for u in self.workspace.users.values()})
        blocks = composer.rich_text(words, file.id[-5:]) if words else None
        return files.share(self.workspace, [file], where, who, words, thread_ts, blocks).ts

    def file(self, file_id: str) -> tuple[bytes, str, str] | None:
        """The bytes of a file, what they are (a mimetype) and its name, whoever uploaded it; None: there is none."""
        file = self.workspace.files.get(file_id)
        if file is None or file.data is None or file.deleted:
            return None
        return file.data, guess(file.name, file.data).mimetype, file.name

    @property
    def file_processing_seconds(self) -> float:
        """Seconds after the end of an upload in which the file has no mimetype, and no block can show it."""
        return self.workspace.file_processing_seconds

    @file_processing_seconds.setter
    def file_processing_seconds(self, seconds: float) -> None:
        self.workspace.file_processing_seconds = seconds

    def _reacting(self, user: str, channel: str, ts: str) -> tuple[User, Message]:
        who, where = self.workspace.user(user), self.workspace.channel(channel)
        if who.id not in where.members:
            raise LookupError(f"{who.name} is not in #{where.name}")
        return who, self.workspace.message(where.id, ts)
