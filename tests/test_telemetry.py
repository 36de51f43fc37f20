"""Secrets never reach a log line; the metrics say what operators ask."""

import asyncio
import json
import logging
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omnibot.telemetry import (
    KEY_FIELD,
    MOST_LINES,
    MOST_SECRETS,
    QUIET_SECONDS,
    REGISTRY,
    Redactor,
    Repetitions,
    Sparingly,
    exposition,
    observe_delivery,
)


@pytest.mark.parametrize(
    "line",
    [
        "token xoxb-12-34-abc used",
        "app xapp-1-A0-9-ff",
        "rotated xoxe.xoxb-1-abc",
        "Authorization: Bearer sk-very-secret",
        "'authorization': 'bearer sk-very-secret'",
        "the key is my-own-key!",
        """Received message (data: '{"payload": {"token": "sk-very-secret"}}')""",
        """{"response_url": "https://hooks.slack.com/commands/sk-very-secret"}""",
        """{"trigger_id":"sk-very-secret"}""",
        """{'response_url': 'https://hooks.slack.com/commands/sk-very-secret'}""",
        "GET wss://example.com/link/?ticket=sk-very-secret&app_id=5",
        "socket mode ticket=sk-very-secret",
        "command=%2Fomni&response_url=https%3A%2F%2Fsk-very-secret&x=1",
    ],
)
def test_tokens_and_known_secrets_are_replaced(line: str):
    clean = Redactor(["my-own-key"]).clean(line)
    assert "[redacted]" in clean
    for secret in ("xoxb-12-34-abc", "xapp-1-A0-9-ff", "xoxe.xoxb", "sk-very-secret", "my-own-key"):
        assert secret not in clean


def test_other_words_are_left_alone():
    assert Redactor(["key"]).clean("nothing to hide here") == "nothing to hide here"


def test_the_id_of_an_orders_ticket_can_be_looked_for():
    line = "event=ticket_made ticket=0123456789abcdef01234567 act=new"
    assert Redactor().clean(line) == line
    assert "0123" not in Redactor().clean("wss://example.com/link/?ticket=0123456789abcdef01234567")


def test_event_values_are_cleaned(caplog: pytest.LogCaptureFixture):
    event = Redactor(["sesame"])(logging.getLogger(), "info", {"event": "open sesame", "count": 1})
    assert event == {"event": "open [redacted]", "count": 1}


def deliveries(kind: str, up_to: str = "+Inf") -> float:
    return REGISTRY.get_sample_value("omnibot_delivery_lag_seconds_bucket", {"kind": kind, "le": up_to}) or 0.0


def test_a_question_is_as_late_as_it_was_durable_after_slacks_time_of_it():
    before, soon = deliveries("message"), deliveries("message", "60.0")
    observe_delivery("message", f"{time.time() - 120:.6f}")
    assert (deliveries("message"), deliveries("message", "60.0")) == (before + 1, soon)


def test_a_clock_behind_slacks_is_no_lag_and_rubbish_is_not_counted():
    before = deliveries("message", "0.01")
    observe_delivery("message", f"{time.time() + 120:.6f}")
    observe_delivery("message", "")
    assert deliveries("message", "0.01") == before + 1


@pytest.mark.parametrize(
    "name",
    [
        "omnibot_turns",
        "omnibot_turns_ended",
        "omnibot_polls",
        "omnibot_slack_calls",
        "omnibot_slack_refusals",
        "omnibot_api_calls",
        "omnibot_api_errors",
        "omnibot_timer_lag_seconds",
        "omnibot_delivery_lag_seconds",
        "omnibot_leases",
    ],
)
def test_every_metric_an_operator_is_promised_is_exposed(name: str):
    text, content_type = exposition()
    assert f"# HELP {name}" in text.decode()
    assert content_type.startswith("text/plain")


def submission(typed: str) -> dict[str, Any]:
    """What Slack sends when somebody submits a modal with an API key in it."""
    state = {"values": {"key": {KEY_FIELD: {"type": "plain_text_input", "value": typed}}}}
    return {"type": "view_submission", "user": {"id": "U1"}, "view": {"state": state, "hash": "156772938.1827394"}}


#: A key as people may type it: nothing that stands elsewhere in the payload, and quotes and backslashes too.
typed_keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=60)


