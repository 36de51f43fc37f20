"""Where account data may be read is judged again when it is written: who joins meanwhile reads none of it."""

from __future__ import annotations

from typing import Any

import pytest
from omnibot_sandbox.slack.workspace import Message

from omnibot.blocks.orders.buttons import APPROVE, DECLINE, EDIT
from omnibot.policy.access import NO_ACCOUNT_DATA
from omnibot.slack.authorization.account_data import GUEST_ELSEWHERE, WITHHELD
from tests.journeys.conftest import Deployment
from tests.journeys.order_thread import OrderThread, has_button, is_card, proposed, submitted
from tests.journeys.test_home import continued, list_of
from tests.journeys.test_privacy import accounts_asked_about, ephemerals, grant, in_dm

ACCOUNT, HOLDING = "19816", "7,731 MRMT"
#: Seconds for anything to come on a busy machine.
PATIENCE = 60


def seen_by(deployment: Deployment, name: str) -> str:
    """Everything that somebody can read in Slack now: channels, direct and ephemeral messages, modals and App Home."""
    slack = deployment.slack
    messages = [message for channel in slack.visible_channels(name) for message in slack.history(channel.id)]
    views = [*slack.modals(name), slack.home(name) or {}]
    return "\n".join(
        [*(slack.visible_text(m) + str(m.blocks) for m in messages), ephemerals(deployment, name), str(views)]
    )


def written_to(deployment: Deployment, channel: str, since: int) -> str:
    """Everything the bot has written to a channel since so many calls, streams and what was replaced later included."""
    where = deployment.slack.workspace.channel(channel).id
    return str([call.args for call in deployment.slack.calls[since:] if call.args.get("channel") == where])


async def slow_answer(deployment: Deployment, channel: str = "trading", *, seconds: float = 6.0) -> str:
    """Ana has asked about her account, and reads the beginning of an answer. Returns the question's ts."""
    await grant(deployment)
    words = f"Account {ACCOUNT}: you hold {HOLDING}. " + "The rest follows by and by. " * 10
    deployment.script("positions", words, seconds=seconds)
    ts = await deployment.slack.say("ana", channel, "@Omni my positions?")
    await deployment.slack.wait_for(lambda: "Account" in str(deployment.shown(channel, ts)), timeout=PATIENCE)
    return ts


async def moved(deployment: Deployment, ts: str, line: str, channel: str = "trading") -> None:
    """Wait until the answer is in Ana's direct messages and its thread says nothing but that."""
    await deployment.slack.wait_for(lambda: in_dm(deployment, "ana", HOLDING), timeout=PATIENCE)
    await deployment.at_rest()
    assert deployment.shown(channel, ts) == [line]
    assert len(in_dm(deployment, "ana", HOLDING)) == 1


@pytest.mark.parametrize("deployment", ["2026-04", "2026-10"], indirect=True)
async def test_what_is_being_said_when_a_guest_joins_goes_to_the_askers_dm_and_the_guest_reads_none_of_it(
    deployment: Deployment,
):
    await deployment.slack.leave("cleo", "trading")
    ts = await slow_answer(deployment)
    calls = len(deployment.slack.calls)
    await deployment.slack.join("cleo", "trading")
    await deployment.slack.wait_for(lambda: WITHHELD in str(deployment.shown("trading", ts)), timeout=PATIENCE)
    since = len(deployment.slack.calls)
    await moved(deployment, ts, GUEST_ELSEWHERE)
    # Why it is there stands in both places.
    assert in_dm(deployment, "ana", "A guest or somebody of another company is in #trading")
    for secret in (ACCOUNT, HOLDING):
        assert secret not in seen_by(deployment, "cleo")
        assert secret not in written_to(deployment, "trading", since)
    assert accounts_asked_about(deployment) == [int(ACCOUNT)]
    assert "conversations.members" in [call.name for call in deployment.slack.calls[calls:]]


async def test_an_answer_in_a_channel_that_stayed_as_it_was_costs_no_look_at_its_members(deployment: Deployment):
    await grant(deployment)
    deployment.script("positions", f"You hold {HOLDING}.", seconds=0.5)
    ts = await deployment.slack.say("ana", "trading", "@Omni my positions?")
    await deployment.answered("trading", ts, HOLDING)
    await deployment.at_rest()
    asked = [call.name for call in deployment.slack.calls]
    assert (asked.count("conversations.members"), asked.count("conversations.info")) == (1, 1)


