"""Events held back, doubled and mixed up."""

from __future__ import annotations

import asyncio

import pytest
from omnibot_sandbox.slack.outbox import Outbox
from omnibot_sandbox.slack.socket_mode import Ack


class Carrier:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.sent: list[int] = []

    def deliver(self, payload):
        self.sent.append(payload["n"])

    async def request(self, kind, payload):
        return Ack(acked=False)


@pytest.fixture
def carrier():
    return Carrier()


@pytest.fixture
def outbox(carrier):
    return Outbox(carrier)


def deliver(outbox, *numbers):
    for number in numbers:
        outbox.deliver({"n": number})


def test_events_leave_in_order(outbox, carrier):
    deliver(outbox, 1, 2)
    assert carrier.sent == [1, 2]


@pytest.mark.parametrize(("how", "order"), [({}, [1, 2, 3]), ({"reverse": True}, [3, 2, 1])])
def test_what_was_held_leaves_in_the_order_asked_for(outbox, carrier, how, order):
    outbox.hold()
    deliver(outbox, 1, 2, 3)
    assert carrier.sent == []
    outbox.release(**how)
    assert carrier.sent == order
    deliver(outbox, 4)
    assert carrier.sent[-1] == 4


def test_a_seed_mixes_up_what_was_held_always_in_the_same_way(outbox, carrier):
    orders = []
    for seed in (1, 1, 2):
        outbox.hold()
        deliver(outbox, *range(10))
        outbox.release(seed=seed)
        orders.append(carrier.sent[-10:])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list(range(10)) != orders[0]


async def test_shuffling_mixes_up_each_stretch_of_time(outbox, carrier):
    outbox.shuffle(7, 0.03)
    deliver(outbox, *range(10))
    assert carrier.sent == []
    await asyncio.sleep(0.06)
    first = list(carrier.sent)
    assert sorted(first) == list(range(10)) != first
    deliver(outbox, 10, 11)
    outbox.shuffle(None, 0)
    assert carrier.sent[10:] == [10, 11]
    deliver(outbox, 12)
    assert carrier.sent[-1] == 12


async def test_doubling_and_shuffling_go_together(outbox, carrier):
    outbox.deliver_twice = True
    outbox.shuffle(7, 0.01)
    deliver(outbox, 1, 2)
    await asyncio.sleep(0.03)
    assert sorted(carrier.sent) == [1, 1, 2, 2]


async def test_closing_forgets_what_is_waiting(outbox, carrier):
    outbox.shuffle(7, 0.01)
    deliver(outbox, 1)
    outbox.close()
    await asyncio.sleep(0.03)
    assert carrier.sent == []


async def test_a_bolt_app_hears_shuffled_events_all_the_same(slack, app, connect):
    heard = []

    @app.event("message")
    async def message(body):
        heard.append(body["event"]["text"])

    await connect(app)
    slack.shuffle_events(3, within=0.05)
    said = [str(n) for n in range(8)]
    for words in said:
        await slack.say("ana", "trading", words)
    await slack.wait_for(lambda: len(heard) == 8)
    assert sorted(heard) == said
    assert [e["payload"]["event"]["text"] for e in slack.socket_mode.sent] != said
