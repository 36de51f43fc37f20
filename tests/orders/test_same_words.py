"""What is read is what is sent: the sentence that is approved and the bytes that go out say the same, both ways.

The sentence is read back here by a reader of its own, which knows nothing of how it was written. Left aside are the
client order id, which omnibot makes of the ticket and nobody chooses; the account's name, which Clear Street gives it;
and the type of the instrument where the symbol says it: an option's symbol is one of an option, and a ticker without a
further word is common stock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omnibot.blocks.orders.manual_entry import NAMES
from omnibot.blocks.orders.manual_entry import fields as copied_fields
from omnibot.clearstreet.models.enums import (
    InstrumentType,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
    TrailingOffsetType,
)
from omnibot.clearstreet.models.options import read_option
from omnibot.clearstreet.models.scalars import decode
from omnibot.clearstreet.revision import Revision
from omnibot.db.engine import Database
from omnibot.orders.model import ClickOutcome, Terms, read_terms, write_terms
from omnibot.orders.order_parser import body_of, edited, read_drafts, understood
from omnibot.orders.ticket_factory import changed
from omnibot.orders.wording import sentence
from omnibot.policy.facts import OrderAction
from tests.examples import examples
from tests.orders.harness import open_emulator, open_safe

ACCOUNT, OURS = 19816, "omnibot-0123456789abcdef"
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
SIZES = st.decimals(allow_nan=True, allow_infinity=True) | st.decimals("0.0001", "100000", places=4)
AMOUNTS = ("quantity", "limit_price", "stop_price", "limit_offset", "trailing_offset")
PRICES = AMOUNTS[1:]
EXACT = Context(prec=100)


# -- the reader -------------------------------------------------------------------------------------------------------

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAY = rf"(?:{'|'.join(_MONTHS)}) \d{{1,2}}, \d+"
_MOMENT = rf"{_DAY}, \d\d:\d\d(?::\d\d(?:\.\d+)?)? (?:UTC|New York time)"
_MONEY = r"−?\$[\d,.]+"
_TIMES = {
    "good for the day": "DAY",
    "good until canceled": "GOOD_TILL_CANCEL",
    "immediate or cancel": "IMMEDIATE_OR_CANCEL",
    "fill or kill": "FILL_OR_KILL",
    "at the opening": "OPENING",
    "at the close": "CLOSE",
    "good till crossing": "GOOD_TILL_CROSSING",
    "good through crossing": "GOOD_THROUGH_CROSSING",
    "at crossing": "AT_CROSSING",
}
_TIME_NAMES = {"AT_OPEN": "OPENING", "AT_THE_OPENING": "OPENING", "AT_CLOSE": "CLOSE", "AT_THE_CLOSE": "CLOSE"}
_ORDER = re.compile(
    r"(?P<verb>Buy|Sell short|Sell)(?: to (?P<effect>open|close))? (?P<quantity>-?[\d,.]+) "
    r"(?:contracts? of the (?P<option>.+?)|(?P<symbol>\S+?)(?P<preferred> preferred stock)?)"
    r" (?P<price>at the market price(?: once.*?)?|at a limit of.*?|once it turns by.*?), "
    rf"(?P<time>good until {_MOMENT}|{'|'.join(_TIMES)})"
    r"(?P<hours>, extended hours too|, regular hours only)?(?:, worked as (?P<strategy>\w+))?"
)
_PRICES = (
    ("MARKET", r"at the market price"),
    ("LIMIT", rf"at a limit of (?P<limit_price>{_MONEY})"),
    ("STOP", rf"at the market price once it (?P<turn>rises|falls) to (?P<stop_price>{_MONEY})"),
    (
        "STOP_LIMIT",
        rf"at a limit of (?P<limit_price>{_MONEY}) once it (?P<turn>rises|falls) to (?P<stop_price>{_MONEY})",
    ),
    ("TRAILING_STOP", rf"at the market price once it turns by (?P<trail>{_MONEY}|-?[\d,.]+ %)"),
    (
        "TRAILING_STOP_LIMIT",
        rf"once it turns by (?P<trail>{_MONEY}|-?[\d,.]+ %), at a limit (?P<limit_offset>{_MONEY}) from there",
    ),
)
_CHANGES = {
    "quantity": "quantity",
    "limit price": "limit_price",
    "stop price": "stop_price",
    "limit offset": "limit_offset",
    "trailing offset": "trailing_offset",
    "unit of the trailing offset": "trailing_offset_type",
}
_ACCOUNT = r", account (?P<account>\d+)(?: \(.*\))?"


def amount(words: str) -> Decimal:
    return Decimal(words.replace("−", "-").replace("$", "").replace(",", ""))


def moment(words: str) -> datetime:
    month, rest = words.split(" ", 1)
    day, year, clock = rest.split(", ", 2)
    time, zone = clock.split(" ", 1)
    hour, minute, second = [*time.split(":"), "0"][:3]
    whole, _, part = second.partition(".")
    there = datetime(  # noqa: DTZ001 -- the zone follows
        int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(whole), int(part.ljust(6, "0"))
    )
    return there.replace(tzinfo=UTC if zone == "UTC" else NEW_YORK).astimezone(UTC)


def read_order(words: str) -> dict[str, Any]:
    """A new order as its sentence says it."""
    found = _ORDER.fullmatch(words)
    assert found is not None, words
    said: dict[str, Any] = {"quantity": amount(found["quantity"]), "side": found["verb"].split()[0].upper()}
    if found["effect"] or found["verb"] == "Sell short":
        said["effect"] = "OPEN" if found["verb"] == "Sell short" else found["effect"].upper()
    if found["option"]:
        root, strike, right, day = re.fullmatch(  # type: ignore[union-attr]  # its absence fails the test
            rf"(\S+) \$([\d,.]+) (call|put) expiring ({_DAY})(?: \(adjusted contract\))?", found["option"]
        ).groups()
        said["option"] = (root, right.upper(), Decimal(strike.replace(",", "")), moment(f"{day}, 00:00 UTC").date())
    else:
        said["symbol"] = found["symbol"]
    if found["preferred"]:
        said["instrument_type"] = "PREFERRED_STOCK"
    matches = [(kind, hit) for kind, pattern in _PRICES if (hit := re.fullmatch(pattern, found["price"]))]
    [(said["order_type"], price)] = matches
    for name, value in price.groupdict().items():
        if name == "trail":
            percent = value.endswith("%")
            said["trailing_offset_type"] = "BPS" if percent else "PRICE"
            trail = amount(value.removesuffix(" %"))
            said["trailing_offset"] = EXACT.multiply(trail, 100) if percent else trail
        elif name == "turn":
            assert value == ("rises" if found["verb"] == "Buy" else "falls")
        else:
            said[name] = amount(value)
    time = found["time"]
    said["time_in_force"] = _TIMES.get(time, "GOOD_TILL_DATE")
    if said["time_in_force"] == "GOOD_TILL_DATE":
        said["expires_at"] = moment(time.removeprefix("good until "))
    if found["hours"]:
        said["extended_hours"] = "extended" in found["hours"]
    if found["strategy"]:
        said["strategy"] = {"type": found["strategy"]}
    return said


def read_sentence(words: str) -> dict[str, Any]:
    """Everything that a sentence says would be done."""
    found = re.fullmatch(rf"(?P<what>.*?){_ACCOUNT}", words)
    assert found is not None, words
    said: dict[str, Any] = {"account": int(found["account"])}
    what = found["what"]
    about = re.match(r"(?P<act>Cancel|Change) (?:the order to .* \(order (?P<a>\S+)\)|order (?P<b>\S+))", what)
    if about is None:
        return {**said, "act": OrderAction.NEW, **read_order(what)}
    said |= {
        "act": {"Cancel": OrderAction.CANCEL, "Change": OrderAction.MODIFY}[about["act"]],
        "order": about["a"] or about["b"],
    }
    rest = what[about.end() :]
    if about["act"] == "Cancel":
        assert rest == ""
        return said
    for one in rest.removeprefix(" to ").split(" and "):
        hit = re.fullmatch(rf"({'|'.join(_CHANGES)}) (\S+)(?: \(was [^()]*\))?", one)
        assert hit is not None, one
        name = _CHANGES[hit[1]]
        said[name] = hit[2].upper() if name == "trailing_offset_type" else amount(hit[2])
    return said


def sent(terms: Terms, body: Mapping[str, Any] | None) -> dict[str, Any]:
    """Everything that a call says: its path and its body, but for the client order id, in the reader's words."""
    said: dict[str, Any] = {"account": terms.account_id, "act": terms.act}
    if terms.act is not OrderAction.NEW:
        said["order"] = terms.order_id
    given = dict(body or {})
    if terms.act is OrderAction.NEW:
        assert given.pop("id") == OURS
    for name, value in given.items():
        match name:
            case "symbol" if (option := read_option(value)) is not None:
                said["option"] = (option.root, option.right.value, option.strike, option.expiry)
            case "side":
                said["side"] = "SELL" if value == "SELL_SHORT" else value
                if value == "SELL_SHORT":
                    said["effect"] = "OPEN"
            case "position_effect" | "position_intent":
                said["effect"] = value
            case "time_in_force":
                said[name] = _TIME_NAMES.get(value, value)
            case "expires_at":
                said[name] = datetime.fromisoformat(value)
            case "instrument_type":
                if value == "PREFERRED_STOCK":
                    said[name] = value
                else:
                    assert (value == "OPTION") == (read_option(given["symbol"]) is not None)
            case _:
                said[name] = Decimal(value) if name in AMOUNTS else value
    return said


