"""Our models read what the published OpenAPI describes: its examples, its lists of words, any value of its schemas."""

from __future__ import annotations

import json
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
    MessageOutcome,
    MessageRole,
    OrderType,
    ResponseStatus,
    Side,
    TimeInForce,
    TrailingOffsetType,
    dump_part,
    read_part,
)
from omnibot.clearstreet.models import resources as read
from omnibot.clearstreet.models.scalars import decode
from omnibot.clearstreet.revision import grant_body
from omnibot.errors import ClearStreetError, Conflict, Invalid, NotEntitled, NotFound
from tests.contracts.comparing import complaints
from tests.contracts.published import COMPONENTS, OPERATIONS, answer_schema, component, literal, literals, values

#: What we read each operation's `data` with.
READERS: dict[str, TypeAdapter[Any]] = {
    "get_accounts": read.accounts,
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
    "DeepInsightsTargetType": "text",
    "EntitlementAgreementKey": "text",
    "EntitlementCode": "text",
    "MessageOutcome": MessageOutcome,
    "MessageRole": MessageRole,
    "RequestOrderType": OrderType,
    "RequestTimeInForce": TimeInForce,
    "ResponseStatus": ResponseStatus,
    "Side": Side,
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
ACTIONS = [
    {**choice, "properties": {kind: one}}
    for choice in component("StructuredAction")["oneOf"]
    for kind, payload in choice["properties"].items()
    for one in payload.get("oneOf", [payload])
]
EXAMPLES = [name for name in literals("openapi") if ".200." in name]
REFUSALS = [name for name in literals("openapi") if ".200." not in name and not name.startswith("component.")]


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


def test_every_published_example_is_used_above():
    bodies = {"CreateThreadRequest", "CreateMessageRequest", "CreateEntitlementsRequest"}
    components = {f"component.{name}" for name in {*PARTS, *bodies, "Account"}}

    assert {*EXAMPLES, *REFUSALS, *components} == set(literals("openapi"))


def test_every_published_list_of_words_is_accounted_for():
    assert {name for name, schema in COMPONENTS.items() if "enum" in schema} == ENUMS.keys()


@pytest.mark.parametrize("name", [name for name, kind in ENUMS.items() if kind != "text"])
def test_every_published_word_is_known(name):
    kind = ENUMS[name]

    assert not isinstance(kind, str)
    assert set(COMPONENTS[name]["enum"]) <= {str(member) for member in kind}


@pytest.mark.parametrize("operation", OPERATIONS)
@often
@given(data=st.data())
def test_any_answer_the_schemas_allow_is_read_without_loss(operation, data):
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
