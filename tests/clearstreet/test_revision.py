"""What tells the revisions apart, without asking anyone."""

from __future__ import annotations

import pytest

from omnibot.clearstreet.revision import ApiRevision, Paging, Revision, grant_body, revision_of, wants_old_grant_names
from omnibot.errors import Invalid

MISSING_OLD = (
    "Failed to deserialize the JSON body into the target type: missing field `requested_entitlement_codes` at line 1"
)


@pytest.mark.parametrize(
    ("status", "revision"),
    [
        (200, Revision.V2026_10),
        (404, Revision.EARLIER),
        (401, Revision.UNKNOWN),
        (403, Revision.UNKNOWN),
        (429, Revision.UNKNOWN),
        (500, Revision.UNKNOWN),
        (None, Revision.UNKNOWN),
    ],
)
def test_only_200_and_404_decide(status, revision):
    assert revision_of(status) is revision


@pytest.mark.parametrize(
    ("status", "message", "wanted"),
    [
        (422, MISSING_OLD, True),
        (422, "missing field `trading_account_ids` at line 1 column 2", True),
        (422, "unknown field `account_ids`, expected one of `agreement_id`, `trading_account_ids` at line 1", True),
        (422, "unknown field `x`, expected one of `agreement_id`, `account_ids` at line 1", False),
        (422, "trading_account_ids: invalid length 0", False),
        (422, "missing field `agreement_id` at line 1 column 2", False),
        (422, None, False),
        (400, MISSING_OLD, False),
    ],
)
def test_only_a_missing_old_name_asks_for_old_names(status, message, wanted):
    assert wants_old_grant_names(Invalid(status=status, api_message=message)) is wanted


def test_the_newest_revision_is_for_good_and_earlier_ones_for_an_hour():
    revision = ApiRevision()
    assert revision.revision(0) is Revision.UNKNOWN

    revision.saw_entitlement_status(404, 0)
    assert revision.revision(3599) is Revision.EARLIER
    assert revision.revision(3600) is Revision.UNKNOWN

    revision.saw_entitlement_status(200, 4000)
    revision.saw_entitlement_status(404, 4001)
    assert revision.revision(1e9) is Revision.V2026_10


def test_old_names_are_remembered_for_an_hour():
    revision = ApiRevision()
    revision.saw_old_grant_names(10)

    assert revision.old_grant_names(3609)
    assert not revision.old_grant_names(3610)


@pytest.mark.parametrize(
    ("setting", "old_names", "paging", "without_account"),
    [
        ("2026-04", True, Paging.OLDEST_FIRST, False),
        ("2026-08", False, Paging.LATEST_FIRST, False),
        ("2026-10", False, Paging.LATEST_FIRST, True),
        ("auto", False, Paging.UNKNOWN, False),
    ],
)
def test_a_fixed_revision_is_certain_at_once(setting, old_names, paging, without_account):
    revision = ApiRevision(setting)

    assert revision.old_grant_names(0) is old_names
    assert revision.paging(0) is paging
    assert revision.revision(0).threads_without_account is without_account
    assert revision.revision(0).repeatable_creates is without_account


@pytest.mark.parametrize("setting", ["", "2025-01", "earlier", "unknown"])
def test_a_revision_nobody_knows_is_refused(setting):
    with pytest.raises(ValueError, match=r".*"):
        ApiRevision(setting)


def test_grants_are_written_in_either_names():
    assert grant_body("a", ["omni.account_data"], [1], old_names=True) == {
        "agreement_id": "a",
        "requested_entitlement_codes": ["omni.account_data"],
        "trading_account_ids": [1],
    }
    assert grant_body("a", ["omni.account_data"], [1], old_names=False) == {
        "agreement_id": "a",
        "entitlement_codes": ["omni.account_data"],
        "account_ids": [1],
    }
