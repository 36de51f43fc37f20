"""The command line, as a process."""

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from omnibot import __version__
from omnibot.db.engine import open_database
from omnibot.orders.audit import Audit, Entry, Signer
from tests.forking import Done, done
from tests.postgres import Server

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "CLEAR_STREET_", "OMNIBOT_", "DATABASE_"))}


def omnibot(*arguments: str, cwd: Path, **variables: str) -> Done:
    return done(*arguments, environment={**CLEAN, **variables}, cwd=cwd)


def from_nothing(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As people start it."""
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
    ended = from_nothing("run", cwd=tmp_path)
    assert ended.returncode == 1
    assert "SLACK_BOT_TOKEN: is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_run_on_an_empty_database_says_what_to_run(tmp_path: Path):
    ended = omnibot("run", cwd=tmp_path, **SECRETS)
    assert ended.returncode == 1
    assert "omnibot db upgrade" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_run_says_when_slack_cannot_be_reached(tmp_path: Path):
    assert omnibot("db", "upgrade", cwd=tmp_path).returncode == 0
    ended = omnibot("run", cwd=tmp_path, SLACK_API_URL="http://127.0.0.1:1/api/", **SECRETS)
    assert ended.returncode == 1
    assert "SLACK_BOT_TOKEN" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "xoxb-s" not in ended.stderr


def test_db_upgrade_makes_the_tables_and_says_where_it_stands(tmp_path: Path):
    ended = from_nothing("db", "upgrade", cwd=tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3")
    assert ended.returncode == 0
    assert "0010" in ended.stdout
    assert (tmp_path / "new.sqlite3").exists()


def test_a_new_encryption_key_is_good_and_alone_on_standard_output(tmp_path: Path):
    ended = omnibot("keys", "new", cwd=tmp_path)
    assert ended.returncode == 0
    assert "OMNIBOT_ENCRYPTION_KEYS" in ended.stderr
    assert "omnibot keys rotate" in ended.stderr
    assert omnibot("db", "upgrade", cwd=tmp_path).returncode == 0
    rotated = omnibot("keys", "rotate", cwd=tmp_path, OMNIBOT_ENCRYPTION_KEYS=ended.stdout)
    assert rotated.returncode == 0
    assert rotated.stdout == "0 encrypted with the first key now, 0 were before.\n"


@pytest.mark.parametrize(
    ("keys", "said"), [("", "is not set"), ("my-own-secret", "what is set is not a Fernet key")], ids=["none", "wrong"]
)
def test_rotating_without_good_keys_is_one_sentence_that_does_not_show_them(tmp_path: Path, keys: str, said: str):
    ended = omnibot("keys", "rotate", cwd=tmp_path, OMNIBOT_ENCRYPTION_KEYS=keys)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not keys or keys not in ended.stderr + ended.stdout


def test_rotating_in_an_empty_database_says_what_to_run(tmp_path: Path):
    ended = omnibot("keys", "rotate", cwd=tmp_path, OMNIBOT_ENCRYPTION_KEYS="A" * 42 + "g=")
    assert ended.returncode == 1
    assert "omnibot db upgrade" in ended.stderr


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://somebody:s3same@127.0.0.1:1/db",
        "postgresql://somebody:it-is-p@s3same@127.0.0.1:1/db",
        "postgresql://somebody:it-is-p@/s3same@127.0.0.1:1/db",
        "postgresql:///db?host=127.0.0.1&port=1&password=s3same",
        "sqlite:////proc/nowhere/omnibot.sqlite3",
        "sqlite://",
        "mysql://u@h/db",
        "rubbish",
    ],
)
@pytest.mark.parametrize("command", [("run",), ("db", "upgrade")], ids=["run", "upgrade"])
def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path, url: str, command: tuple[str, ...]):
    ended = omnibot(*command, cwd=tmp_path, DATABASE_URL=url, PORT="0", **SECRETS)
    assert ended.returncode == 1
    assert "DATABASE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "s3same" not in ended.stderr + ended.stdout


@pytest.mark.parametrize("command", [("db", "upgrade"), ("run",)], ids=["upgrade", "run"])
def test_a_databases_password_is_printed_nowhere_even_at_debug(
    tmp_path: Path, postgres: Server, command: tuple[str, ...]
):
    """The driver and SQLAlchemy log at DEBUG what they do; here they do it with a password in the URL."""
    url, password = postgres.new_database(), "p@ss w%rd/s3same"
    role = f"bot_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{password}'")
    database = conninfo_to_dict(url)
    with_password = f"postgresql://{role}:{quote(password, safe='')}@/{database['dbname']}?host={database['host']}"
    variables = {
        "DATABASE_URL": with_password,
        "OMNIBOT_LOG_LEVEL": "debug",
        "SLACK_API_URL": "http://127.0.0.1:1/api/",
    }
    try:
        if command == ("run",):
            assert omnibot("db", "upgrade", cwd=tmp_path, **variables).returncode == 0
        ended = omnibot(*command, cwd=tmp_path, PORT="0", **SECRETS, **variables)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")
    said = ended.stdout + ended.stderr
    # It came as far as it can: past the database, to a Slack that is not there.
    assert ("SLACK_BOT_TOKEN" if command == ("run",) else "The database is at") in said
    for spelling in (password, quote(password, safe=""), "s3same"):
        assert spelling not in said


def test_it_says_its_version(tmp_path: Path):
    assert from_nothing("--version", cwd=tmp_path).stdout.strip() == __version__


def test_help_lists_the_commands(tmp_path: Path):
    ended = omnibot("--help", cwd=tmp_path)
    assert ended.returncode == 0
    for command in ("run", "demo", "emulator", "doctor", "manifest", "db", "keys"):
        assert command in ended.stdout


def test_the_audit_verifies_and_is_exported_from_the_command_line(tmp_path: Path):
    assert omnibot("db", "upgrade", cwd=tmp_path).returncode == 0
    ended = omnibot("audit", "verify", cwd=tmp_path, OMNIBOT_AUDIT_KEY="k" * 40)
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (
        0,
        "The audit is sound: 0 rows, each as it was written.",
    )
    noted = "ab" * 32
    ended = omnibot("audit", "verify", "--head", noted, cwd=tmp_path, OMNIBOT_AUDIT_KEY="k" * 40)
    assert ended.returncode == 1
    assert noted in ended.stdout
    ended = omnibot("audit", "export", "--csv", cwd=tmp_path)
    assert (ended.returncode, ended.stdout.split(",")[:3]) == (0, ["seq", "at", "kind"])
    assert omnibot("audit", "export", "--json", cwd=tmp_path).stdout == ""


async def _some_rows(tmp_path: Path, *secrets: str) -> list[str]:
    """Rows of an audit, signed with keys derived from these; returns the heads after them."""
    database = await open_database(f"sqlite:///{tmp_path / 'omnibot.sqlite3'}")
    heads = []
    for secret in secrets:
        log = Audit(Signer([], [secret]))
        async with database.transaction() as connection:
            await log.append(connection, Entry(kind="halted"))
        assert log.heads.known is not None
        heads.append(log.heads.known.hash)
    await database.close()
    return heads


def test_the_audit_is_compared_with_a_file_of_heads(tmp_path: Path):
    assert omnibot("db", "upgrade", cwd=tmp_path).returncode == 0
    one, other = asyncio.run(_some_rows(tmp_path, "A" * 42 + "g=", "A" * 42 + "g="))
    path = tmp_path / "heads"
    variables = {"OMNIBOT_ENCRYPTION_KEYS": "A" * 42 + "g="}
    path.write_text(f"1 {one} 2026-01-01T00:00:00+00:00\n2 {other} 2026-01-01T00:00:01+00:00\n")
    assert omnibot("audit", "verify", "--head-file", str(path), cwd=tmp_path, **variables).returncode == 0
    path.write_text(f"1 {one} 2026-01-01T00:00:00+00:00\n3 {'ab' * 32} 2026-01-01T00:00:01+00:00\n")
    for arguments, more in ((("--head-file", str(path)), {}), ((), {"OMNIBOT_AUDIT_HEAD_FILE": str(path)})):
        ended = omnibot("audit", "verify", *arguments, cwd=tmp_path, **variables, **more)
        assert ended.returncode == 1
        assert "ab" * 32 in ended.stdout
    path.write_text("something else\n")
    ended = omnibot("audit", "verify", "--head-file", str(path), cwd=tmp_path, **variables)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "holds no heads" in ended.stderr


def test_rotating_says_that_the_audit_needs_the_old_key_and_how_it_can_go_all_the_same(tmp_path: Path):
    assert omnibot("db", "upgrade", cwd=tmp_path).returncode == 0
    old, new, own = "A" * 42 + "g=", "B" * 42 + "g=", "a secret of the audit's own that is long enough"
    asyncio.run(_some_rows(tmp_path, old, old))
    rotated = omnibot("keys", "rotate", cwd=tmp_path, OMNIBOT_ENCRYPTION_KEYS=f"{new},{old}")
    assert rotated.returncode == 0
    assert "Keep the older keys: 2 rows of the audit of orders" in rotated.stdout
    assert old not in rotated.stdout
    gone = omnibot("audit", "verify", cwd=tmp_path, OMNIBOT_ENCRYPTION_KEYS=new)
    assert "it cannot be verified" in gone.stdout
    # As it says.
    variables = {"OMNIBOT_AUDIT_KEY": f"{own},{old}", "OMNIBOT_ENCRYPTION_KEYS": new}
    assert omnibot("audit", "verify", cwd=tmp_path, **variables).returncode == 0
    variables["OMNIBOT_ENCRYPTION_KEYS"] = f"{new},{old}"
    assert "Keep" not in omnibot("keys", "rotate", cwd=tmp_path, **variables).stdout


def test_an_audit_without_a_key_says_what_to_set(tmp_path: Path):
    assert omnibot("db", "upgrade", cwd=tmp_path).returncode == 0
    ended = omnibot("audit", "verify", cwd=tmp_path)
    assert ended.returncode == 1
    assert "OMNIBOT_AUDIT_KEY" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_ticket_that_does_not_exist_is_explained_in_one_sentence(tmp_path: Path):
    assert omnibot("db", "upgrade", cwd=tmp_path).returncode == 0
    ended = omnibot("policy", "explain", "nothing", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "There is no such ticket." in ended.stderr
