"""Logging and metrics. Logs are structured lines on standard error, without secrets.

Every transition and every refused call logs one event name (a stable verb to search for) with its ids. What people
asked and what Omni answered is never logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus

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
FOREIGN_DELIVERIES = Counter(
    "omnibot_foreign_deliveries",
    "Deliveries refused because they are for another workspace.",
    ["kind"],
    registry=REGISTRY,
)
API_CALLS = Counter("omnibot_api_calls", "Calls of Clear Street's API.", ["call"], registry=REGISTRY)
API_ERRORS = Counter(
    "omnibot_api_errors", "Calls of Clear Street's API that failed, by status.", ["call", "status"], registry=REGISTRY
)
TIMER_LAG = Histogram(
    "omnibot_timer_lag_seconds",
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


#: Slack tokens, bearer headers, and other credentials, wherever they turn up: libraries put payloads into errors,
#: with response URLs, trigger ids, the old verification token and the sockets' tickets in them.
_TOKENS = re.compile(
    r"""xox[a-z]-[\w-]+|xapp-[\w-]+|xoxe\.[\w.-]+|(?<=[Bb]earer )[^\s'"]+"""
    # An order's ticket is no secret: people look for its id.
    r"""|(?<=ticket=)(?!(?<=\sticket=)[0-9a-f]{24}(?:\s|$))[^&\s'"\\]+"""
    r"""|(?<=["']response_url["']: ["'])[^"']+|(?<=["']trigger_id["']: ["'])[^"']+|(?<=["']token["']: ["'])[^"']+"""
    r"""|(?<=["']response_url["']:["'])[^"']+|(?<=["']trigger_id["']:["'])[^"']+|(?<=["']token["']:["'])[^"']+"""
    r"""|(?<=response_url=)[^&\s]+|(?<=trigger_id=)[^&\s]+"""
)

#: The `action_id` of a modal's field in which somebody enters an API key, and the field's name in a web form.
KEY_FIELD = "clear_street_key"
#: What was typed there, in Slack's JSON, in Bolt's Python and in a form: it goes by before anybody knows it.
_TYPED = re.compile(
    rf"""({KEY_FIELD}(?:\\?["'].{{1,80}}?value\\?["']:\s*|%22.{{1,120}}?value%22%3A(?:\+|%20)?|=))"""
    r"""(null|%22(?:(?!%22).)*%22|\\"(?:(?!\\").)*\\"|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s&"']+)""",
    re.DOTALL,
)

#: Secrets remembered beside those given at start.
MOST_SECRETS = 10_000


#: Shorter strings are no secrets, and would strike out half of every line.
SHORTEST_SECRET = 6
#: A secret of so many characters stands in no text by chance.
TOO_LONG_FOR_A_WORD = 16


class _Known:
    """Secrets, found in a text in one pass whose cost does not grow with their number."""

    def __init__(self, secrets: Iterable[str]) -> None:
        #: By how they begin, and by length: one look a length.
        self._by_start: dict[str, dict[int, set[str]]] = {}
        for secret in secrets:
            lengths = self._by_start.setdefault(secret[:SHORTEST_SECRET], {})
            lengths.setdefault(len(secret), set()).add(secret)

    def found(self, text: str) -> list[tuple[int, int]]:
        """Where secrets stand in `text`; those that overlap or touch as one."""
        spans: list[tuple[int, int]] = []
        for start in range(len(text) - SHORTEST_SECRET + 1):
            lengths = self._by_start.get(text[start : start + SHORTEST_SECRET])
            if lengths is None:
                continue
            end = max((start + n for n, known in lengths.items() if text[start : start + n] in known), default=0)
            if not end:
                continue
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((start, end))
        return spans


