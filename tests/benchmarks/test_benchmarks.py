"""The benchmarks are real code too: each of them, tiny, with bots that are forked. `make bench` is for the figures."""

import pytest

from tests.benchmarks import acks, answers, deployment, load, polls, rendering, start
from tests.benchmarks.table import Measurement, percentile, show
from tests.journeys.conftest import Bot


async def test_polls_are_measured_against_a_bare_get():
    measurements = await polls.measure(rounds=1, polls=3, sdk=False)
    assert [measured.bar for measured in measurements] == ["", "≤ 6×", "≤ 1.5×"]
    assert all(measured.measured for measured in measurements)


async def test_rendering_is_measured_against_json():
    measurements = await rendering.measure(rounds=1)
    assert all(measured.measured for measured in measurements)
    assert "messages" in measurements[1].what


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "FromNothing", Bot)


@pytest.mark.usefixtures("forked")
async def test_a_start_is_measured():
    took, against = await start.measure(starts=1)
    assert took.bar.startswith("≤")
    assert against.measured.endswith("×")


@pytest.mark.usefixtures("forked")
async def test_acks_are_measured_over_both_transports_against_an_app_that_only_acks():
    # However slow the machine is, every ack comes in the end: only a lost one takes for ever.
    measurements = await acks.measure(seconds=0.3, rest=0.1, slack_waits=acks.PATIENCE)
    assert [measured.what.strip()[:3] for measured in measurements] == ["ack", "p99", "tha"] * 2
    assert not any("inf" in measured.measured or "nan" in measured.measured for measured in measurements)


async def test_an_event_without_an_ack_took_for_ever_and_is_not_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(acks, "PATIENCE", 0.1)
    async with deployment.furnished() as furnished:
        watch = acks.Stopwatch(furnished)
        furnished.slack._notify({"type": "envelope", "envelope_id": "first"})
        furnished.slack._notify({"type": "envelope", "envelope_id": "second"})
        furnished.slack._notify({"type": "ack", "envelope_id": "second"})
        soon, never = await watch.stop()
    assert soon < never == float("inf")


@pytest.mark.usefixtures("forked")
async def test_short_and_longer_answers_are_measured():
    measurements = await answers.measure([0.3], longer=[1.0])
    assert [measured.what.strip().split(":")[0] for measured in measurements][1:] == [
        "p95",
        "an answer of 1 s",
        "question to placeholder",
    ]


@pytest.mark.usefixtures("forked")
async def test_a_crowd_with_keys_of_its_own_is_measured_and_no_answer_is_lost():
    measurements = await load.measure(in_flight=3, active=3, answers=4.0, seconds=1.0)
    assert [measured.measured for measured in measurements][1] == "0, 0"
    assert "of 3 keys" in measurements[2].what


async def test_polls_without_the_sdk_say_so(monkeypatch: pytest.MonkeyPatch):
    async def absent(_url: str, _count: int) -> None:
        """Nobody has installed it."""

    monkeypatch.setattr(polls, "official_sdk", absent)
    measurements = await polls.measure(rounds=1, polls=3)
    assert "tests/contracts installs it" in measurements[-1].measured


def test_percentiles():
    assert percentile([3.0], 99) == 3.0
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0


def test_the_table_says_what_is_reached_and_what_is_missed(capsys: pytest.CaptureFixture[str]):
    show(
        [
            Measurement("one", "1 s", "≤ 2 s", True),
            Measurement("two", "3 s", "≤ 2 s", False),
            Measurement("three", "5 s"),
        ]
    )
    text = capsys.readouterr().out
    assert text.count("reached") == text.count("missed") == 1
    assert "three" in text
