"""Any of the operator's keys opens, the first one seals."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot import telemetry
from omnibot.encryption import Encryption, Unreadable, new_key

OLD, NEW = new_key(), new_key()
SECRET = "cs_live_0123456789"


@given(st.text())
def test_what_was_sealed_opens_again_and_does_not_show_in_between(secret: str):
    encryption = Encryption([NEW])
    sealed = encryption.seal(secret)
    assert encryption.open(sealed) == secret
    assert len(secret) < 6 or secret not in sealed


def test_every_key_opens_and_the_first_one_seals():
    sealed_before = Encryption([OLD]).seal(SECRET)
    both = Encryption([NEW, OLD])
    assert both.open(sealed_before) == SECRET
    assert not both.is_current(sealed_before)
    assert both.is_current(both.seal(SECRET))
    assert Encryption([NEW]).open(both.seal(SECRET)) == SECRET


@pytest.mark.parametrize("sealed", [Encryption([OLD]).seal(SECRET), "", "rubbish", "ünicode", "gAAAAA=="])
def test_what_no_key_opens_says_so_and_nothing_else(sealed: str):
    with pytest.raises(Unreadable) as refused:
        Encryption([NEW]).open(sealed)
    shown = "".join(traceback.format_exception(refused.value))
    for secret in (SECRET, NEW, OLD):
        assert secret not in shown


def test_the_same_key_is_recognised_also_after_a_new_encryption_key_came_first():
    before = Encryption([OLD]).fingerprint(SECRET)
    assert before in Encryption([NEW, OLD]).fingerprints(SECRET)
    assert before not in Encryption([NEW, OLD]).fingerprints(SECRET + "!")
    assert before != Encryption([NEW]).fingerprint(SECRET)


def test_an_encryption_shows_no_key_of_its_own():
    assert NEW not in repr(Encryption([NEW]))


def test_the_operators_keys_stay_hidden_after_very_many_other_secrets(monkeypatch: pytest.MonkeyPatch):
    redactor = telemetry.Redactor()
    monkeypatch.setattr(telemetry, "_REDACTOR", redactor)
    monkeypatch.setattr(telemetry, "MOST_SECRETS", 4)
    key = new_key()
    encryption = Encryption([key])
    for number in range(9):
        encryption.open(encryption.seal(f"linked-key-{number}"))
    assert redactor.clean(f"{key} linked-key-0 linked-key-8") == "[redacted] linked-key-0 [redacted]"
