"""What stands in App Home, section by section."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from omnibot_sandbox.slack.views import validate_view

from omnibot.blocks.account.prompts import ACCOUNT_ACTION, LINK_ACTION
from omnibot.blocks.home import (
    ACCOUNTS,
    EXAMPLES,
    KeyStatus,
    SettingStatus,
    accounts_section,
    closed_section,
    failed_section,
    help_section,
    home_view,
    key_section,
    other_section,
    recent_section,
    settings_section,
)
from omnibot.blocks.layout.builders import section
from omnibot.blocks.layout.types import Block
from omnibot.blocks.limits import VIEW_BLOCKS
from omnibot.clearstreet.models import Account
from omnibot.clearstreet.models.enums import AccountStatus
from omnibot.policy.model import Channels, FollowUps, Policy
from tests.blocks import hostile_text
from tests.blocks.slack_limits import strings
from tests.blocks.test_history import URL, past

SINCE = datetime.fromisoformat("2026-11-01T08:00")
TROUBLE = "Clear Street no longer accepts your API key. Link a new one with `/omni link`."


def account(number: int, name: str) -> Account:
    return Account(number, AccountStatus.ACTIVE, full_name=name)


def words(blocks: list[Block]) -> str:
    return "\n".join(strings(blocks))


def buttons(blocks: list[Block]) -> list[dict[str, Any]]:
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


@given(hostile_text.texts)
@settings(max_examples=40, deadline=None)
def test_slack_takes_the_view_whatever_names_questions_and_reasons_hold(text: str):
    accounts = [account(n, text * 20) for n in range(30)]
    view = home_view(
        [
            key_section(KeyStatus(SettingStatus.BROKEN, trouble=f"So: {text}", can_link=True)),
            accounts_section(accounts, default=3, fixed=False),
            failed_section(text or "Agreements", f"No: {text}"),
            recent_section([past(text)] * 10, workspace_url=URL),
            help_section(),
            settings_section(Policy(), retention_days=30),
        ]
    )

    assert validate_view(view, "home") == []


@pytest.mark.parametrize(
    ("key", "said", "label", "urgent"),
    [
        (KeyStatus(SettingStatus.OWN, since=SINCE, can_link=True), "your own", "Link another key", False),
        (
            KeyStatus(SettingStatus.BROKEN, trouble=TROUBLE, can_link=True),
            "no longer accepts",
            "Link another key",
            True,
        ),
        (KeyStatus(SettingStatus.SHARED, can_link=True), "this workspace shares", "Link my API key", False),
        (
            KeyStatus(SettingStatus.NONE, trouble="You have not linked one.", can_link=True),
            "not linked",
            "Link my",
            True,
        ),
        (KeyStatus(SettingStatus.SHARED), "this workspace shares", None, False),
        (KeyStatus(SettingStatus.NONE, trouble="Ask whoever runs omnibot."), "whoever runs", None, False),
    ],
)
def test_everybody_reads_whose_key_they_use_and_what_to_do(key: KeyStatus, said: str, label: str | None, urgent: bool):
    blocks = key_section(key)

    assert said in words(blocks)
    assert [b["action_id"] for b in buttons(blocks)] == ([LINK_ACTION] if label else [])
    for made in buttons(blocks):
        assert made["text"]["text"].startswith(label or "")
        assert (made.get("style") == "primary") is urgent


def test_a_linked_key_says_since_when():
    assert "<!date^1793520000^" in words(key_section(KeyStatus(SettingStatus.OWN, since=SINCE)))


def test_accounts_are_named_the_default_is_marked_and_another_can_be_chosen():
    blocks = accounts_section([account(1, "Growth"), account(2, "Retirement")], default=2, fixed=False)

    assert "• Growth\n• *Retirement*, asked about by default" in words(blocks)
    assert [(b["action_id"], b["text"]["text"]) for b in buttons(blocks)] == [
        (ACCOUNT_ACTION, "Choose another account")
    ]


def test_somebody_who_has_to_choose_sees_that():
    (made,) = buttons(accounts_section([account(1, "Growth"), account(2, "Retirement")], default=None, fixed=False))

    assert (made["text"]["text"], made["style"]) == ("Choose an account", "primary")


def test_where_there_is_nothing_to_choose_there_is_no_button():
    assert buttons(accounts_section([account(1, "Growth")], default=1, fixed=False)) == []
    assert "no open account" in words(accounts_section([], default=None, fixed=False))


def test_of_a_shared_key_with_a_set_account_only_that_one_is_named():
    blocks = accounts_section([account(1, "Growth"), account(2, "Retirement")], default=1, fixed=True)

    assert "Growth" in words(blocks)
    assert "Retirement" not in words(blocks)
    assert "has chosen this account" in words(blocks)
    assert buttons(blocks) == []


def test_of_many_accounts_the_rest_is_counted():
    accounts = [account(n, f"Account {n}") for n in range(ACCOUNTS + 5)]

    assert "… and 5 more" in words(accounts_section(accounts, default=None, fixed=False))


def test_somebody_who_began_nothing_is_taught_how():
    said = words(recent_section([], workspace_url=URL))

    assert "three ways" in said
    assert "/omni" in said


def test_recent_conversations_can_be_opened_and_continued():
    blocks = recent_section([past(id="one"), past(id="two")], workspace_url=URL)

    accessories = [block["accessory"] for block in blocks if "accessory" in block]
    assert [(made["value"], made["text"]["text"]) for made in accessories] == [
        ("one", "Continue in Messages"),
        ("two", "Continue in Messages"),
    ]
    assert words(blocks).count("Open in Slack") == 2


@pytest.mark.parametrize(
    ("policy", "days", "said"),
    [
        (Policy(), 30, "further questions need no mention"),
        (Policy(channels=Channels(follow_ups=FollowUps.MENTION)), 30, "every question mentions me"),
        (Policy.model_validate({"access": {"where": ["C012AB3CD"]}}), 30, "in the channels that were chosen"),
        (Policy(), 30, "kept for 30 days"),
        (Policy(), 1, "kept for 1 day,"),
    ],
)
def test_the_settings_are_said_in_words(policy: Policy, days: int, said: str):
    assert said in words(settings_section(policy, retention_days=days))


def test_the_settings_name_nobody():
    policy = Policy.model_validate({"access": {"refused": ["U012AB3CD"]}, "channels": {"account_data": ["C099AB3CD"]}})

    said = words(settings_section(policy, retention_days=30))
    assert "U012AB3CD" not in said
    assert "C099AB3CD" not in said


def test_examples_are_pressed_by_number():
    assert [(b["value"], b["text"]["text"]) for b in buttons(help_section())] == [
        (str(n), example) for n, example in enumerate(EXAMPLES)
    ]


def test_whoever_may_not_use_omnibot_reads_why_and_nothing_else():
    assert words(closed_section("Omni is for members <only>.")) == "Omni is for members &lt;only&gt;."


def test_the_view_never_has_more_blocks_than_slack_takes():
    other = [section("one") for _ in range(40)]

    blocks = home_view([other_section(other) for _ in range(5)])["blocks"]

    assert len(blocks) == VIEW_BLOCKS
    assert "more than can be shown" in words(blocks[-1:])
    assert len(other_section(other)) == 30


def test_the_fingerprint_changes_with_the_content_and_with_nothing_else():
    one, same, other = (home_view([[section(text)]]) for text in ("a", "a", "b"))

    assert one["private_metadata"] == same["private_metadata"] != other["private_metadata"]


def test_an_empty_section_leaves_no_gap():
    kinds = [block["type"] for block in home_view([[section("a")], [], [section("b")]])["blocks"]]

    assert kinds == ["header", "section", "divider", "section"]
