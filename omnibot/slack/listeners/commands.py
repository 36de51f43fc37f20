"""`/omni …`."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from omnibot import telemetry
from omnibot.blocks.messages import help_page
from omnibot.slack.events import SlashCommand
from omnibot.slack.identity import research_question
from omnibot.slack.question import Help, Private, Question, Research, Reserved, Stop, parse_command
from omnibot.turns.model import Kind, NewTurn, Person, Surface
from omnibot.turns.service import Turns


def now_ts() -> str:
    """The present as Slack writes a message's ts, to order commands and clicks among messages."""
    return f"{time.time():.6f}"


#: Does what `/omni <word>` says: the word, who typed it and where, and ways to answer.
Command = Callable[[str, SlashCommand, Person, AsyncAck, AsyncWebClient, AsyncRespond], Awaitable[None]]


def register(app: AsyncApp, turns: Turns, others: Mapping[str, Command], *, bot_user_id: str) -> None:
    """Hang in the command listener."""
    to_us = re.compile(rf"^\s*<@{re.escape(bot_user_id)}(?:\|[^>]*)?>[\s:,]*")

    async def handle_omni(
        ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient, respond: AsyncRespond
    ) -> None:
        """Do what was typed: one statement, then the ack."""
        form = SlashCommand.model_validate(command)
        person = Person(form.enterprise_id or form.team_id, form.user_id)
        match parse_command(to_us.sub("", form.text)):
            case Help(about):
                page = help_page(about)
                await ack(text=page.text, blocks=page.blocks)
            case Stop():
                await ack(text=stopped_words(*await turns.stop(person, form.channel_id)))
            case Reserved(name, about) if name in others:
                await others[name](name, form.model_copy(update={"text": about}), person, ack, client, respond)
            case Reserved(name):
                await ack(text=f"`/omni {name}` is not part of this version of omnibot. `/omni help` lists what is.")
            case Question(text):
                await _accept(turns, _turn(form, person, Surface.COMMAND, text))
                await ack()
            case Private(text):
                await _accept(turns, _turn(form, person, Surface.PRIVATE, text))
                await ack()
            case Research(ticker, thesis):
                event = {"ticker": ticker, "thesis": thesis}
                question = research_question(ticker, thesis)
                await _accept(turns, _turn(form, person, Surface.COMMAND, question, Kind.DEEP_INSIGHTS, event))
                await ack()

    app.command("/omni")(handle_omni)


async def _accept(turns: Turns, turn: NewTurn) -> None:
    if await turns.accept(turn):
        telemetry.observe_delivery("command", turn.message_ts)


def _turn(
    form: SlashCommand,
    person: Person,
    surface: Surface,
    question: str,
    kind: Kind = Kind.INSTANT,
    event: dict[str, Any] | None = None,
) -> NewTurn:
    return NewTurn(
        source_key=f"command:{form.trigger_id}",
        surface=surface,
        kind=kind,
        team=form.team_id,
        person=person,
        channel=form.channel_id,
        thread_ts=None,
        message_ts=now_ts(),
        event=event or {},
        question=question,
    )


def stopped_words(working: int, waiting: int) -> str:
    """What Stop did: answers under way, and questions that waited."""
    if not working and not waiting:
        return "None of your questions in this channel is being answered right now, so there is nothing to stop."
    answers = "1 answer" if working == 1 else f"{working} answers"
    questions = "1 waiting question" if waiting == 1 else f"{waiting} waiting questions"
    parts = ([f"stopping {answers}"] if working else []) + ([f"dropping {questions}"] if waiting else [])
    return f"OK: {' and '.join(parts)}."
