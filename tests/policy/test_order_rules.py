"""What the policy says about orders: who and what, cancels, halts, one trader, several orders at once: tables."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from omnibot.clearstreet.models.enums import OrderType, Side, TimeInForce, UnknownValue
from omnibot.policy.facts import UNSEEN, Instrument, OrderAction
from omnibot.policy.identities import Own, PersonKind, Shared
from omnibot.policy.order_rules import ABOUT_CANCELS, Decision, Rule, check_orders, decide
from tests.policy.examples import (
    ANA,
    BEN,
    CLEO,
    DESK_TRADES,
    EVE,
    HOME,
    NOW,
    OPTIONS_TOO,
    day,
    failed,
    judge,
    limits,
    market,
    option,
    option_market,
    order,
    policy,
)

D = Decimal


def test_an_order_within_all_limits_passes_every_rule():
    verdicts = judge()
    assert failed(verdicts) == set()
    assert decide(verdicts) is Decision.GO


def test_verdicts_come_for_every_rule_in_one_order_and_with_a_sentence():
    for verdicts in (judge(), judge(of=order(act=OrderAction.CANCEL)), judge(of=option(quantity=None), at=UNSEEN)):
        assert [verdict.rule for verdict in verdicts] == list(Rule)
        assert all(verdict.reason.endswith(".") for verdict in verdicts)


def test_no_verdicts_are_no_permission():
    assert decide([]) is Decision.DENY


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"owner": EVE, "authority": Own(HOME, "U0EVE")}, {Rule.TRADER}),
        ({"owner": replace(ANA, kind=PersonKind.GUEST)}, {Rule.TRADER}),
        ({"owner": CLEO, "authority": Own(HOME, "U0CLEO")}, {Rule.TRADER}),
        ({"authority": Own(HOME, "U0BEN")}, {Rule.AUTHORITY}),
        ({"authority": Own("T0OTHER", "U0ANA")}, {Rule.AUTHORITY}),
        ({"authority": Shared()}, {Rule.AUTHORITY}),
        ({"account_id": 7}, {Rule.ACCOUNT}),
        ({"account_id": None}, {Rule.ACCOUNT}),
        ({"not_understood": ("strategy",)}, {Rule.UNDERSTOOD}),
        ({"side": None}, {Rule.UNDERSTOOD, Rule.SHORT_SALE}),
        ({"side": Side.OTHER}, {Rule.UNDERSTOOD, Rule.SHORT_SALE}),
        ({"side": UnknownValue("BUY_TO_COVER")}, {Rule.UNDERSTOOD, Rule.SHORT_SALE}),
        ({"symbol": None}, {Rule.SYMBOL}),
        ({"symbol": ""}, {Rule.SYMBOL}),
        ({"symbol": "AAPL US Equity"}, {Rule.SYMBOL}),
        ({"symbol": "CLST"}, {Rule.SYMBOL}),
        ({"symbol": " clst "}, {Rule.SYMBOL}),
        ({"instrument": None}, {Rule.INSTRUMENT}),
        ({"instrument": Instrument.OPTION, "contract": "X"}, {Rule.INSTRUMENT}),
        ({"order_type": None}, {Rule.ORDER_TYPE, Rule.PRICE, Rule.ORDER_NOTIONAL, Rule.DAY_NOTIONAL, Rule.FOUR_EYES}),
        # Not read as the API's word, whatever it looks like.
        ({"order_type": UnknownValue("LIMIT")}, {Rule.ORDER_TYPE}),
        # Stands in orders as they are read; nobody can send it.
        (
            {"order_type": OrderType.OTHER},
            {Rule.ORDER_TYPE, Rule.PRICE, Rule.ORDER_NOTIONAL, Rule.DAY_NOTIONAL, Rule.FOUR_EYES},
        ),
        ({"time_in_force": TimeInForce.OTHER}, {Rule.TIME_IN_FORCE}),
        ({"time_in_force": None}, {Rule.TIME_IN_FORCE}),
        ({"time_in_force": UnknownValue("FOREVER")}, {Rule.TIME_IN_FORCE}),
        ({"time_in_force": TimeInForce.GOOD_TILL_CANCEL}, {Rule.TIME_IN_FORCE}),
        ({"time_in_force": TimeInForce.AT_OPEN}, set()),
        ({"time_in_force": TimeInForce.AT_THE_OPENING}, set()),  # the older name of the same auction
        ({"time_in_force": TimeInForce.AT_THE_CLOSE}, {Rule.TIME_IN_FORCE}),
        ({"time_in_force": TimeInForce.GOOD_TILL_DATE}, {Rule.TIME_IN_FORCE}),
        ({"time_in_force": TimeInForce.GOOD_TILL_DATE, "expires_at": NOW}, {Rule.TIME_IN_FORCE}),
        ({"time_in_force": TimeInForce.GOOD_TILL_DATE, "expires_at": NOW + timedelta(days=1)}, set()),
        ({"extended_hours": True}, {Rule.SESSION}),
        ({"extended_hours": None}, set()),
        ({"quantity": D("0.5")}, set()),
        ({"quantity": D(1001), "limit_price": D("0.01")}, {Rule.QUANTITY}),
        ({"limit_price": None}, {Rule.PRICE, Rule.ORDER_NOTIONAL, Rule.DAY_NOTIONAL, Rule.FOUR_EYES}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_is_wrong_with_an_order(changes: dict[str, Any], rules: set[Rule]):
    assert failed(judge(of=order(**changes))) == rules


@pytest.mark.parametrize("amount", [None, D(0), D(-1), D("NaN"), D("sNaN"), D("Infinity"), D("1E+90"), D("1E-90")])
@pytest.mark.parametrize("field", ["quantity", "multiplier", "limit_price"])
def test_an_amount_that_cannot_be_reckoned_with_is_not_known(field: str, amount: Decimal | None):
    changes: dict[str, Any] = {field: amount}
    verdicts = judge(of=order(**changes))
    for verdict in verdicts:
        if verdict.rule in (Rule.ORDER_NOTIONAL, Rule.DAY_NOTIONAL, Rule.FOUR_EYES):
            assert not verdict.passed
            assert "not known" in verdict.reason
    assert decide(verdicts) is Decision.DENY


def test_a_share_is_one_share():
    assert Rule.INSTRUMENT in failed(judge(of=order(multiplier=D(100), quantity=D(1))))


# Options.


def test_an_option_passes_where_options_are_allowed():
    assert failed(judge(OPTIONS_TOO, of=option(), at=option_market())) == set()
    assert failed(judge(of=option(), at=option_market())) == {Rule.INSTRUMENT}


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"contract": None}, {Rule.INSTRUMENT}),
        ({"quantity": D("1.5")}, {Rule.QUANTITY}),
        ({"quantity": D(11)}, {Rule.QUANTITY}),  # 1,100 shares
        ({"symbol": "CLST"}, {Rule.SYMBOL}),
    ],
)
def test_what_is_wrong_with_an_option(changes: dict[str, Any], rules: set[Rule]):
    assert failed(judge(OPTIONS_TOO, of=option(**changes), at=option_market())) == rules


def test_a_multiplier_that_is_not_known_denies_an_option():
    verdicts = judge(OPTIONS_TOO, of=option(multiplier=None), at=option_market())
    assert Rule.INSTRUMENT in failed(verdicts)
    assert "how many shares one contract is for" in next(v.reason for v in verdicts if v.rule is Rule.INSTRUMENT)


def test_an_option_is_worth_its_price_times_the_shares_it_is_for():
    verdicts = judge(OPTIONS_TOO, of=option(), at=option_market())
    assert "$620.00" in next(v.reason for v in verdicts if v.rule is Rule.ORDER_NOTIONAL)


# Symbols, types, sessions.


@pytest.mark.parametrize(
    ("symbol", "passes"), [("AAPL", True), ("aapl", True), ("BRK.B", True), ("BRK/B", True), ("MSFT", False)]
)
def test_only_listed_symbols_pass_however_they_are_spelled(symbol: str, passes: bool):
    text = limits(symbols='["AAPL", "BRK.B"]')
    assert (Rule.SYMBOL not in failed(judge(text, of=order(symbol=symbol)))) is passes


def test_a_denied_symbol_is_denied_in_every_spelling():
    text = limits(deny_symbols='["BRK.B"]')
    for symbol in ("BRK.B", "brk.b", "BRK/B", "BRK-B", "BRK B"):
        assert Rule.SYMBOL in failed(judge(text, of=order(symbol=symbol)))


def test_order_types_are_those_of_the_policy():
    only_limits = limits(order_types='["LIMIT"]')
    assert failed(judge(only_limits, of=order(order_type=OrderType.MARKET))) == {Rule.ORDER_TYPE}
    assert failed(judge(only_limits)) == set()


def test_extended_hours_are_for_orders_that_say_so_and_regular_ones_for_the_rest():
    assert failed(judge(limits(sessions='["extended"]'), of=order(extended_hours=True))) == set()
    assert failed(judge(limits(sessions='["extended"]'))) == {Rule.SESSION}
    assert failed(judge(limits(sessions='["regular", "extended"]'), of=order(extended_hours=True))) == set()


# Cancels, halts, overrides.


@pytest.mark.parametrize("halted", [True, False, None])
def test_halt_four_eyes_and_the_market_never_block_a_cancel(halted: bool | None):
    cancel = order(
        act=OrderAction.CANCEL,
        symbol="CLST",
        quantity=None,
        side=None,
        order_type=None,
        multiplier=None,
        approved_by=(),
    )
    unknown_day = day(halted=halted, notional_used=None, quantity_used=None)
    assert decide(judge(limits(four_eyes_above="0"), of=cancel, at=UNSEEN, on=unknown_day)) is Decision.GO


def test_a_cancel_still_needs_the_right_person_key_and_account():
    strange = order(act=OrderAction.CANCEL, owner=EVE, authority=Shared(), account_id=7)
    assert failed(judge(of=strange)) == ABOUT_CANCELS


@pytest.mark.parametrize("act", [OrderAction.NEW, OrderAction.MODIFY])
@pytest.mark.parametrize(("halted", "passes"), [(False, True), (True, False), (None, False)])
def test_a_halt_stops_new_orders_and_changes(act: OrderAction, halted: bool | None, passes: bool):
    assert failed(judge(of=order(act=act), on=day(halted=halted))) == (set() if passes else {Rule.HALT})


OVERRIDE = f"""{DESK_TRADES}
[[trading.trader]]
id = "U0BEN"
accounts = "any"
max_order_notional = "10000"
deny_symbols = ["MSFT"]
short_sales = true
price_collar = "none"
order_types = ["MARKET"]
"""


@pytest.mark.parametrize(
    ("changes", "anas", "bens"),
    [
        ({}, set(), {Rule.ORDER_NOTIONAL, Rule.ORDER_TYPE}),
        ({"account_id": 7}, {Rule.ACCOUNT}, {Rule.ORDER_NOTIONAL, Rule.ORDER_TYPE}),
        ({"symbol": "MSFT"}, set(), {Rule.SYMBOL, Rule.ORDER_NOTIONAL, Rule.ORDER_TYPE}),
        ({"symbol": "CLST"}, {Rule.SYMBOL}, {Rule.SYMBOL, Rule.ORDER_NOTIONAL, Rule.ORDER_TYPE}),
        (
            {"side": Side.SELL_SHORT, "order_type": OrderType.MARKET, "quantity": D(1)},
            {Rule.SHORT_SALE},
            set(),
        ),
        ({"quantity": D(1), "limit_price": D(250)}, {Rule.PRICE}, {Rule.ORDER_TYPE}),
        # What is not said differently stays everybody's.
        ({"quantity": D(1), "order_type": OrderType.MARKET, "time_in_force": TimeInForce.AT_OPEN}, set(), set()),
    ],
)
def test_one_traders_limits_differ_only_in_what_the_policy_says(
    changes: dict[str, Any], anas: set[Rule], bens: set[Rule]
):
    assert failed(judge(OVERRIDE, of=order(**changes))) == anas
    assert failed(judge(OVERRIDE, of=order(**changes, owner=BEN, authority=Own(HOME, "U0BEN")))) == bens


# Several at once.


def together(text: str, *orders: Any, used: Decimal = Decimal(0)) -> list[set[Rule]]:
    pairs = [(one, market()) for one in orders]
    verdicts = check_orders(policy(text), pairs, day(notional_used=used, quantity_used=Decimal(0)), NOW)
    return [failed(of_one) for of_one in verdicts]


def test_orders_approved_together_are_counted_together_for_the_day():
    assert together(DESK_TRADES, order(), used=D(81_250)) == [set()]
    two = together(limits(four_eyes_above='"never"'), order(), order(), used=D(81_250))
    assert two == [{Rule.DAY_NOTIONAL}, {Rule.DAY_NOTIONAL}]


def test_an_order_cut_in_two_needs_the_second_approval_of_the_whole():
    assert together(DESK_TRADES, order(), order()) == [{Rule.FOUR_EYES}, {Rule.FOUR_EYES}]


def test_sales_approved_together_use_up_the_position_together():
    sale = order(side=Side.SELL, quantity=D(75))
    text = limits(four_eyes_above='"never"')
    assert together(text, sale, sale) == [set(), set()]
    assert together(text, sale, replace(sale, symbol="aapl"), sale) == [set(), set(), {Rule.SHORT_SALE}]
    assert together(text, sale, replace(sale, symbol="MSFT"), sale) == [set(), set(), set()]
    assert together(text, sale, replace(sale, act=OrderAction.CANCEL), sale) == [set(), set(), set()]
    elsewhere = together(text, sale, replace(sale, account_id=7), sale)
    assert [Rule.SHORT_SALE in rules for rules in elsewhere] == [False, False, False]


def test_one_order_of_unknown_worth_makes_the_whole_unknown():
    rules = together(limits(four_eyes_above='"never"'), order(), order(limit_price=None))
    assert Rule.DAY_NOTIONAL in rules[0]


def test_cancels_among_the_orders_cost_nothing():
    cancel = order(act=OrderAction.CANCEL, quantity=None, limit_price=None, side=Side.SELL)
    assert together(DESK_TRADES, cancel, order(), cancel) == [set(), set(), set()]


def test_orders_of_two_owners_do_not_share_a_day():
    bens = order(owner=BEN, authority=Own(HOME, "U0BEN"))
    assert together(DESK_TRADES, order(), bens) == [
        {Rule.DAY_NOTIONAL, Rule.DAY_QUANTITY, Rule.FOUR_EYES},
        {Rule.DAY_NOTIONAL, Rule.DAY_QUANTITY, Rule.FOUR_EYES},
    ]


def test_no_orders_are_no_verdicts():
    assert check_orders(policy(DESK_TRADES), [], day(), NOW) == []


@pytest.mark.parametrize(
    ("make", "rule", "said"),
    [
        (lambda: judge(of=order(account_id=7)), Rule.ACCOUNT, "only on 19816"),
        (lambda: judge(of=order(quantity=D(400))), Rule.ORDER_NOTIONAL, "worth $75,000.00, and may be $50,000.00"),
        (lambda: judge(of=order(limit_price=D(250))), Rule.PRICE, "33.3334 % worse than the market, and may be 5 %"),
        (lambda: judge(at=market(quoted_at=NOW - timedelta(minutes=2))), Rule.QUOTE, "120 s old"),
        (lambda: judge(of=order(side=Side.SELL, quantity=D(200))), Rule.SHORT_SALE, "Only 150 of this"),
    ],
)
def test_reasons_name_what_there_is_and_what_may_be(make: Callable[[], Any], rule: Rule, said: str):
    verdict = next(verdict for verdict in make() if verdict.rule is rule)
    assert not verdict.passed
    assert said in verdict.reason
