"""Consent: the card's buttons, the agreement as a form, and what people revoke."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.accounts.model import NoAuthority, Person
from omnibot.blocks.account.consent import (
    ACCOUNTS_BLOCK,
    AGREE_BLOCK,
    AGREED,
    CHOICE_ACTION,
    DECLINE_ACTION,
    OF_ACCOUNT,
    OF_GRANT,
    PAGE_ACTION,
    READ_ACTION,
    REVOKE_ACTION,
    SIGN_VIEW,
    FormState,
    card_mark,
    document_view,
    endings,
    loading_view,
    manage_page,
    read_state,
    refusal_words,
    told_view,
)
from omnibot.blocks.account.documents import document_pages
from omnibot.blocks.layout.button_versions import ClickedButton, pattern, read_click
from omnibot.consent.model import NO_SUCH_GRANT, CannotSign, Consent, ConsentState, Shown, Unconfirmed, listed
from omnibot.consent.service import Consents, OutOfDate, Reading, in_plain_words
from omnibot.errors import ClearStreetError
from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.modals import OPENED, delivery_of
from omnibot.slack.errors import SLACK_ERRORS, classify
from omnibot.slack.features.app_home import AppHome
from omnibot.slack.inbound.once import Once
from omnibot.slack.inbound.payloads import SlackClick, SlashCommand, ViewSubmission
from omnibot.slack.listeners.buttons import tell, who
from omnibot.slack.listeners.commands import Command
from omnibot.turns.engine import Turns

log = structlog.get_logger(__name__)

NOT_AGREED = "Tick this box to sign, or close the form."
NO_ACCOUNT = "Choose at least one account."
SIGNING = "Signing …"
SIGNED = "Signed. Omni is asked your question again."
SIGNED_LATE = "Signed. Your question does not wait any more: ask it again."
CHANGED = "This changed since it was shown, so nothing was done. Read it as it is now, and press again."
REVOKED = "Revoked: Omni no longer sees that account’s data by that signature."
OPTED_OUT = "Opted out: Omni no longer sees that account’s data."
NOT_ENDED = "That did not work. Look with `/omni consent` at what Omni may see before you try again."
NOT_DECLINED = "That did not work. Nothing was shared: press “Not now” again in a minute."
BROKEN = "Something went wrong, so nothing was signed. Close this, and press “Read and sign” again."


def register(app: AsyncApp, consents: Consents, consent_policy: Signing, background: Background, home: AppHome) -> None:
    """Register the listeners."""

    async def handle_read(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        background.start(consent_policy.open(client, body, read_click(action)))

    async def handle_page(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        background.start(consent_policy.turn_page(client, body, str(action.get("value") or "")))

    async def handle_decline(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        background.start(consent_policy.decline(client, body, read_click(action)))

    async def handle_close(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        background.start(consent_policy.closed(body))

    async def handle_sign(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """What is missing is said at once; everything else takes longer than Slack waits."""
        form = ViewSubmission.model_validate(body)
        state = read_state(form.view)
        if state is None:
            await ack(response_action="update", view=told_view(BROKEN))
            return
        accounts, agreed = (_chosen(form.view, state.block(name)) for name in (ACCOUNTS_BLOCK, AGREE_BLOCK))
        errors = {} if accounts else {state.block(ACCOUNTS_BLOCK): NO_ACCOUNT}
        errors |= {} if agreed == [AGREED] else {state.block(AGREE_BLOCK): NOT_AGREED}
        if errors:
            await ack(response_action="errors", errors=errors)
            return
        await ack(response_action="update", view=told_view(SIGNING))
        background.start(consent_policy.sign_once(client, form, accounts))

    async def handle_revoke(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient, respond: AsyncRespond
    ) -> None:
        await ack()
        background.start(_revoke(consents, home, client, respond, body, read_click(action)))

    app.action(pattern(READ_ACTION))(handle_read)
    app.action(pattern(DECLINE_ACTION))(handle_decline)
    app.action(re.compile(rf"^{PAGE_ACTION}"))(handle_page)
    app.action(re.compile(rf"^{REVOKE_ACTION}"))(handle_revoke)
    app.view(pattern(SIGN_VIEW))(handle_sign)
    app.view_closed(pattern(SIGN_VIEW))(handle_close)


class Signing:
    """One person, one form at a time."""

    def __init__(self, consents: Consents, turns: Turns) -> None:
        self._consents = consents
        self._turns = turns
        self._forms: Once[None] = Once()

    async def open(self, client: AsyncWebClient, body: dict[str, Any], press: ClickedButton | None) -> None:
        """The card's button: open the form at once, then fill it."""
        if view_id := await self._opened(client, body):
            if press is None or not await self._is_as_shown(press):
                await _update(client, view_id, told_view(CHANGED))
                return
            await self._fill(client, view_id, press.subject, who(SlackClick.model_validate(body))[1])

    async def _is_as_shown(self, press: ClickedButton) -> bool:
        """Whether the card of a press asks as it did."""
        for failed in (False, True):
            if press.mark == card_mark(press.subject, failed=failed):
                return await self._consents.is_as_shown(press.subject, failed=failed)
        return False

    async def open_below(self, client: AsyncWebClient, body: dict[str, Any], token: str) -> None:
        """A button of Omni's below its answer that stands for the same."""
        if view_id := await self._opened(client, body):
            team, person = who(SlackClick.model_validate(body))
            turn_id = await self._turns.answer_actions.turn_of(token, team=team)
            card = await self._consents.card(turn_id) if turn_id is not None else None
            await self._fill(client, view_id, card.id if card is not None else "", person)

    async def _opened(self, client: AsyncWebClient, body: dict[str, Any]) -> str | None:
        click = SlackClick.model_validate(body)
        try:
            opened = await client.views_open(trigger_id=click.trigger_id or "", view=loading_view())
        except SLACK_ERRORS as error:
            log.info("slack_refused", method="views.open", error=classify(error).code)
            if classify(error).code != OPENED:
                await tell(client, body, "Slack did not open the agreement. Press the button again.")
            return None
        return str(opened["view"]["id"])

    async def _fill(self, client: AsyncWebClient, view_id: str, consent_id: str, person: Person) -> None:
        try:
            reading = await self._consents.read(consent_id, person)
        except CannotSign as error:
            await _update(client, view_id, told_view(str(error), error.ask))
        except Exception:
            log.exception("consent_form_broke", consent=consent_id)
            await _update(client, view_id, told_view(BROKEN))
        else:
            await _update(client, view_id, _first_page(reading))

    async def turn_page(self, client: AsyncWebClient, body: dict[str, Any], number: str) -> None:
        """Show another page of the document, unless it has changed: then the new one from its beginning."""
        click = SlackClick.model_validate(body)
        view: dict[str, Any] = body.get("view") or {}
        view_id, state = str(view.get("id") or ""), read_state(view)
        if state is None or not number.isdecimal():
            await _update(client, view_id, told_view(BROKEN))
            return
        try:
            reading = await self._consents.read(state.consent, who(click)[1])
        except CannotSign as error:
            await _update(client, view_id, told_view(str(error), error.ask))
            return
        if not Shown(state.agreement, state.version, state.sha256, state.listed).is_unchanged(reading.document):
            await _update(client, view_id, _first_page(reading, str(OutOfDate(reading))))
            return
        pages = document_pages(reading.document.content)
        # What was chosen on the last page is gone with it, unless it is carried along.
        inputs = state.block(ACCOUNTS_BLOCK)
        kept = tuple(_numbers(_chosen(view, inputs))) if _has(view, inputs) else state.accounts
        now = listed(reading.named)
        state = replace(state, page=min(int(number), len(pages) - 1), accounts=kept, listed=now)
        await _update(client, view_id, document_view(state, reading.document, pages, reading.named))

    async def sign_once(self, client: AsyncWebClient, form: ViewSubmission, chosen: Sequence[str]) -> None:
        """As `sign`, however often Slack delivers the same submission at once."""
        under_way, first = self._forms.begin(delivery_of(form), partial(self.sign, client, form, chosen))
        if first:
            await under_way

    async def sign(self, client: AsyncWebClient, form: ViewSubmission, chosen: Sequence[str]) -> None:
        """Sign what the form showed, and say in it what came of that."""
        view_id = str(form.view.get("id") or "")
        state = read_state(form.view)
        consent: Consent | None = None
        if state is None:
            view = told_view(BROKEN)
        else:
            shown = Shown(state.agreement, state.version, state.sha256, state.listed)
            try:
                consent = await self._consents.sign(state.consent, who(form)[1], shown, _numbers(chosen))
                view = told_view(SIGNED if await self._consents.waits(consent) else SIGNED_LATE)
            except OutOfDate as error:
                view = _first_page(error.reading, str(error))
            except CannotSign as error:
                view = told_view(str(error), error.ask)
            except Unconfirmed as error:
                consent, view = error.consent, told_view(str(error))
            except Exception:
                log.exception("signing_broke", consent=state.consent)
                view = told_view(f"{BROKEN} If the card says that you have signed, you have.")
        # What waits goes on first.
        if consent is not None:
            await self._consents.tell(consent)
        await _update(client, view_id, view)

    async def decline(self, client: AsyncWebClient, body: dict[str, Any], press: ClickedButton | None) -> None:
        """They pressed "Not now". Whatever happens, the card changes or they are told something."""
        _, person = who(SlackClick.model_validate(body))
        try:
            if press is None or not await self._is_as_shown(press):
                await tell(client, body, CHANGED)
                return
            consent = await self._consents.refuse(press.subject, person, ConsentState.DECLINED)
        except CannotSign as error:
            await tell(client, body, refusal_words(str(error), error.ask))
        except Exception:
            log.exception("consent_not_declined", org=person.org, user=person.user)
            await tell(client, body, NOT_DECLINED)
        else:
            await self._consents.tell(consent)

    async def closed(self, body: dict[str, Any]) -> None:
        """They closed the form without signing."""
        form = ViewSubmission.model_validate(body)
        state = read_state(form.view)
        if state is None:
            return
        try:
            consent = await self._consents.refuse(state.consent, who(form)[1], ConsentState.CLOSED)
        except CannotSign:
            return  # signed meanwhile, or another device of theirs was quicker
        await self._consents.tell(consent)


