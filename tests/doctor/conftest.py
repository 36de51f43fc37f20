"""A bot that lacks nothing, on the emulators' sockets, for the doctor to look at."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.slack.server import SlackEmulator

from omnibot.doctor.model import Finding, Symbol
from omnibot.doctor.service import Examination
from omnibot.settings import Settings
from tests.forking import done

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
#: Nothing listens here.
NOWHERE = "127.0.0.1:1"


@dataclass
class Clinic:
    """Both emulators, a migrated database, and the variables of a bot that lacks nothing."""

    slack: SlackEmulator
    omni: ClearStreetEmulator
    folder: Path
    variables: dict[str, str]
    monkeypatch: pytest.MonkeyPatch
    looked_at: list[str] = field(default_factory=list)

    async def examine(self, *, dyno: str | None = None, **changes: str) -> dict[str, Finding]:
        """The findings by check, with some variables changed (empty: not set)."""
        for name, value in {**self.variables, **changes}.items():
            self.monkeypatch.setenv(name, value)
        settings, wrong = Settings.survey()
        examination = Examination(settings, wrong, dyno=dyno)
        found = [finding async for finding in examination.findings(self.looked_at.append)]
        assert all(finding.fix for finding in found if finding.mark is Symbol.PROBLEM)
        return {finding.check: finding for finding in found}

    async def run(self, *arguments: str, **changes: str) -> tuple[int, str, str]:
        """`omnibot …` as a process: its exit code, output and errors."""
        environment = {**os.environ, **self.variables, **changes}
        ended = await asyncio.to_thread(done, *arguments, environment=environment, cwd=self.folder)
        return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture
async def clinic(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clinic]:
    for name in [*Settings.model_fields, "dyno"]:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    database_url = f"sqlite:///{shutil.copy(migrated, tmp_path / 'omnibot.sqlite3')}"
    slack, omni = SlackEmulator(), ClearStreetEmulator()
    await slack.start()
    await omni.start()
    variables = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "CLEAR_STREET_API_KEY": "demo-key",
        "CLEAR_STREET_BASE_URL": omni.base_url,
        "DATABASE_URL": database_url,
        "PORT": "0",
    }
    yield Clinic(slack, omni, tmp_path, variables, monkeypatch)
    await slack.close()
    await omni.close()


def problems(found: dict[str, Finding]) -> set[str]:
    return {check for check, finding in found.items() if finding.mark is Symbol.PROBLEM}


def says(finding: Finding) -> str:
    return f"{finding.message}\n{finding.fix}"
