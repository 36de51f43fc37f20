"""Threads, messages and responses behave as documented, revision by revision."""

import uuid

import pytest
from omnibot_sandbox.clearstreet.revision import REVISIONS

from sandbox.tests.clearstreet.conftest import MAIN, OTHER, middle, new, old

THREADS = "/omni-ai/threads"


async def test_ids_are_uuid7_and_grow(call):
    first, second = await call.ask("a"), await call.ask("b")
    ids = [first["thread_id"], first["response_id"], first["user_message_id"], second["thread_id"]]

    assert ids == sorted(ids)
    assert {uuid.UUID(id).version for id in ids} == {7}


async def test_a_question_becomes_a_finalised_user_message_at_once(call, omni):
    asked = await call.ask("endless, please")

    (message,) = await call.messages(asked["thread_id"])

    assert message["id"] == asked["user_message_id"]
    assert (message["role"], message["outcome"], message["seq"]) == ("USER", "completed", 1)
    assert message["content"] == {"parts": [{"text": "endless, please", "type": "text"}]}
    assert omni.active() == [asked["response_id"]]
    assert omni.threads[asked["thread_id"]].active_response_id == asked["response_id"]


async def test_an_answer_appears_in_the_thread_when_it_is_over_and_not_before(call, omni):
    asked = await call.ask("endless")
    response = await call.poll(asked["response_id"])
    message = f"/omni-ai/messages/{response['output_message_id']}"

    assert response["status"] == "running"
    assert (await call("GET", message, account_id=MAIN))[0] == 404
    assert len(await call.messages(asked["thread_id"])) == 1

    omni.pace = 0
    await call.finish(asked["response_id"])
    status, answer = await call("GET", message, account_id=MAIN)
    assert status == 200
    assert (answer["data"]["role"], answer["data"]["seq"]) == ("ASSISTANT", 2)
    assert all(part["type"] != "thinking" for part in answer["data"]["content"]["parts"])
    assert [m["seq"] for m in await call.messages(asked["thread_id"])] == [1, 2]


async def test_the_running_response_of_a_thread_can_be_looked_up(call):
    asked = await call.ask("endless")

    status, answer = await call("GET", f"{THREADS}/{asked['thread_id']}/response", account_id=MAIN)

    assert (status, answer["data"]["id"]) == (200, asked["response_id"])


async def test_an_idle_thread_has_no_response_each_revision_says_it_in_its_way(call, omni, revision):
    asked = await call.ask("What is the price of AAPL?")
    await call.finish(asked["response_id"])

    status, answer = await call("GET", f"{THREADS}/{asked['thread_id']}/response", account_id=MAIN)

    assert status == (200 if REVISIONS[revision].idle_is_null else 404)
    assert answer.get("data") is None


async def test_a_cancelled_turn_keeps_its_text_so_far(call, omni):
    asked = await call.ask("endless")
    path = f"/omni-ai/responses/{asked['response_id']}"

    assert (await call("DELETE", path, account_id=MAIN))[1]["data"] == {"canceled": True}
    assert (await call("DELETE", path, account_id=MAIN))[1]["data"] == {"canceled": False}

    assert (await call.poll(asked["response_id"]))["status"] == "canceled"
    last = (await call.messages(asked["thread_id"]))[-1]
    assert (last["role"], last["outcome"]) == ("ASSISTANT", "canceled")
    assert last["content"]["parts"] == [{"text": "one two", "type": "text"}]
    assert omni.active() == []
    await call.ask("and on", asked["thread_id"])


async def test_cancelling_what_is_over_changes_nothing(call):
    asked = await call.ask("What is the price of AAPL?")
    await call.finish(asked["response_id"])

    _, answer = await call("DELETE", f"/omni-ai/responses/{asked['response_id']}", account_id=MAIN)

    assert answer["data"] == {"canceled": False}
    assert (await call.messages(asked["thread_id"]))[-1]["outcome"] == "completed"


