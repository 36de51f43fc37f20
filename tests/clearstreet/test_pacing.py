"""The token bucket's arithmetic, and the queue in front of it."""

from __future__ import annotations

import asyncio
import time

import pytest

from omnibot.clearstreet.pacing import ORDINARY, URGENT, Bucket, Pacer
from omnibot.errors import RateLimited


def test_a_bucket_holds_a_second_of_calls_and_refills_at_its_rate():
    bucket = Bucket(rate=10, now=0)

    assert [bucket.take(0) for _ in range(11)] == [True] * 10 + [False]
    assert bucket.wait(0) == pytest.approx(0.1)
    assert bucket.take(0.1)
    assert not bucket.take(0.15)
    assert bucket.wait(100) == 0
    assert [bucket.take(100) for _ in range(11)] == [True] * 10 + [False]


@pytest.mark.parametrize(
    ("rate", "wait"),
    [(0.5, 2.0), (1, 1.0), (50, 0.02)],
)
def test_an_empty_bucket_says_how_long(rate, wait):
    bucket = Bucket(rate=rate, now=5)
    while bucket.take(5):
        pass

    assert bucket.wait(5) == pytest.approx(wait)


def test_a_closed_bucket_gives_nothing_and_opens_without_a_burst():
    bucket = Bucket(rate=10, now=0)
    bucket.close(0, 60)
    bucket.close(1, 2)  # a shorter request does not open it

    assert bucket.wait(10) == 50
    assert bucket.closed(10) == 50
    assert not bucket.take(59.9)
    assert [bucket.take(60), bucket.take(60), bucket.take(60.1)] == [True, False, True]


def test_a_refund_never_overfills():
    bucket = Bucket(rate=2, now=0)
    bucket.refund()

    assert bucket.tokens == 2


async def test_writes_go_before_reads_and_equals_in_order():
    pacer = Pacer(rate=20)
    pacer.close("k", 0.5)
    served: list[str] = []

    async def call(name: str, place: int) -> None:
        await pacer.turn("k", place=place, within=20)
        served.append(name)

    calls = [("poll 1", ORDINARY), ("poll 2", ORDINARY), ("create", URGENT), ("poll 3", ORDINARY), ("cancel", URGENT)]
    await asyncio.gather(*(call(*one) for one in calls))

    assert served == ["create", "cancel", "poll 1", "poll 2", "poll 3"]


async def test_keys_do_not_wait_for_each_other_and_are_not_kept():
    pacer = Pacer(rate=0.01)
    await pacer.turn("first-secret", place=ORDINARY, within=0)
    await pacer.turn("second-secret", place=ORDINARY, within=0)

    with pytest.raises(RateLimited):
        await pacer.turn("first-secret", place=ORDINARY, within=0.5)
    assert "secret" not in repr(vars(pacer))


async def test_a_closed_key_is_refused_at_once_when_it_stays_closed_for_too_long():
    pacer = Pacer(rate=50)
    pacer.close("k", 90)

    async with asyncio.timeout(90):
        with pytest.raises(RateLimited) as caught:
            await pacer.turn("k", place=URGENT, within=30)
    assert 80 < caught.value.retry_after <= 90


async def test_a_closed_key_opens_again_for_those_who_wait():
    pacer = Pacer(rate=50)
    await pacer.turn("k", place=ORDINARY, within=0)
    started = time.perf_counter()
    pacer.close("k", 0.1)

    await asyncio.gather(*(pacer.turn("k", place=ORDINARY, within=20) for _ in range(3)))
    assert time.perf_counter() - started >= 0.1


async def test_whoever_gives_up_costs_no_token():
    pacer = Pacer(rate=5)
    for _ in range(5):
        await pacer.turn("k", place=ORDINARY, within=0)
    gone = [asyncio.create_task(pacer.turn("k", place=URGENT, within=60)) for _ in range(100)]
    await asyncio.sleep(0)
    for one in gone:
        one.cancel()
    await asyncio.gather(*gone, return_exceptions=True)

    await pacer.turn("k", place=ORDINARY, within=10)  # their tokens would take twice as long


async def test_waiting_longer_than_said_is_refused():
    """It looked as if there would be a place in time, but others go first."""
    pacer = Pacer(rate=1)
    await pacer.turn("k", place=ORDINARY, within=0)
    before = [asyncio.create_task(pacer.turn("k", place=URGENT, within=60)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(RateLimited):
        await pacer.turn("k", place=ORDINARY, within=1.5)
    for one in before:
        one.cancel()
    await asyncio.gather(*before, return_exceptions=True)


def test_a_rate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="rate"):
        Pacer(rate=0)
