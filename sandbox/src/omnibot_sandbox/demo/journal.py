"""The traffic between the bot, Slack and Clear Street, as it happens: what the drawer of the page lists."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.faults import Call
from omnibot_sandbox.slack.http_delivery import Delivery
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON

#: Entries kept.
_KEPT = 1000
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")
_SHOWN_HEADERS = ("Idempotency-Key", "User-Agent", "X-Slack-No-Retry")


@dataclass(slots=True)
class Entry:
    """A call of the bot, or something delivered to it."""

    n: int
    #: Whom it went to: the bot's calls go to "slack" and "clear-street", deliveries to the "bot".
    side: Literal["slack", "clear-street", "bot"]
    name: str
    subject: Call | Delivery | JSON
    at: float = field(default_factory=time.time)
    began: float = field(default_factory=time.monotonic)
    status: int | None = None
    #: Slack's or Clear Street's error code, "dropped", or why a delivery failed.
    error: str = ""
    seconds: float | None = None
    request_id: str = ""
    #: In a few words, what it was about.
    note: str = ""

    def summary(self) -> JSON:
        """One line of the list."""
        names = ("n", "side", "name", "at", "status", "error", "request_id", "note")
        ms = None if self.seconds is None else round(self.seconds * 1000, 1)
        return {**{name: getattr(self, name) for name in names}, "ms": ms}

    def detail(self) -> JSON:
        """What was sent, and what was answered."""
        subject = self.subject
        if isinstance(subject, Call):
            headers = {n: v for n, v in subject.headers.items() if n in _SHOWN_HEADERS}
            return {**self.summary(), "headers": headers, "sent": subject.args, "answer": subject.answer}
        if isinstance(subject, Delivery):
            return {**self.summary(), "headers": {}, "sent": subject.payload, "answer": subject.body}
        return {**self.summary(), "headers": {}, "sent": subject, "answer": None}


class Journal:
    """Writes down every call and delivery, and tells when an entry is new or has ended."""

    def __init__(self, slack: SlackEmulator, omni: ClearStreetEmulator) -> None:
        self.entries: deque[Entry] = deque(maxlen=_KEPT)
        #: Called with each entry, when it begins and when it ends.
        self.on_entry: Callable[[Entry], None] = lambda _: None
        self._slack = slack
        self._omni = omni
        self._count = 0
        #: What has no answer yet, by id(call) or envelope id.
        self._open: dict[int | str, Entry] = {}
        self._deliveries = len(slack.deliveries)
        self._unsubscribe = slack.subscribe(self._on_change)
        omni.on_call = self._on_omni

    def close(self) -> None:
        """Write nothing down any more."""
        self._unsubscribe()
        self._omni.on_call = lambda _: None

    def find(self, n: int) -> Entry | None:
        """The entry of this number, while it is kept."""
        return next((entry for entry in self.entries if entry.n == n), None)

    def clear(self) -> None:
        """Forget what has ended."""
        self.entries = deque((e for e in self.entries if e.seconds is None), maxlen=_KEPT)

    # -- Slack --------------------------------------------------------------------------------------------------------

    def _on_change(self, change: JSON) -> None:
        match change["type"]:
            case "call":
                call = self._slack.calls[-1]
                self._open[id(call)] = self._begin("slack", call.name, call, _slack_note(call, self._slack))
            case "answer" | "dropped":
                self._end_slack()
            case "envelope":
                envelope = self._slack.socket_mode.sent[-1]
                note = _delivery_note(envelope["payload"])
                name = _delivery_name(envelope["type"], envelope["payload"], envelope.get("retry_attempt", 0))
                self._open[envelope["envelope_id"]] = self._begin("bot", name, envelope, note)
            case "ack":
                entry = self._open.pop(change["envelope_id"], None)
                if entry is not None:
                    self._end(entry, 200)
            case "delivery":
                self._on_delivery()

    def _end_slack(self) -> None:
        for key, entry in list(self._open.items()):
            call = entry.subject
            if not isinstance(call, Call) or entry.side != "slack":
                continue
            if call.status is None and not call.dropped:
                continue
            del self._open[key]
            answer = call.answer if isinstance(call.answer, dict) else {}
            self._end(entry, call.status, _fate(call) or str(answer.get("error", "")))

    def _on_delivery(self) -> None:
        for delivery in self._slack.deliveries[self._deliveries :]:
            if delivery.seconds is None or any(e.subject is delivery for e in self.entries):
                continue
            name = _delivery_name(delivery.kind, delivery.payload, delivery.retry_num)
            entry = self._begin("bot", name, delivery, _delivery_note(delivery.payload))
            entry.at = delivery.at
            self._end(entry, delivery.status, delivery.error, delivery.seconds)

    # -- Clear Street -------------------------------------------------------------------------------------------------

    def _on_omni(self, call: Call) -> None:
        entry = self._open.pop(id(call), None)
        if entry is None:
            self._open[id(call)] = self._begin("clear-street", call.name, call, str(call.args.get("text", "")))
            return
        answer = call.answer if isinstance(call.answer, dict) else {}
        entry.request_id = str((answer.get("metadata") or {}).get("request_id", ""))
        data = answer.get("data")
        if isinstance(data, dict) and data.get("status"):
            entry.note = str(data["status"])
        error = answer.get("error")
        message = str(error.get("code") or error.get("message") or "error") if isinstance(error, dict) else ""
        self._end(entry, call.status, _fate(call) or message)

    # -- entries ------------------------------------------------------------------------------------------------------

    def _begin(self, side: Any, name: str, subject: Call | Delivery | JSON, note: str) -> Entry:
        self._count += 1
        entry = Entry(self._count, side, name, subject, note=_short(_MENTION.sub(self._named, note)))
        self.entries.append(entry)
        self.on_entry(entry)
        return entry

    def _named(self, mention: re.Match[str]) -> str:
        user = self._slack.workspace.users.get(mention[1])
        return mention[0] if user is None else f"@{user.real_name}"

    def _end(self, entry: Entry, status: int | None, error: str = "", seconds: float | None = None) -> None:
        entry.status, entry.error = status, error
        entry.seconds = time.monotonic() - entry.began if seconds is None else seconds
        self.on_entry(entry)


def _fate(call: Call) -> str:
    """How its connection ended, where that was no answer."""
    return call.damage or ("dropped" if call.dropped else "")


def _slack_note(call: Call, slack: SlackEmulator) -> str:
    where = slack.workspace.channels.get(str(call.args.get("channel") or call.args.get("channel_id") or ""))
    place = "" if where is None else ("DM " if where.kind == "im" else "#") + where.name
    words = str(call.args.get("text") or call.args.get("status") or call.args.get("markdown_text") or "")
    return " · ".join(piece for piece in (place, words) if piece)


def _delivery_name(kind: str, payload: JSON, retry: int) -> str:
    what = str(payload.get("event", {}).get("type") or payload.get("type") or payload.get("command") or "")
    again = f" (again, {retry})" if retry else ""
    return f"{kind} {what}{again}".strip() if what != kind else f"{kind}{again}"


def _delivery_note(payload: JSON) -> str:
    event = payload.get("event")
    if isinstance(event, dict):
        return str(event.get("text") or event.get("subtype") or event.get("tab") or "")
    actions = payload.get("actions") or []
    if actions:
        return str((actions[0].get("text") or {}).get("text") or actions[0].get("action_id", ""))
    return str(payload.get("text") or (payload.get("view") or {}).get("callback_id") or "")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"