async def test_deep_insights_begin_with_a_sentence_of_their_own(call, omni):
    target = {"type": "ticker", "ticker": "NVDA"}
    body = {"account_id": MAIN, "type": "deep_insights", "target": target, "thesis": "Margins will hold"}

    _, answer = await call("POST", THREADS, json=body)

    assert omni.user_texts(answer["data"]["thread_id"]) == ["Deep insights on NVDA: Margins will hold"]


async def test_threads_are_listed_newest_first_in_the_revisions_sense(call, revision):
    threads = []
    for n in range(3):
        asked = await call.ask(f"question {n}")
        threads.append(asked["thread_id"])
        await call.finish(asked["response_id"])
    first, second, third = threads
    await call.ask("once more", first)

    _, answer = await call("GET", THREADS, account_id=MAIN)

    by_update = REVISIONS[revision].by_update
    assert [t["id"] for t in answer["data"]] == ([first, third, second] if by_update else [third, second, first])
    assert answer["data"][0].keys() == {"id", "title", "created_at", "updated_at"}


async def test_thread_pages_meet_each_thread_once_and_a_token_beats_a_size(call):
    for n in range(5):
        # An answer that ends between two pages moves its thread to the front where the last update orders them.
        await call.finish((await call.ask(f"question {n}"))["response_id"])
    seen, query = [], {"page_size": 2}
    while True:
        _, answer = await call("GET", THREADS, account_id=MAIN, **query)
        seen.append([thread["title"] for thread in answer["data"]])
        token = answer["metadata"].get("next_page_token")
        if not token:
            break
        query = {"page_token": token, "page_size": 100}

    assert [len(page) for page in seen] == [2, 2, 1]
    assert [title for page in seen for title in page] == [f"question {n}" for n in reversed(range(5))]


async def test_message_pages_are_chronological_and_start_where_the_revision_starts(call, revision):
    thread = None
    for n in range(3):
        asked = await call.ask(f"question {n}", thread)
        thread = asked["thread_id"]
        await call.finish(asked["response_id"])

    path, pages, query, answer = f"{THREADS}/{thread}/messages", [], {"page_size": 4}, {}
    while query:
        _, answer = await call("GET", path, account_id=MAIN, **query)
        pages.append([message["seq"] for message in answer["data"]])
        token = answer["metadata"].get("next_page_token")
        query = {"page_token": token} if token else {}
    _, back = await call("GET", path, account_id=MAIN, page_token=answer["metadata"]["previous_page_token"])

    latest_first = REVISIONS[revision].latest_first
    assert pages == ([[3, 4, 5, 6], [1, 2]] if latest_first else [[1, 2, 3, 4], [5, 6]])
    assert [message["seq"] for message in back["data"]] == pages[0]


async def test_a_page_holds_a_hundred_at_most_and_so_many_where_nobody_asks(call, omni):
    for _ in range(101):
        omni.store.open_thread("demo-key", MAIN, "old")

    _, answer = await call("GET", THREADS, account_id=MAIN)

    assert len(answer["data"]) == 100
    assert (await call("GET", THREADS, account_id=MAIN, page_size=101))[0] == 400
    assert (await call("GET", "/accounts", page_size=1000))[0] == 200
    assert (await call("GET", "/accounts", page_size=1001))[0] == 400


@pytest.mark.parametrize(
    "query", [{"page_size": "0"}, {"page_size": "x"}, {"page_token": "x"}, {"page_token": "WzEsIDBd"}]
)
async def test_a_page_that_cannot_be_is_400(call, query):
    assert (await call("GET", THREADS, account_id=MAIN, **query))[0] == 400


@old
async def test_older_revisions_leave_out_what_is_not_there(call):
    asked = await call.ask("many buttons")
    response = await call.finish(asked["response_id"])
    message = (await call.messages(asked["thread_id"]))[-1]

    assert "error" not in response
    assert "error" not in message
    assert "T" in message["created_at"]
    assert all("clicked" not in part for part in message["content"]["parts"])


