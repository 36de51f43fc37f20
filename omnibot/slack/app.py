"""Builds the Bolt app: one web client on one shared session."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from omnibot import telemetry
from omnibot.errors import SettingsError
from omnibot.slack.delivery.messages import SLACK_TIMEOUT
from omnibot.slack.errors import SLACK_ERRORS, classify
from omnibot.slack.inbound.deliveries import DeliveryApp
from omnibot.slack.inbound.workspace_filter import WorkspaceFilter

#: Variables Bolt would read behind our back (an OAuth pair would even switch its OAuth mode on).
_BOLTS_OWN = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SCOPES")


def open_session() -> aiohttp.ClientSession:
    """The one session for all Slack calls; its timeout holds for each."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=SLACK_TIMEOUT), connector=aiohttp.TCPConnector(limit=100)
    )


class CountingClient(AsyncWebClient):
    """Slack's client, with each call and each refusal counted."""

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        """As the SDK's."""
        telemetry.SLACK_CALLS.labels(api_method).inc()
        try:
            return await super().api_call(api_method, **arguments)
        except SLACK_ERRORS as error:
            telemetry.SLACK_REFUSALS.labels(api_method, classify(error).code).inc()
            raise


def open_client(session: aiohttp.ClientSession, *, token: str | None, api_url: str) -> AsyncWebClient:
    """A client that repeats nothing by itself: a repeated post would be a second post."""
    client = CountingClient(token=token, base_url=api_url, session=session, timeout=int(SLACK_TIMEOUT))
    client.retry_handlers = []
    return client


async def who_am_i(client: AsyncWebClient) -> AuthorizeResult:
    """Which bot, in which workspace, the token is: asked once, at start.

    Raises:
        SettingsError: Slack does not accept the token, or does not answer.
    """
    try:
        answer = await client.auth_test()
    except SLACK_ERRORS as error:
        message = f"Slack does not accept SLACK_BOT_TOKEN, or does not answer ({classify(error).code})"
        raise SettingsError(message) from error
    return AuthorizeResult.from_auth_test_response(auth_test_response=answer, bot_token=client.token)


async def token_trouble(client: AsyncWebClient) -> str | None:
    """None while Slack accepts the token, else what it says."""
    try:
        await client.auth_test()
    except SLACK_ERRORS as error:
        return classify(error).code
    return None


def build_app(session: aiohttp.ClientSession, api_url: str, me: AuthorizeResult) -> AsyncApp:
    """Bolt: an event is processed before it is acked, and everything unhandled reaches the error handler.

    Bolt's own way to learn who it is calls Slack before the first listener, and acks (!) the event when that fails. So
    it is told.
    """

    async def authorize() -> AuthorizeResult:
        return me

    with _without_bolts_own_settings():
        app = DeliveryApp(
            # Without a name Bolt looks for one in the source files of the call stack: a tenth of the time of a start.
            name="omnibot",
            client=open_client(session, token=None, api_url=api_url),
            authorize=authorize,
            process_before_response=True,
            raise_error_for_unhandled_request=True,
            # Socket Mode's credential is its URL; HTTP deliveries are verified before Bolt sees them.
            request_verification_enabled=False,
            logger=logging.getLogger("slack_bolt.omnibot"),
        )
    app.use(WorkspaceFilter(team=me.team_id, enterprise=me.enterprise_id).check)
    return app


@contextmanager
def _without_bolts_own_settings() -> Iterator[None]:
    taken = {name: os.environ.pop(name) for name in _BOLTS_OWN if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)
