"""Omni proposes an order: a card, people's approval, the order at Clear Street, and what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from omnibot.blocks.order_buttons import APPROVE
from omnibot.emulator.slack.workspace import Message
from tests.journeys.conftest import House, furnished

POLICY = """version = 1
[trading]
traders = ["{ana}", "{ben}"]
approvers = ["{ben}"]
halters = ["{ana}", "{ben}"]
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
SUBMIT = "POST /v1/accounts/{account_id}/orders"


@pytest.fixture
async def house(tmp_path: Path, migrated: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A running house in which Ana and Ben trade, and Ben approves for others."""
    async with furnished(tmp_path, migrated, revision="2026-10") as house:
        policy = tmp_path / "policy.toml"
        people = {name: house.slack.workspace.user(name).id for name in ("ana", "ben")}
        policy.write_text(POLICY.format(**people))
        house.bot.environment |= {
            "OMNIBOT_POLICY": str(policy),
            "CLEAR_STREET_ACCOUNT_ID": "19816",
            "OMNIBOT_TRADING": getattr(request, "param", "live"),
            "OMNIBOT_AUDIT_KEY": "a" * 40,
        }
        await house.start()
        yield house


class Desk:
    """A thread with an answer that proposes an order."""

    def __init__(self, house: House, ts: str, channel: str = "trading") -> None:
        self.house, self.slack, self.ts, self.channel = house, house.slack, ts, channel

    def cards(self) -> list[Message]:
        """Cards of orders, in order."""
        return [m for m in self.house.replies(self.channel, self.ts) if "order_decision:" in str(m.blocks)]

    async def card(self, *words: str, place: int = 0) -> Message:
        """A card, once it says all that."""

        def ready() -> Message | None:
            cards = self.cards()[place:]
            return cards[0] if cards and all(word in self.slack.visible_text(cards[0]) for word in words) else None

        found = await self.slack.wait_for(ready, timeout=30)
        assert found is not None
        return found

    async def press(self, action: str, *words: str, user: str = "ana", place: int = 0) -> None:
        card = await self.card(*words, place=place)
        await self.slack.wait_for(lambda: action in str(self.cards()[place].blocks), timeout=30)
        assert await self.slack.click(user, self.channel, card.ts, action_id=action)

    async def heard(self, user: str, words: str) -> None:
        """Something said to one person alone."""
        await self.slack.wait_for(lambda: words in str(self.slack.ephemerals(user)), timeout=30)

    async def read(self, words: str) -> None:
        await self.slack.wait_for(lambda: words in "\n".join(self.house.shown(self.channel, self.ts)), timeout=60)


async def proposed(house: House, question: str, *, user: str = "ana", press: str = "Review") -> Desk:
    ts = await house.slack.say(user, "trading", f"@Omni {question}")
    await house.answered("trading", ts)
    answer = house.replies("trading", ts)[-1]
    label = next(b["text"]["text"] for b in house.slack.buttons(answer) if press.lower() in b["text"]["text"].lower())
    assert await house.slack.click(user, "trading", answer.ts, label=label)
    return Desk(house, ts)


def orders_at_clear_street(house: House) -> list[Any]:
    return [call for call in house.omni.calls if call.name == SUBMIT]


async def test_an_order_is_proposed_approved_once_and_followed_to_its_end(house: House):
    desk = await proposed(house, "buy 10 AAPL at $400")
    card = await desk.card("Buy 10 AAPL at a limit of $400")
    assert "good for the day, account 19816 (Main)" in house.slack.visible_text(card)
    await desk.press(APPROVE)
    await desk.card("Filled")
    await desk.read("The order")
    assert len(orders_at_clear_street(house)) == 1
    assert len(desk.cards()) == 1
