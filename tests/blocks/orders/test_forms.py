"""Forms of orders: what they ask for, what they show, and what is read out of them, whatever was entered."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnibot_sandbox.slack.views import validate_view

from omnibot.blocks.orders.forms import (
    DECLINE_VIEW,
    EDIT_VIEW,
    ENTERED_ACTION,
    REPLACE_VIEW,
    block_of,
    decline_view,
    edit_view,
    field_of,
    form_errors,
    form_fields,
    read_form,
    read_reason,
    replace_view,
)
from omnibot.blocks.orders.results import form_again
from omnibot.clearstreet.models.enums import OrderType, TimeInForce, TrailingOffsetType
from omnibot.orders.click_results import SUPERSEDED, not_as_shown
from omnibot.orders.model import Terms, TicketState
from omnibot.orders.order_parser import EDITABLE, PRICES, edited
from omnibot.orders.wording import changes
from omnibot.policy.facts import OrderAction
from tests.blocks import hostile_text
from tests.blocks.orders.test_card import BUY, NOW, quiet_texts, terms_of, ticket
from tests.blocks.slack_limits import strings
from tests.examples import examples

GTD = replace(BUY, time_in_force=TimeInForce.GOOD_TILL_DATE, expires_at=datetime(2026, 12, 1, 21, tzinfo=UTC))
CHANGE = Terms(act=OrderAction.MODIFY, account_id=19816, order_id="o1", limit_price=Decimal("186.00"))


def inputs(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def asked(view: dict[str, Any]) -> list[str | None]:
    return [field_of(block_id) for block_id in inputs(view)]


def read(view: dict[str, Any]) -> str:
    return "\n".join(strings(view["blocks"]))


def filled_in(view: dict[str, Any]) -> dict[str, Any]:
    """A view's state as Slack sends it when nobody touches the form."""
    values = {}
    for block_id, block in inputs(view).items():
        element = block["element"]
        held = {
            "plain_text_input": {"value": element.get("initial_value")},
            "static_select": {"selected_option": element.get("initial_option")},
            "checkboxes": {"selected_options": element.get("initial_options", [])},
            "datetimepicker": {"selected_date_time": element.get("initial_date_time")},
        }[element["type"]]
        values[block_id] = {element["action_id"]: {"type": element["type"], **held}}
    return {"values": values}


def taken(view: dict[str, Any]) -> dict[str, Any]:
    assert validate_view(view, "modal") == []
    return view


TYPES = [
    (OrderType.MARKET, []),
    (OrderType.LIMIT, ["limit_price"]),
    (OrderType.STOP, ["stop_price"]),
    (OrderType.STOP_LIMIT, ["stop_price", "limit_price"]),
    (OrderType.TRAILING_STOP, ["trailing_offset", "trailing_offset_type"]),
    (OrderType.TRAILING_STOP_LIMIT, ["trailing_offset", "trailing_offset_type", "limit_offset"]),
]


@pytest.mark.parametrize(("kind", "prices"), TYPES)
def test_the_form_asks_for_the_prices_that_the_type_has(kind: OrderType, prices: list[str]):
    view = taken(edit_view(ticket(), {"order_type": kind.value}, now=NOW))

    assert asked(view) == ["quantity", "order_type", *prices, "time_in_force", "extended_hours"]


@pytest.mark.parametrize("kind", list(PRICES))
def test_the_prices_it_asks_for_are_those_that_an_edit_demands(kind: OrderType):
    bare = Terms(act=OrderAction.NEW, account_id=1, quantity=Decimal(1), order_type=kind, time_in_force=TimeInForce.DAY)

    assert set(edited(bare, {}, NOW)[1]) == set(PRICES[kind])


def emojis(value: Any) -> Any:
    """The same with the flags of texts as Slack may send them."""
    if isinstance(value, dict):
        return {name: True if name == "emoji" else emojis(inner) for name, inner in value.items()}
    return [emojis(inner) for inner in value] if isinstance(value, list) else value


