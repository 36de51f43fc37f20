"""What becomes of an order, when it shall not simply meet the market: plans, chosen by client id, symbol or "*".

A plan is a name, or a mapping:

    steps       [{at, status?, fill?, price?, details?}, …]: what happens so many scripted seconds after acceptance.
                `fill` is a quantity ("40"), a share of the order ("40%") or "rest"; `price` is otherwise the order's
                limit or the market's price; `details` are the words Clear Street gives
    refuse      {code, status?, message?, description?, metadata?}: the submission is answered with this error instead,
                and there is no order
    on_cancel   "cancel" (the default), "refuse" (it goes on working) or "fill" (it was too late)
    on_replace  "replace" (the default) or "refuse"

"refuse:BUYING_POWER" is short for {"refuse": {"code": "BUYING_POWER"}}.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

JSON = dict[str, Any]

_STATUSES = (
    "PENDING_NEW",
    "QUEUED",
    "PENDING_TRIGGER",
    "NEW",
    "PARTIALLY_FILLED",
    "FILLED",
    "CANCELED",
    "REJECTED",
    "EXPIRED",
    "DONE_FOR_DAY",
    "STOPPED",
    "SUSPENDED",
    "CALCULATED",
    "OTHER",
)
_NEW: JSON = {"at": 0.3, "status": "NEW"}

NAMED: dict[str, JSON] = {
    "fill": {"steps": [_NEW, {"at": 1, "fill": "rest"}]},
    "partial_then_fill": {"steps": [_NEW, {"at": 1, "fill": "40%"}, {"at": 4, "fill": "rest"}]},
    "partial": {"steps": [_NEW, {"at": 1, "fill": "40%"}]},
    "slowly": {
        "steps": [
            {"at": 2, "status": "NEW"},
            *({"at": at, "fill": "20%"} for at in (5, 8, 11, 14)),
            {"at": 17, "fill": "rest"},
        ]
    },
    "never": {"steps": [_NEW]},
    "pending": {"steps": []},
    "reject": {
        "steps": [
            {"at": 0.6, "status": "REJECTED", "details": ["Rejected by the venue: price too far from the market"]}
        ]
    },
    "expire": {"steps": [_NEW, {"at": 3, "status": "EXPIRED", "details": ["Order expired"]}]},
    "cancel": {
        "steps": [
            _NEW,
            {"at": 1, "fill": "20%"},
            {"at": 2, "status": "CANCELED", "details": ["Canceled by the venue: trading halt"]},
        ]
    },
    "too_late_to_cancel": {"steps": [_NEW], "on_cancel": "fill"},
    "cancel_refused": {"steps": [_NEW], "on_cancel": "refuse"},
    "replace_refused": {"steps": [_NEW], "on_replace": "refuse"},
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens to an order."""

    at: float
    status: str | None
    fill: str | None
    price: Decimal | None
    details: tuple[str, ...]

    def quantity(self, whole: Decimal, left: Decimal) -> Decimal:
        """How much of the order this fills."""
        if self.fill is None:
            return Decimal(0)
        if self.fill == "rest":
            return left
        if self.fill.endswith("%"):
            share = whole * Decimal(self.fill[:-1]) / 100
            step = Decimal(1) if whole == whole.to_integral_value() else Decimal("0.0001")
            return min(left, max(step, (share // step) * step))
        return min(left, Decimal(self.fill))


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error a submission is answered with."""

    status: int
    code: str
    message: str
    description: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """What becomes of one order."""

    steps: tuple[Step, ...] = ()
    refusal: Refusal | None = None
    on_cancel: str = "cancel"
    on_replace: str = "replace"


def read_plan(plan: str | JSON) -> OrderPlan:
    """A plan from its name or its mapping.

    Raises:
        ValueError: it is neither; the text says what is wrong.
    """
    if isinstance(plan, str):
        name, _, code = plan.partition(":")
        if name == "refuse" and code:
            return read_plan({"refuse": {"code": code}})
        if plan not in NAMED:
            raise ValueError(f"no order plan {plan!r}; there are refuse:CODE, {', '.join(NAMED)}")
        return read_plan(NAMED[plan])
    unknown = plan.keys() - {"steps", "refuse", "on_cancel", "on_replace"}
    if unknown:
        raise ValueError(f"an order plan has no {', '.join(sorted(unknown))}")
    steps = tuple(_step(step) for step in plan.get("steps", []))
    if [step.at for step in steps] != sorted(step.at for step in steps):
        raise ValueError("the steps of an order plan must be in the order of time")
    return OrderPlan(
        steps,
        _refusal(plan["refuse"]) if "refuse" in plan else None,
        _one_of(plan.get("on_cancel", "cancel"), "cancel", "refuse", "fill"),
        _one_of(plan.get("on_replace", "replace"), "replace", "refuse"),
    )


class OrderPlans(UserDict[str, str | JSON]):
    """Plans by client order id, symbol or "*"; read when they are put in, so that a wrong one is heard of at once."""

    def __setitem__(self, key: str, plan: str | JSON) -> None:
        read_plan(plan)
        super().__setitem__(key, plan)

    def choose(self, client_order_id: str, symbol: str) -> OrderPlan | None:
        """The plan of an order, the most particular first; None: it meets the market."""
        for key in (client_order_id, symbol, "*"):
            if key in self:
                return read_plan(self[key])
        return None


def _step(step: JSON) -> Step:
    status = step.get("status")
    if status is not None:
        _one_of(status, *_STATUSES)
    price = step.get("price")
    return Step(
        float(step["at"]),
        status,
        step.get("fill"),
        None if price is None else Decimal(price),
        tuple(step.get("details", ())),
    )


def _refusal(refusal: JSON) -> Refusal:
    code = refusal["code"]
    return Refusal(
        refusal.get("status", 400),
        code,
        refusal.get("message", "Risk check failed"),
        refusal.get("description", f"{code.replace('_', ' ').title()}: order refused"),
        dict(refusal.get("metadata", {})),
    )


def _one_of(value: str, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value
