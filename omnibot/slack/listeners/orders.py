"""Orders: what is pressed on their cards, their forms, and the words of `/omni` that are about them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.accounts.key_detection import KEY_SEEN, holds_key, strings
from omnibot.blocks.layout.button_versions import pattern, read_click, read_clicks, read_form_click
from omnibot.blocks.layout.modals import View, kept_view, moment_view
from omnibot.blocks.layout.types import Page
from omnibot.blocks.orders.buttons import APPROVE, APPROVE_ALL, CANCEL, DECLINE, EDIT, REPLACE
from omnibot.blocks.orders.forms import (
    DECLINE_VIEW,
    EDIT_VIEW,
    ENTERED_ACTION,
    REPLACE_VIEW,
    form_errors,
    read_reason,
)
from omnibot.blocks.orders.list import PAGE_ACTION
from omnibot.blocks.orders.results import form_again, stays
from omnibot.orders.model import ClickOutcome
from omnibot.orders.model import ClickResult as Decision
from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.modals import MOMENT, delivery_of, open_modal, show
from omnibot.slack.errors import SLACK_ERRORS, classify
from omnibot.slack.features.app_home import AppHome
from omnibot.slack.features.orders import BROKE, NOBODY, TITLE, OrderActions, say
from omnibot.slack.inbound.once import Once
from omnibot.slack.inbound.payloads import SlackClick, SlashCommand, ViewSubmission
from omnibot.slack.listeners.buttons import tell, who
from omnibot.turns.model import Person

log = structlog.get_logger(__name__)

NOT_OPENED = "Slack did not open the form. Please press the button again."
NOT_LISTED = "That did not work. Try again in a minute; if it stays so, tell whoever runs omnibot."
NOT_HALTED = "That did not work: trading goes on as it was. Try again at once, and tell whoever runs omnibot."
#: Words of `/omni` that are about orders.
COMMANDS = ("orders", "halt", "resume")

Body = dict[str, Any]
#: Does what a form is for; None: it is not known who asks.
Doing = Callable[[], Coroutine[Any, Any, Decision | None]]
#: Answers after which a form has done what it is for.
_DID = (ClickOutcome.EDITED, ClickOutcome.DECLINED, ClickOutcome.DONE)
#: Seconds after which a stand-in takes a form's place: Slack waits for three.
PATIENCE = 2.0
#: Makes a form for a person, a workspace, and what the button carried.
Form = Coroutine[Any, Any, View]


class OrderListeners:
    """What the payloads about orders begin."""

    def __init__(self, desk: OrderActions, background: Background, home: AppHome) -> None:
        self._actions = desk
        self._background = background
        self._home = home
        self._forms: Once[Decision | str] = Once()

    def register(self, app: AsyncApp) -> None:
        """Register the listeners of buttons and forms."""
        app.action(pattern(APPROVE))(self.handle_approve)
        app.action(pattern(APPROVE_ALL))(self.handle_approve)
        app.action(pattern(EDIT))(self.handle_edit)
        app.action(pattern(DECLINE))(self.handle_decline)
        app.action(pattern(CANCEL))(self.handle_cancel)
        app.action(pattern(REPLACE))(self.handle_replace)
        app.action(re.compile(rf"^{ENTERED_ACTION}:"))(self.handle_entered)
        app.action(re.compile(rf"^{PAGE_ACTION}:"))(self.handle_page)
        app.view(pattern(EDIT_VIEW))(self.handle_edited)
        app.view(pattern(REPLACE_VIEW))(self.handle_replaced)
        app.view(pattern(DECLINE_VIEW))(self.handle_declined)

    # Commands.

    async def command(
        self,
        name: str,
        form: SlashCommand,
        person: Person,
        ack: AsyncAck,
        _client: AsyncWebClient,
        respond: AsyncRespond,
    ) -> None:
        """`/omni orders`, `/omni halt` and `/omni resume`."""
        await ack()
        if name == "orders":
            self._background.start(self._list(person, respond))
        else:
            halting = self._actions.halt(person, form.team_id, halted=name == "halt", reason=form.text)
            self._background.start(self._halt(halting, respond))

    async def _list(self, person: Person, respond: AsyncRespond, number: int = 0, *, replace: bool = False) -> None:
        try:
            page = await self._actions.mine(person, number)
        except SLACK_ERRORS:
            await respond(text=NOBODY, replace_original=False)
        except Exception:
            log.exception("orders_not_listed")
            await respond(text=NOT_LISTED, replace_original=False)
        else:
            await respond(text=page.text, blocks=page.blocks, replace_original=replace)

    async def _halt(self, halting: Coroutine[Any, Any, Page], respond: AsyncRespond) -> None:
        try:
            page = await halting
        except Exception:
            log.exception("halt_broke")
            await respond(text=NOT_HALTED)
            return
        await respond(text=page.text, blocks=page.blocks)

    async def handle_page(self, ack: AsyncAck, body: Body, action: dict[str, Any], respond: AsyncRespond) -> None:
        """Another page of the list, in place of the one that is there."""
        await ack()
        _, person = who(SlackClick.model_validate(body))
        value = str(action.get("value") or "")
        self._background.start(self._list(person, respond, int(value) if value.isdecimal() else 0, replace=True))

    # Cards.

    async def handle_approve(self, ack: AsyncAck, body: Body, action: dict[str, Any], client: AsyncWebClient) -> None:
        """Approve a ticket, or all of an answer: Slack has asked whether that is meant."""
        await ack()
        team, person = who(SlackClick.model_validate(body))
        presses = [str(press) for press in read_clicks(action) or ()]
        self._background.start(self._answer(client, body, person, self._actions.approve(person, team, presses)))

    async def handle_cancel(self, ack: AsyncAck, body: Body, action: dict[str, Any], client: AsyncWebClient) -> None:
        """Propose to cancel a working order: a card of its own."""
        await ack()
        team, person = who(SlackClick.model_validate(body))
        proposing = self._actions.propose_cancel(person, team, _pressed(action))
        self._background.start(self._answer(client, body, person, proposing))

    async def _answer(
        self, client: AsyncWebClient, body: Body, person: Person, doing: Coroutine[Any, Any, Page | None]
    ) -> None:
        """Do it, and tell the clicker what the card does not say. Whatever happens, they are told something."""
        try:
            page = await doing
        except Exception:
            log.exception("order_click_broke")
            await tell(client, body, BROKE)
            return
        self._home.refresh(person)
        click = SlackClick.model_validate(body)
        if page is not None and click.channel is not None:
            thread_ts = click.message.get("thread_ts") or click.container.get("thread_ts")
            await say(client, channel=click.channel.id, user=click.user.id, page=page, thread_ts=thread_ts)

    # Forms.

    async def handle_edit(self, ack: AsyncAck, body: Body, action: dict[str, Any], client: AsyncWebClient) -> None:
        """The form that edits a ticket."""
        await ack()
        team, person = who(SlackClick.model_validate(body))
        self._open(client, body, self._actions.edit_form(person, team, _pressed(action)))

    async def handle_decline(self, ack: AsyncAck, body: Body, action: dict[str, Any], client: AsyncWebClient) -> None:
        """The form that declines a ticket."""
        await ack()
        team, person = who(SlackClick.model_validate(body))
        self._open(client, body, self._actions.decline_form(person, team, _pressed(action)))

    async def handle_replace(self, ack: AsyncAck, body: Body, action: dict[str, Any], client: AsyncWebClient) -> None:
        """The form that changes a working order."""
        await ack()
        team, person = who(SlackClick.model_validate(body))
        self._open(client, body, self._actions.replace_form(person, team, _pressed(action)))

    def _open(self, client: AsyncWebClient, body: Body, making: Form) -> None:
        async def opening() -> None:
            if not await open_modal(client, SlackClick.model_validate(body).trigger_id or "", TITLE, making):
                await tell(client, body, NOT_OPENED)

        # At once, for Slack's leave to open a modal lasts three seconds.
        self._background.start(opening())

    async def handle_entered(self, ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        """Something was entered: the form shows what would be proposed, and what speaks against it."""
        await ack()
        click = SlackClick.model_validate(body)
        team, person = who(click)
        if _keys_in(click.view):
            # Without what was typed, which Slack keeps by itself and which goes into no view of ours.
            refused = kept_view({name: value for name, value in click.view.items() if name != "state"}, KEY_SEEN)
            self._background.start(_redraw(client, click.view, refused))
            return
        about = _opened_for(click.view)
        edits = pattern(EDIT_VIEW).match(str(click.view.get("callback_id"))) is not None
        form = self._actions.edit_preview if edits else self._actions.replace_form

        async def redrawing() -> None:
            await _redraw(client, click.view, await form(person, team, about, click.view))

        self._background.start(redrawing())

    async def handle_edited(self, ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        """What was entered is used, where it makes an order."""
        form = ViewSubmission.model_validate(body)
        team, person = who(form)
        about = _opened_for(form.view)
        await self._settle(ack, client, form, partial(self._actions.edit, person, team, about, form.view.get("state")))

    async def handle_replaced(self, ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        """A card for the change."""
        form = ViewSubmission.model_validate(body)
        team, person = who(form)
        about = _opened_for(form.view)
        await self._settle(
            ack, client, form, partial(self._actions.replace, person, team, about, form.view.get("state"))
        )

    async def handle_declined(self, ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        """No."""
        form = ViewSubmission.model_validate(body)
        team, person = who(form)
        about, reason = _opened_for(form.view), read_reason(form.view.get("state"))
        await self._settle(ack, client, form, partial(self._actions.decline, person, team, about, reason))

    async def _settle(self, ack: AsyncAck, client: AsyncWebClient, form: ViewSubmission, doing: Doing) -> None:
        """Close the form when it did what it is for; else it says why not. A stand-in first where that takes long."""
        if keyed := _keys_in(form.view):
            await ack(response_action="errors", errors=dict.fromkeys(keyed, KEY_SEEN))
            return
        under_way, first = self._forms.begin(delivery_of(form), partial(self._done, form, doing))
        done, _ = await asyncio.wait({under_way}, timeout=PATIENCE)
        if not done:
            stand_in = delivery_of(form)
            await ack(response_action="update", view=moment_view(TITLE, MOMENT, external_id=stand_in))
            if first:
                self._background.start(_settle_late(client, form, stand_in, under_way))
            return
        click = under_way.result()
        if isinstance(click, Decision) and click.answer in _DID:
            await ack()
        elif stays(click):
            await ack(response_action="errors", errors=form_errors(_problems(click), form.view.get("state")))
        else:
            await ack(response_action="update", view=form_again(form.view, click))

    async def _done(self, form: ViewSubmission, doing: Doing) -> Decision | str:
        """What came of a form, or why nothing did."""
        try:
            click = await doing()
        except Exception:
            log.exception("order_form_broke")
            return BROKE
        if click is not None and click.answer in _DID:
            self._home.refresh(who(form)[1])
        return click if click is not None else NOBODY


def _pressed(action: dict[str, Any]) -> str:
    """What a button carried, if its names are of the same version; else nothing."""
    press = read_click(action)
    return "" if press is None else str(press)


def _opened_for(view: dict[str, Any]) -> str:
    """The same of a form."""
    press = read_form_click(view)
    return "" if press is None else str(press)


def _problems(click: Decision | str) -> dict[str, str]:
    """What is said at the fields of a form that stays."""
    if isinstance(click, str):
        return {"": click}
    return {name: said for name, said in click.problems.items() if name} or {"": click.message}


async def _settle_late(
    client: AsyncWebClient, form: ViewSubmission, stand_in: str, under_way: asyncio.Future[Decision | str]
) -> None:
    await show(client, stand_in, form_again(form.view, await under_way))


def _keys_in(view: dict[str, Any]) -> list[str]:
    """The blocks of a form into which something was typed that looks like a key."""
    values = (view.get("state") or {}).get("values") or {}
    return [block_id for block_id, entered in values.items() if any(map(holds_key, strings(entered)))]


async def _redraw(client: AsyncWebClient, shown: dict[str, Any], view: View) -> None:
    try:
        # The hash keeps what was entered meanwhile from being undone.
        await client.views_update(view_id=str(shown.get("id")), hash=str(shown.get("hash") or ""), view=view)
    except SLACK_ERRORS as error:
        log.info("slack_refused", method="views.update", error=classify(error).code)
