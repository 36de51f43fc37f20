"""Whatever a file or an order holds: mistakes are named, every rule speaks, and what is unknown is denied."""

import tomllib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from omnibot.clearstreet.models.enums import OrderType, Side, TimeInForce, TrailingOffsetType, UnknownValue
from omnibot.policy.access import authority_of, may_ask, may_link, may_see_account_data, may_sign
from omnibot.policy.describe import summary
from omnibot.policy.facts import DayFacts, Instrument, MarketFacts, OrderAction, OrderFacts
from omnibot.policy.identities import AccessResult, ChannelKind, Own, PersonKind, Shared, Where, Who
from omnibot.policy.model import Policy, PolicyError
from omnibot.policy.order_rules import Decision, Rule, check_order, check_orders, decide
from omnibot.policy.parser import TABLES, read_policy
from omnibot.policy.roles import may_approve, may_halt, may_trade
from tests.policy.examples import (
    ANA,
    BEN,
    EVE,
    HOME,
    NOW,
    OPTIONS_TOO,
    day,
    market,
    option,
    option_market,
    order,
    policy,
)

# Files.

KEYS = sorted({key for kind in TABLES.values() for key in kind.model_fields} | {"version", *TABLES, "id", "maxorder"})
WORDS = st.sampled_from(
    ["members", "nobody", "everybody", "everywhere", "direct", "any", "unlimited", "never", "none", "5%", "U0ANA",
     "T0HOME", "C0DESK", "T0HOME/U0ANA", "19816", "100.50", "LIMIT", "DAY", "regular", "participants", "AAPL"]
)  # fmt: skip
SCALARS = st.one_of(
    WORDS.map(lambda word: f'"{word}"'),
    st.text(st.characters(codec="ascii", exclude_characters='"\\\x7f', min_codepoint=32), max_size=20).map(
        '"{}"'.format
    ),
    st.integers(-3, 2**70).map(str),
    st.floats().map(str),
    st.sampled_from(["true", "false", "2026-11-21", "12:30:00", "2026-11-21T10:00:00Z", "{}", "{id = 'U0ANA'}"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3).map(lambda i: f"[{', '.join(i)}]"), max_leaves=5
)
HEADERS = st.sampled_from([*(f"[{name}]" for name in TABLES), "[[trading.trader]]", "[[access]]", "[other]", ""])
LINES = st.one_of(st.tuples(st.sampled_from(KEYS), VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"), HEADERS)
FILES = st.lists(LINES, max_size=12).map(lambda lines: "\n".join(["version = 1", *lines]).encode())


def read(content: bytes) -> Policy | None:
    try:
        return read_policy(content, "any.toml")
    except PolicyError as error:
        problems = error.problems
    assert problems
    for problem in problems:
        assert "\n" not in problem
        assert "Input should" not in problem
        assert "Value error" not in problem
    return None


@settings(deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")), FILES)
)
@example(b"version = 1\naccess = {people = []}\naccess.x = 1")
def test_any_bytes_are_a_policy_or_named_mistakes(content: bytes):
    found = read(content)
    if found is not None:
        assert summary(found)
        assert tomllib.loads(content.decode("utf-8-sig"))["version"] == 1


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["access", "channels", "consent", "trading", "version"]), VALUES, max_size=4),
    st.sampled_from(sorted(TABLES)),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6),
)
def test_any_values_in_a_table_are_a_policy_or_named_mistakes(top: dict[str, str], table: str, inner: dict[str, str]):
    lines = [f"{key} = {value}" for key, value in {"version": "1", **top}.items()]
    lines += [f"[{table}]", *(f"{key} = {value}" for key, value in inner.items())]
    read("\n".join(lines).encode())


# People and places.

