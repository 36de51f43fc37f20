"""A key typed where none belongs is nowhere afterwards but in the person's own message, and they are told."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from omnibot.accounts.key_detection import KEY_SEEN
from omnibot.blocks.orders.buttons import DECLINE, EDIT
from tests.journeys.conftest import Deployment
from tests.journeys.order_thread import proposed
from tests.journeys.order_thread import words as words_of

KEY = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEiLCJrIjoiOTkifQ.dBjftJeZ4CVPmB92K27uhbUJU1p1rwW1gFWFOEjXk"
#: Behind `link` anything may be a key.
SHORT = "hunter2hunter"
TOLD = KEY_SEEN.split(",", 1)[0]


def told(deployment: Deployment, name: str) -> int:
    return sum(TOLD in str(said["text"]) for said in deployment.slack.ephemerals(name))


def told_so_often(deployment: Deployment, name: str, number: int) -> bool:
    return told(deployment, name) == number


async def stored(deployment: Deployment, tmp_path: Path) -> bytes:
    """Everything that is left of it: the database with its journals, and every line of the log."""
    await deployment.bot.terminate()
    return left(tmp_path, deployment.bot.log)


def left(folder: Path, log: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in (*folder.glob("omnibot.sqlite3*"), log))


def received(deployment: Deployment) -> str:
    calls: list[Any] = [*deployment.slack.calls, *deployment.omni.calls]
    return json.dumps([call.args for call in calls], default=str)


@pytest.mark.parametrize(
    "words",
    [f"link {KEY}", f"what is {KEY}", f"private {KEY}", f"research AAPL {KEY}", f"account {KEY}", f"halt {KEY}"],
    ids=lambda words: words.split()[0],
)
async def test_a_key_in_a_command_is_nowhere_afterwards(trading_deployment: Deployment, tmp_path: Path, words: str):
    deployment = trading_deployment
    result = await deployment.slack.command("ana", "research", "/omni", words)

    await deployment.slack.wait_for(lambda: TOLD in str(result) or told(deployment, "ana"))

    assert KEY not in received(deployment)
    assert not deployment.omni.threads
    assert KEY.encode() not in await stored(deployment, tmp_path)


async def test_a_key_in_a_form_of_an_order_is_refused_where_it_was_typed_and_goes_no_further(
    trading_deployment: Deployment, tmp_path: Path
):
    deployment, slack = trading_deployment, trading_deployment.slack
    thread = await proposed(deployment, "buy 10 AAPL at $100")
    await thread.press(DECLINE)
    form = await thread.form("ana", "Decline this order")
    came = await slack.submit("ana", form["id"], {"order_reason": {"order_reason": {"value": f"No: {KEY}"}}})
    assert came.errors == {"order_reason": KEY_SEEN}
    await slack.close_view("ana", form["id"])

    await thread.press(EDIT)
    form = await thread.form("ana", "Edit this order")
    came = await thread.enter("ana", form, quantity=KEY)
    assert came.errors == {"order_field:quantity": KEY_SEEN}
    block_id, action_id = "order_field:quantity", "order_entered:quantity"
    typed = {"value": KEY}
    assert await slack.press("ana", view_id=form["id"], block_id=block_id, action_id=action_id, value=typed)
    await slack.wait_for(lambda: TOLD in words_of(slack.modals("ana")[-1]))

    await thread.card("Buy 10 AAPL", "Waiting for approval")
    assert KEY not in received(deployment)
    assert KEY.encode() not in await stored(deployment, tmp_path)


async def test_a_key_in_what_is_said_of_a_bad_answer_is_refused_and_goes_no_further(
    deployment: Deployment, tmp_path: Path
):
    slack = deployment.slack
    deployment.script("hello", "Hi there.")
    ts = await slack.say("ana", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi there.")
    (answer,) = deployment.replies("trading", ts)
    await slack.click("ana", "trading", answer.ts, label="Bad answer")
    (form,) = await slack.wait_for(partial(slack.modals, "ana"))
    (block,) = [one for one in form["blocks"] if one["type"] == "input"]
    typed = {block["block_id"]: {block["element"]["action_id"]: {"value": f"It said {KEY}"}}}
    came = await slack.submit("ana", form["id"], typed)
    assert came.errors == {block["block_id"]: KEY_SEEN}
    assert KEY not in received(deployment)
    assert KEY.encode() not in await stored(deployment, tmp_path)


async def test_anything_behind_link_may_be_a_key(deployment: Deployment, tmp_path: Path):
    await deployment.slack.command("ana", "research", "/omni", f"link {SHORT}")
    await deployment.slack.wait_for(lambda: deployment.slack.modals("ana"))
    await deployment.slack.wait_for(lambda: "revoke it" in str(deployment.slack.ephemerals("ana")))
    ts = await deployment.slack.say("ben", "research", f"@Omni link {SHORT}1")
    await deployment.slack.wait_for(lambda: told(deployment, "ben"))

    assert deployment.shown("research", ts) == []
    assert SHORT not in received(deployment)
    assert SHORT.encode() not in await stored(deployment, tmp_path)


async def test_a_key_in_a_message_is_nowhere_afterwards(deployment: Deployment, tmp_path: Path):
    deployment.script("price", "AAPL is at $250.")
    slack = deployment.slack
    dm = slack.dm("ana")

    asked = await slack.say("ana", "research", "@Omni price of AAPL?")
    await deployment.answered("research", asked, "AAPL is at $250.")
    ways = (
        ("research", f"@Omni my key is {KEY}", None),
        (dm, f"use {KEY}", None),
        ("research", f"and with {KEY}?", asked),
    )
    for number, (channel, words, thread) in enumerate(ways, start=1):
        await slack.say("ana", channel, words, thread_ts=thread)
        await slack.wait_for(partial(told_so_often, deployment, "ana", number))
    await slack.edit("research", asked, f"@Omni price of AAPL with {KEY}?")
    await slack.wait_for(lambda: told(deployment, "ana") == len(ways) + 1)

    assert deployment.asked() == ["price of AAPL?"]
    assert KEY not in received(deployment)
    assert KEY.encode() not in await stored(deployment, tmp_path)


async def test_a_waiting_question_into_which_a_key_is_edited_is_not_asked(deployment: Deployment, tmp_path: Path):
    deployment.script("hello", "Hi there.", seconds=3)
    slack = deployment.slack
    first = await slack.say("ana", "research", "@Omni hello")
    await slack.wait_for(deployment.omni.active)
    second = await slack.say("ana", "research", "and prices?", thread_ts=first)
    await slack.wait_for(lambda: slack.ephemerals("ana"))

    await slack.edit("research", second, f"and prices with {KEY}?")
    await slack.wait_for(lambda: told(deployment, "ana"))
    await deployment.answered("research", first, "Hi there.")

    assert deployment.asked() == ["hello"]
    assert KEY not in received(deployment)
    assert KEY.encode() not in await stored(deployment, tmp_path)


async def test_halt_in_a_direct_message_is_no_question_and_says_how_it_is_done(deployment: Deployment):
    """Whoever types it believes that trading is halted."""
    dm = deployment.slack.dm("ana")
    await deployment.slack.say("ana", dm, "halt everything!")
    said = await deployment.slack.wait_for(
        lambda: (
            [m for m in deployment.slack.history(dm) if m.user == deployment.slack.bot_user_id]
            or deployment.slack.ephemerals("ana")
        )
    )
    assert "type `/omni halt`" in str(said)
    assert not deployment.omni.threads
