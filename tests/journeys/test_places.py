"""Where account data may be read is judged again when it is written: who joins meanwhile reads none of it."""

from __future__ import annotations

from typing import Any

import pytest
from omnibot_sandbox.slack.workspace import Message

from omnibot.blocks.orders.buttons import APPROVE, DECLINE, EDIT
from omnibot.policy.access import NO_ACCOUNT_DATA
from omnibot.slack.authorization.account_data import GUEST_ELSEWHERE, WITHHELD
from tests.journeys.conftest import House
from tests.journeys.order_thread import OrderThread, has_button, is_card, proposed, submitted
from tests.journeys.test_home import continued, list_of
from tests.journeys.test_privacy import accounts_asked_about, grant, in_dm, whispers

ACCOUNT, HOLDING = "19816", "7,731 MRMT"
#: Seconds for anything to come on a busy machine.
PATIENCE = 60


def seen_by(house: House, name: str) -> str:
    """Everything that somebody can read in Slack now: channels, direct messages, whispers, forms and their Home."""
    slack = house.slack
    messages = [message for channel in slack.visible_channels(name) for message in slack.history(channel.id)]
    views = [*slack.modals(name), slack.home(name) or {}]
    return "\n".join([*(slack.visible_text(m) + str(m.blocks) for m in messages), whispers(house, name), str(views)])


def written_to(house: House, channel: str, since: int) -> str:
    """Everything the bot has written to a channel since so many calls, streams and what was replaced later included."""
    where = house.slack.workspace.channel(channel).id
    return str([call.args for call in house.slack.calls[since:] if call.args.get("channel") == where])


async def slow_answer(house: House, channel: str = "trading", *, seconds: float = 6.0) -> str:
    """Ana has asked about her account, and reads the beginning of an answer. Returns the question's ts."""
    await grant(house)
    words = f"Account {ACCOUNT}: you hold {HOLDING}. " + "The rest follows by and by. " * 10
    house.script("positions", words, seconds=seconds)
    ts = await house.slack.say("ana", channel, "@Omni my positions?")
    await house.slack.wait_for(lambda: "Account" in str(house.shown(channel, ts)), timeout=PATIENCE)
    return ts


async def moved(house: House, ts: str, line: str, channel: str = "trading") -> None:
    """Wait until the answer is in Ana's direct messages and its thread says nothing but that."""
    await house.slack.wait_for(lambda: in_dm(house, "ana", HOLDING), timeout=PATIENCE)
    await house.at_rest()
    assert house.shown(channel, ts) == [line]
    assert len(in_dm(house, "ana", HOLDING)) == 1


@pytest.mark.parametrize("house", ["2026-04", "2026-10"], indirect=True)
async def test_what_is_being_said_when_a_guest_joins_goes_to_the_askers_dm_and_the_guest_reads_none_of_it(
    house: House,
):
    await house.slack.leave("cleo", "trading")
    ts = await slow_answer(house)
    calls = len(house.slack.calls)
    await house.slack.join("cleo", "trading")
    await house.slack.wait_for(lambda: WITHHELD in str(house.shown("trading", ts)), timeout=PATIENCE)
    since = len(house.slack.calls)
    await moved(house, ts, GUEST_ELSEWHERE)
    # Why it is there stands in both places.
    assert in_dm(house, "ana", "A guest or somebody of another company is in #trading")
    for secret in (ACCOUNT, HOLDING):
        assert secret not in seen_by(house, "cleo")
        assert secret not in written_to(house, "trading", since)
    assert accounts_asked_about(house) == [int(ACCOUNT)]
    assert "conversations.members" in [call.name for call in house.slack.calls[calls:]]


async def test_an_answer_in_a_channel_that_stayed_as_it_was_costs_no_look_at_its_members(house: House):
    await grant(house)
    house.script("positions", f"You hold {HOLDING}.", seconds=0.5)
    ts = await house.slack.say("ana", "trading", "@Omni my positions?")
    await house.answered("trading", ts, HOLDING)
    await house.at_rest()
    asked = [call.name for call in house.slack.calls]
    assert (asked.count("conversations.members"), asked.count("conversations.info")) == (1, 1)