@new
async def test_the_newest_revision_spells_out_what_is_not_there(call):
    asked = await call.ask("many buttons")
    assert (await call.poll(asked["response_id"])).keys() >= {"content", "error", "output_message_id"}
    response = await call.finish(asked["response_id"])
    message = (await call.messages(asked["thread_id"]))[-1]

    assert response["error"] is None
    assert message["error"] is None
    assert " " in message["created_at"]
    action, buttons = message["content"]["parts"][1:]
    assert (action["clicked"], action["item_id"]) == (False, None)
    assert buttons["payload"]["actionButtons"][4]["prompt"] is None
    assert buttons["payload"]["clickedItemIds"] == []


@middle
async def test_the_middle_revision_does_not_know_clicks_nor_item_ids(call):
    for question in ("many buttons", "compare AAPL to AMD"):
        asked = await call.ask(question)
        response = await call.finish(asked["response_id"])
        message = (await call.messages(asked["thread_id"]))[-1]

        assert not {"clicked", "itemId", "item_id", "clickedItemIds", "clicked_item_ids"} & names_in(
            [response, message]
        )


def names_in(value):
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


async def test_structured_actions_use_the_words_of_their_revision(call, omni, revision):
    actions = [
        {"open_entitlement_consent": {"account_ids": [MAIN], "entitlement_codes": ["omni.account_data"]}},
        {"open_screener": {"filters": [], "columns": ["price"]}},
    ]
    parts = [{"type": "structured_action", "action_id": str(uuid.uuid4()), "action": action} for action in actions]
    final = {"at": 0, "status": "succeeded", "parts": parts}
    omni.add_script({"name": "act", "pattern": "act", "final": final})

    asked = await call.ask("act")
    await call.finish(asked["response_id"])
    consent, screener = [p["action"] for p in (await call.messages(asked["thread_id"]))[-1]["content"]["parts"]]

    if revision == "2026-04":
        assert consent["open_entitlement_consent"] == {
            "trading_account_ids": [MAIN],
            "requested_entitlement_codes": ["omni.account_data"],
        }
        assert screener["open_screener"] == {"filters": [], "field_filter": ["price"]}
    else:
        assert [consent, screener] == actions


@new
async def test_charts_of_the_newest_revision_say_whether_they_were_clicked(call):
    asked = await call.ask("compare AAPL to AMD")
    response = await call.finish(asked["response_id"])

    (chart,) = [part for part in response["content"]["parts"] if part["type"] == "chart"]

    assert chart["payload"]["clicked"] is False


class TestUnlinkedThreads:
    pytestmark = new

    async def test_a_thread_may_live_without_an_account_and_is_listed_without_one(self, call):
        unlinked, linked = await call.ask("hello", account=None), await call.ask("hello")

        _, without = await call("GET", THREADS)
        _, with_account = await call("GET", THREADS, account_id=MAIN)

        assert [thread["id"] for thread in without["data"]] == [unlinked["thread_id"]]
        assert [thread["id"] for thread in with_account["data"]] == [linked["thread_id"]]

    async def test_the_first_account_links_it_for_good(self, call, omni):
        first = await call.ask("hello", account=None)
        thread = first["thread_id"]
        path = f"{THREADS}/{thread}/messages"
        await call.finish(first["response_id"])
        await call.finish((await call.ask("mine", thread))["response_id"])
        changed = await call("POST", path, json={"text": "other", "account_id": OTHER})
        await call.ask("still mine", thread, account=None)

        assert changed[0] == 409
        assert omni.threads[thread].account_id == MAIN
        assert omni.user_texts(thread) == ["hello", "mine", "still mine"]

    async def test_reads_need_no_account_and_go_by_the_threads_own(self, call):
        asked = await call.ask("hello")

        for query in ({}, {"account_id": OTHER}):
            assert (await call("GET", f"{THREADS}/{asked['thread_id']}", **query))[0] == 200
            assert (await call("GET", f"/omni-ai/responses/{asked['response_id']}", **query))[0] == 200


HELLO, KEY = {"account_id": MAIN, "type": "instant", "text": "hello"}, {"Idempotency-Key": "k1"}


