"""Every endpoint against the API's own examples, and the places where revisions differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omnibot.clearstreet.models import (
    AccountStatus,
    ActionButton,
    Agreement,
    Created,
    Entitlement,
    EntitlementStatus,
    ErrorStatus,
    Feedback,
    MessageOutcome,
    MessageRole,
    ResponseStatus,
    SuggestedActionsPart,
    TextPart,
    ThinkingPart,
    UnknownValue,
)
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.revision import Revision
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.errors import Incomplete, Invalid, Malformed, NotFound, RateLimited, Unavailable
from tests.clearstreet.conftest import (
    ACCOUNT,
    ANSWER,
    KEY,
    MESSAGE,
    THREAD,
    Heard,
    Say,
    ScriptedApi,
    envelope,
    payload,
    refusal,
)

THREADS = "/v1/omni-ai/threads"
STATUS = "GET /v1/omni-ai/entitlement-status"
GRANTS = "/v1/omni-ai/entitlements"
QUESTION = {"account_id": ACCOUNT, "type": "instant", "text": "Price of AAPL?", "capabilities": []}


async def test_threads(api: ScriptedApi, omni: Omni):
    api.script(f"GET {THREADS}", payload("threads"))
    api.script(f"GET {THREADS}/{THREAD}", payload("thread"))
    api.script(f"POST {THREADS}", payload("thread_created"))

    [listed] = await omni.list_threads(KEY, ACCOUNT)
    assert listed == await omni.get_thread(KEY, ACCOUNT, THREAD)
    assert listed.title == "What is current price of AAPL?"
    assert listed.created_at == datetime(2026, 4, 23, 15, 15, 54, 929830, tzinfo=UTC)
    assert await omni.create_thread(KEY, ACCOUNT, QUESTION, idempotency_key=None) == Created(
        thread_id=THREAD,
        response_id="019dbae9-73b4-7760-a947-8b4bcab57c49",
        user_message_id="019dbae9-73b8-75b2-9c06-ac348927696d",
    )


async def test_a_stored_body_of_another_account_is_not_sent(api: ScriptedApi, omni: Omni):
    with pytest.raises(ValueError, match="account"):
        await omni.create_thread(KEY, 7, QUESTION, idempotency_key=None)
    assert not api.heard


async def test_messages(api: ScriptedApi, omni: Omni):
    api.script(f"GET {THREADS}/{THREAD}/messages", payload("messages"))
    api.script(f"GET /v1/omni-ai/messages/{MESSAGE}", payload("message"))
    api.script(f"POST {THREADS}/{THREAD}/messages", payload("message_created"))
    api.script(f"POST /v1/omni-ai/messages/{MESSAGE}/feedback", payload("feedback"))

    asked, answered = await omni.list_messages(KEY, ACCOUNT, THREAD)
    assert (asked.role, asked.seq, asked.text) == (MessageRole.USER, 1, "How are the markets doing today?")
    assert answered == await omni.get_message(KEY, ACCOUNT, MESSAGE)
    assert answered.outcome is MessageOutcome.COMPLETED
    assert answered.parts[1] == SuggestedActionsPart(
        (ActionButton("btn_followup_0", "Check my positions", prompt="What are my current positions?"),)
    )
    created = await omni.create_message(
        KEY, ACCOUNT, THREAD, {"account_id": ACCOUNT, "text": "x"}, idempotency_key=None
    )
    assert created.response_id == "019dbaec-8dd3-7fa3-89d0-5303609f125f"
    assert await omni.send_feedback(KEY, ACCOUNT, MESSAGE, score=0, comment="fine") == Feedback(
        datetime(2026, 4, 23, 16, 9, 51, 746912, tzinfo=UTC), "019dbb1a-d782-7f42-8dd8-a1a7ca5d48e3"
    )
    assert api.heard[-1].body == {"account_id": ACCOUNT, "score": 0, "comment": "fine"}


async def test_responses(api: ScriptedApi, omni: Omni):
    api.script(f"GET /v1/omni-ai/responses/{ANSWER}", payload("response_succeeded"))
    api.script(f"DELETE /v1/omni-ai/responses/{ANSWER}", payload("cancel"))

    response = await omni.get_response(KEY, ACCOUNT, ANSWER, retries=False)
    assert response.status is ResponseStatus.SUCCEEDED
    assert response.terminal
    assert response.parts == (
        TextPart("AAPL is currently trading at ..."),
        ThinkingPart(("Fetching current market data for AAPL...",)),
    )
    assert response.thoughts == ("Fetching current market data for AAPL...",)
    assert response.output_message_id == "019dbafd-db61-73a0-8bd9-d4034d132f81"
    assert await omni.cancel_response(KEY, ACCOUNT, ANSWER) is False
    assert api.heard[-1].query == {"account_id": str(ACCOUNT)}


@pytest.mark.parametrize(
    ("fields", "terminal"),
    [
        ({"status": "paused", "content": None, "error": None, "output_message_id": None}, False),
        ({"status": "failed", "error": {"code": "timeout", "message": "took too long", "details": {"s": 300}}}, True),
        ({"status": "queued", "content": {"parts": [{"type": "text", "text": 5}]}, "error": "words"}, False),
        ({"status": "canceled", "content": "rubbish", "thread_id": None, "user_message_id": 5}, True),
    ],
)
async def test_odd_responses_are_read(api: ScriptedApi, omni: Omni, fields, terminal):
    api.script(f"GET /v1/omni-ai/responses/{ANSWER}", envelope({"id": ANSWER, **fields}))

    response = await omni.get_response(KEY, ACCOUNT, ANSWER)
    assert response.status == fields["status"]
    assert response.terminal is terminal
    assert isinstance(response.status, UnknownValue) is (fields["status"] == "paused")
    if fields["status"] == "failed":
        assert response.error == ErrorStatus("timeout", "took too long", {"s": 300})


@pytest.mark.parametrize("data", [None, [], {"id": ANSWER}, {"status": "running"}, {"id": 5, "status": "running"}, "x"])
async def test_a_response_without_a_skeleton_is_malformed(api: ScriptedApi, omni: Omni, data):
    api.script(f"GET /v1/omni-ai/responses/{ANSWER}", envelope(data))

    with pytest.raises(Malformed):
        await omni.get_response(KEY, ACCOUNT, ANSWER)


@pytest.mark.parametrize(
    ("created_at", "read"),
    [
        ("2026-04-16 09:20:17.309212+00:00", datetime(2026, 4, 16, 9, 20, 17, 309212, tzinfo=UTC)),
        ("2026-04-16T09:20:17Z", datetime(2026, 4, 16, 9, 20, 17, tzinfo=UTC)),
        ("2026-04-16 09:20:17", datetime(2026, 4, 16, 9, 20, 17, tzinfo=UTC)),
        ("yesterday", None),
        (5, None),
        (None, None),
    ],
)
async def test_moments_are_read_or_absent(api: ScriptedApi, omni: Omni, created_at, read):
    api.script(f"GET {THREADS}/{THREAD}", envelope({"id": THREAD, "title": None, "created_at": created_at}))

    assert (await omni.get_thread(KEY, ACCOUNT, THREAD)).created_at == read


async def test_an_active_response_is_found(api: ScriptedApi, omni: Omni):
    api.script(f"GET {THREADS}/{THREAD}/response", payload("response_running"))

    response = await omni.active_response(KEY, ACCOUNT, THREAD)
    assert response is not None
    assert response.status is ResponseStatus.RUNNING
    assert response.parts[0] == TextPart("")


@pytest.mark.parametrize("idle", [refusal(404), Say(envelope(None)), Say({"metadata": {"request_id": "r"}})])
async def test_an_idle_thread_has_no_response_in_any_revision(api: ScriptedApi, omni: Omni, idle):
    api.script(f"GET {THREADS}/{THREAD}", payload("thread"))
    api.script(f"GET {THREADS}/{THREAD}/response", idle)

    assert await omni.active_response(KEY, ACCOUNT, THREAD) is None


async def test_a_thread_that_is_not_there_is_not_idle(omni: Omni):
    with pytest.raises(NotFound):
        await omni.active_response(KEY, ACCOUNT, THREAD)


def thread_of(count: int, *, page: int, latest_first: bool, token: str = "next_page_token") -> Any:
    """GET messages of a thread of so many, in either revision's paging; `token` is where the next page's is said."""
    everything = [
        {"id": f"m{seq}", "thread_id": THREAD, "role": "USER", "seq": seq, "content": {"parts": []}}
        for seq in range(1, count + 1)
    ]

    def role(heard: Heard) -> Say:
        size, start = (int(one) for one in heard.query.get("page_token", "0.0").split("."))
        size = size or min(page, int(heard.query.get("page_size", page)))
        ordered = everything[::-1] if latest_first else everything
        chunk = ordered[start : start + size]
        more = {token: f"{size}.{start + size}"} if start + size < count else {}
        return Say(envelope(chunk[::-1] if latest_first else chunk, **more))

    return role


PAGINGS = [(False, "next_page_token"), (True, "next_page_token"), (True, "previous_page_token")]


@pytest.mark.parametrize(("latest_first", "token"), PAGINGS)
@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 120])
@pytest.mark.parametrize("revision", ["auto", "fixed"])
async def test_the_latest_messages_are_right_from_either_end(api: ScriptedApi, revision, count, latest_first, token):
    fixed = "2026-08" if latest_first else "2026-04"
    transport = Transport(base_url=api.base_url, revision=fixed if revision == "fixed" else "auto")
    omni = Omni(transport)
    api.play(f"GET {THREADS}/{THREAD}/messages", thread_of(count, page=50, latest_first=latest_first, token=token))

    for _ in range(2):  # the second time it is known where the API begins
        latest = await omni.latest_messages(KEY, ACCOUNT, THREAD)
        assert [message.seq for message in latest] == list(range(max(1, count - 19), count + 1))
    everything = await omni.list_messages(KEY, ACCOUNT, THREAD)
    assert [message.seq for message in everything] == list(range(1, count + 1))
    await transport.close()


async def test_the_latest_page_is_one_call_once_that_is_known(api: ScriptedApi, omni: Omni):
    api.play(f"GET {THREADS}/{THREAD}/messages", thread_of(120, page=50, latest_first=True))
    await omni.latest_messages(KEY, ACCOUNT, THREAD)
    api.heard.clear()

    await omni.latest_messages(KEY, ACCOUNT, THREAD)
    assert len(api.heard) == 1
    assert api.heard[0].query == {"account_id": str(ACCOUNT), "page_size": "20"}


async def test_a_token_that_leads_in_circles_is_no_end(api: ScriptedApi, omni: Omni):
    message = {"id": "m1", "thread_id": THREAD, "role": "USER", "seq": 1, "content": {"parts": []}}
    api.script(f"GET {THREADS}/{THREAD}/messages", envelope([message], next_page_token="x", previous_page_token="y"))
    api.script(f"GET {THREADS}", envelope([{"id": "t"}], next_page_token="x"))

    with pytest.raises(Incomplete):
        await omni.list_messages(KEY, ACCOUNT, THREAD)
    with pytest.raises(Incomplete):
        await omni.list_threads(KEY, ACCOUNT)


async def test_an_empty_page_of_messages_with_a_token_goes_on(api: ScriptedApi, omni: Omni):
    message = {"id": "m1", "thread_id": THREAD, "role": "USER", "seq": 1, "content": {"parts": []}}
    newer = {**message, "id": "m2", "seq": 2}
    answers = [envelope([message], next_page_token="x"), envelope([], next_page_token="y"), envelope([newer])]
    api.script(f"GET {THREADS}/{THREAD}/messages", *answers)

    assert [one.id for one in await omni.latest_messages(KEY, ACCOUNT, THREAD)] == ["m1", "m2"]


async def test_threads_are_read_as_far_as_somebody_needs_them(api: ScriptedApi, omni: Omni):
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def role(heard: Heard) -> Say:
        start = int(heard.query.get("page_token", "0"))
        threads = [
            {"id": f"t{n}", "updated_at": (noon - timedelta(minutes=n)).isoformat()} for n in range(start, start + 100)
        ]
        return Say(envelope(threads, next_page_token=str(start + 100)))

    api.play(f"GET {THREADS}", role)
    found = await omni.list_threads(KEY, ACCOUNT, active_since=noon - timedelta(minutes=150))
    assert [thread.id for thread in found] == [f"t{n}" for n in range(200)]
    assert [heard.query for heard in api.heard] == [
        {"account_id": str(ACCOUNT), "page_size": "100"},
        {"account_id": str(ACCOUNT), "page_token": "100"},
    ]
    with pytest.raises(Incomplete):
        await omni.list_threads(KEY, ACCOUNT)


@pytest.mark.parametrize("path", ["entitlements", "entitlement-status", "entitlement-agreements"])
async def test_a_list_without_pages_that_has_some_is_not_known(api: ScriptedApi, omni: Omni, path: str):
    api.script(f"GET /v1/omni-ai/{path}", envelope([], next_page_token="x"))
    reads: dict[str, Any] = {
        "entitlements": omni.entitlements,
        "entitlement-status": omni.entitlement_status,
        "entitlement-agreements": omni.agreements,
    }
    with pytest.raises(Incomplete):
        await reads[path](KEY)


async def test_entitlements_of_the_first_revision(api: ScriptedApi, omni: Omni):
    api.script(f"GET {GRANTS}", envelope(payload("entitlements_2026_04")["data"]))
    api.script("GET /v1/omni-ai/entitlement-agreements", envelope(payload("agreements")["data"]))
    api.script(f"DELETE {GRANTS}/entitlement_id", payload("entitlement_deleted"))

    grant = Entitlement("entitlement_id", 0, "omni.account_data", "agreement_id", None)
    assert await omni.entitlements(KEY) == [grant]
    assert await omni.entitlements(KEY, 7) == []
    assert api.heard[-1].query == {"account_id": "7"}
    assert await omni.agreements(KEY) == [
        Agreement(
            "agreement_id",
            "omni_account_data_access",
            "document_content",
            "document_sha256",
            "title",
            0,
            ("omni.account_data",),
        )
    ]
    assert await omni.delete_entitlement(KEY, "entitlement_id") is True


async def test_no_agreement_to_sign_is_an_empty_list(omni: Omni):
    assert await omni.agreements(KEY) == []


def grants(names: tuple[str, str], name: str) -> Any:
    """POST entitlements that knows only these names."""

    def role(heard: Heard) -> Say:
        missing = next((one for one in names if one not in heard.body), None)
        if missing:
            return refusal(422, f"Failed to deserialize the JSON body into the target type: missing field `{missing}`")
        made = [
            {"entitlement_id": f"e{one}", name: one, "entitlement_code": "omni.account_data"}
            for one in heard.body[names[1]]
        ]
        return Say(envelope(made))

    return role


async def grant(omni: Omni) -> list[int]:
    made = await omni.create_entitlements(
        KEY, agreement_id="a", entitlement_codes=["omni.account_data"], account_ids=[100019, 100021]
    )
    return [one.account_id for one in made]


async def test_consent_is_written_with_old_names_only_where_they_are_missed(api: ScriptedApi, omni: Omni):
    api.play(f"POST {GRANTS}", grants(("requested_entitlement_codes", "trading_account_ids"), "trading_account_id"))
    api.script(f"GET {GRANTS}", envelope([]))

    assert await grant(omni) == [100019, 100021]
    assert [set(heard.body) for heard in api.heard] == [
        {"agreement_id", "entitlement_codes", "account_ids"},
        {"agreement_id", "requested_entitlement_codes", "trading_account_ids"},
    ]
    assert await grant(omni) == [100019, 100021]
    assert len(api.heard) == 3  # remembered
    await omni.entitlements(KEY, 7)
    assert api.heard[-1].query == {"trading_account_id": "7"}


async def test_consent_is_written_once_where_the_new_names_are_known(api: ScriptedApi, omni: Omni):
    api.play(f"POST {GRANTS}", grants(("entitlement_codes", "account_ids"), "account_id"))

    assert await grant(omni) == [100019, 100021]
    assert len(api.heard) == 1


async def test_consent_refused_for_another_reason_is_not_written_again(api: ScriptedApi, omni: Omni):
    api.script(f"POST {GRANTS}", refusal(422, "unknown agreement"))

    with pytest.raises(Invalid, match=r".*"):
        await grant(omni)
    assert len(api.heard) == 1


async def test_a_fixed_revision_does_not_probe(api: ScriptedApi):
    transport = Transport(base_url=api.base_url, revision="2026-08")
    api.play(f"POST {GRANTS}", grants(("requested_entitlement_codes", "trading_account_ids"), "trading_account_id"))

    with pytest.raises(Invalid):
        await grant(Omni(transport))
    assert await Omni(transport).supports(KEY) is Revision.V2026_08
    assert len(api.heard) == 1
    await transport.close()


@pytest.mark.parametrize(
    ("say", "revision", "asked"),
    [
        (Say(envelope([])), Revision.V2026_10, 1),
        (Say(envelope("rubbish")), Revision.V2026_10, 1),
        (refusal(404), Revision.EARLIER, 1),
        (refusal(401), Revision.UNKNOWN, 2),
        (refusal(403), Revision.UNKNOWN, 2),
        (refusal(500), Revision.UNKNOWN, 2),
        (Say(drop=True), Revision.UNKNOWN, 2),
    ],
)
async def test_the_revision_is_asked_for_until_known(api: ScriptedApi, omni: Omni, say, revision, asked):
    api.script(STATUS, say)

    assert await omni.supports(KEY) is revision
    assert await omni.supports(KEY) is revision
    assert len(api.heard) == asked


@pytest.mark.parametrize("moment", [refusal(500), refusal(429), Say(drop=True), Say(b"busy", 502), Say(b"certainly")])
async def test_those_who_can_ask_again_are_told_when_the_revision_could_not_be_asked_for(
    api: ScriptedApi, omni: Omni, moment
):
    api.script(STATUS, moment, Say(envelope([])))

    with pytest.raises((Unavailable, RateLimited)):
        await omni.revision(KEY)
    assert await omni.revision(KEY) is Revision.V2026_10


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_may_not_find_out_the_revision_is_not_told_to_ask_again(
    api: ScriptedApi, omni: Omni, status: int
):
    api.script(STATUS, refusal(status))

    assert await omni.revision(KEY) is Revision.UNKNOWN


async def test_what_is_enabled_is_read_and_can_be_disabled(api: ScriptedApi, omni: Omni):
    status = {"account_id": ACCOUNT, "entitlement_code": "omni.account_data"}
    api.script(STATUS, envelope([{**status, "enabled": True}]))
    api.script(f"POST {GRANTS}/opt-out", envelope([{**status, "enabled": False}]))

    assert await omni.entitlement_status(KEY, ACCOUNT) == [EntitlementStatus(ACCOUNT, "omni.account_data", True)]
    assert await omni.supports(KEY) is Revision.V2026_10
    assert await omni.opt_out(KEY, account_ids=[ACCOUNT], entitlement_codes=["omni.account_data"]) == [
        EntitlementStatus(ACCOUNT, "omni.account_data", False)
    ]
    assert api.heard[-1].body == {"account_ids": [ACCOUNT], "entitlement_codes": ["omni.account_data"]}


async def test_closed_accounts_are_left_out(api: ScriptedApi, transport: Transport):
    api.script("GET /v1/accounts", payload("accounts"), envelope([]))

    [account] = await Trading(transport).accounts(KEY)
    assert (account.id, account.status, account.short_name) == (ACCOUNT, AccountStatus.ACTIVE, "TST-ACCOUNT-01")
    assert account.options_level == 1