@pytest.mark.parametrize("become", ["public", "shared"])
async def test_a_channel_that_becomes_public_or_shared_without_a_word_gets_no_answer_any_more(
    house: House, become: str
):
    await house.slack.leave("cleo", "trading")
    ts = await slow_answer(house, seconds=9.0)
    channel = house.slack.workspace.channel("trading")
    if become == "public":
        channel.kind = "public"
    else:
        channel.is_ext_shared = True
    await house.slack.wait_for(lambda: in_dm(house, "ana", HOLDING), timeout=PATIENCE)
    await house.at_rest()
    assert HOLDING not in str(house.shown("trading", ts))
    assert in_dm(house, "ana", "Account data is not shown in #trading")


async def test_an_asker_who_is_a_guest_by_then_hears_that_account_data_is_not_for_guests(house: House):
    await house.slack.leave("cleo", "trading")
    ts = await slow_answer(house)
    house.slack.change_role("ana", guest=True)
    await house.slack.wait_for(lambda: NO_ACCOUNT_DATA in str(house.shown("trading", ts)), timeout=PATIENCE)
    await house.at_rest()
    assert HOLDING not in seen_by(house, "ana")


async def test_a_kill_between_moving_an_answer_and_delivering_it_neither_loses_nor_repeats_it(house: House):
    await house.slack.leave("cleo", "trading")
    ts = await slow_answer(house)
    await house.slack.join("cleo", "trading")
    own = house.slack.dm("ana")
    await house.slack.wait_for(lambda: house.slack.history(own), timeout=PATIENCE)
    await house.restart()
    await moved(house, ts, GUEST_ELSEWHERE)
    assert HOLDING not in seen_by(house, "cleo")


async def test_a_file_of_an_answer_that_was_moved_is_given_in_private(house: House):
    await grant(house)
    await house.slack.leave("cleo", "trading")
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
    house.omni.add_script({"name": "test: chart", "pattern": "positions", "snapshots": [], "final": final})
    await house.slack.say("ana", "trading", "@Omni my positions?")
    await house.slack.wait_for(lambda: house.omni.active(), timeout=PATIENCE)
    await house.slack.join("cleo", "trading")
    await house.slack.wait_for(lambda: in_dm(house, "ana", HOLDING), timeout=PATIENCE)
    await house.at_rest()
    own = house.slack.dm("ana")
    answer = next(m for m in house.slack.history(own) if HOLDING in house.slack.visible_text(m))
    assert await house.slack.click("ana", own, answer.ts, label="Chart data (CSV)")
    await house.slack.wait_for(lambda: [m for m in house.slack.history(own) if m.files], timeout=PATIENCE)
    assert not [m for m in house.slack.history("trading") if m.files]


async def test_what_was_said_before_is_not_repeated_where_a_guest_has_come_meanwhile(house: House):
    await house.slack.leave("cleo", "trading")
    ts = await slow_answer(house, seconds=1)
    await house.answered("trading", ts, HOLDING)
    since, listed = len(house.slack.calls), await list_of(house, "ana", "trading")
    root = house.slack.gate.hold("chat.postMessage", "after")
    assert await house.slack.click("ana", "trading", listed["ts"], label="Continue here")
    await root.reached()
    await house.slack.join("cleo", "trading")
    # What comes behind it on the same way has been heard: so has that.
    assert (await house.slack.command("ana", "trading", "/omni", "help")).acked
    root.release()
    (new,) = await house.slack.wait_for(lambda: continued(house, "trading"), timeout=PATIENCE)
    await house.slack.wait_for(lambda: "Answer here to go on" in str(house.shown("trading", new)), timeout=PATIENCE)
    posted = [call.args for call in house.slack.calls[since:] if call.name == "chat.postMessage"]
    assert HOLDING not in str(posted)


# Orders.


def order_words(house: House, name: str) -> list[str]:
    """What somebody reads in their direct messages with the bot of orders."""
    return in_dm(house, name, "AAPL")