@pytest.mark.parametrize("become", ["public", "shared"])
async def test_a_channel_that_becomes_public_or_shared_without_a_word_gets_no_answer_any_more(
    deployment: Deployment, become: str
):
    await deployment.slack.leave("cleo", "trading")
    ts = await slow_answer(deployment, seconds=9.0)
    channel = deployment.slack.workspace.channel("trading")
    if become == "public":
        channel.kind = "public"
    else:
        channel.is_ext_shared = True
    await deployment.slack.wait_for(lambda: in_dm(deployment, "ana", HOLDING), timeout=PATIENCE)
    await deployment.at_rest()
    assert HOLDING not in str(deployment.shown("trading", ts))
    assert in_dm(deployment, "ana", "Account data is not shown in #trading")


async def test_an_asker_who_is_a_guest_by_then_hears_that_account_data_is_not_for_guests(deployment: Deployment):
    await deployment.slack.leave("cleo", "trading")
    ts = await slow_answer(deployment)
    deployment.slack.change_role("ana", guest=True)
    await deployment.slack.wait_for(lambda: NO_ACCOUNT_DATA in str(deployment.shown("trading", ts)), timeout=PATIENCE)
    await deployment.at_rest()
    assert HOLDING not in seen_by(deployment, "ana")


async def test_a_kill_between_moving_an_answer_and_delivering_it_neither_loses_nor_repeats_it(deployment: Deployment):
    await deployment.slack.leave("cleo", "trading")
    ts = await slow_answer(deployment)
    await deployment.slack.join("cleo", "trading")
    own = deployment.slack.dm("ana")
    await deployment.slack.wait_for(lambda: deployment.slack.history(own), timeout=PATIENCE)
    await deployment.restart()
    await moved(deployment, ts, GUEST_ELSEWHERE)
    assert HOLDING not in seen_by(deployment, "cleo")


async def test_a_file_of_an_answer_that_was_moved_is_given_in_private(deployment: Deployment):
    await grant(deployment)
    await deployment.slack.leave("cleo", "trading")
    chart: dict[str, Any] = {
        "type": "chart",
        "payload": {
            "data_chart": {
                "title": "Holdings",
                "chart_type": "bar",
                "series": [{"name": "MRMT", "points": [{"x": "now", "y": 7731}]}],
            }
        },
    }
    final = {"at": 100.0, "status": "succeeded", "parts": [{"type": "text", "text": f"You hold {HOLDING}."}, chart]}
    deployment.omni.add_script({"name": "test: chart", "pattern": "positions", "snapshots": [], "final": final})
    await deployment.slack.say("ana", "trading", "@Omni my positions?")
    await deployment.slack.wait_for(lambda: deployment.omni.active(), timeout=PATIENCE)
    await deployment.slack.join("cleo", "trading")
    await deployment.slack.wait_for(lambda: in_dm(deployment, "ana", HOLDING), timeout=PATIENCE)
    await deployment.at_rest()
    own = deployment.slack.dm("ana")
    answer = next(m for m in deployment.slack.history(own) if HOLDING in deployment.slack.visible_text(m))
    assert await deployment.slack.click("ana", own, answer.ts, label="Chart data (CSV)")
    await deployment.slack.wait_for(lambda: [m for m in deployment.slack.history(own) if m.files], timeout=PATIENCE)
    assert not [m for m in deployment.slack.history("trading") if m.files]


async def test_what_was_said_before_is_not_repeated_where_a_guest_has_come_meanwhile(deployment: Deployment):
    await deployment.slack.leave("cleo", "trading")
    ts = await slow_answer(deployment, seconds=1)
    await deployment.answered("trading", ts, HOLDING)
    since, listed = len(deployment.slack.calls), await list_of(deployment, "ana", "trading")
    root = deployment.slack.gate.hold("chat.postMessage", "after")
    assert await deployment.slack.click("ana", "trading", listed["ts"], label="Continue here")
    await root.reached()
    await deployment.slack.join("cleo", "trading")
    # What comes behind it on the same way has been heard: so has that.
    assert (await deployment.slack.command("ana", "trading", "/omni", "help")).acked
    root.release()
    (new,) = await deployment.slack.wait_for(lambda: continued(deployment, "trading"), timeout=PATIENCE)
    await deployment.slack.wait_for(
        lambda: "Answer here to go on" in str(deployment.shown("trading", new)), timeout=PATIENCE
    )
    posted = [call.args for call in deployment.slack.calls[since:] if call.name == "chat.postMessage"]
    assert HOLDING not in str(posted)


# Orders.


def order_words(deployment: Deployment, name: str) -> list[str]:
    """What somebody reads in their direct messages with the bot of orders."""
    return in_dm(deployment, name, "AAPL")


async def open_card(deployment: Deployment, question: str = "buy 10 AAPL at $400") -> OrderThread:
    await deployment.slack.leave("cleo", "trading")
    thread = await proposed(deployment, question)
    await thread.card("AAPL at a limit of $400")
    return thread


