"""Messages and forms about orders, on the emulated Slack: none that says “Checking…” for ever, and none unanswered."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from omnibot_sandbox.slack import interactions

from omnibot.blocks.layout.builders import section
from omnibot.blocks.layout.modals import modal, plain
from omnibot.blocks.layout.types import Page
from omnibot.blocks.orders.forms import DECLINE_VIEW
from omnibot.orders.model import ClickOutcome, ClickResult
from omnibot.policy.parser import read_policy
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.authorization.users import Users
from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.messages import Messages
from omnibot.slack.delivery.modals import MOMENT
from omnibot.slack.features.orders import BROKE, TITLE, OrderActions
from omnibot.slack.listeners.buttons import COMING, _show_order
from omnibot.slack.listeners.orders import OrderListeners
from omnibot.turns.model import Person, Turn
from tests.slack.conftest import Desktop, always_ours

SLOT = "card"


def page(words: str) -> Page:
    return Page([section(words)], words)


async def written(desktop: Desktop, turn: Turn, words: str) -> None:
    """What a process that knows only the database does."""
    posts = Messages(desktop.client, desktop.database, assure=always_ours)
    slots = await posts.load(turn.id)
    await posts.write(turn, slots, SLOT, page(words), channel=turn.channel, thread_ts=turn.thread_ts)


async def amended(desktop: Desktop, turn: Turn, words: str) -> bool:
    posts = Messages(desktop.client, desktop.database, assure=always_ours)
    return await posts.amend(turn, await posts.load(turn.id), SLOT, page(words), session="active")


async def test_a_card_that_slack_changed_without_saying_so_does_not_stay_like_that(desktop: Desktop):
    turn = await desktop.turn()
    await written(desktop, turn, "Cancel the order")
    desktop.slack.gate.drop("chat.update", "after")
    assert not await amended(desktop, turn, "Checking…")
    assert desktop.text(turn) == "Checking…"
    await written(desktop, turn, "Cancel the order")
    assert desktop.text(turn) == "Cancel the order"


async def test_a_card_whose_process_was_killed_while_it_was_checking_does_not_stay_like_that(desktop: Desktop):
    turn = await desktop.turn()
    await written(desktop, turn, "Cancel the order")
    hold = desktop.slack.gate.hold("chat.update", "after")
    dying = asyncio.create_task(amended(desktop, turn, "Checking…"))
    await hold.reached()
    dying.cancel()
    await asyncio.wait({dying})
    hold.release()
    await desktop.slack.wait_for(lambda: desktop.text(turn) == "Checking…")
    await written(desktop, turn, "Cancel the order")
    assert desktop.text(turn) == "Cancel the order"


# -- forms ------------------------------------------------------------------------------------------------------------


class Desk:
    """Takes its time to decline."""

    def __init__(self, click: ClickResult | None) -> None:
        self.click, self.go_on = click, asyncio.Event()

    async def decline(self, *_: Any) -> ClickResult:
        await self.go_on.wait()
        if self.click is None:
            raise RuntimeError("the database is away")
        return self.click


class Home:
    def refresh(self, _person: Person) -> None:
        """Nobody looks at it here."""


async def submitted(desktop: Desktop, desk: Desk, background: Background) -> dict[str, Any]:
    """A form that is being settled: what Slack is answered at once. The emulated Slack then shows that."""
    answers: list[dict[str, Any]] = []

    async def ack(**answer: Any) -> None:
        answers.append(answer)

    listeners = OrderListeners(cast(OrderActions, desk), background, cast(Any, Home()))
    ask = {"type": "plain_text_input", "action_id": "order_reason"}
    form = modal(
        "Decline this order",
        [{"type": "input", "block_id": "order_reason", "label": plain("Why not?"), "element": ask, "optional": True}],
        submit="Decline",
        callback=f"{DECLINE_VIEW}:1.0.ab",
        metadata="token~1.0.ab",
    )
    typed = {"order_reason": {"order_reason": {"type": "plain_text_input", "value": "Too much."}}}
    view = form | {"state": {"values": typed}, "id": "V1"}
    user = {"id": desktop.slack.workspace.user("ana").id, "team_id": desktop.slack.team_id}
    body = {"type": "view_submission", "team": {"id": desktop.slack.team_id}, "user": user, "view": view}
    await listeners.handle_declined(cast(Any, ack), body, desktop.client)
    [answer] = answers
    return answer


@pytest.mark.parametrize(
    ("click", "said"),
    [
        (ClickResult(answer=ClickOutcome.DECLINED, message="Declined: Buy 10 AAPL."), "Declined: Buy 10 AAPL."),
        (ClickResult(answer=ClickOutcome.EXPIRED, message="This proposal has expired."), "This proposal has expired."),
        (
            ClickResult(answer=ClickOutcome.INVALID, message="", problems={"quantity": "How much?"}),
            "Quantity: How much?",
        ),
        (None, BROKE),
    ],
)
async def test_a_form_that_takes_its_time_is_answered_at_once_and_says_later_what_came_of_it(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch, click: ClickResult | None, said: str
):
    monkeypatch.setattr("omnibot.slack.listeners.orders.PATIENCE", 0.01)
    background, desk = Background(), Desk(click)
    answer = await submitted(desktop, desk, background)
    assert (answer["response_action"], answer["view"]["title"]["text"]) == ("update", TITLE)
    workspace = desktop.slack.workspace
    trigger = interactions.trigger(workspace, workspace.user("ana"))
    await desktop.client.views_open(trigger_id=trigger, view=answer["view"])

    def shown() -> str:
        [view] = desktop.slack.modals("ana")
        return desktop.slack.visible_text({"text": "", "blocks": view["blocks"]})

    assert shown() == MOMENT
    desk.go_on.set()
    await desktop.slack.wait_for(lambda: said in shown())
    await background.close()
    [view] = desktop.slack.modals("ana")
    # What can be tried again is tried with what was typed.
    again = click is None or click.answer is ClickOutcome.INVALID
    assert ("Too much." in str(view["state"])) == again
    assert (view["private_metadata"], view["submit"] is not None) == ("token~1.0.ab" if again else "", again)


@pytest.mark.parametrize(
    ("click", "action"),
    [
        (ClickResult(answer=ClickOutcome.DECLINED, message="Declined."), None),
        (ClickResult(answer=ClickOutcome.INVALID, message="", problems={"quantity": "How much?"}), "errors"),
        (ClickResult(answer=ClickOutcome.EXPIRED, message="This proposal has expired."), "update"),
    ],
)
async def test_a_form_that_is_settled_at_once_closes_or_says_why(
    desktop: Desktop, click: ClickResult, action: str | None
):
    desk = Desk(click)
    desk.go_on.set()
    assert (await submitted(desktop, desk, Background())).get("response_action") == action


async def test_whoever_opens_a_card_that_takes_its_time_hears_that_it_is_coming(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("omnibot.slack.listeners.buttons.PATIENCE", 0.01)
    turn, go_on = await desktop.turn(), asyncio.Event()

    async def opening() -> str:
        await go_on.wait()
        return "It is in your messages."

    body = {
        "type": "block_actions",
        "team": {"id": desktop.slack.team_id},
        "user": {"id": turn.person.user, "team_id": desktop.slack.team_id},
        "channel": {"id": turn.channel},
        "message": {"ts": turn.message_ts, "thread_ts": turn.thread_ts},
        "container": {},
        "actions": [],
    }
    showing = asyncio.create_task(_show_order(desktop.client, body, opening()))
    await desktop.slack.wait_for(lambda: COMING in str(desktop.slack.ephemerals("ana")))
    go_on.set()
    await showing
    assert "It is in your messages." in str(desktop.slack.ephemerals("ana"))


# -- lists ------------------------------------------------------------------------------------------------------------


async def test_a_guest_who_may_ask_omni_hears_of_no_orders(desktop: Desktop):
    guest = desktop.slack.workspace.user("cleo").id
    policy = read_policy(f'version = 1\n[access]\nguests = ["{guest}"]\nshared_key = ["{guest}"]\n'.encode(), "test")
    access = Authorization(desktop.client, Users(desktop.client), lambda: policy, team=desktop.slack.team_id)
    person = Person(desktop.slack.team_id, guest)
    assert await access.may_use(person), "a guest who may not even ask proves nothing"
    # There are no orders behind this service: looking for any breaks it.
    nothing: Any = None
    desk = OrderActions(nothing, nothing, nothing, nothing, access, Background())
    assert "full members" in (await desk.mine(person)).text
