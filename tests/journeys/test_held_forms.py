"""Forms that are held open while what they show changes: they decide nothing, say so, and keep what was typed."""

from __future__ import annotations

from typing import Any

import pytest

from omnibot.blocks.orders.buttons import APPROVE, CANCEL, EDIT, REPLACE
from omnibot.blocks.orders.forms import ENTERED_ACTION
from omnibot.orders.click_results import SUPERSEDED
from omnibot.slack.features.orders import NOBODY
from tests.journeys.conftest import Deployment
from tests.journeys.order_thread import PATIENCE, OrderThread, order_calls, proposed, submitted, words
from tests.journeys.test_order_clicks import keep_as_it_is

BUY = "buy 10 AAPL at $400"
QUANTITY = f"{ENTERED_ACTION}:quantity"


async def edited_by_ben(thread: OrderThread, quantity: str = "300") -> None:
    await thread.press(EDIT, user="ben")
    theirs = await thread.form("ben", "Edit this order")
    assert (await thread.enter("ben", theirs, quantity=quantity)).closed
    await thread.card(f"Buy {quantity} AAPL", "Edited by @Ben")


async def preview(thread: OrderThread, form: dict[str, Any], quantity: str) -> None:
    """Type a quantity, and press Enter."""
    where = {"view_id": form["id"], "block_id": "order_field:quantity", "action_id": QUANTITY}
    assert await thread.slack.press("ana", **where, value={"value": quantity})


async def showing(thread: OrderThread, *said: str) -> dict[str, Any]:
    """Ana's form, once it says all that."""

    def ready() -> dict[str, Any] | None:
        shown = thread.slack.modals("ana")
        return shown[-1] if shown and all(one in words(shown[-1]) for one in said) else None

    found = await thread.slack.wait_for(ready, timeout=PATIENCE)
    assert found is not None
    return found


def typed(form: dict[str, Any]) -> str:
    return str(form["state"]["values"]["order_field:quantity"][QUANTITY]["value"])


async def test_what_an_edit_would_come_to_is_not_said_of_an_older_version_and_what_was_typed_stays(
    trading_deployment: Deployment,
):
    thread = await proposed(trading_deployment, BUY)
    await thread.press(EDIT)
    mine = await thread.form("ana", "Edit this order")
    await edited_by_ben(thread)

    await preview(thread, mine, "20")
    again = await showing(thread, SUPERSEDED, "It now reads", "Buy 300 AAPL")
    assert typed(again) == "20"
    # It was read in this form, and it is still the form of the older version.
    came = await thread.enter("ana", again, quantity="20")
    assert list((came.errors or {}).values()) == [SUPERSEDED]
    await preview(thread, thread.slack.modals("ana")[-1], "25")
    again = await showing(thread, SUPERSEDED)
    assert words(again).count(SUPERSEDED) == 1
    assert typed(again) == "25"
    await thread.card("Buy 300 AAPL", "Waiting for approval")
    assert order_calls(trading_deployment) == []


async def test_a_form_is_kept_when_slack_does_not_say_who_sends_it(trading_deployment: Deployment):
    slack = trading_deployment.slack
    thread = await proposed(trading_deployment, BUY)
    await thread.press(EDIT)
    mine = await thread.form("ana", "Edit this order")
    await trading_deployment.restart()  # whoever was known is asked for anew
    slack.gate.refuse("users.info", status=200, body={"ok": False, "error": "internal_error"}, count=50)
    await preview(thread, mine, "20")
    again = await showing(thread, NOBODY)
    assert typed(again) == "20"
    came = await thread.enter("ana", again, quantity="20")
    assert list((came.errors or {}).values()) == [NOBODY]
    slack.gate.clear()
    assert (await thread.enter("ana", slack.modals("ana")[-1], quantity="20")).closed
    await thread.card("Buy 20 AAPL", "Edited by @Ana")


@pytest.mark.parametrize("keeps_id", [True, False], ids=["keeps the id", "another id"])
async def test_a_form_that_changes_a_working_order_decides_nothing_once_a_colleague_has_changed_it(
    trading_deployment: Deployment, keeps_id: bool
):
    trading_deployment.omni.exchange.replace_keeps_id = keeps_id
    thread = await proposed(trading_deployment, "buy 10 AAPL at $100")
    await thread.press(APPROVE)
    card = await thread.card("Working")
    await thread.press(REPLACE)
    mine = await thread.form("ana", "Change this order")
    assert "Now 10;" in words(mine)

    await thread.press(REPLACE, user="ben")
    theirs = await thread.form("ben", "Change this order")
    assert (await thread.enter("ben", theirs, quantity="30")).closed
    held = keep_as_it_is(thread, card.ts)
    await thread.press(APPROVE, "Waiting for approval", user="ben", place=1)
    await thread.card("Changed", place=1)
    await held.reached()
    assert await thread.slack.click("ana", thread.channel, card.ts, action_id=CANCEL)
    await thread.heard("ana", SUPERSEDED)
    held.release()
    await thread.card("Changed since: quantity 30")

    await preview(thread, mine, "20")
    again = await showing(thread, SUPERSEDED)
    assert typed(again) == "20"
    came = await thread.enter("ana", again, quantity="20")
    assert list((came.errors or {}).values()) == [SUPERSEDED]
    assert len(thread.cards()) == 2
    await thread.slack.close_view("ana", again["id"])
    # The button of the card as it is now opens a form that shows what works now.
    await thread.press(REPLACE)
    assert "Now 30;" in words(await thread.form("ana", "Change this order"))
    assert len(submitted(trading_deployment)) == 1
