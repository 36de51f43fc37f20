"""`omnibot` as a process of its own, forked from one that has imported it already: a start then costs little CPU.

That `python -m omnibot` starts from nothing is tested with the command line and with the demo.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["omnibot.app", "omnibot.cli", "sqlalchemy.dialects.sqlite.aiosqlite", "tests.frozen"])


class Forked:
    """A running `omnibot …`; signals and its end are as asyncio's processes have them."""

    def __init__(self, *arguments: str, environment: Mapping[str, str], log: Path) -> None:
        """Name what is to run; all it says is appended to `log`."""
        job = (arguments, dict(environment), os.getcwd(), str(log), str(log))
        self._process: ForkServerProcess = _context.Process(target=_become, args=job)

    async def start(self) -> None:
        """Return when it runs. The first one of a test process waits for the imports."""
        await asyncio.to_thread(self._process.start)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """How it exited; a signal is negative."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def done(*arguments: str, environment: Mapping[str, str], cwd: Path) -> Done:
    """`omnibot …` with these arguments, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        job = (arguments, dict(environment), str(cwd), str(out), str(err))
        process = _context.Process(target=_become, args=job)
        process.start()
        process.join(50)
        if process.exitcode is None:
            process.kill()
        process.join()
        assert process.exitcode is not None
        return Done(process.exitcode, out.read_text(), err.read_text())


def _become(arguments: tuple[str, ...], environment: dict[str, str], cwd: str, out: str, err: str) -> None:
    """Runs in the forked process."""
    for path, descriptor in ((out, 1), (err, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = ["omnibot", *arguments]
    from omnibot.cli import main

    main()
