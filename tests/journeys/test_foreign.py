"""Deliveries for other workspaces, signed and raw, at the real process: each is acked, and none leaves a row.

The event envelopes have the shape of those in bolt-python's tests/scenario_tests_async/test_events_shared_channels.py
(MIT), with other ids.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.journeys.test_http import Endpoint, signed
from tests.journeys.test_http import endpoint as endpoint

MENTION = {"type": "app_mention", "user": "W0FOREIGN1", "text": "<@U0OMNI> positions?", "ts": "1795000000.000100"}
EVENTS: tuple[dict[str, Any], ...] = (
    MENTION | {"channel": "C0FOREIGN1", "event_ts": "1795000000.000100"},
    MENTION | {"type": "message", "channel": "D0FOREIGN1", "channel_type": "im", "event_ts": "1795000000.000100"},
    {"type": "app_uninstalled"},
    {"type": "tokens_revoked", "tokens": {"oauth": ["W0FOREIGN1"], "bot": ["W0FOREIGN2"]}},
    {"type": "user_change", "user": {"id": "U0ANA00001", "team_id": "T0CLEARCO1", "deleted": True}},
    {"type": "member_joined_channel", "user": "W0FOREIGN1", "channel": "C0FOREIGN1", "channel_type": "C"},
)
ENVELOPE = {
    "token": "verification_token",
    "team_id": "T0FOREIGN1",
    "enterprise_id": "E0FOREIGN1",
    "api_app_id": "A0FOREIGN1",
    "type": "event_callback",
    "event_id": "Ev0FOREIGN1",
    "event_time": 1795000000,
}
MEANT = {"enterprise_id": "E0FOREIGN2", "team_id": "T0FOREIGN2", "user_id": "W0FOREIGN1", "is_bot": True}
COMMAND = {
    "command": "/omni",
    "text": "positions?",
    "team_id": "T0FOREIGN1",
    "user_id": "W0FOREIGN1",
    "channel_id": "C0FOREIGN1",
    "trigger_id": "111.222.xxx",
}
CLICK = {
    "type": "block_actions",
    "team": {"id": "T0FOREIGN1"},
    "user": {"id": "W0FOREIGN1", "team_id": "T0FOREIGN1"},
    "trigger_id": "111.222.xxx",
    "actions": [{"type": "button", "block_id": "examples", "action_id": "omni_example:0", "value": "0"}],
}
FORM = {
    "type": "view_submission",
    "team": {"id": "T0CLEARCO1"},
    "user": {"id": "W0FOREIGN1", "team_id": "T0FOREIGN1"},
    "view": {
        "id": "V1",
        "type": "modal",
        "callback_id": "omni_key",
        "app_installed_team_id": "T0FOREIGN1",
        "state": {"values": {}},
    },
}


def rows(folder: Path) -> dict[str, int]:
    with closing(sqlite3.connect(folder / "omnibot.sqlite3")) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names}


async def test_what_is_for_another_workspace_is_acked_and_leaves_no_row(endpoint: Endpoint, tmp_path: Path):
    before = rows(tmp_path)
    for number, event in enumerate(EVENTS):
        for more in ({}, {"authorizations": [MEANT]}):
            own = {"event_id": f"Ev0FOREIGN{number}{len(more)}"}
            body = json.dumps(ENVELOPE | {"event": event} | own | more).encode()
            assert await endpoint.post(body, signed(body)) == 200, event["type"]
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    for form in (COMMAND, {"payload": json.dumps(CLICK)}, {"payload": json.dumps(FORM)}):
        body = urlencode(form).encode()
        assert await endpoint.post(body, signed(body) | form_type) == 200
    assert rows(tmp_path) == before
    assert "team_forgotten" not in endpoint.deployment.bot.logged()
    assert endpoint.deployment.bot.logged().count("foreign_delivery_refused") == 1
    counted = [line for line in (await endpoint.get("/metrics"))[1].splitlines() if "foreign_deliveries_total{" in line]
    assert sum(float(line.rpartition(" ")[2]) for line in counted) == 2 * len(EVENTS) + 3
    # What is ours still counts: the bot's own workspace removes it.
    endpoint.deployment.slack.uninstall()
    await endpoint.deployment.slack.wait_for(lambda: "team_forgotten" in endpoint.deployment.bot.logged())
