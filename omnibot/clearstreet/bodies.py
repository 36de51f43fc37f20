"""The exact bodies of the calls that begin a turn: pure, so that a body can be stored before it is sent.

`capabilities` always names what the client can carry out, `[]` included: saying nothing would leave it to the API.
An `account_id` of None leaves the key out, which only 2026-10 allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def _body(account_id: int | None, capabilities: Sequence[str], fields: dict[str, Any]) -> dict[str, Any]:
    account = {} if account_id is None else {"account_id": account_id}
    return {**account, **fields, "capabilities": [str(one) for one in capabilities]}


def thread_body(account_id: int | None, *, text: str, capabilities: Sequence[str] = ()) -> dict[str, Any]:
    """POST threads, type `instant`: a question (all revisions)."""
    return _body(account_id, capabilities, {"type": "instant", "text": text})


def deep_insights_body(
    account_id: int | None, *, ticker: str, thesis: str | None = None, capabilities: Sequence[str] = ()
) -> dict[str, Any]:
    """POST threads, type `deep_insights`: minutes of research about a ticker (all revisions)."""
    fields: dict[str, Any] = {"type": "deep_insights", "target": {"type": "ticker", "ticker": ticker}}
    return _body(account_id, capabilities, fields if thesis is None else {**fields, "thesis": thesis})


def message_body(account_id: int | None, *, text: str, capabilities: Sequence[str] = ()) -> dict[str, Any]:
    """POST threads/{id}/messages: the next question of a conversation (all revisions)."""
    return _body(account_id, capabilities, {"text": text})
