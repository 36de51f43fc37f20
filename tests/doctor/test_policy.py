"""The policy file, and whether people can link keys, as the doctor sees them."""

from __future__ import annotations

from omnibot.doctor.model import Symbol
from omnibot.encryption import new_key
from tests.doctor.conftest import Clinic


async def test_without_a_policy_file_it_says_what_holds(clinic: Clinic):
    found = await clinic.examine()
    assert found["policy"].mark is Symbol.OK
    assert "nobody trades, and nobody signs" in found["policy"].message
    assert "omnibot keys new" in found["linking"].message


async def test_a_policy_file_that_cannot_be_used_is_a_problem_that_names_the_key(clinic: Clinic):
    path = clinic.folder / "policy.toml"
    path.write_text('version = 1\n[access]\npeeple = "members"\n')
    found = (await clinic.examine(OMNIBOT_POLICY=str(path)))["policy"]
    assert found.mark is Symbol.PROBLEM
    assert "peeple" in found.message
    path.write_text("version = 1\n")
    found = (await clinic.examine(OMNIBOT_POLICY=str(path)))["policy"]
    assert found.mark is Symbol.OK


async def test_without_a_shared_key_everybody_links(clinic: Clinic):
    found = await clinic.examine(CLEAR_STREET_API_KEY="", OMNIBOT_ENCRYPTION_KEYS=new_key())
    assert found["Clear Street key"].mark is Symbol.OK
    assert found["linking"].mark is Symbol.OK


TRADERS = """version = 1
[trading]
traders = ["U0ANA00001"]
halters = ["U0ANA00001"]
accounts = "any"
max_order_notional = "1000"
max_day_notional = "1000"
"""
LIVE = {"OMNIBOT_TRADING": "live", "OMNIBOT_AUDIT_KEY": "k" * 32}


async def test_whether_orders_are_sent_is_said(clinic: Clinic):
    path = clinic.folder / "policy.toml"
    path.write_text(TRADERS)
    assert (await clinic.examine())["trading"].message == (
        "off: approving gives a ticket to copy, and the policy names no traders"
    )
    live = await clinic.examine(OMNIBOT_POLICY=str(path), **LIVE)
    assert live["trading"].mark is Symbol.OK
    assert "live" in live["trading"].message


async def test_live_trading_that_nobody_may_use_or_whose_audit_hangs_on_another_key_is_worth_a_warning(clinic: Clinic):
    path = clinic.folder / "policy.toml"
    path.write_text(TRADERS)
    assert (await clinic.examine(**LIVE))["trading"].mark is Symbol.WARNING
    hanging = {**LIVE, "OMNIBOT_AUDIT_KEY": "", "OMNIBOT_ENCRYPTION_KEYS": new_key()}
    assert (await clinic.examine(OMNIBOT_POLICY=str(path), **hanging))["trading"].mark is Symbol.WARNING


async def test_live_trading_without_any_key_for_its_audit_is_refused(clinic: Clinic):
    found = await clinic.examine(OMNIBOT_TRADING="live", OMNIBOT_AUDIT_KEY="", OMNIBOT_ENCRYPTION_KEYS="")
    assert found["settings"].mark is Symbol.PROBLEM
    assert "OMNIBOT_AUDIT_KEY" in found["settings"].message
