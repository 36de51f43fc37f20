"""Our models read what the published OpenAPI describes: its examples, its lists of words, any value of its schemas."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from omnibot.clearstreet.bodies import message_body, thread_body
from omnibot.clearstreet.envelope import error_of, open_envelope
from omnibot.clearstreet.models import (
    AccountStatus,
    Capability,
    DayType,
    InstrumentType,
    MarketSession,
    MarketType,
    MessageOutcome,
    MessageRole,
    OrderStatus,
    OrderType,
    PositionType,
    QueueState,
    ResponseStatus,
    Side,
    TimeInForce,
    TrailingOffsetType,
    dump_part,
    holdings,
    market,
    orders,
    read_part,
    screener,
)
from omnibot.clearstreet.models import resources as read
from omnibot.clearstreet.models.rejections import Reason, read_reasons
from omnibot.clearstreet.models.scalars import decode
from omnibot.clearstreet.models.screener import FieldRef
from omnibot.clearstreet.order_bodies import OrderFields, Replacement, order_body, replace_body
from omnibot.clearstreet.revision import Revision, grant_body
from omnibot.clearstreet.screener_requests import Filter, Screening, screener_body
from omnibot.errors import ClearStreetError, Conflict, Invalid, NotEntitled, NotFound
from sandbox.tests.contracts.published import (
    COMPONENTS,
    OPERATIONS,
    answer_schema,
    component,
    literal,
    literals,
    values,
)
from tests.contracts.comparing import complaints

#: What we read each operation's `data` with.
READERS: dict[str, TypeAdapter[Any]] = {
    "get_accounts": read.accounts,
    "get_account_balances": holdings.balances,
    "get_positions": holdings.positions,
    "get_orders": orders.orders,
    "submit_orders": orders.orders,
    "get_order_by_id": orders.order,
    "replace_order": orders.order,
    "cancel_open_order": orders.order,
    "get_snapshots": market.snapshots,
    "search_screener": screener.rows,
    "get_clock": market.clock,
    "get_market_hours_calendar": market.market_hours,
    "get_threads": read.threads,
    "get_thread_by_id": read.thread,
    "create_thread": read.created,
    "create_message": read.created,
    "get_messages": read.messages,
    "get_message_by_id": read.message,
    "submit_feedback": read.feedback,
    "get_thread_response": read.maybe_response,
    "get_response_by_id": read.response,
    "cancel_response": read.canceled,
    "get_entitlements": read.entitlements,
    "create_entitlements": read.entitlements,
    "delete_entitlement": read.revoked,
    "get_entitlement_agreements": read.agreements,
}
ERRORS: dict[int, type[ClearStreetError]] = {400: Invalid, 403: NotEntitled, 404: NotFound, 409: Conflict, 422: Invalid}
#: Of an account the bot needs neither the holder nor the days.
UNREAD = ("account_holder_entity_id is not read", "open_date is not read", "close_date is not read")

#: Our enum, or "text" where we keep the word as it is, for each list of words in the document.
ENUMS: dict[str, type[StrEnum] | str] = {
    "AccountStatus": AccountStatus,
    "AccountSubtype": "text",
    "AccountType": "text",
    "Capability": Capability,
    "ConversationMode": "text",
    "DayType": DayType,
    "DeepInsightsTargetType": "text",
    "EntitlementAgreementKey": "text",
    "EntitlementCode": "text",
    "FieldLookback": "text",
    "FieldPeriod": "text",
    "FieldType": "text",
    "FilterOperator": "text",
    "MarginType": "text",
    "MarketSessionType": MarketSession,
    "MarketType": MarketType,
    "MessageOutcome": MessageOutcome,
    "MessageRole": MessageRole,
    "ModifierOp": "text",
    "OperatorArg": "text",
    "OrderStatus": OrderStatus,
    "OrderType": OrderType,
    "PositionType": PositionType,
    "QueueState": QueueState,
    "RequestOrderType": OrderType,
    "RequestTimeInForce": TimeInForce,
    "ResponseStatus": ResponseStatus,
    "SecurityType": InstrumentType,
    "Side": Side,
    "SortDirection": "text",
    "TimeInForce": TimeInForce,
    "TrailingOffsetType": TrailingOffsetType,
}
PARTS = {
    "ChartPayload": lambda example: {"type": "chart", "payload": example},
    "SuggestedActionsPayload": lambda example: {"type": "suggested_actions", "payload": example},
    "OpenChartAction": lambda example: action(open_chart=example),
    "OpenScreenerAction": lambda example: action(open_screener=example),
    "ScreenerFilter": lambda example: action(open_screener={"filters": [example]}),
    "OpenEntitlementConsentAction": lambda example: action(open_entitlement_consent=example),
    "PrefillNewOrderAction": lambda example: action(prefill_order=example),
    "PrefillCancelOrderAction": lambda example: action(prefill_order=example),
    "PrefillModifyOrderAction": lambda example: action(prefill_order=example),
    "NewOrderRequest": lambda example: action(prefill_order={"action_type": "NEW", "orders": [example]}),
}
often = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
seldom = settings(often, max_examples=8)
#: Large flat answers, of which a few values say as much as many.
TRADING = [operation for operation, (_, path) in OPERATIONS.items() if "omni-ai" not in path and path != "/v1/accounts"]
ACTIONS = [
    {**choice, "properties": {kind: one}}
    for choice in component("StructuredAction")["oneOf"]
    for kind, payload in choice["properties"].items()
    for one in payload.get("oneOf", [payload])
]
#: What reads the example of a component that is part of an answer.
COMPONENTS_READ: dict[str, TypeAdapter[Any]] = {
    "AccountBalances": holdings.balances,
    "ClockDetail": market.clock,
    "FieldRef": TypeAdapter(screener.FieldRef),
    "MarginSessionDetails": TypeAdapter(holdings.MarginSession),
    "MarketDataSnapshot": TypeAdapter(market.Snapshot),
    "MarketHoursDetail": TypeAdapter(market.MarketHours),
    "MarketStatus": TypeAdapter(market.MarketStatus),
    "Order": orders.order,
    "Position": TypeAdapter(holdings.Position),
    "ScreenerColumn": TypeAdapter(screener.Cell),
    "SessionSchedule": TypeAdapter(market.SessionHours),
    "TradingSessions": TypeAdapter(market.TradingSessions),
}
EXAMPLES = [name for name in literals("openapi") if ".200." in name]
REFUSALS = [name for name in literals("openapi") if name.split(".")[1].isdigit() and ".200." not in name]
PLACED = [name for name in literals("openapi") if name.startswith("submit_orders.request.")]


def action(**one: Any) -> dict[str, Any]:
    return {"type": "structured_action", "action_id": "019dbb03-cf40-7a11-8c55-0d6a5f1b2c3d", "action": one}


def lost(operation: str, answer: Any) -> list[str]:
    """What our reading of a whole answer changes or leaves out."""
    body = json.dumps(answer).encode()
    read_as = open_envelope(200, body).read(READERS[operation])
    data = decode(body)["data"]
    found = complaints(tuple(read_as) if isinstance(read_as, list) else read_as, data, operation)
    return [one for one in found if not (operation == "get_accounts" and one.endswith(UNREAD))]


def test_every_operation_has_its_reader():
    assert READERS.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_published_answer_is_read_without_loss(name):
    operation, *_ = name.split(".")
    example = literal("openapi", name)

    assert lost(operation, example) == []
    envelope = open_envelope(200, json.dumps(example).encode())
    assert envelope.request_id == example["metadata"]["request_id"]
    assert envelope.next_page_token == example["metadata"].get("next_page_token")


@pytest.mark.parametrize("name", REFUSALS)
def test_a_published_refusal_becomes_the_error_it_stands_for(name):
    example, status = literal("openapi", name), int(name.split(".")[1])

    error = error_of(status, json.dumps(example).encode(), retry_after=0)

    assert type(error) is ERRORS[status]
    assert (error.status, error.api_message) == (status, example["error"]["message"])
    assert error.request_id == example["metadata"]["request_id"]


@pytest.mark.parametrize("name", PARTS)
def test_a_published_part_or_action_is_read_without_loss(name):
    part = PARTS[name](literal("openapi", f"component.{name}"))

    value = read_part(part)

    assert complaints(value, part, name) == []
    assert dump_part(value) == part


@pytest.mark.parametrize("name", COMPONENTS_READ)
def test_a_published_component_is_read_without_loss(name):
    example = decode(json.dumps(literal("openapi", f"component.{name}")).encode())

    assert complaints(COMPONENTS_READ[name].validate_python(example), example, name) == []


@pytest.mark.parametrize(("name", "code"), [("NoBuyingPower", "BUYING_POWER"), ("RiskCheckSelfMatch", "SELF_MATCH")])
def test_a_published_refusal_of_an_order_says_why(name, code):
    example = literal("openapi", f"submit_orders.400.{name}")
    violation, info = example["error"]["details"]

    [reason] = read_reasons(error_of(400, json.dumps(example).encode(), retry_after=0).details)

    assert reason == Reason(code, violation["description"], info["metadata"])


def test_the_published_account_is_read_as_in_the_list():
    assert lost("get_accounts", {"data": [literal("openapi", "component.Account")], "metadata": {}}) == []


def test_our_bodies_are_the_published_requests():
    thread = literal("openapi", "component.CreateThreadRequest")
    message = literal("openapi", "component.CreateMessageRequest")
    grant = literal("openapi", "component.CreateEntitlementsRequest")

    # `capabilities` is optional; we always say it.
    assert thread_body(thread["account_id"], text=thread["text"]) == {**thread, "capabilities": []}
    assert message_body(message["account_id"], text=message["text"]) == {**message, "capabilities": []}
    assert grant == grant_body(grant["agreement_id"], grant["entitlement_codes"], grant["account_ids"], old_names=False)


@pytest.mark.parametrize("name", PLACED)
def test_our_orders_are_the_published_requests(name):
    [example] = literal("openapi", name)
    amounts = ("quantity", "limit_price", "stop_price", "limit_offset", "trailing_offset")
    words: dict[str, type[StrEnum]] = {
        "side": Side,
        "order_type": OrderType,
        "time_in_force": TimeInForce,
        "trailing_offset_type": TrailingOffsetType,
    }
    given: dict[str, Any] = {field: words[field](value) for field, value in example.items() if field in words}
    given |= {field: Decimal(value) for field, value in example.items() if field in amounts}

    body = order_body(OrderFields(client_order_id="ours", symbol=example["symbol"], **given), Revision.V2026_08)

    # `id` is optional; we always say it.
    assert body == {**example, "id": "ours"}


def test_our_replacements_and_searches_are_the_published_requests():
    search = literal("openapi", "component.ScreenerSearchRequest")
    [condition], [sort] = search["filters"], search["sorts"]
    [value] = condition["right"]
    wanted = Screening(
        filters=(Filter(FieldRef(condition["left"]["name"]), condition["op"]["name"], (Decimal(value["value"]),)),),
        columns=tuple(FieldRef(one["name"]) for one in search["columns"]),
        sort=FieldRef(sort["field"]["name"]),
        descending=sort["direction"] == "DESC",
        page_size=search["page_size"],
    )

    assert screener_body(wanted) == search
    assert condition == literal("openapi", "component.SearchFilter")
    assert sort == literal("openapi", "component.SortSpec")
    replacement = literal("openapi", "component.ReplaceOrderRequest")
    assert replace_body(Replacement(limit_price=Decimal(replacement["limit_price"]))) == replacement


def test_every_published_example_is_used_above():
    bodies = {"CreateThreadRequest", "CreateMessageRequest", "CreateEntitlementsRequest"}
    bodies |= {"ReplaceOrderRequest", "ScreenerSearchRequest", "SearchFilter", "SortSpec"}
    components = {f"component.{name}" for name in {*PARTS, *COMPONENTS_READ, *bodies, "Account"}}

    assert {*EXAMPLES, *REFUSALS, *PLACED, *components} == set(literals("openapi"))


def test_every_published_list_of_words_is_accounted_for():
    assert {name for name, schema in COMPONENTS.items() if "enum" in schema} == ENUMS.keys()


@pytest.mark.parametrize("name", [name for name, kind in ENUMS.items() if kind != "text"])
def test_every_published_word_is_known(name):
    kind = ENUMS[name]

    assert not isinstance(kind, str)
    assert set(COMPONENTS[name]["enum"]) <= {str(member) for member in kind}


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one not in TRADING])
@often
@given(data=st.data())
def test_any_answer_the_schemas_allow_is_read_without_loss(operation, data):
    answer = data.draw(values(answer_schema(operation, 200)))

    assert lost(operation, answer) == []


@pytest.mark.parametrize("operation", TRADING)
@seldom
@given(data=st.data())
def test_any_trading_answer_the_schemas_allow_is_read_without_loss(operation, data):
    answer = data.draw(values(answer_schema(operation, 200)))

    assert lost(operation, answer) == []


@pytest.mark.parametrize(
    "schema", component("ResponseContentPart")["oneOf"], ids=lambda schema: schema["properties"]["type"]["enum"][0]
)
@often
@given(data=st.data())
def test_any_part_the_schemas_allow_is_read_without_loss(schema, data):
    part = decode(json.dumps(data.draw(values(schema))).encode())

    assert complaints(read_part(part), part) == []


@pytest.mark.parametrize("schema", ACTIONS, ids=lambda schema: next(iter(schema["properties"])))
@often
@given(data=st.data())
def test_any_action_the_schemas_allow_is_read_without_loss(schema, data):
    part = decode(json.dumps(action(**data.draw(values(schema)))).encode())

    assert complaints(read_part(part), part) == []
