"""Drops deliveries of workspaces other than the installed one: acknowledged and counted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_bolt.response import BoltResponse

from omnibot import telemetry

log = structlog.get_logger(__name__)

#: Seconds between two log lines about refused deliveries; the metric counts each.
QUIET = 60.0
#: Events about the installation itself: the workspace that Slack names outermost is the one it happened in.
_INSTALLATION = ("app_uninstalled", "tokens_revoked")


def is_ours(body: Mapping[str, Any], *, team: str | None, enterprise: str | None) -> bool:
    """Whether Slack sent this for the installed workspace. What names no workspace is not.

    Args:
        body: a delivery: an event's envelope, a command, a click or a form.
        team: the installed workspace, and
        enterprise: its enterprise, if it is part of one, as `auth.test` says.
    """
    if body.get("type") == "event_callback" or "authorizations" in body:
        return _is_our_event(body, team, enterprise)
    if "command" in body:
        return _is_us(body.get("team_id"), body.get("enterprise_id"), team, enterprise)
    view = _mapping(body.get("view"))
    # A form filled in a shared channel carries the workspace of whoever filled it; this one is the bot's.
    installed = view.get("app_installed_team_id")
    return _is_us(installed or _id(body.get("team")), _id(body.get("enterprise")), team, enterprise)


def _is_our_event(body: Mapping[str, Any], team: str | None, enterprise: str | None) -> bool:
    outer = body.get("team_id"), body.get("enterprise_id")
    event = _mapping(body.get("event"))
    if event.get("type") in _INSTALLATION and not _is_us(*outer, team, enterprise):
        return False
    named = body.get("authorizations")
    if not isinstance(named, list) or not named:
        return _is_us(*outer, team, enterprise)
    # In shared channels the outer workspace may be the other company's: these are the installations it is meant for.
    meant = [_mapping(one) for one in named]
    return any(_is_us(one.get("team_id"), one.get("enterprise_id"), team, enterprise) for one in meant)


def _is_us(said_team: Any, said_enterprise: Any, team: str | None, enterprise: str | None) -> bool:
    """An enterprise counts only where no workspace is named."""
    if said_team:
        return team is not None and said_team == team
    return bool(said_enterprise) and said_enterprise == enterprise


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _id(value: Any) -> Any:
    return _mapping(value).get("id")


class WorkspaceFilter:
    """Bolt's middleware before every listener."""

    def __init__(self, *, team: str | None, enterprise: str | None) -> None:
        self._team = team
        self._enterprise = enterprise
        self._said: float | None = None

    async def check(self, body: dict[str, Any], next: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        """Let in what is ours. The rest gets its ack, so that Slack does not repeat it."""
        if is_ours(body, team=self._team, enterprise=self._enterprise):
            return await next()
        kind = "command" if "command" in body else "event" if "event" in body else "interaction"
        telemetry.FOREIGN_DELIVERIES.labels(kind).inc()
        now = time.monotonic()
        if self._said is None or now - self._said >= QUIET:
            self._said = now
            log.warning("foreign_delivery_refused", kind=kind)
        return BoltResponse(status=200, body="")
