"""What Slack says of the tokens, for `omnibot doctor`: facts only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.slack.errors import SLACK_ERRORS, Classified, classify


@dataclass(frozen=True, slots=True)
class BotToken:
    """What auth.test says."""

    #: Why Slack did not accept the token, or did not answer; None: it is accepted.
    refusal: Classified | None
    workspace: str = ""
    name: str = ""
    #: False: the token is a person's.
    bot: bool = False
    #: Granted scopes; None: Slack did not say.
    scopes: frozenset[str] | None = None
    #: Seconds by which our clock is ahead of Slack's (negative: behind), to within the call's length and a second;
    #: None: Slack did not say. Known for refused tokens, too.
    clock_ahead: float | None = None


async def examine_bot_token(client: AsyncWebClient) -> BotToken:
    """Call auth.test with the client's token."""
    begun = time.time()
    try:
        answer = await client.auth_test()
    except SLACK_ERRORS as error:
        headers = _headers(error.response) if isinstance(error, SlackApiError) else {}
        return BotToken(classify(error), clock_ahead=_clock_ahead(headers, begun))
    headers = _headers(answer)
    scopes = headers.get("x-oauth-scopes")
    return BotToken(
        None,
        workspace=str(answer.get("team", "")),
        name=str(answer.get("user", "")),
        bot=bool(answer.get("bot_id")),
        scopes=None if scopes is None else frozenset(filter(None, map(str.strip, scopes.split(",")))),
        clock_ahead=_clock_ahead(headers, begun),
    )


async def examine_app_token(client: AsyncWebClient, app_token: str) -> Classified | None:
    """Ask for a Socket Mode connection, and do not use it: None when Slack would open one, else why not."""
    try:
        await client.apps_connections_open(app_token=app_token)
    except SLACK_ERRORS as error:
        return classify(error)
    return None


def _headers(response: Any) -> dict[str, str]:
    headers = getattr(response, "headers", None)
    return {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {}


def _clock_ahead(headers: Mapping[str, str], begun: float) -> float | None:
    """Compare the Date header, whole seconds, with the middle of the call."""
    try:
        theirs = parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None
    return (begun + time.time()) / 2 - (theirs + 0.5)
