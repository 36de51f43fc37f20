"""Which document is to be signed, whether it is the one it says it is, and what is enabled."""

import hashlib
from dataclasses import replace
from datetime import datetime

import pytest

from omnibot.clearstreet.models.resources import Agreement, Entitlement, EntitlementStatus
from omnibot.consent.model import (
    MISMATCH,
    NO_AGREEMENT,
    CannotSign,
    ConsentStatus,
    Shown,
    account_consents,
    current_document,
    is_granted,
)

CODE = "omni.account_data"
TEXT = "You agree to – everything."


def agreement(version: int | None = 1, *, id: str = "a1", key: str = "data", text: str = TEXT) -> Agreement:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Agreement(id, key, text, digest, "A title", version, (CODE,))


def grant(account: int, *, id: str = "e1", agreement_id: str = "a1", code: str = CODE) -> Entitlement:
    return Entitlement(id, account, code, agreement_id, datetime(2026, 11, 21))  # noqa: DTZ001


def test_the_newest_version_of_the_key_that_was_asked_for_is_the_one_to_sign():
    found = current_document([agreement(2, id="a2"), agreement(3, id="a3"), agreement(9, key="other")], "data")
    assert (found.agreement_id, found.version, found.content) == ("a3", 3, TEXT)


def test_a_document_without_a_version_counts_as_older_than_one_with():
    assert current_document([agreement(None, id="a0"), agreement(1)], "data").agreement_id == "a1"


def test_a_fingerprint_in_capitals_is_the_same_fingerprint():
    shouted = replace(agreement(), document_sha256=agreement().document_sha256.upper() + "\n")
    assert current_document([shouted], "data").sha256 == agreement().document_sha256


@pytest.mark.parametrize("sha", ["", "0" * 64, hashlib.sha256(b"another").hexdigest()])
def test_a_document_that_is_not_what_its_fingerprint_says_is_refused(sha: str):
    with pytest.raises(CannotSign, match="fingerprint") as refusal:
        current_document([replace(agreement(), document_sha256=sha)], "data")
    assert str(refusal.value) == MISMATCH


def test_characters_that_no_fingerprint_can_be_of_are_refused_not_raised():
    broken = replace(agreement(), document_content="\ud800")
    with pytest.raises(CannotSign, match="fingerprint"):
        current_document([broken], "data")


def test_without_such_an_agreement_there_is_nothing_to_sign():
    with pytest.raises(CannotSign) as refusal:
        current_document([agreement(key="other")], "data")
    assert str(refusal.value) == NO_AGREEMENT


def test_what_was_shown_is_still_it_only_if_id_version_and_fingerprint_are():
    document = current_document([agreement()], "data")
    shown = Shown(document.agreement_id, document.version, document.sha256, "")
    assert shown.is_unchanged(document)
    for change in ({"agreement_id": "a2"}, {"version": 2}, {"sha256": "0" * 64}):
        assert not replace(shown, **change).is_unchanged(document)


def test_a_signature_is_there_only_when_every_account_and_code_is_granted_under_this_very_agreement():
    assert is_granted([grant(1), grant(2)], "a1", [CODE], [1, 2])
    assert not is_granted([grant(1)], "a1", [CODE], [1, 2])
    assert not is_granted([grant(1), grant(2, agreement_id="a0")], "a1", [CODE], [1, 2])
    assert not is_granted([grant(1)], "a1", [CODE, "another"], [1])
    assert not is_granted([], "a1", [CODE], [])


def status(account: int, enabled: bool) -> EntitlementStatus:
    return EntitlementStatus(account, CODE, enabled)


def test_before_the_newest_revision_an_account_is_shared_when_somebody_signed():
    shared, off = account_consents([(1, "One"), (2, "Two")], [grant(1)], None, {"a1": 3})
    assert (shared.status, shared.grants[0].version, shared.can_opt_out) == (ConsentStatus.GRANTED, 3, ())
    assert (off.status, off.grants) == (ConsentStatus.OFF, ())


def test_where_the_newest_revision_does_not_say_what_was_signed_counts():
    signed, other = account_consents([(1, "One"), (2, "Two")], [grant(1)], [status(2, True)], {})
    assert (signed.status, signed.can_opt_out) == (ConsentStatus.GRANTED, ())
    assert other.status is ConsentStatus.BY_DEFAULT


def test_the_newest_revision_says_what_is_enabled_by_default_and_what_somebody_chose():
    statuses = [status(1, True), status(2, True), status(3, False)]
    accounts = [(1, "One"), (2, "Two"), (3, "Three"), (4, "Four")]
    found = account_consents(accounts, [grant(1)], statuses, {})
    assert [one.status for one in found] == [
        ConsentStatus.GRANTED,
        ConsentStatus.BY_DEFAULT,
        ConsentStatus.OPTED_OUT,
        ConsentStatus.OFF,
    ]
    assert found[0].grants[0].version is None
    assert [one.can_opt_out for one in found] == [(CODE,), (CODE,), (), ()]
