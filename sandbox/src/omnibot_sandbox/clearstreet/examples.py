"""The conversations of the API's own documentation, with their ids, served word for word."""

from __future__ import annotations

import json
import time
from datetime import datetime
from importlib.resources import files
from typing import Any

from omnibot_sandbox.clearstreet.scripts import Frame, Plan, without_thinking
from omnibot_sandbox.clearstreet.store import Response, Store, Thread, timestamp

JSON = dict[str, Any]


def example(name: str) -> Any:
    """One documented answer: the whole envelope, as it is written there."""
    return json.loads((files("omnibot_sandbox.clearstreet") / "payloads" / f"{name}.json").read_text("utf-8"))


def load_examples(store: Store, owner: str, account_id: int) -> None:
    """Put the documented threads, messages and responses into the store, as this caller's."""
    for facts in example("threads")["data"]:
        store.threads[facts["id"]] = Thread(owner=owner, account_id=account_id, **facts)
    messages = example("messages")["data"]
    market = _thread(store, owner, account_id, messages[0]["thread_id"], "How are the markets doing today?")
    for message in messages:
        store.keep(market, message)
    _restore(store, owner, account_id, example("response")["data"], "What is current price of AAPL?")
    _restore(store, owner, account_id, example("active_response")["data"], "Deep insights on AAPL")


def _restore(store: Store, owner: str, account_id: int, documented: JSON, question: str) -> None:
    """A thread with the documented response as its only turn; one documented as running stays so until canceled."""
    thread = _thread(store, owner, account_id, documented["thread_id"], question)
    asked_at = datetime.fromisoformat(thread.created_at)
    frame = Frame(0, documented["status"], documented["content"]["parts"])
    response = Response(
        documented["id"],
        thread.id,
        documented["user_message_id"],
        documented["output_message_id"],
        Plan("example", [frame]),
        started=time.monotonic(),
        asked_at=asked_at,
    )
    store.keep(thread, _message(thread, response.user_message_id, "USER", [{"text": question, "type": "text"}], 1))
    store.begin(thread, response)
    if documented["status"] == "succeeded":
        store.end(response, Frame(0, "succeeded", frame.parts, None, "completed", without_thinking(frame.parts)))


def _thread(store: Store, owner: str, account_id: int, thread_id: str, title: str) -> Thread:
    at = timestamp(datetime.fromisoformat("2026-04-23T15:30:00+00:00"))
    return store.threads.setdefault(thread_id, Thread(thread_id, owner, account_id, title, at, at))


def _message(thread: Thread, id: str, role: str, parts: list[Any], seq: int) -> JSON:
    return {
        "content": {"parts": parts},
        "created_at": thread.created_at,
        "id": id,
        "outcome": "completed",
        "role": role,
        "seq": seq,
        "thread_id": thread.id,
    }
