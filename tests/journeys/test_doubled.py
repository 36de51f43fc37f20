"""Everything is delivered twice: at once, one after the other, to a process that began anew, and to two of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from omnibot_sandbox.slack.http_delivery import HttpDelivery
from omnibot_sandbox.slack.outbox import Carrier
from omnibot_sandbox.slack.socket_mode import Ack
from omnibot_sandbox.slack.workspace import JSON

from omnibot.blocks.orders.buttons import APPROVE, CANCEL, DECLINE, EDIT, REPLACE
from tests.journeys.conftest import Bot, Deployment
from tests.journeys.order_thread import PATIENCE, OrderThread, buttons, order_calls, proposed, submitted
from tests.journeys.test_http import SECRET, free_port
from tests.journeys.test_unsigned import http_bot, listening

TYPED = "what is in the account?"


async def everything(deployment: Deployment) -> OrderThread:
    """Ask, open, edit, approve, change, decline and cancel; ask by command, and press what an answer offers."""
    slack = deployment.slack
    thread = await proposed(deployment, "buy 10 AAPL at $100")
    await thread.card("Buy 10 AAPL", "Waiting for approval")
    await thread.press(EDIT)
    form = await thread.form("ana", "Edit this order")
    assert len(slack.modals("ana")) == 1
    assert (await thread.enter("ana", form, quantity="20")).closed
    await thread.card("Buy 20 AAPL", "Edited by @Ana")
    await thread.press(APPROVE)
    await thread.card("Working")

    await thread.press(REPLACE)
    form = await thread.form("ana", "Change this order")
    assert (await thread.enter("ana", form, limit_price="101")).closed
    await thread.card("Waiting for approval", place=1)
    await thread.press(DECLINE, place=1)
    form = await thread.form("ana", "Decline this order")
    assert (await slack.submit("ana", form["id"], {})).closed
    await thread.card("Declined* by @Ana", place=1)

    await thread.press(CANCEL)
    await thread.card("Cancel", "Waiting for approval", place=2)
    await thread.press(APPROVE, place=2)
    await thread.card("Canceled")
    await thread.card("Canceled", place=2)

    deployment.script(TYPED, "Nothing.")
    assert (await slack.command("ana", "trading", "/omni", TYPED)).acked
    (root,) = await slack.wait_for(lambda: [m for m in deployment.roots("trading") if TYPED in str(m.blocks)])
    await deployment.answered("trading", root.ts, "Nothing.", timeout=PATIENCE)
    return thread


def done(deployment: Deployment, thread: OrderThread) -> None:
    """All of it, and each once."""
    assert len(thread.cards()) == 3
    assert [buttons(card) for card in thread.cards()] == [[], [], []]
    assert len(submitted(deployment)) == 1
    assert sorted(name.split()[0] for name in order_calls(deployment)) == ["DELETE", "POST"]
    assert deployment.asked() == ["buy 10 AAPL at $100", TYPED]
    assert len([m for m in deployment.roots("trading") if TYPED in str(m.blocks)]) == 1


def broke(*bots: Bot) -> list[str]:
    lines = [line for bot in bots for line in bot.logged().splitlines()]
    return [line for line in lines if "broke" in line or '"error"' in line or "Traceback" in line]


def says(deployment: Deployment, thread: OrderThread) -> list[str]:
    """What everybody reads."""
    return [
        *deployment.shown("trading", thread.ts),
        *(deployment.slack.visible_text(m) for m in deployment.roots("trading")),
    ]


async def test_over_socket_mode_at_once(trading_deployment: Deployment):
    trading_deployment.slack.doubled = trading_deployment.slack.deliver_twice = True
    thread = await everything(trading_deployment)
    await trading_deployment.at_rest()
    done(trading_deployment, thread)
    assert trading_deployment.slack.ephemerals("ana") == []
    assert broke(trading_deployment.bot) == []


async def test_over_http_at_once_and_one_after_the_other_and_again_after_a_restart(trading_deployment: Deployment):
    deployment = trading_deployment
    async with http_bot(deployment) as endpoint:
        deployment.slack.doubled = deployment.slack.deliver_twice = True
        thread = await everything(deployment)
        await deployment.at_rest()
        done(deployment, thread)
        assert deployment.slack.ephemerals("ana") == []
        before = says(deployment, thread)
        once = [(one.kind, one.payload) for one in deployment.slack.deliveries]
        assert {kind for kind, _ in once} == {"events_api", "interactive", "slash_commands"}

        await again(deployment, once)
        done(deployment, thread)
        assert deployment.slack.ephemerals("ana") == []
        assert says(deployment, thread) == before

        # Another process, which knows none of those deliveries.
        await deployment.bot.terminate()
        await deployment.bot.start()
        await listening(int(endpoint.base.rpartition(":")[2]))
        await again(deployment, once)
        done(deployment, thread)
        assert says(deployment, thread) == before
        assert {one.status for one in deployment.slack.deliveries if not one.error} == {200}
        # It was away; or busy, so that Slack believes it was not heard, and delivers again: that is what this is about.
        assert {one.error for one in deployment.slack.deliveries} <= {"", "connection_failed", "http_timeout"}
    assert broke(deployment.bot) == []


async def again(deployment: Deployment, deliveries: list[tuple[str, JSON]]) -> None:
    """Deliver all that once more, in its order, and wait until nothing comes of it any more."""
    for kind, payload in deliveries:
        if kind == "events_api":
            deployment.slack.outbox.carrier.deliver(payload)
        else:
            assert (await deployment.slack.outbox.carrier.request(kind, payload)).acked
    delivered = len(deployment.slack.deliveries)
    await deployment.slack.wait_for(
        lambda: all(one.status or one.error for one in deployment.slack.deliveries[:delivered])
    )
    await deployment.at_rest()


def another_way(deployment: Deployment, url: str) -> HttpDelivery:
    """To another instance than the one that the workspace knows."""
    return HttpDelivery(
        url, SECRET, timeout=20, redeliver_after=(1.0,), log=deployment.slack.deliveries, on_change=lambda _: None
    )


@dataclass
class Both:
    """Each delivery goes to two instances at once; the first one's answer counts."""

    carriers: tuple[Carrier, Carrier]

    def deliver(self, payload: JSON) -> None:
        for carrier in self.carriers:
            carrier.deliver(payload)

    async def request(self, kind: str, payload: JSON) -> Ack:
        first, _ = await asyncio.gather(*(carrier.request(kind, payload) for carrier in self.carriers))
        return first


