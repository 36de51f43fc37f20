"""What the exploration finds is told with the seed that finds it again."""

import re
from pathlib import Path

import pytest

from tests import explore

WRONG = """
from hypothesis import given, settings, strategies as st

@settings(database=None, max_examples=100)
@given(st.integers())
def test_wrong(number):
    assert number < 1000
"""


def found(module: Path, seed: int, said: pytest.CaptureFixture[str]) -> str:
    assert not explore._found_nothing([str(module)], seed, 60)
    return said.readouterr().out


def test_what_is_found_is_found_again_with_its_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    module = tmp_path / "test_sample.py"
    module.write_text(WRONG)
    first = found(module, 7, capsys)
    assert re.search(r"FOUND with seed 7\. Again: OMNIBOT_EXAMPLES=1 \S+pytest .*--hypothesis-seed=7", first)
    assert "number=1000" in first
    assert "number=1000" in found(module, 7, capsys)


def test_every_module_with_properties_is_explored():
    modules = explore.property_tests()
    assert "tests/policy/test_any_input.py" in modules
    assert "tests/clearstreet/models/test_parts.py" in modules
    assert all((explore.ROOT / module).exists() for module in modules)


def test_properties_inside_a_test_are_explored_too():
    assert "tests/accounts/test_linking.py" in explore.property_tests()
