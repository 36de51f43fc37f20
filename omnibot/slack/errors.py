"""What a failed Slack call means for whoever made it. Pure."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError


class SlackFailure(StrEnum):
    """What to do next."""

    #: Not done; wait as long as Slack says.
    SLOW_DOWN = "slow_down"
    #: Perhaps done, perhaps not: look before posting again (an update may simply be repeated).
    UNKNOWN = "unknown"
    #: The message to change is gone, or is not ours to change any more: post a new one.
    MESSAGE_GONE = "message_gone"
    #: The message is a stream that still grows: end it first.
    STREAM_OPEN = "stream_open"
    #: The stream has ended, by age, by the reader's Stop or by us: the message can be updated.
    STREAM_OVER = "stream_over"
    #: Slack does not like the blocks: say it with simpler ones.
    BAD_BLOCKS = "bad_blocks"
    #: Nothing can be posted there by us: use the asker's DM.
    CLOSED = "closed_door"
    #: The app's token or scopes are broken; an operator must mend that. Keep trying, seldom.
    BROKEN_APP = "broken_app"
    #: Anything else Slack refuses.
    REFUSED = "refused"


_MEANING = {
    SlackFailure.SLOW_DOWN: ("ratelimited", "rate_limited", "message_limit_exceeded"),
    SlackFailure.UNKNOWN: (
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "external_channel_migrating",
    ),
    SlackFailure.MESSAGE_GONE: (
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "cant_edit",
        "message_not_owned_by_app",
    ),
    SlackFailure.STREAM_OPEN: ("streaming_state_conflict",),
    SlackFailure.STREAM_OVER: ("message_not_in_streaming_state", "stopped_by_user"),
    SlackFailure.BAD_BLOCKS: (
        "invalid_blocks",
        "invalid_attachments",
        "invalid_blocks_format",
        "msg_too_long",
        "msg_blocks_too_long",
        "markdown_text_conflict",
        "no_text",
    ),
    SlackFailure.CLOSED: (
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "thread_not_found",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "user_not_in_channel",
        "cannot_reply_to_message",
        "access_denied",
        "channel_type_not_supported",
        "ekm_access_denied",
    ),
    SlackFailure.BROKEN_APP: (
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "no_permission",
        "missing_scope",
        "not_allowed_token_type",
        "org_login_required",
        "team_access_not_granted",
    ),
}
_BY_ERROR = {error: failure for failure, errors in _MEANING.items() for error in errors}

#: Whatever slack_sdk may raise for one call.
SLACK_ERRORS = (SlackClientError, aiohttp.ClientError, asyncio.TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Classified:
    """A failed call, judged."""

    failure: SlackFailure
    #: Slack's error code, or the exception's name.
    code: str
    #: Seconds to wait before the next call of this kind.
    wait: float


def classify(error: BaseException) -> Classified:
    """Judge an exception of `SLACK_ERRORS`."""
    if not isinstance(error, SlackApiError):
        return Classified(SlackFailure.UNKNOWN, type(error).__name__, 1.0)
    response = error.response
    status = int(getattr(response, "status_code", 0) or 0)
    headers = {str(k).lower(): v for k, v in (getattr(response, "headers", None) or {}).items()}
    data = getattr(response, "data", response)
    said = data.get("error") if isinstance(data, dict) else None
    code = str(said or status)
    if status == 429 or _BY_ERROR.get(code) is SlackFailure.SLOW_DOWN:
        return Classified(SlackFailure.SLOW_DOWN, code, _seconds(headers.get("retry-after")))
    if status >= 500 or not said:
        # Broken, or an answer that is not Slack's: it may have happened.
        return Classified(SlackFailure.UNKNOWN, code, 1.0)
    failure = _BY_ERROR.get(code, SlackFailure.REFUSED)
    return Classified(failure, code, 60.0 if failure is SlackFailure.BROKEN_APP else 1.0)


def _seconds(retry_after: object) -> float:
    value = retry_after[0] if isinstance(retry_after, list) and retry_after else retry_after
    try:
        return max(0.5, float(str(value)))
    except ValueError:
        return 1.0


class Refusal(Exception):
    """A Slack call failed and cannot simply be repeated here."""

    def __init__(self, verdict: Classified, method: str = "") -> None:
        super().__init__(verdict.code)
        self.verdict = verdict
        #: Slack's name of the call.
        self.method = method
