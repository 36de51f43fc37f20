"""`omnibot policy`, as a process."""

from importlib import resources
from pathlib import Path

from tests.policy.examples import DESK_TRADES
from tests.test_cli import omnibot

GOOD = f"version = 1\n{DESK_TRADES}"


def test_check_says_what_a_file_allows(tmp_path: Path):
    (tmp_path / "policy.toml").write_text(GOOD)
    done = omnibot("policy", "check", "policy.toml", cwd=tmp_path)
    assert done.returncode == 0
    assert "policy.toml is in order." in done.stdout
    assert "These may trade: U0ANA, U0BEN." in done.stdout


def test_check_takes_the_path_of_the_settings(tmp_path: Path):
    (tmp_path / "rules.toml").write_text(GOOD)
    assert "These may trade" in omnibot("policy", "check", cwd=tmp_path, OMNIBOT_POLICY="rules.toml").stdout
    (tmp_path / ".env").write_text("OMNIBOT_POLICY=rules.toml")
    assert "These may trade" in omnibot("policy", "check", cwd=tmp_path).stdout


def test_check_without_a_file_says_what_goes_then(tmp_path: Path):
    done = omnibot("policy", "check", cwd=tmp_path)
    assert done.returncode == 0
    assert "OMNIBOT_POLICY is not set" in done.stdout
    assert "Nobody may trade." in done.stdout


def test_check_fails_with_every_mistake_on_a_line_and_no_traceback(tmp_path: Path):
    (tmp_path / "policy.toml").write_text('version = 2\n[acess]\n[trading]\norder_types = ["limit"]')
    done = omnibot("policy", "check", "policy.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == "The policy file policy.toml cannot be used:"
    assert [line.partition(":")[0] for line in lines[1:4]] == ["  version", "  acess", "  [trading] order_types"]
    assert "Traceback" not in done.stderr


def test_check_of_a_file_that_is_not_there_is_one_sentence(tmp_path: Path):
    done = omnibot("policy", "check", "none.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_example_that_is_printed_is_the_one_that_is_shipped_and_passes_the_check(tmp_path: Path):
    printed = omnibot("policy", "example", cwd=tmp_path).stdout
    assert printed == resources.files("omnibot.policy").joinpath("example.toml").read_text("utf-8")
    (tmp_path / "policy.toml").write_text(printed)
    assert omnibot("policy", "check", "policy.toml", cwd=tmp_path).returncode == 0


def test_check_warns_of_keys_that_have_a_new_name(tmp_path: Path):
    (tmp_path / "policy.toml").write_text('version = 1\n[channels]\ndesk = ["C0DESK"]\n')
    done = omnibot("policy", "check", "policy.toml", cwd=tmp_path)
    assert done.returncode == 0
    assert "Warning: [channels] desk: is called account_data now." in done.stdout
