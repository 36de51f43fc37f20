"""The people, places and policies that tests of the rules are about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from omnibot.clearstreet.models.enums import OrderType, Side, TimeInForce
from omnibot.policy.facts import DayFacts, Instrument, MarketFacts, OrderAction, OrderFacts
from omnibot.policy.identities import ChannelKind, Own, PersonKind, Readers, Where, Who
from omnibot.policy.model import Policy
from omnibot.policy.order_rules import Rule, RuleVerdict, check_order
from omnibot.policy.parser import read_policy

HOME, PARTNER = "T0HOME", "T0PARTNER"
ANA = Who(HOME, "U0ANA", PersonKind.MEMBER, frozenset({HOME}))
BEN = Who(HOME, "U0BEN", PersonKind.MEMBER, frozenset({HOME}))
EVE = Who(HOME, "U0EVE", PersonKind.MEMBER, frozenset({HOME}))
CLEO = Who(HOME, "U0CLEO", PersonKind.GUEST, frozenset({HOME}))
DAN = Who(PARTNER, "U0DAN", PersonKind.EXTERNAL, frozenset({PARTNER}))
ROBOT = Who(HOME, "U0ROBOT", PersonKind.UNKNOWN, frozenset({HOME}))
EVERYBODY = (ANA, BEN, EVE, CLEO, DAN, ROBOT)

DIRECT = Where("D0ANA", ChannelKind.DIRECT, shared=False)
DESK = Where("C0DESK", ChannelKind.PRIVATE, shared=False, readers=Readers.MEMBERS)
GROUP = Where("G0GROUP", ChannelKind.GROUP, shared=False, readers=Readers.MEMBERS)
GUESTED = Where("C0GUESTED", ChannelKind.PRIVATE, shared=False, readers=Readers.OUTSIDERS)
CROWDED = Where("C0CROWDED", ChannelKind.PRIVATE, shared=False)
PUBLIC = Where("C0PUBLIC", ChannelKind.PUBLIC, shared=False)
SHARED = Where("C0SHARED", ChannelKind.PRIVATE, shared=True)
PERHAPS_SHARED = Where("C0MAYBE", ChannelKind.PRIVATE, shared=None)
STRANGE = Where("C0STRANGE", ChannelKind.UNKNOWN, shared=False)

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


def policy(text: str = "") -> Policy:
    """A policy file without its first line."""
    return read_policy(f"version = 1\n{text}".encode(), "test.toml")


DESK_TRADES = """
[trading]
traders = ["U0ANA", "U0BEN"]
approvers = ["U0BEN", "U0EVE"]
halters = ["U0EVE"]
accounts = [19816]
max_order_notional = "50000"
max_order_quantity = 1000
max_day_notional = "100000"
max_day_quantity = 1500
deny_symbols = ["CLST"]
order_types = ["LIMIT", "MARKET", "STOP", "STOP_LIMIT", "TRAILING_STOP", "TRAILING_STOP_LIMIT"]
times_in_force = ["DAY", "GOOD_TILL_DATE", "AT_OPEN"]
four_eyes_above = "25000"
"""

OPTIONS_TOO = DESK_TRADES + "options = true\n"


def limits(**changes: str) -> str:
    """`DESK_TRADES` with other values."""
    lines = DESK_TRADES.splitlines()
    kept = [line for line in lines if line.partition(" =")[0] not in changes]
    return "\n".join([*kept, *(f"{key} = {value}" for key, value in changes.items())])


def order(**changes: Any) -> OrderFacts:
    """Ana buys 100 AAPL at 187.50: allowed by `DESK_TRADES`."""
    plain = OrderFacts(
        act=OrderAction.NEW,
        owner=ANA,
        authority=Own(HOME, "U0ANA"),
        account_id=19816,
        symbol="AAPL",
        instrument=Instrument.SHARE,
        multiplier=Decimal(1),
        side=Side.BUY,
        quantity=Decimal(100),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=Decimal("187.50"),
        extended_hours=False,
        approved_by=(ANA,),
    )
    return replace(plain, **changes)


def option(**changes: Any) -> OrderFacts:
    """Ana buys 2 calls on AAPL at 3.10."""
    contract: dict[str, Any] = {
        "instrument": Instrument.OPTION,
        "contract": "AAPL  270115C00190000",
        "multiplier": Decimal(100),
        "quantity": Decimal(2),
        "limit_price": Decimal("3.10"),
    }
    return order(**{**contract, **changes})


def market(**changes: Any) -> MarketFacts:
    """AAPL at 187.40 to 187.60, three seconds ago; 150 are held."""
    return replace(
        MarketFacts(Decimal("187.40"), Decimal("187.60"), NOW - timedelta(seconds=3), Decimal(150)), **changes
    )


def option_market(**changes: Any) -> MarketFacts:
    """The call at 3.05 to 3.15; none are held."""
    return replace(MarketFacts(Decimal("3.05"), Decimal("3.15"), NOW, Decimal(0)), **changes)


def day(**changes: Any) -> DayFacts:
    """A day on which Ana has bought for $40,000."""
    return replace(DayFacts(False, Decimal(40_000), Decimal(200)), **changes)


def failed(verdicts: list[RuleVerdict]) -> set[Rule]:
    """The rules that did not pass."""
    return {verdict.rule for verdict in verdicts if not verdict.passed}


def judge(
    text: str = DESK_TRADES,
    *,
    of: OrderFacts | None = None,
    at: MarketFacts | None = None,
    on: DayFacts | None = None,
    now: datetime = NOW,
) -> list[RuleVerdict]:
    """All verdicts about an order, by default the plain one on a plain day."""
    return check_order(policy(text), of or order(), at or market(), on or day(), now)