async def test_to_two_instances_on_one_database(
    trading_deployment: Deployment, tmp_path: Path, new_migrated: Callable[[], str]
):
    deployment = trading_deployment
    await deployment.bot.terminate()
    deployment.bot.environment["DATABASE_URL"] = new_migrated()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(http_bot(deployment))
        first, port = deployment.slack.outbox.carrier, free_port()
        other = Bot(deployment.bot.environment | {"PORT": str(port)}, tmp_path / "other.log")
        stack.push_async_callback(other.kill)
        await other.start()
        await listening(port)
        second = another_way(deployment, f"http://127.0.0.1:{port}/slack/events")
        stack.push_async_callback(second.close)
        deployment.slack.outbox.carrier = Both((first, second))
        thread = await everything(deployment)
        await deployment.at_rest()
        done(deployment, thread)
        answered = [one for one in deployment.slack.deliveries if one.status is not None or one.error]
        assert [(one.kind, one.status, one.error) for one in answered if one.status != 200] == []
        said = [deployment.slack.visible_text(one) for one in deployment.slack.ephemerals("ana")]
        # Which instance is the later one, the person cannot know: what it says is how the order stands.
        assert [text for text in said if "did not work" in text or "Slack does not" in text] == []
        assert broke(deployment.bot, other) == []