@given(typed_keys)
@example("a\"b'c\\d%22&e=f+g")
def test_a_key_typed_into_a_modal_is_struck_out_before_anybody_knows_it(typed: str):
    typed = f"~{typed}~"
    payload = submission(typed)
    envelope = json.dumps({"type": "interactive", "payload": payload})
    for line in (
        envelope,
        json.dumps(payload, separators=(",", ":")),
        f"on_message invoked: (message: {envelope!r})",
        json.dumps({"body": envelope}),
        str(payload),
        urlencode({"payload": json.dumps(payload)}),
        urlencode({"payload": json.dumps(payload, separators=(",", ":"))}),
        urlencode({KEY_FIELD: typed}),
    ):
        clean = Redactor().clean(line)
        assert "[redacted]" in clean
        for spelling in (typed, json.dumps(typed)[1:-1], repr(typed)[1:-1], urlencode({"": typed})[1:]):
            assert spelling not in clean
        assert "view_submission" in clean or line.startswith(KEY_FIELD)


def test_a_secret_learnt_later_is_struck_out_however_it_is_spelt():
    redactor = Redactor()
    assert redactor.clean('sesame"open/sesame') == 'sesame"open/sesame'
    redactor.learn('sesame"open/sesame')
    for line in ('sesame"open/sesame', 'sesame\\"open/sesame', "x=sesame%22open%2Fsesame"):
        assert "open" not in redactor.clean(line)


def test_of_very_many_learnt_secrets_the_latest_are_remembered_and_those_of_the_start_for_good():
    redactor = Redactor(["of-the-start"])
    for number in range(MOST_SECRETS + 1):
        redactor.learn(f"secret-{number:06}")
        redactor.learn("in-use-all-the-time")
    said = redactor.clean(f"of-the-start in-use-all-the-time secret-000000 secret-{MOST_SECRETS:06}")
    assert said == "[redacted] [redacted] secret-000000 [redacted]"


def test_of_two_secrets_one_of_which_is_part_of_the_other_nothing_is_left():
    assert Redactor(["sesame", "open-sesame-now"]).clean("open-sesame-now!") == "[redacted]!"


def record(message: str, *, line: int = 1, at: float = 0.0, level: int = logging.ERROR) -> logging.LogRecord:
    made = logging.LogRecord("library", level, "library.py", line, message, (), None)
    made.created = at
    return made


def test_what_a_library_says_again_and_again_is_counted():
    repetitions = Repetitions()
    flood = [repetitions.filter(record(f"failure {number}", at=1.0)) for number in range(1000)]
    assert flood.count(True) == MOST_LINES
    assert repetitions.filter(record("something else", line=2, at=1.0))
    assert repetitions.filter(record("looked for", at=1.0, level=logging.INFO))
    later = record("failure again", at=1.0 + QUIET_SECONDS)
    assert repetitions.filter(later)
    assert later.getMessage() == f"failure again ({1000 - MOST_LINES} more)"
    assert repetitions.filter(record("and again", at=2.0 + QUIET_SECONDS))


async def test_what_anybody_can_cause_is_said_once_and_then_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("omnibot.telemetry.QUIET_SECONDS", 0.05)
    said: list[tuple[str, int | None]] = []
    counted = asyncio.Event()

    class Logger:
        def warning(self, _event: str, *, reason: str, more: int | None = None) -> None:
            said.append((reason, more))
            if more is not None:
                counted.set()

    sparingly = Sparingly(Logger())
    for _ in range(1000):
        sparingly.warning("refused", reason="signature")
    sparingly.warning("refused", reason="body")
    await asyncio.wait_for(counted.wait(), 60)
    assert said == [("signature", None), ("body", None), ("signature", 999)]


def test_of_secrets_that_overlap_nothing_is_left():
    assert Redactor(["abcdefgh", "efghijklmnop"]).clean("x abcdefghijklmnop y") == "x [redacted] y"


def test_what_a_line_costs_does_not_grow_with_the_number_of_secrets(monkeypatch: pytest.MonkeyPatch):
    def looks(count: int) -> int:
        redactor, looked = Redactor([f"eyJhbGciOi{number:08}" for number in range(count)]), 0
        known = redactor._all()

        class Counting(dict[str, Any]):
            def get(self, *wanted: Any) -> Any:
                nonlocal looked
                looked += 1
                return super().get(*wanted)

        monkeypatch.setattr(known, "_by_start", Counting(known._by_start))
        assert redactor.clean("a eyJhbGciOi00000007 b eyJhbGciOi z") == "a [redacted] b eyJhbGciOi z"
        return looked + sum(len(lengths) for lengths in known._by_start.values())

    assert looks(10_000) == looks(10)
