"""Omni proposes an order: a card, people's approval, the order at Clear Street, and what becomes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omnibot.blocks.orders.buttons import APPROVE, APPROVE_ALL, CANCEL, REPLACE
from tests.forking import done
from tests.journeys.conftest import Deployment
from tests.journeys.order_thread import (
    PATIENCE,
    OrderThread,
    asked,
    buttons,
    has_button,
    is_card,
    order_calls,
    press_review,
    proposed,
    submitted,
    words,
)


async def test_an_order_is_proposed_approved_once_and_followed_to_its_end(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, "buy 10 AAPL at $400")
    card = await thread.card("Buy 10 AAPL at a limit of $400")
    assert "good for the day, account 19816 (Main)" in trading_deployment.slack.visible_text(card)
    await thread.press(APPROVE)
    await thread.card("Filled", "Approved by @Ana")
    await thread.read("@Ana *Filled", "The order: Buy 10 AAPL")
    assert len(submitted(trading_deployment)) == 1
    assert len(thread.cards()) == 1


async def test_a_large_order_waits_for_a_second_person_whom_the_thread_calls_and_the_audit_names_both(
    trading_deployment: Deployment, tmp_path: Path
):
    thread = await proposed(trading_deployment, "buy 300 AAPL at $400")
    await thread.press(APPROVE)
    await thread.card("Approved so far* by @Ana", "A second person")
    await thread.heard("ana", "Your approval counts")
    called = await thread.read("A second person has to approve this order", "@Ben", "Buy 300 AAPL")
    assert "@Ana" not in called
    assert order_calls(trading_deployment) == []

    await thread.press(APPROVE, user="ben")
    await thread.card("Filled", "Approved by @Ana and @Ben")
    assert len(submitted(trading_deployment)) == 1
    # She did not approve it alone, so she hears of it in her own messages too.
    own = trading_deployment.slack.dm("ana")
    await trading_deployment.slack.wait_for(
        lambda: (
            "Filled" in str([trading_deployment.slack.visible_text(m) for m in trading_deployment.slack.history(own)])
        ),
        timeout=PATIENCE,
    )

    verified = done("audit", "verify", environment=trading_deployment.bot.environment, cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    name = re.search(r"Ticket (\w+)", thread.text())
    assert name is not None
    assert f"event=ticket_submitted ticket={name[1]}" in trading_deployment.bot.logged()
    explained = done("policy", "explain", name[1], environment=trading_deployment.bot.environment, cwd=tmp_path)
    assert explained.returncode == 0, explained.stderr
    assert "four_eyes" in explained.stdout
    ana, ben = (trading_deployment.slack.workspace.user(name).id for name in ("ana", "ben"))
    assert ana in explained.stdout
    assert ben in explained.stdout


async def test_what_was_proposed_in_private_comes_to_the_second_person_as_a_card_of_their_own(
    trading_deployment: Deployment,
):
    slack = trading_deployment.slack
    own, bens = slack.dm("ana"), slack.dm("ben")
    await slack.command("ana", "trading", "/omni", "private buy 300 AAPL at $400")
    (root,) = await slack.wait_for(lambda: trading_deployment.roots(own), timeout=PATIENCE)
    await trading_deployment.answered(own, root.ts, timeout=PATIENCE)
    thread = OrderThread(trading_deployment, root.ts, own)
    await press_review(thread)
    await thread.press(APPROVE)
    (copy,) = await slack.wait_for(lambda: [m for m in slack.history(bens) if is_card(m)], timeout=PATIENCE)
    assert "Approved so far* by @Ana" in slack.visible_text(copy)
    assert await slack.click("ben", bens, copy.ts, action_id=APPROVE)
    await thread.card("Filled", "Approved by @Ana and @Ben")
    await slack.wait_for(lambda: "Filled" in slack.visible_text(copy), timeout=PATIENCE)
    assert buttons(copy) == []
    assert len(submitted(trading_deployment)) == 1
    assert not any(is_card(m) for m in slack.history("trading"))


async def test_several_orders_are_cards_in_order_and_can_be_approved_together(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, "buy 10 AAPL and sell 5 MSFT")
    await thread.card("Buy 10 AAPL", "Order 1 of 2")
    await thread.card("Sell 5 MSFT", "Order 2 of 2", place=1)
    await thread.read("2 of 2 orders wait", "Buy 10 AAPL", "Sell 5 MSFT", "not a spread")
    footer = trading_deployment.replies("trading", thread.ts)[-1]
    assert has_button(footer, APPROVE_ALL)
    assert await trading_deployment.slack.click("ana", "trading", footer.ts, action_id=APPROVE_ALL)
    await thread.read("Both orders are decided")
    await thread.card("Approved by @Ana")
    await thread.card("Approved by @Ana", place=1)
    await trading_deployment.slack.wait_for(lambda: len(submitted(trading_deployment)) == 2, timeout=PATIENCE)


async def test_of_several_orders_approved_together_none_goes_when_one_may_not(trading_deployment: Deployment):
    # The account holds 40, and nobody may sell short.
    thread = await proposed(trading_deployment, "buy 10 AAPL and sell 50 MSFT")
    await thread.card("Sell 50 MSFT", place=1)
    await thread.read("2 of 2 orders wait")
    footer = trading_deployment.replies("trading", thread.ts)[-1]
    assert await trading_deployment.slack.click("ana", "trading", footer.ts, action_id=APPROVE_ALL)
    await thread.heard("ana", "approved together or not at all", "short")
    assert "2 of 2 orders wait" in trading_deployment.slack.visible_text(footer)
    assert order_calls(trading_deployment) == []


@pytest.mark.parametrize("trading_deployment", ["off"], indirect=True)
async def test_while_trading_is_off_approving_ends_in_a_ticket_to_copy_and_no_call(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, "buy 10 AAPL at $400")
    await thread.press(APPROVE, "Trading is off here")
    card = await thread.card("Approved, but not sent", "Approved by @Ana")
    assert buttons(card) == []
    (copied,) = [block for block in card.blocks if "rich_text_preformatted" in str(block)]
    assert all(word in str(copied) for word in ("AAPL", "400", "10"))
    assert order_calls(trading_deployment) == []


async def test_a_working_order_is_changed_and_canceled_from_its_card(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, "buy 10 AAPL at $100")
    await thread.press(APPROVE)
    await thread.card("Working")

    await thread.press(REPLACE)
    form = await thread.form("ana", "Change this order")
    assert (await thread.enter("ana", form, quantity="8")).closed
    await thread.press(APPROVE, "8", place=1)
    await thread.read("Changed", "8")
    await thread.card("Changed", place=1)
    await thread.card("Working", "Changed since: quantity 8")
    patched = [call for call in order_calls(trading_deployment) if call.startswith("PATCH")]
    assert len(patched) == 1

    await thread.press(CANCEL)
    await thread.press(APPROVE, "Cancel", place=2)
    await thread.card("Canceled", place=0)
    await thread.card("Canceled", place=2)
    assert len([call for call in order_calls(trading_deployment) if call.startswith("DELETE")]) == 1
    assert len(submitted(trading_deployment)) == 1
    assert [order.status for order in trading_deployment.omni.exchange.of(19816) if not order.over] == []


async def test_omni_orders_and_the_app_home_list_what_is_open_and_lead_to_its_card(trading_deployment: Deployment):
    slack = trading_deployment.slack
    thread = await proposed(trading_deployment, "buy 10 AAPL at $400")
    card = await thread.card("Buy 10 AAPL")
    assert (await slack.command("ana", "trading", "/omni", "orders")).acked
    listed = await thread.heard("ana", "Your orders", "Buy 10 AAPL", "Waiting for approval")
    assert "Open its card" in listed
    assert f"p{card.ts.replace('.', '')}" in str(slack.ephemerals("ana")[-1]["blocks"])
    assert (await slack.command("ben", "trading", "/omni", "orders")).acked
    await thread.heard("ben", "You have no open orders")
    await slack.open_home("ana")
    await slack.wait_for(lambda: "Buy 10 AAPL" in words(slack.home("ana") or {"blocks": []}), timeout=PATIENCE)
    assert "*Your orders*" in words(slack.home("ana") or {"blocks": []})


async def test_omni_cancels_an_order_through_a_card_as_well(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, "buy 10 AAPL at $100")
    await thread.press(APPROVE)
    await thread.card("Working")
    other = await asked(trading_deployment, "cancel my AAPL order")
    await press_review(other, label="Cancel the order")
    await other.press(APPROVE, "Cancel the order to buy 10 AAPL")
    await other.card("Canceled", "Approved by @Ana")
    await thread.card("Canceled")
    assert len([call for call in order_calls(trading_deployment) if call.startswith("DELETE")]) == 1


async def test_where_accounts_are_not_spoken_of_the_card_comes_in_private(trading_deployment: Deployment):
    slack = trading_deployment.slack
    thread = await asked(trading_deployment, "buy 10 AAPL at $400", channel="research")
    named = [call.args["capabilities"] for call in trading_deployment.omni.calls if "capabilities" in call.args]
    assert "PREFILL_ORDER" not in str(named)
    await press_review(thread)
    await thread.heard("ana", "Its card is in your messages with me")
    own = slack.dm("ana")
    (card,) = await slack.wait_for(lambda: [m for m in slack.history(own) if is_card(m)], timeout=PATIENCE)
    assert thread.cards() == []
    # Omni was asked without an account, and there is none that this could go to.
    assert "It is not known on which account" in slack.visible_text(card)
    assert APPROVE not in buttons(card)


async def test_without_a_press_nothing_is_proposed(trading_deployment: Deployment):
    thread = await asked(trading_deployment, "buy 10 AAPL at $400")
    assert thread.cards() == []
