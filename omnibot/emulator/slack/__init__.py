"""A Slack workspace on loopback: Web API and Socket Mode."""

from omnibot.emulator.slack.people import CommandResult
from omnibot.emulator.slack.server import SlackEmulator
from omnibot.emulator.slack.workspace import Channel, Message, User, Workspace

__all__ = ["Channel", "CommandResult", "Message", "SlackEmulator", "User", "Workspace"]
