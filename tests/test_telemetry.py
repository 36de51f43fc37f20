"""Secrets never reach a log line."""

import logging

import pytest

from omnibot.telemetry import Redactor


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