def command(consents: Consents, background: Background) -> Command:
    """`/omni consent`: show privately what is signed, with what ends it."""

    async def handle_consent(
        _name: str,
        _form: SlashCommand,
        person: Person,
        ack: AsyncAck,
        _client: AsyncWebClient,
        respond: AsyncRespond,
    ) -> None:
        await ack()
        background.start(_show(consents, respond, person))

    return handle_consent


async def _show(
    consents: Consents, respond: AsyncRespond, person: Person, said: str = "", *, instead: bool = False
) -> None:
    """The list as it is now, for this person alone; `instead` of the one in which they pressed a button."""
    try:
        page = manage_page(await consents.overview(person), said)
    except (CannotSign, NoAuthority) as error:
        ask = error.ask if isinstance(error, CannotSign) else ()
        await respond(text=refusal_words(str(error), ask), replace_original=False)
    except ClearStreetError as error:
        words = f"{said} {in_plain_words(error)}".strip()
        await respond(text=refusal_words(words, ()), replace_original=False)
    else:
        await respond(text=page.text, blocks=page.blocks, replace_original=instead)


async def _revoke(
    consents: Consents,
    home: AppHome,
    client: AsyncWebClient,
    respond: AsyncRespond,
    body: dict[str, Any],
    press: ClickedButton | None,
) -> None:
    """End one grant, as whoever clicked; then show what is left. Whatever happens, they are told something."""
    click = SlackClick.model_validate(body)
    _, person = who(click)
    try:
        said = CHANGED if press is None else await _ended(consents, person, press)
    except (CannotSign, NoAuthority) as error:
        said = refusal_words(str(error), error.ask if isinstance(error, CannotSign) else ())
    except ClearStreetError as error:
        said = refusal_words(in_plain_words(error), ())
    except Exception:
        log.exception("consent_not_ended", org=person.org, user=person.user)
        said = NOT_ENDED
    done = said in (REVOKED, OPTED_OUT)
    if not done:
        await _refuse(client, body, click, said)
    home.refresh(person)
    if body.get("response_url"):
        await _show(consents, respond, person, said if done else "", instead=True)


