"""How far each person has read, kept here so that all their tabs agree."""

from __future__ import annotations

from omnibot_sandbox.slack.workspace import JSON, Channel, Message


class ReadMarks:
    """The last message each person has seen, of each channel and of each thread."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str, str], str] = {}

    def mark(self, user: str, channel: str, thread_ts: str = "") -> str:
        """The ts up to which this person (an id) has read the channel, or the thread."""
        return self._marks.get((user, channel, thread_ts), "0")

    def read(self, user: str, channel: str, ts: str, thread_ts: str = "") -> bool:
        """Move a mark forward; False when it already was as far."""
        if float(ts) <= float(self.mark(user, channel, thread_ts)):
            return False
        self._marks[user, channel, thread_ts] = ts
        return True

    def read_everything(self, channel: Channel, user: str) -> None:
        """Take all that stands in the channel as read."""
        for message in channel.messages.values():
            self.read(user, channel.id, message.ts, message.thread_ts if message.is_reply and message.thread_ts else "")

    def unread(self, channel: Channel, user: str) -> JSON:
        """What this person has not read of a channel.

        `unread` counts messages, `mentions` those that name the person (in a DM: all), and `threads` the new replies by
        thread, of threads the person started, answered or was named in. Marks are told as well.
        """
        mark = self.mark(user, channel.id)
        followed = _followed(channel, user)
        count = mentioned = 0
        threads: dict[str, int] = {}
        for message in channel.messages.values():
            if message.deleted or message.user == user:
                continue
            root = message.thread_ts if message.is_reply else None
            if root is None:
                new = float(message.ts) > float(mark)
                count += new
            else:
                new = root in followed and float(message.ts) > float(self.mark(user, channel.id, root))
                if new:
                    threads[root] = threads.get(root, 0) + 1
            mentioned += new and (channel.kind == "im" or f"<@{user}" in message.text)
        marks = {thread: ts for (who, where, thread), ts in self._marks.items() if (who, where) == (user, channel.id)}
        return {
            "unread": count,
            "mentions": mentioned,
            "threads": threads,
            "followed": sorted(followed),
            "last_read": mark,
            "thread_marks": {thread: ts for thread, ts in marks.items() if thread},
        }


def _followed(channel: Channel, user: str) -> set[str]:
    """The threads a person follows: those they began, answered, or were named in."""
    threads = {m.thread_ts for m in channel.messages.values() if m.is_reply and m.thread_ts and _concerns(m, user)}
    answered = {m.thread_ts for m in channel.messages.values() if m.is_reply and m.thread_ts}
    roots = {ts for ts in answered if (root := channel.messages.get(ts)) is not None and _concerns(root, user)}
    return threads | roots


def _concerns(message: Message, user: str) -> bool:
    return message.user == user or f"<@{user}" in message.text
