"""What Clear Street looks at before it accepts an order, and the machine codes of its refusals."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.exchange import Exchange
from omnibot_sandbox.clearstreet.instruments import Instrument
from omnibot_sandbox.clearstreet.order_bodies import Wanted
from omnibot_sandbox.clearstreet.order_plans import Refusal
from omnibot_sandbox.clearstreet.revision import JSON

_DOMAIN = "com.clearstreet.oems.risk"


def check_order(exchange: Exchange, account: JSON, order_id: str, wanted: Wanted, instrument: Instrument) -> None:
    """Let an order pass.

    Args:
        order_id: the id it would have; refusals name it.

    Raises:
        ApiError: 400 with machine codes, or 409: there is an order with its client id already.
    """
    _be_unique(exchange, account["id"], wanted)
    plan = exchange.plans.choose(wanted.client_order_id or order_id, instrument.symbol)
    if plan is not None and plan.refusal is not None:
        raise planned_refusal(plan.refusal, order_id)
    if instrument.type == "INDEX":
        raise ApiError(400, f"Instrument {instrument.symbol} is not tradable")
    whole = wanted.quantity == wanted.quantity.to_integral_value()
    if not whole and not instrument.fractionable:
        raise ApiError(400, "Order quantity must be a whole number")
    _on_tick(wanted.amounts, instrument, order_id)
    _may_trade(exchange, account, wanted, instrument, order_id)
    _crosses_nobody(exchange, account["id"], wanted, instrument, order_id)
    _can_be_paid(exchange, account, wanted, instrument, order_id)


def check_amounts(amounts: Mapping[str, Decimal], instrument: Instrument, order_id: str) -> None:
    """Let the new prices of a replacement pass.

    Raises:
        ApiError: 400 with a machine code.
    """
    _on_tick(amounts, instrument, order_id)


def risk_refusal(code: str, description: str, order_id: str, **metadata: str) -> ApiError:
    """A refusal of the risk check: its reason twice, as a violation and as error info."""
    details: list[JSON] = [
        {"description": description, "subject": f"order:{order_id}", "type": code},
        {"domain": _DOMAIN, "metadata": {"order_id": order_id, **metadata}, "reason": code},
    ]
    return ApiError(400, "Risk check failed", details)


def planned_refusal(refusal: Refusal, order_id: str) -> ApiError:
    """The refusal a plan asks for."""
    error = risk_refusal(refusal.code, refusal.description, order_id, **refusal.metadata)
    return ApiError(refusal.status, refusal.message, error.details)


def _be_unique(exchange: Exchange, account_id: int, wanted: Wanted) -> None:
    taken = {order.client_order_id for order in exchange.of(account_id)}
    if wanted.client_order_id in taken:
        raise ApiError(409, f"Order {wanted.client_order_id} already exists for account {account_id}")


def _on_tick(amounts: Mapping[str, Decimal], instrument: Instrument, order_id: str) -> None:
    for name in ("limit_price", "stop_price"):
        price = amounts.get(name)
        if price is not None and price % instrument.tick:
            said = f"Invalid Tick Size: {name} is not a multiple of {instrument.tick}"
            facts = {"price": f"${price}", "symbol": instrument.symbol, "tick_size": str(instrument.tick)}
            raise risk_refusal("INVALID_TICK_SIZE", said, order_id, **facts)


def _may_trade(exchange: Exchange, account: JSON, wanted: Wanted, instrument: Instrument, order_id: str) -> None:
    held = exchange.portfolios.of(account["id"]).quantity(instrument)
    facts = {"account_id": str(account["id"]), "symbol": instrument.symbol, "side": _side(wanted)}
    if instrument.liquidation_only and wanted.side == "BUY" and wanted.quantity > -held:
        raise risk_refusal("LIQUIDATION_ONLY", "Liquidation Only: positions can only be closed", order_id, **facts)
    if instrument.underlying is not None:
        if not account.get("options_level"):
            said = "Options Level: account may not trade options"
            raise risk_refusal("OPTIONS_LEVEL_EXCEEDED", said, order_id, **facts)
        return
    shortens = wanted.side == "SELL_SHORT" or (wanted.side == "SELL" and wanted.quantity > held)
    if shortens and instrument.shortable == "NOT_SHORTABLE":
        raise risk_refusal("UNSUPPORTED_SECURITY", "Short Sale: security cannot be shorted", order_id, **facts)
    if shortens and instrument.shortable == "HARD_TO_BORROW":
        said = "Short Sale: not enough shares located"
        raise risk_refusal("INSUFFICIENT_LOCATE_INVENTORY", said, order_id, **facts)


def _crosses_nobody(exchange: Exchange, account_id: int, wanted: Wanted, instrument: Instrument, order_id: str) -> None:
    """Own orders must not trade with each other."""
    if wanted.order_type not in ("MARKET", "LIMIT"):
        return
    buys, limit = wanted.side == "BUY", wanted.amount("limit_price")
    for other in exchange.of(account_id):
        against = other.instrument == instrument and not other.over and (other.sign > 0) != buys
        if not against or other.wanted.order_type != "LIMIT" or other.limit is None:
            continue
        if limit is None or ((limit >= other.limit) if buys else (limit <= other.limit)):
            facts = {"account_id": str(account_id), "price": f"${other.limit}", "side": _side(wanted)}
            raise risk_refusal(
                "SELF_MATCH", "Self-Match: would cross own orders", order_id, symbol=instrument.symbol, **facts
            )


def _can_be_paid(exchange: Exchange, account: JSON, wanted: Wanted, instrument: Instrument, order_id: str) -> None:
    held = exchange.portfolios.of(account["id"]).quantity(instrument)
    closes = held > 0 if wanted.side != "BUY" else held < 0
    opened = max(wanted.quantity - abs(held), Decimal(0)) if closes else wanted.quantity
    price = wanted.amount("limit_price") or wanted.amount("stop_price") or exchange.market.last(instrument)
    margin = account.get("subtype") != "CASH"
    required = opened * price * instrument.multiplier
    available = exchange.portfolios.buying_power(account["id"], margin=margin)
    if required > available:
        options = instrument.underlying is not None
        raise risk_refusal(
            "BUYING_POWER",
            "Buying Power: required > available",
            order_id,
            account_id=str(account["id"]),
            account_type="margin_reg_t" if margin else "cash",
            available=f"{available:.4f}",
            multiplier="2" if margin else "1",
            required_equity="0" if options else f"{required:f}",
            required_options=f"{required:f}" if options else "0",
            required_total=f"{required:f}",
            side=_side(wanted),
            symbol=instrument.symbol,
        )


def _side(wanted: Wanted) -> str:
    return "Buy" if wanted.side == "BUY" else "Sell"
