"""A Slack workspace on loopback: Web API, Socket Mode and signed HTTP requests."""

from omnibot.emulator.slack.http_delivery import Delivery
from omnibot.emulator.slack.interacting import SubmitResult
from omnibot.emulator.slack.people import CommandResult, SlashCommand
from omnibot.emulator.slack.server import SlackEmulator
from omnibot.emulator.slack.workspace import Channel, Message, User, Workspace

__all__ = [
    "Channel",
    "CommandResult",
    "Delivery",
    "Message",
    "SlackEmulator",
    "SlashCommand",
    "SubmitResult",
    "User",
    "Workspace",
]
