"""The Slack app's manifest: everything omnibot asks of Slack, in one place. Pure.

The repository's `manifest.yml` is what `omnibot manifest --socket` prints.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import yaml

from omnibot.errors import SettingsError

#: Where `omnibot.web` takes Slack's deliveries.
PATH = "/slack/events"
#: Slack takes no longer URL for a slash command; those for events may be longer.
MAX_URL = 3000

#: The bot token's scopes, and what each is for.
BOT_SCOPES = {
    "app_mentions:read": "hear mentions",
    "assistant:write": "be an agent in Slack's agent view",
    "channels:history": "follow-ups without a mention; find own posts again after a crash",
    "channels:read": "which channels are public, private, shared with other companies",
    "chat:write": "answer",
    "commands": "/omni",
    "files:read": "know when a picture is ready to be shown",
    "files:write": "charts as pictures, data as files",
    "groups:history": "follow-ups in private channels",
    "groups:read": "the same of private channels; who is in them",
    "im:history": "direct messages",
    "im:write": "answer privately",
    "mpim:history": "follow-ups in group messages",
    "mpim:read": "which group messages are shared",
    "users:read": "who asks: member, guest or stranger; who has left",
}
_EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "channel_shared",
    "channel_unshared",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
    "user_change",
)
_ABOUT = (
    "Ask Omni AI about markets, tickers and your desk's questions without leaving Slack. Mention Omni in a channel, "
    "write to it directly, or type /omni. Follow-up questions need no mention; the Slack thread is the conversation. "
    "Omni shows its thinking while it works and offers what to ask next as buttons. Answers are made by an AI and can "
    "be wrong; nothing it says is investment advice."
)
_HEADING = (
    "# The Slack app, as printed by `omnibot manifest`. Paste it at https://api.slack.com/apps: "
    "Create New App, From a manifest.\n"
)


def request_url(address: str) -> str:
    """Where Slack shall deliver, given the bot's public address.

    Raises:
        SettingsError: Slack could not or would not deliver there; says why.
    """
    if wrong := _wrong_with(address.strip()):
        # Not quoted: it may hold a password.
        raise SettingsError(f"Slack cannot deliver to this URL: {wrong}. Give one like https://omnibot.example.com")
    url = urlsplit(address.strip())
    found = f"{url.scheme}://{url.netloc}{url.path.rstrip('/').removesuffix(PATH)}{PATH}"
    if len(found) > MAX_URL:
        raise SettingsError(f"Slack cannot deliver to this URL: it takes at most {MAX_URL} characters")
    return found


def build(deliver_to: str | None = None) -> dict[str, Any]:
    """The manifest as a value.

    Args:
        deliver_to: the request URL of events, interactivity and the command; None for Socket Mode.
    """
    address = {} if deliver_to is None else {"request_url": deliver_to}
    command: dict[str, Any] = {"command": "/omni"}
    if deliver_to is not None:
        command["url"] = deliver_to
    command |= {
        "description": "Ask Omni AI",
        "usage_hint": "[question] | private [question] | research TICKER [thesis] | link | account | stop | help",
        "should_escape": True,
    }
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Omni",
            "description": "Clear Street's Omni AI, the conversational trading assistant",
            "long_description": _ABOUT,
            "background_color": "#0b1f33",
        },
        "features": {
            "agent_view": {
                "agent_description": "Ask Omni AI about markets and tickers. Answers can be wrong and are not "
                "investment advice.",
                "suggested_prompts": [
                    {"title": "How are the markets?", "message": "How are the markets doing today?"},
                    {"title": "A price", "message": "What is the current price of AAPL?"},
                    {"title": "Compare two stocks", "message": "Compare AAPL to AMD."},
                ],
            },
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Omni", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": list(_EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": deliver_to is None,
            "token_rotation_enabled": False,
        },
    }


def as_yaml(manifest: dict[str, Any]) -> str:
    """The manifest as Slack's page takes it, each scope with what it is for."""
    text = yaml.dump(manifest, Dumper=_Indented, sort_keys=False, width=118)
    for scope, purpose in BOT_SCOPES.items():
        text = text.replace(f"- {scope}\n", f"- {scope} # {purpose}\n")
    return _HEADING + text


class _Indented(yaml.SafeDumper):
    """Lists are indented below their names, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """As PyYAML's, never indentless."""
        super().increase_indent(flow, False)


def _wrong_with(address: str) -> str | None:
    """Why this cannot be the bot's public address."""
    try:
        url = urlsplit(address)
        host, _ = url.hostname, url.port
    except ValueError:  # a rubbish port, or half an IPv6 address
        return "it is not a URL"
    if url.scheme not in ("http", "https"):
        return "it must begin with https://"
    if not host or any(c.isspace() or not c.isprintable() for c in address):
        return "it names no host"
    if "@" in url.netloc or url.query or url.fragment:
        return "it must have no user, no query and no fragment"
    if url.scheme == "http" and not _is_loopback(host):
        return "it must begin with https:// (http:// is for loopback only)"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
