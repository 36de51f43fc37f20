"""The list of what somebody began, and what shows where one goes on."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from omnibot_sandbox.slack.blocks import validate_message

from omnibot.blocks.history import FORGOTTEN, exchange_page, history_page, slack_date, thread_link
from omnibot.blocks.layout.types import Page
from omnibot.blocks.markdown.render import pings
from omnibot.turns.history import Exchange, PastConversation
from tests.blocks import hostile_text
from tests.blocks.slack_limits import strings

URL = "https://demo.slack.com/"
#: What we write ourselves: dates, channels, links into Slack.
_OURS = re.compile(r"<!date\^\d+\^[^|<>]*\|[^<>]*>|<#C\w+>|<https://demo\.slack\.com/[^|<>]*\|[\w ]+>")


def past(question: str | None = "What about AAPL?", **over: Any) -> PastConversation:
    fields: dict[str, Any] = {
        "id": "c1",
        "team": "T1",
        "channel": "C1",
        "thread_ts": "1700000001.000100",
        "principal": "shared",
        "account_id": 1,
        "omni_thread_id": "thread-1",
        "question": question,
        "begun_at": datetime.fromisoformat("2026-11-20T09:30"),
    }
    return PastConversation(**{**fields, **over})


def inert(page: Page) -> bool:
    return not any(pings(_OURS.sub("", text)) for text in [*strings(page.blocks), page.text])


def words(page: Page) -> str:
    return "\n".join(strings(page.blocks))


def ids(page: Page) -> list[str]:
    made = [block["accessory"] for block in page.blocks if "accessory" in block]
    made += [element for block in page.blocks if block["type"] == "actions" for element in block["elements"]]
    return [element["action_id"] for element in made]


@given(hostile_text.texts, hostile_text.texts)
@settings(max_examples=60, deadline=None)
def test_slack_takes_every_page_and_nothing_anybody_said_is_live(question: str, answer: str):
    exchange = Exchange(question * 20, answer * 50)
    pages = [
        history_page([past(question)] * 10, workspace_url=URL, number=1, more=True),
        exchange_page(exchange, link=thread_link(URL, "C1", "1700000001.000100")),
    ]

    for page in pages:
        assert validate_message(page.blocks, page.text) == []
        assert inert(page)


def test_a_row_says_what_when_and_where_and_opens_the_thread():
    said = words(history_page([past()], workspace_url=URL))

    assert "*What about AAPL?*" in said
    assert "<!date^1795167000^{date_short_pretty} at {time}|2026-11-20 09:30 UTC>" in said
    assert "in <#C1>" in said
    assert f"<{URL}archives/C1/p1700000001000100?thread_ts=1700000001.000100&amp;cid=C1|Open in Slack>" in said


def test_a_conversation_in_a_dm_does_not_name_the_channel():
    said = words(history_page([past(channel="D1")], workspace_url=URL))

    assert "in your messages with me" in said
    assert "<#" not in said


def test_a_long_question_is_cut_and_a_forgotten_one_says_so():
    said = words(history_page([past("word " * 50), past(None)], workspace_url=URL))

    assert "word…*" in said
    assert f"_{FORGOTTEN}_" in said


def test_only_what_omni_knows_can_go_on():
    page = history_page([past(), past(omni_thread_id=None)], workspace_url=URL)

    assert ids(page) == ["omni_continue:0"]


@pytest.mark.parametrize(
    ("number", "more", "turners"),
    [
        (0, False, []),
        (0, True, ["omni_threads:older"]),
        (1, True, ["omni_threads:newer", "omni_threads:older"]),
        (2, False, ["omni_threads:newer"]),
    ],
)
def test_pages_are_turned_where_there_are_pages(number: int, more: bool, turners: list[str]):
    page = history_page([past()], workspace_url=URL, number=number, more=more)

    assert [i for i in ids(page) if i.startswith("omni_threads")] == turners


def test_the_first_empty_page_teaches_and_a_later_one_leads_back():
    assert "/omni What moved NVDA" in words(history_page([], workspace_url=URL))
    assert ids(history_page([], workspace_url=URL, number=3)) == ["omni_threads:newer"]


def test_the_last_exchange_is_shown_shortened_with_a_link_back():
    page = exchange_page(Exchange("and AMD?", "**AMD** is up. " + "More. " * 500), link="https://x/y")
    said = words(page)

    assert "> and AMD?" in said
    assert "AMD is up." in said
    assert "More…" in said or "More.…" in said
    assert "<https://x/y|The whole conversation so far>" in said
    assert "no mention is needed" in said


def test_without_the_last_exchange_there_is_still_a_link_back():
    assert "<https://x/y|The whole conversation so far>" in words(exchange_page(None, link="https://x/y"))


def test_a_date_is_the_readers_own_with_utc_for_old_clients():
    assert slack_date(datetime.fromisoformat("2026-01-02T03:04")).endswith("|2026-01-02 03:04 UTC>")
