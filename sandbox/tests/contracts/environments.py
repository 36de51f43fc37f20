"""Environments with one version of the official SDK each: made once, kept in `.contracts/`, and driven from here."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

_SDK = Path(__file__).parent / "sdk"
_CACHE = Path(__file__).parents[3] / ".contracts"


@dataclass(frozen=True)
class Said:
    """What the SDK made of one answer."""

    data: Any = None
    #: Fields it has no name for.
    unknown: tuple[str, ...] = ()
    #: Name of the exception, HTTP status, text.
    error: tuple[str, int | None, str] | None = None


class Sdk:
    """A running driver; its calls are made one after the other."""

    def __init__(self, version: str) -> None:
        self._process = subprocess.Popen(
            [_interpreter(version), str(_SDK / "driver.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**_surroundings(), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        )

    def close(self) -> None:
        """End the driver."""
        self._process.communicate(timeout=60)

    async def __call__(self, base_url: str, call: str, **arguments: Any) -> Said:
        """One call, such as `v1.omni_ai.threads.get_threads`."""
        request = json.dumps({"base_url": base_url, "call": call, "arguments": arguments})
        answer = json.loads(await asyncio.to_thread(self._exchange, request))
        error = answer.get("error")
        return Said(answer.get("data"), tuple(answer.get("unknown", ())), tuple(error) if error else None)

    def _exchange(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the SDK's driver has died; its last words are on stderr"
        return answer


class Client:
    """The SDK, calling one emulator."""

    def __init__(self, sdk: Sdk, emulator: ClearStreetEmulator) -> None:
        self.sdk = sdk
        self.emulator = emulator

    async def say(self, call: str, **arguments: Any) -> Said:
        """Whatever comes of a call below `v1`."""
        return await self.sdk(self.emulator.base_url, f"v1.{call}", **arguments)

    async def __call__(self, call: str, **arguments: Any) -> Any:
        """The data of an answer in which the SDK knows every field."""
        said = await self.say(call, **arguments)
        assert (said.error, said.unknown) == (None, ())
        return said.data


def _surroundings() -> dict[str, str]:
    """The environment variables, without those that speak to our interpreter or to the SDK."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("CLEAR_STREET", "PYTHON"))}


def _interpreter(version: str) -> str:
    """The interpreter of the version's environment, which is made now if it is not there."""
    wanted = _SDK / f"clearstreet-{version}.txt"
    mark = hashlib.sha256(wanted.read_bytes()).hexdigest()[:8]
    home = _CACHE / f"clearstreet-{version}-py{sys.version_info[0]}.{sys.version_info[1]}-{mark}"
    _CACHE.mkdir(exist_ok=True)
    (_CACHE / ".gitignore").write_text("*\n")
    with (_CACHE / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers may come at once
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            _make(home, wanted, version)
            (home / "complete").touch()
    return str(home / "bin" / "python")


def _make(home: Path, wanted: Path, version: str) -> None:
    python = str(home / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(wanted)]
    for command in ([sys.executable, "-m", "venv", str(home)], install):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_surroundings())
        if done.returncode:
            pytest.fail(
                f"The official SDK clearstreet {version}, which the emulator is held to, cannot be installed into "
                f"{home}. What was tried: {' '.join(command)}. What it said: {(done.stderr or done.stdout).strip()}",
                pytrace=False,
            )