PEOPLE = st.builds(
    Who,
    st.sampled_from(["T0HOME", "T0PARTNER", "E0GRID", ""]),
    st.sampled_from(["U0ANA", "U0BEN", "U0EVE", "U0CLEO", "W0FAY", ""]),
    st.sampled_from(PersonKind),
    st.frozensets(st.sampled_from(["T0HOME", "T0NORTH", "T0PARTNER", "E0GRID", ""])),
)
PLACES = st.builds(
    Where,
    st.sampled_from(["C0DESK", "C0PUBLIC", "D0ANA", ""]),
    st.sampled_from(ChannelKind),
    st.sampled_from([True, False, None]),
)
AUTHORITIES = st.one_of(st.builds(Own, st.sampled_from(["T0HOME", "T0PARTNER"]), st.just("U0ANA")), st.just(Shared()))

GENEROUS = policy(
    """
    [access]
    guests = "everybody"
    externals = ["T0HOME", "T0PARTNER", "E0GRID", "U0ANA", "U0BEN"]
    shared_key = ["T0HOME", "T0PARTNER", "E0GRID"]
    [channels]
    account_data = ["C0DESK", "C0PUBLIC"]
    [consent]
    consent_signers = ["U0ANA", "U0BEN", "U0EVE", "U0CLEO"]
    [trading]
    traders = ["U0ANA", "U0BEN", "U0EVE", "U0CLEO"]
    approvers = ["U0ANA", "U0BEN", "U0EVE", "U0CLEO"]
    halters = ["U0ANA", "U0BEN", "U0EVE", "U0CLEO"]
    accounts = "any"
    max_order_notional = "unlimited"
    max_day_notional = "unlimited"
    with_shared_key = true
    """
)


@settings(deadline=None)
@given(PEOPLE, PLACES, AUTHORITIES, PEOPLE, st.booleans())
def test_however_generous_the_policy_nobody_but_full_members_sees_accounts_signs_or_trades(
    who: Who, where: Where, authority: Own | Shared, owner: Who, has_link: bool
):
    verdicts = [
        may_sign(GENEROUS, who, authority),
        may_link(GENEROUS, who),
        may_trade(GENEROUS, who, authority),
        may_approve(GENEROUS, who, owner),
        may_halt(GENEROUS, who),
    ]
    for verdict in verdicts:
        assert isinstance(verdict, AccessResult)
        assert verdict.allowed or verdict.reason.endswith(".")
    if who.kind is not PersonKind.MEMBER:
        assert not any(verdicts)
        assert not may_see_account_data(GENEROUS, who, where)
        assert not isinstance(authority_of(GENEROUS, who, has_link), Own)
    if who.kind is PersonKind.UNKNOWN:
        assert not may_ask(GENEROUS, who, where)


# Orders.

AMOUNTS = st.one_of(
    st.none(),
    st.decimals(),
    st.decimals(0, 1000, places=2),
    st.sampled_from(
        [Decimal(1), Decimal(100), Decimal("187.50"), Decimal("sNaN"), Decimal("1E+999999"), Decimal("-0")]
    ),
)
ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])
MOMENTS = st.one_of(st.none(), st.datetimes(timezones=ZONES), st.just(NOW))


def words(kind: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.sampled_from(kind), st.text(max_size=5).map(UnknownValue))


ORDERS = st.builds(
    OrderFacts,
    act=st.sampled_from(OrderAction),
    owner=st.one_of(st.just(ANA), PEOPLE),
    authority=st.one_of(st.just(Own(HOME, "U0ANA")), AUTHORITIES),
    account_id=st.sampled_from([None, 19816, 7]),
    symbol=st.one_of(st.sampled_from([None, "AAPL", "CLST", "clst"]), st.text(max_size=8)),
    contract=st.one_of(st.none(), st.text(max_size=8)),
    instrument=st.one_of(st.none(), st.sampled_from(Instrument)),
    multiplier=AMOUNTS,
    side=words(Side),
    quantity=AMOUNTS,
    order_type=words(OrderType),
    time_in_force=words(TimeInForce),
    limit_price=AMOUNTS,
    stop_price=AMOUNTS,
    limit_offset=AMOUNTS,
    trailing_offset=AMOUNTS,
    trailing_offset_type=words(TrailingOffsetType),
    expires_at=MOMENTS,
    extended_hours=st.sampled_from([None, True, False]),
    not_understood=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    approved_by=st.lists(st.one_of(st.sampled_from([ANA, BEN, EVE]), PEOPLE), max_size=3).map(tuple),
    edited_by=st.lists(PEOPLE, max_size=1).map(tuple),
)
MARKETS = st.builds(MarketFacts, AMOUNTS, AMOUNTS, MOMENTS, AMOUNTS)
DAYS = st.builds(DayFacts, st.sampled_from([True, False, None]), AMOUNTS, AMOUNTS)
TRADING = policy(OPTIONS_TOO)


