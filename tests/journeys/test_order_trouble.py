"""Orders while things break: one order at Clear Street whatever happens, and a card that says what is known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from omnibot.app import running
from omnibot.blocks.orders.buttons import APPROVE, REPLACE
from omnibot.settings import Settings
from tests.journeys.conftest import Deployment, settle_in
from tests.journeys.order_thread import ORDERS, PATIENCE, SUBMIT, buttons, order_calls, proposed, submitted, words

BUY = "buy 10 AAPL at $400"
QUOTES = "GET /v1/market-data/snapshot"
LIST = f"GET {ORDERS}"


def placed(deployment: Deployment) -> int:
    """How many orders there are."""
    return len(deployment.omni.exchange.of(19816))


def look_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a bot in this process look three times, without the half minute that this takes."""
    monkeypatch.setattr("omnibot.orders.model.LOOKS_OVER", timedelta(seconds=1))
    monkeypatch.setattr("omnibot.orders.submission.LOOKS_OVER", timedelta(seconds=1))
    monkeypatch.setattr("omnibot.orders.submission.next_lookup", lambda looks: 1)


async def test_an_order_whose_answer_was_lost_is_unknown_until_it_is_found(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, BUY)
    trading_deployment.omni.gate.drop(SUBMIT, "after")
    listing = trading_deployment.omni.gate.hold(LIST, "before", count=20)
    await thread.press(APPROVE)
    card = await thread.card("It is not known whether this order was placed", "Approved by @Ana")
    assert buttons(card) == []
    await listing.reached()
    listing.release()
    await thread.card("Filled")
    assert (len(submitted(trading_deployment)), placed(trading_deployment)) == (1, 1)


async def test_an_order_that_never_arrived_is_not_placed_after_three_looks_and_goes_out_when_approved_again(
    trading_deployment: Deployment, monkeypatch: pytest.MonkeyPatch
):
    await trading_deployment.bot.kill()
    settle_in(trading_deployment, monkeypatch)
    look_quickly(monkeypatch)
    async with running(Settings.read()):
        await trading_deployment.connected()
        thread = await proposed(trading_deployment, BUY)
        trading_deployment.omni.gate.refuse(SUBMIT, "before", status=503)
        await thread.press(APPROVE)
        await thread.card("It is not known whether this order was placed")
        await thread.card("Not placed", "Approve again")
        await thread.read("@Ana *Not placed")
        assert placed(trading_deployment) == 0
        assert len([call for call in trading_deployment.omni.calls if call.name == LIST]) >= 3
        await thread.press(APPROVE, "Approve again")
        await thread.card("Filled", "Approved by @Ana")
    first, second = submitted(trading_deployment)
    assert first.args["body"] == second.args["body"]
    assert placed(trading_deployment) == 1


async def test_the_bot_is_killed_while_orders_are_on_their_way(
    trading_deployment: Deployment, monkeypatch: pytest.MonkeyPatch
):
    """One of them arrived, the other did not: nobody is left to say so."""
    gate = trading_deployment.omni.gate
    arrived = gate.hold(SUBMIT, "after", matches=lambda call: "AAPL" in str(call.args))
    lost = gate.hold(SUBMIT, "before", matches=lambda call: "MSFT" in str(call.args))
    here, there = await proposed(trading_deployment, BUY), await proposed(trading_deployment, "buy 10 MSFT at $600")
    await here.press(APPROVE)
    await there.press(APPROVE)
    await arrived.reached()
    await lost.reached()
    await trading_deployment.bot.kill()
    arrived.release()
    lost.release()
    settle_in(trading_deployment, monkeypatch)
    look_quickly(monkeypatch)
    async with running(Settings.read()):
        await trading_deployment.connected()
        await here.card("Filled", "Approved by @Ana")
        await there.card("Not placed", "Approve again")
        # Nothing was sent again by itself.
        assert (len(submitted(trading_deployment)), placed(trading_deployment)) == (2, 1)
        await there.press(APPROVE)
        await there.card("Filled", "Approved by @Ana")
    assert (len(submitted(trading_deployment)), placed(trading_deployment)) == (3, 2)
    assert (len(here.cards()), len(there.cards())) == (1, 1)


async def test_a_slow_market_lets_the_card_say_that_it_is_looked_at_and_never_for_good(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, BUY)
    card = await thread.card("Buy 10 AAPL")
    slow = trading_deployment.omni.gate.delay(QUOTES, 1.5)
    await thread.press(APPROVE)
    await thread.card("Checking…")
    assert buttons(card) == []
    await thread.card("Filled")
    trading_deployment.omni.gate.remove(slow)
    assert len(submitted(trading_deployment)) == 1


async def test_a_market_that_says_nothing_leaves_the_card_as_it_was_and_says_why(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, BUY)
    card = await thread.card("Buy 10 AAPL")
    silent = trading_deployment.omni.gate.delay(QUOTES, 60)
    await thread.press(APPROVE)
    await thread.card("Checking…")
    await thread.heard("ana", "quote", "took too long")
    trading_deployment.omni.gate.remove(silent)
    await thread.card("Waiting for approval")
    assert APPROVE in buttons(card)
    assert order_calls(trading_deployment) == []
    await thread.press(APPROVE)
    await thread.card("Filled")


async def test_the_clicker_is_answered_though_slack_is_slow_to_change_the_card(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, BUY)
    card = await thread.card("Buy 10 AAPL")
    trading_deployment.omni.market.set("null", "AAPL")
    slow = trading_deployment.omni.gate.delay(QUOTES, 1.2)
    hold = trading_deployment.slack.gate.hold("chat.update", "before", matches=lambda call: call.args["ts"] == card.ts)
    await thread.press(APPROVE)
    await hold.reached()
    await thread.heard("ana", "quote")
    # Before the bot gave that call up.
    assert "slack_refused" not in trading_deployment.bot.logged()
    hold.release()
    trading_deployment.omni.gate.remove(slow)
    await trading_deployment.slack.wait_for(lambda: "Checking…" not in thread.text(), timeout=PATIENCE)
    assert order_calls(trading_deployment) == []


async def test_an_order_that_clear_street_refuses_says_why_and_what_to_do(trading_deployment: Deployment):
    trading_deployment.omni.order_plans["AAPL"] = "refuse:BUYING_POWER"
    thread = await proposed(trading_deployment, BUY)
    await thread.press(APPROVE)
    card = await thread.card("Rejected", "buying power", "No order was placed", "Approved by @Ana")
    assert buttons(card) == []
    await thread.read("@Ana *Rejected", "Ask Omni for a changed order")
    assert placed(trading_deployment) == 0


async def test_a_form_that_takes_long_is_answered_in_time_and_says_what_came_of_it(trading_deployment: Deployment):
    slack = trading_deployment.slack
    thread = await proposed(trading_deployment, "buy 10 AAPL at $100")
    await thread.press(APPROVE)
    await thread.card("Working")
    await thread.press(REPLACE)
    form = await thread.form("ana", "Change this order")
    hold = trading_deployment.omni.gate.hold(f"{LIST}/{{order_id}}", count=100)
    assert (await thread.enter("ana", form, quantity="8")).acked
    unread = "does not say how this order stands"
    await slack.wait_for(lambda: unread in words(slack.modals("ana")[-1]), timeout=PATIENCE)
    # Slack had its answer before that.
    assert [call for call in slack.calls if call.name == "views.update" and unread in str(call.args)]
    hold.release()
    assert len(thread.cards()) == 1
