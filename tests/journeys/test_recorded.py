"""Deliveries in the shapes that Slack's own SDKs have on record, signed and raw, at the real process.

The fields are those of slackapi/java-slack-sdk (json-logs/samples), slackapi/bolt-js (test/unit/helpers/events.ts),
slackapi/bolt-python (tests/scenario_tests_async) and slackapi/python-slack-sdk (tests/slack_sdk/socket_mode), all MIT;
the values are ours. Each is sent for the workspace omnibot is in, for another one, and for none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from omnibot_sandbox.clearstreet.accounts import account

from omnibot.encryption import new_key
from tests.journeys.test_account_data import KEY, fill, key_values
from tests.journeys.test_foreign import rows
from tests.journeys.test_http import Endpoint, signed
from tests.journeys.test_http import endpoint as endpoint

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
USER, CHANNEL, DM, TS = "U0ANA00001", "C0RESEARCH", "D0ANA00001", "1795000000.000100"
Event = dict[str, Any]

#: java-slack-sdk: bots can mention too, and then there is no `blocks`.
MENTION_JAVA = {
    "bot_id": "B0OTHER001",
    "type": "app_mention",
    "text": "<@U0OMNIBOT1> positions?",
    "user": USER,
    "ts": TS,
    "team": "T0CLEARCO1",
    "bot_profile": {
        "id": "B0OTHER001",
        "deleted": False,
        "name": "news",
        "updated": 1795000000,
        "app_id": "A0OTHER001",
        "icons": {"image_36": "https://www.example.com/36.png"},
        "team_id": "T0CLEARCO1",
    },
    "channel": CHANNEL,
    "event_ts": TS,
}
#: bolt-js: nobody is named.
MENTION_JS = {"type": "app_mention", "text": "hi", "channel": CHANNEL, "ts": "1234.56", "event_ts": "1234.56"}
#: python-slack-sdk.
MENTION_PYTHON = {
    "client_msg_id": "f0582a78-0000-4feb-b2f3-1e47d66365c8",
    "type": "app_mention",
    "text": "<@U0OMNIBOT1>",
    "user": USER,
    "ts": "1795000001.000200",
    "team": "T0CLEARCO1",
    "blocks": [
        {
            "type": "rich_text",
            "block_id": "Sesm",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U0OMNIBOT1"}]},
            ],
        }
    ],
    "channel": CHANNEL,
    "event_ts": "1795000001.000200",
}
MESSAGE = {"type": "message", "user": USER, "text": "hi", "ts": "1795000002.000300", "event_ts": "1795000002.000300"}
#: bolt-js: a message's subtype is there and says nothing, and it has no `team`.
IN_CHANNEL: Event = MESSAGE | {"subtype": None, "channel": CHANNEL, "channel_type": "channel", "blocks": []}
IN_DM = MESSAGE | {"channel": DM, "channel_type": "im", "ts": "1795000003.000300", "team": "T0CLEARCO1"}
JOIN_SAID = {
    "type": "message",
    "subtype": "channel_join",
    "team": "T0CLEARCO1",
    "user": USER,
    "inviter": "U0BEN00001",
    "channel": CHANNEL,
    "channel_type": "channel",
    "text": "<@U0ANA00001> has joined the channel",
    "ts": "1795000004.000300",
    "event_ts": "1795000004.000300",
}
HOME = {"type": "app_home_opened", "channel": DM, "user": USER, "tab": "home", "event_ts": "1234.56"}
#: Slack's documents: the Home that is there already comes along.
HOME_AGAIN = HOME | {"view": {"id": "V0HOME0001", "type": "home", "blocks": [], "hash": "1.ab", "callback_id": ""}}
JOINED = {
    "type": "member_joined_channel",
    "user": USER,
    "channel": CHANNEL,
    "channel_type": "channel",
    "team": "T0CLEARCO1",
    "event_ts": TS,
    "inviter": "U0BEN00001",
}
SHARED = {"type": "channel_shared", "connected_team_id": "T0PARTNER1", "channel": CHANNEL, "event_ts": TS}
#: bolt-python: tokens of people alone.
REVOKED_OF_PEOPLE: Event = {"type": "tokens_revoked", "tokens": {"oauth": [USER]}}
REVOKED: Event = {"type": "tokens_revoked", "tokens": {"oauth": [USER], "bot": ["U0OMNIBOT1"]}}
UNINSTALLED: Event = {"type": "app_uninstalled"}

EVENTS = (
    MENTION_JAVA,
    MENTION_JS,
    MENTION_PYTHON,
    IN_CHANNEL,
    IN_DM,
    JOIN_SAID,
    HOME,
    HOME_AGAIN,
    JOINED,
    JOINED | {"type": "member_left_channel"},
    SHARED,
    SHARED | {"type": "channel_unshared", "previously_connected_team_id": "T0PARTNER1"},
    REVOKED_OF_PEOPLE,
)
REMOVALS = (REVOKED, UNINSTALLED)

#: java-slack-sdk's older samples: no `authorizations`, and people and teams they replaced.
OLD = {"authed_users": ["U0OMNIBOT1"], "authed_teams": [], "is_ext_shared_channel": False, "event_context": "1"}


def named(team: str) -> Event:
    """What newer envelopes name, as python-slack-sdk and java-slack-sdk have it."""
    one = {
        "enterprise_id": None,
        "team_id": team,
        "user_id": "U0OMNIBOT1",
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {"authorizations": [one], "is_ext_shared_channel": False, "context_team_id": team}


def envelopes(team: str, event: Event) -> list[bytes]:
    """An event in each envelope on record."""
    plain = {
        "token": "verification_token",
        "team_id": team,
        "enterprise_id": None,
        "api_app_id": "A0OMNI0001",
        "event": event,
        "type": "event_callback",
        "event_time": 1795000000,
    }
    kinds = (OLD, named(team))
    ids = [f"Ev{team}{event['type']}{event.get('ts', '')}{hash(str(event))}{number}" for number in range(len(kinds))]
    return [json.dumps(plain | kind | {"event_id": name}).encode() for kind, name in zip(kinds, ids, strict=True)]


def command(team: str) -> Event:
    """java-slack-sdk and python-slack-sdk."""
    return {
        "token": "verification_token",
        "api_app_id": "A0OMNI0001",
        "team_id": team,
        "team_domain": "clearco",
        "channel_id": CHANNEL,
        "channel_name": "research",
        "user_id": USER,
        "user_name": "ana",
        "command": "/omni",
        "text": "",
        "response_url": "https://hooks.slack.com/commands/T1/1/x",
        "trigger_id": f"{team}.222.xxx",
    }


def interactions(team: str) -> list[Event]:
    """Presses and forms: bolt-js has the barest, java-slack-sdk the fullest, bolt-python those between."""
    who = {"id": USER, "username": "ana", "name": "ana", "team_id": team}
    head = {"token": "verification_token", "api_app_id": "A0OMNI0001", "trigger_id": "111.222.xxx"}
    button = {"type": "button", "action_ts": "1234.56", "text": {"type": "plain_text", "text": "hi"}}
    ours = button | {"action_id": "omni_button:0", "block_id": "b", "value": "no-such-token"}
    view = {
        "id": "V1",
        "team_id": team,
        "type": "modal",
        "blocks": [],
        "private_metadata": "",
        "callback_id": "omni_key",
        "state": {"values": {}},
        "hash": "1596530361.3wRYuk3R",
        "title": {"type": "plain_text", "text": "hi"},
        "clear_on_close": False,
        "notify_on_close": False,
        "close": None,
        "submit": None,
        "previous_view_id": None,
        "root_view_id": None,
        "app_id": "A0OMNI0001",
        "external_id": "",
        "bot_id": "B0OMNI0001",
    }
    bare: Event = head | {"team": {"id": team, "domain": "clearco"}, "user": {"id": USER, "username": "ana"}}
    full: Event = head | {
        "enterprise": None,
        "is_enterprise_install": False,
        "team": {"id": team, "domain": "clearco"},
        "user": who,
        "container": {
            "type": "message",
            "message_ts": TS,
            "attachment_id": 1,
            "channel_id": CHANNEL,
            "is_ephemeral": False,
            "is_app_unfurl": False,
            "thread_ts": TS,
        },
        "channel": {"id": CHANNEL, "name": "research"},
        "message": {"type": "message", "user": "U0OMNIBOT1", "text": "", "ts": TS, "blocks": [], "team": team},
        "state": {"values": {}},
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
    }
    installed = {"app_installed_team_id": team}
    return [
        bare | {"type": "block_actions", "actions": [ours], "container": {}},
        bare | {"type": "block_actions", "actions": [button | {"action_id": "a", "block_id": "b"}], "container": {}},
        full | {"type": "block_actions", "actions": [ours]},
        bare | {"type": "view_submission", "view": view},
        bare | {"type": "view_submission", "view": view | {"callback_id": "Cb1234", "state": {}}},
        full | {"type": "view_submission", "view": view | installed, "response_urls": []},
        bare | {"type": "view_closed", "view": view | installed, "is_cleared": False},
    ]


def everything(team: str, events: tuple[Event, ...]) -> list[tuple[bytes, dict[str, str]]]:
    """All of it for one workspace, as Slack posts it."""
    bodies = [body for event in events for body in envelopes(team, event)]
    forms = [command(team), *({"payload": json.dumps(one)} for one in interactions(team))]
    encoded = [urlencode(form).encode() for form in forms]
    return [(body, signed(body)) for body in bodies] + [(body, signed(body) | FORM) for body in encoded]


@pytest.mark.parametrize("team", ["T0FOREIGN1", ""], ids=["another", "none"])
async def test_what_is_on_record_of_another_workspace_or_of_none_is_acked_and_leaves_no_row(
    endpoint: Endpoint, tmp_path: Path, team: str
):
    before = rows(tmp_path)
    for body, headers in everything(team, EVENTS + REMOVALS):
        assert await endpoint.post(body, headers) == 200, body
    assert rows(tmp_path) == before
    assert "Traceback" not in endpoint.deployment.bot.logged()
    assert "team_forgotten" not in endpoint.deployment.bot.logged()
    # And nobody was told anything.
    assert [call.name for call in endpoint.deployment.slack.calls if call.name.startswith(("chat.", "views."))] == []


async def test_what_is_on_record_of_our_workspace_is_acked_and_breaks_nothing(endpoint: Endpoint, tmp_path: Path):
    deployment = endpoint.deployment
    before = rows(tmp_path)
    for body, headers in everything(deployment.slack.team_id, EVENTS):
        assert await endpoint.post(body, headers) == 200, body
    # Of all that two messages are questions to Omni; each envelope is a delivery of the same one.
    assert rows(tmp_path)["turns"] - before["turns"] == 2
    await deployment.at_rest()
    assert "Traceback" not in deployment.bot.logged()
    assert "listener_failed" not in deployment.bot.logged()


@pytest.mark.parametrize("event", REMOVALS, ids=["revoked", "uninstalled"])
async def test_a_removal_in_another_workspace_forgets_no_key_and_one_of_ours_every_one(
    endpoint: Endpoint, tmp_path: Path, event: Event
):
    deployment = endpoint.deployment
    deployment.omni.keys[KEY] = [account(30001, "Growth")]
    await deployment.bot.terminate()
    deployment.bot.environment["OMNIBOT_ENCRYPTION_KEYS"] = new_key()
    await deployment.bot.start()
    await endpoint.up()
    await deployment.slack.command("ana", "research", "/omni", "link")
    await fill(deployment, key_values, "The key passes through Slack")
    await deployment.slack.wait_for(lambda: rows(tmp_path)["links"] == 1)

    # The outermost workspace is where it happened, whatever else is named.
    foreign = [*envelopes("T0FOREIGN1", event), *envelopes("", event)]
    mixed = json.loads(foreign[0]) | named(deployment.slack.team_id) | {"event_id": "Ev0MIXED"}
    for body in (*foreign, json.dumps(mixed).encode()):
        assert await endpoint.post(body, signed(body)) == 200
    assert rows(tmp_path)["links"] == 1
    assert "team_forgotten" not in deployment.bot.logged()

    for body in envelopes(deployment.slack.team_id, event):
        assert await endpoint.post(body, signed(body)) == 200
    assert rows(tmp_path)["links"] == 0
