"""Our client against the emulator: every endpoint, every revision, with the revision set and with `auto`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from omnibot.clearstreet.bodies import deep_insights_body, message_body, thread_body
from omnibot.clearstreet.models import (
    Capability,
    ChartPart,
    Created,
    MessageOutcome,
    MessageRole,
    OpenChart,
    OpenEntitlementConsent,
    PrefillNew,
    Response,
    StructuredActionPart,
    SuggestedActionsPart,
)
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.revision import Revision
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.errors import Conflict, Invalid, NotEntitled, NotFound, Unauthorised

KEY, ACCOUNT = "demo-key", 19816
CODE = "omni.account_data"
ALL = list(Capability)

ORDER = {
    "order_type": "LIMIT",
    "quantity": "10",
    "side": "BUY",
    "symbol": "AAPL",
    "time_in_force": "DAY",
    "limit_price": "190.10",
}
ACTIONS = [
    {"prefill_order": {"action_type": "NEW", "orders": [ORDER]}},
    {"open_chart": {"symbol": "AAPL", "timeframe": "1M"}},
    {
        "open_entitlement_consent": {
            "agreement_key": "omni_account_data_access",
            "reason": "To see your positions.",
            "requested_entitlement_codes": [CODE],
            "trading_account_ids": [ACCOUNT],
            "entitlement_codes": [CODE],
            "account_ids": [ACCOUNT],
        }
    },
]
PARTS = [
    {"type": "text", "text": "Here is everything."},
    *({"type": "structured_action", "action_id": f"a{n}", "action": action} for n, action in enumerate(ACTIONS)),
    {
        "type": "chart",
        "payload": {"chartId": "c", "dataChart": {"series": [{"name": "s", "points": [{"x": "1", "y": 1.25}]}]}},
    },
    {
        "type": "suggested_actions",
        "payload": {"actionButtons": [{"buttonId": "b", "label": "More", "prompt": {"prompt": "Tell me more"}}]},
    },
]


def script(name: str, seconds: float, **more: object) -> dict[str, object]:
    thinking = [{"type": "text", "text": ""}, {"type": "thinking", "thoughts": ["Looking…"]}]
    return {
        "name": name,
        "pattern": name,
        "snapshots": [{"at": 0, "status": "running", "parts": thinking}],
        "final": {"at": seconds, "status": "succeeded", "parts": PARTS},
        **more,
    }


@pytest.fixture(params=["2026-04", "2026-08", "2026-10"])
async def emulator(request: pytest.FixtureRequest) -> AsyncIterator[ClearStreetEmulator]:
    one = ClearStreetEmulator(revision=request.param, pace=0.05)
    one.add_script(script("everything", 2))
    one.add_script(script("patience", 10_000))
    one.add_script(script("thesis", 10_000, kind="deep_insights"))
    await one.start()
    yield one
    await one.close()


@pytest.fixture(params=["auto", "fixed"])
async def transport(request: pytest.FixtureRequest, emulator: ClearStreetEmulator) -> AsyncIterator[Transport]:
    setting = "auto" if request.param == "auto" else emulator.revision
    one = Transport(base_url=emulator.base_url, revision=setting, rate=1000)
    yield one
    await one.close()


@pytest.fixture
def omni(transport: Transport) -> Omni:
    return Omni(transport)


async def ask(omni: Omni, text: str) -> Created:
    return await omni.create_thread(
        KEY, ACCOUNT, thread_body(ACCOUNT, text=text, capabilities=ALL), idempotency_key=None
    )


async def finish(omni: Omni, created: Created) -> Response:
    while True:
        response = await omni.get_response(KEY, ACCOUNT, created.response_id, retries=False)
        if response.terminal:
            return response
        await asyncio.sleep(0.02)


async def test_a_turn_from_question_to_feedback(emulator: ClearStreetEmulator, omni: Omni):
    emulator.pace = 1000
    created = await ask(omni, "everything, please")
    active = await omni.active_response(KEY, ACCOUNT, created.thread_id)
    assert active is not None
    assert active.id == created.response_id
    assert active.thoughts == ("Looking…",)

    emulator.pace = 0.05
    response = await finish(omni, created)
    assert await omni.active_response(KEY, ACCOUNT, created.thread_id) is None
    assert response.text == "Here is everything."
    assert response.output_message_id is not None

    answer = await omni.get_message(KEY, ACCOUNT, response.output_message_id)
    assert (answer.role, answer.outcome) == (MessageRole.ASSISTANT, MessageOutcome.COMPLETED)
    assert answer.created_at is not None
    order, chart, consent = (part.action for part in answer.parts if isinstance(part, StructuredActionPart))
    assert isinstance(order, PrefillNew)
    assert str(order.orders[0].limit_price) == "190.10"
    assert isinstance(chart, OpenChart)
    assert isinstance(consent, OpenEntitlementConsent)
    assert (consent.entitlement_codes, consent.account_ids) == ((CODE,), (ACCOUNT,))
    assert isinstance(answer.parts[-2], ChartPart)
    assert isinstance(answer.parts[-1], SuggestedActionsPart)

    question, same = await omni.list_messages(KEY, ACCOUNT, created.thread_id)
    assert (question.role, question.text, same) == (MessageRole.USER, "everything, please", answer)
    assert (await omni.send_feedback(KEY, ACCOUNT, answer.id, score=1, comment="good")).created_at is not None
    assert (await omni.get_thread(KEY, ACCOUNT, created.thread_id)).id == created.thread_id


async def test_one_response_at_a_time_and_it_can_be_canceled(omni: Omni):
    created = await ask(omni, "patience, please")
    body = message_body(ACCOUNT, text="And now?")
    with pytest.raises(Conflict) as caught:
        await omni.create_message(KEY, ACCOUNT, created.thread_id, body, idempotency_key=None)
    assert caught.value.request_id

    assert await omni.cancel_response(KEY, ACCOUNT, created.response_id) is True
    assert (await finish(omni, created)).status == "canceled"
    assert await omni.cancel_response(KEY, ACCOUNT, created.response_id) is False
    [*_, last] = await omni.latest_messages(KEY, ACCOUNT, created.thread_id)
    assert last.outcome is MessageOutcome.CANCELED


async def test_the_latest_messages_of_a_long_thread(emulator: ClearStreetEmulator, omni: Omni):
    emulator.pace = 0.0001
    emulator.page_size = 5
    created = await ask(omni, "everything 0")
    for number in range(1, 60):
        await finish(omni, created)
        body = message_body(ACCOUNT, text=f"everything {number}")
        created = await omni.create_message(KEY, ACCOUNT, created.thread_id, body, idempotency_key=None)
    await finish(omni, created)

    latest = await omni.latest_messages(KEY, ACCOUNT, created.thread_id, count=3)
    assert [message.seq for message in latest] == [118, 119, 120]
    assert [message.seq for message in await omni.list_messages(KEY, ACCOUNT, created.thread_id)] == [*range(1, 121)]


async def test_threads_are_listed_to_the_end(omni: Omni):
    made = [(await ask(omni, f"patience {number}")).thread_id for number in range(7)]

    assert {thread.id for thread in await omni.list_threads(KEY, ACCOUNT)} == set(made)


async def test_deep_insights_begin(omni: Omni):
    body = deep_insights_body(ACCOUNT, ticker="AAPL", thesis="a thesis", capabilities=ALL)
    created = await omni.create_thread(KEY, ACCOUNT, body, idempotency_key=None)

    assert not (await omni.get_response(KEY, ACCOUNT, created.response_id)).terminal


async def test_what_is_not_there_is_not_found(omni: Omni):
    nothing = "019dbae9-73b3-7fe0-bd14-000000000000"
    for call in (omni.get_thread, omni.active_response, omni.list_messages, omni.get_response, omni.get_message):
        with pytest.raises(NotFound) as caught:
            await call(KEY, ACCOUNT, nothing)
        assert caught.value.request_id


async def test_refusals_have_their_names(emulator: ClearStreetEmulator, omni: Omni):
    with pytest.raises(Unauthorised):
        await omni.list_threads("no-such-key", ACCOUNT)
    with pytest.raises((NotEntitled, NotFound)):
        await omni.list_threads(KEY, 20001)
    with pytest.raises(Invalid) as caught:
        await omni.create_thread(KEY, ACCOUNT, {"account_id": ACCOUNT, "type": "instant"}, idempotency_key=None)
    assert caught.value.api_message


async def test_consent_is_given_listed_and_withdrawn(omni: Omni):
    [agreement] = await omni.agreements(KEY)
    [grant] = await omni.create_entitlements(
        KEY, agreement_id=agreement.agreement_id, entitlement_codes=agreement.entitlement_codes, account_ids=[ACCOUNT]
    )

    assert (grant.account_id, grant.entitlement_code) == (ACCOUNT, CODE)
    assert await omni.entitlements(KEY) == [grant]
    assert await omni.entitlements(KEY, ACCOUNT) == [grant]
    assert await omni.delete_entitlement(KEY, grant.entitlement_id) is True
    assert await omni.entitlements(KEY) == []


async def test_the_revision_is_found_out(emulator: ClearStreetEmulator, omni: Omni):
    known = await omni.supports(KEY)

    assert known.threads_without_account is (emulator.revision == "2026-10")
    assert known in (Revision(emulator.revision), Revision.EARLIER)


async def test_opting_out(emulator: ClearStreetEmulator, omni: Omni):
    if emulator.revision != "2026-10":
        with pytest.raises(NotFound):
            await omni.entitlement_status(KEY)
        return
    assert all(status.enabled for status in await omni.entitlement_status(KEY, ACCOUNT))
    [status] = await omni.opt_out(KEY, account_ids=[ACCOUNT], entitlement_codes=[CODE])
    assert (status.account_id, status.enabled) == (ACCOUNT, False)


async def test_a_conversation_without_an_account(emulator: ClearStreetEmulator, omni: Omni):
    body = thread_body(None, text="everything")
    if emulator.revision != "2026-10":
        with pytest.raises(Invalid):
            await omni.create_thread(KEY, None, body, idempotency_key=None)
        return
    created = await omni.create_thread(KEY, None, body, idempotency_key="once")
    assert await omni.create_thread(KEY, None, body, idempotency_key="once") == created
    assert [thread.id for thread in await omni.list_threads(KEY, None)] == [created.thread_id]
    assert (await omni.get_response(KEY, None, created.response_id)).id == created.response_id


async def test_accounts_without_the_closed_ones(transport: Transport):
    assert [account.id for account in await Trading(transport).accounts(KEY)] == [ACCOUNT]
