"""README, the example policy, `omnibot policy` and the rule say the same about where account data is shown."""

from pathlib import Path

import pytest

from omnibot.policy.access import shows_account_data
from omnibot.policy.describe import summary
from omnibot.policy.identities import MOST_MEMBERS
from omnibot.policy.model import Policy
from tests.policy.examples import CROWDED, DESK, DIRECT, GROUP, GUESTED, PUBLIC, SHARED

ROOT = Path(__file__).parents[2]


def words(text: str) -> str:
    return " ".join(text.replace("\n#", "\n").split())


@pytest.mark.parametrize(
    "text",
    [
        (ROOT / "README.md").read_text("utf-8"),
        (ROOT / "omnibot" / "policy" / "example.toml").read_text("utf-8"),
        summary(Policy()),
    ],
    ids=["README", "example", "summary"],
)
def test_each_text_states_the_rule(text: str):
    assert "private channels and group messages of full members alone" in words(text)
    assert f"at most {MOST_MEMBERS} of them: no guests, and nobody of another company" in words(text)


def test_the_rule_is_what_they_state():
    places = (DIRECT, DESK, GROUP, GUESTED, CROWDED, PUBLIC, SHARED)
    shown = [where for where in places if shows_account_data(Policy(), where)]
    assert shown == [DIRECT, DESK, GROUP]
