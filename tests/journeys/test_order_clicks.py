"""Who presses what on the card of an order, and how often: each click is answered, and does what this person may."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Literal

import pytest
from omnibot_sandbox.slack.reading import elements
from omnibot_sandbox.slack.workspace import User

from omnibot.blocks.orders.buttons import APPROVE, APPROVE_ALL, DECLINE, EDIT
from omnibot.blocks.orders.forms import ENTERED_ACTION
from omnibot.orders.click_results import SUPERSEDED
from tests.journeys.conftest import Deployment
from tests.journeys.order_thread import (
    PATIENCE,
    OrderThread,
    asked,
    buttons,
    has_button,
    order_calls,
    press_review,
    proposed,
    submitted,
    words,
)

#: Of three hundred presses those that may be taken, and what one of them asks of Clear Street at most.
MOST, A_LOOK = 150, 8
BUY = "buy 10 AAPL at $400"


def keep_as_it_is(thread: OrderThread, card_ts: str) -> Any:
    """Hold back what would change a card, so that somebody presses what is over."""
    return thread.slack.gate.hold("chat.update", "before", count=20, matches=lambda call: call.args["ts"] == card_ts)


async def test_who_presses_approve_again_or_after_somebody_else_hears_that_it_is_done_already(
    trading_deployment: Deployment,
):
    thread = await proposed(trading_deployment, BUY)
    card = await thread.card("Buy 10 AAPL")
    hold = keep_as_it_is(thread, card.ts)
    assert await trading_deployment.slack.click("ana", "trading", card.ts, action_id=APPROVE)
    await trading_deployment.slack.wait_for(lambda: submitted(trading_deployment), timeout=PATIENCE)
    assert await trading_deployment.slack.click("ana", "trading", card.ts, action_id=APPROVE)
    await thread.heard("ana", "approved", "by @Ana")
    assert await trading_deployment.slack.click("ben", "trading", card.ts, action_id=APPROVE)
    await thread.heard("ben", "approved", "by @Ana")
    hold.release()
    await thread.card("Filled")
    assert len(submitted(trading_deployment)) == 1


async def test_two_people_who_press_at_the_same_time_make_one_order(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, BUY)
    card = await thread.card("Buy 10 AAPL")
    clicks = [trading_deployment.slack.click(who, "trading", card.ts, action_id=APPROVE) for who in ("ana", "ben") * 3]
    assert all(await asyncio.gather(*clicks))
    await thread.card("Filled")
    assert len(submitted(trading_deployment)) == 1


async def test_who_may_not_approve_is_told_why_and_whom_to_ask_and_nothing_happens(trading_deployment: Deployment):
    slack = trading_deployment.slack
    slack.workspace.users["U0EVE00001"] = User("U0EVE00001", "eve", "Eve")
    thread = await proposed(trading_deployment, BUY)
    card = await thread.card("Buy 10 AAPL")
    # They come when the card is there: with a guest in the channel it would have gone to Ana's direct messages.
    for name in ("cleo", "dan", "eve"):
        await slack.join(name, "trading")
    for name in ("cleo", "dan", "eve"):
        assert await slack.click(name, "trading", card.ts, action_id=APPROVE)
    heard = await thread.heard("eve", "You may not approve this order", "Who can help")
    assert "@Ana" in heard
    assert "@Ben" in heard
    for name in ("cleo", "dan"):
        assert "$" not in await thread.heard(name, "Ask a colleague in the workspace to ask for you")

    # Neither do their forms open, nor can they see the card that the button of the answer stands for.
    for name in ("cleo", "dan", "eve"):
        assert await slack.click(name, "trading", card.ts, action_id=EDIT)
        (modal,) = await slack.wait_for(partial(slack.modals, name), timeout=PATIENCE)
        assert modal["submit"] is None
        assert "AAPL" not in words(modal)
    assert "Waiting for approval" in thread.text()
    assert order_calls(trading_deployment) == []


async def test_an_edit_is_checked_shown_and_makes_a_version_of_its_own(trading_deployment: Deployment):
    slack = trading_deployment.slack
    thread = await proposed(trading_deployment, "buy 300 AAPL at $400")
    await thread.press(APPROVE, user="ben")
    card = await thread.card("Approved so far* by @Ben")
    await thread.press(EDIT)
    form = await thread.form("ana", "Edit this order")
    assert "Buy 300 AAPL" in words(form)

    nonsense = await thread.enter("ana", form, quantity="a few")
    assert list(nonsense.errors or {}) == ["order_field:quantity"]
    typed = {"value": "20"}
    where = {"view_id": form["id"], "block_id": "order_field:quantity", "action_id": f"{ENTERED_ACTION}:quantity"}
    assert await slack.press("ana", **where, value=typed)
    await slack.wait_for(lambda: "Buy 20 AAPL" in words(slack.modals("ana")[-1]), timeout=PATIENCE)
    assert thread.text().startswith("Buy 300 AAPL")

    hold = keep_as_it_is(thread, card.ts)
    assert (await thread.enter("ana", slack.modals("ana")[-1], quantity="20")).closed
    await hold.reached()
    assert await slack.click("ben", "trading", card.ts, action_id=APPROVE)
    await thread.heard("ben", "This order changed, read it again", "It now reads", "Buy 20 AAPL")
    hold.release()
    await thread.card("Buy 20 AAPL", "Waiting for approval", "Edited by @Ana")
    assert "Approved so far" not in thread.text()
    await thread.press(APPROVE)
    await thread.card("Filled")
    (call,) = submitted(trading_deployment)
    assert "'20'" in str(call.args)


def open_dialog(thread: OrderThread, user: str, action: str, ts: str) -> dict[str, Any]:
    """Press a button that asks first, and leave its dialog open. Returns what confirms it."""
    message = thread.slack.workspace.message(thread.slack.workspace.channel(thread.channel).id, ts)
    found = ((b, e) for b, e in elements(message.blocks) if str(e.get("action_id")).startswith(f"{action}:"))
    block, element = next(found)
    where = {"channel": thread.channel, "ts": ts, "block_id": block["block_id"], "action_id": element["action_id"]}
    return {**where, "dialog": thread.slack.open_dialog(user, **where)}


@pytest.mark.parametrize("reading", ["as_shown", "as_now"])
async def test_a_dialog_held_open_through_an_edit_approves_nothing(
    trading_deployment: Deployment, reading: Literal["as_shown", "as_now"]
):
    slack = trading_deployment.slack
    slack.held_dialogs = reading
    thread = await proposed(trading_deployment, "buy 10 AAPL at $300")
    card = await thread.card("Buy 10 AAPL", "Waiting for approval")
    dialog = open_dialog(thread, "ana", APPROVE, card.ts)

    await thread.press(EDIT, user="ben")
    form = await thread.form("ben", "Edit this order")
    assert (await thread.enter("ben", form, quantity="300")).closed
    await thread.card("Buy 300 AAPL", "Waiting for approval", "Edited by @Ben")
    assert await slack.press("ana", **dialog)
    await thread.heard("ana", "This order changed, read it again", "It now reads", "Buy 300 AAPL")
    await thread.card("Waiting for approval")
    assert order_calls(trading_deployment) == []

    await thread.press(APPROVE)
    await thread.card("Filled")
    assert len(submitted(trading_deployment)) == 1


@pytest.mark.parametrize("reading", ["as_shown", "as_now"])
async def test_approve_all_held_open_through_an_edit_of_one_approves_none(
    trading_deployment: Deployment, reading: Literal["as_shown", "as_now"]
):
    slack = trading_deployment.slack
    slack.held_dialogs = reading
    thread = await proposed(trading_deployment, "buy 10 AAPL and sell 5 MSFT")
    await thread.read("2 of 2 orders wait")
    footer = trading_deployment.replies("trading", thread.ts)[-1]
    dialog = open_dialog(thread, "ana", APPROVE_ALL, footer.ts)

    await thread.press(EDIT, user="ben")
    form = await thread.form("ben", "Edit this order")
    assert (await thread.enter("ben", form, quantity="30")).closed
    await thread.card("Edited by @Ben")
    assert await slack.press("ana", **dialog)
    await thread.heard("ana", "This order changed, read it again")
    await thread.card("Sell 5 MSFT", "Waiting for approval", place=1)
    assert order_calls(trading_deployment) == []


@pytest.mark.parametrize("action", [EDIT, DECLINE])
async def test_a_form_opened_before_an_edit_says_so_itself_and_keeps_what_was_typed(
    trading_deployment: Deployment, action: str
):
    slack = trading_deployment.slack
    thread = await proposed(trading_deployment, BUY)
    await thread.card("Buy 10 AAPL", "Waiting for approval")
    await thread.press(action)
    mine = await thread.form("ana", "Edit this order" if action == EDIT else "Decline this order")
    await thread.press(EDIT, user="ben")
    theirs = await thread.form("ben", "Edit this order")
    assert (await thread.enter("ben", theirs, quantity="300")).closed
    await thread.card("Buy 300 AAPL", "Edited by @Ben")

    typed = "20" if action == EDIT else "Too much."
    block = "order_field:quantity" if action == EDIT else "order_reason"
    element = "order_entered:quantity" if action == EDIT else "order_reason"
    came = await slack.submit("ana", mine["id"], {block: {element: {"value": typed}}})
    assert not came.closed
    assert list((came.errors or {}).values()) == [SUPERSEDED]
    assert slack.modals("ana")[-1]["state"]["values"][block][element]["value"] == typed
    await thread.card("Buy 300 AAPL", "Waiting for approval")
    assert order_calls(trading_deployment) == []


@pytest.mark.parametrize("action", ["order_cancel", "order_replace"])
async def test_a_press_on_a_working_order_whose_parts_do_not_agree_proposes_nothing(
    trading_deployment: Deployment, action: str
):
    slack = trading_deployment.slack
    thread = await proposed(trading_deployment, "buy 10 AAPL at $100")
    await thread.press(APPROVE)
    card = await thread.card("Working")
    row = next(block for block in card.blocks if block["type"] == "actions")
    for element in row["elements"]:
        element["value"] = element["value"].partition("~")[0] + "~1.0.0123456789abcdef"
    assert await slack.click("ana", "trading", card.ts, action_id=action)
    if action == "order_cancel":
        await thread.heard("ana", "This order changed, read it again")
    else:
        (modal,) = await slack.wait_for(partial(slack.modals, "ana"), timeout=PATIENCE)
        assert "This order changed, read it again" in words(modal)
        assert modal["submit"] is None
    assert len(thread.cards()) == 1


async def test_who_presses_all_the_time_is_told_so_once_and_makes_no_more_calls_than_their_share(
    trading_deployment: Deployment,
):
    slack = trading_deployment.slack
    slack.workspace.users["U0EVE00001"] = User("U0EVE00001", "eve", "Eve")
    await slack.join("eve", "trading")
    # Nobody may sell short: every press is looked at and denied.
    thread = await proposed(trading_deployment, "sell 50 MSFT")
    card = await thread.card("Sell 50 MSFT", "Waiting for approval")
    ephemerals, looks = _ephemerals(thread), len(trading_deployment.omni.calls)
    for _ in range(10):
        assert all(
            await asyncio.gather(*(slack.click("ana", "trading", card.ts, action_id=APPROVE) for _ in range(30)))
        )
    await thread.heard("ana", "pressing faster than I can follow")
    ts = await slack.say("eve", "trading", "@Omni hello")
    await trading_deployment.answered("trading", ts, timeout=PATIENCE)
    said = [slack.visible_text(one) for one in slack.ephemerals("ana")]
    assert len([one for one in said if one.startswith("You are pressing faster")]) < 5
    assert _ephemerals(thread) - ephemerals <= MOST
    assert len(trading_deployment.omni.calls) - looks <= MOST * A_LOOK


def _ephemerals(thread: OrderThread) -> int:
    return len([call for call in thread.slack.calls if call.name == "chat.postEphemeral"])


async def test_who_declines_may_say_why_and_the_card_shows_it(trading_deployment: Deployment):
    thread = await proposed(trading_deployment, BUY)
    await thread.press(DECLINE, user="ben")
    form = await thread.form("ben", "Decline this order")
    reason = {"order_reason": {"order_reason": {"value": "Earnings are tomorrow."}}}
    assert (await trading_deployment.slack.submit("ben", form["id"], reason)).closed
    card = await thread.card("Declined* by @Ben", "Earnings are tomorrow.")
    assert buttons(card) == []
    await thread.read("@Ana *Declined* by @Ben", "Earnings are tomorrow.")
    assert order_calls(trading_deployment) == []


async def test_a_halt_keeps_everything_but_cancels_from_going_out(trading_deployment: Deployment):
    slack = trading_deployment.slack
    thread = await proposed(trading_deployment, "buy 10 AAPL at $100")
    await thread.press(APPROVE)
    await thread.card("Working")
    await slack.command("ben", "trading", "/omni", "halt")
    await thread.heard("ben", "You may not halt or resume trading", "@Ana")
    await slack.command("ana", "trading", "/omni", "halt")
    await thread.heard("ana", "Trading is halted. Only cancels go through")

    other = await proposed(trading_deployment, BUY)
    await other.press(APPROVE)
    await other.heard("ana", "rading is halted", "Who can help")
    await other.card("Waiting for approval")
    await thread.press("order_cancel")
    await thread.press(APPROVE, "Cancel", place=1)
    await thread.card("Canceled")

    await slack.command("ana", "trading", "/omni", "resume")
    await thread.heard("ana", "Trading goes on")
    await other.press(APPROVE)
    await other.card("Filled")
    assert len(submitted(trading_deployment)) == 2


async def test_omni_may_propose_orders_only_to_who_may_trade_and_what_comes_anyway_cannot_be_pressed(
    trading_deployment: Deployment,
):
    slack = trading_deployment.slack
    slack.workspace.users["U0EVE00001"] = User("U0EVE00001", "eve", "Eve")
    await slack.join("eve", "trading")
    await asked(trading_deployment, BUY)
    thread = await asked(trading_deployment, BUY, user="eve")
    named = [call.args["capabilities"] for call in trading_deployment.omni.calls if "capabilities" in call.args]
    assert ["PREFILL_ORDER" in str(capabilities) for capabilities in named] == [True, False]

    await press_review(thread, user="eve")
    card = await thread.card("Buy 10 AAPL", "Nothing can be approved here", "You may not trade through omnibot")
    assert buttons(card) == []


async def test_the_button_of_an_answer_opens_one_card_for_the_asker_alone(trading_deployment: Deployment):
    thread = await asked(trading_deployment, BUY)
    await press_review(thread, user="ben")
    await thread.heard("ben", "proposed to @Ana", "ask Omni yourself")
    assert thread.cards() == []
    await press_review(thread)
    card = await thread.card("Buy 10 AAPL")
    await press_review(thread)
    await thread.heard("ana", "Its card is there already", "the card")
    assert f"p{card.ts.replace('.', '')}" in str(trading_deployment.slack.ephemerals("ana")[-1])
    assert len(thread.cards()) == 1
    assert has_button(card, APPROVE)