def test_a_form_shown_again_keeps_its_name_all_that_was_entered_and_what_is_said_once():
    one = ticket(terms=GTD)
    entered = {"quantity": "20", "order_type": "STOP_LIMIT", "stop_price": "nonsense", "extended_hours": True}
    view = taken(edit_view(one, entered, now=NOW))
    shown = view | {"id": "V1", "hash": "h", "state": emojis(filled_in(view)), "previous_view_id": None, "bot_id": "B1"}
    again = taken(form_again(shown, not_as_shown(one, "1.0.another") or "nothing"))

    assert read_form(filled_in(again)) == read_form(filled_in(view)) == read_form(shown["state"])
    assert (again["callback_id"], again["private_metadata"]) == (view["callback_id"], view["private_metadata"])
    assert read(again).startswith(f"⚠ {SUPERSEDED}\nIt now reads: Buy")
    once_more = taken(form_again(again | {"state": emojis(filled_in(again))}, "Try again."))
    assert SUPERSEDED not in read(once_more)
    assert read_form(filled_in(once_more)) == read_form(filled_in(view))
    # What was emptied stays empty, and what was not entered at all stays as it was.
    emptied = {block_of("quantity"): {f"{ENTERED_ACTION}:quantity": {"type": "plain_text_input", "value": None}}}
    bare = read_form(filled_in(taken(form_again(view | {"state": {"values": emptied}}, "Try again."))))
    assert bare == read_form(filled_in(view)) | {"quantity": ""}


def test_a_reason_for_a_decline_is_kept_too():
    view = taken(decline_view(ticket()))
    typed = {"order_reason": {"order_reason": {"type": "plain_text_input", "value": "Too *much*."}}}
    again = taken(form_again(view | {"state": {"values": typed}}, "Try again."))
    assert read_reason(filled_in(again)) == "Too *much*."


def test_every_type_that_can_be_sent_is_offered():
    assert set(PRICES) == set(OrderType) - {OrderType.OTHER}


def test_an_expiry_is_asked_for_only_of_an_order_that_is_good_until_a_date():
    assert "expires_at" not in asked(edit_view(ticket(), now=NOW))
    chosen = taken(edit_view(ticket(), {"time_in_force": "GOOD_TILL_DATE"}, now=NOW))
    assert "expires_at" in asked(chosen)
    assert "⚠ Expires: A good-till-date order needs its date." in read(chosen)


def test_everything_that_can_be_asked_for_may_be_edited():
    for act, terms in ((OrderAction.NEW, GTD), (OrderAction.MODIFY, CHANGE)):
        assert set(form_fields(terms, GTD)) <= set(EDITABLE[act])
    assert form_fields(Terms(act=OrderAction.CANCEL, account_id=1), None) == ()


def test_the_first_values_are_exact():
    terms = replace(GTD, limit_price=Decimal("187.500000001"), quantity=Decimal("0.10"), extended_hours=True)
    held = {
        field_of(block_id): block["element"]
        for block_id, block in inputs(edit_view(ticket(terms=terms), now=NOW)).items()
    }

    assert held["quantity"]["initial_value"] == "0.10"
    assert held["limit_price"]["initial_value"] == "187.500000001"
    assert held["order_type"]["initial_option"]["value"] == "LIMIT"
    assert held["time_in_force"]["initial_option"]["value"] == "GOOD_TILL_DATE"
    assert held["expires_at"]["initial_date_time"] == 1796158800
    assert held["extended_hours"]["initial_options"][0]["value"] == "yes"


@pytest.mark.parametrize("terms", [BUY, GTD, replace(BUY, order_type=OrderType.MARKET, limit_price=None)])
def test_a_form_that_nobody_touched_changes_nothing(terms: Terms):
    one = ticket(terms=replace(terms, extended_hours=False))
    entered = read_form(filled_in(edit_view(one, now=NOW)))

    assert edited(one.terms, entered, NOW) == (one.terms, {})


