"""The revisions of the API, and how the same stored facts are written in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]

#: What 2026-04 called the fields of structured actions.
_OLD_NAMES = {
    "account_ids": "trading_account_ids",
    "columns": "field_filter",
    "entitlement_codes": "requested_entitlement_codes",
}

#: What 2026-10 calls the times in force of before.
NEWER_TIMES = {"AT_THE_OPENING": "AT_OPEN", "AT_THE_CLOSE": "AT_CLOSE"}


@dataclass(frozen=True, slots=True)
class Revision:
    """What one revision does; each flag is one difference a caller can notice."""

    name: str
    #: Threads may live without a trading account, and reads need none.
    account_optional: bool = False
    #: An idle thread's `/response` is `data: null` instead of a 404.
    idle_is_null: bool = False
    #: The first page of messages is the newest one.
    latest_first: bool = False
    #: Threads are listed by their last update instead of their creation.
    by_update: bool = False
    #: Entitlements speak of `account_ids` and `entitlement_codes` instead of the older, longer names.
    short_names: bool = False
    #: Nullable keys are written as null, and things to click on say whether they were clicked.
    explicit_nulls: bool = False
    #: No agreement to sign is a 404, and revoking twice a 409.
    absence_refused: bool = False
    #: Create-thread honours `Idempotency-Key`, creates take `context`, and entitlements have a status and an opt-out.
    extended: bool = False
    #: There is a screener, whose action speaks of `columns`.
    screener: bool = False
    #: The screener says what it can be asked.
    catalog: bool = False
    #: A quote may lack a side, and balances and margin are called what they are called today.
    one_sided_quotes: bool = False
    #: Snapshots say when and where, and how the day went.
    rich_quotes: bool = False
    #: Orders can be looked up by `order_ids`; before, the list does not look at it.
    order_ids: bool = False
    #: An order says which `position_effect` it has and, where it is proposed, which type of instrument it is of.
    position_effect: bool = False
    #: An order is a BUY or a SELL with a `position_intent`, may have a strategy, and says when it waits for something.
    intents: bool = False


REVISIONS: dict[str, Revision] = {
    "2026-04": Revision("2026-04", position_effect=True),
    "2026-08": Revision(
        "2026-08",
        idle_is_null=True,
        latest_first=True,
        short_names=True,
        absence_refused=True,
        screener=True,
        one_sided_quotes=True,
        order_ids=True,
    ),
    "2026-10": Revision(
        "2026-10",
        account_optional=True,
        idle_is_null=True,
        latest_first=True,
        by_update=True,
        short_names=True,
        explicit_nulls=True,
        extended=True,
        screener=True,
        catalog=True,
        one_sided_quotes=True,
        rich_quotes=True,
        order_ids=True,
        intents=True,
    ),
}


def write_message(message: JSON, revision: Revision) -> JSON:
    """A finalised message as this revision writes it."""
    out = {**message, "content": {"parts": write_parts(message["content"]["parts"], revision)}}
    if revision.explicit_nulls:
        out.setdefault("error", None)
        # This revision was seen to put a blank where ISO 8601 has its T: callers must read both.
        out["created_at"] = str(message["created_at"]).replace("T", " ")
    else:
        out.pop("context", None)
    return out


def write_response(response: JSON, revision: Revision) -> JSON:
    """A response snapshot as this revision writes it."""
    out = dict(response)
    if out.get("content") is not None:
        out["content"] = {"parts": write_parts(out["content"]["parts"], revision)}
    if revision.explicit_nulls:
        for name in ("content", "error", "output_message_id"):
            out.setdefault(name, None)
    return out


def write_parts(parts: list[Any], revision: Revision) -> list[Any]:
    """Content parts as this revision writes them; what a script spelled out itself is left alone."""
    return [_write_part(part, revision) if isinstance(part, dict) else part for part in parts]


def _write_part(part: JSON, revision: Revision) -> JSON:
    if part.get("type") == "structured_action" and isinstance(part.get("action"), dict):
        actions = {kind: _write_action(kind, action, revision) for kind, action in part["action"].items()}
        part = {**part, "action": actions}
    return _with_tracking(part) if revision.explicit_nulls else part


def _write_action(kind: str, action: Any, revision: Revision) -> Any:
    if kind == "prefill_order" and isinstance(action, dict) and action.get("action_type") == "NEW":
        orders = action.get("orders")
        return {**action, "orders": [write_proposal(one, revision) for one in orders]} if orders else action
    return action if revision.short_names else _with_old_names(action)


def write_proposal(order: Any, revision: Revision) -> Any:
    """A proposed order as this revision writes it. Scripts say all there is to say in the words of 2026-04."""
    if not isinstance(order, dict) or revision.position_effect:
        return order
    out = {name: value for name, value in order.items() if name not in ("instrument_type", "position_effect")}
    if revision.intents:
        effect = order.get("position_effect")
        if order.get("side") == "SELL_SHORT":
            out["side"], effect = "SELL", "OPEN"
        if order.get("time_in_force") in NEWER_TIMES:
            out["time_in_force"] = NEWER_TIMES[order["time_in_force"]]
        if effect:
            out["position_intent"] = effect
    return out


def _with_old_names(action: Any) -> Any:
    """What an action is about in the words of 2026-04, unless its script has said it in them."""
    if not isinstance(action, dict):
        return action
    renamed = {name: old for name, old in _OLD_NAMES.items() if old not in action}
    return {renamed.get(name, name): value for name, value in action.items()}


def _with_tracking(part: JSON) -> JSON:
    payload = part.get("payload")
    match part.get("type"):
        case "structured_action":
            return {"clicked": False, "clicked_item_ids": [], "item_id": None, **part}
        case "chart" if isinstance(payload, dict):
            tracked = {"clicked": False, "itemId": payload.get("chartId"), "dataChart": None, **payload}
            return {**part, "payload": _with_tracked_buttons(tracked)}
        case "suggested_actions" if isinstance(payload, dict):
            return {**part, "payload": _with_tracked_buttons({"clickedItemIds": [], **payload})}
        case _:
            return part


def _with_tracked_buttons(payload: JSON) -> JSON:
    buttons = payload.get("actionButtons")
    if not isinstance(buttons, list):
        return payload
    extras = {"itemId": None, "prompt": None, "structuredAction": None}
    return {**payload, "actionButtons": [{**extras, **b} if isinstance(b, dict) else b for b in buttons]}
