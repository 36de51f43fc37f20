"""Linking a key, forgetting it, choosing an account: commands, buttons and modals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.accounts.model import NotAKey, clean_key
from omnibot.blocks.account.account_choice import (
    ACCOUNT_BLOCK,
    ACCOUNT_INPUT,
    ACCOUNT_TITLE,
    ACCOUNT_VIEW,
    HERE,
    SCOPE_BLOCK,
    SCOPE_INPUT,
)
from omnibot.blocks.account.api_keys import (
    LINK_SUBJECT,
    LINK_TITLE,
    LINK_VIEW,
    MEND_ACTION,
    UNLINK_ACTION,
    unlink_page,
)
from omnibot.blocks.account.prompts import ACCOUNT_ACTION, LINK_ACTION
from omnibot.blocks.layout.button_versions import mark_in, named, pattern, read_click
from omnibot.blocks.layout.modals import View, gist, moment_view, words_view
from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.modals import MOMENT, Making, delivery_of, made, open_modal, show, stand_in_for
from omnibot.slack.features.api_keys import KEY_CHANGED, NOT_LINKED, ApiKeyActions, ChoiceShown, hide
from omnibot.slack.inbound.once import Once
from omnibot.slack.inbound.payloads import SlackClick, SlashCommand, ViewSubmission
from omnibot.slack.listeners.buttons import tell, who
from omnibot.telemetry import KEY_FIELD
from omnibot.turns.model import Person

CHECKING = "Asking Clear Street about this key… If nothing comes within a minute, close this and try again."
SAVING = "Saving…"
NOT_OPENED = "Slack did not open the form. Please try again."

#: Tells the person something where they are.
Say = Callable[[str], Awaitable[Any]]


#: Words of `/omni` that are about keys and accounts.
COMMANDS = ("link", "unlink", "account")


class ApiKeyListeners:
    """What the payloads about keys and accounts begin."""

    def __init__(self, desk: ApiKeyActions, background: Background) -> None:
        self._actions = desk
        self._background = background
        self._forms: Once[None] = Once()

    def register(self, app: AsyncApp) -> None:
        """Register the listeners of buttons and forms."""
        app.action(LINK_ACTION)(self.handle_link_button)
        app.action(ACCOUNT_ACTION)(self.handle_account_button)
        app.action(pattern(MEND_ACTION))(self.handle_mend)
        app.action(pattern(UNLINK_ACTION))(self.handle_unlink)
        app.view(pattern(LINK_VIEW))(self.handle_key)
        app.view(pattern(ACCOUNT_VIEW))(self.handle_account)

    # Commands.

    async def command(
        self,
        name: str,
        form: SlashCommand,
        person: Person,
        ack: AsyncAck,
        client: AsyncWebClient,
        respond: AsyncRespond,
    ) -> None:
        """`/omni link`, `/omni account` and `/omni unlink`."""
        if name == "unlink":
            since = await self._actions.linked_since(person)
            if since is not None:
                page = unlink_page(since)
                await ack(text=page.text, blocks=page.blocks)
            else:
                await ack(text=NOT_LINKED)
            return
        await ack()
        if name == "link":
            self._open(client, form.trigger_id, LINK_TITLE, self._actions.form(person), respond)
        else:
            self._open(client, form.trigger_id, ACCOUNT_TITLE, self._actions.accounts(person, None), respond)

    def _open(self, client: AsyncWebClient, trigger_id: str, title: str, making: Making, say: Say) -> None:
        async def opening() -> None:
            if not await open_modal(client, trigger_id, title, making):
                await say(NOT_OPENED)

        # At once, for Slack's leave to open a modal lasts three seconds.
        self._background.start(opening())

    # Buttons.

    async def handle_link_button(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """The form for a key."""
        await ack()
        _, person = who(SlackClick.model_validate(body))
        self._open_or_replace(client, body, LINK_TITLE, self._actions.form(person))

    async def handle_account_button(
        self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """The choice between accounts, for the conversation the button stands in and in general."""
        await ack()
        _, person = who(SlackClick.model_validate(body))

        async def making() -> View:
            return await self._actions.accounts(
                person, await self._actions.place_of(str(action.get("value") or ""), person)
            )

        self._open_or_replace(client, body, ACCOUNT_TITLE, making())

    def _open_or_replace(
        self, client: AsyncWebClient, body: dict[str, Any], title: str, making: Making, meanwhile: str = MOMENT
    ) -> None:
        """Open a modal; a button that stands in one has it replaced."""
        click = SlackClick.model_validate(body)
        if _in_modal(click):
            self._replace(client, click, title, meanwhile, making)
        else:
            self._open(client, click.trigger_id or "", title, making, lambda words: tell(client, body, words))

    def _replace(self, client: AsyncWebClient, click: SlackClick, title: str, meanwhile: str, making: Making) -> None:
        async def replacing() -> None:
            stand_in = await stand_in_for(client, str(click.view.get("id")), title, meanwhile)
            await self._fill(client, who(click)[1], stand_in, title, making)

        self._background.start(replacing())

    async def handle_mend(
        self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """Check the stored key again."""
        await ack()
        _, person = who(SlackClick.model_validate(body))
        self._open_or_replace(client, body, LINK_TITLE, self._actions.mend(person, _mark(action)), CHECKING)

    async def handle_unlink(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        action: dict[str, Any],
        client: AsyncWebClient,
        respond: AsyncRespond,
    ) -> None:
        """Forget the key; Slack has asked whether that is meant."""
        await ack()
        click = SlackClick.model_validate(body)
        _, person = who(click)

        async def forgotten() -> View:
            return words_view(LINK_TITLE, await self._actions.unlink(person, _mark(action)))

        async def forgetting() -> None:
            said = await self._actions.unlink(person, _mark(action))
            if click.channel is None:
                await self._actions.say(client, person, said)
            else:
                await respond(said, replace_original=True)

        if _in_modal(click):
            self._replace(client, click, LINK_TITLE, MOMENT, forgotten())
        else:
            self._background.start(forgetting())

    # Forms.

    async def handle_key(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """A key was entered. Clear Street may take longer than Slack waits, so the result comes by itself."""
        form = ViewSubmission.model_validate(body)
        block, text = _entered(form.view)
        hide(text)
        try:
            clean_key(text)
        except NotAKey as error:
            await ack(response_action="errors", errors={block: str(error)})
            return
        _, person = who(form)
        stand_in = delivery_of(form)
        seen = await self._actions.seen(person, mark_in(form.view.get("callback_id")))
        if seen is None:
            # The form stays with what was typed, which goes into no view of ours.
            await ack(response_action="errors", errors={block: KEY_CHANGED})
            return
        await ack(response_action="update", view=moment_view(LINK_TITLE, CHECKING, external_id=stand_in))

        async def linking() -> None:
            await self._fill(client, person, stand_in, LINK_TITLE, self._actions.link(person, text, seen))

        self._once(stand_in, linking)

    async def handle_account(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """An account was chosen."""
        form = ViewSubmission.model_validate(body)
        values, mark = _values(form.view), mark_in(form.view.get("callback_id"))
        menu = named(ACCOUNT_BLOCK, mark)
        chosen = str(_option(values, menu, ACCOUNT_INPUT))
        if not chosen.isdecimal():
            await ack(response_action="errors", errors={menu: "Choose an account."})
            return
        here = _option(values, SCOPE_BLOCK, SCOPE_INPUT) == HERE
        shown = ChoiceShown(mark, self._actions.place(str(form.view.get("private_metadata") or "")), here)
        stand_in = delivery_of(form)
        await ack(response_action="update", view=moment_view(ACCOUNT_TITLE, SAVING, external_id=stand_in))
        _, person = who(form)

        async def choosing() -> None:
            await self._fill(client, person, stand_in, ACCOUNT_TITLE, self._actions.choose(person, int(chosen), shown))

        self._once(stand_in, choosing)

    def _once(self, delivery: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin what a submitted form is for, if it was not begun for the same submission."""
        under_way, first = self._forms.begin(delivery, work)
        if first:
            self._background.start(_finished(under_way))

    async def _fill(
        self, client: AsyncWebClient, person: Person, stand_in: str | None, title: str, making: Making
    ) -> None:
        """Show what came of it; whoever has closed the modal is told in their own messages."""
        view = await made(title, making)
        if stand_in is None or not await show(client, stand_in, view):
            await self._actions.say(client, person, gist(view))


async def _finished(work: Awaitable[None]) -> None:
    await work


def _mark(action: dict[str, Any]) -> str:
    """Which key a button is about; empty for none."""
    press = read_click(action)
    return press.mark if press is not None and press.subject == LINK_SUBJECT else ""


def _in_modal(click: SlackClick) -> bool:
    return click.view.get("type") == "modal"


def _values(view: dict[str, Any]) -> dict[str, Any]:
    """What was filled in, by block and input."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    return values if isinstance(values, dict) else {}


def _entered(view: dict[str, Any]) -> tuple[str, str]:
    """The block in which a key was entered, and what was."""
    for block, inputs in _values(view).items():
        if isinstance(inputs, dict) and isinstance(field := inputs.get(KEY_FIELD), dict):
            return block, str(field.get("value") or "")
    return "", ""


def _option(values: dict[str, Any], block: str, action: str) -> Any:
    chosen: Any = values
    for name in (block, action, "selected_option", "value"):
        chosen = chosen.get(name) if isinstance(chosen, dict) else None
    return chosen
