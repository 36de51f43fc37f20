"""Reading the bodies of orders and replacements, in each revision's words, into words that are the same in all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from omnibot_sandbox.clearstreet import bodies
from omnibot_sandbox.clearstreet.bodies import Check
from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.revision import JSON, NEWER_TIMES, Revision

_DECIMAL = re.compile(r"-?\d{1,20}(\.\d{1,12})?", re.ASCII)
_TYPES = ("MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING_STOP", "TRAILING_STOP_LIMIT")
_TIMES = ("DAY", "GOOD_TILL_CANCEL", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL", "GOOD_TILL_DATE")
_CROSSINGS = ("GOOD_TILL_CROSSING", "GOOD_THROUGH_CROSSING", "AT_CROSSING")
_OLDER_TIMES = {new: old for old, new in NEWER_TIMES.items()}
_STRATEGIES = ("SOR", "VWAP", "TWAP", "DMA")
#: Fields that hold an amount.
AMOUNTS = ("limit_price", "stop_price", "limit_offset", "trailing_offset")
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order somebody wants to place."""

    order_type: str
    quantity: Decimal
    #: BUY, SELL or SELL_SHORT.
    side: str
    #: In the words of 2026-08.
    time_in_force: str
    #: What names the instrument.
    symbol: str
    client_order_id: str | None = None
    #: `limit_price`, `stop_price`, `limit_offset` and `trailing_offset`, as far as given.
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    trailing_offset_type: str | None = None
    expires_at: datetime | None = None
    extended_hours: bool | None = None
    position_effect: str | None = None
    strategy: JSON | None = None

    def amount(self, name: str) -> Decimal | None:
        """One of the amounts."""
        return self.amounts.get(name)


def read_orders(raw: str, revision: Revision) -> list[Wanted]:
    """The orders of a submission.

    Raises:
        ApiError: 422 for what has the wrong shape, 400 for what makes no sense.
    """
    body = bodies.read_json(raw)
    if not isinstance(body, list):
        raise bodies.mismatch(raw, f"invalid type: {bodies.describe(body)}, expected a sequence")
    if not body:
        raise ApiError(400, "At least one order is required")
    return [_read_order(raw, one, f"[{place}]: ", revision) for place, one in enumerate(body)]


def read_replacement(raw: str) -> dict[str, Any]:
    """What shall change: amounts and `quantity` as decimals, `trailing_offset_type` as a word.

    Raises:
        ApiError: 422 for what has the wrong shape, 400 for what makes no sense.
    """
    fields: dict[str, Check] = {name: _decimal for name in ("quantity", *AMOUNTS)}
    fields["trailing_offset_type"] = bodies.one_of("PRICE", "BPS")
    body = bodies.read_body(raw, {}, fields)
    if not body:
        raise ApiError(400, "At least one field must be provided")
    read = {name: value if name == "trailing_offset_type" else Decimal(value) for name, value in body.items()}
    if "quantity" in read and read["quantity"] <= 0:
        raise ApiError(400, "Order quantity must be greater than zero")
    return read


def changed(wanted: Wanted, changes: Mapping[str, Any]) -> Wanted:
    """The order as a replacement would have it."""
    return replace(
        wanted,
        amounts={**wanted.amounts, **{name: changes[name] for name in AMOUNTS if name in changes}},
        quantity=changes.get("quantity", wanted.quantity),
        trailing_offset_type=changes.get("trailing_offset_type", wanted.trailing_offset_type),
    )


def _read_order(raw: str, body: Any, where: str, revision: Revision) -> Wanted:
    if not isinstance(body, dict):
        raise bodies.mismatch(raw, f"{where}invalid type: {bodies.describe(body)}, expected struct NewOrderRequest")
    required, optional = _fields(revision)
    given = bodies.check_fields(raw, body, required, optional, where=where)
    for name in ("quantity", *AMOUNTS):
        if name in given:
            given[name] = Decimal(given[name])
    wanted = _wanted(given, revision)
    _make_sense(given, wanted)
    return wanted


