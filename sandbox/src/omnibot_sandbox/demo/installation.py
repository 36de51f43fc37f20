"""What an app's manifest tells Slack about it: its commands, its tabs, what it suggests to ask, what it listens to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from omnibot_sandbox.slack.people import SlashCommand
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON


@dataclass(frozen=True, slots=True)
class Installation:
    """An installed app, as far as people notice; without a manifest everything is there."""

    commands: tuple[SlashCommand, ...] = ()
    #: Above the message box of the app's Messages tab, until the app sets others: title and message.
    prompts: tuple[JSON, ...] = ()
    home_tab: bool = True
    #: The app hears of the Stop button, so people have one.
    stoppable: bool = True

    def into(self, slack: SlackEmulator) -> None:
        """Install the app into this workspace."""
        slack.commands = self.commands
        slack.stop_subscribed = self.stoppable


def read_manifest(text: str) -> Installation:
    """The app that a manifest, in YAML or JSON, describes."""
    manifest: Any = yaml.safe_load(text)
    features = manifest.get("features", {})
    events = manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", [])
    return Installation(
        commands=tuple(
            SlashCommand(one["command"], one.get("description", ""), one.get("usage_hint", ""))
            for one in features.get("slash_commands", [])
        ),
        prompts=tuple(features.get("agent_view", {}).get("suggested_prompts", [])),
        home_tab=bool(features.get("app_home", {}).get("home_tab_enabled")),
        stoppable="agent_session_stopped" in events,
    )
