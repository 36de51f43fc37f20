"""Modals: opened while the trigger id is valid, and updated once their contents are loaded."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Coroutine
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.blocks.layout.modals import View, moment_view, words_view
from omnibot.slack.errors import SLACK_ERRORS, SlackFailure, classify
from omnibot.slack.inbound.payloads import ViewSubmission

log = structlog.get_logger(__name__)

#: Seconds that a modal's contents may take before something stands in for them: Slack's leave to open it lasts three.
PATIENCE = 1.2
#: Seconds before each try to bring a modal up to date: it may only be on its way to where it is shown.
TRIES = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0)
#: What Slack says where a modal was opened already with the same leave.
OPENED = "exchanged_trigger_id"
MOMENT = "One moment…"

Making = Coroutine[Any, Any, View]


def fresh_id() -> str:
    """An external_id for one stand-in."""
    return secrets.token_hex(16)


def delivery_of(form: ViewSubmission) -> str:
    """Names a submission: the same however often Slack delivers it. Good as an external_id for its stand-in."""
    view = form.view
    state = json.dumps(view.get("state"), sort_keys=True)
    said = "\x1f".join((form.user.id, str(view.get("id")), str(view.get("hash")), state))
    return hashlib.sha256(said.encode()).hexdigest()


async def open_modal(client: AsyncWebClient, trigger_id: str, title: str, making: Making) -> bool:
    """Open what is being made; a stand-in first where that takes its time. False: Slack did not open it."""
    under_way = asyncio.ensure_future(made(title, making))
    done, _ = await asyncio.wait({under_way}, timeout=PATIENCE)
    stand_in = fresh_id()
    first = under_way.result() if done else moment_view(title, MOMENT, external_id=stand_in)
    try:
        await client.views_open(trigger_id=trigger_id, view=first)
    except SLACK_ERRORS as error:
        log.info("slack_refused", method="views.open", error=classify(error).code)
        await under_way
        # Of a press that was delivered twice, the other delivery has opened it.
        return classify(error).code == OPENED
    if not done:
        await show(client, stand_in, await under_way)
    return True


async def show(client: AsyncWebClient, stand_in: str, view: View) -> bool:
    """Put a view where a stand-in is shown, or is about to be. False: it was closed meanwhile."""
    for pause in TRIES:
        await asyncio.sleep(pause)
        try:
            await client.views_update(external_id=stand_in, view=view)
        except SLACK_ERRORS as error:
            verdict = classify(error)
            log.info("slack_refused", method="views.update", error=verdict.code)
            if verdict.failure is SlackFailure.SLOW_DOWN:
                await asyncio.sleep(verdict.wait)
            elif verdict.failure is not SlackFailure.UNKNOWN and verdict.code != "not_found":
                return False
        else:
            return True
    return False


async def stand_in_for(client: AsyncWebClient, view_id: str, title: str, sentence: str) -> str | None:
    """Put a stand-in where a view is shown. Returns its external_id; None: the view is not shown any more."""
    stand_in = fresh_id()
    try:
        await client.views_update(view_id=view_id, view=moment_view(title, sentence, external_id=stand_in))
    except SLACK_ERRORS as error:
        log.info("slack_refused", method="views.update", error=classify(error).code)
        return None
    return stand_in


async def made(title: str, making: Making) -> View:
    """What is made, or that it could not be: a stand-in must not stand for ever."""
    try:
        return await making
    except SLACK_ERRORS as error:
        log.info("modal_not_made", error=classify(error).code)
        return words_view(title, "Slack is not answering omnibot right now. Try again in a minute.")
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("modal_not_made", reference=reference)
        return words_view(title, f"Sorry, that did not work. Please try again. (reference {reference})")
