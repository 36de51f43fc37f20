"""Amounts that people type: nobody's 187,50 becomes 18,750."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from omnibot.clearstreet.models import read_action
from omnibot.clearstreet.models.enums import OrderType, Side, TimeInForce
from omnibot.orders.model import Terms
from omnibot.orders.order_parser import edited, read_drafts
from omnibot.policy.facts import OrderAction

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
LIMIT = Terms(
    act=OrderAction.NEW,
    account_id=1,
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(1),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal(1),
)


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("187.50", "187.50"),
        (" $187.50 ", "187.50"),
        ("1,500", "1500"),
        ("$12,345,678.25", "12345678.25"),
        ("1500000", "1500000"),
    ],
)
def test_an_amount_is_read_to_its_last_digit(typed: str, amount: str):
    terms, problems = edited(LIMIT, {"limit_price": typed}, NOW)
    assert (terms.limit_price, problems) == (Decimal(amount), {})


@pytest.mark.parametrize(
    "typed", ["187,50", "1,5", ",5", "1,50,000", "1.500,00", "1500,000", "1,500,", "1e3", "NaN", "１２", "--5", "$"]
)
def test_what_could_be_read_in_two_ways_is_not_read_at_all(typed: str):
    terms, problems = edited(LIMIT, {"limit_price": typed}, NOW)
    assert list(problems) == ["limit_price"]
    assert terms.limit_price == LIMIT.limit_price


@pytest.mark.parametrize("order_id", [".", "..", "...", "a b", "a,b", ""])
@pytest.mark.parametrize("act", ["CANCEL", "MODIFY"])
def test_an_id_that_is_no_id_is_not_understood(act: str, order_id: str):
    about = {"account_id": 1, "order_id": order_id, "quantity": "5"}
    about = about if act == "MODIFY" else {"account_id": 1, "order_id": order_id}
    action = read_action({"prefill_order": {"action_type": act, "orders": [about]}})
    [draft] = read_drafts(action, 1)
    assert draft.terms.order_id is None
    assert "order_id" in draft.terms.not_understood
