"""What people hear of orders besides the card: every click is answered, every outcome told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnibot_sandbox.slack.views import validate_view

from omnibot.blocks.layout.types import Page
from omnibot.blocks.orders.results import against, click_answer, click_view, outcome_page
from omnibot.orders.model import ClickOutcome, ClickResult, Ticket, TicketState
from omnibot.policy.order_rules import Rule, RuleVerdict
from tests.blocks import hostile_text
from tests.blocks.orders.test_card import BEN, SENTENCE, quiet, ticket, tickets, working
from tests.blocks.slack_limits import check, elements, strings
from tests.examples import examples

CARD = "https://slack.example/archives/C1/p1?thread_ts=1&cid=C1"


def words(page: Page) -> str:
    check(page)
    return "\n".join(strings(page.blocks))


def verdict(rule: Rule, reason: str, *ask: str, passed: bool = False) -> RuleVerdict:
    return RuleVerdict(rule, passed, reason, ask)


@pytest.mark.parametrize("answer", list(ClickOutcome))
def test_every_click_is_answered_even_when_the_service_says_nothing(answer: ClickOutcome):
    page = click_answer(ClickResult(answer=answer, message=""))

    assert words(page).endswith(".")
    assert page.text
    assert elements(page) == []


def test_a_form_is_told_what_the_rules_say_against_what_was_entered():
    verdicts = (
        verdict(Rule.ORDER_NOTIONAL, "Over your cap."),
        verdict(Rule.HALT, "fine", passed=True),
        verdict(Rule.PRICE, "Far from the market."),
    )
    looked = ClickResult(answer=ClickOutcome.EDITED, message="Over your cap. Far from the market.", verdicts=verdicts)

    assert against(looked) == ["Over your cap.", "Far from the market."]


CLICKS: list[tuple[ClickResult, list[str]]] = [
    (ClickResult(answer=ClickOutcome.APPROVED, message="Approved: it is on its way."), ["Approved: it is on its way."]),
    (
        ClickResult(
            answer=ClickOutcome.NOT_ALLOWED,
            message="You may not approve this.",
            verdicts=(verdict(Rule.TRADER, "You are no trader.", "U0BEN"), verdict(Rule.HALT, "fine", passed=True)),
            ask=("U0CLEO", "U0BEN"),
        ),
        ["You may not approve this.", "• You are no trader.", "Who can help: <@U0CLEO>, <@U0BEN>"],
    ),
    (
        ClickResult(
            answer=ClickOutcome.DENIED,
            message="Over your cap.",
            verdicts=(verdict(Rule.ORDER_NOTIONAL, "Over your cap."), verdict(Rule.PRICE, "Far from the market.")),
        ),
        ["This order may not be sent as it is.", "• Over your cap.", "• Far from the market."],
    ),
    (
        ClickResult(
            answer=ClickOutcome.INVALID, message="This makes no order.", problems={"limit_price": "Write a number."}
        ),
        ["This makes no order.", "• Limit price: Write a number."],
    ),
    (
        ClickResult(
            answer=ClickOutcome.DECIDED,
            message="This was decided already.",
            ticket=ticket(state=TicketState.SUBMITTING, approved_by=(BEN,)),
        ),
        ["This was decided already.", "Approved by <@U0BEN>. *Sending…*"],
    ),
    (
        ClickResult(
            answer=ClickOutcome.DECIDED,
            message="Too late.",
            ticket=ticket(state=TicketState.DECLINED, decided_by=BEN, reason="no"),
        ),
        ["Too late.", "*Declined* by <@U0BEN>. no."],
    ),
    (
        ClickResult(answer=ClickOutcome.SUPERSEDED, message="This card was edited.", ticket=ticket(version=2)),
        ["This card was edited.", f"It now reads: {SENTENCE}."],
    ),
    (ClickResult(answer=ClickOutcome.EXPIRED, message="It has expired."), ["It has expired."]),
]


@pytest.mark.parametrize(("click", "said"), CLICKS)
def test_the_answer_says_what_came_of_it_why_and_who_can_help(click: ClickResult, said: list[str]):
    assert words(click_answer(click)).split("\n") == said
    assert validate_view(click_view(click), "modal") == []


def test_many_reasons_are_counted():
    verdicts = tuple(verdict(Rule.PRICE, f"Reason {n}.") for n in range(9))

    assert "… and 3 more reasons" in words(
        click_answer(ClickResult(answer=ClickOutcome.DENIED, message="No.", verdicts=verdicts))
    )


OUTCOMES: list[tuple[Ticket, str, str]] = [
    (working("FILLED", filled="100", average="187.42"), "*Filled: 100 of 100 at an average of $187.42.*", ""),
    (working("PARTIALLY_FILLED", filled="40", average="187.42"), "*Partly filled: 40 of 100 at an average", ""),
    (working("REJECTED", details=["BUYING_POWER"]), "*Rejected.* The account's buying power is not enough", ""),
    (working("CANCELED"), "*Canceled.* Nothing was filled.", ""),
    (ticket(state=TicketState.REJECTED, reason="BUYING_POWER"), "No order was placed.", "Ask Omni for a changed order"),
    (ticket(state=TicketState.NOT_PLACED), "*Not placed.*", "Approve it again on its card"),
    (ticket(state=TicketState.UNKNOWN), "*It is not known whether this order was placed.*", "You need not do anything"),
]


@pytest.mark.parametrize(("one", "said", "next_step"), OUTCOMES)
def test_the_requester_hears_the_outcome_by_name_with_the_order_and_what_to_do(one: Ticket, said: str, next_step: str):
    page = outcome_page(one, card=CARD)
    lines = words(page).split("\n")

    assert lines[0].startswith("<@U0ANA> *")
    assert said in lines[0]
    assert lines[1] == f"The order: {SENTENCE}."
    assert next_step in lines[2]
    assert "<https://slack.example/archives/C1/p1?thread_ts=1&amp;cid=C1|The card>" in lines[2]
    assert SENTENCE in page.text


def test_in_their_own_messages_nobody_is_called():
    assert "<@" not in words(outcome_page(working("FILLED"), mention=False))


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", "https://a.b/|<!channel>", "https://a.b/ c"])
def test_what_is_no_address_is_no_link(address: str):
    assert "The card" not in words(outcome_page(working("FILLED"), card=address))


clicks: st.SearchStrategy[Any] = st.builds(
    ClickResult,
    answer=st.sampled_from(ClickOutcome),
    message=hostile_text.texts,
    ticket=st.none() | tickets(),
    verdicts=st.lists(
        st.builds(
            RuleVerdict,
            rule=st.sampled_from(Rule),
            passed=st.booleans(),
            reason=hostile_text.texts,
            ask=st.lists(hostile_text.texts | st.just("U0BEN"), max_size=3).map(tuple),
        ),
        max_size=9,
    ).map(tuple),
    ask=st.lists(hostile_text.texts | st.just("U0CLEO"), max_size=9).map(tuple),
    problems=st.dictionaries(hostile_text.texts | st.just("quantity"), hostile_text.texts, max_size=9),
)


@given(clicks)
@examples(60)
def test_slack_takes_the_answer_to_any_click_and_nothing_pings(click: ClickResult):
    page = click_answer(click)

    check(page)
    quiet(page)
    assert validate_view(click_view(click), "modal") == []


@given(tickets(), hostile_text.texts)
@examples(60)
def test_slack_takes_every_outcome_and_nothing_pings(one: Ticket, text: str):
    for page in (outcome_page(one, card=CARD), outcome_page(one, card=text)):
        check(page)
        quiet(page)
