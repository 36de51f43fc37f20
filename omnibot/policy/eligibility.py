"""Rules on who trades what: people, keys, accounts, symbols, order types. Pure."""

from __future__ import annotations

from omnibot.clearstreet.models.enums import OrderType, Side, TimeInForce
from omnibot.policy import money, roles
from omnibot.policy.facts import Instrument
from omnibot.policy.field_types import ORDER_TYPES, SAME_TIME, TIMES_IN_FORCE
from omnibot.policy.identities import Own, user_ids
from omnibot.policy.model import Session
from omnibot.policy.money import plain
from omnibot.policy.rule_context import (
    YOURSELF,
    RuleContext,
    RuleResult,
    allow,
    deny,
    listed,
    shares,
    spoken,
    ticker,
    utc,
    within,
)

#: So many fields that are not understood are named.
NAMED = 5

# -- who, with whose key, on which account, and whether at all --------------------------------------------------------


def trader(case: RuleContext) -> RuleResult:
    verdict = roles.is_trader(case.policy, case.order.owner)
    return allow("The order's owner is one of the traders.") if verdict else deny(verdict.reason, verdict.ask)


def authority(case: RuleContext) -> RuleResult:
    verdict = roles.with_authority(case.policy, case.order.owner, case.order.authority)
    if not verdict:
        return deny(verdict.reason, verdict.ask)
    own = isinstance(case.order.authority, Own)
    return allow(
        "It is sent with the owner's own link." if own else "It is sent with the shared key, which is allowed."
    )


def account(case: RuleContext) -> RuleResult:
    account, accounts = case.order.account_id, case.limits.accounts
    if account is None:
        return deny("It is not known which account this order is for. Choose one, then ask again.")
    if accounts is None or account in accounts:
        return allow(f"Orders may go on account {account}.")
    if not accounts:
        return deny("No account is named on which orders may go. Ask whoever runs omnibot.")
    allowed = ", ".join(map(str, accounts))
    return deny(f"Orders may not go on account {account}, only on {allowed}. Choose another account, then ask again.")


def halt(case: RuleContext) -> RuleResult:
    if case.day.halted is False:
        return allow("Trading is not halted.")
    halters = user_ids(case.policy.trading.halters)
    if case.day.halted:
        return deny("Trading is halted. Only cancels go through until somebody who may resumes it.", halters)
    return deny("It is not known whether trading is halted. Try again in a minute.")


# -- what -------------------------------------------------------------------------------------------------------------


def understood(case: RuleContext) -> RuleResult:
    order = case.order
    strange = [name[:40] for name in order.not_understood[:NAMED]]
    if not isinstance(order.side, Side) or order.side is Side.OTHER:
        strange.append("side")
    if strange:
        return deny(f"Omni proposed something omnibot does not understand: {', '.join(strange)}. {YOURSELF}")
    return allow("Every field of the order is understood.")


def symbol(case: RuleContext) -> RuleResult:
    symbol, limits = ticker(case.order.symbol), case.limits
    if symbol is None:
        return deny(f"It is not known which symbol this order is for. {YOURSELF}")
    if symbol in limits.deny_symbols:
        return deny(f"{symbol} may not be traded here.")
    if limits.symbols is not None and symbol not in limits.symbols:
        return deny(f"{symbol} is not among the symbols that may be traded here.")
    return allow(f"{symbol} may be traded.")


def instrument(case: RuleContext) -> RuleResult:
    order = case.order
    multiplier = money.positive(order.multiplier)
    if order.instrument is None:
        return deny(f"It is not known whether this is a share or an option. {YOURSELF}")
    if order.instrument is Instrument.OPTION:
        if not case.limits.options:
            return deny("Options may not be traded here.")
        if not order.contract:
            return deny(f"It is not known which option this order is for. {YOURSELF}")
    if multiplier is None:
        return deny(f"It is not known how many shares one contract is for. {YOURSELF}")
    if order.instrument is Instrument.SHARE and multiplier != 1:
        return deny(f"A share is one share, not {plain(multiplier)}. {YOURSELF}")
    return allow("Options may be traded." if order.instrument is Instrument.OPTION else "Shares may be traded.")


def order_type(case: RuleContext) -> RuleResult:
    kind, allowed = case.order.order_type, case.limits.order_types
    if not isinstance(kind, OrderType) or kind not in ORDER_TYPES:
        return deny(f"The order's type is not known. {YOURSELF}")
    if kind not in allowed:
        return deny(f"{spoken(kind)} orders may not be sent, only {listed(allowed)}. Edit the order.")
    return allow(f"{spoken(kind)} orders may be sent.")


def time_in_force(case: RuleContext) -> RuleResult:
    time, allowed = case.order.time_in_force, case.limits.times_in_force
    time = SAME_TIME.get(time, time) if isinstance(time, TimeInForce) else None
    if time is None or time not in TIMES_IN_FORCE:
        return deny(f"It is not known how long the order is to work. {YOURSELF}")
    if time not in allowed:
        return deny(f"{spoken(time)} orders may not be sent, only {listed(allowed)}. Edit the order.")
    if time is TimeInForce.GOOD_TILL_DATE:
        expires = case.order.expires_at
        if expires is None:
            return deny("A good-till-date order needs its date. Edit the order.")
        if utc(expires) <= case.now:
            return deny("The order's date is past. Edit the order.")
    return allow(f"{spoken(time)} orders may be sent.")


def session(case: RuleContext) -> RuleResult:
    session = Session.EXTENDED if case.order.extended_hours else Session.REGULAR
    hours = "extended" if session is Session.EXTENDED else "regular trading"
    if session not in case.limits.sessions:
        return deny(f"Orders for {hours} hours may not be sent. Edit the order.")
    return allow(f"Orders for {hours} hours may be sent.")


def quantity(case: RuleContext) -> RuleResult:
    quantity, cap = money.positive(case.order.quantity), case.limits.max_order_quantity
    if quantity is None:
        return deny("It is not known how much this order is for. Edit the order.")
    if case.order.instrument is Instrument.OPTION and quantity != quantity.to_integral_value():
        return deny("Options are traded in whole contracts. Edit the order.")
    return within(money.shares_of(case.order), cap, "The order is for {}", shares)
