"""The wheel of a bot that trades: it runs by itself, and holds no fake exchange."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What a bot consists of.
KINDS = {".py", ".mako", ".toml", ".typed"}
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SLACK_", "CLEAR_STREET_", "OMNIBOT_"))}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    subprocess.run([sys.executable, "-m", "pip", "wheel", *map(str, options), str(ROOT)], check=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it depends on, and nothing else of this repository."""
    home = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin" / "python"
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", str(wheel))
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", *options], check=True)
    # What it depends on is installed beside this interpreter; editable packages are not seen from there.
    [packages] = home.glob("lib/python*/site-packages")
    (packages / "depends.pth").write_text(sysconfig.get_path("purelib"))
    return home / "bin" / "omnibot"


def run(omnibot: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(omnibot), *arguments], cwd=cwd, env=CLEAN, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_holds_the_bot_and_nothing_else(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    assert "omnibot/app.py" in names
    assert {name.partition("/")[0] for name in names} == {"omnibot", "omnibot-0.1.0.dist-info"}
    assert {Path(name).suffix for name in names if name.startswith("omnibot/")} == KINDS
    assert not [name for name in names if "sandbox" in name or "emulator" in name or "test_" in name]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--help",), 0, "Omni AI"),
        (("manifest",), 0, "display_information"),
        (("db", "upgrade"), 0, "The database is at"),
        (("doctor",), 1, "SLACK_BOT_TOKEN"),
        (("run",), 1, "SLACK_BOT_TOKEN"),
        (("demo",), 1, "pip install 'omnibot[demo]'"),
        (("emulator",), 1, "pip install 'omnibot[demo]'"),
    ],
)
def test_its_commands_run_by_themselves(bare: Path, arguments: tuple[str, ...], code: int, said: str, tmp_path: Path):
    ended = run(bare, *arguments, cwd=tmp_path)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
