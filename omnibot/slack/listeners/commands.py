"""`/omni …`."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from omnibot import telemetry
from omnibot.accounts.key_detection import KEY_SEEN, holds_key
from omnibot.blocks.messages import help_page
from omnibot.slack.delivery.background import Background
from omnibot.slack.features.admission import research_question
from omnibot.slack.inbound.payloads import SlashCommand
from omnibot.slack.inbound.text import (
    Help,
    Private,
    Question,
    Research,
    Reserved,
    Stop,
    Unclear,
    parse_command,
)
from omnibot.turns.engine import Turns
from omnibot.turns.model import Kind, NewTurn, Person, Surface


def now_ts() -> str:
    """The present as Slack writes a message's ts, to order commands and clicks among messages."""
    return f"{time.time():.6f}"


#: Does what `/omni <word>` says: the word, who typed it and where, and ways to answer.
Command = Callable[[str, SlashCommand, Person, AsyncAck, AsyncWebClient, AsyncRespond], Awaitable[None]]


#: What stood behind a word that takes nothing: said beside what the word does.
_LINK_SLIP = (
    "I did not use what you typed behind that word: it was neither stored nor sent to Omni. If it was an API key, "
    "revoke it where it was made. A key belongs into the form that `/omni link` opens, and nowhere else."
)
_IN_BACKGROUND = {
    "link": _LINK_SLIP,
    "unlink": _LINK_SLIP,
    "account": (
        "I did not use what you typed behind `account`: that word chooses an account. To ask Omni about yours, begin "
        "with another word, as in `/omni what is in my account?`."
    ),
}
_UNCLEAR = {
    "halt": "Nothing was halted, and nothing was asked. To stop all trading through me, type `/omni halt`, and why.",
    "resume": "Trading stays as it is, and nothing was asked. To let it go on after a halt, type `/omni resume` alone.",
}


def register(
    app: AsyncApp, turns: Turns, others: Mapping[str, Command], background: Background, *, bot_user_id: str
) -> None:
    """Register the command listener."""
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
                in_background = _in_background(name, about)
                typed = form.model_copy(update={"text": "" if in_background else about})
                await others[name](name, typed, person, ack, client, respond)
                if in_background is not None:
                    background.start(respond(text=in_background))
            case Reserved(name):
                await ack(text=f"`/omni {name}` is not part of this version of omnibot. `/omni help` lists what is.")
            case Unclear(name):
                await ack(text=_UNCLEAR[name])
            case Question() | Private() | Research() if holds_key(form.text):
                await ack(text=KEY_SEEN)
            case Question() | Private() | Research() as asked:
                await _accept(turns, _asked(form, person, asked))
                await ack()

    app.command("/omni")(handle_omni)


def _in_background(name: str, about: str) -> str | None:
    """What is said of words behind one that takes none, or a key behind one that does."""
    if not about:
        return None
    return KEY_SEEN if holds_key(about) else _IN_BACKGROUND.get(name)


def _asked(form: SlashCommand, person: Person, command: Question | Private | Research) -> NewTurn:
    match command:
        case Question(text):
            return _turn(form, person, Surface.COMMAND, text)
        case Private(text):
            return _turn(form, person, Surface.PRIVATE, text)
        case Research(ticker, thesis):
            event = {"ticker": ticker, "thesis": thesis}
            question = research_question(ticker, thesis)
            return _turn(form, person, Surface.COMMAND, question, Kind.DEEP_INSIGHTS, event)


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
