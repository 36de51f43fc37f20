"""The policy file, and whether people can link keys, as the doctor sees them."""

from __future__ import annotations

from omnibot.accounts.encryption import new_key
from omnibot.doctor.model import Mark
from tests.doctor.conftest import Clinic


async def test_without_a_policy_file_it_says_what_holds(clinic: Clinic):
    found = await clinic.examine()
    assert found["policy"].mark is Mark.OK
    assert "nobody trades, and nobody signs" in found["policy"].message
    assert "omnibot keys new" in found["linking"].message


async def test_a_policy_file_that_cannot_be_used_is_a_problem_that_names_the_key(clinic: Clinic):
    path = clinic.folder / "policy.toml"
    path.write_text('version = 1\n[access]\npeeple = "members"\n')
    found = (await clinic.examine(OMNIBOT_POLICY=str(path)))["policy"]
    assert found.mark is Mark.PROBLEM
    assert "peeple" in found.message
    path.write_text("version = 1\n")
    found = (await clinic.examine(OMNIBOT_POLICY=str(path)))["policy"]
    assert found.mark is Mark.OK


async def test_without_a_shared_key_everybody_links(clinic: Clinic):
    found = await clinic.examine(CLEAR_STREET_API_KEY="", OMNIBOT_ENCRYPTION_KEYS=new_key())
    assert found["Clear Street key"].mark is Mark.OK
    assert found["linking"].mark is Mark.OK
