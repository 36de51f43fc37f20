"""Rate limits: how many calls pass, and how long the others are told to wait."""

from __future__ import annotations

import asyncio

import pytest
from omnibot_sandbox.slack.methods import METHODS
from omnibot_sandbox.slack.tiers import PER_MINUTE, SPECIAL, TIERS, Limiter
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

TRADING, RESEARCH = "C0TRADING1", "C0RESEARCH"


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_every_method_has_its_tier():
    assert TIERS.keys() | SPECIAL == METHODS.keys() | {"apps.connections.open"}
    assert not TIERS.keys() & SPECIAL


@pytest.mark.parametrize("method", TIERS)
def test_a_method_takes_so_many_calls_a_minute_and_says_when_to_come_again(clock, method):
    limiter = Limiter(clock)
    most = PER_MINUTE[TIERS[method]]
    assert [limiter.wait(method, {}) for _ in range(most)] == [0] * most
    clock.now += 12.5
    wait = limiter.wait(method, {})
    assert wait == 48
    clock.now += wait
    assert limiter.wait(method, {}) == 0


def test_methods_do_not_use_up_each_others_limits(clock):
    limiter = Limiter(clock)
    assert all(limiter.wait("reactions.remove", {}) == 0 for _ in range(20))
    assert limiter.wait("reactions.remove", {}) == 60
    assert limiter.wait("reactions.add", {}) == 0


def test_a_channel_takes_a_short_burst_and_then_one_message_a_second(clock):
    limiter = Limiter(clock, burst=3)
    here, there = {"channel": TRADING}, {"channel": RESEARCH}
    assert [limiter.wait("chat.postMessage", here) for _ in range(4)] == [0, 0, 0, 1]
    assert limiter.wait("chat.postMessage", there) == 0
    clock.now += 1
    assert [limiter.wait("chat.postMessage", here) for _ in range(2)] == [0, 1]
    clock.now += 60
    assert [limiter.wait("chat.postMessage", here) for _ in range(4)] == [0, 0, 0, 1]


def test_special_methods_without_published_limits_are_free(clock):
    limiter = Limiter(clock)
    assert all(limiter.wait("auth.test", {}) == 0 for _ in range(1000))


async def test_nothing_is_limited_unless_asked_for(slack, web):
    for _ in range(6):
        await web.chat_postMessage(channel=TRADING, text="x")


async def test_a_call_too_many_is_answered_with_429_and_does_nothing(slack, web, clock):
    slack.enforce_tiers, slack.limiter = True, Limiter(clock)
    for _ in range(3):
        await web.chat_postMessage(channel=TRADING, text="x")
    with pytest.raises(SlackApiError) as caught:
        await web.chat_postMessage(channel=TRADING, text="one too many")
    response = caught.value.response
    assert (response.status_code, response["error"], response.headers["Retry-After"]) == (429, "ratelimited", "1")
    assert len(slack.history("trading")) == 3
    assert (slack.calls[-1].status, slack.calls[-1].accepted) == (429, False)
    await web.chat_postMessage(channel=RESEARCH, text="elsewhere")


async def test_a_client_that_waits_as_told_gets_through(slack, session):
    slack.enforce_tiers = True
    patient = AsyncWebClient(
        slack.bot_token,
        base_url=slack.api_url,
        session=session,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=2)],
    )
    await asyncio.gather(*(patient.chat_postMessage(channel=TRADING, text=str(n)) for n in range(4)))
    assert len(slack.history("trading")) == 4
