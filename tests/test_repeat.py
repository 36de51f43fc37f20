"""A run that is counted: what failed has its name, and what is broken counts as failed."""

from pathlib import Path

import pytest

from tests import repeat

FLICKERS = """
import pathlib
import pytest

COUNT = pathlib.Path(__file__).with_name("count")

def test_every_second_time():
    times = int(COUNT.read_text()) if COUNT.exists() else 0
    COUNT.write_text(str(times + 1))
    assert times % 2 == 0

@pytest.fixture
def broken():
    raise OSError

def test_with_a_broken_fixture(broken): ...

def test_well(): ...
"""


def test_failures_are_counted_by_test_over_all_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    suite = tmp_path / "test_sample.py"
    suite.write_text(FLICKERS)
    assert repeat.main(3, str(suite), "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "-c", "/dev/null") == 1
    said = capsys.readouterr().out
    table = said[said.index("of 3 runs\n") :]
    assert "     3  test_sample::test_with_a_broken_fixture" in table
    assert "     1  test_sample::test_every_second_time" in table
    assert "     4  altogether" in table
    assert "test_well" not in table


def test_without_a_failure_the_runs_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    suite = tmp_path / "test_sample.py"
    suite.write_text("def test_well(): ...\n")
    assert repeat.main(2, str(suite), "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "-c", "/dev/null") == 0
    assert "     0  altogether" in capsys.readouterr().out


def test_a_suite_that_does_not_even_start_has_failed(tmp_path: Path):
    assert repeat.main(1, str(tmp_path / "not there.py"), "-p", "no:cacheprovider") == 1
