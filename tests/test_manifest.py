"""The manifest asks Slack for what the code needs, no more and no less, within Slack's rules."""

import ast
import copy
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jsonschema
import pytest
import yaml
from omnibot_sandbox.slack.scopes import BOT_SCOPES as GRANTED
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.errors import SettingsError
from omnibot.slack import listeners
from omnibot.slack.connection.manifest import BOT_SCOPES, as_yaml, build, request_url
from tests.forking import Done, done
from tests.manifest_rules import SCHEMA

ROOT = Path(__file__).parent.parent
HTTP = "https://omnibot.example.com/slack/events"
MANIFEST = build()
BOTH = pytest.mark.parametrize("manifest", [build(), build(HTTP)], ids=["socket", "http"])

_HISTORY = {"channels:history", "groups:history", "im:history", "mpim:history"}
#: The bot scopes of every Web API method the bot calls, as Slack's reference has them.
METHOD_SCOPES: dict[str, set[str]] = {
    "agents_sessions_setStatus": {"chat:write"},
    "apps_connections_open": set(),  # with the app-level token
    "auth_test": set(),
    "chat_appendStream": {"chat:write"},
    "chat_delete": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_startStream": {"chat:write"},
    "chat_stopStream": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": _HISTORY,
    # Of direct messages it is not asked.
    "conversations_info": {"channels:read", "groups:read", "mpim:read"},
    "conversations_members": {"channels:read", "groups:read", "mpim:read"},
    "conversations_open": {"im:write"},
    "conversations_replies": _HISTORY,
    "files_info": {"files:read"},
    "files_upload_v2": {"files:write"},
    "users_info": {"users:read"},
    "views_open": set(),  # with a trigger_id
    "views_publish": set(),
    "views_update": set(),
}
#: The bot scopes of every event the bot subscribes to, likewise.
EVENT_SCOPES: dict[str, set[str]] = {
    "agent_session_stopped": {"chat:write"},
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "channel_shared": {"channels:read", "groups:read"},
    "channel_unshared": {"channels:read", "groups:read"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "member_left_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
    "tokens_revoked": set(),
    "user_change": {"users:read"},
}
#: The bot scopes of the features, likewise.
FEATURE_SCOPES = {"agent_view": {"assistant:write"}, "slash_commands": {"commands"}}


class Noting(AsyncApp):
    """Bolt, with a note of every listener that is hung in."""

    def __init__(self) -> None:
        async def authorize() -> AuthorizeResult:
            raise AssertionError("nothing is dispatched here")

        super().__init__(authorize=authorize, signing_secret="unused")
        self.noted: dict[str, list[Any]] = {"event": [], "command": [], "action": []}

    def event(self, event: Any, *rest: Any, **more: Any) -> Callable[..., Any]:
        self.noted["event"].append(event)
        return cast(Callable[..., Any], super().event(event, *rest, **more))

    def command(self, command: Any, *rest: Any, **more: Any) -> Callable[..., Any]:
        self.noted["command"].append(command)
        return cast(Callable[..., Any], super().command(command, *rest, **more))

    def action(self, constraints: Any, *rest: Any, **more: Any) -> Callable[..., Any]:
        self.noted["action"].append(constraints)
        return cast(Callable[..., Any], super().action(constraints, *rest, **more))


@pytest.fixture
async def noted(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What the listeners register with Bolt, by kind."""
    for name in ("SLACK_BOT_TOKEN", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    app = Noting()
    # Registering only hands these on; no listener runs here.
    nothing: Any = None
    services = listeners.Services(
        turns=nothing,
        consents=nothing,
        background=nothing,
        access=nothing,
        bot_user_id="UBOT",
        conversations=nothing,
        app_home=nothing,
        api_keys=nothing,
        orders=SimpleNamespace(open=None),  # type: ignore[arg-type]
    )
    listeners.register(app, services)
    return app.noted


def called() -> set[str]:
    """The Web API methods that the code of slack/ names, as slack_sdk spells them."""
    methods = {name for name in vars(AsyncWebClient) if "_" in name and not name.startswith("_")}
    trees = [ast.parse(path.read_text()) for path in (ROOT / "omnibot" / "slack").rglob("*.py")]
    names = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return names & methods


def omnibot(*arguments: str, cwd: Path) -> Done:
    return done(*arguments, environment=os.environ, cwd=cwd)


# -- against the code -------------------------------------------------------------------------------------------------


def test_the_scopes_are_exactly_those_of_the_methods_called_the_events_heard_and_the_features():
    assert called() == set(METHOD_SCOPES)
    features = [needed for feature, needed in FEATURE_SCOPES.items() if feature in MANIFEST["features"]]
    needed = set().union(*METHOD_SCOPES.values(), *EVENT_SCOPES.values(), *features)
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed


def test_every_event_subscribed_to_has_a_listener_and_every_listener_its_event(noted: dict[str, list[Any]]):
    subscribed = set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    assert subscribed == set(EVENT_SCOPES)
    assert {event.split(".")[0] for event in subscribed} == set(noted["event"])


def test_every_command_has_a_listener_and_every_listener_its_command(noted: dict[str, list[Any]]):
    assert [command["command"] for command in MANIFEST["features"]["slash_commands"]] == noted["command"]


def test_clicks_are_delivered_because_there_are_listeners_for_them(noted: dict[str, list[Any]]):
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is bool(noted["action"])


def test_people_can_write_to_the_agent_in_its_messages_tab_and_open_its_home():
    assert "agent_view" in MANIFEST["features"]
    assert MANIFEST["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_the_emulator_grants_what_the_manifest_asks_for():
    assert set(BOT_SCOPES) <= set(GRANTED)


# -- against Slack's rules --------------------------------------------------------------------------------------------


@BOTH
def test_slack_takes_the_manifest(manifest: dict[str, Any]):
    jsonschema.validate(manifest, SCHEMA)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("display_information.name", "x" * 36),
        ("display_information.description", "x" * 141),
        ("display_information.long_description", "x" * 174),
        ("display_information.long_description", "x" * 4001),
        ("display_information.background_color", "navy"),
        ("display_information.colour", "#000000"),
        ("features.agent_view.agent_description", "x" * 301),
        ("features.agent_view.suggested_prompts", [{"title": "x", "message": "x"}] * 5),
        ("features.bot_user.display_name", "x" * 81),
        ("features.slash_commands", [{"command": f"/c{n}", "description": "x"} for n in range(51)]),
        ("features.slash_commands.0.command", "omni"),
        ("features.slash_commands.0.command", "/" + "x" * 32),
        ("features.slash_commands.0.usage_hint", "x" * 1001),
        ("features.slash_commands.0.url", HTTP),
        ("oauth_config.scopes.bot", [f"s{n}" for n in range(256)]),
        ("settings.event_subscriptions.bot_events", ["app_mention", "app_mention"]),
        ("settings.event_subscriptions.request_url", HTTP),
        ("settings.interactivity.request_url", HTTP),
        ("settings.socket_mode_enabled", False),
        ("settings.socket_mode", True),
    ],
)
def test_the_rules_refuse_what_slack_refuses(path: str, value: Any):
    broken: Any = copy.deepcopy(MANIFEST)
    *way, last = path.split(".")
    place = broken
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    place[last] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_repositorys_manifest_is_what_the_command_prints(tmp_path: Path):
    plain, socket = omnibot("manifest", cwd=tmp_path), omnibot("manifest", "--socket", cwd=tmp_path)

    assert socket.stdout == (ROOT / "manifest.yml").read_text(), "run: omnibot manifest > manifest.yml"
    assert plain.stdout == socket.stdout
    assert (socket.returncode, socket.stderr) == (0, "")


def test_for_http_every_delivery_has_the_address(tmp_path: Path):
    ended = omnibot("manifest", "--http", "https://omnibot.example.com/", cwd=tmp_path)

    manifest = yaml.safe_load(ended.stdout)
    assert manifest == build(HTTP)
    assert manifest["settings"]["socket_mode_enabled"] is False
    assert manifest["settings"]["event_subscriptions"]["request_url"] == HTTP
    assert manifest["settings"]["interactivity"]["request_url"] == HTTP
    assert [command["url"] for command in manifest["features"]["slash_commands"]] == [HTTP]


def test_the_two_manifests_differ_in_how_slack_delivers_and_in_nothing_else():
    http = build(HTTP)
    http["settings"]["socket_mode_enabled"] = True
    for place in (http["settings"]["event_subscriptions"], http["settings"]["interactivity"]):
        del place["request_url"]
    for command in http["features"]["slash_commands"]:
        del command["url"]
    assert http == MANIFEST


@BOTH
def test_the_yaml_says_what_the_value_says_and_what_each_scope_is_for(manifest: dict[str, Any]):
    text = as_yaml(manifest)

    assert yaml.safe_load(text) == manifest
    for scope, purpose in BOT_SCOPES.items():
        assert f"- {scope} # {purpose}\n" in text


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://omnibot.example.com", HTTP),
        ("  https://omnibot.example.com/ ", HTTP),
        (HTTP, HTTP),
        (f"{HTTP}/", HTTP),
        ("https://example.com:8443/omni", "https://example.com:8443/omni/slack/events"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/slack/events"),
        ("http://localhost:3000", "http://localhost:3000/slack/events"),
        ("http://[::1]:3000", "http://[::1]:3000/slack/events"),
    ],
)
def test_the_request_url_is_below_the_bots_address(address: str, found: str):
    assert request_url(address) == found


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://omnibot.example.com", "https://"),
        ("http://192.168.0.7", "https://"),
        ("omnibot.example.com", "https://"),
        ("ftp://omnibot.example.com", "https://"),
        ("", "https://"),
        ("https://", "no host"),
        ("https://omnibot example.com", "no host"),
        ("https://me:s3same@example.com", "no user"),
        ("https://example.com/?team=1", "no query"),
        ("https://example.com:99999", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://example.com/" + "x" * 3000, "3000 characters"),
    ],
)
def test_an_address_that_slack_cannot_deliver_to_is_refused_in_words(address: str, words: str):
    with pytest.raises(SettingsError, match=words) as refused:
        request_url(address)
    assert "s3same" not in str(refused.value)


def test_the_command_refuses_such_an_address_with_one_sentence(tmp_path: Path):
    ended = omnibot("manifest", "--http", "http://omnibot.example.com", cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "https://" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_command_prints_one_of_the_two_and_not_both(tmp_path: Path):
    ended = omnibot("manifest", "--socket", "--http", "https://omnibot.example.com", cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
