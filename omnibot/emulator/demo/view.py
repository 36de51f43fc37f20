"""The workspace as one person sees it, in JSON for the page."""

from __future__ import annotations

from omnibot.emulator.demo.house import names_of
from omnibot.emulator.slack.server import SlackEmulator
from omnibot.emulator.slack.workspace import JSON, Channel, Message

#: Who sits in front of the page, and the channels they see; each also has a DM with Omni.
PEOPLE = ("ana", "ben")
ROOMS = ("trading", "research")


def rooms_of(slack: SlackEmulator, user: str) -> list[Channel]:
    """The rooms this person sees, the DM last."""
    workspace = slack.workspace
    return [*(workspace.channel(name) for name in ROOMS), workspace.dm(user)]


def view(slack: SlackEmulator, user: str) -> JSON:
    """Everything the page shows to this person."""
    workspace = slack.workspace
    me = workspace.user(user)
    rooms = rooms_of(slack, user)
    ids = {room.id for room in rooms}
    ephemerals = [_ephemeral(e) for e in slack.ephemerals(user) if e["channel"] in ids]
    return {
        "me": me.id,
        "people": [{"name": name, "real_name": workspace.user(name).real_name} for name in PEOPLE],
        "names": dict(names_of(slack)),
        "bots": [person.id for person in workspace.users.values() if person.is_bot],
        "rooms": [
            {
                "id": room.id,
                "name": "Omni" if room.kind == "im" else room.name,
                "kind": room.kind,
                "messages": sorted([*map(_message, slack.history(room.id)), *_in(room, ephemerals)], key=_by_ts),
            }
            for room in rooms
        ],
        "statuses": [
            {"channel": channel, "thread_ts": thread_ts, "status": str(arguments.get("status", ""))}
            for (channel, thread_ts), arguments in slack.statuses.items()
            if channel in ids
        ],
    }


def _message(message: Message) -> JSON:
    return {
        "ts": message.ts,
        "thread_ts": message.thread_ts if message.is_reply else None,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        # The page redraws a message only when this changes.
        "version": len(message.updates),
    }


def _ephemeral(ephemeral: JSON) -> JSON:
    shown = {name: ephemeral[name] for name in ("channel", "ts", "thread_ts", "text", "blocks")}
    return {**shown, "user": "", "version": 0, "only_you": True}


def _in(room: Channel, ephemerals: list[JSON]) -> list[JSON]:
    return [ephemeral for ephemeral in ephemerals if ephemeral["channel"] == room.id]


def _by_ts(message: JSON) -> tuple[float, str]:
    return float(message["ts"]), message["ts"]
