"""A Slack workspace on loopback: Web API, Socket Mode and signed HTTP requests."""

from omnibot_sandbox.slack.http_delivery import Delivery
from omnibot_sandbox.slack.interacting import SubmitResult
from omnibot_sandbox.slack.people import CommandResult, SlashCommand
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import Channel, Message, User, Workspace

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
