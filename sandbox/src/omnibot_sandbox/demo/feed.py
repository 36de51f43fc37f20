"""Tells every open page what changed, whole, as its own person sees it.

What changed is remembered as a key and written out only when it is sent: a message that changes ten times meanwhile is
sent once, as it stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from omnibot_sandbox.demo.journal import Entry, Journal
from omnibot_sandbox.demo.read_marks import ReadMarks
from omnibot_sandbox.demo.refusals import Refusals
from omnibot_sandbox.demo.view import View
from omnibot_sandbox.faults import Call
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON

Key = tuple[str, ...]

#: Seconds for which changes are gathered before they are sent.
TOGETHER = 0.04
_MESSAGES = ("message", "message_changed", "message_deleted", "reaction_added", "reaction_removed")
_COUNTED = ("message", "message_deleted")


class Page:
    """One open page, and what it has not been told yet."""

    def __init__(self, user: str) -> None:
        self.user = user
        self._keys: dict[Key, None] = {}
        self._some = asyncio.Event()

    def put(self, key: Key) -> None:
        self._keys[key] = None
        self._some.set()

    async def take(self) -> list[Key]:
        """What changed; waits until something has."""
        await self._some.wait()
        await asyncio.sleep(TOGETHER)
        keys, self._keys = list(self._keys), {}
        self._some.clear()
        return keys


class Feed:
    """All open pages."""

    def __init__(self, slack: SlackEmulator, view: View, marks: ReadMarks, journal: Journal) -> None:
        self._slack = slack
        self._view = view
        self._marks = marks
        self._journal = journal
        self.refusals = Refusals(slack.workspace)
        #: What the drawer shows beside the calls; whoever knows it puts it here.
        self.controls: Callable[[], JSON] = dict
        #: Grows with everything that happens: a page ignores what is older than what it has.
        self.seq = 0
        self._pages: set[Page] = set()
        self._ephemerals: dict[str, str] = {}
        self._unsubscribe = slack.subscribe(self._on_change)
        journal.on_entry = self._on_entry

    def close(self) -> None:
        """Hear of nothing any more."""
        self._unsubscribe()
        self._journal.on_entry = lambda _: None

    def open(self, user: str) -> Page:
        """A page was opened by this person."""
        page = Page(user)
        self._pages.add(page)
        return page

    def leave(self, page: Page) -> None:
        """It was closed."""
        self._pages.discard(page)

    def state(self, user: str) -> JSON:
        """Everything, for a page that has nothing yet."""
        seen = {conversation.id for conversation in self._view.channels(user)}
        me = self._slack.workspace.user(user).id
        refusals = [refusal.as_json() for refusal in self.refusals.of(me, seen)]
        return {"seq": self.seq, **self._view.state(user), "refusals": refusals, "backstage": self.controls()}

    def tell(self, *key: str, user: str | None = None) -> None:
        """Something changed, for everybody or for one person (a name or an id)."""
        self.seq += 1
        only = None if user is None else self._slack.workspace.user(user).name
        for page in self._pages:
            if only in (None, page.user):
                page.put(key)

    def write(self, keys: list[Key], user: str) -> JSON:
        """These changes as this person's page shall apply them."""
        changes = [change for key in keys if (change := self._change(key, user)) is not None]
        return {"seq": self.seq, "changes": changes}

    # -- what happened ------------------------------------------------------------------------------------------------

    def _on_change(self, change: JSON) -> None:
        kind = change["type"]
        if kind in ("call", "answer", "dropped", "envelope", "ack", "delivery"):
            return  # the journal's
        if kind == "socket":
            self.tell("backstage")
        elif kind.startswith("view"):
            for what in ("modals", "home"):
                self.tell(what, user=change.get("user"))
        elif kind.startswith("ephemeral"):
            self._on_message(change, user=change["user"])
        elif "channel" in change and "ts" in change:
            self._on_message(change, user=None)
        elif "channel" in change:
            self.tell("thread", change["channel"], str(change.get("thread_ts") or ""))

    def _on_message(self, change: JSON, user: str | None) -> None:
        # The notice of an ephemeral's end does not say where it was.
        channel = change.get("channel") or self._ephemerals[change["ts"]]
        if user is not None:
            self._ephemerals[change["ts"]] = channel
            self._view.replaced(change["ts"])
        message = self._slack.workspace.channel(channel).messages.get(change["ts"])
        if change["type"] in _COUNTED or user is not None:
            if message is not None and change["type"] == "message":
                self._marks.read(message.user, channel, message.ts, message.thread_ts or "" if message.is_reply else "")
            self.tell("channel", channel)
        self.tell("message", channel, change["ts"], user=user)
        if message is not None and message.is_reply and message.deleted and message.thread_ts:
            self.tell("message", channel, message.thread_ts)  # its root may have been a tombstone only for its sake

    def _on_entry(self, entry: Entry) -> None:
        self.tell("call", str(entry.n))
        if entry.seconds is not None and isinstance(entry.subject, Call) and entry.side == "slack":
            refusal = self.refusals.take(entry.n, entry.subject)
            if refusal is not None:
                self.tell("refusal", str(refusal.id))
        if entry.seconds is not None:
            self.tell("backstage")  # the hits of the faults in force

    # -- what a page is told ------------------------------------------------------------------------------------------

    def _change(self, key: Key, user: str) -> JSON | None:
        match key:
            case ("message", channel, ts):
                return self._message(channel, ts, user)
            case ("channel", channel):
                seen = self._view.sees(user, channel)
                return {"type": "channel", "channel": self._view.channel(channel, user)} if seen else None
            case ("thread", channel, thread_ts):
                seen = self._view.sees(user, channel)
                return {"type": "thread", "thread": self._view.thread(channel, thread_ts)} if seen else None
            case ("modals",):
                return {"type": "modals", "modals": self._view.modals(user)}
            case ("home",):
                return {"type": "home", "home": self._view.home(user)}
            case ("refusal", number):
                return self._refusal(int(number), user)
            case ("call", number):
                entry = self._journal.find(int(number))
                return None if entry is None else {"type": "call", "call": entry.summary()}
        return {"type": "backstage", "backstage": self.controls()}

    def _message(self, channel: str, ts: str, user: str) -> JSON | None:
        if not self._view.sees(user, channel):
            return None
        message = self._view.message(channel, ts, user)
        if message is None:
            return {"type": "gone", "channel": channel, "ts": ts}
        return {"type": "message", "message": message}

    def _refusal(self, number: int, user: str) -> JSON | None:
        refusal = self.refusals.get(number)
        if refusal is None:
            return {"type": "refusal_gone", "id": number}
        me = self._slack.workspace.user(user).id
        seen = {conversation.id for conversation in self._view.channels(user)}
        concerns = self.refusals.concerns(refusal, me, seen)
        return {"type": "refusal", "refusal": refusal.as_json()} if concerns else None
