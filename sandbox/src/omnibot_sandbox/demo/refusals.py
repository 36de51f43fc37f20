"""What Slack refused because of what it said: shown where it would have appeared, until somebody takes it away.

Real Slack shows nothing there. This workspace does, because a block that is refused is what its builder must see first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omnibot_sandbox.faults import Call
from omnibot_sandbox.slack.workspace import JSON, Workspace

_METHODS = ("chat.", "views.", "agents.", "assistant.", "files.", "response_url")
#: Errors that speak of the content of a call, not of who calls or how often.
_CONTENT = (
    *("invalid_arg", "invalid_block", "invalid_chunk", "invalid_metadata", "invalid_thread", "invalid_trigger"),
    *("msg_", "no_text", "metadata_too_large", "view_too_large", "markdown_text_conflict", "missing_recipient"),
    *("expired_trigger", "exchanged_trigger", "hash_conflict", "duplicate_", "too_many_", "push_limit"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused call."""

    id: int
    method: str
    error: str
    #: Why, with JSON pointers, as the answer says it.
    reasons: tuple[str, ...]
    #: When, written like a message's id, so that it finds its place among them.
    ts: str
    #: Where it would have appeared; None: nowhere in particular (a view, a response_url).
    channel: str | None
    thread_ts: str | None
    #: The only person it was meant for (an id); None: everybody there.
    user: str | None

    def as_json(self) -> JSON:
        names = ("id", "method", "error", "ts", "channel", "thread_ts")
        return {**{name: getattr(self, name) for name in names}, "reasons": list(self.reasons)}


class Refusals:
    """Those that nobody has dismissed yet."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._open: dict[int, Refusal] = {}

    def take(self, number: int, call: Call) -> Refusal | None:
        """Keep this call if Slack refused what it said."""
        answer = call.answer if isinstance(call.answer, dict) else {}
        error = str(answer.get("error", ""))
        if answer.get("ok") is not False or not call.name.startswith(_METHODS) or not error.startswith(_CONTENT):
            return None
        reasons = (answer.get("response_metadata") or {}).get("messages") or []
        channel, thread_ts = self._place(call.args)
        refusal = Refusal(
            id=number,
            method=call.name,
            error=error,
            reasons=tuple(str(reason).removeprefix("[ERROR] ") for reason in reasons[:5]),
            ts=f"{call.at:.6f}",
            channel=channel,
            thread_ts=thread_ts,
            user=self._person(call.args),
        )
        self._open[number] = refusal
        return refusal

    def get(self, number: int) -> Refusal | None:
        """One of them, while it is open."""
        return self._open.get(number)

    def dismiss(self, number: int) -> None:
        """Take one away."""
        self._open.pop(number, None)

    def of(self, user: str, seen: set[str]) -> list[Refusal]:
        """Those that this person (an id) sees who is in these channels."""
        return [r for r in self._open.values() if self.concerns(r, user, seen)]

    def concerns(self, refusal: Refusal, user: str, seen: set[str]) -> bool:
        """Whether this person would have seen what was refused."""
        return refusal.user in (None, user) and (refusal.channel is None or refusal.channel in seen)

    def _place(self, args: JSON) -> tuple[str | None, str | None]:
        said: Any = args.get("channel") or args.get("channel_id")
        if said in self._workspace.users and not self._workspace.users[said].is_bot:
            said = self._workspace.dm(said).id
        conversation = self._workspace.channels.get(str(said))
        if conversation is None:
            return None, None
        message = conversation.messages.get(str(args.get("ts")))
        within = message.thread_ts if message is not None and message.is_reply else None
        return conversation.id, args.get("thread_ts") or within

    def _person(self, args: JSON) -> str | None:
        named: Any = args.get("user") or args.get("user_id")
        if named in self._workspace.users:
            return str(named)
        trigger = self._workspace.triggers.get(str(args.get("trigger_id")))
        view: JSON = self._workspace.views.get(str(args.get("view_id"))) or {}
        return trigger.user if trigger is not None else view.get("user")
