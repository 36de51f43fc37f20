"""Byte for byte: no key in the database's files, none in what is logged at DEBUG."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import psycopg
import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import select

from omnibot.db.engine import Database, parse_url
from omnibot.db.migrate import upgrade
from omnibot.db.tables import links
from omnibot.encryption import new_key
from tests.accounts.at_debug import BROKEN_OFF, MISTYPED
from tests.accounts.conftest import ANA, ANAS, BENS, MakeKeyring
from tests.postgres import Server

FIRST, SECOND = new_key(), new_key()
SECRETS = [ANAS, BENS, MISTYPED, FIRST, SECOND]
#: Of accounts, which are nobody's business either.
ACCOUNT_NAMES = ["Retirement", "growth", "Ben's own"]


def files(database_url: str, postgres: Server | None) -> bytes:
    """Every byte the database has on disk."""
    if postgres is None:
        folder = Path(parse_url(database_url).database or "").parent
    else:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        folder = Path(postgres._server.pgdata)
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server | None:
    """One of its own: every byte of it is looked at."""
    if request.node.callspec.params["database_url"] == "sqlite":
        return None
    server: Server = request.getfixturevalue("own_postgres")
    return server


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(server: Server | None, migrated: Path, tmp_path: Path) -> str:
    if server is None:
        return f"sqlite:///{shutil.copyfile(migrated, tmp_path / 'keys.sqlite3')}"
    url = server.new_database()
    await upgrade(url)
    return url


async def test_keys_are_neither_in_the_database_nor_in_the_log_nor_in_metrics(
    database_url: str, server: Server | None, clear_street: ClearStreetEmulator
):
    arguments = (database_url, clear_street.base_url, f"{FIRST},{SECOND}")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.accounts.at_debug",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    logged = out.decode()
    assert process.returncode == 0, logged

    kept = files(database_url, server)
    # The search would find them: what may be there is there.
    assert b"U_ANA" in kept
    assert "event=key_linked" in logged
    assert "event=link_broken" in logged
    assert "DEBUG" in logged
    assert "careless" in logged
    assert "omnibot_api_calls_total" in logged
    assert logged.count("[redacted]") >= 6
    for secret in SECRETS:
        assert secret not in logged
        assert secret.encode() not in kept
    assert BROKEN_OFF not in logged
    for name in ACCOUNT_NAMES:
        assert name.encode() not in kept
        assert name not in logged
    token = logged.split("/link/")[1].split()[0]
    assert token == "[redacted]"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_of_an_unlinked_key_not_even_the_encrypted_form_is_left_in_the_file(
    make_keyring: MakeKeyring, database: Database, database_url: str
):
    keyring = make_keyring()
    await keyring.link()
    async with database.transaction() as connection:
        sealed: str = (await connection.execute(select(links.c.sealed))).scalar_one()
    await database.close()
    assert sealed.encode() in files(database_url, None)

    await keyring.linking.unlink(ANA)
    await database.close()
    assert sealed.encode() not in files(database_url, None)