def holds(terms: Terms, revision: Revision, before: Terms | None = None) -> bool:
    """Whether these terms can be sent; and if so, that the sentence and the call say the same."""
    terms = read_terms(write_terms(terms))  # as they are stored
    body, why_not = body_of(terms, OURS, revision)
    if why_not is not None:
        return False
    assert_copied(terms, body)
    for known in (before, None):
        words = sentence(terms, account_name="Main", before=known)
        assert read_sentence(words) == sent(terms, body), words
    return True


def assert_copied(terms: Terms, body: Mapping[str, Any] | None) -> None:
    """Whoever types the order in by hand reads every amount, moment and word of the call too."""
    copied = dict(copied_fields(terms))
    for name, value in (body or {}).items():
        if name in ("symbol", *AMOUNTS):
            assert copied[NAMES[name]].startswith(" ".join(value.split()))  # OSI symbols are read with any blanks
        elif name == "expires_at":
            day, clock, _ = copied[NAMES[name]].split()
            assert datetime.fromisoformat(f"{day}T{clock}+00:00") == datetime.fromisoformat(value)
        elif name == "extended_hours":
            assert copied[NAMES[name]] == ("yes" if value else "no")
    assert terms.act is OrderAction.NEW or copied[NAMES["order_id"]] == terms.order_id


