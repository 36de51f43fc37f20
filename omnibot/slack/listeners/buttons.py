"""Clicks below answers: buttons that ask or do something, and files that people take away."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from omnibot import telemetry
from omnibot.blocks.answers.exports import file_of
from omnibot.policy.access import NO_ACCOUNT_DATA, Show
from omnibot.slack.authorization.account_data import RECENT
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.ephemeral import tell_privately
from omnibot.slack.errors import SLACK_ERRORS, classify
from omnibot.slack.inbound.messages import acting_org
from omnibot.slack.inbound.payloads import SlackClick, ViewSubmission
from omnibot.slack.listeners.commands import now_ts
from omnibot.turns.answer_actions import Export
from omnibot.turns.engine import Turns
from omnibot.turns.model import Person, Pressed

log = structlog.get_logger(__name__)

GONE = "This button has expired. Ask the question again in words."
COMING = "Its card is coming: Clear Street takes its time."
#: Seconds after which whoever clicked hears that what they asked for is on its way.
PATIENCE = 1.0
_WORDS = {
    Pressed.ALREADY: "You already pressed this: Omni is working on the answer.",
    Pressed.PASSED: "The conversation has gone on since: only its last answer can be made again. Ask anew in words.",
    Pressed.GONE: GONE,
}


#: Opens the cards of orders that an answer proposes: gets who clicked, in which workspace, and the button's token.
OpenOrder = Callable[[Person, str, str], Coroutine[Any, Any, str | None]]
#: Opens what an answer asks to be signed: gets the client, the click and the button's token.
OpenConsent = Callable[[AsyncWebClient, dict[str, Any], str], Coroutine[Any, Any, None]]


def register(
    app: AsyncApp,
    turns: Turns,
    background: Background,
    access: Authorization,
    *,
    open_consent: OpenConsent,
    open_order: OpenOrder,
) -> None:
    """Register the click listeners."""

    async def handle_button(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """The clicker's own turn: what follows shows in the thread; where nothing follows, they are told why."""
        team, person = who(SlackClick.model_validate(body))
        token, now = str(action.get("value") or ""), now_ts()
        pressed = await turns.press(token, team=team, person=person, now_ts=now)
        if pressed is Pressed.TAKEN:
            telemetry.observe_delivery("click", now)
        await ack()
        if pressed is Pressed.EXPORT:
            background.start(_give(turns, access, client, body, token))
        elif pressed is Pressed.CONSENT:
            background.start(open_consent(client, body, token))
        elif pressed is Pressed.ORDER:
            background.start(_show_order(client, body, open_order(person, team, token)))
        elif pressed is not Pressed.TAKEN:
            background.start(tell(client, body, _WORDS.get(pressed, GONE)))

    async def handle_link(ack: AsyncAck) -> None:
        """A button that opens an address: Slack has done it, and only wants to hear so."""
        await ack()

    app.action(re.compile(r"^omni_button:"))(handle_button)
    app.action(re.compile(r"^omni_link:"))(handle_link)


def who(payload: SlackClick | ViewSubmission) -> tuple[str, Person]:
    """The workspace, and the person who acts in it."""
    # The entrance has seen that it is ours. In shared channels a form's `team` is the workspace of who filled it in.
    installed = payload.view.get("app_installed_team_id")
    team = str(installed or (payload.team.id if payload.team else payload.user.team_id or ""))
    enterprise = payload.enterprise.id if payload.enterprise else payload.team.enterprise_id if payload.team else None
    org = acting_org(team, enterprise, acting_team=payload.user.team_id, acting_enterprise=None)
    return team, Person(org, payload.user.id)


async def refusal(access: Authorization, team: str, person: Person) -> str | None:
    """Why this person may do nothing here; None when they may. Asked at every click: rights change."""
    try:
        allowed = await access.may_use(person)
    except SLACK_ERRORS:
        return "Slack does not tell me who you are right now, so nothing was done. Try again in a minute."
    return None if allowed else allowed.reason


async def _show_order(client: AsyncWebClient, body: dict[str, Any], opening: Coroutine[Any, Any, str | None]) -> None:
    """The card comes into the thread; where it does not, or takes its time, whoever clicked is told so."""
    under_way = asyncio.ensure_future(opening)
    done, _ = await asyncio.wait({under_way}, timeout=PATIENCE)
    if not done:
        await tell(client, body, COMING)
    try:
        said = await under_way
    except Exception:
        log.exception("order_not_opened")
        said = "That did not work. Press the button again in a minute."
    if said is not None:
        await tell(client, body, said)


async def _give(turns: Turns, access: Authorization, client: AsyncWebClient, body: dict[str, Any], token: str) -> None:
    """Put an answer's data into its thread, as a file."""
    team, person = who(SlackClick.model_validate(body))
    if (why_not := await refusal(access, team, person)) is not None:
        await tell(client, body, why_not)
        return
    export = await turns.answer_actions.export(token, team=team, person=person)
    file = file_of(export.part, export.market_card) if export is not None else None
    if export is None or file is None:
        await tell(client, body, GONE)
        return
    name, text = file
    try:
        where = await _place_of(access, export, person)
        if where is None:
            await tell(client, body, NO_ACCOUNT_DATA)
            return
        await client.files_upload_v2(
            channel=where[0],
            thread_ts=where[1],
            filename=name,
            title=name,
            content=text,
            initial_comment=f"<@{person.user}> asked for this data.",
        )
    except SLACK_ERRORS as error:
        await tell(client, body, f"Slack did not take the file ({classify(error).code}). Try again in a minute.")


async def _place_of(access: Authorization, export: Export, person: Person) -> tuple[str, str | None] | None:
    """The answer's thread, or, where account data may not be read there, the clicker's own messages; None: nowhere.

    Raises what slack_sdk raises.
    """
    turn = export.turn
    thread = turn.channel, turn.thread_ts
    if turn.answer is not None and not turn.answer.about_account:
        return thread
    shown = await access.may_see_account_data(person, turn.channel, age=RECENT)
    if shown.show is Show.DIRECT:
        return await access.direct(person), None
    return thread if shown.show is Show.HERE else None


async def tell(client: AsyncWebClient, body: dict[str, Any], sentence: str) -> None:
    """Say something to the person who clicked, where they clicked."""
    click = SlackClick.model_validate(body)
    if click.channel is None:
        return
    thread_ts = click.message.get("thread_ts") or click.container.get("thread_ts")
    await tell_privately(client, channel=click.channel.id, user=click.user.id, sentence=sentence, thread_ts=thread_ts)
