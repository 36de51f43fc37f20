"""What the API says when it says no, and that a refused call does nothing."""

import pytest
from omnibot_sandbox.clearstreet.examples import example

from sandbox.tests.clearstreet.conftest import MAIN, OTHER, new, old

THREADS, ERRORS = "/omni-ai/threads", example("errors")
ABSENT = "019dbae9-73b3-7fe0-bd14-25fe57e91475"


def said(name):
    return ERRORS[name]["error"]


async def test_every_answer_carries_a_request_id_of_its_own(call):
    answers = [(await call("GET", "/accounts"))[1], (await call("GET", THREADS))[1], (await call("GET", "/nowhere"))[1]]

    assert len({answer["metadata"]["request_id"] for answer in answers}) == 3


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer wrong"}, {"Authorization": ""}, {"Authorization": "Basic x"}]
)
async def test_a_call_without_a_known_key_is_401(call, omni, headers):
    status, answer = await call("GET", "/accounts", headers=headers)

    assert (status, answer["error"]["code"]) == (401, 401)
    assert not omni.calls[0].accepted


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/threads"),
        ("GET", f"/threads/{ABSENT}"),
        ("GET", f"/threads/{ABSENT}/response"),
        ("GET", f"/threads/{ABSENT}/messages"),
        ("GET", f"/responses/{ABSENT}"),
        ("DELETE", f"/responses/{ABSENT}"),
        ("GET", f"/messages/{ABSENT}"),
    ],
)
class TestReads:
    @old
    async def test_a_read_without_an_account_is_400(self, call, method, path):
        status, answer = await call(method, f"/omni-ai{path}")

        assert (status, answer["error"]) == (400, said("missing_account_id_in_query"))

    async def test_a_read_for_somebody_elses_account_is_403(self, call, method, path):
        status, answer = await call(method, f"/omni-ai{path}", account_id=20001)

        assert (status, answer["error"]) == (403, said("forbidden"))

    @pytest.mark.parametrize("value", ["", "null", "x"])
    async def test_an_account_that_is_no_number_is_400(self, call, method, path, value):
        status, answer = await call(method, f"/omni-ai{path}", account_id=value)

        assert status == 400
        assert answer["error"]["message"].startswith("Failed to deserialize query string: account_id: ")


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", f"/threads/{ABSENT}", "thread_not_found"),
        ("GET", f"/threads/{ABSENT}/response", "thread_not_found"),
        ("GET", f"/threads/{ABSENT}/messages", "thread_not_found"),
        ("GET", f"/responses/{ABSENT}", "response_not_found"),
        ("DELETE", f"/responses/{ABSENT}", "response_not_found"),
        ("GET", f"/messages/{ABSENT}", "message_not_found"),
    ],
)
async def test_what_does_not_exist_is_404(call, method, path, name):
    status, answer = await call(method, f"/omni-ai{path}", account_id=MAIN)

    assert (status, answer["error"]) == (404, said(name))


async def test_what_belongs_to_another_key_is_404(call, stranger):
    asked = await call.ask("What is the price of AAPL?")

    for path in (f"threads/{asked['thread_id']}", f"responses/{asked['response_id']}"):
        status, _ = await stranger("GET", f"/omni-ai/{path}", account_id=20001)
        assert status == 404


@pytest.mark.parametrize(
    ("raw", "status", "name"),
    [
        ('{\n  "text": "x"\n', 400, "malformed_json"),
        ('{\n  "text": "x",\n}', 400, "trailing_comma"),
        ('{\n  "text": "Compare that to AMD."\n  }\n', 422, "missing_account_id_in_body"),
    ],
)
@old
async def test_broken_and_incomplete_bodies_are_refused_in_the_documented_words(call, raw, status, name):
    asked = await call.ask("What is the price of AAPL?")

    answer = await call("POST", f"{THREADS}/{asked['thread_id']}/messages", data=raw)

    assert answer[0] == status
    assert answer[1]["error"] == said(name)


