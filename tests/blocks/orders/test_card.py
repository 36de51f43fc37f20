"""Cards of orders: the decision first, exact, in every state, and never with a button that should not be there."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnibot_sandbox.slack.blocks import validate_message

from omnibot.accounts.model import Person
from omnibot.blocks.layout.button_versions import ClickedButton, read_click, read_clicks, read_values
from omnibot.blocks.layout.types import Page
from omnibot.blocks.limits import BLOCKS, BUTTON_TEXT
from omnibot.blocks.markdown.escaping import pings
from omnibot.blocks.orders.buttons import APPROVE, APPROVE_ALL, CANCEL, DECLINE, EDIT, REPLACE
from omnibot.blocks.orders.card import footer_card, order_card
from omnibot.blocks.orders.status import order_status, progress, reason_words, status
from omnibot.clearstreet.models.enums import (
    InstrumentType,
    OrderStatus,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
    TrailingOffsetType,
    UnknownValue,
)
from omnibot.orders.model import MarketView, Terms, Ticket, TicketState
from omnibot.policy.facts import OrderAction
from tests.blocks import hostile_text
from tests.blocks.slack_limits import check, elements, strings
from tests.examples import examples

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
at = datetime.fromisoformat
ANA, BEN, CLEO = Person("T1", "U0ANA"), Person("T1", "U0BEN"), Person("T1", "U0CLEO")
BUY = Terms(
    act=OrderAction.NEW,
    account_id=19816,
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(100),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal("187.50"),
)
SENTENCE = "Buy 100 AAPL at a limit of $187.50, good for the day, account 19816 (Main)"
SEEN = MarketView(
    at=NOW,
    bid=Decimal("187.40"),
    ask=Decimal("187.46"),
    last=Decimal("187.42"),
    quoted_at=NOW - timedelta(seconds=3),
    held=Decimal(200),
    market_open=True,
    session="regular",
)


def ticket(**over: Any) -> Ticket:
    values: dict[str, Any] = {
        "id": "t1",
        "message_id": "m1",
        "action_id": "a1",
        "position": 0,
        "owner": ANA,
        "team": "T1",
        "channel": "C1",
        "thread_ts": "1.2",
        "turn_id": None,
        "principal": "link:T1:U0ANA",
        "account_id": 19816,
        "account_name": "Main",
        "state": TicketState.PROPOSED,
        "version": 1,
        "token": "token-of-version-1",
        "content_hash": "h",
        "terms": BUY,
        "body": {},
        "unsendable": None,
        "before": None,
        "client_order_id": "omnibot-t1",
        "created_at": at("2026-11-20T15:25"),
        "expires_at": at("2026-11-20T15:35"),
    }
    return Ticket(**values | over)


def working(status: str, **more: Any) -> Ticket:
    over = status in ("FILLED", "CANCELED", "REJECTED", "EXPIRED", "REPLACED")
    order = {"id": "o1", "status": status, **more}
    return ticket(state=TicketState.SUBMITTED, order=order, order_over=over, approved_by=(BEN,))


def card(one: Ticket, seen: MarketView | None = None, *warnings: str, live: bool = True, **more: Any) -> Page:
    page = order_card(one, seen, warnings, now=NOW, trading_live=live, **more)
    check(page)
    return page


def words(page: Page) -> str:
    return "\n".join(strings(page.blocks))


def pressed(page: Page) -> list[str]:
    return [element["action_id"].partition(":")[0] for element in elements(page)]


def test_the_decision_comes_first_in_one_plain_sentence():
    page = card(ticket(), SEEN)

    assert strings(page.blocks)[0] == SENTENCE
    assert page.text.startswith(f"Waiting for approval: {SENTENCE}.")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"order_type": OrderType.MARKET, "limit_price": None}, "Buy 100 AAPL at the market price"),
        ({"side": Side.SELL_SHORT}, "Sell short 100 AAPL"),
        ({"quantity": Decimal("0.1234567890123")}, "Buy 0.1234567890123 AAPL"),
        ({"limit_price": Decimal("0.00012")}, "a limit of $0.00012"),
        ({"symbol": "AAPL  270115C00190000", "instrument_type": InstrumentType.OPTION, "quantity": Decimal(1)},
         "Buy 1 contract of the AAPL $190.00 call expiring January 15, 2027"),
        ({"side": UnknownValue("HOARD")}, "[unknown side “HOARD”] 100 AAPL"),
        ({"time_in_force": UnknownValue("TILL_RAIN")}, "[unknown time in force “TILL_RAIN”]"),
        ({"order_type": OrderType.TRAILING_STOP, "trailing_offset": Decimal(50),
          "trailing_offset_type": TrailingOffsetType.BPS}, "once it turns by 0.5 %"),
    ],
)  # fmt: skip
def test_amounts_are_exact_options_are_spelled_out_and_unknown_words_are_quoted(change: dict[str, Any], said: str):
    assert said in strings(card(ticket(terms=replace(BUY, **change))).blocks)[0]


def test_the_notional_is_quantity_times_price_times_multiplier():
    option = replace(BUY, symbol="AAPL  270115C00190000", quantity=Decimal(10), limit_price=Decimal("1.25"))

    assert "$18,750.00 (100 × $187.50)" in words(card(ticket(), SEEN))
    assert "$1,250.00 (10 × $1.25 × 100)" in words(card(ticket(terms=option), SEEN))
    assert "*Notional:* not known" in words(card(ticket(), replace(SEEN, bid=None)))


def test_the_quote_says_its_moment_and_its_age():
    said = words(card(ticket(), SEEN))

    assert "bid $187.40 · offer $187.46 · last $187.42" in said
    assert f"<!date^{int((NOW - timedelta(seconds=3)).timestamp())}^{{time_secs}}|2026-11-20 15:29:57 UTC>" in said
    assert "3 s old when this was written" in said
    assert "of unknown age" in words(card(ticket(), replace(SEEN, quoted_at=None)))
    assert "5 min old" in words(card(ticket(), replace(SEEN, quoted_at=NOW - timedelta(minutes=5))))


def test_how_far_the_market_moved_since_the_card_was_made_is_a_warning():
    shown = {"bid": "180.00", "ask": "180.10", "last": None}

    assert "⚠ The market has risen by 4.09" in words(card(ticket(seen=shown), SEEN))
    assert "The market has" not in words(card(ticket(seen=SEEN.quote()), SEEN))


def test_warnings_are_shown_and_more_than_eight_are_counted():
    said = words(card(ticket(), SEEN, "It is large.", *(f"Warning {n}." for n in range(9))))

    assert "⚠ It is large." in said
    assert "⚠ … and 2 more" in said


def test_the_card_says_who_proposed_it_for_whom_and_when_it_expires():
    said = words(card(ticket(position=1), SEEN, several=3))

    assert "Proposed by Omni for <@U0ANA>" in said
    assert "Order 2 of 3" in said
    assert "Expires <!date^1795188900^{date_short_pretty} at {time}|2026-11-20 15:35 UTC>" in said


def test_what_an_edit_changed_stays_on_the_card():
    edited = ticket(version=2, changes=("limit price $190.00 → $187.50",), edited_by=(BEN,))

    assert "Edited by <@U0BEN>: limit price $190.00 → $187.50." in words(card(edited))


def test_whoever_approved_is_named_and_a_second_person_is_asked_for():
    page = card(ticket(approved_by=(BEN,)), SEEN)

    assert "*Approved so far* by <@U0BEN>. A second person has to approve it before it is sent." in words(page)
    assert APPROVE in pressed(page)
    assert "Approved by <@U0BEN>" in words(card(ticket(state=TicketState.SUBMITTING, approved_by=(BEN,))))


WAITING = [APPROVE, EDIT, DECLINE]
STATES: list[tuple[dict[str, Any], str, list[str]]] = [
    ({}, "*Waiting for approval.*", WAITING),
    ({"state": TicketState.NOT_PLACED}, "*Not placed.* Clear Street was asked 3 times", [APPROVE]),
    ({"state": TicketState.APPROVED}, "*Sending…*", []),
    ({"state": TicketState.SUBMITTING}, "*Sending…*", []),
    ({"state": TicketState.UNKNOWN}, "*It is not known whether this order was placed.*", []),
    (
        {"state": TicketState.REJECTED, "reason": "BUYING_POWER"},
        "*Rejected.* The account's buying power is not enough",
        [],
    ),
    ({"state": TicketState.REJECTED, "request_id": "r-1"}, "Request r-1", []),
    ({"state": TicketState.COPYABLE}, "*Approved, but not sent.* Trading is off here", []),
    ({"state": TicketState.DECLINED, "decided_by": BEN, "reason": "too big"}, "*Declined* by <@U0BEN>. too big.", []),
    ({"state": TicketState.DECLINED, "reason": "Trading is halted."}, "*Declined.* Trading is halted.", []),
    ({"state": TicketState.EXPIRED}, "*Expired.* Nobody approved it in time, and nothing was sent.", []),
    ({"expires_at": at("2026-11-20T15:30")}, "*Expired.* Nobody approved it in time", []),
    ({"terms": Terms(act=OrderAction.CANCEL, account_id=19816, order_id="o1")}, "Cancel order o1", [APPROVE, DECLINE]),
]


@pytest.mark.parametrize(("change", "said", "buttons"), STATES)
def test_every_state_has_a_card_with_its_words_and_no_other_buttons(
    change: dict[str, Any], said: str, buttons: list[str]
):
    page = card(ticket(**change), SEEN)

    assert said in words(page)
    assert pressed(page) == buttons


def test_no_state_is_left_out():
    assert {change.get("state", TicketState.PROPOSED) for change, _, _ in STATES} | {TicketState.SUBMITTED} == set(
        TicketState
    )


def test_while_it_is_checked_there_is_nothing_to_press():
    page = card(ticket(), SEEN, checking=True)

    assert "*Checking…*" in words(page)
    assert pressed(page) == []


AT_WORK = [CANCEL, REPLACE]
ORDERS: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("PENDING_NEW", {}, "*Accepted by Clear Street.* It is on its way to the market.", AT_WORK),
    ("QUEUED", {}, "*Waiting to be released.*", AT_WORK),
    ("PENDING_TRIGGER", {}, "*Waiting for its stop price.*", AT_WORK),
    ("NEW", {}, "*Working.*", AT_WORK),
    ("PARTIALLY_FILLED", {"filled": "40", "average": "187.4215"},
     "*Partly filled: 40 of 100 at an average of $187.4215.* The rest is working.", AT_WORK),
    ("FILLED", {"filled": "100", "average": "187.42"}, "*Filled: 100 of 100 at an average of $187.42.*", []),
    ("REJECTED", {"details": ["SELF_MATCH"]},
     "*Rejected.* It would trade with another open order of the same account.", []),
    ("REJECTED", {"details": ["MOON_PHASE"]}, "*Rejected.* Clear Street says “MOON_PHASE”.", []),
    ("CANCELED", {"filled": "40", "details": ["Canceled by user"]},
     "*Canceled.* Filled: 40 of 100.", []),
    ("CANCELED", {}, "*Canceled.* Nothing was filled.", []),
    ("EXPIRED", {}, "*Expired.* Nothing was filled.", []),
    ("PENDING_CANCEL", {}, "*Being canceled.* It may still be filled.", []),
    ("PENDING_REPLACE", {}, "*Being changed.* It may still be filled as it was.", AT_WORK),
    ("REPLACED", {}, "*Over: another order took its place.*", []),
    ("DONE_FOR_DAY", {}, "*Done for today.*", AT_WORK),
    ("STOPPED", {}, "*Stopped by the market.*", AT_WORK),
    ("SUSPENDED", {}, "*Suspended by the market.*", AT_WORK),
    ("CALCULATED", {}, "*Done for today.* What it came to is being worked out.", AT_WORK),
    ("OTHER", {}, "*In a state for which Clear Street has no word.*", AT_WORK),
    ("LOST_AT_SEA", {"filled": "1"}, "*Clear Street says “LOST_AT_SEA”.* Filled: 1 of 100.", AT_WORK),
]  # fmt: skip


@pytest.mark.parametrize(("status", "more", "said", "buttons"), ORDERS)
def test_the_card_follows_the_order_in_plain_words(status: str, more: dict[str, Any], said: str, buttons: list[str]):
    page = card(working(status, **more))

    assert said in words(page)
    assert pressed(page) == buttons
    assert [element["value"].partition("~")[0] for element in elements(page)] == ["t1"] * len(buttons)


def test_no_order_status_is_left_out_and_none_is_shown_as_the_api_spells_it():
    assert {shown for shown, *_ in ORDERS} >= {one.value for one in OrderStatus}
    for one in OrderStatus:
        said = order_status(progress(working(one.value))).words
        assert not re.search(r"[A-Z]{2,}", said), said


def test_a_cancel_that_came_too_late_says_so():
    terms = Terms(act=OrderAction.CANCEL, account_id=19816, order_id="o1")
    order = {"id": "o1", "status": "FILLED", "filled": "100", "average": "187.42"}
    done = ticket(terms=terms, before=BUY, state=TicketState.SUBMITTED, order=order, order_over=True)

    assert "*Filled before it could be canceled: 100 of 100 at an average of $187.42.*" in words(card(done))


CHANGE = Terms(act=OrderAction.MODIFY, account_id=19816, order_id="o1", quantity=Decimal(60))
STOP = Terms(act=OrderAction.CANCEL, account_id=19816, order_id="o1")
GOES_ON = "The order goes on as it was."


@pytest.mark.parametrize(
    ("terms", "before", "reason", "said"),
    [
        (CHANGE, BUY, None, "*Changed.*"),
        (CHANGE, BUY, GOES_ON, f"*Not changed.* {GOES_ON}"),
        (STOP, BUY, GOES_ON, f"*Not canceled.* {GOES_ON}"),
        (BUY, None, "The key is not linked any more", "*Followed no more.* The key is not linked any more."),
    ],
)
def test_what_is_done_or_given_up_while_its_order_works_says_so(
    terms: Terms, before: Terms | None, reason: str | None, said: str
):
    order = {"id": "o1", "status": "NEW"}
    left = ticket(terms=terms, before=before, state=TicketState.SUBMITTED, order=order, order_over=True, reason=reason)
    page = card(left)
    assert said in words(page)
    assert pressed(page) == []


def test_an_unknown_outcome_that_nobody_looks_up_any_more_is_not_said_to_be_looked_up():
    given_up = card(ticket(state=TicketState.UNKNOWN, order_over=True, reason="The key is not linked any more."))
    assert "The key is not linked any more." in words(given_up)
    assert "looked up" not in words(given_up)


def test_what_was_not_placed_says_what_clear_street_said():
    busy = card(ticket(state=TicketState.NOT_PLACED, reason="Clear Street was too busy to take it."))
    assert "*Not placed.* Clear Street was too busy to take it." in words(busy)
    assert "3 times" not in words(busy)


def test_the_card_of_an_order_that_another_card_changed_says_what_it_is_now():
    page = card(working("NEW", quantity="60", limit_price="188.00"))
    assert "*Working.* Changed since: quantity 60, limit $188.00." in words(page)


def test_of_a_change_the_total_is_the_changed_one():
    terms = Terms(act=OrderAction.MODIFY, account_id=19816, order_id="o1", quantity=Decimal(60))
    order = {"id": "o2", "status": "PARTIALLY_FILLED", "filled": "40"}
    done = ticket(terms=terms, before=BUY, state=TicketState.SUBMITTED, order=order)

    page = card(done)
    assert "Partly filled: 40 of 60" in words(page)
    assert strings(page.blocks)[0].startswith("Change the order to buy 100 AAPL at a limit of $187.50")
    assert "quantity 60 (was 100)" in strings(page.blocks)[0]


@pytest.mark.parametrize("order", [{"id": 7, "status": 3, "filled": 1.5, "average": "x", "details": 4}, {}])
def test_strange_values_of_an_order_count_as_not_known(order: dict[str, Any]):
    assert "*Clear Street has it.*" in words(card(ticket(state=TicketState.SUBMITTED, order=order)))


# -- buttons ----------------------------------------------------------------------------------------------------------


def button_of(page: Page, action_id: str) -> dict[str, Any]:
    return next(element for element in elements(page) if element["action_id"].partition(":")[0] == action_id)


def test_approving_asks_first_with_the_same_sentence():
    approve = button_of(card(ticket(), SEEN), APPROVE)

    assert approve["confirm"]["text"]["text"] == f"{SENTENCE}."
    assert approve["style"] == "primary"


def test_buttons_carry_the_token_and_the_version_and_are_named_by_the_version():
    one = ticket()
    made = elements(card(one, SEEN))

    assert {element["value"] for element in made} == {f"token-of-version-1~{one.mark}"}
    assert {element["action_id"].partition(":")[2] for element in made} == {one.mark}


@pytest.mark.parametrize("other", [{"version": 2}, {"attempts": 1}, {"content_hash": "0123456789abcdef" * 4}])
def test_another_version_attempt_or_content_has_other_names(other: dict[str, Any]):
    shown, now = (
        {
            (block["block_id"], one["action_id"])
            for block in page.blocks
            for one in block.get("elements", ())
            if one.get("type") == "button"
        }
        for page in (card(ticket(), SEEN), card(ticket(**other), SEEN))
    )

    assert shown
    assert not shown & now


def pressed_on(page: Page, name: str) -> dict[str, Any]:
    """What Slack sends of a press."""
    row = next(block for block in page.blocks if block["type"] == "actions")
    made = button_of(page, name)
    return {"action_id": made["action_id"], "block_id": row["block_id"], "value": made["value"]}


@pytest.mark.parametrize("mixed", ["action_id", "block_id", "value"])
def test_a_press_whose_parts_are_of_two_versions_is_no_press(mixed: str):
    old, new = (pressed_on(card(one, SEEN), APPROVE) for one in (ticket(), ticket(version=2, token="token-2")))

    assert read_click(old) is not None
    assert read_click(new) is not None
    assert read_click(new | {mixed: old[mixed]}) is None


@pytest.mark.parametrize("mixed", ["action_id", "block_id", "value"])
def test_approve_all_is_of_every_version_that_it_was_shown_with(mixed: str):
    first, second = siblings(2)
    old = pressed_on(footer([first, second]), APPROVE_ALL)
    new = pressed_on(footer([first, replace(second, version=2)]), APPROVE_ALL)

    assert [press.subject for press in read_clicks(old) or ()] == ["token-0", "token-1"]
    assert read_clicks(new | {mixed: old[mixed]}) is None


@pytest.mark.parametrize(
    "hostile",
    [
        {"value": 3},
        {"value": None},
        {"value": ""},
        {"value": "~"},
        {"value": "token~"},
        {"value": "token~1.0.ab,"},
        {"value": "token~1.0.ab~1.0.ab"},
        {"value": "t" * 3_000},
        {"action_id": None},
        {"action_id": "order_approve"},
        {"action_id": "order_approve:" + "1" * 300},
        {"block_id": ["order_buttons:t:1.0.ab"]},
    ],
)
def test_a_press_that_makes_no_sense_is_no_press(hostile: dict[str, Any]):
    good = {"action_id": "order_approve:1.0.ab", "block_id": "order_buttons:t:1.0.ab", "value": "token~1.0.ab"}

    assert read_clicks(good) == [ClickedButton("token", "1.0.ab")]
    assert read_clicks(good | hostile) is None


def test_an_order_that_was_not_placed_can_only_be_approved_again():
    approve = button_of(card(ticket(state=TicketState.NOT_PLACED), SEEN), APPROVE)

    assert approve["text"]["text"] == approve["confirm"]["confirm"]["text"] == "Approve again"


def test_what_was_asked_for_on_a_card_was_not_proposed_by_omni():
    said = words(card(ticket(message_id="ticket:t0", edited_by=(BEN,)), SEEN))
    assert "Asked for by <@U0BEN>, for <@U0ANA>" in said
    assert "Omni" not in said


@pytest.mark.parametrize(
    ("terms", "reason", "said"),
    [
        (BUY, "Trading was halted before this was sent. Nothing was sent.", "*Not placed.* Trading was halted"),
        (BUY, None, "*Not placed.* Clear Street was asked 3 times and knows nothing of it."),
        (
            Terms(act=OrderAction.CANCEL, account_id=1, order_id="o1"),
            "It shows nothing of it.",
            "*Not canceled.* It shows",
        ),
    ],
)
def test_what_was_not_done_says_what_and_why(terms: Terms, reason: str | None, said: str):
    assert said in words(card(ticket(state=TicketState.NOT_PLACED, terms=terms, reason=reason), SEEN))


def test_an_order_to_be_sent_again_says_who_has_approved_it_again():
    one = ticket(state=TicketState.NOT_PLACED, approved_by=(BEN,), reason="Nothing was sent.")
    assert "*Approved again so far* by <@U0BEN>. A second person has to approve it too." in words(card(one, SEEN))


def test_while_trading_is_off_card_and_dialog_say_that_nothing_is_sent():
    page = card(ticket(), SEEN, live=False)

    assert "Trading is off here: approving sends nothing" in words(page)
    assert button_of(page, APPROVE)["confirm"]["text"]["text"] == f"{SENTENCE}. Trading is off: nothing is sent."


def test_a_sentence_too_long_for_the_dialog_points_to_the_card():
    terms = replace(BUY, order_type=OrderType.STOP_LIMIT, stop_price=Decimal("1234567890.123456789012345678"))
    name = "The third growth and income fund of the widows and orphans"
    long = ticket(terms=replace(terms, symbol="Z" * 40, quantity=Decimal("1E+20")), account_name=name, approved_by=())
    text = button_of(card(replace(long, terms=replace(long.terms, strategy="V" * 200))), APPROVE)["confirm"]["text"]

    assert len(text["text"]) <= 300
    assert text["text"].endswith("… All of it is on the card.")


@pytest.mark.parametrize(
    ("terms", "buttons"),
    [
        (replace(BUY, not_understood=("time_in_force",)), [EDIT, DECLINE]),
        (replace(BUY, not_understood=("legs",)), [DECLINE]),
        (replace(BUY, symbol=None), [DECLINE]),
    ],
)
def test_what_can_not_be_sent_can_not_be_approved_and_is_edited_only_where_that_helps(terms: Terms, buttons: list[str]):
    page = card(ticket(terms=terms, unsendable="Omni proposed something omnibot does not understand."), SEEN)

    assert pressed(page) == buttons
    assert "⚠ Omni proposed something omnibot does not understand." in words(page)


def test_a_decision_that_cannot_be_read_whole_cannot_be_approved():
    assert APPROVE not in pressed(card(ticket(terms=replace(BUY, strategy="x" * 5_000))))


def test_a_prefill_that_nobody_may_act_on_is_shown_with_the_reason_and_without_buttons():
    page = card(ticket(), SEEN, withheld="Nobody may trade here: there is no policy file.")

    assert "*Nothing can be approved here.* Nobody may trade here" in words(page)
    assert "Waiting for approval" not in words(page), "nobody can give it"
    assert "Expires" not in words(page)
    assert pressed(page) == []


def test_blocks_keep_their_ids_from_state_to_state():
    before, after = (card(ticket(state=state)) for state in (TicketState.PROPOSED, TicketState.DECLINED))
    ids = {block["block_id"] for block in after.blocks}

    assert ids <= {block.get("block_id") for block in before.blocks}


def test_a_copyable_ticket_has_every_field():
    terms = Terms(
        act=OrderAction.NEW,
        account_id=19816,
        symbol="AAPL  270115C00190000",
        instrument_type=InstrumentType.OPTION,
        side=Side.BUY,
        quantity=Decimal("1200"),
        order_type=OrderType.TRAILING_STOP_LIMIT,
        time_in_force=TimeInForce.GOOD_TILL_DATE,
        limit_price=Decimal("1.10"),
        stop_price=Decimal("1.2"),
        limit_offset=Decimal("0.05"),
        trailing_offset=Decimal("50"),
        trailing_offset_type=TrailingOffsetType.BPS,
        expires_at=datetime(2027, 1, 4, 21, tzinfo=UTC),
        extended_hours=False,
        position_effect=PositionEffect.OPEN,
        strategy="VWAP",
    )
    [block] = [b for b in card(ticket(state=TicketState.COPYABLE, terms=terms)).blocks if "order_copy" in b["block_id"]]

    assert block["elements"][0]["type"] == "rich_text_preformatted"
    assert [re.split(r"  +", line, maxsplit=1) for line in strings([block])[0].split("\n")] == [
        ["Account", "19816 (Main)"],
        ["Action", "New order"],
        ["Side", "Buy"],
        ["Quantity", "1200"],
        ["Symbol", "AAPL 270115C00190000 (AAPL $190.00 call expiring January 15, 2027)"],
        ["Instrument", "Option"],
        ["Type", "Trailing stop limit"],
        ["Limit price", "1.10"],
        ["Stop price", "1.2"],
        ["Limit offset", "0.05"],
        ["Trailing offset", "50"],
        ["Offset is in", "basis points"],
        ["Time in force", "Good until a date"],
        ["Expires", "2027-01-04 21:00 UTC"],
        ["Extended hours", "no"],
        ["Position", "Opens a position"],
        ["Worked as", "VWAP"],
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (None, ""),
        ("too big", "too big."),
        ("INVALID_TICK_SIZE: Invalid Tick Size", "Its price is not a multiple of the smallest step"),
        ("MOON_PHASE: waning", "Clear Street says “MOON_PHASE”: waning."),
        ("Replace rejected by the venue", "Replace rejected by the venue."),
    ],
)
def test_reasons_are_said_in_plain_words(reason: str | None, said: str):
    assert reason_words(reason).startswith(said)
    assert reason_words(reason_words(reason)) == reason_words(reason)


# -- several ----------------------------------------------------------------------------------------------------------


def siblings(count: int, **over: Any) -> list[Ticket]:
    return [ticket(id=f"t{n}", token=f"token-{n}", position=n, **over) for n in range(count)]


def footer(tickets: list[Ticket], *, live: bool = True) -> Page:
    page = footer_card(tickets, now=NOW, trading_live=live)
    check(page)
    return page


def test_approve_all_carries_every_waiting_token_and_says_that_legs_are_no_spread():
    tickets = [*siblings(2), ticket(id="t9", token="token-9", state=TicketState.DECLINED)]
    page = footer(tickets)

    carried = read_values(button_of(page, APPROVE_ALL)["value"]) or []
    assert [press.subject for press in carried] == ["token-0", "token-1"]
    assert "2 of 3 orders wait." in words(page)
    assert "They are not a spread" in words(page)


def test_what_waiting_orders_move_together_is_said_where_it_is_known_of_each():
    tickets = [*siblings(2), ticket(id="t9", state=TicketState.DECLINED)]

    known = footer_card(tickets, {"t0": SEEN, "t1": SEEN}, now=NOW, trading_live=True)
    assert "Together they move about $37,500.00." in words(known)
    assert "Together" not in words(footer_card(tickets, {"t0": SEEN}, now=NOW, trading_live=True))


def test_the_dialog_of_approve_all_lists_every_sentence_that_fits():
    text = button_of(footer(siblings(2)), APPROVE_ALL)["confirm"]["text"]["text"]

    assert text.startswith(f"1. {SENTENCE}.\n2. {SENTENCE}.\n")
    assert "They are not a spread" in text


def test_where_not_all_fits_it_lists_the_first_and_counts_the_others():
    text = button_of(footer(siblings(20), live=False), APPROVE_ALL)["confirm"]["text"]["text"]

    assert text.startswith(f"1. {SENTENCE}.\n")
    assert re.search(r"… and 1[789] more, on their cards\.", text)
    assert text.endswith("They are not a spread. Trading is off: nothing is sent.")
    assert len(text) <= 300


@pytest.mark.parametrize(
    ("tickets", "said"),
    [
        ([ticket(), ticket(id="t2", state=TicketState.DECLINED)], "1 of 2 orders wait."),
        (siblings(3, state=TicketState.SUBMITTED), "All 3 orders are decided."),
        (siblings(2, state=TicketState.SUBMITTED), "Both orders are decided."),
        (siblings(3, expires_at=at("2026-11-20T15:00")), "All 3 orders are decided."),
        (siblings(3, unsendable="No."), "3 of 3 orders wait."),
    ],
)
def test_approve_all_is_there_only_while_two_can_be_approved(tickets: list[Ticket], said: str):
    page = footer(tickets)

    assert pressed(page) == []
    assert said in words(page)


# -- whatever comes ---------------------------------------------------------------------------------------------------

amounts = st.none() | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**50), max_value=10**50)
moments = st.none() | st.datetimes(timezones=st.just(UTC))


def any_word(kind: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(list(kind)) | hostile_text.texts.map(UnknownValue)


def terms_of(act: OrderAction | None = None) -> st.SearchStrategy[Terms]:
    return st.builds(
        Terms,
        act=st.sampled_from(OrderAction) if act is None else st.just(act),
        account_id=st.integers(0, 2**63),
        order_id=st.none() | hostile_text.texts,
        symbol=st.none() | hostile_text.texts | st.sampled_from(["AAPL", "AAPL  270115C00190000"]),
        instrument_type=any_word(InstrumentType),
        side=any_word(Side),
        quantity=amounts,
        order_type=any_word(OrderType),
        time_in_force=any_word(TimeInForce),
        limit_price=amounts,
        stop_price=amounts,
        limit_offset=amounts,
        trailing_offset=amounts,
        trailing_offset_type=any_word(TrailingOffsetType),
        expires_at=moments,
        extended_hours=st.none() | st.booleans(),
        position_effect=any_word(PositionEffect),
        strategy=st.none() | hostile_text.texts,
        not_understood=st.lists(hostile_text.texts, max_size=3).map(tuple),
    )


seen_things = st.none() | st.builds(
    MarketView,
    at=st.just(NOW),
    bid=amounts,
    ask=amounts,
    last=amounts,
    quoted_at=moments,
    held=amounts,
    market_open=st.none() | st.booleans(),
    session=st.none() | hostile_text.texts,
    trouble=st.none() | hostile_text.texts,
)
bad_people = st.lists(
    st.one_of(st.just(BEN), st.just(CLEO), st.builds(Person, org=st.just("T1"), user=hostile_text.texts)), max_size=9
).map(tuple)
orders = st.none() | st.fixed_dictionaries(
    {"id": hostile_text.texts, "status": hostile_text.texts | st.sampled_from([one.value for one in OrderStatus])},
    optional={
        "filled": amounts.map(str),
        "average": st.floats() | amounts.map(str),
        "details": st.lists(hostile_text.texts, max_size=5),
    },
)


def tickets() -> st.SearchStrategy[Ticket]:
    return st.builds(
        ticket,
        terms=terms_of(),
        before=st.none() | terms_of(OrderAction.NEW),
        state=st.sampled_from(TicketState),
        account_name=hostile_text.texts,
        reason=st.none() | hostile_text.texts,
        unsendable=st.none() | hostile_text.texts,
        changes=st.lists(hostile_text.texts, max_size=4).map(tuple),
        approved_by=bad_people,
        edited_by=bad_people,
        decided_by=st.none() | bad_people.map(lambda found: found[0] if found else None),
        request_id=st.none() | hostile_text.texts,
        order=orders,
        seen=st.none() | st.dictionaries(st.sampled_from(["bid", "ask"]), hostile_text.texts),
        position=st.integers(0, 19),
    )


def quiet(page: Page) -> None:
    """Nobody is pinged but those whom the ticket names."""
    quiet_texts([*strings(page.blocks), page.text])


def quiet_texts(texts: list[str]) -> None:
    for text in texts:
        left = re.sub(r"<@U0(ANA|BEN|CLEO)>|<!date\^\d+\^[^|<>]*\|[^|<>]*>", "", text)
        left = left.replace("<https://slack.example/archives/C1/p1?thread_ts=1&amp;cid=C1|", "")
        assert not pings(left), left


@given(tickets(), seen_things, st.lists(hostile_text.texts, max_size=12), st.booleans())
@examples(80)
def test_slack_takes_the_card_of_whatever_is_proposed_and_nothing_pings(
    one: Ticket, seen: MarketView | None, warned: list[str], flag: bool
):
    pages = [
        order_card(one, seen, warned, now=NOW, trading_live=flag, checking=not flag, several=20),
        order_card(one, seen, warned, now=NOW, trading_live=flag, withheld=" ".join(warned)),
        footer_card([replace(one, id=f"t{n}", token=f"{n}" * 32) for n in range(20)], now=NOW, trading_live=flag),
    ]
    for page in pages:
        check(page)
        quiet(page)
        assert len(page.blocks) < BLOCKS
        for element in elements(page):
            assert len(element.get("accessibility_label", "")) <= BUTTON_TEXT


@given(tickets())
@examples(40)
def test_where_a_ticket_stands_is_one_line_of_words(one: Ticket):
    told = status(one, NOW)

    assert told.title
    assert "\n" not in told.words
    assert validate_message([{"type": "section", "text": {"type": "mrkdwn", "text": told.mrkdwn}}], "") == []
