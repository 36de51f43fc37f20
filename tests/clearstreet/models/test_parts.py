"""Content: what is known is typed and exact, what is not keeps its JSON, and nothing raises."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot.clearstreet.models import (
    ActionButton,
    CancelOrder,
    ChartPart,
    CustomPart,
    ModifyOrder,
    NewOrder,
    OpenChart,
    OpenEntitlementConsent,
    OpenScreener,
    OrderType,
    PositionEffect,
    PrefillCancel,
    PrefillModify,
    PrefillNew,
    ScreenerFilter,
    Side,
    StructuredActionPart,
    SuggestedActionsPart,
    SymbolChart,
    TextPart,
    ThinkingPart,
    TimeInForce,
    UnknownAction,
    UnknownPart,
    UnknownValue,
    dump_part,
    read_action,
    read_part,
    read_parts,
)
from omnibot.clearstreet.models.scalars import decode

NEW = {"order_type": "LIMIT", "quantity": "10", "side": "BUY", "time_in_force": "DAY", "symbol": "AAPL"}


def new_order(**fields: Any) -> Any:
    return read_action({"prefill_order": {"action_type": "NEW", "orders": [{**NEW, **fields}]}})


def order(**fields: Any) -> NewOrder:
    action = new_order(**fields)
    assert isinstance(action, PrefillNew)
    return action.orders[0]


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        ({"type": "text", "text": "hi"}, TextPart("hi")),
        ({"type": "text", "text": "", "new": 1}, TextPart("")),
        ({"type": "thinking", "thoughts": ["a", "b"]}, ThinkingPart(("a", "b"))),
        ({"type": "custom", "payload": {"any": [1]}}, CustomPart({"any": [1]})),
        ({"type": "suggested_actions", "payload": {}}, SuggestedActionsPart(())),
        ({"type": "suggested_actions", "payload": {"actionButtons": None}}, SuggestedActionsPart(())),
    ],
)
def test_known_parts_are_read(raw, part):
    assert read_part(raw) == part


@pytest.mark.parametrize(
    "raw",
    [
        None,
        5,
        "text",
        [],
        {},
        {"type": None},
        {"type": ["text"]},
        {"type": "text"},
        {"type": "text", "text": 5},
        {"type": "text", "text": None},
        {"type": "thinking", "thoughts": "x"},
        {"type": "thinking", "thoughts": [1]},
        {"type": "structured_action", "action": {"open_chart": {"symbol": "A"}}},
        {"type": "chart"},
        {"type": "chart", "payload": 5},
        {"type": "suggested_actions"},
        {"type": "suggested_actions", "payload": []},
        {"type": "custom"},
        {"type": "hologram", "payload": {"depth": 3}},
    ],
)
def test_what_cannot_be_read_keeps_its_json(raw):
    part = read_part(raw)

    assert isinstance(part, UnknownPart)
    assert part.raw == raw


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (None, ()),
        ({}, ()),
        ({"parts": None}, ()),
        ({"parts": []}, ()),
        ({"parts": [{"type": "text", "text": "a"}, 5]}, (TextPart("a"), UnknownPart("", 5))),
        ("words", (UnknownPart("", "words"),)),
        ({"parts": "words"}, (UnknownPart("", {"parts": "words"}),)),
        ({"segments": [1]}, (UnknownPart("", {"segments": [1]}),)),
    ],
)
def test_content_that_is_no_list_of_parts_is_not_lost(content, parts):
    assert read_parts(content) == parts


def test_buttons_are_read_from_camel_case():
    raw = {
        "type": "suggested_actions",
        "payload": {
            "clickedItemIds": ["i1"],
            "actionButtons": [
                {"buttonId": "b1", "label": "Positions", "prompt": {"prompt": "What do I hold?"}, "itemId": "i1"},
                {"buttonId": "b2", "label": "Trade", "structuredAction": {"actionId": "a1"}, "clicked": True},
                {"buttonId": "b3", "label": "Nothing", "prompt": None, "structuredAction": {"actionId": None}},
                {"buttonId": "b4"},
                "rubbish",
            ],
        },
    }
    part = read_part(raw)

    assert part == SuggestedActionsPart(
        (
            ActionButton("b1", "Positions", prompt="What do I hold?", item_id="i1"),
            ActionButton("b2", "Trade", action_id="a1", clicked=True),
            ActionButton("b3", "Nothing"),
        )
    )
    assert isinstance(part, SuggestedActionsPart)
    assert part.raw == raw


def test_a_chart_keeps_exact_numbers_and_leaves_gaps():
    body = b"""{"type": "chart", "payload": {"chartId": "c1", "clicked": true, "dataChart": {"series": [
        {"name": "NAV", "points": [
            {"x": "Jan", "y": 0.1000000000000000055}, {"x": "Feb", "y": null}, {"x": "Mar", "y": 7}]},
        {"name": "empty"}]}, "symbolChart": null}}"""
    part = read_part(decode(body))

    assert isinstance(part, ChartPart)
    assert part.payload.chart_id == "c1"
    assert part.payload.clicked
    assert part.payload.symbol_chart is None
    assert part.payload.data_chart is not None
    nav, empty = part.payload.data_chart.series
    assert [(point.x, str(point.y)) for point in nav.points] == [("Jan", "0.1000000000000000055"), ("Mar", "7")]
    assert (empty.name, empty.points) == ("empty", ())


def test_a_symbol_chart_is_read():
    part = read_part(
        {"type": "chart", "payload": {"chartId": "c", "symbolChart": {"symbol": "AAPL", "timeframe": "1M"}}}
    )

    assert isinstance(part, ChartPart)
    assert part.payload.symbol_chart == SymbolChart("AAPL", "1M")


def test_a_structured_action_of_the_newest_revision_is_read():
    raw = {
        "type": "structured_action",
        "action_id": "a1",
        "clicked": True,
        "clicked_item_ids": ["i1"],
        "item_id": "i0",
        "action": {"open_chart": {"symbol": "AAPL", "timeframe": "1D", "extras": None, "item_id": "i1"}},
    }
    part = read_part(raw)

    assert part == StructuredActionPart("a1", OpenChart("AAPL", "1D", item_id="i1"), True, ("i1",), "i0")
    assert isinstance(part, StructuredActionPart)
    assert part.raw == raw


@pytest.mark.parametrize(
    "names",
    [("requested_entitlement_codes", "trading_account_ids"), ("entitlement_codes", "account_ids")],
)
def test_consent_is_read_in_both_revisions_names(names):
    codes, accounts = names
    raw = {"agreement_key": "omni_account_data_access", "reason": "r", codes: ["omni.account_data"], accounts: [1, "2"]}

    assert read_action({"open_entitlement_consent": raw}) == OpenEntitlementConsent(
        "omni_account_data_access", ("omni.account_data",), (1, 2), "r"
    )


@pytest.mark.parametrize("name", ["field_filter", "columns"])
def test_a_screener_is_read_in_both_revisions_names(name):
    raw = {"filters": [{"field": "price", "operator": "gte", "value": [1]}], name: ["symbol"], "sort_direction": "ASC"}

    assert read_action({"open_screener": raw}) == OpenScreener(
        (ScreenerFilter("price", "gte", [1]),), ("symbol",), sort_direction="ASC"
    )


def test_an_order_of_the_first_revision_is_read():
    read = order(
        instrument_type="OPTION",
        position_effect="OPEN",
        limit_price="190.50",
        expires_at="2026-12-18T21:00:00Z",
        extended_hours=False,
        id="proposed",
    )

    assert (read.order_type, read.side, read.time_in_force) == (OrderType.LIMIT, Side.BUY, TimeInForce.DAY)
    assert (read.quantity, str(read.limit_price)) == (Decimal(10), "190.50")
    assert read.position_effect is PositionEffect.OPEN
    assert read.extended_hours is False
    assert read.unknown_fields == ()


def test_an_order_of_the_newest_revision_is_read():
    read = order(position_intent="CLOSE", strategy={"type": "VWAP"}, item_id="i", time_in_force="AT_OPEN")

    assert read.position_effect is PositionEffect.CLOSE
    assert read.time_in_force is TimeInForce.AT_OPEN
    assert read.strategy == {"type": "VWAP"}
    assert read.unknown_fields == ()


def test_an_order_says_what_of_it_was_not_understood():
    read = order(side="BORROW", all_or_none=True, nothing=None)

    assert read.side == "BORROW"
    assert isinstance(read.side, UnknownValue)
    assert read.unknown_fields == ("all_or_none",)
    assert read.raw == {**NEW, "side": "BORROW", "all_or_none": True, "nothing": None}


def test_cancel_and_modify_are_read():
    assert read_action(
        {"prefill_order": {"action_type": "CANCEL", "orders": [{"account_id": 19816, "order_id": "o"}]}}
    ) == PrefillCancel((CancelOrder(19816, "o"),))
    assert read_action(
        {"prefill_order": {"action_type": "MODIFY", "orders": [{"limit_price": "1.10", "quantity": None}]}}
    ) == PrefillModify((ModifyOrder(limit_price=Decimal("1.10")),))


@pytest.mark.parametrize(
    "fields",
    [
        {"limit_price": {}},
        {"limit_price": True},
        {"quantity": None},
        {"quantity": [1]},
        {"side": 5},
        {"extended_hours": "yes"},
        {"expires_at": 5},
        {"symbol": 5},
        {"strategy": "VWAP"},
    ],
)
def test_half_an_order_is_never_an_order(fields):
    action = new_order(**fields)

    assert isinstance(action, UnknownAction)
    assert action.kind == "prefill_order NEW"
    assert action.raw["prefill_order"]["orders"] == [{**NEW, **fields}]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (None, ""),
        ({}, ""),
        ({"open_chart": {"symbol": "A"}, "open_screener": {"filters": []}}, ""),
        ({"open_chart": None}, "open_chart"),
        ({"open_moon": {}}, "open_moon"),
        ({"prefill_order": {"action_type": "SPREAD", "orders": []}}, "prefill_order SPREAD"),
        ({"prefill_order": {"action_type": ["NEW"], "orders": []}}, "prefill_order ['NEW']"),
    ],
)
def test_an_action_that_cannot_be_read_keeps_its_json(raw, kind):
    assert read_action(raw) == UnknownAction(kind, raw)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ('"10"', Decimal(10)),
        ('"0.10"', Decimal("0.10")),
        ("0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
        ("123456789012345678901234567890.12", Decimal("123456789012345678901234567890.12")),
        ("9007199254740993", Decimal("9007199254740993")),
        ('"-1.5"', Decimal("-1.5")),
        ('"NaN"', "NaN"),
        ('"Infinity"', "Infinity"),
        ('"1e999999999"', "1e999999999"),
        ("1e999999999", "1e999999999"),
        ("1.5e3", "1.5e3"),
        ("NaN", "NaN"),
        ('"1_000"', "1_000"),
        ('" 10 "', " 10 "),
        ('"a few"', "a few"),
    ],
)
def test_amounts_are_exact_or_stay_text(written, amount):
    body = f'{{"prefill_order": {{"action_type": "NEW", "orders": [{{"quantity": {written}, "order_type": "MARKET",'
    action = read_action(decode(f'{body} "side": "BUY", "time_in_force": "DAY"}}]}}}}'.encode()))

    assert isinstance(action, PrefillNew)
    assert action.orders[0].quantity == amount
    assert str(action.orders[0].quantity) == str(amount)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
words = st.sampled_from(["text", "thinking", "structured_action", "chart", "suggested_actions", "custom", "new"])
NAMES = """
    type text thoughts action_id action payload chartId actionButtons dataChart series points x y prefill_order
    action_type orders open_chart open_screener filters open_entitlement_consent buttonId label prompt
