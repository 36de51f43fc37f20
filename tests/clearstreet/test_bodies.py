"""The exact words of what we write."""

from __future__ import annotations

from omnibot.clearstreet.bodies import deep_insights_body, message_body, thread_body
from omnibot.clearstreet.models import Capability


def test_a_question_opens_an_instant_thread():
    assert thread_body(19816, text="Hi", capabilities=[Capability.OPEN_CHART]) == {
        "account_id": 19816,
        "type": "instant",
        "text": "Hi",
        "capabilities": ["OPEN_CHART"],
    }


def test_no_capability_is_said_and_no_account_is_not():
    assert thread_body(None, text="Hi") == {"type": "instant", "text": "Hi", "capabilities": []}
    assert message_body(None, text="And AMD?") == {"text": "And AMD?", "capabilities": []}
    assert message_body(0, text="x")["account_id"] == 0


def test_deep_insights_name_a_ticker_and_perhaps_a_thesis():
    target = {"type": "ticker", "ticker": "AAPL"}

    assert deep_insights_body(1, ticker="AAPL") == {
        "account_id": 1,
        "type": "deep_insights",
        "target": target,
        "capabilities": [],
    }
    assert deep_insights_body(1, ticker="AAPL", thesis="Services grow")["thesis"] == "Services grow"
