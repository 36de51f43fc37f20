"""response_url: the address that comes with every click and command, good for a few answers."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from omnibot_sandbox.slack.arguments import SlackError, truthy
from omnibot_sandbox.slack.chat import content
from omnibot_sandbox.slack.workspace import BOT_USER_ID, JSON, Channel, Message, User, Workspace

MAX_USES = 5
MAX_AGE = 30 * 60.0


@dataclass(slots=True)
class Invocation:
    """The click or command an address belongs to."""

    channel: Channel
    user: User
    #: What was clicked: a message or an ephemeral. None for commands.
    clicked: Message | JSON | None = None
    thread_ts: str | None = None
    uses: int = 0
    at: float = field(default_factory=time.monotonic)


class ResponseURLs:
    """All addresses handed out."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._open: dict[str, Invocation] = {}

    def issue(self, invocation: Invocation) -> str:
        """The path of a fresh address."""
        key = secrets.token_hex(12)
        self._open[key] = invocation
        return f"/response/{key}"

    def use(self, path: str, args: JSON) -> None:
        """Take one answer.

        Raises:
            SlackError: the address is unknown, old or used up, or the answer is not acceptable.
        """
        invocation = self._open.get(path.removeprefix("/response/"))
        if invocation is None:
            raise SlackError("invalid_url")
        if time.monotonic() - invocation.at > MAX_AGE:
            raise SlackError("expired_url")
        if invocation.uses >= MAX_USES:
            raise SlackError("used_url")
        self.answer(invocation, args)
        invocation.uses += 1

    def answer(self, invocation: Invocation, args: JSON) -> None:
        """Show an answer where the click or command was; acknowledgements with a text do the same."""
        workspace, clicked = self._workspace, invocation.clicked
        if truthy(args, "delete_original") and clicked is not None:
            self._remove(clicked)
            return
        text, blocks = content(workspace, args)
        if truthy(args, "replace_original") and clicked is not None:
            self._replace(clicked, text, blocks)
        elif args.get("response_type") == "in_channel":
            bot = workspace.users[BOT_USER_ID]
            workspace.post(invocation.channel, bot, text, blocks=blocks, thread_ts=args.get("thread_ts"))
        else:
            thread_ts: Any = args.get("thread_ts") or invocation.thread_ts
            workspace.post_ephemeral(invocation.channel, invocation.user, text, blocks, thread_ts, "response_url")

    def _remove(self, clicked: Message | JSON) -> None:
        if isinstance(clicked, Message):
            self._workspace.delete(clicked)
        elif clicked in self._workspace.ephemerals:
            self._workspace.ephemerals.remove(clicked)
            self._workspace.on_change({"type": "ephemeral_deleted", "user": clicked["user"], "ts": clicked["ts"]})

    def _replace(self, clicked: Message | JSON, text: str, blocks: list[JSON]) -> None:
        if isinstance(clicked, Message):
            self._workspace.change(clicked, by=BOT_USER_ID, text=text, blocks=blocks, metadata=clicked.metadata)
        else:
            clicked.update(text=text, blocks=blocks)
            self._workspace.on_change({"type": "ephemeral", **clicked})
