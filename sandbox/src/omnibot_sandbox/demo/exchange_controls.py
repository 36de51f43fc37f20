"""What can be done to the exchange: to prices, to the trading day, and to what becomes of orders."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

from omnibot_sandbox.clearstreet.exchange import Exchange
from omnibot_sandbox.clearstreet.market import Condition, Phase
from omnibot_sandbox.clearstreet.order_plans import NAMED
from omnibot_sandbox.demo.forms import ExchangeForm
from omnibot_sandbox.slack.workspace import JSON

#: What orders meet when no plan says otherwise.
_NO_PLAN = ""
#: Machine codes of refusals that are offered; a form may name any.
_CODES = ("BUYING_POWER", "SELF_MATCH", "INSUFFICIENT_LOCATE_INVENTORY")


def describe(exchange: Exchange) -> JSON:
    """How it stands, and what there is to choose from."""
    market = exchange.market
    return {
        "phase": market.phase,
        "list_lag": exchange.list_lag,
        "plans": {symbol: plan for symbol, plan in exchange.plans.items() if isinstance(plan, str)},
        "conditions": dict(market.conditions),
        "choices": {
            "plan": [_NO_PLAN, *NAMED, *(f"refuse:{code}" for code in _CODES)],
            "condition": list(get_args(Condition)),
            "phase": list(get_args(Phase)),
            "symbol": sorted(one.symbol for one in market.instruments.listed),
        },
    }


def put(exchange: Exchange, form: ExchangeForm) -> None:
    """Do what the form says.

    Raises:
        LookupError: there is no such plan or symbol; nothing was done.
    """
    market = exchange.market
    named = None if form.symbol == "*" else market.instruments.find(form.symbol)
    if named is None and (form.symbol != "*" or form.move is not None):
        raise LookupError(f"symbol: the exchange has no {form.symbol}")
    symbol = "*" if named is None else named.symbol
    if form.plan is not None:
        _plan(exchange, symbol, form.plan)
    if form.condition is not None:
        market.set(form.condition, symbol)
    if form.move is not None and named is not None:
        share = 1 + Decimal(str(form.move)) / 100
        market.move(symbol, max(market.last(named) * share, named.tick), form.over)
    if form.phase is not None:
        market.phase = form.phase
    if form.list_lag is not None:
        exchange.list_lag = form.list_lag


def reset(exchange: Exchange) -> None:
    """As it began, but for the orders there are."""
    exchange.plans.clear()
    exchange.market.reset()
    exchange.list_lag = 0.0


def _plan(exchange: Exchange, symbol: str, plan: str) -> None:
    if plan == _NO_PLAN:
        exchange.plans.pop(symbol, None)
        return
    try:
        exchange.plans[symbol] = plan
    except ValueError as error:
        raise LookupError(f"plan: {error}") from None
