"""The command line, as a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from omnibot import __version__

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "CLEAR_STREET_", "OMNIBOT_", "DATABASE_"))}


def omnibot(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "omnibot", *arguments],
        cwd=cwd,
        env={**CLEAN, **variables},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


SECRETS = {"SLACK_BOT_TOKEN": "xoxb-s", "SLACK_APP_TOKEN": "xapp-s", "CLEAR_STREET_API_KEY": "s3cret"}


def test_run_without_settings_says_which_are_missing_and_shows_no_traceback(tmp_path: Path):
    done = omnibot("run", cwd=tmp_path)
    assert done.returncode == 1
    assert "SLACK_BOT_TOKEN: is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_on_an_empty_database_says_what_to_run(tmp_path: Path):
    done = omnibot("run", cwd=tmp_path, **SECRETS)
    assert done.returncode == 1
    assert "omnibot db upgrade" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_says_when_slack_cannot_be_reached(tmp_path: Path):
    assert omnibot("db", "upgrade", cwd=tmp_path).returncode == 0
    done = omnibot("run", cwd=tmp_path, SLACK_API_URL="http://127.0.0.1:1/api/", **SECRETS)
    assert done.returncode == 1
    assert "SLACK_BOT_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr
    assert "xoxb-s" not in done.stderr


def test_db_upgrade_makes_the_tables_and_says_where_it_stands(tmp_path: Path):
    done = omnibot("db", "upgrade", cwd=tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3")
    assert done.returncode == 0
    assert "0003" in done.stdout
    assert (tmp_path / "new.sqlite3").exists()


def test_a_new_encryption_key_is_good_and_alone_on_standard_output(tmp_path: Path):
    done = omnibot("keys", "new", cwd=tmp_path)
    assert done.returncode == 0
    assert "OMNIBOT_ENCRYPTION_KEYS" in done.stderr
    assert "omnibot keys rotate" in done.stderr
    assert omnibot("db", "upgrade", cwd=tmp_path).returncode == 0
    rotated = omnibot("keys", "rotate", cwd=tmp_path, OMNIBOT_ENCRYPTION_KEYS=done.stdout)
    assert rotated.returncode == 0
    assert rotated.stdout == "0 encrypted with the first key now, 0 were before.\n"


@pytest.mark.parametrize(
    ("keys", "said"), [("", "is not set"), ("my-own-secret", "what is set is not a Fernet key")], ids=["none", "wrong"]
)
def test_rotating_without_good_keys_is_one_sentence_that_does_not_show_them(tmp_path: Path, keys: str, said: str):
    done = omnibot("keys", "rotate", cwd=tmp_path, OMNIBOT_ENCRYPTION_KEYS=keys)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not keys or keys not in done.stderr + done.stdout


def test_rotating_in_an_empty_database_says_what_to_run(tmp_path: Path):
    done = omnibot("keys", "rotate", cwd=tmp_path, OMNIBOT_ENCRYPTION_KEYS="A" * 42 + "g=")
    assert done.returncode == 1
    assert "omnibot db upgrade" in done.stderr


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://somebody:s3same@127.0.0.1:1/db",
        "sqlite:////proc/nowhere/omnibot.sqlite3",
        "sqlite://",
        "mysql://u@h/db",
        "rubbish",
    ],
)
@pytest.mark.parametrize("command", [("run",), ("db", "upgrade")], ids=["run", "upgrade"])
def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path, url: str, command: tuple[str, ...]):
    done = omnibot(*command, cwd=tmp_path, DATABASE_URL=url, PORT="0", **SECRETS)
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert "s3same" not in done.stderr + done.stdout


def test_it_says_its_version(tmp_path: Path):
    assert omnibot("--version", cwd=tmp_path).stdout.strip() == __version__


def test_help_lists_the_commands(tmp_path: Path):
    done = omnibot("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("run", "demo", "emulator", "doctor", "manifest", "db", "keys"):
        assert command in done.stdout