class Redactor:
    """Replaces known secrets, and whatever looks like a token, by `[redacted]`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._kept: set[str] = set()
        #: Those learnt since, the latest last.
        self._learnt: dict[str, None] = {}
        #: All of them. None: to be made.
        self._known: _Known | None = None
        self.keep(secrets)

    def keep(self, secrets: Iterable[str]) -> None:
        """Replace these, for good."""
        with self._lock:
            self._kept.update(spelling for secret in secrets for spelling in _spellings(secret))
            self._known = None

    def learn(self, secret: str) -> None:
        """Replace this one too. Of very many, those learnt longest ago are forgotten."""
        with self._lock:
            for spelling in _spellings(secret) - self._kept:
                if spelling not in self._learnt:
                    self._known = None
                self._learnt.pop(spelling, None)
                self._learnt[spelling] = None
            while len(self._learnt) > MOST_SECRETS:
                del self._learnt[next(iter(self._learnt))]

    def _all(self) -> _Known:
        # Libraries log from threads of their own.
        known = self._known
        if known is None:
            with self._lock:
                known = self._known = _Known({*self._kept, *self._learnt})
        return known

    def knows(self, text: str) -> bool:
        """Whether `text` holds a secret that is too long to be a word."""
        return any(end - start >= TOO_LONG_FOR_A_WORD for start, end in self._all().found(text))

    def clean(self, text: str) -> str:
        """Return `text` without secrets."""
        text = _TYPED.sub(r"\1[redacted]", _TOKENS.sub("[redacted]", text))
        out, position = [], 0
        for start, end in self._all().found(text):
            out += [text[position:start], "[redacted]"]
            position = end
        return "".join([*out, text[position:]]) if out else text

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """As a structlog processor: clean every string value."""
        return {key: self.clean(value) if isinstance(value, str) else value for key, value in event.items()}

    def line(self, _logger: WrappedLogger, _method: str, line: Any) -> str:
        """As the last structlog processor: clean the whole line, for values that became text only in it."""
        return self.clean(line)


def _spellings(secret: str) -> set[str]:
    """A secret as it stands in plain text, in JSON, in a form."""
    if len(secret) < SHORTEST_SECRET:
        return set()
    return {secret, json.dumps(secret)[1:-1], quote_plus(secret)}


#: What this process must not print.
_REDACTOR = Redactor()


def hide(secret: str, *, for_good: bool = False) -> None:
    """Strike this out of every log line from now on: a secret that was not known at start.

    Args:
        secret: the exact text.
        for_good: also after very many others were hidden.
    """
    if for_good:
        _REDACTOR.keep([secret])
    else:
        _REDACTOR.learn(secret)


def is_known(text: str) -> bool:
    """Whether `text` holds a secret that this process knows: its own, or a key that somebody has linked."""
    return _REDACTOR.knows(text)


#: Libraries that log whole payloads and rows at DEBUG: questions, answers and account data, which no log may hold.
_TALKATIVE = ("slack_bolt", "slack_sdk", "aiosqlite", "aiohttp", "httpx", "httpcore")


#: Seconds over which lines of one kind are counted instead of written.
QUIET_SECONDS = 10.0
#: Lines of one kind that a library may write in that time.
MOST_LINES = 5


class Sparingly:
    """Logs what anybody can cause as often as they like: once, then every `QUIET_SECONDS` how many more there were.

    Args:
        logger: where to.
    """

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        #: By event and reason, how many were not written; a key is there while its time lasts.
        self._unwritten: dict[tuple[str, str], int] = {}

    def warning(self, event: str, *, reason: str) -> None:
        """One more.

        Args:
            event: its name.
            reason: one of a few constants; nothing that a caller chose.
        """
        key = (event, reason)
        if key in self._unwritten:
            self._unwritten[key] += 1
            return
        self._logger.warning(event, reason=reason)
        self._begin(key)

    def _begin(self, key: tuple[str, str]) -> None:
        self._unwritten[key] = 0
        asyncio.get_running_loop().call_later(QUIET_SECONDS, self._end, key)

    def _end(self, key: tuple[str, str]) -> None:
        if more := self._unwritten.pop(key):
            event, reason = key
            self._logger.warning(event, reason=reason, more=more)
            self._begin(key)


class Repetitions(logging.Filter):
    """Lets a library say the same thing `MOST_LINES` times in `QUIET_SECONDS`; the next line says how many more."""

    def __init__(self) -> None:
        super().__init__()
        #: By the line of code that logs: since when it is counted, and how often it logged since.
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        place = (record.pathname, record.lineno)
        since, count = self._seen.get(place, (record.created, 0))
        over = not 0 <= record.created - since < QUIET_SECONDS
        if over and count > MOST_LINES:
            record.msg, record.args = f"{record.getMessage()} ({count - MOST_LINES:,} more)", None
        self._seen[place] = (record.created, 1) if over else (since, count + 1)
        return over or count < MOST_LINES


class _RedactingFormatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s [%(levelname)-8s] %(message)s [%(name)s]")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.clean(super().format(record))


def configure(secrets: Iterable[str] = (), level: int = logging.INFO) -> None:
    """Set up logging for the process; `secrets` are values that must never be printed."""
    redactor = _REDACTOR
    redactor.keep(secrets)
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
            redactor.line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter(redactor))
    handler.addFilter(Repetitions())
    # Others' libraries are worth hearing only in trouble, or when somebody looks for one.
    others = level if level <= logging.DEBUG else max(level, logging.WARNING)
    logging.basicConfig(level=others, handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(others, logging.INFO))
