"""Slack: the tokens, what they may do, and the time."""

import time
from email.utils import formatdate

import pytest

from omnibot.doctor.model import Symbol
from omnibot.slack.connection.manifest import BOT_SCOPES
from tests.doctor.conftest import SECRET, Clinic, problems


async def test_a_wrong_bot_token_is_a_problem_and_its_scopes_are_unknown(clinic: Clinic):
    found = await clinic.examine(SLACK_BOT_TOKEN="xoxb-not-this-one")

    assert problems(found) == {"Slack bot token"}
    assert "SLACK_BOT_TOKEN (invalid_auth)" in found["Slack bot token"].message
    assert found["Slack scopes"].mark is Symbol.WARNING


async def test_swapped_tokens_are_two_problems(clinic: Clinic):
    found = await clinic.examine(SLACK_BOT_TOKEN=clinic.slack.app_token, SLACK_APP_TOKEN=clinic.slack.bot_token)

    assert problems(found) == {"Slack bot token", "Slack app token"}
    assert "xoxb-" in str(found["Slack bot token"].fix)
    assert "xapp-" in str(found["Slack app token"].fix)


async def test_a_persons_token_is_a_problem(clinic: Clinic):
    clinic.slack.gate.refuse("auth.test", status=200, body={"ok": True, "team": "Clear & Co", "user": "ana"})

    found = await clinic.examine()

    assert problems(found) == {"Slack bot token"}
    assert "a person's token" in found["Slack bot token"].message


async def test_scopes_that_are_not_granted_are_named_with_what_they_are_for(clinic: Clinic):
    clinic.slack.granted[clinic.slack.bot_token] = [s for s in BOT_SCOPES if s not in ("users:read", "im:write")]

    found = await clinic.examine()

    assert problems(found) == {"Slack scopes"}
    assert found["Slack scopes"].message == (
        "not granted: im:write (answer privately), users:read (who asks: member, guest or stranger; who has left)"
    )
    assert "reinstall the app" in str(found["Slack scopes"].fix)


async def test_scopes_go_unchecked_where_slack_does_not_say_them(clinic: Clinic):
    del clinic.slack.granted[clinic.slack.bot_token]

    found = await clinic.examine()

    assert problems(found) == set()
    assert found["Slack scopes"].mark is Symbol.WARNING


@pytest.mark.parametrize(
    ("error", "words"), [("missing_scope", "lacks the scope connections:write"), ("token_revoked", "token_revoked")]
)
async def test_an_app_token_that_opens_no_connection_is_a_problem(clinic: Clinic, error: str, words: str):
    clinic.slack.gate.refuse("apps.connections.open", status=200, body={"ok": False, "error": error})

    found = await clinic.examine()

    assert problems(found) == {"Slack app token"}
    assert words in found["Slack app token"].message
    assert "connections:write" in str(found["Slack app token"].fix)


async def test_something_else_than_slack_at_its_address_is_a_problem(clinic: Clinic):
    found = await clinic.examine(SLACK_API_URL=clinic.omni.base_url)

    assert problems(found) == {"Slack bot token", "Slack app token"}
    assert "SLACK_API_URL" in str(found["Slack bot token"].fix)


async def test_a_slack_that_asks_us_to_wait_is_no_problem(clinic: Clinic):
    clinic.slack.gate.refuse("auth.test", status=429, headers={"Retry-After": "17"})

    found = await clinic.examine()

    assert problems(found) == set()
    assert "17 s" in found["Slack bot token"].message


@pytest.mark.parametrize(
    ("ahead", "mark", "words"),
    [
        (-3600, Symbol.PROBLEM, "behind Slack's"),
        (-120, Symbol.WARNING, "behind Slack's"),
        (0, Symbol.OK, "goes with Slack's"),
        (120, Symbol.WARNING, "ahead of Slack's"),
        (3600, Symbol.PROBLEM, "ahead of Slack's"),
    ],
)
async def test_over_http_our_clock_is_held_to_slacks(clinic: Clinic, ahead: int, mark: Symbol, words: str):
    date = {"Date": formatdate(time.time() - ahead, usegmt=True)}
    said = {"ok": True, "team": "Clear & Co", "user": "omni", "bot_id": "B1"}
    clinic.slack.gate.refuse("auth.test", status=200, body=said, headers=date)

    found = await clinic.examine(SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=SECRET)

    assert found["clock"].mark is mark
    assert words in found["clock"].message
