"""Clear Street: the key, the revision, the account."""

import pytest

from omnibot.doctor.model import Symbol
from tests.doctor.conftest import Clinic, problems


@pytest.mark.parametrize("key", ["not-this-one", "no key at all"])
async def test_a_wrong_key_is_a_problem(clinic: Clinic, key: str):
    found = await clinic.examine(CLEAR_STREET_API_KEY=key)

    assert problems(found) == {"Clear Street key"}
    assert "does not accept CLEAR_STREET_API_KEY" in found["Clear Street key"].message


@pytest.mark.parametrize(
    ("status", "body", "mark", "words"),
    [
        (403, None, Symbol.PROBLEM, "may not list accounts"),
        (404, None, Symbol.PROBLEM, "does not list accounts for"),
        (404, "<html>Not here</html>", Symbol.PROBLEM, "not Clear Street's API"),
        (200, "<html>Sign in</html>", Symbol.PROBLEM, "not Clear Street's API"),
        (429, None, Symbol.WARNING, "asks us to wait"),
        (500, None, Symbol.PROBLEM, "no good answer"),
    ],
)
async def test_accounts_that_cannot_be_listed_are_explained(
    clinic: Clinic, status: int, body: str | None, mark: Symbol, words: str
):
    refusal = {"Retry-After": "3600"} if status == 429 else {}
    clinic.omni.gate.refuse("GET /v1/accounts", status=status, body=body, headers=refusal, count=9)

    found = await clinic.examine()

    assert found["Clear Street key"].mark is mark
    assert words in found["Clear Street key"].message


@pytest.mark.parametrize(
    ("api", "setting", "mark", "words"),
    [
        ("2026-04", "auto", Symbol.OK, "detected: earlier than 2026-10"),
        ("2026-10", "auto", Symbol.OK, "detected: 2026-10"),
        ("2026-08", "2026-08", Symbol.OK, "set to 2026-08"),
        ("2026-08", "2026-10", Symbol.PROBLEM, "the API is an earlier one"),
        ("2026-10", "2026-04", Symbol.WARNING, "the API is 2026-10"),
    ],
)
async def test_the_revision_is_detected_and_held_to_the_setting(
    clinic: Clinic, api: str, setting: str, mark: Symbol, words: str
):
    clinic.omni.revision = api

    found = await clinic.examine(CLEAR_STREET_API_REVISION=setting)

    assert found["revision"].mark is mark
    assert words in found["revision"].message


async def test_a_revision_that_does_not_show_is_a_warning(clinic: Clinic):
    clinic.omni.gate.refuse("GET /v1/omni-ai/entitlement-status", status=500)

    assert (await clinic.examine())["revision"].mark is Symbol.WARNING


@pytest.mark.parametrize(
    ("key", "chosen", "mark", "words"),
    [
        ("demo-key", "", Symbol.OK, "19816, the only one"),
        ("demo-key", "19817", Symbol.PROBLEM, "no open account of this key"),
        ("second-key", "", Symbol.PROBLEM, "2 open accounts"),
        ("second-key", "20002", Symbol.OK, "20002, one of 2"),
        ("second-key", "19816", Symbol.PROBLEM, "no open account of this key"),
        ("no-accounts", "", Symbol.PROBLEM, "sees no open account"),
    ],
)
async def test_the_account_is_one_that_the_key_sees(clinic: Clinic, key: str, chosen: str, mark: Symbol, words: str):
    clinic.omni.keys["no-accounts"] = []

    found = await clinic.examine(CLEAR_STREET_API_KEY=key, CLEAR_STREET_ACCOUNT_ID=chosen)

    assert found["account"].mark is mark
    assert words in found["account"].message
    if words == "2 open accounts":
        assert "CLEAR_STREET_ACCOUNT_ID to one of these: 20001, 20002" in str(found["account"].fix)