def _fields(revision: Revision) -> tuple[dict[str, Check], dict[str, Check]]:
    sides = ("BUY", "SELL") if revision.intents else ("BUY", "SELL", "SELL_SHORT", "OTHER")
    if revision.intents:
        times: tuple[str, ...] = (*_TIMES, *NEWER_TIMES.values())
    else:
        times = (*_TIMES, *NEWER_TIMES, *(_CROSSINGS if revision.position_effect else ()))
    required: dict[str, Check] = {
        "order_type": bodies.one_of(*_TYPES),
        "quantity": _decimal,
        "side": bodies.one_of(*sides),
        "time_in_force": bodies.one_of(*times),
    }
    optional: dict[str, Check] = {
        **{name: _decimal for name in AMOUNTS},
        "id": bodies.string,
        "symbol": bodies.string,
        "instrument_id": bodies.string,
        "expires_at": _moment,
        "extended_hours": _boolean,
        "trailing_offset_type": bodies.one_of("PRICE", "BPS"),
    }
    if revision.position_effect:
        types = ("COMMON_STOCK", "PREFERRED_STOCK", "OPTION", "CASH", "OTHER")
        optional |= {
            "position_effect": bodies.one_of("OPEN", "CLOSE"),
            "instrument_type": bodies.one_of(*types),
        }
    if revision.intents:
        optional |= {"position_intent": bodies.one_of("OPEN", "CLOSE"), "strategy": _strategy}
    return required, optional


def _wanted(given: JSON, revision: Revision) -> Wanted:
    effect = given.get("position_intent" if revision.intents else "position_effect")
    side, time = given["side"], given["time_in_force"]
    if revision.intents and side == "SELL" and effect == "OPEN":
        side = "SELL_SHORT"
    return Wanted(
        order_type=given["order_type"],
        quantity=given["quantity"],
        side=side,
        time_in_force=str(_OLDER_TIMES.get(time) or time),
        symbol=given.get("instrument_id") or given.get("symbol") or "",
        client_order_id=given.get("id"),
        amounts={name: given[name] for name in AMOUNTS if name in given},
        trailing_offset_type=given.get("trailing_offset_type"),
        expires_at=datetime.fromisoformat(given["expires_at"]) if "expires_at" in given else None,
        extended_hours=given.get("extended_hours"),
        position_effect=effect,
        strategy=given.get("strategy"),
    )


def _make_sense(given: JSON, wanted: Wanted) -> None:
    kind = wanted.order_type
    needed = {
        "limit_price": kind in ("LIMIT", "STOP_LIMIT"),
        "stop_price": kind in ("STOP", "STOP_LIMIT"),
        "trailing_offset": kind.startswith("TRAILING"),
        "trailing_offset_type": kind.startswith("TRAILING"),
        "limit_offset": kind == "TRAILING_STOP_LIMIT",
    }
    complaints = [
        f"{name} is required for {kind} orders" for name, is_needed in needed.items() if is_needed > (name in given)
    ]
    if ("symbol" in given) == ("instrument_id" in given):
        complaints.append("Either symbol or instrument_id must be provided")
    if wanted.quantity <= 0:
        complaints.append("Order quantity must be greater than zero")
    if any(amount <= 0 for name, amount in wanted.amounts.items() if name != "limit_offset"):
        complaints.append("Prices must be greater than zero")
    if wanted.side == "OTHER":
        complaints.append("side OTHER cannot be ordered")
    if wanted.client_order_id is not None and not 0 < len(wanted.client_order_id) <= _LONGEST_ID:
        complaints.append(f"id must be between 1 and {_LONGEST_ID} characters")
    if wanted.time_in_force == "GOOD_TILL_DATE" and wanted.expires_at is None:
        complaints.append("expires_at is required when time_in_force is GOOD_TILL_DATE")
    if wanted.extended_hours and kind == "MARKET":
        complaints.append("MARKET orders are not allowed in extended hours")
    complaints += _strategy_complaints(wanted)
    if complaints:
        raise ApiError(400, complaints[0])


def _strategy_complaints(wanted: Wanted) -> list[str]:
    strategy = (wanted.strategy or {}).get("type", "SOR")
    if strategy == "SOR":
        return []
    types = ("LIMIT",) if strategy == "DMA" else ("MARKET", "LIMIT")
    rules = {
        f"{strategy} is only supported on {' and '.join(types)} orders": wanted.order_type in types,
        f"{strategy} requires DAY time in force": wanted.time_in_force == "DAY",
        f"{strategy} does not support extended_hours": not wanted.extended_hours,
        "DMA requires a destination": strategy != "DMA" or "destination" in (wanted.strategy or {}),
    }
    return [complaint for complaint, kept in rules.items() if not kept]


def _decimal(value: Any) -> str | None:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return f"invalid value: string {json.dumps(value)}, expected a Decimal type representing a fixed-point number"
    return bodies.string(value)


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"invalid type: {bodies.describe(value)}, expected a boolean"


def _moment(value: Any) -> str | None:
    if not isinstance(value, str):
        return bodies.string(value)
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    return None if aware else "premature end of input"


def _strategy(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"invalid type: {bodies.describe(value)}, expected internally tagged enum OrderStrategy"
    if "type" not in value:
        return "missing field `type`"
    return bodies.one_of(*_STRATEGIES)(value["type"])
