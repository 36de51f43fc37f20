"""The documents are true as far as a program can tell: links lead somewhere, files exist, commands run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "sandbox/README.md", "tests/README.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|src(?:set)?=\"([^\"]+)\"")
#: Paths in backticks that begin with one of our folders.
NAMED = re.compile(r"`((?:omnibot|sandbox|tests|docs|\.ci|\.github)/[\w./-]*)`")
#: What installs, or runs until it is stopped: these are tried by other tests, or need an account.
NOT_HERE = {
    "python3 -m venv .venv",
    ".venv/bin/pip install -r requirements.txt .",
    "pip install ./sandbox",
    ".venv/bin/omnibot run",
}
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "CLEAR_STREET_", "OMNIBOT_", "DATABASE_"))}


def identify(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def shell_lines(path: Path) -> list[str]:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", path.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("path", PAGES, ids=identify)
def test_every_relative_link_leads_to_a_file(path: Path):
    for link, source in LINK.findall(path.read_text()):
        target = (link or source).partition("#")[0]
        if target and "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=identify)
def test_every_file_that_is_named_exists(path: Path):
    for name in NAMED.findall(path.read_text()):
        assert (ROOT / name).exists(), name


def test_the_table_of_where_to_add_what_names_a_file_for_each():
    section = (ROOT / "CONTRIBUTING.md").read_text().split("\n## Where do I add …\n")[1].split("\n## ")[0]
    rows = [row.split("|")[1:4] for row in section.splitlines() if row.startswith("| a")]
    assert len(rows) >= 10
    for what, first, _ in rows:
        assert NAMED.findall(first) or "](" in first, what


@pytest.mark.parametrize("path", [path for path in PAGES if shell_lines(path)], ids=identify)
def test_every_shell_line_runs(path: Path, tmp_path: Path):
    commands = str(Path(sys.executable).parent)
    environment = {**CLEAN, "OMNIBOT_AUDIT_KEY": "k" * 32, "PATH": f"{commands}:{os.environ['PATH']}"}
    assert run(["omnibot", "db", "upgrade"], tmp_path, environment).returncode == 0
    for line in shell_lines(path):
        if line in NOT_HERE:
            continue
        words = shlex.split(line)
        if words[0] == "make":
            ended = run(["make", "-n", *words[1:]], ROOT, environment)
        else:
            words[0] = words[0].removeprefix(".venv/bin/")
            assert words[0] in ("omnibot", "omnibot-sandbox"), line
            helped = words[0] == "omnibot-sandbox" or words[1] in ("run", "demo", "emulator")
            kept = words[:1] if words[0] == "omnibot-sandbox" else words[:2]
            command = shlex.join([*kept, "--help"]) if helped else line.removeprefix(".venv/bin/")
            ended = run(["sh", "-c", command], tmp_path, environment)
        # The doctor has found something: there are no settings here.
        assert ended.returncode == (1 if "doctor" in line else 0), f"{line}: {ended.stdout}{ended.stderr}"


def run(command: list[str], cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)