@settings(deadline=None)
@given(st.lists(st.tuples(ORDERS, MARKETS), max_size=3), DAYS, st.datetimes(timezones=ZONES))
def test_any_orders_get_a_verdict_from_every_rule(
    orders: list[tuple[OrderFacts, MarketFacts]], today: DayFacts, now: datetime
):
    for text in (TRADING, GENEROUS, Policy()):
        for (facts, _), verdicts in zip(orders, check_orders(text, orders, today, now), strict=True):
            assert [verdict.rule for verdict in verdicts] == list(Rule)
            assert all(verdict.reason.endswith(".") and len(verdict.reason) < 500 for verdict in verdicts)
            if facts.owner.kind is not PersonKind.MEMBER or text == Policy():
                assert decide(verdicts) is Decision.DENY


@settings(deadline=None)
@given(st.one_of(st.just((order(), market())), st.just((option(), option_market()))), st.data())
def test_an_allowed_order_of_which_anything_it_needs_is_not_known_is_denied(
    allowed: tuple[OrderFacts, MarketFacts], data: st.DataObject
):
    facts, seen = allowed
    assert decide(check_order(TRADING, facts, seen, day(), NOW)) is Decision.GO
    needed = ["account_id", "symbol", "instrument", "multiplier", "side", "quantity", "order_type", "time_in_force",
              "limit_price"]  # fmt: skip
    needed += ["contract"] if facts.instrument is Instrument.OPTION else []
    unknown: dict[str, Any] = {name: None for name in data.draw(st.lists(st.sampled_from(needed), min_size=1))}
    assert decide(check_order(TRADING, replace(facts, **unknown), seen, day(), NOW)) is Decision.DENY
    gone = data.draw(st.sampled_from(["bid", "ask", "quoted_at"]))
    blind: dict[str, Any] = {gone: None}
    assert decide(check_order(TRADING, facts, replace(seen, **blind), day(), NOW)) is Decision.DENY
    lost: dict[str, Any] = {data.draw(st.sampled_from([field.name for field in fields(DayFacts)])): None}
    assert decide(check_order(TRADING, facts, seen, replace(day(), **lost), NOW)) is Decision.DENY


@settings(deadline=None)
@given(ORDERS, MARKETS, DAYS)
@pytest.mark.parametrize("halted", [True, None])
def test_while_trading_is_halted_only_cancels_go(
    halted: bool | None, facts: OrderFacts, seen: MarketFacts, today: DayFacts
):
    decision = decide(check_order(TRADING, facts, seen, replace(today, halted=halted), NOW))
    assert decision is Decision.DENY or facts.act is OrderAction.CANCEL


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.decimals("0.01", 300, places=2), st.decimals(1, 200, places=0)), min_size=1, max_size=4),
    st.decimals(0, 100_000, places=2),
)
def test_no_caps_are_exceeded_by_orders_that_go_together(sizes: list[tuple[Decimal, Decimal]], used: Decimal):
    orders = [(order(limit_price=price, quantity=quantity), market()) for price, quantity in sizes]
    verdicts = check_orders(TRADING, orders, DayFacts(False, used, Decimal(0)), NOW)
    limits = TRADING.trading
    assert limits.max_order_notional
    assert limits.max_day_notional
    assert limits.four_eyes_above is not None
    worth = sum((price * quantity for price, quantity in sizes), Decimal(0))
    if all(decide(of_one) is Decision.GO for of_one in verdicts):
        assert all(price * quantity <= limits.max_order_notional for price, quantity in sizes)
        assert used + worth <= limits.max_day_notional
        assert worth <= limits.four_eyes_above
