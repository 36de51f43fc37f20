"""What Slack's refusals mean, and when progress may be written."""

import heapq
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from omnibot.slack.delivery.rate_limits import OPEN_STREAMS, UPDATE_PACE, WriteBudget
from omnibot.slack.errors import SlackFailure, classify


def refused(status: int, data: Any, **headers: str) -> SlackApiError:
    response = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="",
        req_args={},
        data=data,
        headers=headers,
        status_code=status,
    )
    return SlackApiError("refused", response)


@pytest.mark.parametrize(
    ("error", "failure", "wait"),
    [
        (refused(429, {"ok": False, "error": "ratelimited"}, **{"Retry-After": "7"}), SlackFailure.SLOW_DOWN, 7),
        (refused(429, {"ok": False, "error": "ratelimited"}), SlackFailure.SLOW_DOWN, 1),
        (refused(429, {"ok": False, "error": "ratelimited"}, **{"Retry-After": "soon"}), SlackFailure.SLOW_DOWN, 1),
        (refused(200, {"ok": False, "error": "rate_limited"}), SlackFailure.SLOW_DOWN, 1),
        (refused(500, {}), SlackFailure.UNKNOWN, 1),
        (refused(200, {"ok": False, "error": "internal_error"}), SlackFailure.UNKNOWN, 1),
        (refused(200, {"ok": False}), SlackFailure.UNKNOWN, 1),
        (refused(200, "<html>"), SlackFailure.UNKNOWN, 1),
        (TimeoutError(), SlackFailure.UNKNOWN, 1),
        (OSError("reset"), SlackFailure.UNKNOWN, 1),
        (refused(200, {"ok": False, "error": "message_not_found"}), SlackFailure.MESSAGE_GONE, 1),
        (refused(200, {"ok": False, "error": "invalid_blocks"}), SlackFailure.BAD_BLOCKS, 1),
        (refused(200, {"ok": False, "error": "msg_too_long"}), SlackFailure.BAD_BLOCKS, 1),
        (refused(200, {"ok": False, "error": "not_in_channel"}), SlackFailure.CLOSED, 1),
        (refused(200, {"ok": False, "error": "token_revoked"}), SlackFailure.BROKEN_APP, 60),
        (refused(200, {"ok": False, "error": "an_error_of_2027"}), SlackFailure.REFUSED, 1),
    ],
)
def test_what_a_failed_call_means(error: Exception, failure: SlackFailure, wait: float):
    verdict = classify(error)
    assert (verdict.failure, verdict.wait) == (failure, wait)


def test_progress_of_a_workspace_is_spread_over_the_minute():
    budget = WriteBudget()
    assert [budget.wait("T1", "chat.update", 0.0) for _ in range(10)] == [0.0] * 10
    assert budget.wait("T1", "chat.update", 0.0) == pytest.approx(2.0)
    assert budget.wait("T2", "chat.update", 0.0) == 0.0
    assert budget.wait("T1", "chat.update", 2.0) == 0.0


def test_progress_in_any_minute_stays_below_slacks_tier():
    budget = WriteBudget()
    now, written = 0.0, 0
    while now < 60:
        wait = budget.wait("T1", "chat.update", now)
        if wait == 0.0:
            written += 1
        now += max(wait, 0.01)
    assert written <= 40


def test_progress_of_many_turns_that_wait_for_the_same_place_stays_below_slacks_tier():
    budget, written, limit = WriteBudget(), 0, 40
    asking = [(0.0, turn) for turn in range(100)]  # when each turn asks (again)
    while asking[0][0] < 60:
        now, turn = heapq.heappop(asking)
        wait = budget.wait("T1", "chat.update", now)
        written += wait == 0.0
        heapq.heappush(asking, (now + (wait or UPDATE_PACE), turn))
    assert limit - 2 <= written <= limit


def test_after_a_429_nothing_is_written_until_slack_allows_it():
    budget = WriteBudget()
    budget.close("T1", "chat.update", 0.0, 10)
    assert budget.wait("T1", "chat.update", 0.0) == pytest.approx(10)
    assert budget.wait("T1", "chat.update", 10.1) == 0.0


def test_a_stream_begins_only_where_its_end_is_reserved():
    budget = WriteBudget()
    now, begun = 0.0, 0
    while now < 600:
        begun += budget.take_stream("T1", now)
        now += 0.5
    assert begun == OPEN_STREAMS

    budget.give_stream("T1")
    assert budget.take_stream("T1", now + 60)
    assert not budget.take_stream("T1", now + 120)
    assert budget.take_stream("T2", now)


def test_streams_begun_in_any_minute_stay_below_slacks_tier():
    budget = WriteBudget()
    begun = 0
    for tenth in range(600):
        if budget.take_stream("T1", tenth / 10):
            begun += 1
            budget.give_stream("T1")
    assert begun <= 15


def test_several_processes_share_what_one_alone_could_write():
    alone, one_of_two = WriteBudget(), WriteBudget(share=0.5)
    for method in alone.per_minute:
        written = []
        for budget in (alone, one_of_two):
            tries = (budget.wait("T1", method, now / 10) == 0.0 for now in range(36_000))
            written.append(sum(tries))
        assert written[1] == pytest.approx(written[0] / 2, rel=0.02)
    assert [one_of_two.take_stream("T2", 1_000.0 * n) for n in range(OPEN_STREAMS)].count(True) == OPEN_STREAMS // 2