async def test_a_card_goes_on_in_the_owners_dm_once_a_guest_has_joined_and_who_approved_it_hears_of_it_too(
    trading_deployment: Deployment,
):
    slack = trading_deployment.slack
    thread = await open_card(trading_deployment, "buy 300 AAPL at $400")
    card = thread.cards()[0]
    await thread.press(APPROVE)
    await thread.card("Approved so far")
    await thread.read("A second person has to approve this order")
    await slack.join("cleo", "trading")
    since = len(slack.calls)
    assert await slack.click("ben", "trading", card.ts, action_id=APPROVE)

    def both_read_it() -> bool:
        return all("Filled: 300 of 300" in str(order_words(trading_deployment, name)) for name in ("ana", "ben"))

    await slack.wait_for(both_read_it)
    await slack.wait_for(lambda: "goes on in the direct messages" in str(thread.deployment.shown("trading", thread.ts)))
    assert len(submitted(trading_deployment)) == 1
    assert thread.cards() == []
    for secret in ("AAPL", "300", ACCOUNT):
        assert secret not in written_to(trading_deployment, "trading", since)
    assert in_dm(trading_deployment, "ana", "A guest or somebody of another company is in #trading")
    # The owner has one card and is told once; both name what was approved.
    assert len([text for text in order_words(trading_deployment, "ana") if "Approved by @Ana and @Ben" in text]) == 1


async def test_a_card_that_is_approved_in_the_owners_dm_after_it_moved_there_is_one_order(
    trading_deployment: Deployment,
):
    slack = trading_deployment.slack
    thread = await open_card(trading_deployment)
    old = thread.cards()[0]
    await slack.join("cleo", "trading")
    form_of = await thread.card("Buy 10 AAPL")
    assert await slack.click("ana", "trading", form_of.ts, action_id=EDIT)
    form = await thread.form("ana", "Edit this order")
    await thread.enter("ana", form, quantity="20")
    own = OrderThread(trading_deployment, "", slack.dm("ana"))

    def card() -> Message | None:
        cards = [m for m in slack.history(own.channel) if is_card(m) and has_button(m, APPROVE)]
        return cards[0] if cards and "Buy 20 AAPL" in slack.visible_text(cards[0]) else None

    moved_card = await slack.wait_for(card)
    assert moved_card is not None
    assert "goes on in the direct messages" in slack.visible_text(slack.workspace.message("trading", old.ts))
    assert await slack.click("ana", own.channel, moved_card.ts, action_id=APPROVE)
    await slack.wait_for(lambda: "Filled: 20 of 20" in str(order_words(trading_deployment, "ana")))
    assert len(submitted(trading_deployment)) == 1
    assert "AAPL" not in str([slack.visible_text(m) for m in slack.history("trading") if m.ts == old.ts])


async def test_a_card_of_who_is_a_guest_by_now_says_no_more_to_them_and_goes_on_for_colleagues(
    trading_deployment: Deployment,
):
    slack = trading_deployment.slack
    thread = await open_card(trading_deployment, "buy 300 AAPL at $400")
    await slack.leave("ana", "trading")
    slack.deactivate("ana")
    await slack.click("ben", "trading", thread.cards()[0].ts, action_id=DECLINE)
    form = await thread.form("ben", "Decline this order")
    await slack.submit("ben", form["id"], {})
    await thread.card("Declined")


async def test_what_stands_below_several_cards_goes_on_in_the_owners_dm_too(trading_deployment: Deployment):
    slack = trading_deployment.slack
    await slack.leave("cleo", "trading")
    thread = await proposed(trading_deployment, "buy 10 AAPL and sell 5 MSFT")
    await thread.card("Sell 5 MSFT", place=1)
    await thread.read("2 of 2 orders wait")
    await slack.join("cleo", "trading")
    since = len(slack.calls)
    first = thread.cards()[0]
    assert await slack.click("ana", "trading", first.ts, action_id=DECLINE)
    form = await thread.form("ana", "Decline this order")
    await slack.submit("ana", form["id"], {})

    def footer() -> Message | None:
        own = slack.history(slack.dm("ana"))
        return next((m for m in own if "1 of 2 orders wait" in slack.visible_text(m)), None)

    assert await slack.wait_for(footer, timeout=PATIENCE) is not None
    # The other one has not changed since, so it stands where it stood.
    (second,) = thread.cards()
    assert await slack.click("ana", "trading", second.ts, action_id=APPROVE)
    await slack.wait_for(lambda: "Both orders are decided" in str(in_dm(trading_deployment, "ana", "decided")))
    await slack.wait_for(lambda: len(submitted(trading_deployment)) == 1, timeout=PATIENCE)
    await slack.wait_for(lambda: "Sell 5 MSFT" in str(in_dm(trading_deployment, "ana", "Approved by @Ana")))
    for secret in ("AAPL", "MSFT", ACCOUNT, "2 orders"):
        assert secret not in written_to(trading_deployment, "trading", since)
