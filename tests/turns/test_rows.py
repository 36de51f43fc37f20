"""Rows outlive the names in the code: what an earlier version stored is read, and what is stored keeps its names."""

from typing import Any

from omnibot.turns.model import Outcome, TurnAnswer
from omnibot.turns.rows import answer_json, read_answer

#: As the version of October 2026 stored it.
STORED: dict[str, Any] = {
    "outcome": "succeeded",
    "parts": [{"type": "text", "text": "Up."}],
    "reason": None,
    "request_id": "r-1",
    "exhibits": [{"kind": "symbol", "symbol": "AAPL", "part": 0}],
}


def test_an_answer_that_an_earlier_version_stored_is_read():
    answer = read_answer(STORED)
    assert answer.outcome is Outcome.SUCCEEDED
    assert answer.market_cards == STORED["exhibits"]
    assert answer.parts == STORED["parts"]


def test_an_answer_is_stored_under_the_names_that_earlier_versions_read():
    stored = answer_json(TurnAnswer(Outcome.SUCCEEDED, market_cards=STORED["exhibits"]))
    assert stored["exhibits"] == STORED["exhibits"]
    assert "market_cards" not in stored
    assert read_answer(stored).market_cards == STORED["exhibits"]
