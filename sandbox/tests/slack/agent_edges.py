"""Requests at the edges of the limits for streams, sessions and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Request = tuple[str, dict[str, Any]]

_WHERE = {"channel": "C0TRADING1", "thread_ts": "own"}
_SESSION = {"channel_id": "C0TRADING1", "thread_ts": "own"}
_TO_ANA = {"recipient_user_id": "U0ANA00001", "recipient_team_id": "T0CLEARCO1"}


def streamed(**args: Any) -> Request:
    return "chat.startStream", {**_WHERE, **_TO_ANA, **args}


def announced(**args: Any) -> Request:
    return "files.getUploadURLExternal", {"filename": "chart.png", "length": 10, **args}


def prompts(count: int) -> Request:
    one = {"title": "Ask", "message": "How is AAPL?"}
    return "assistant.threads.setSuggestedPrompts", {**_SESSION, "prompts": [one] * count}


EDGES: dict[str, Callable[[int], Request]] = {
    "stream.bytes": lambda n: streamed(markdown_text="x" * n),
    "task.title": lambda n: streamed(
        chunks=[{"type": "task_update", "id": "t", "title": "x" * n, "status": "pending"}]
    ),
    "plan.title": lambda n: streamed(chunks=[{"type": "plan_update", "title": "x" * n}]),
    "session.title": lambda n: ("agents.sessions.setStatus", {**_SESSION, "status": "active", "title": "x" * n}),
    "prompts": prompts,
    "file.alt_txt": lambda n: announced(alt_txt="x" * n),
    "file.snippet": lambda n: announced(snippet_type="csv", length=n),
}
CODES = {
    "stream.bytes": "msg_too_long",
    "task.title": "invalid_chunks",
    "plan.title": "invalid_chunks",
    "session.title": "invalid_arguments",
    "prompts": "invalid_arguments",
    "file.alt_txt": "alt_txt_too_large",
    "file.snippet": "snippet_too_large",
}
