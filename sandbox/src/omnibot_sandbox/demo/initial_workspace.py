"""What stands in the demo's workspace before anybody does anything: topics and a little history."""

from __future__ import annotations

import time

from omnibot_sandbox.slack.composer import rich_text
from omnibot_sandbox.slack.workspace import Channel, Message, Workspace

TOPICS = {
    "trading": "Desk talk. Omni is here: mention it and ask.",
    "research": "Ideas, notes and questions about names we follow",
    "lobby": "Everybody. Omni is not in here",
    "client-desk": "Shared with Northwind Partners: they read along",
    "advisers": "Private, with Cleo, a guest: account data is not shown in here",
    "boardroom": "Quarterly letter, draft 2",
}
#: (channel, author, hours ago, text); the first of a day stands below its own divider.
_HISTORY = (
    ("trading", "ben", 25.2, "Quiet one. Thanks all."),
    ("trading", "ana", 25.1, "Flat, nothing left open. See you tomorrow."),
    ("trading", "ben", 1.4, "CPI comes out later, so keep sizes small into the number."),
    ("trading", "ana", 1.3, "Will do. I want a look at AAPL against AMD afterwards."),
    ("trading", "ben", 1.25, "Ask Omni, it has both."),
    ("research", "ana", 26.0, "Semis note is in the folder, comments until Friday please."),
    ("research", "cleo", 2.1, "Read it. Could we add a table with the multiples?"),
    ("lobby", "ben", 27.0, "The lift is out of order, take the stairs."),
    ("client-desk", "dan", 3.0, "Hi from Northwind! Who can take a question on our fills?"),
    ("client-desk", "ana", 2.9, "Hi Dan, here I am. Send it over."),
    ("boardroom", "ana", 28.0, "Notes for the quarterly letter go here."),
    ("D0ANABEN01", "ben", 26.5, "Lunch at one?"),
    ("D0ANABEN01", "ana", 26.4, "One it is."),
    ("D0ANACLEO1", "cleo", 4.2, "Is there a newer draft of the semis note?"),
    ("D0ANADAN01", "dan", 5.1, "Thanks for the quick answer yesterday!"),
)
#: DMs of people with each other: apps are not in them, and hear nothing.
_TALKS = (("D0ANABEN01", "ana", "ben"), ("D0ANACLEO1", "ana", "cleo"), ("D0ANADAN01", "ana", "dan"))


def furnish(workspace: Workspace) -> None:
    """Put the history into the channels and DMs. No app hears of it: it was said before the bot came."""
    for talk, *pair in _TALKS:
        members = {workspace.user(name).id for name in pair}
        workspace.channels[talk] = Channel(talk, "-".join(pair), "im", members)
    now = time.time()
    for number, (name, author, hours, text) in enumerate(_HISTORY):
        channel, user = workspace.channel(name), workspace.user(author)
        ts = f"{now - hours * 3600:.0f}.{number:06d}"
        _put(channel, Message(channel.id, ts, user.id, text, rich_text(text, f"h{number}"), posted_at=float(ts)))


def _put(channel: Channel, message: Message) -> None:
    channel.messages[message.ts] = message
    ordered = sorted(channel.messages.items(), key=lambda item: float(item[0]))
    channel.messages.clear()
    channel.messages.update(ordered)