class TestIdempotencyKey:
    @new
    async def test_repeating_the_identical_request_does_it_once(self, call, omni):
        first = await call("POST", THREADS, json=HELLO, headers=KEY)
        second = await call("POST", THREADS, json=HELLO, headers=KEY)

        assert first[1]["data"] == second[1]["data"]
        assert first[1]["metadata"] != second[1]["metadata"]
        assert len(omni.threads) == 1

    @new
    async def test_a_different_request_with_the_same_key_is_refused(self, call, omni):
        await call("POST", THREADS, json=HELLO, headers=KEY)

        status, answer = await call("POST", THREADS, json={**HELLO, "text": "bye"}, headers=KEY)

        assert (status, len(omni.threads)) == (422, 1)
        assert "Idempotency-Key" in answer["error"]["message"]

    @new
    async def test_keys_of_different_callers_have_nothing_to_do_with_each_other(self, call, stranger, omni):
        await call("POST", THREADS, json=HELLO, headers=KEY)
        await stranger("POST", THREADS, json={**HELLO, "account_id": 20001}, headers=KEY)

        assert len(omni.threads) == 2

    @old
    async def test_older_revisions_ignore_it(self, call, omni):
        await call("POST", THREADS, json=HELLO, headers=KEY)
        await call("POST", THREADS, json=HELLO, headers=KEY)

        assert len(omni.threads) == 2


class TestFeedback:
    async def test_a_finalised_answer_can_be_rated(self, call, omni):
        asked = await call.ask("hello")
        message = (await call.finish(asked["response_id"]))["output_message_id"]
        body = {"account_id": MAIN, "score": 1, "comment": "Good", "metadata": {"from": "test"}}

        status, answer = await call("POST", f"/omni-ai/messages/{message}/feedback", json=body)

        assert (status, answer["data"].keys()) == (200, {"created_at", "feedback_id"})
        assert omni.feedback[0] | body == omni.feedback[0]
        assert omni.feedback[0]["message_id"] == message

    @pytest.mark.parametrize(("score", "status"), [(-1, 200), (0, 200), (5, 200), (-2, 400), (6, 400), (0.5, 422)])
    async def test_a_score_is_minus_one_to_five(self, call, score, status):
        asked = await call.ask("hello")
        message = (await call.finish(asked["response_id"]))["output_message_id"]

        answer = await call("POST", f"/omni-ai/messages/{message}/feedback", json={"account_id": MAIN, "score": score})

        assert answer[0] == status

    async def test_questions_and_answers_still_being_written_cannot_be_rated(self, call, omni):
        asked = await call.ask("endless")
        body = {"account_id": MAIN, "score": 1}
        promised = omni.store.responses[asked["response_id"]].output_message_id

        question = await call("POST", f"/omni-ai/messages/{asked['user_message_id']}/feedback", json=body)
        unfinished = await call("POST", f"/omni-ai/messages/{promised}/feedback", json=body)

        assert (question[0], unfinished[0]) == (400, 404)


async def test_accounts_are_those_of_the_key_the_closed_ones_too(call, stranger):
    _, own = await call("GET", "/accounts")
    _, others = await stranger("GET", "/accounts")
    _, one = await call("GET", "/accounts", account_id=MAIN)
    _, begun = await call("GET", "/accounts", account_id="1981", account_name="main", page_size=1)

    assert {account["id"]: account["status"] for account in own["data"]} == {
        MAIN: "ACTIVE",
        19817: "CLOSED",
        OTHER: "ACTIVE",
    }
    assert [account["id"] for account in others["data"]] == [20001, 20002]
    assert [account["id"] for account in one["data"]] == [MAIN]
    assert [account["id"] for account in begun["data"]] == [MAIN]
    assert (begun["metadata"]["total_items"], begun["metadata"]["total_pages"]) == (2, 2)


async def test_the_revision_can_change_under_way(call, omni):
    asked = await call.ask("hello")
    await call.finish(asked["response_id"])

    statuses = []
    for revision in REVISIONS:
        omni.revision = revision
        statuses.append((await call("GET", f"{THREADS}/{asked['thread_id']}/response", account_id=MAIN))[0])

    assert statuses == [404, 200, 200]
