"""A thread in which Omni proposed orders: its cards, and what people do with them."""

from __future__ import annotations

from typing import Any

from omnibot_sandbox.faults import Call
from omnibot_sandbox.slack.interacting import SubmitResult
from omnibot_sandbox.slack.workspace import Message

from tests.blocks.slack_limits import strings
from tests.journeys.conftest import Deployment

POLICY = """version = 1
[trading]
traders = ["{ana}", "{ben}"]
approvers = ["{ana}", "{ben}"]
halters = ["{ana}"]
with_shared_key = true
accounts = "any"
max_order_notional = "1000000"
max_day_notional = "2000000"
order_types = ["LIMIT", "MARKET"]
times_in_force = ["DAY", "GOOD_TILL_CANCEL"]
sessions = ["regular", "extended"]
price_collar = "none"
four_eyes_above = "100000"
max_quote_age_seconds = 3600
"""
ORDERS = "/v1/accounts/{account_id}/orders"
SUBMIT = f"POST {ORDERS}"
#: Seconds for anything to come on a busy machine.
PATIENCE = 40


class OrderThread:
    """A thread with an answer that proposes orders."""

    def __init__(self, deployment: Deployment, ts: str, channel: str = "trading") -> None:
        self.deployment, self.slack, self.ts, self.channel = deployment, deployment.slack, ts, channel

    def cards(self) -> list[Message]:
        """Cards of orders, in order."""
        return [m for m in self.deployment.replies(self.channel, self.ts) if is_card(m)]

    async def card(self, *words: str, place: int = 0) -> Message:
        """A card, once it says all that."""

        def ready() -> Message | None:
            cards = self.cards()[place:]
            return cards[0] if cards and all(word in self.slack.visible_text(cards[0]) for word in words) else None

        found = await self.slack.wait_for(ready, timeout=PATIENCE)
        assert found is not None
        return found

    def text(self, place: int = 0) -> str:
        return self.slack.visible_text(self.cards()[place])

    async def press(self, action: str, *words: str, user: str = "ana", place: int = 0) -> None:
        """Press a button of a card, once it is there and the card says all that."""
        card = await self.card(*words, place=place)
        await self.slack.wait_for(lambda: has_button(self.cards()[place], action), timeout=PATIENCE)
        assert await self.slack.click(user, self.channel, card.ts, action_id=action)

    async def form(self, user: str, title: str) -> dict[str, Any]:
        """The modal before somebody, once it is filled."""

        def opened() -> dict[str, Any] | None:
            shown = self.slack.modals(user)
            return shown[-1] if shown and shown[-1]["title"]["text"] == title and shown[-1]["submit"] else None

        found = await self.slack.wait_for(opened, timeout=PATIENCE)
        assert found is not None
        return found

    async def enter(self, user: str, form: dict[str, Any], **typed: str) -> SubmitResult:
        """Type into the form of an order, and submit it."""
        values = {f"order_field:{name}": {f"order_entered:{name}": {"value": said}} for name, said in typed.items()}
        return await self.slack.submit(user, form["id"], values)

    async def heard(self, user: str, *words: str) -> str:
        """Something said to one person alone."""

        def said() -> str:
            ephemerals = [self.slack.visible_text(tell_privately) for tell_privately in self.slack.ephemerals(user)]
            return next((text for text in ephemerals if all(word in text for word in words)), "")

        return await self.slack.wait_for(said, timeout=PATIENCE)

    async def read(self, *words: str) -> str:
        """Something said in the thread."""

        def said() -> str:
            shown = self.deployment.shown(self.channel, self.ts)
            return next((text for text in shown if all(word in text for word in words)), "")

        return await self.slack.wait_for(said, timeout=PATIENCE)

    async def settled(self) -> None:
        """Wait until nothing is being written any more: what is checked afterwards will not change by itself."""
        await self.slack.wait_for(lambda: "Checking…" not in self.text(), timeout=PATIENCE)


def is_card(message: Message) -> bool:
    return "order_decision:" in str(message.blocks)


def has_button(message: Message, action: str) -> bool:
    return action in buttons(message)


def buttons(message: Message) -> list[str]:
    """What can be pressed on a card, without the version that the names end with."""
    elements = [element for block in message.blocks for element in block.get("elements", [])]
    return [element["action_id"].partition(":")[0] for element in elements if element["type"] == "button"]


def words(view: dict[str, Any]) -> str:
    """All words of a modal or an App Home."""
    return "\n".join(strings(view["blocks"]))


async def asked(deployment: Deployment, question: str, *, user: str = "ana", channel: str = "trading") -> OrderThread:
    """Ask Omni, and wait for the answer."""
    said = question if channel.startswith("D") else f"@Omni {question}"
    ts = await deployment.slack.say(user, channel, said)
    await deployment.answered(channel, ts, timeout=PATIENCE)
    return OrderThread(deployment, ts, channel)


async def press_review(thread: OrderThread, *, user: str = "ana", label: str = "Review") -> None:
    """Press the button of the answer that opens its orders' cards."""
    answer = thread.deployment.replies(thread.channel, thread.ts)[0]
    labels = [button["text"]["text"] for button in thread.slack.buttons(answer)]
    found = next(one for one in labels if label in one)
    assert await thread.slack.click(user, thread.channel, answer.ts, label=found)


async def proposed(
    deployment: Deployment, question: str, *, user: str = "ana", channel: str = "trading"
) -> OrderThread:
    """Ask Omni for an order, and open its card."""
    thread = await asked(deployment, question, user=user, channel=channel)
    await press_review(thread, user=user)
    return thread


def submitted(deployment: Deployment) -> list[Call]:
    """Orders that Clear Street was asked to place."""
    return [call for call in deployment.omni.calls if call.name == SUBMIT]


def order_calls(deployment: Deployment) -> list[str]:
    """Everything Clear Street was asked to do to orders, but for reading."""
    return [call.name for call in deployment.omni.calls if ORDERS in call.name and not call.name.startswith("GET ")]