@pytest.mark.parametrize("time", list(TimeInForce))
def test_what_is_chosen_now_is_offered_however_a_revision_spells_it(time: TimeInForce):
    view = taken(edit_view(ticket(terms=replace(GTD, time_in_force=time)), now=NOW))
    menu = inputs(view)[block_of("time_in_force")]["element"]
    labels = [option["text"]["text"] for option in menu["options"]]

    assert len(labels) == len(set(labels))
    assert ("initial_option" in menu) == (time is not TimeInForce.OTHER)


def test_it_shows_the_sentence_of_what_would_be_proposed_and_what_is_different():
    view = taken(edit_view(ticket(), {"limit_price": "186"}, now=NOW))

    assert "Buy 100 AAPL at a limit of $186.00, good for the day, account 19816 (Main)" in read(view)
    assert "Changes limit price $187.50 → $186.00" in read(view)


def test_what_makes_no_sense_is_said_instead_of_a_sentence():
    view = taken(edit_view(ticket(), {"limit_price": "cheap", "quantity": "-1"}, now=NOW))

    assert "⚠ Limit price: Write a number, such as 187.50." in read(view)
    assert "⚠ Quantity: This must be more than zero." in read(view)
    assert "Buy 100" not in read(view)
    assert inputs(view)[block_of("limit_price")]["element"]["initial_value"] == "cheap"


def test_what_the_rules_say_against_it_is_pointed_out():
    assert "⚠ Over your cap." in read(taken(edit_view(ticket(), {}, now=NOW, said=["Over your cap."])))


def test_menus_tell_at_once_and_a_typed_line_when_enter_is_pressed():
    for block in inputs(edit_view(ticket(terms=GTD), now=NOW)).values():
        assert block["dispatch_action"] is True
        assert block["element"]["action_id"].startswith(f"{ENTERED_ACTION}:")
        if block["element"]["type"] == "plain_text_input":
            assert block["element"]["dispatch_action_config"] == {"trigger_actions_on": ["on_enter_pressed"]}


def test_forms_carry_the_token_or_id_and_the_version_in_their_name_too():
    one = ticket()
    held = [
        (view["callback_id"], view["private_metadata"])
        for view in (edit_view(one, now=NOW), decline_view(one), replace_view(one, now=NOW))
    ]

    assert held == [
        (f"{EDIT_VIEW}:{one.mark}", one.press),
        (f"{DECLINE_VIEW}:{one.mark}", one.press),
        (f"{REPLACE_VIEW}:{one.mark}", f"{one.id}~{one.mark}"),
    ]


def test_the_form_that_changes_a_working_order_is_empty_and_says_how_it_is_now():
    one = ticket(state=TicketState.SUBMITTED, order={"id": "o1", "status": "NEW"})
    view = taken(replace_view(one, now=NOW))

    assert asked(view) == ["quantity", "limit_price"]
    assert all(block["optional"] and "initial_value" not in block["element"] for block in inputs(view).values())
    assert [block["hint"]["text"] for block in inputs(view).values()] == [
        "Now 100; left empty, it stays.",
        "Now 187.50; left empty, it stays.",
    ]
    assert "⚠ Enter what is to be changed." in read(view)


def test_it_shows_what_a_working_order_would_become():
    one = ticket(state=TicketState.SUBMITTED, order={"id": "o1", "status": "NEW"})
    view = taken(replace_view(one, {"quantity": "", "limit_price": "186"}, now=NOW))

    assert "Change the order to buy 100 AAPL" in read(view)
    assert "limit price $186.00 (was $187.50)" in read(view)


def test_an_order_that_was_changed_is_changed_from_what_it_became():
    one = ticket(state=TicketState.SUBMITTED, terms=CHANGE, before=replace(BUY, order_id="o1"), order={"id": "o2"})
    hints = [block["hint"]["text"] for block in inputs(taken(replace_view(one, now=NOW))).values()]

    assert hints[1] == "Now 186.00; left empty, it stays."


def test_the_unit_of_a_trailing_offset_is_named_in_words():
    trail = replace(
        BUY,
        order_type=OrderType.TRAILING_STOP,
        limit_price=None,
        trailing_offset=Decimal(50),
        trailing_offset_type=TrailingOffsetType.BPS,
    )
    view = taken(replace_view(ticket(terms=trail, state=TicketState.SUBMITTED), now=NOW))

    assert "Now basis points; left empty, it stays." in [
        block["hint"]["text"] for block in inputs(view).values() if "hint" in block
    ]