async def open_card(house: House, question: str = "buy 10 AAPL at $400") -> OrderThread:
    await house.slack.leave("cleo", "trading")
    thread = await proposed(house, question)
    await thread.card("AAPL at a limit of $400")
    return thread


async def test_a_card_goes_on_in_the_owners_dm_once_a_guest_has_joined_and_who_approved_it_hears_of_it_too(
    trading_house: House,
):
    slack = trading_house.slack
    thread = await open_card(trading_house, "buy 300 AAPL at $400")
    card = thread.cards()[0]
    await thread.press(APPROVE)
    await thread.card("Approved so far")
    await thread.read("A second person has to approve this order")
    await slack.join("cleo", "trading")
    since = len(slack.calls)
    assert await slack.click("ben", "trading", card.ts, action_id=APPROVE)

    def both_read_it() -> bool:
        return all("Filled: 300 of 300" in str(order_words(trading_house, name)) for name in ("ana", "ben"))

    await slack.wait_for(both_read_it)
    await slack.wait_for(lambda: "goes on in the direct messages" in str(thread.house.shown("trading", thread.ts)))
    assert len(submitted(trading_house)) == 1
    assert thread.cards() == []
    for secret in ("AAPL", "300", ACCOUNT):
        assert secret not in written_to(trading_house, "trading", since)
    assert in_dm(trading_house, "ana", "A guest or somebody of another company is in #trading")
    # The owner has one card and is told once; both name what was approved.
    assert len([text for text in order_words(trading_house, "ana") if "Approved by @Ana and @Ben" in text]) == 1


async def test_a_card_that_is_approved_in_the_owners_dm_after_it_moved_there_is_one_order(trading_house: House):
    slack = trading_house.slack
    thread = await open_card(trading_house)
    old = thread.cards()[0]
    await slack.join("cleo", "trading")
    form_of = await thread.card("Buy 10 AAPL")
    assert await slack.click("ana", "trading", form_of.ts, action_id=EDIT)
    form = await thread.form("ana", "Edit this order")
    await thread.enter("ana", form, quantity="20")
    own = OrderThread(trading_house, "", slack.dm("ana"))

    def card() -> Message | None:
        cards = [m for m in slack.history(own.channel) if is_card(m) and has_button(m, APPROVE)]
        return cards[0] if cards and "Buy 20 AAPL" in slack.visible_text(cards[0]) else None

    moved_card = await slack.wait_for(card)
    assert moved_card is not None
    assert "goes on in the direct messages" in slack.visible_text(slack.workspace.message("trading", old.ts))
    assert await slack.click("ana", own.channel, moved_card.ts, action_id=APPROVE)
    await slack.wait_for(lambda: "Filled: 20 of 20" in str(order_words(trading_house, "ana")))
    assert len(submitted(trading_house)) == 1
    assert "AAPL" not in str([slack.visible_text(m) for m in slack.history("trading") if m.ts == old.ts])


async def test_a_card_of_who_is_a_guest_by_now_says_no_more_to_them_and_goes_on_for_colleagues(trading_house: House):
    slack = trading_house.slack
    thread = await open_card(trading_house, "buy 300 AAPL at $400")
    await slack.leave("ana", "trading")
    slack.deactivate("ana")
    await slack.click("ben", "trading", thread.cards()[0].ts, action_id=DECLINE)
    form = await thread.form("ben", "Decline this order")
    await slack.submit("ben", form["id"], {})
    await thread.card("Declined")


async def test_what_stands_below_several_cards_goes_on_in_the_owners_dm_too(trading_house: House):
    slack = trading_house.slack
    await slack.leave("cleo", "trading")
    thread = await proposed(trading_house, "buy 10 AAPL and sell 5 MSFT")
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
    await slack.wait_for(lambda: "Both orders are decided" in str(in_dm(trading_house, "ana", "decided")))
    await slack.wait_for(lambda: len(submitted(trading_house)) == 1, timeout=PATIENCE)
    await slack.wait_for(lambda: "Sell 5 MSFT" in str(in_dm(trading_house, "ana", "Approved by @Ana")))
    for secret in ("AAPL", "MSFT", ACCOUNT, "2 orders"):
        assert secret not in written_to(trading_house, "trading", since)