# -- what is proposed -------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, NEW_YORK, timezone(timedelta(hours=14))])).map(
    datetime.isoformat
) | st.sampled_from(["2027-11-07T05:30:00Z", "2027-11-07T06:30:00Z", "2027-01-15T21:00:30.25Z", "2027-01-15T21:00:00"])
TYPED = st.decimals("0.01", "5000", places=2).map(str) | SIZES.map(lambda one: f"{one:f}" if one.is_finite() else "NaN")
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "symbol": st.sampled_from(
        [
            "AAPL",
            "BRK.B",
            "AAPL  270115C00190000",
            "AAPL1 270115P00190500",
            "aapl 270115C00190000",
            "AAPL at the market price, good for the day",
            "AAPL, account 1",
            "",
        ]
    ),
    "side": st.sampled_from([*Side, "WAVE"]),
    "quantity": TYPED,
    "order_type": st.sampled_from([*OrderType, "WISH"]),
    "time_in_force": st.sampled_from([*TimeInForce, "WHENEVER"]),
}
MORE: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(PRICES, TYPED),
    "trailing_offset_type": st.sampled_from([*TrailingOffsetType, "MILES"]),
    "expires_at": MOMENTS,
    "extended_hours": st.booleans(),
    "position_effect": st.sampled_from([*PositionEffect, "TURN"]),
    "position_intent": st.sampled_from([*PositionEffect]),
    "instrument_type": st.sampled_from([*InstrumentType, "TULIP"]),
    "strategy": st.sampled_from([{"type": "VWAP"}, {"type": "VWAP", "speed": 1}, {"type": "GUESS"}]),
    "instrument_id": st.just("0195f6c7"),
    "order_id": st.just("o1"),
    "item_id": st.just("1"),
}
OF_TYPE: dict[str, tuple[str, ...]] = {
    "MARKET": (),
    "LIMIT": ("limit_price",),
    "STOP": ("stop_price",),
    "STOP_LIMIT": ("limit_price", "stop_price"),
    "TRAILING_STOP": ("trailing_offset", "trailing_offset_type"),
    "TRAILING_STOP_LIMIT": ("trailing_offset", "trailing_offset_type", "limit_offset"),
}


