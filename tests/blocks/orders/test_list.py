"""The list of somebody's orders: private, paged, each with the way to its card."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot.blocks.layout.types import Page
from omnibot.blocks.orders.list import PAGE, PAGE_ACTION, home_orders, orders_page
from omnibot.clearstreet.models import Order
from omnibot.clearstreet.models.enums import OrderStatus, OrderType, Side, TimeInForce
from omnibot.orders.model import Terms, Ticket
from omnibot.policy.facts import OrderAction
from tests.blocks import hostile_text
from tests.blocks.orders.test_card import NOW, SENTENCE, quiet, siblings, ticket, tickets, working
from tests.blocks.slack_limits import check, elements, strings
from tests.examples import examples

CARD = "https://slack.example/archives/C1/p1?thread_ts=1&cid=C1"


def order(**over: Any) -> Order:
    values: dict[str, Any] = {
        "id": "o9",
        "status": OrderStatus.PARTIALLY_FILLED,
        "account_id": 19816,
        "client_order_id": "somebody-else",
        "symbol": "MSFT",
        "side": Side.SELL,
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.DAY,
        "quantity": Decimal(50),
        "filled_quantity": Decimal(20),
        "average_fill_price": Decimal("412.10"),
        "limit_price": Decimal("412.00"),
        "created_at": NOW,
    }
    return Order(**values | over)


def words(page: Page) -> str:
    check(page)
    return "\n".join(strings(page.blocks))


def test_it_is_for_their_eyes_only_and_says_where_each_stands_and_where_its_card_is():
    page = orders_page([ticket(), working("FILLED", filled="100")], now=NOW, links={"t1": CARD})

    said = words(page)
    assert f"*{SENTENCE}*\nWaiting for approval. · Expires <!date^" in said
    assert "Filled: 100 of 100." in said
    assert "<https://slack.example/archives/C1/p1?thread_ts=1&amp;cid=C1|Open its card>" in said
    assert "Only you see this list." in said
    assert page.text == "Your orders: 2, of which 1 is open here."


def test_orders_of_today_that_omnibot_did_not_place_are_told_too():
    said = words(orders_page([], [order()], now=NOW))

    assert "*Sell 50 MSFT at a limit of $412.00, good for the day*" in said
    assert "Partly filled: 20 of 50 at an average of $412.10. The rest is working." in said
    assert "Account 19816 · not placed through omnibot" in said


@pytest.mark.parametrize("over", [{"id": "o1"}, {"client_order_id": "omnibot-t1"}])
def test_an_order_of_a_ticket_is_told_once(over: dict[str, Any]):
    assert "not placed through omnibot" not in words(orders_page([working("NEW")], [order(**over)], now=NOW))


def test_a_waiting_ticket_to_cancel_an_order_does_not_hide_that_order():
    cancel = ticket(terms=Terms(act=OrderAction.CANCEL, account_id=19816, order_id="o9"))

    assert "MSFT" in words(orders_page([cancel], [order()], now=NOW))


def test_whoever_has_none_is_taught_how_to_get_one():
    page = orders_page([], now=NOW)

    assert "You have no open orders" in words(page)
    assert "/omni private Prepare a limit order" in words(page)


def test_why_orders_are_missing_is_said():
    for tickets_ in ([], [ticket()]):
        assert "⚠ Clear Street is not answering." in words(
            orders_page(tickets_, now=NOW, trouble="Clear Street is not answering.")
        )


def turners(page: Page) -> list[tuple[str, str]]:
    return [(element["action_id"], element["value"]) for element in elements(page)]


@pytest.mark.parametrize(
    ("number", "shown", "buttons"),
    [
        (0, 8, [(f"{PAGE_ACTION}:older", "1")]),
        (1, 8, [(f"{PAGE_ACTION}:newer", "0"), (f"{PAGE_ACTION}:older", "2")]),
        (2, 4, [(f"{PAGE_ACTION}:newer", "1")]),
        (99, 4, [(f"{PAGE_ACTION}:newer", "1")]),
        (-1, 8, [(f"{PAGE_ACTION}:older", "1")]),
    ],
)
def test_long_lists_have_pages(number: int, shown: int, buttons: list[tuple[str, str]]):
    page = orders_page(siblings(20), now=NOW, number=number)

    assert words(page).count(SENTENCE) == shown
    assert turners(page) == buttons


def test_a_list_that_fits_has_no_pages():
    page = orders_page(siblings(PAGE), now=NOW)

    assert turners(page) == []
    assert "page" not in words(page)


@given(tickets(), hostile_text.texts, st.integers(-5, 5))
@examples(60)
def test_slack_takes_the_list_of_whatever_there_is_and_nothing_pings(one: Ticket, text: str, number: int):
    many = [order(symbol=text, details=(text,), client_order_id=text, id=f"x{n}") for n in range(9)]
    page = orders_page([one] * 9, many, now=NOW, links={"t1": text}, number=number, trouble=text)

    check(page)
    quiet(page)


@pytest.mark.parametrize(("count", "told"), [(PAGE, False), (PAGE + 1, True)])
def test_home_shows_the_newest_and_says_where_all_of_them_are(count: int, told: bool):
    said = words(Page(home_orders([ticket(id=f"t{n}") for n in range(count)], now=NOW), "Your orders."))

    assert said.count(SENTENCE) == PAGE
    assert ("`/omni orders` lists all of them." in said) is told
    assert "page 1" not in said
    assert "Older" not in said, "Home has no pages to turn"