@old
async def test_a_missing_type_and_a_missing_score_are_named_with_their_place(call):
    _, creation = await call("POST", THREADS, data='{\n  "account_id": 19816\n}')
    _, rating = await call("POST", f"/omni-ai/messages/{ABSENT}/feedback", data='{\n  "account_id": 19816\n}')

    assert creation["error"] == said("missing_type")
    assert rating["error"] == said("missing_score")


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"type": "chatty"}, 422, "unknown variant `chatty`, expected one of `instant`, `deep_insights`"),
        ({"type": None}, 422, "invalid type: null"),
        ({"capabilities": ["OPEN_PORTAL"]}, 422, "unknown variant `OPEN_PORTAL`, expected one of `PREFILL_ORDER`"),
        ({"capabilities": None}, 422, "invalid type: null, expected a sequence"),
        ({"capabilities": "OPEN_CHART"}, 422, 'invalid type: string "OPEN_CHART", expected a sequence'),
        ({"account_id": "19816"}, 422, 'account_id: invalid type: string "19816", expected i64'),
        ({"account_id": True}, 422, "invalid type: boolean `true`, expected i64"),
        ({"account_id": 1.5}, 422, "invalid type: floating point `1.5`, expected i64"),
        ({"text": 7}, 422, "text: invalid type: integer `7`, expected a string"),
        ({"prompt": "x"}, 422, "unknown field `prompt`"),
        ({"target": {"type": "ticker"}}, 422, "target: missing field `ticker`"),
        ({"target": {"type": "theme", "ticker": "AAPL"}}, 422, "unknown variant `theme`, expected `ticker`"),
        ({"text": None}, 400, "text is required for instant mode"),
        ({"text": "  "}, 400, "text must not be empty"),
        ({"type": "deep_insights"}, 400, "target is required for deep_insights mode"),
        ({"account_id": 20001}, 403, "The caller does not have permission to execute the specified operation"),
    ],
)
async def test_a_creation_that_makes_no_sense_is_refused_and_starts_nothing(call, omni, change, status, words):
    body = {"account_id": MAIN, "type": "instant", "text": "hello", **change}

    answer = await call("POST", THREADS, json=body)

    assert answer[0] == status
    assert words in answer[1]["error"]["message"]
    assert omni.threads == {}
    assert not omni.calls[-1].accepted


@pytest.mark.parametrize(("change", "status"), [({"text": ""}, 400), ({"text": None}, 422), ({"type": "instant"}, 422)])
async def test_a_next_question_that_makes_no_sense_is_refused(call, omni, change, status):
    asked = await call.ask("What is the price of AAPL?")
    await call.finish(asked["response_id"])
    body = {"account_id": MAIN, "text": "hello", **change}

    answer = await call("POST", f"{THREADS}/{asked['thread_id']}/messages", json=body)

    assert answer[0] == status
    assert omni.user_texts(asked["thread_id"]) == ["What is the price of AAPL?"]


async def test_a_question_while_the_last_one_is_being_answered_is_409(call, omni):
    asked = await call.ask("endless")
    body = {"account_id": MAIN, "text": "And now?"}

    answer = await call("POST", f"{THREADS}/{asked['thread_id']}/messages", json=body)

    assert (answer[0], answer[1]["error"]) == (409, said("active_response"))
    assert omni.user_texts(asked["thread_id"]) == ["endless"]


@old
async def test_context_is_an_unknown_field_before_the_newest_revision(call):
    body = {"account_id": MAIN, "type": "instant", "text": "x", "context": {"items": []}}

    status, _ = await call("POST", THREADS, json=body)

    assert status == 422


def nested(depth):
    return {} if depth <= 1 else {"in": nested(depth - 1)}


@pytest.mark.parametrize(
    ("items", "status"),
    [
        ([{"kind": "quote", "label": "AAPL", "data": {"last": "271.06"}}], 200),
        ([{"kind": "quote", "label": "AAPL", "data": nested(32)}] * 4, 200),
        ([], 422),
        ([{"kind": "quote", "label": "AAPL", "data": {}}] * 5, 422),
        ([{"kind": "quote", "label": "AAPL"}], 422),
        ([{"kind": "quote", "label": "AAPL", "data": nested(33)}], 422),
        ([{"kind": "quote", "label": "AAPL", "data": "x" * 65_536}], 422),
    ],
)
@new
async def test_context_is_kept_within_its_bounds(call, omni, items, status):
    body = {"type": "instant", "text": "x", "context": {"items": items}}

    answer = await call("POST", THREADS, json=body)

    assert answer[0] == status
    if status == 200:
        message = (await call.messages(answer[1]["data"]["thread_id"]))[0]
        assert message["context"] == {"items": items}


@old
async def test_an_account_that_is_not_the_threads_sees_nothing_and_may_not_ask(call):
    asked = await call.ask("What is the price of AAPL?")
    await call.finish(asked["response_id"])
    thread = f"{THREADS}/{asked['thread_id']}"

    for path in (thread, f"{thread}/messages", f"{thread}/response", f"/omni-ai/responses/{asked['response_id']}"):
        assert (await call("GET", path, account_id=OTHER))[0] == 404
    assert (await call("POST", f"{thread}/messages", json={"account_id": OTHER, "text": "x"}))[0] == 404