@st.composite
def likely_orders(draw: st.DrawFn) -> dict[str, Any]:
    """Orders that make sense, or nearly: with one field more, mostly."""
    kind = draw(st.sampled_from(list(OF_TYPE)))
    time = draw(st.sampled_from([one for one in TimeInForce if one is not TimeInForce.OTHER]))
    price = st.decimals("0.01", "5000", places=4).map(str)
    order = {
        "symbol": draw(st.sampled_from(["AAPL", "BRK.B", "AAPL  270115C00190000"])),
        "side": draw(st.sampled_from(["BUY", "SELL", "SELL_SHORT"])),
        "quantity": draw(price),
        "order_type": kind,
        "time_in_force": time,
        **{name: draw(price) for name in OF_TYPE[kind]},
    }
    if "trailing_offset_type" in order:
        order["trailing_offset_type"] = draw(st.sampled_from([*TrailingOffsetType]))
    if time is TimeInForce.GOOD_TILL_DATE:
        order["expires_at"] = draw(MOMENTS)
    more = draw(st.sampled_from([None, *MORE]))
    return order if more is None else {**order, more: draw(MORE[more])}


ORDERS = likely_orders() | st.fixed_dictionaries(FIELDS, optional=MORE)
CHANGED = st.fixed_dictionaries(
    {"order_id": st.sampled_from(["o1", "0195f6c7-4f64-7e3c", "o1 to quantity 5", "a,b", "", None])},
    optional={
        "account_id": st.sampled_from(["20001", "7", "0"]),
        **dict.fromkeys(AMOUNTS, TYPED),
        "trailing_offset_type": MORE["trailing_offset_type"],
        "symbol": st.just("TSLA"),
    },
)


