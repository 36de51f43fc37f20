"""Timers call, late ones too."""

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from omnibot.scheduler import Scheduler


@pytest.fixture
async def scheduler():
    scheduler = Scheduler()
    scheduler.start()
    yield scheduler
    await scheduler.stop()


async def test_a_timer_calls_once_with_its_arguments(scheduler: Scheduler):
    rung: list[str] = []

    async def called(word: str) -> None:
        rung.append(word)

    scheduler.at("one", 0.02, called, "hello")
    await asyncio.sleep(0.15)
    assert rung == ["hello"]
    assert "one" not in scheduler


async def test_a_second_alarm_of_the_same_name_replaces_the_first(scheduler: Scheduler):
    rung: list[int] = []

    async def called(n: int) -> None:
        rung.append(n)

    scheduler.at("one", 0.05, called, 1)
    scheduler.at("one", 0.1, called, 2)
    await asyncio.sleep(0.25)
    assert rung == [2]


async def test_a_timer_missed_by_seconds_because_the_loop_stalled_still_calls(scheduler: Scheduler):
    rung = asyncio.Event()

    async def called() -> None:
        rung.set()

    scheduler.at("one", 0.05, called)
    time.sleep(2.2)  # noqa: ASYNC251  the stall itself
    await asyncio.wait_for(rung.wait(), 1)


async def test_a_timer_calls_even_while_its_namesake_still_runs(scheduler: Scheduler):
    rung: Iterator[int] = iter(range(10))
    second = asyncio.Event()

    async def called() -> None:
        if next(rung) == 0:
            scheduler.at("one", 0, called)
            await asyncio.wait_for(second.wait(), 2)
        else:
            second.set()

    scheduler.at("one", 0, called)
    await asyncio.wait_for(second.wait(), 2)


async def test_a_repeating_alarm_never_overlaps_itself(scheduler: Scheduler):
    running, most = 0, 0

    async def called() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.1)
        running -= 1

    scheduler.every("tick", 0.03, called)
    await asyncio.sleep(0.4)
    assert most == 1


class Clock:
    """The machine's clock, for as long as a test sets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        clock, real = self, time.time

        class Shifted(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + clock.ahead

        monkeypatch.setattr("apscheduler.schedulers.base.datetime", Shifted)
        monkeypatch.setattr("omnibot.scheduler.datetime", Shifted)
        monkeypatch.setattr("time.time", lambda: real() + clock.ahead.total_seconds())


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)])
async def test_a_timer_calls_after_its_seconds_also_when_the_clock_is_set_meanwhile(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, jump: timedelta
):
    rung: list[float] = []
    began = time.monotonic()

    async def called() -> None:
        rung.append(time.monotonic() - began)

    clock = Clock(monkeypatch)
    scheduler.at("one", 1.2, called)
    scheduler.every("tick", 0.4, called)
    clock.ahead = jump
    await asyncio.sleep(2.2)
    assert len(rung) >= 3
    if jump < timedelta():
        assert min(rung) > 0.2


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)], ids=["back", "forward"])
async def test_a_timer_set_between_a_jump_of_the_clock_and_its_discovery_calls_after_its_seconds_too(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, jump: timedelta
):
    rung, ticked = asyncio.Event(), asyncio.Event()
    began = time.monotonic()

    async def called() -> None:
        rung.set()

    async def tick() -> None:
        ticked.set()

    Clock(monkeypatch).ahead = jump
    scheduler.at("one", 1.5, called)
    scheduler.every("tick", 1.5, tick)
    for heard in (rung, ticked):
        await asyncio.wait_for(heard.wait(), 60)
        assert time.monotonic() - began > (1.4 if heard is rung else 0)


async def test_stopping_lets_running_callbacks_end(scheduler: Scheduler):
    ended = asyncio.Event()

    async def called() -> None:
        await asyncio.sleep(0.3)
        ended.set()

    scheduler.at("one", 0, called)
    await asyncio.sleep(0.1)
    await scheduler.stop()
    assert ended.is_set()


async def test_a_repeating_timer_that_fails_calls_again(scheduler: Scheduler):
    rung = 0
    thrice = asyncio.Event()

    async def called() -> None:
        nonlocal rung
        rung += 1
        if rung == 3:
            thrice.set()
        raise RuntimeError("broken")

    scheduler.every("tick", 0.05, called)
    await asyncio.wait_for(thrice.wait(), 60)


async def test_finishing_a_timer_waits_until_its_callback_has_ended(scheduler: Scheduler):
    ended = asyncio.Event()

    async def called() -> None:
        await asyncio.sleep(0.2)
        ended.set()

    scheduler.every("tick", 0.05, called)
    await asyncio.sleep(0.1)
    await scheduler.finish("tick")
    assert ended.is_set()
    assert "tick" not in scheduler


async def test_forgetting_an_alarm_that_is_not_there_is_no_error(scheduler: Scheduler):
    scheduler.forget("nothing")
