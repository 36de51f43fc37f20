"""The bytes of an order, in each revision's words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot.clearstreet.models import (
    Balances,
    DaySession,
    InstrumentType,
    LastTrade,
    MarginDetails,
    Order,
    OrderType,
    Position,
    PositionEffect,
    Quote,
    Side,
    StartOfDay,
    TimeInForce,
    TrailingOffsetType,
)
from omnibot.clearstreet.order_bodies import (
    OrderFields,
    Replacement,
    decimal_text,
    moment_text,
    order_body,
    replace_body,
)
from omnibot.clearstreet.revision import Revision

OLDEST, MIDDLE, NEWEST = Revision.V2026_04, Revision.V2026_08, Revision.V2026_10
ORDER = OrderFields(
    client_order_id="ours",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Decimal("100"),
    time_in_force=TimeInForce.DAY,
    symbol="AAPL",
    limit_price=Decimal("187.50"),
)
PLAIN = {
    "id": "ours",
    "symbol": "AAPL",
    "order_type": "LIMIT",
    "quantity": "100",
    "side": "BUY",
    "time_in_force": "DAY",
    "limit_price": "187.50",
}


@pytest.mark.parametrize("revision", Revision)
def test_an_everyday_order_is_the_same_in_every_revision(revision):
    assert order_body(ORDER, revision) == PLAIN


@pytest.mark.parametrize(
    ("revision", "written"),
    [
        (OLDEST, {"side": "SELL_SHORT", "position_effect": "OPEN", "instrument_type": "COMMON_STOCK"}),
        (Revision.EARLIER, {"side": "SELL_SHORT", "position_effect": "OPEN"}),
        (MIDDLE, {"side": "SELL_SHORT"}),
        (NEWEST, {"side": "SELL", "position_intent": "OPEN"}),
        (Revision.UNKNOWN, {"side": "SELL", "position_intent": "OPEN"}),
    ],
)
def test_a_short_sale_is_said_in_the_revisions_words(revision, written):
    short = replace(
        ORDER,
        side=Side.SELL_SHORT,
        position_effect=PositionEffect.OPEN,
        instrument_type=InstrumentType.COMMON_STOCK,
    )

    assert order_body(short, revision) == {**PLAIN, **written}


@pytest.mark.parametrize("revision", Revision)
@pytest.mark.parametrize("word", [TimeInForce.AT_THE_OPENING, TimeInForce.AT_OPEN])
def test_the_opening_is_called_what_the_revision_calls_it(revision, word):
    body = order_body(replace(ORDER, time_in_force=word), revision)

    assert body["time_in_force"] == ("AT_OPEN" if revision in (NEWEST, Revision.UNKNOWN) else "AT_THE_OPENING")


@pytest.mark.parametrize("effect", PositionEffect)
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_what_a_revision_cannot_say_is_refused_and_not_left_out(side, effect):
    with pytest.raises(ValueError, match="opens or closes"):
        order_body(replace(ORDER, side=side, position_effect=effect), MIDDLE)
    preferred = replace(ORDER, instrument_type=InstrumentType.PREFERRED_STOCK)
    assert order_body(preferred, OLDEST)["instrument_type"] == "PREFERRED_STOCK"
    for later in (MIDDLE, NEWEST):
        with pytest.raises(ValueError, match="preferred stock"):
            order_body(preferred, later)


def test_everything_an_order_can_have_is_written():
    full = replace(
        ORDER,
        symbol=None,
        instrument_id="a1a2a3a4",
        order_type=OrderType.TRAILING_STOP_LIMIT,
        quantity=Decimal("0.5000"),
        time_in_force=TimeInForce.GOOD_TILL_DATE,
        limit_price=None,
        stop_price=Decimal("1E+2"),
        limit_offset=Decimal("-0.50"),
        trailing_offset=Decimal("115"),
        trailing_offset_type=TrailingOffsetType.BPS,
        expires_at=datetime(2026, 12, 31, 16, tzinfo=timezone(timedelta(hours=-5))),
        extended_hours=False,
        position_effect=PositionEffect.CLOSE,
        strategy={"type": "DMA", "destination": "XNAS"},
    )

    assert order_body(full, NEWEST) == {
        "id": "ours",
        "instrument_id": "a1a2a3a4",
        "order_type": "TRAILING_STOP_LIMIT",
        "quantity": "0.5000",
        "side": "BUY",
        "time_in_force": "GOOD_TILL_DATE",
        "stop_price": "100",
        "limit_offset": "-0.50",
        "trailing_offset": "115",
        "trailing_offset_type": "BPS",
        "expires_at": "2026-12-31T21:00:00.000000Z",
        "extended_hours": False,
        "position_intent": "CLOSE",
        "strategy": {"type": "DMA", "destination": "XNAS"},
    }


@pytest.mark.parametrize(
    ("changes", "revision"),
    [
        ({"client_order_id": ""}, NEWEST),
        ({"client_order_id": "x" * 65}, NEWEST),
        ({"symbol": None}, NEWEST),
        ({"instrument_id": "also"}, NEWEST),
        ({"side": Side.OTHER}, OLDEST),
        ({"side": Side.OTHER}, NEWEST),
        ({"side": Side.SELL_SHORT, "position_effect": PositionEffect.CLOSE}, NEWEST),
        ({"strategy": {"type": "VWAP"}}, MIDDLE),
        ({"time_in_force": TimeInForce.OTHER}, OLDEST),
        ({"time_in_force": TimeInForce.AT_CROSSING}, MIDDLE),
        ({"time_in_force": TimeInForce.GOOD_TILL_CROSSING}, NEWEST),
        ({"quantity": Decimal("NaN")}, NEWEST),
        ({"limit_price": Decimal("Infinity")}, NEWEST),
        ({"expires_at": datetime(2026, 1, 1)}, NEWEST),  # noqa: DTZ001  # that is the mistake
    ],
)
def test_what_a_revision_cannot_say_is_not_left_out_but_refused(changes, revision):
    with pytest.raises(ValueError, match=r"\w"):
        order_body(replace(ORDER, **changes), revision)


def test_a_replacement_says_only_what_changes():
    change = Replacement(limit_price=Decimal("188.00"), trailing_offset_type=TrailingOffsetType.PRICE)

    assert replace_body(change) == {"limit_price": "188.00", "trailing_offset_type": "PRICE"}
    with pytest.raises(ValueError, match="nothing"):
        replace_body(Replacement())


def mentions(hint: object, kind: type) -> bool:
    return hint is kind or any(mentions(inner, kind) for inner in get_args(hint))


@pytest.mark.parametrize(
    "model",
    [OrderFields, Replacement, Order, Balances, MarginDetails, StartOfDay, Position, Quote, LastTrade, DaySession],
)
def test_no_amount_is_ever_a_float(model):
    hints = get_type_hints(model, include_extras=False)

    assert not any(mentions(hint, float) for hint in hints.values())
    assert any(mentions(hint, Decimal) for hint in hints.values())


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_an_amount_is_written_without_losing_or_adding_a_digit(amount):
    text = decimal_text(amount)

    assert Decimal(text) == amount
    assert "E" not in text.upper()


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.timezones()))  # noqa: DTZ001  # the strategy adds zones
def test_a_moment_is_written_in_utc_and_stays_the_same(moment):
    text = moment_text(moment)

    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment.astimezone(UTC)