@st.composite
def likely_changes(draw: st.DrawFn, order: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of what the order has, and sometimes of one thing that it has not."""
    names = ["quantity", *OF_TYPE[order["order_type"]]]
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    chosen += draw(st.sampled_from([[], [], [], ["stop_price"], ["trailing_offset"]]))
    price = st.decimals("0.01", "5000", places=4).map(str)
    units = st.sampled_from([*TrailingOffsetType])
    return {
        "order_id": draw(st.sampled_from(["o1", "0195f6c7-4f64-7e3c-8b0a-1d8e4f5e6a7b"])),
        **{name: draw(units if name == "trailing_offset_type" else price) for name in chosen},
    }


def proposed(kind: str, order: Mapping[str, Any]) -> Terms:
    action = {"prefill_order": {"action_type": kind, "orders": [decode(_json(order))]}}
    drafts = read_drafts(action, ACCOUNT)
    return drafts[0].terms if drafts else Terms(act=OrderAction.NEW, account_id=0)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps({name: str(one) if isinstance(one, Decimal) else one for name, one in value.items()}).encode()


PLAIN = {
    "symbol": "AAPL",
    "side": "BUY",
    "quantity": "10",
    "order_type": "LIMIT",
    "limit_price": "250",
    "time_in_force": "DAY",
}


@examples(300)
@given(order=ORDERS, revision=st.sampled_from(Revision))
@example(order={**PLAIN, "expires_at": "2027-01-15T21:00:00Z"}, revision=Revision.V2026_10)
@example(order={**PLAIN, "side": "SELL", "position_effect": "OPEN"}, revision=Revision.V2026_08)
@example(order={**PLAIN, "instrument_type": "PREFERRED_STOCK"}, revision=Revision.V2026_04)
@example(order={**PLAIN, "extended_hours": False}, revision=Revision.V2026_10)
@example(
    order={
        **PLAIN,
        "limit_price": None,
        "order_type": "TRAILING_STOP",
        "trailing_offset": "-1",
        "trailing_offset_type": "PRICE",
    },
    revision=Revision.V2026_10,
)
@example(order={**PLAIN, "limit_price": "1" * 31}, revision=Revision.V2026_10)
@example(order={**PLAIN, "limit_price": f"1.{'1' * 30}"}, revision=Revision.V2026_10)
@example(
    order={
        **{name: value for name, value in PLAIN.items() if name != "limit_price"},
        "order_type": "TRAILING_STOP_LIMIT",
        "trailing_offset": "1",
        "trailing_offset_type": "PRICE",
        "limit_offset": f"-1.{'1' * 29}",
    },
    revision=Revision.V2026_10,
)
@example(
    order={**PLAIN, "time_in_force": "GOOD_TILL_DATE", "expires_at": "2027-11-07T06:30:00Z"},
    revision=Revision.V2026_10,
)
def test_a_new_order_is_sent_as_its_sentence_says_or_not_at_all(order: dict[str, Any], revision: Revision):
    holds(proposed("NEW", order), revision)


@examples(300)
@given(order=likely_orders(), data=st.data(), revision=st.sampled_from(Revision))
def test_a_change_is_sent_as_its_sentence_says_or_not_at_all(
    order: dict[str, Any], data: st.DataObject, revision: Revision
):
    before = proposed("NEW", order)
    change = proposed("MODIFY", data.draw(likely_changes(order) | CHANGED))
    holds(change, revision)
    holds(understood(change, before), revision, before)


@examples(200)
@given(
    order=likely_orders(),
    order_id=st.sampled_from(["o1", "a b", "a,b", "o1), account 7", ""]) | st.text(max_size=70),
    more=st.dictionaries(st.sampled_from(["quantity", "symbol", "item_id"]), st.just("5")),
    revision=st.sampled_from(Revision),
)
def test_a_cancel_is_sent_as_its_sentence_says_or_not_at_all(
    order: dict[str, Any], order_id: str, more: dict[str, str], revision: Revision
):
    cancel = proposed("CANCEL", {"account_id": str(ACCOUNT), "order_id": order_id, **more})
    holds(cancel, revision, proposed("NEW", order))


ENTERED_ABOUT = st.dictionaries(
    st.sampled_from(["quantity", *PRICES]), st.sampled_from(["12", "$1,500.25", "-7", "0.0001"]), max_size=2
)
ENTERED = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(AMOUNTS, st.sampled_from(["", "12", "$1,500.25", "-7", "0.0001"])),
        "trailing_offset_type": st.sampled_from([*TrailingOffsetType]),
        "order_type": st.sampled_from([one for one in OrderType if one is not OrderType.OTHER]),
        "time_in_force": st.sampled_from([one for one in TimeInForce if one is not TimeInForce.OTHER]),
        "expires_at": st.just("") | st.integers(1, 10**9).map(lambda one: NOW + timedelta(milliseconds=one)),
        "extended_hours": st.booleans(),
    },
)


@examples(350)
@given(order=ORDERS, entered=ENTERED, revision=st.sampled_from(Revision))
def test_what_a_form_makes_of_an_order_is_sent_as_its_sentence_says_or_not_at_all(
    order: dict[str, Any], entered: dict[str, Any], revision: Revision
):
    terms, _ = edited(proposed("NEW", order), entered, NOW)
    holds(terms, revision)


@examples(300)
@given(order=likely_orders(), entered=ENTERED_ABOUT, revision=st.sampled_from(Revision))
def test_what_a_form_asks_to_change_is_sent_as_its_sentence_says_or_not_at_all(
    order: dict[str, Any], entered: dict[str, Any], revision: Revision
):
    before = proposed("NEW", order)
    empty = Terms(act=OrderAction.MODIFY, account_id=ACCOUNT, order_id="o1")
    terms, problems = changed(empty, before, entered, NOW.replace(tzinfo=None))
    if not problems:
        holds(terms, revision, before)


def test_the_reader_reads_what_would_be_sent():
    """The properties are worth something only while most likely orders can be sent."""
    sendable = 0
    for kind, prices in OF_TYPE.items():
        unit = {"trailing_offset_type": "BPS"} if "trailing_offset_type" in prices else {}
        order = {**PLAIN, **dict.fromkeys(prices, "1.5"), **unit, "order_type": kind}
        order = {name: value for name, value in order.items() if name != "limit_price" or name in prices}
        sendable += sum(holds(proposed("NEW", order), revision) for revision in Revision)
    assert sendable == len(OF_TYPE) * len(Revision)


# -- a field that the order has not -----------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", [Revision.V2026_04, Revision.V2026_08, Revision.V2026_10])
@pytest.mark.parametrize(
    ("order", "strange"),
    [
        ({"order_type": "MARKET", "limit_price": "1.00", "stop_price": "999"}, ("limit_price", "stop_price")),
        ({"order_type": "LIMIT", "limit_price": "250", "stop_price": "300"}, ("stop_price",)),
        (
            {
                "order_type": "LIMIT",
                "limit_price": "250",
                "trailing_offset": "500",
                "trailing_offset_type": "BPS",
                "limit_offset": "-7",
            },
            ("limit_offset", "trailing_offset", "trailing_offset_type"),
        ),
        ({"order_type": "STOP", "stop_price": "300", "limit_price": "0.01"}, ("limit_price",)),
        ({"order_type": "LIMIT", "limit_price": "250", "expires_at": "2027-01-15T21:00:00Z"}, ("expires_at",)),
        ({"order_type": "MARKET", "instrument_type": "OPTION"}, ("instrument_type",)),
        ({"order_type": "MARKET", "side": "SELL_SHORT", "position_effect": "CLOSE"}, ("position_effect",)),
        ({"order_type": "MARKET", "position_effect": "OPEN", "position_intent": "CLOSE"}, ("position_effect",)),
    ],
)
def test_a_field_that_the_order_has_not_is_not_understood_and_nothing_is_sent(
    order: dict[str, Any], strange: tuple[str, ...], revision: Revision
):
    terms = proposed("NEW", {**PLAIN, "limit_price": None, **order})

    assert set(terms.not_understood) == set(strange)
    assert all(getattr(terms, name) is None for name in strange)
    body, why_not = body_of(terms, OURS, revision)
    assert body is None
    assert why_not is not None
    assert all(name in why_not for name in strange)


@pytest.mark.parametrize("revision", ["2026-04", "2026-08", "2026-10"])
async def test_nobody_can_approve_an_order_with_a_field_too_many(database: Database, revision: str):
    orders: list[dict[str, Any]] = [
        {"order_type": "MARKET", "limit_price": "1.00", "stop_price": "999"},
        {"order_type": "LIMIT", "limit_price": "250", "stop_price": "300"},
        {"order_type": "STOP", "stop_price": "300", "limit_price": "0.01"},
        {**PLAIN, "expires_at": "2027-01-15T21:00:00Z"},
    ]
    async with open_emulator(revision=revision) as emulator, open_safe(database, emulator, working=False) as safe:
        placed = await safe.placed(order_type="LIMIT", limit_price="1.00")
        tickets = await safe.propose(*({**PLAIN, "limit_price": None, **order} for order in orders))
        tickets += await safe.propose_about("MODIFY", {"order_id": placed.order_id, "stop_price": "300"})
        clicks = [await safe.approve(ticket) for ticket in tickets]
        await safe.settled()

        assert [click.answer for click in clicks] == [ClickOutcome.DENIED] * len(tickets)
        assert [ticket.body for ticket in tickets] == [None] * len(tickets)
        assert len(safe.calls("POST", "PATCH")) == 1


@pytest.mark.parametrize("name", ["stop_price", "limit_offset", "trailing_offset"])
def test_a_price_that_the_changed_order_has_not_is_not_understood(name: str):
    before = proposed("NEW", PLAIN)
    terms = understood(proposed("MODIFY", {"order_id": "o1", name: "5"}), before)

    assert terms.not_understood == (name,)
    assert body_of(terms, OURS, Revision.V2026_10)[0] is None


def test_what_was_stored_with_a_field_too_many_is_not_sent_either():
    """Of a version that did not look."""
    terms = Terms(
        act=OrderAction.NEW,
        account_id=ACCOUNT,
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(10),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        limit_price=Decimal(1),
    )
    assert body_of(terms, OURS, Revision.V2026_10) == (
        None,
        "Omni proposed something omnibot does not understand: limit_price.",
    )


def test_whoever_chooses_the_type_again_decides_what_it_has():
    """An edit on the form is read anew: what the type has not is gone, and the sentence says so."""
    terms, problems = edited(proposed("NEW", {**PLAIN, "stop_price": "300"}), {"quantity": "12"}, NOW)

    assert problems == {}
    assert terms.not_understood == ()
    body, why_not = body_of(terms, OURS, Revision.V2026_10)
    assert why_not is None
    assert body is not None
    assert (body["quantity"], "stop_price" in body) == ("12", False)
