"""Logging and metrics. Logs are structured lines on standard error, without secrets.

Every transition and every refused call logs one event name (a stable verb to search for) with its ids. What people
asked and what Omni answered is never logged.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterable

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from structlog.typing import EventDict, WrappedLogger

#: The metrics of this process; `/metrics` shows them.
REGISTRY = CollectorRegistry()
TURNS = Gauge("omnibot_turns", "Open turns of all instances, by state.", ["state"], registry=REGISTRY)
LEASES = Gauge("omnibot_leases", "Turns this instance works on.", registry=REGISTRY)
ENDED = Counter("omnibot_turns_ended", "Turns ended by this instance, by outcome.", ["outcome"], registry=REGISTRY)
POLLS = Counter("omnibot_polls", "Looks at responses.", registry=REGISTRY)
SLACK_CALLS = Counter("omnibot_slack_calls", "Calls of Slack's Web API, by method.", ["method"], registry=REGISTRY)
SLACK_REFUSALS = Counter(
    "omnibot_slack_refusals", "Calls Slack refused or left unanswered.", ["method", "error"], registry=REGISTRY
)
API_CALLS = Counter("omnibot_api_calls", "Calls of Clear Street's API.", ["call"], registry=REGISTRY)
API_ERRORS = Counter(
    "omnibot_api_errors", "Calls of Clear Street's API that failed, by status.", ["call", "status"], registry=REGISTRY
)
ALARM_LAG = Histogram(
    "omnibot_alarm_lag_seconds",
    "How much later than planned a turn's next step began.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
DELIVERY_LAG = Histogram(
    "omnibot_delivery_lag_seconds",
    "How long after it was asked a question was durable: messages since Slack's time of them, commands and clicks "
    "since they arrived.",
    ["kind"],
    # Slack repeats an undelivered event after a minute and after five.
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10, 60, 300, 3600),
    registry=REGISTRY,
)


def observe_delivery(kind: str, asked_ts: str) -> None:
    """A question became durable just now.

    Args:
        kind: `message`, `command` or `click`.
        asked_ts: when it was asked, as Slack's ts; rubbish is not counted, a clock behind Slack's counts as no lag.
    """
    try:
        lag = time.time() - float(asked_ts)
    except ValueError:
        return
    DELIVERY_LAG.labels(kind).observe(max(0.0, lag))


def exposition() -> tuple[bytes, str]:
    """All metrics in Prometheus' text format, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


#: Slack tokens, bearer headers, and what else opens doors, wherever it turns up: Bolt and the SDK log whole payloads at
#: DEBUG, with response URLs, trigger ids, the old verification token and the sockets' tickets in them.
_TOKENS = re.compile(
    r"""xox[a-z]-[\w-]+|xapp-[\w-]+|xoxe\.[\w.-]+|(?<=[Bb]earer )[^\s'"]+"""
    r"""|(?<=ticket=)[^&\s'"\\]+"""
    r"""|(?<=["']response_url["']: ["'])[^"']+|(?<=["']trigger_id["']: ["'])[^"']+|(?<=["']token["']: ["'])[^"']+"""
    r"""|(?<=["']response_url["']:["'])[^"']+|(?<=["']trigger_id["']:["'])[^"']+|(?<=["']token["']:["'])[^"']+"""
    r"""|(?<=response_url=)[^&\s]+|(?<=trigger_id=)[^&\s]+"""
)


class Redactor:
    """Replaces known secrets, and whatever looks like a token, by `[redacted]`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # Shorter ones are no secrets, and would strike out half of every line.
        known = sorted((re.escape(s) for s in secrets if len(s) >= 6), key=len, reverse=True)
        self._known = re.compile("|".join(known)) if known else None

    def clean(self, text: str) -> str:
        """Return `text` without secrets."""
        text = _TOKENS.sub("[redacted]", text)
        return self._known.sub("[redacted]", text) if self._known else text

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """As a structlog processor: clean every string value."""
        return {key: self.clean(value) if isinstance(value, str) else value for key, value in event.items()}


class _RedactingFormatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s [%(levelname)-8s] %(message)s [%(name)s]")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.clean(super().format(record))


def configure(secrets: Iterable[str] = (), level: int = logging.INFO) -> None:
    """Set up logging for the process; `secrets` are values that must never be printed."""
    redactor = Redactor(secrets)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redactor,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"], drop_missing=True, bool_as_flag=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter(redactor))
    # Others' libraries are worth hearing only in trouble, or when somebody looks for one.
    others = level if level <= logging.DEBUG else max(level, logging.WARNING)
    logging.basicConfig(level=others, handlers=[handler], force=True)
