"""The app's manifest fits what the code needs: no scope too few, none too many."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())

#: The scopes of every Web API method the bot calls.
SCOPES = {
    "auth_test": set(),
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "conversations_replies": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "conversations_open": {"im:write"},
    "users_info": {"users:read"},
}
#: The scopes of what the bot is sent.
HEARD = {"app_mentions:read", "assistant:write", "commands"}


def called() -> set[str]:
    source = "".join(path.read_text() for path in (ROOT / "omnibot" / "slack").rglob("*.py"))
    return set(re.findall(r"client\.((?:[a-z]+_)+[a-zA-Z]+)\(", source)) - {"connect_to_new_endpoint", "is_connected"}


def test_the_scopes_are_exactly_those_of_the_methods_called_and_the_events_heard():
    assert called() == set(SCOPES)
    needed = set().union(*SCOPES.values()) | HEARD
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed


def test_the_events_are_those_with_a_listener():
    events = {event.split(".")[0] for event in MANIFEST["settings"]["event_subscriptions"]["bot_events"]}
    source = (ROOT / "omnibot" / "slack" / "listeners" / "messages.py").read_text()
    assert events == set(re.findall(r'app\.event\("(\w+)"\)', source))


def test_it_is_an_agent_with_the_command_and_ready_for_socket_mode():
    features = MANIFEST["features"]
    assert len(features["agent_view"]["suggested_prompts"]) <= 4
    assert [c["command"] for c in features["slash_commands"]] == ["/omni"]
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert features["app_home"]["messages_tab_read_only_enabled"] is False


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (MANIFEST["display_information"]["name"], 35),
        (MANIFEST["display_information"]["description"], 140),
        (MANIFEST["display_information"]["long_description"], 4000),
        (MANIFEST["features"]["agent_view"]["agent_description"], 300),
        (MANIFEST["features"]["slash_commands"][0]["usage_hint"], 1000),
    ],
)
def test_texts_keep_slacks_limits(text: str, limit: int):
    assert 0 < len(text) <= limit
