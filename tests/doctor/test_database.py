"""The database: there, current, kept where it lasts."""

import sqlite3

import pytest

from omnibot.db.migrate import SchemaStatus, upgrade
from omnibot.doctor import model
from omnibot.doctor.model import Symbol
from tests.doctor.conftest import NOWHERE, Clinic, problems, says
from tests.postgres import Server


async def test_a_sqlite_file_that_is_not_there_is_not_made(clinic: Clinic):
    found = await clinic.examine(DATABASE_URL=f"sqlite:///{clinic.folder}/deep/none.sqlite3")

    assert problems(found) == {"database"}
    assert "omnibot db upgrade" in says(found["database"])
    assert not (clinic.folder / "deep").exists()


async def test_a_database_without_tables_wants_an_upgrade(clinic: Clinic, postgres: Server):
    url = postgres.new_database()
    found = await clinic.examine(DATABASE_URL=url)
    assert problems(found) == {"database"}
    assert "omnibot db upgrade" in says(found["database"])

    await upgrade(url)
    assert (await clinic.examine(DATABASE_URL=url))["database"].mark is Symbol.OK


def test_a_database_of_an_older_version_wants_an_upgrade():
    finding = model.database("the database", SchemaStatus("0001", "0002", known=True))

    assert finding.mark is Symbol.PROBLEM
    assert "is at 0001, this version needs 0002" in finding.message
    assert "omnibot db upgrade" in str(finding.fix)


async def test_a_database_of_a_newer_version_wants_a_newer_omnibot(clinic: Clinic):
    with sqlite3.connect(clinic.folder / "omnibot.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    found = await clinic.examine()

    assert problems(found) == {"database"}
    assert "9999, which this version does not know" in found["database"].message
    assert "later" in str(found["database"].fix)


async def test_a_sqlite_file_that_others_can_read_is_told(clinic: Clinic):
    assert "database files" not in await clinic.examine()
    (clinic.folder / "omnibot.sqlite3").chmod(0o644)

    finding = (await clinic.examine())["database files"]

    assert finding.mark is Symbol.WARNING
    assert "chmod 600" in str(finding.fix)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://somebody:s3same@{NOWHERE}/db",
        "postgresql://somebody:s3s@me@db.example/db",
        "postgres://somebody:s3same@db.example:port/db",
        "mysql://somebody:s3same@db.example/db",
        "sqlite://",
        "rubbish",
    ],
)
async def test_a_database_that_cannot_be_opened_is_a_problem_without_its_password(clinic: Clinic, url: str):
    found = await clinic.examine(DATABASE_URL=url)

    assert problems(found) == {"database"}
    assert "DATABASE_URL" in found["database"].message
    assert not any(piece in says(found["database"]) for piece in ("s3same", "s3s", "me@db"))


async def test_a_file_that_is_no_database_is_a_problem(clinic: Clinic):
    (clinic.folder / "letter.txt").write_text("Dear database, " * 100)

    assert problems(await clinic.examine(DATABASE_URL=f"sqlite:///{clinic.folder}/letter.txt")) == {"database"}


async def test_sqlite_on_a_dyno_is_a_problem_and_postgresql_is_not(clinic: Clinic, postgres: Server):
    found = await clinic.examine(dyno="web.1")
    assert problems(found) == {"dyno"}
    assert "PostgreSQL" in str(found["dyno"].fix)

    assert "dyno" not in await clinic.examine(dyno="web.1", DATABASE_URL=postgres.new_database())
