"""Secrets never reach a log line; the metrics say what operators ask."""

import logging
import time

import pytest

from omnibot.telemetry import REGISTRY, Redactor, exposition, observe_delivery


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
        "omnibot_alarm_lag_seconds",
        "omnibot_delivery_lag_seconds",
        "omnibot_leases",
    ],
)
def test_every_metric_an_operator_is_promised_is_exposed(name: str):
    text, content_type = exposition()
    assert f"# HELP {name}" in text.decode()
    assert content_type.startswith("text/plain")