async def _ended(consents: Consents, person: Person, press: ClickedButton) -> str:
    """End what a button is about, if it still shows what there is. Returns what to tell the person."""
    overview = await consents.overview(person)
    if not overview.may_sign:
        raise CannotSign(overview.may_sign.reason, overview.may_sign.ask)
    there = endings(overview)
    if press not in there:
        return CHANGED if press.subject in {one.subject for one in there} else NO_SUCH_GRANT
    if press.subject.startswith(OF_GRANT):
        await consents.revoke(person, press.subject.removeprefix(OF_GRANT))
        return REVOKED
    await consents.opt_out(person, int(press.subject.removeprefix(OF_ACCOUNT)))
    return OPTED_OUT


async def _refuse(client: AsyncWebClient, body: dict[str, Any], click: SlackClick, words: str) -> None:
    """Where they clicked, or, from their App Home, in their DM."""
    if click.channel is not None:
        await tell(client, body, words)
        return
    opened = await client.conversations_open(users=click.user.id)
    await client.chat_postMessage(channel=opened["channel"]["id"], text=words, unfurl_links=False, unfurl_media=False)


def _first_page(reading: Reading, notice: str | None = None) -> dict[str, Any]:
    document, own = reading.document, {account.id for account in reading.accounts}
    asked, shown = tuple(account for account in reading.consent.accounts if account in own), listed(reading.named)
    state = FormState(reading.consent.id, document.agreement_id, document.version, document.sha256, 0, asked, shown)
    return document_view(state, document, document_pages(document.content), reading.named, notice=notice)


async def _update(client: AsyncWebClient, view_id: str, view: dict[str, Any]) -> None:
    try:
        await client.views_update(view_id=view_id, view=view)
    except SLACK_ERRORS as error:
        # Closed meanwhile: the card says how it stands.
        log.info("slack_refused", method="views.update", error=classify(error).code)


def _has(view: dict[str, Any], block: str) -> bool:
    state = view.get("state")
    return isinstance(state, dict) and isinstance(state.get("values"), dict) and block in state["values"]


def _chosen(view: dict[str, Any], block: str) -> list[str]:
    """Values of the options chosen in a block of a form."""
    entry: Any = view.get("state")
    for name in ("values", block, CHOICE_ACTION, "selected_options"):
        entry = entry.get(name) if isinstance(entry, dict) else None
    options = entry if isinstance(entry, list) else []
    return [str(option["value"]) for option in options if isinstance(option, dict) and "value" in option]


def _numbers(values: Sequence[str]) -> list[int]:
    return [int(value) for value in values if value.isdecimal()]
