"""The list of what somebody began: its pages, and the button that lets one go on."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.history import CONTINUE_ACTION, PAGE_ACTION
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.delivery.background import Background
from omnibot.slack.features.app_home import AppHome
from omnibot.slack.features.history import ConversationHistory
from omnibot.slack.inbound.payloads import SlackClick, SlashCommand
from omnibot.slack.listeners.buttons import who
from omnibot.slack.listeners.commands import Command
from omnibot.turns.model import Person


def command(conversations: ConversationHistory) -> Command:
    """`/omni threads`."""

    async def handle_threads(
        _name: str,
        _form: SlashCommand,
        person: Person,
        ack: AsyncAck,
        _client: AsyncWebClient,
        _respond: AsyncRespond,
    ) -> None:
        page = await conversations.page(person)
        await (ack(text=page) if isinstance(page, str) else ack(text=page.text, blocks=page.blocks))

    return handle_threads


def register(
    app: AsyncApp, conversations: ConversationHistory, home: AppHome, access: Authorization, background: Background
) -> None:
    """Register the click listeners of past conversations, in the list and in App Home."""

    async def handle_page(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], respond: AsyncRespond) -> None:
        """Another page, in place of the one that is there."""
        await ack()
        background.start(_turn_page(conversations, body, _number(action), respond))

    async def handle_continue(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient, respond: AsyncRespond
    ) -> None:
        """Go on where they are; from App Home, in their DM."""
        await ack()
        background.start(_go_on(body, str(action.get("value") or ""), client, respond))

    async def _go_on(body: dict[str, Any], conversation_id: str, client: AsyncWebClient, respond: AsyncRespond) -> None:
        click = SlackClick.model_validate(body)
        _, person = who(click)
        channel = click.channel.id if click.channel else None
        went_on = await conversations.go_on(person, conversation_id, channel)
        home.refresh(person)
        if channel is not None:
            await respond(text=went_on.said, response_type="ephemeral", replace_original=False)
        elif not went_on.moved:
            # App Home has no channel for an ephemeral message; and what did go on stands in their DM anyway.
            own = await access.direct(person)
            await client.chat_postMessage(channel=own, text=went_on.said, unfurl_links=False, unfurl_media=False)

    app.action(re.compile(rf"^{PAGE_ACTION}:"))(handle_page)
    app.action(re.compile(rf"^{CONTINUE_ACTION}:"))(handle_continue)


async def _turn_page(
    conversations: ConversationHistory, body: dict[str, Any], number: int, respond: AsyncRespond
) -> None:
    _, person = who(SlackClick.model_validate(body))
    page = await conversations.page(person, number)
    if isinstance(page, str):
        await respond(text=page, replace_original=True)
    else:
        await respond(text=page.text, blocks=page.blocks, replace_original=True)


def _number(action: dict[str, Any]) -> int:
    value = str(action.get("value") or "")
    return int(value) if value.isdecimal() and len(value) <= 6 else 0
