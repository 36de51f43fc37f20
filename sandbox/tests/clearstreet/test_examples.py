"""The documentation's own examples are served word for word."""

import pytest
from omnibot_sandbox.clearstreet.examples import example

from sandbox.tests.clearstreet.conftest import MAIN, oldest

pytestmark = oldest


@pytest.fixture
async def documented(omni, call):
    omni.load_examples()
    return call


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("thread", "/omni-ai/threads/019dbae9-73b3-7fe0-bd14-25fe57e91475"),
        ("messages", "/omni-ai/threads/019d9597-597c-7571-a0c9-a49c0e51f6eb/messages"),
        ("message", "/omni-ai/messages/019d9597-599c-7132-a7de-e5c21eaaab77"),
        ("response", "/omni-ai/responses/019dbafd-db54-7523-a412-ec9195cc5d99"),
        ("active_response", "/omni-ai/threads/019dbb03-cf22-7da0-a663-f51c756efa07/response"),
        ("active_response", "/omni-ai/responses/019dbb03-cf23-74e1-9c31-ef0136ff7fed"),
    ],
)
async def test_a_documented_read_is_answered_as_documented(documented, name, path):
    status, answer = await documented("GET", path, account_id=MAIN)

    assert status == 200
    assert answer["data"] == example(name)["data"]
    assert answer.keys() == example(name).keys()
    assert answer["metadata"].keys() == example(name)["metadata"].keys()


async def test_the_documented_thread_is_listed_as_documented(documented):
    _, answer = await documented("GET", "/omni-ai/threads", account_id=MAIN)

    assert example("threads")["data"][0] in answer["data"]


async def test_documented_writes_answer_in_the_documented_shape(documented):
    question = {"account_id": MAIN, "text": "Compare that to AMD."}
    done = "/omni-ai/responses/019dbafd-db54-7523-a412-ec9195cc5d99"
    rated = "/omni-ai/messages/019d9597-599c-7132-a7de-e5c21eaaab77/feedback"

    created = await documented("POST", "/omni-ai/threads", json={**question, "type": "instant"})
    asked = await documented("POST", "/omni-ai/threads/019dbae9-73b3-7fe0-bd14-25fe57e91475/messages", json=question)
    canceled = await documented("DELETE", done, account_id=MAIN)
    feedback = await documented("POST", rated, json={"account_id": MAIN, "score": 0})

    assert created[1]["data"].keys() == example("created_thread")["data"].keys()
    assert asked[1]["data"].keys() == example("created_message")["data"].keys()
    assert canceled[1]["data"] == example("canceled")["data"]
    assert feedback[1]["data"].keys() == example("feedback")["data"].keys()


async def test_the_documented_running_response_runs_until_it_is_cancelled(documented, omni):
    running = "019dbb03-cf23-74e1-9c31-ef0136ff7fed"
    assert omni.active() == [running]

    _, answer = await documented("DELETE", f"/omni-ai/responses/{running}", account_id=MAIN)

    assert answer["data"] == {"canceled": True}
    assert omni.active() == []