def test_declining_shows_what_would_not_be_sent_and_asks_for_no_more_than_it_needs():
    view = taken(decline_view(ticket()))

    assert "Buy 100 AAPL" in read(view)
    assert [block["optional"] for block in inputs(view).values()] == [True]


@pytest.mark.parametrize(
    ("value", "said"), [("  too big \n", "too big"), ("   ", None), (None, None), (7, None), ("x" * 900, "x" * 500)]
)
def test_a_reason_is_read_where_there_is_one(value: Any, said: str | None):
    assert read_reason({"values": {"order_reason": {"order_reason": {"value": value}}}}) == said


def test_what_is_wrong_is_said_at_its_field_and_of_a_field_that_is_not_shown_at_the_first():
    state = filled_in(edit_view(ticket(), now=NOW))

    assert form_errors({"limit_price": "Write a number.", "stop_price": "Missing."}, state) == {
        block_of("limit_price"): "Write a number.",
        block_of("quantity"): "Stop price: Missing.",
    }
    assert form_errors({"stop_price": ""}, None) == {block_of("quantity"): "Stop price:"}


@pytest.mark.parametrize("field", ["quantity", "expires_at", "extended_hours"])
def test_fields_and_blocks_name_each_other(field: str):
    assert field_of(block_of(field)) == field


@pytest.mark.parametrize("block_id", ["", "order_field:", "order_field:token", "quantity", "order_reason"])
def test_other_blocks_are_no_fields(block_id: str):
    assert field_of(block_id) is None


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["values", "value", "selected_option", "selected_options", "selected_date_time"])
            | st.sampled_from([block_of(field) for field in EDITABLE[OrderAction.NEW]])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
elements = st.dictionaries(
    st.sampled_from(["value", "selected_option", "selected_options", "selected_date_time"]), anything, max_size=3
)
states = st.builds(
    lambda held: {"values": {block: {"a": element} for block, element in held.items()}},
    st.dictionaries(st.sampled_from([block_of(field) for field in EDITABLE[OrderAction.NEW]]), elements),
)


@given(anything | states)
@examples(120)
def test_no_state_of_a_form_whatever_is_in_it_raises(state: Any):
    entered = read_form(state)
    read_reason(state)
    form_errors(dict.fromkeys(entered, "No."), state)

    new, _ = edited(BUY, entered, NOW)
    assert isinstance(new, Terms)
    assert set(entered) <= set(EDITABLE[OrderAction.NEW])


@given(
    terms_of(OrderAction.NEW),
    hostile_text.texts,
    st.none() | st.dictionaries(st.sampled_from(sorted(EDITABLE[OrderAction.MODIFY])), hostile_text.texts),
    st.lists(hostile_text.texts, max_size=12),
)
@examples(60)
def test_slack_takes_the_forms_of_whatever_is_proposed(
    terms: Terms, name: str, entered: dict[str, Any] | None, said: list[str]
):
    one = ticket(terms=terms, account_name=name)
    change = ticket(terms=replace(CHANGE, quantity=terms.quantity), before=terms, account_name=name)
    views = [
        edit_view(one, entered, now=NOW, said=said),
        edit_view(change, entered, now=NOW),
        replace_view(one, entered, now=NOW, said=said),
        decline_view(one),
    ]
    for view in views:
        taken(view)
        quiet_texts(strings(view["blocks"]))
        assert len(json.dumps(view)) < 100_000


def test_a_box_that_nobody_ticked_changes_nothing():
    new, problems = edited(BUY, {"quantity": "12", "extended_hours": False}, NOW)

    assert problems == {}
    assert changes(BUY, new) == ("quantity 100 → 12",)
    ticked = replace(BUY, extended_hours=True)
    assert edited(ticked, {"extended_hours": False}, NOW)[0].extended_hours is False
