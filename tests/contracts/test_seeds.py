"""The documentation of 2026-04, example by example: our models read it, and the emulator serves the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from omnibot.clearstreet.bodies import message_body
from omnibot.clearstreet.envelope import error_of
from omnibot.errors import Conflict, Invalid
from sandbox.tests.contracts.conftest import MAIN
from sandbox.tests.contracts.published import OPERATIONS, literal, literals
from tests.contracts.test_openapi_models import lost

OMNI = "/omni-ai"
PRICED = "019dbae9-73b3-7fe0-bd14-25fe57e91475"
ANSWERED = "019dbafd-db54-7523-a412-ec9195cc5d99"
MARKETS = "019d9597-597c-7571-a0c9-a49c0e51f6eb"
MESSAGE = "019d9597-599c-7132-a7de-e5c21eaaab77"
RUNNING = "019dbb03-cf22-7da0-a663-f51c756efa07"
READS = {
    "get_threads": f"{OMNI}/threads",
    "get_thread_by_id": f"{OMNI}/threads/{PRICED}",
    "get_thread_response": f"{OMNI}/threads/{RUNNING}/response",
    "get_messages": f"{OMNI}/threads/{MARKETS}/messages",
    "get_message_by_id": f"{OMNI}/messages/{MESSAGE}",
    "get_response_by_id": f"{OMNI}/responses/{ANSWERED}",
}
ANSWERS = [name for name in literals("seeds") if name.endswith(".200")]
REFUSALS = {"create_message.400": Invalid, "create_message.409": Conflict, "create_message.422": Invalid}


@pytest.fixture
def revision() -> str:
    return "2026-04"


@pytest.fixture
async def documented(emulator, call):
    emulator.load_examples()
    return call


def shape(value: Any) -> Any:
    """The value with the names of types in place of its leaves; a list is the shapes that occur in it."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [json.loads(one) for one in sorted({json.dumps(shape(inner), sort_keys=True) for inner in value})]
    return type(value).__name__


def test_there_is_an_example_of_every_omni_endpoint():
    omni = {operation for operation, (_, path) in OPERATIONS.items() if path.startswith("/v1/omni-ai/")}
    assert {name.split(".")[0] for name in ANSWERS} == omni
    assert {*ANSWERS, *REFUSALS, "create_message.request"} == set(literals("seeds"))


@pytest.mark.parametrize("name", ANSWERS)
def test_a_documented_answer_is_read_without_loss(name):
    operation, _ = name.split(".")
    # The generator's placeholder of a moment, "granted_at", is none.
    found = [one for one in lost(operation, literal("seeds", name)) if "instead of 'granted_at'" not in one]

    assert found == []


@pytest.mark.parametrize("name", REFUSALS)
def test_a_documented_refusal_becomes_the_error_it_stands_for(name):
    example, status = literal("seeds", name), int(name.split(".")[1])

    error = error_of(status, json.dumps(example).encode(), retry_after=0)

    assert type(error) is REFUSALS[name]
    assert (error.status, error.api_message) == (status, example["error"]["message"])
    assert error.request_id == example["metadata"]["request_id"]


def test_our_body_is_the_documented_request():
    request = literal("seeds", "create_message.request")

    assert message_body(request["account_id"], text=request["text"]) == {**request, "capabilities": []}


@pytest.mark.parametrize("name", READS)
async def test_a_documented_read_is_served_word_for_word(documented, name):
    example = literal("seeds", f"{name}.200")

    status, answer = await documented("GET", READS[name], account_id=MAIN)

    if name == "get_threads":  # the other examples' threads are there too
        answer["data"] = [thread for thread in answer["data"] if thread["id"] == PRICED]
    assert (status, answer["data"]) == (200, example["data"])
    assert shape(answer) == shape(example)


async def test_documented_writes_are_answered_in_the_documented_shapes(documented):
    question = literal("seeds", "create_message.request")
    writes = [
        ("create_thread", "POST", f"{OMNI}/threads", {"json": {**question, "type": "instant"}}),
        ("create_message", "POST", f"{OMNI}/threads/{PRICED}/messages", {"json": question}),
        ("submit_feedback", "POST", f"{OMNI}/messages/{MESSAGE}/feedback", {"json": {"account_id": MAIN, "score": 1}}),
        ("cancel_response", "DELETE", f"{OMNI}/responses/{ANSWERED}", {"account_id": MAIN}),
    ]
    for name, method, path, sent in writes:
        example = literal("seeds", f"{name}.200")
        status, answer = await documented(method, path, **sent)
        assert (status, shape(answer)) == (200, shape(example)), name


async def test_entitlements_are_served_in_the_documented_shapes(call):
    path = f"{OMNI}/entitlements"
    _, agreements = await call("GET", f"{OMNI}/entitlement-agreements")
    [agreement] = agreements["data"]
    codes = {"requested_entitlement_codes": agreement["entitlement_codes"]}
    body = {"agreement_id": agreement["agreement_id"], **codes, "trading_account_ids": [MAIN]}
    _, created = await call("POST", path, json=body)
    _, listed = await call("GET", path, trading_account_id=MAIN)
    _, deleted = await call("DELETE", f"{path}/{created['data'][0]['entitlement_id']}")

    served = {
        "get_entitlement_agreements": agreements,
        "create_entitlements": created,
        "get_entitlements": listed,
        "delete_entitlement": deleted,
    }
    for name, answer in served.items():
        example = literal("seeds", f"{name}.200")
        assert shape(answer["data"]) == shape(example["data"]), name
        assert answer["metadata"].keys() <= example["metadata"].keys()


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("create_message.400", '{\n  "text": "Compare that to AMD."\n'),
        ("create_message.409", '{"account_id": 19816, "text": "Compare that to AMD."}'),
        ("create_message.422", '{\n  "text": "Compare that to AMD."\n  }\n'),
    ],
)
async def test_a_documented_refusal_is_served_word_for_word(documented, name, raw):
    example = literal("seeds", name)

    status, answer = await documented("POST", f"{OMNI}/threads/{RUNNING}/messages", data=raw)

    assert (status, answer["error"]) == (example["error"]["code"], example["error"])
    assert shape(answer) == shape(example)