"""
names = st.sampled_from(NAMES.split())
likely = st.recursive(
    anything | words, lambda inner: st.dictionaries(names, inner, max_size=5) | st.lists(inner, max_size=3)
)
part_like = st.builds(lambda kind, rest: {**rest, "type": kind}, words, st.dictionaries(names, likely, max_size=5))


@given(part_like | anything)
def test_any_json_is_a_part_and_keeps_its_json(raw):
    decoded = decode(json.dumps(raw).encode())
    part = read_part(decoded)
    kept = dump_part(part)

    if isinstance(part, TextPart | ThinkingPart | CustomPart):
        assert kept.items() <= decoded.items()
    else:
        assert kept == decoded
    assert read_part(decode(json.dumps(kept).encode())) == part


@given(st.binary() | anything.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_json_or_a_value_error(body):
    try:
        value = decode(body)
    except ValueError:
        return
    json.dumps(value).encode()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'"\\ud83d\\ude00 \\ud83d!"', "\U0001f600 �!"),
        (b'["\\uDC00", {"\\ud800": 1}]', ["�", {"�": 1}]),
        (b'"caf\xe9"', "caf�"),
        (b'"' + b"x" * 100_000 + b'"', "x" * 100_000),
        (b"1" * 5000, "1" * 5000),
    ],
)
def test_odd_json_is_mended(body, value):
    assert decode(body) == value


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"a":'])
def test_what_is_no_json_is_a_value_error(body):
    with pytest.raises(ValueError, match=r".*"):
        decode(body)
