"""What Slack sends for another workspace comes no further than the entrance."""

from typing import Any

import pytest
from slack_bolt.response import BoltResponse

from omnibot.slack.inbound.workspace_filter import WorkspaceFilter, is_ours
from omnibot.telemetry import REGISTRY

OURS, THEIRS = "T1", "T2"


def event(kind: str = "app_mention", **envelope: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": OURS, "event": {"type": kind}} | envelope


def meant_for(team: str | None, enterprise: str | None = None) -> list[dict[str, Any]]:
    return [{"team_id": team, "enterprise_id": enterprise, "user_id": "UBOT", "is_bot": True}]


@pytest.mark.parametrize(
    "body",
    [
        event(),
        event(authorizations=[]),
        event(authorizations=meant_for(OURS)),
        event(team_id=THEIRS, authorizations=meant_for(OURS)),  # said by the other company in a shared channel
        event("app_uninstalled"),
        event("tokens_revoked", authorizations=meant_for(OURS)),
        event(authorizations=meant_for(None, "E1")),
        {"command": "/omni", "team_id": OURS, "enterprise_id": "E9"},
        {"type": "block_actions", "team": {"id": OURS}, "user": {"id": "U2", "team_id": THEIRS}},
        {"type": "block_actions", "team": None, "enterprise": {"id": "E1"}},
        # A form filled in by the other company's person.
        {"type": "view_submission", "team": {"id": THEIRS}, "view": {"app_installed_team_id": OURS}},
    ],
)
def test_what_is_meant_for_the_installed_workspace_comes_in(body: dict[str, Any]):
    assert is_ours(body, team=OURS, enterprise="E1")


FOREIGN = [
    event(team_id=THEIRS),
    event("app_uninstalled", team_id=THEIRS),
    event("app_uninstalled", team_id=THEIRS, authorizations=meant_for(OURS)),
    event("tokens_revoked", team_id=THEIRS),
    event(authorizations=meant_for(THEIRS)),
    event(authorizations=meant_for(None)),
    event(authorizations=meant_for(THEIRS, "E1")),
    event(team_id=None),
    {"command": "/omni", "team_id": THEIRS, "enterprise_id": "E1"},
    {"command": "/omni"},
    {"type": "block_actions", "team": {"id": THEIRS}},
    {"type": "block_actions", "team": None, "user": {"id": "U1", "team_id": OURS}},
    {"type": "view_submission", "team": {"id": OURS}, "view": {"app_installed_team_id": THEIRS}},
    {"type": "view_submission", "team": "rubbish", "view": []},
    {},
]


@pytest.mark.parametrize("body", FOREIGN)
async def test_what_is_meant_for_another_workspace_is_acked_counted_and_dropped(body: dict[str, Any]):
    async def never() -> BoltResponse:
        raise AssertionError("it came in")

    def counted() -> float:
        kinds = ("event", "command", "interaction")
        values = [REGISTRY.get_sample_value("omnibot_foreign_deliveries_total", {"kind": kind}) for kind in kinds]
        return sum(value or 0.0 for value in values)

    before = counted()
    assert (await WorkspaceFilter(team=OURS, enterprise="E1").check(body, never)).status == 200
    assert counted() == before + 1


def test_a_workspace_without_an_enterprise_is_not_met_by_payloads_that_name_none():
    assert not is_ours(event(team_id=None, authorizations=meant_for(None)), team=OURS, enterprise=None)
